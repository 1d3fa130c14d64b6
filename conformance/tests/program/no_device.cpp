// The program where there is no device: every verb works or says in words why it cannot. A build without OpenCL runs
// these as well. And the program as it is loaded: with nothing that one verb alone needs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "conformance/tests/ran.h"
#include "conformance/tests/temporary.h"
#include "core/safetensors.h"

namespace plumb {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

Ran shell(const std::string& command) { return run_shell("{ " + command + "; } 2>&1"); }

Ran plumb(const std::string& arguments) { return shell("PLUMB_DEVICE=none '" PLUMB_PROGRAM "' " + arguments); }

std::string eval_of_a_line() {
  const std::string in = temporary("line.safetensors");
  write_safetensors(in, {{"a", tensor(Dtype::f32, {3}, {3, 1, 2})}});
  return "eval argsort --in '" + in + "' --out '" + temporary("sorted.safetensors") + "'";
}

TEST(NoDevice, EveryVerbWorksOrSaysWhyNot) {
  const std::string case_id = "argsort/f32.5x7.transposed.uniform/axis=-1";
  const std::string corpus = "'" PLUMB_SOURCE_DIR "/conformance/corpus/array/sort' --op=argsort";
  const struct {
    std::string arguments;
    int code;
    const char* says;
  } all[] = {
      {"devices", 0, "tier  unavailable"},
      {"list routes argsort", 0, "cpu.radix"},
      {"explain '" + case_id + "'", 0, "on the host alone, tier unavailable"},
      {"check argsort --budget=smoke", 0, " 0 failed"},
      {"check argsort --budget=smoke --route=natural", 0, " 0 failed"},
      {"repro '" + case_id + "'", 0, " 0 failed"},
      {"replay " + corpus, 0, " 0 failed"},
      {"replay " + corpus + " --route=all", 0, " 0 failed"},
      {eval_of_a_line(), 0, "out: u32[3]"},
      {eval_of_a_line() + " --route=cpu.radix", 0, "out: u32[3]"},
      {"check argsort --budget=smoke --require-device", 1, "--require-device: "},
  };
  for (const auto& [arguments, code, says] : all) {
    const Ran ran = plumb(arguments);
    EXPECT_EQ(ran.code, code) << arguments << "\n" << ran.out;
    EXPECT_THAT(ran.out, HasSubstr(says)) << arguments;
  }
  const auto json = nlohmann::json::parse(plumb("devices --json").out);
  EXPECT_TRUE(json.at("devices").empty());
  EXPECT_TRUE(json.at("current").at("device").is_null());
}

TEST(NoDevice, ARouteOfADeviceIsRefusedInWords) {
  const Ran ran = plumb(eval_of_a_line() + " --route=gpu.radix");
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.out, AnyOf(HasSubstr("needs tier gpu, this device is unavailable"), HasSubstr("PLUMB_DEVICE=none"),
                             HasSubstr("no route is named 'gpu.radix'")));
}

// Peers and the library that takes times belong to bench; where memory is scarce some of them never come back.
TEST(Startup, NothingIsLoadedThatAnotherVerbNeeds) {
  const Ran ran = shell("LD_TRACE_LOADED_OBJECTS=1 '" PLUMB_PROGRAM "'");
  EXPECT_THAT(ran.out, HasSubstr("libc.so"));
  for (const char* name : {"openblas", "libbenchmark", "libgfortran", "libstdc++"})
    EXPECT_THAT(ran.out, Not(HasSubstr(name)));
}

TEST(Startup, EvalNeedsLittleMemory) {
  const Ran ran = shell("ulimit -v 500000; timeout 20 '" PLUMB_PROGRAM "' " + eval_of_a_line());
  EXPECT_EQ(ran.code, 0) << ran.out;
}

}  // namespace
}  // namespace plumb
