#include "core/pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace plumb {
namespace {

TEST(Pool, CoversEveryIndexOnce) {
  const int before = threads();
  for (const int t : {1, 2, 3, 7}) {
    set_threads(t);
    for (const std::int64_t n : {0, 1, 2, 5, 1000}) {
      std::vector<std::atomic<int>> seen(static_cast<std::size_t>(n));
      parallel_for(n, 1, [&](std::int64_t b, std::int64_t e) {
        for (std::int64_t i = b; i < e; ++i) ++seen[static_cast<std::size_t>(i)];
      });
      parallel_each(n, [&](std::int64_t i) { ++seen[static_cast<std::size_t>(i)]; });
      for (const auto& s : seen) EXPECT_EQ(s, 2);
    }
  }
  set_threads(before);
}

TEST(Pool, NestedCallsAndExceptionsReturn) {
  std::atomic<int> inner{0};
  parallel_each(8, [&](std::int64_t) {
    parallel_for(10, 1, [&](std::int64_t b, std::int64_t e) { inner += static_cast<int>(e - b); });
  });
  EXPECT_EQ(inner, 80);
  EXPECT_THROW(parallel_each(8,
                             [](std::int64_t i) {
                               if (i == 5) throw std::runtime_error("five");
                             }),
               std::runtime_error);
  EXPECT_NO_THROW(parallel_each(8, [](std::int64_t) {}));
  EXPECT_THROW(set_threads(0), std::invalid_argument);
}

TEST(Pool, SurvivesManySmallRegions) {
  std::atomic<std::int64_t> sum{0};
  for (int i = 0; i < 20000; ++i) parallel_for(2, 1, [&](std::int64_t b, std::int64_t e) { sum += e - b; });
  EXPECT_EQ(sum, 40000);
}

}  // namespace
}  // namespace plumb
