// OpenCL drivers that die, hang, leave, fail or print: the program survives each, names it, and goes on with the
// others. Verbs and routes that need no device load none.
#ifdef PLUMB_GPU
#include "gpu/drivers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "conformance/tests/temporary.h"
#include "core/safetensors.h"

namespace plumb::gpu {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

struct Ran {
  int code = -1;
  std::string out, err;
};

std::string contents(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A folder of .icd files, and the program with nothing else to find.
class Drivers : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = temporary("drivers");
    fs::remove_all(root_);
    fs::create_directories(root_ / "vendors");
    write_safetensors((root_ / "in.safetensors").string(), {{"a", tensor(Dtype::f32, {3}, {3, 1, 2})}});
  }
  void TearDown() override { fs::remove_all(root_); }

  void add(const std::string& file, const std::string& library) {
    std::ofstream(root_ / "vendors" / (file + ".icd")) << library << "\n";
  }
  void add_fake(const std::string& fault) {
    add(fault, std::string(PLUMB_FAKE_DRIVERS "/libfake_driver_") + fault + ".so");
  }

  // The driver of this machine, or the test is skipped.
  bool add_real() {
    if (current_device().tier == Tier::unavailable) return false;
    for (const Driver& d : listed_drivers())
      if (d.library.find("pocl") != std::string::npos) return add("real", real_ = d.library), true;
    return false;
  }

  Ran plumb(const std::string& arguments, const std::string& more = "") {
    const std::string command = "unset PLUMB_DEVICE OCL_ICD_FILENAMES OPENCL_VENDOR_PATH; cd '" + root_.string() +
                                "' && env OCL_ICD_VENDORS='" + (root_ / "vendors").string() + "' FAKE_DRIVER_MARK='" +
                                mark().string() + "' FAKE_DRIVER_REAL='" + real_ + "' PLUMB_PROBE_SECONDS=5 " + more +
                                " '" PLUMB_PROGRAM "' " + arguments + " >out 2>err </dev/null";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status, contents(root_ / "out"), contents(root_ / "err")};
  }
  fs::path mark() const { return root_ / "mark"; }

  fs::path root_;
  std::string real_;
};

TEST_F(Drivers, OneThatDiesIsNamed) {
  add_fake("dies");
  const Ran ran = plumb("devices");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("tier  unavailable"), HasSubstr("dies.icd"), HasSubstr("died of signal 6"),
                             HasSubstr("this driver gives up")));
  EXPECT_TRUE(fs::exists(mark()));
}

TEST_F(Drivers, OneThatHangsIsNamed) {
  add_fake("hangs");
  const Ran ran = plumb("devices", "PLUMB_PROBE_SECONDS=0.2");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("hangs.icd"), HasSubstr("hung: 0.2 s without an answer when it was loaded")));
}

TEST_F(Drivers, OneThatEndsTheProcessIsNamed) {
  add_fake("leaves");
  EXPECT_THAT(plumb("devices").out, AllOf(HasSubstr("leaves.icd"), HasSubstr("ended with exit code 3")));
}

TEST_F(Drivers, OneWithoutDevicesIsNamedWithItsReason) {
  add_fake("fails");
  EXPECT_THAT(plumb("devices").out, AllOf(HasSubstr("fails.icd"), HasSubstr("has no device here")));
  add("gone", "libgone.so.7");
  EXPECT_THAT(plumb("devices").out,
              AllOf(HasSubstr("gone.icd (libgone.so.7) cannot be loaded"), HasSubstr("fails.icd")));
  fs::create_directories(root_ / "vendors" / "folder.icd");
  EXPECT_THAT(plumb("devices").out, HasSubstr("folder.icd is no file that names a library"));
}

TEST_F(Drivers, NoneIsAReasonToo) {
  const Ran ran = plumb("devices --require-device");
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err,
              HasSubstr("no OpenCL driver is listed: " + (root_ / "vendors").string() + " holds no .icd file"));
  EXPECT_EQ(plumb("check add --budget=smoke --route='gpu.*'").code, 77);
  EXPECT_THAT(plumb("check add", "PLUMB_DEVICE=0").err, HasSubstr("holds no .icd file"));
}

TEST_F(Drivers, TheGoodOneServesBesideBadOnes) {
  if (!add_real()) GTEST_SKIP() << "no PoCL here";
  for (const char* fault : {"dies", "hangs", "fails", "leaves"}) add_fake(fault);
  const Ran all =
      plumb("check 'add/f32.7.row.uniform+f32.7.row.uniform/-@gpu.*' --require-device", "PLUMB_PROBE_SECONDS=2");
  EXPECT_EQ(all.code, 0) << all.out << all.err;
  for (const char* words : {"dies.icd", "died of signal 6", "hangs.icd", "hung: 2 s", "leaves.icd", "exit code 3"})
    EXPECT_THAT(all.err, HasSubstr(words));
  EXPECT_THAT(all.err, Not(HasSubstr("fails.icd")));  // it harms nobody
}

