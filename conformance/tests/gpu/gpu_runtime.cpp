// The OpenCL layer on the device at hand: what it must notice, and that it survives every failure.
#ifdef PLUMB_GPU
#include "gpu/runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/case.h"
#include "core/error.h"
#include "core/fill.h"

namespace plumb::gpu {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class GpuRuntime : public ::testing::Test {
 protected:
  void SetUp() override {
    const Device& d = current_device();
    if (d.tier == Tier::unavailable) GTEST_SKIP() << (d.notes.empty() ? "no device" : d.notes.front());
  }
  void TearDown() override {
    inject(Fault::none);
    MemoryWatch::take_damage();
  }
};

std::vector<std::byte> downloaded(const BufferPtr& b) {
  std::vector<std::byte> bytes(b->bytes());
  b->download(bytes.data());
  return bytes;
}

// y[i] = i for i < count, by the copy kernel.
void copy_range(const BufferPtr& to, std::int64_t count, const Options& options = {}) {
  std::vector<std::int32_t> range(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < range.size(); ++i) range[i] = static_cast<std::int32_t>(i);
  std::vector<std::int64_t> geometry(16, 1);
  geometry[0] = count;
  Kernel("copy", "copy4", options)
      .arg(constants(range))
      .arg(to)
      .arg(constants(geometry))
      .arg(std::int64_t{0})
      .arg(count)
      .run({static_cast<std::size_t>(count)});
  finish();
}

void expect_range(const BufferPtr& b) {
  const std::vector<std::byte> bytes = downloaded(b);
  for (std::size_t i = 0; i < bytes.size() / 4; ++i) {
    std::int32_t v;
    std::memcpy(&v, bytes.data() + 4 * i, 4);
    ASSERT_EQ(v, static_cast<std::int32_t>(i));
  }
}

Reason reason_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.reason();
  }
  return Reason::query;  // nothing in these tests throws it
}

