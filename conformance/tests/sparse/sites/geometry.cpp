// The geometries that benchmarks run on are what they are said to be.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "core/fill.h"
#include "core/op.h"
#include "core/route.h"

namespace plumb {
namespace {

using Site = std::array<std::int32_t, 4>;

std::vector<Site> sites(const std::string& name, std::int64_t n) {
  const Tensor t = fill({Dtype::i32, {n, 4}}, name, 1);
  std::vector<Site> s(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < s.size(); ++i) std::copy_n(t.read<std::int32_t>() + 4 * i, 4, s[i].begin());
  return s;
}

// Edges per row of a kernel of 3x3x3.
double neighbours(const std::string& name, std::int64_t n) {
  const Tensor coords = fill({Dtype::i32, {n, 4}}, name, 1), active = tensor(Dtype::i32, {1}, {static_cast<double>(n)});
  const std::vector<Tensor> out = run(make_call("submanifold_relation", {coords, active}));
  return static_cast<double>(out[3].read<std::int32_t>()[0]) / static_cast<double>(n);
}

constexpr std::int64_t kVoxels[] = {170232, 57809, 14965};  // conformance/geometry/README.md

TEST(Scan, IsOneSurfaceAtEveryResolution) {
  for (int level = 0; level < 3; ++level) {
    const std::int64_t n = kVoxels[level];
    const std::vector<Site> s = sites("sites_scan-" + std::to_string(level), n + 1);
    const std::set<Site> distinct(s.begin(), s.end() - 1);
    EXPECT_EQ(std::ssize(distinct), n);
    EXPECT_EQ(s.back()[0], 1) << "a row more begins the next batch";
    EXPECT_EQ(s[static_cast<std::size_t>(n) - 1][0], 0);
    if (level == 2) continue;
    std::set<Site> parents;
    for (const Site& c : distinct) parents.insert({c[0], c[1] >> 1, c[2] >> 1, c[3] >> 1});
    const std::vector<Site> coarse = sites("sites_scan-" + std::to_string(level + 1), kVoxels[level + 1]);
    EXPECT_EQ(parents, std::set<Site>(coarse.begin(), coarse.end()));
  }
}

// Sums and extremes of each axis, from the script that made the file.
TEST(Scan, LiesWhereTheScriptPutIt) {
  std::array<std::int64_t, 3> sum{}, low{}, high{};
  for (const Site& s : sites("sites_scan", kVoxels[0]))
    for (std::size_t a = 0; a < 3; ++a) {
      sum[a] += s[a + 1];
      low[a] = std::min<std::int64_t>(low[a], s[a + 1]);
      high[a] = std::max<std::int64_t>(high[a], s[a + 1]);
    }
  EXPECT_EQ(sum, (std::array<std::int64_t, 3>{-5106960, -2650011, -7192862}));
  EXPECT_EQ(low, (std::array<std::int64_t, 3>{-97, -98, -126}));
  EXPECT_EQ(high, (std::array<std::int64_t, 3>{37, 76, 23}));
}

TEST(Scan, HasTheDensityOfASurface) {
  EXPECT_NEAR(neighbours("sites_scan-0", kVoxels[0]), 9.64, 0.1);
  EXPECT_NEAR(neighbours("sites_scan-1", kVoxels[1]), 14.34, 0.1);
  EXPECT_NEAR(neighbours("sites_scan-2", kVoxels[2]), 18.20, 0.1);
  EXPECT_NEAR(neighbours("sites_surface", 100000), 12.7, 0.2);
}

TEST(Layouts, HaveTheDensityThatIsSaid) {
  EXPECT_EQ(neighbours("layout_isolated", 5000), 1);
  EXPECT_NEAR(neighbours("layout_line", 5000), 3, 0.001);
  EXPECT_NEAR(neighbours("layout_plane", 90000), 9, 0.1);
  EXPECT_NEAR(neighbours("layout_grid-30", 27000), std::pow(88.0 / 30, 3), 1e-9);
  for (const std::int64_t s : {2, 3, 4, 8}) {
    const double side = static_cast<double>(s), expected = std::pow((3 * side - 2) / side, 3);
    EXPECT_NEAR(neighbours("layout_block-" + std::to_string(s), 16 * s * s * s), expected, 1e-9) << s;
  }
}

TEST(Layouts, StandInOrder) {
  EXPECT_EQ(sites("layout_isolated", 3), (std::vector<Site>{{0, 0, 0, 0}, {0, 3, 0, 0}, {0, 6, 0, 0}}));
  EXPECT_EQ(sites("layout_plane", 4)[2], (Site{0, 0, 1, 0}));
  EXPECT_EQ(sites("layout_grid", 97 * 97 + 1).back(), (Site{0, 0, 0, 1}));
  EXPECT_EQ(sites("layout_block-2", 10)[9], (Site{0, 6, 0, 0})) << "the second cube, three empty cells on";
}

}  // namespace
}  // namespace plumb
