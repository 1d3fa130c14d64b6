// What the machine can do is measured where there is room for it, and a ceiling for which there is none costs no other.
#include "bench/ceilings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>

#include "core/pool.h"

namespace plumb {
namespace {

// While it lives the process may map so many bytes beyond those that it has.
class Room {
 public:
  explicit Room(std::uint64_t bytes) {
    getrlimit(RLIMIT_AS, &before_);
    long pages = 0;
    if (FILE* file = std::fopen("/proc/self/statm", "r")) {
      EXPECT_EQ(std::fscanf(file, "%ld", &pages), 1);
      std::fclose(file);
    }
    rlimit now = before_;
    now.rlim_cur = static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) + bytes;
    EXPECT_EQ(setrlimit(RLIMIT_AS, &now), 0);
  }
  ~Room() { setrlimit(RLIMIT_AS, &before_); }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

 private:
  rlimit before_{};
};

TEST(Ceilings, OneThatCannotBeMeasuredSaysWhyAndTheOthersStand) {
  set_threads(1);
  Ceilings all;
  {
    const Room room(64 << 20);
    EXPECT_EQ(all.bytes(false, 1e9, 1).value, 0);
    EXPECT_GT(all.bytes(false, 1e4, 1).value, 0);
    EXPECT_GT(all.flops(false, false, Dtype::f32, 1).value, 0);
  }
  EXPECT_THAT(all.bytes(false, 1e9, 1).null_reason, ::testing::HasSubstr("memory: cannot allocate 1073741824 bytes"));
  EXPECT_EQ(all.bytes(false, 1e4, 1).null_reason, "");
  EXPECT_EQ(all.measured().size(), 3U);
}

TEST(Ceilings, AFailedSecondMeasurementTakesNothingAway) {
  set_threads(1);
  Ceilings all;
  const double before = all.bytes(false, 1e4, 1).value;
  all.take_over({{"copy_1048576KiB", "host", 1, 5, "bytes/s"}});
  const Room room(64 << 20);
  all.again(false, false, Dtype::f32, 1.2e9, 1);
  EXPECT_EQ(all.bytes(false, 1e9, 1).value, 5);
  EXPECT_EQ(all.bytes(false, 1e9, 1).null_reason, "");
  EXPECT_EQ(all.bytes(false, 1e4, 1).value, before);
}

// Two threads that shared one core when they were measured, and one that had it alone.
TEST(Ceilings, SeveralThreadsMeasuredAgainReachWhatEachDoesAlone) {
  const auto rate = [](int threads) { return threads == 1 ? 8.0 : 9.0; };
  EXPECT_EQ(rate_of_threads(rate, 2, Trial::first), 9);
  EXPECT_EQ(rate_of_threads(rate, 2, Trial::again), 16);
  EXPECT_EQ(rate_of_threads(rate, 1, Trial::again), 8);
  EXPECT_EQ(rate_of_threads([](int threads) { return 8.0 + 20 * threads; }, 2, Trial::again), 56);
}

}  // namespace
}  // namespace plumb