TEST_F(GpuRuntime, BytesComeBackAsTheyWent) {
  for (std::size_t n : {0u, 1u, 3u, 4096u, 100'003u}) {
    const BufferPtr b = scratch(n);
    std::vector<std::byte> bytes(n);
    for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::byte>(draw(n, i));
    b->upload(bytes.data());
    EXPECT_EQ(downloaded(b), bytes);
    EXPECT_TRUE(b->guards_intact());
  }
}

TEST_F(GpuRuntime, AWriteOnePastTheEndIsCaught) {
  const MemoryWatch watch;
  copy_range(scratch(4 * 100), 100);
  EXPECT_THAT(MemoryWatch::take_damage(), IsEmpty());
  copy_range(scratch(4 * 100), 101);
  EXPECT_THAT(MemoryWatch::take_damage(), SizeIs(1));
  copy_range(scratch(0), 1);
  EXPECT_THAT(MemoryWatch::take_damage(), SizeIs(1));
}

TEST_F(GpuRuntime, FreshMemoryIsPoisonedUnderAWatch) {
  const MemoryWatch watch;
  for (std::byte b : downloaded(scratch(1000))) ASSERT_EQ(static_cast<std::uint8_t>(b), kPoisonByte);
}

TEST_F(GpuRuntime, FillsReachTheWholePayloadAndNoMore) {
  const BufferPtr b = scratch(77);
  fill_byte(b, 0x5A);
  for (std::byte v : downloaded(b)) ASSERT_EQ(static_cast<std::uint8_t>(v), 0x5A);
  fill_zero(b);
  for (std::byte v : downloaded(b)) ASSERT_EQ(static_cast<std::uint8_t>(v), 0);
  EXPECT_TRUE(b->guards_intact());
}

TEST_F(GpuRuntime, AFailedAllocationNamesItsBytesAndTheNextOneWorks) {
  inject(Fault::allocation);
  try {
    scratch(12'345);
    FAIL() << "the fault did not strike";
  } catch (const Error& e) {
    EXPECT_EQ(e.reason(), Reason::memory);
    EXPECT_THAT(e.what(), HasSubstr("CL_MEM_OBJECT_ALLOCATION_FAILURE (-4): 12345 bytes"));
  }
  EXPECT_EQ(scratch(12'345)->bytes(), 12'345u);
}

TEST_F(GpuRuntime, MoreThanTheLargestAllocationIsRefusedBeforeItIsTried) {
  const std::uint64_t most = current_device().facts.max_allocation_bytes;
  EXPECT_EQ(reason_of([&] { scratch(most); }), Reason::memory);
  EXPECT_EQ(reason_of([&] { scratch(~std::size_t{0}); }), Reason::memory);
}

TEST_F(GpuRuntime, AFailedBuildIsADeviceErrorAndTheNextOneWorks) {
  const BufferPtr b = scratch(4 * 10);
  inject(Fault::build);
  EXPECT_EQ(reason_of([&] { copy_range(b, 10); }), Reason::device);
  copy_range(b, 10);
  expect_range(b);
}

TEST_F(GpuRuntime, ABuildErrorCarriesTheLog) {
  try {
    (void)Kernel("copy", "copy4", {{"kernel", "no_such_name"}});
    FAIL() << "built";
  } catch (const Error& e) {
    EXPECT_EQ(e.reason(), Reason::device);
    EXPECT_THAT(e.what(), HasSubstr("clBuildProgram: CL_BUILD_PROGRAM_FAILURE (-11): "));
  }
}

TEST_F(GpuRuntime, AFailedLaunchIsADeviceErrorAndTheNextOneWorks) {
  const BufferPtr b = scratch(4 * 10);
  inject(Fault::launch);
  EXPECT_EQ(reason_of([&] { copy_range(b, 10); }), Reason::device);
  copy_range(b, 10);
  expect_range(b);
}

TEST_F(GpuRuntime, UnknownFamiliesAndKernelsAreDeviceErrors) {
  EXPECT_EQ(reason_of([] { Kernel("no such family", "copy4"); }), Reason::device);
  EXPECT_EQ(reason_of([] { Kernel("copy", "no_such_kernel"); }), Reason::device);
}

TEST_F(GpuRuntime, AnOversizedWorkGroupNamesBothSizes) {
  try {
    Kernel("copy", "copy4").run({std::size_t{1} << 24}, {std::size_t{1} << 24});
    FAIL() << "launched";
  } catch (const Error& e) {
    EXPECT_EQ(e.reason(), Reason::device);
    EXPECT_THAT(e.what(), HasSubstr("copy4: a work-group of 16777216 exceeds this kernel's largest, "));
  }
}

TEST_F(GpuRuntime, AZeroSizeLaunchesNothing) { Kernel("copy", "copy4").run({0, 3}); }

TEST_F(GpuRuntime, GlobalSizesNeedNotBeMultiples) {
  for (std::int64_t n : {1, 2, 31, 32, 33, 257, 1009}) {
    const BufferPtr b = scratch(static_cast<std::size_t>(4 * n));
    copy_range(b, n);
    expect_range(b);
    EXPECT_TRUE(b->guards_intact());
  }
}

// A tensor of the layout whose storage holds random bytes.
Tensor scattered(Dtype dtype, const Shape& shape, Layout layout) {
  Case c;
  c.in.push_back(Input{dtype, shape, layout, "zeros"});
  Tensor t = hollow(c).front();
  std::byte* p = t.storage().host_write();
  for (std::size_t i = 0; i < t.storage().bytes(); ++i) p[i] = static_cast<std::byte>(draw(7, i));
  return t;
}

void expect_dense(const Tensor& t, const std::string& what) {
  const std::vector<std::byte> got = downloaded(dense(t));
  const Tensor want = contiguous(t);
  const auto bytes = static_cast<std::size_t>(t.size() * info(t.dtype()).bytes);
  ASSERT_GE(got.size(), bytes) << what;
  const std::byte* expected = want.read<std::byte>();
  EXPECT_TRUE(std::equal(expected, expected + bytes, got.begin())) << what;
}

TEST_F(GpuRuntime, DenseIsContiguousForEveryLayoutAndWidth) {
  const Shape shapes[] = {{}, {1}, {7}, {0, 3}, {5, 1, 3}, {33, 17}, {3, 40, 21}, {2, 1, 3, 2, 2}};
  for (Dtype dtype : {Dtype::u8, Dtype::f16, Dtype::f32, Dtype::c64}) {
    for (const Shape& shape : shapes) {
      for (Layout layout : kLayouts) {
        expect_dense(scattered(dtype, shape, layout), to_string(Spec{dtype, shape}) + " " + std::string(name(layout)));
      }
    }
  }
}

TEST_F(GpuRuntime, DenseTakesAnyStrides) {
  const Tensor t = scattered(Dtype::f32, {4096}, Layout::row);
  expect_dense(t.view({16, 16}, {-1, 16}, 40), "reversed and transposed");
  expect_dense(t.view({2, 20, 30}, {7, 1, 20}), "overlapping planes");
  expect_dense(t.view({3, 4, 5}, {0, 0, 0}, 9), "one element");
  expect_dense(t.view({2, 2, 2, 2, 2, 2, 2, 2}, {1, 2, 4, 8, 16, 32, 64, 128}), "eight axes");
  expect_dense(t.view({2, 2, 2, 2, 2, 2, 2, 2, 2, 2}, {1, 2, 4, 8, 16, 32, 64, 128, 256, 512}), "ten axes");
  expect_dense(t.view({64}, {1}, 100), "row-major, but not from the start");
}

TEST_F(GpuRuntime, ATensorMovesOnlyWhenItsOtherSideIsNewer) {
  const Tensor t(Spec{Dtype::i32, {10}});
  copy_range(output(t), 10);
  for (int i = 0; i < 10; ++i) ASSERT_EQ(t.read<std::int32_t>()[i], i);
  t.write<std::int32_t>()[3] = 42;
  std::int32_t back[10];
  input(t)->download(reinterpret_cast<std::byte*>(back));
  EXPECT_EQ(back[3], 42);
  EXPECT_EQ(back[4], 4);
}

TEST_F(GpuRuntime, ASecondLaunchIsSeenByAReader) {
  const std::vector<Tensor> out = outputs({{Dtype::i32, {4}}});
  const BufferPtr b = output(out[0]);
  int launches = 0;
  const Job j = job(out, [&] { fill_byte(b, static_cast<std::uint8_t>(++launches)); });
  for (int i = 1; i <= 2; ++i) {
    j.launch();
    j.wait();
    EXPECT_EQ(j.fetch()[0].read<std::int32_t>()[0], 0x01010101 * i);
  }
}

// XDG_CACHE_HOME in a folder of its own, put back at the end.
class GpuProgramCache : public GpuRuntime {
 protected:
  void SetUp() override {
    GpuRuntime::SetUp();
    if (const char* old = std::getenv("XDG_CACHE_HOME")) before_ = old;
    folder_ = fs::path(::testing::TempDir()) / ("plumb_cache_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
    setenv("XDG_CACHE_HOME", folder_.c_str(), 1);
    setenv("PLUMB_CACHE", "on", 1);
    forget_programs();
  }
  void TearDown() override {
    if (!folder_.empty()) {
      before_.empty() ? unsetenv("XDG_CACHE_HOME") : setenv("XDG_CACHE_HOME", before_.c_str(), 1);
      std::error_code ignored;
      fs::remove_all(folder_, ignored);
    }
    unsetenv("PLUMB_CACHE");
    forget_programs();
    GpuRuntime::TearDown();
  }
  std::vector<fs::path> files() const {
    if (!fs::exists(folder_ / "plumb")) return {};
    return {fs::directory_iterator(folder_ / "plumb"), fs::directory_iterator()};
  }
  void expect_works() {
    const BufferPtr b = scratch(4 * 50);
    copy_range(b, 50, {"PLUMB_TEST_OF_CACHE"});
    expect_range(b);
    forget_programs();
  }
  fs::path folder_;
  std::string before_;
};

TEST_F(GpuProgramCache, ABuiltProgramIsFoundAgain) {
  expect_works();
  ASSERT_THAT(files(), SizeIs(1));
  const auto written = fs::last_write_time(files()[0]);
  expect_works();
  ASSERT_THAT(files(), SizeIs(1));
  EXPECT_EQ(fs::last_write_time(files()[0]), written);
}

TEST_F(GpuProgramCache, ADamagedEntryIsBuiltAgain) {
  expect_works();
  ASSERT_THAT(files(), SizeIs(1));
  const fs::path file = files()[0];
  const auto size = fs::file_size(file);
  for (std::uintmax_t kept : {std::uintmax_t{0}, std::uintmax_t{10}, size / 2}) {
    fs::resize_file(file, kept);
    expect_works();
    EXPECT_GT(fs::file_size(file), kept) << "cut to " << kept;
    const auto written = fs::last_write_time(file);
    expect_works();
    EXPECT_EQ(fs::last_write_time(file), written) << "found again, cut to " << kept;
  }
  std::fstream(file, std::ios::in | std::ios::out | std::ios::binary)
      .seekp(static_cast<std::streamoff>(size / 2))
      .write("damage", 6);
  expect_works();
}

TEST_F(GpuProgramCache, AFolderThatCannotBeWrittenIsNoFailure) {
  std::ofstream(folder_ / "plumb") << "a file where the folder should be";
  expect_works();
}

// Root may write anywhere; nobody makes a folder in /proc.
TEST_F(GpuProgramCache, APlaceWhereNoFolderCanBeIsNoFailure) {
  setenv("XDG_CACHE_HOME", "/proc/none", 1);
  expect_works();
}

TEST_F(GpuProgramCache, AnEntryThatIsNoFileIsAsGoodAsAbsent) {
  expect_works();
  ASSERT_THAT(files(), SizeIs(1));
  const fs::path file = files()[0];
  const std::function<void()> others[] = {
      [&] { fs::create_directory(file), std::ofstream(file / "within"); },
      [&] { ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0); },
      [&] { fs::create_symlink("/dev/zero", file); },
      [&] { fs::create_symlink("nowhere", file); },
      [&] { fs::create_symlink(file, file); },
  };
  for (const auto& make : others) {
    fs::remove_all(file);
    make();
    expect_works();
  }
}

#ifdef PLUMB_PROGRAM
// Each writes beside under a name of its own: nobody finds half an entry, and nothing is left over.
TEST_F(GpuProgramCache, TwoProcessesMayWriteAtOnce) {
  const std::string one = "'" PLUMB_PROGRAM "' repro 'add/f32.7.row.uniform+f32.7.row.uniform/-@gpu.flat'";
  const std::string out = (folder_ / "out").string();
  const std::string all = "for i in 1 2 3; do { " + one + " || echo FAILED; } >'" + out + "'$i 2>&1 & done; wait";
  EXPECT_EQ(std::system(all.c_str()), 0);
  for (const char* i : {"1", "2", "3"}) {
    std::ifstream in(out + i);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    EXPECT_THAT(text, HasSubstr("1 passed, 0 failed"));
    EXPECT_THAT(text, ::testing::Not(HasSubstr("not kept")));
  }
  EXPECT_FALSE(files().empty());
  for (const fs::path& file : files()) EXPECT_EQ(file.extension(), ".clbin");
}
#endif

TEST_F(GpuProgramCache, IsLeftToADriverThatHasOne) {
  unsetenv("PLUMB_CACHE");
  expect_works();
  EXPECT_THAT(files(), SizeIs(current_device().facts.platform == "Portable Computing Language" ? 0 : 1));
}

TEST_F(GpuProgramCache, IsOffOnRequest) {
  setenv("PLUMB_CACHE", "off", 1);
  expect_works();
  EXPECT_THAT(files(), IsEmpty());
}

}  // namespace
}  // namespace plumb::gpu
#endif