TEST_F(Drivers, OneThatPrintsDoesNotSpoilWhatTheProgramPrints) {
  if (!add_real()) GTEST_SKIP() << "no PoCL here";
  add_fake("prints");
  const Ran ran = plumb("devices --json");
  EXPECT_EQ(ran.code, 0) << ran.err;
  ASSERT_TRUE(nlohmann::json::accept(ran.out)) << ran.out;
  EXPECT_EQ(nlohmann::json::parse(ran.out).at("current").at("device"), 0);
  EXPECT_THAT(ran.err, HasSubstr("this is not JSON"));  // the loader asks it, in this process too
}

TEST_F(Drivers, ThoseThatDoNotBearEachOtherServeOneByOne) {
  if (!add_real()) GTEST_SKIP() << "no PoCL here";
  fs::remove(root_ / "vendors" / "real.icd");
  for (const char* name : {"first", "second"}) {
    const fs::path copy = root_ / (std::string(name) + ".so");
    fs::copy_file(PLUMB_FAKE_DRIVERS "/libfake_driver_alone.so", copy);
    add(name, copy.string());
  }
  const Ran ran = plumb("check 'add/f32.7.row.uniform+f32.7.row.uniform/-@gpu.*' --require-device");
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.err, AllOf(HasSubstr("only"), HasSubstr("first.icd"), HasSubstr("died of signal 6")));
}

TEST_F(Drivers, WhatNeedsNoDeviceLoadsNone) {
  for (const char* fault : {"dies", "hangs"}) add_fake(fault);
  const std::string in = "--in in.safetensors --out out.safetensors", smoke = " --budget=smoke";
  const std::string sum = "add/f32.7.row.uniform+f32.7.row.uniform/-", one = "'" + sum + "'";
  const std::string case_id = "argsort/f32.5x7.transposed.uniform/axis=-1";
  const std::string corpus = "'" PLUMB_SOURCE_DIR "/conformance/corpus/array/sort'";
  for (const std::string& arguments :
       {"eval argsort " + in, "eval argsort " + in + " --route=cpu.radix", std::string("list ops"),
        std::string("list routes"), std::string("list fills"), std::string("list cases add"), std::string("--help"),
        "check " + one + " --route='cpu.*'", "check '" + sum + "@cpu.*'", "check add --route=reference" + smoke,
        "repro '" + case_id + "@cpu.radix'", "replay " + corpus + " --op=argsort --route=reference",
        "replay " + corpus + " --op=argsort --route='cpu.*'"}) {
    const Ran ran = plumb(arguments);
    EXPECT_EQ(ran.code, 0) << arguments << "\n" << ran.out << ran.err;
    EXPECT_FALSE(fs::exists(mark())) << arguments;
  }
  EXPECT_EQ(plumb("check " + one, "PLUMB_DEVICE=none").code, 0);
  EXPECT_EQ(plumb("devices", "PLUMB_DEVICE=none").code, 0);
  EXPECT_EQ(plumb("report " + one + " --no-bench --out report", "PLUMB_DEVICE=none").code, 0);
  EXPECT_FALSE(fs::exists(mark()));
}

TEST_F(Drivers, AreListedAsTheLoaderFindsThem) {
  const auto listed = [](const std::string& vendors) {
    setenv("OCL_ICD_VENDORS", vendors.c_str(), 1);
    std::string all;
    for (const Driver& d : listed_drivers()) all += fs::path(d.file).filename().string() + "=" + d.library + " ";
    return all;
  };
  const char* before = std::getenv("OCL_ICD_VENDORS");
  const std::string kept = before ? before : "";
  add("b", "libb.so"), add("a", "/x/liba.so");
  std::ofstream(root_ / "vendors" / "note.txt") << "libno.so\n";
  EXPECT_EQ(listed((root_ / "vendors").string()), "a.icd=/x/liba.so b.icd=libb.so ");
  EXPECT_EQ(listed((root_ / "vendors" / "b.icd").string()), "b.icd=libb.so ");
  EXPECT_EQ(listed("libc.so.9"), "libc.so.9=libc.so.9 ");
  kept.empty() ? unsetenv("OCL_ICD_VENDORS") : setenv("OCL_ICD_VENDORS", kept.c_str(), 1);
}

}  // namespace
}  // namespace plumb::gpu
#endif
