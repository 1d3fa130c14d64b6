// What must hold between coordinate operations whatever they answer alone: on every route that runs here.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

#include "cli/families.h"
#include "core/device.h"
#include "core/fill.h"
#include "core/route.h"

namespace plumb {
namespace {

using Site = std::array<std::int64_t, 4>;
using Sites = std::vector<Site>;

Tensor tensor_of(const Sites& sites, Dtype t = Dtype::i32) {
  Integers a({std::ssize(sites), 4});
  for (std::size_t i = 0; i < 4 * sites.size(); ++i) a.data[i] = sites[i / 4][i % 4];
  return narrow(a, t);
}

Sites sites_of(const Tensor& t) {
  const Wide wide = widen(t);
  Sites sites(static_cast<std::size_t>(t.dim(0)));
  for (std::size_t i = 0; i < 4 * sites.size(); ++i) sites[i / 4][i % 4] = integers(wide).data[i];
  return sites;
}

std::vector<std::int64_t> column(const Tensor& t) { return integers(widen(t)).data; }
Tensor counted(std::int64_t n) { return tensor(Dtype::i32, {1}, {static_cast<double>(n)}); }

// Runs an op on the first route of one side; the active rows of its outputs.

template <bool device>
std::vector<Tensor> on(std::string_view op, std::vector<Tensor> in, Attrs attrs = {}) {
  const Call call = make_call(op, std::move(in), std::move(attrs));
  for (const Route& r : routes(*call.op))
    if ((r.needs == Tier::gpu) == device && r.name != kReference) return active(call, run(call, r));
  throw std::logic_error("no route");
}

class Coordinates : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    install_families();
    if (GetParam() && current_device().tier == Tier::unavailable) GTEST_SKIP() << "no device";
  }
  static std::vector<Tensor> run(std::string_view op, std::vector<Tensor> in, Attrs attrs = {}) {
    return GetParam() ? on<true>(op, std::move(in), std::move(attrs)) : on<false>(op, std::move(in), std::move(attrs));
  }
  static Sites rows(std::string_view op, std::vector<Tensor> in, Attrs attrs = {}) {
    return sites_of(run(op, std::move(in), std::move(attrs))[0]);
  }
};

const std::string kFills[] = {"sites_negative-1", "sites_duplicates-3", "sites_batches-3", "sites_colliding", "bits"};

Tensor filled(const std::string& name, std::int64_t n, std::uint64_t key) {
  return fill({Dtype::i32, {n, 4}}, name, key);
}

TEST_P(Coordinates, DownsamplingMovesWithMultiplesOfTheStride) {
  for (const std::int64_t stride : {2, 3}) {
    const Attrs attrs{{"stride", std::vector<std::int64_t>{stride}}};
    const Sites sites = sites_of(filled("sites_negative-1", 500, 1));
    Sites moved = sites, expected = rows("downsample_coords", {tensor_of(sites)}, attrs);
    for (Site& c : moved) c = {c[0] + 1, c[1] - 5 * stride, c[2] + 7 * stride, c[3] - stride};
    for (Site& c : expected) c = {c[0] + 1, c[1] - 5, c[2] + 7, c[3] - 1};
    EXPECT_EQ(rows("downsample_coords", {tensor_of(moved)}, attrs), expected);
  }
}

// A far site crosses every extent of 2^31, and must not change what becomes of the others.
TEST_P(Coordinates, AFarSiteChangesNoOther) {
  Sites sites = sites_of(filled("sites_negative", 300, 2));
  Sites expected = rows("downsample_coords", {tensor_of(sites, Dtype::i64)});
  for (const std::int64_t far : {std::int64_t{1} << 31, -(std::int64_t{1} << 32) - 2, std::int64_t{1} << 62}) {
    sites.push_back({0, far, 0, -far});
    expected.push_back({0, far / 2, 0, -far / 2});
    EXPECT_EQ(rows("downsample_coords", {tensor_of(sites, Dtype::i64)}), expected);
  }
}

TEST_P(Coordinates, DistinctRowsAndTheirMapGiveTheInputBack) {
  for (const std::string& f : kFills)
    for (const std::int64_t n : {0, 1, 300}) {
      const Tensor all = filled(f, n, 3);
      const Tensor distinct = run("unique_coords", {all})[0];
      Sites back;
      for (const std::int64_t row : column(run("inverse_map", {distinct, all})[0]))
        back.push_back(sites_of(distinct).at(static_cast<std::size_t>(row)));
      EXPECT_EQ(back, sites_of(all)) << f;
    }
}

TEST_P(Coordinates, UnionAndIntersectionHaveTheSizesOfSets) {
  for (const std::string& f : kFills) {
    const Tensor a = filled(f, 300, 4), b = filled(f, 170, 5);
    const Sites both = rows("union_coords", {a, b}), common = rows("intersection_coords", {a, b});
    EXPECT_EQ(both.size() + common.size(), rows("unique_coords", {a}).size() + rows("unique_coords", {b}).size()) << f;
    Sites again = rows("union_coords", {b, a});
    EXPECT_TRUE(std::is_permutation(both.begin(), both.end(), again.begin(), again.end())) << f;
  }
}

TEST_P(Coordinates, ExpandingTheOccupancyGivesTheChildrenBack) {
  for (const std::string& f : kFills) {
    const Tensor all = filled(f, 300, 6);
    const std::vector<Tensor> down = run("occupancy_downsample", {all, counted(300)});
    const std::vector<Tensor> up = run("occupancy_expand", {down[0], counted(down[0].dim(0)), down[2]});
    const Sites children = sites_of(up[0]), in = sites_of(all);
    EXPECT_EQ(std::set(children.begin(), children.end()), std::set(in.begin(), in.end())) << f;
    EXPECT_EQ(children.size(), std::set(in.begin(), in.end()).size()) << f;
  }
}

TEST_P(Coordinates, MortonOrderSortsTheCodesStably) {
  for (const std::string& f : kFills) {
    const Tensor all = filled(f, 300, 7);
    const std::vector<Tensor> sorted = run("morton_sort_coords", {all});
    const std::vector<std::int64_t> codes = column(run("morton_codes", {sorted[0]})[0]), order = column(sorted[1]);
    const std::vector<std::int64_t> inverse = column(sorted[2]);
    EXPECT_TRUE(std::is_sorted(codes.begin(), codes.end())) << f;
    for (std::size_t i = 0; i < order.size(); ++i) {
      EXPECT_EQ(inverse[static_cast<std::size_t>(order[i])], static_cast<std::int64_t>(i));
      if (i > 0 && codes[i] == codes[i - 1]) {
        EXPECT_LT(order[i - 1], order[i]);
      }
    }
  }
}

TEST_P(Coordinates, JoinsMirrorEachOther) {
  const Tensor a = filled("sites_duplicates-3", 200, 8), b = filled("sites_duplicates-2", 150, 9);
  const auto join = [&](const char* kind, const Tensor& l, const Tensor& r) {
    return run("sparse_alignment", {l, counted(l.dim(0)), r, counted(r.dim(0))}, {{"join", kind}});
  };
  const std::vector<Tensor> left = join("left", a, b), right = join("right", b, a);
  EXPECT_EQ(sites_of(left[0]), sites_of(right[0]));
  EXPECT_EQ(column(left[2]), column(right[3]));
  EXPECT_EQ(column(left[3]), column(right[2]));
  const std::vector<std::int64_t> matches = column(left[3]);
  const std::int64_t met = std::count_if(matches.begin(), matches.end(), [](std::int64_t r) { return r >= 0; });
  EXPECT_EQ(join("inner", a, b)[0].dim(0), met);
}

INSTANTIATE_TEST_SUITE_P(Sides, Coordinates, testing::Bool(),
                         [](const auto& side) { return side.param ? "Device" : "Processor"; });

}  // namespace
}  // namespace plumb
