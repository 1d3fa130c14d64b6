// The conventions of sparse kernels against tables written by hand, on the oracle and on every route: which kernel row
// lies where, where an even kernel looks, what a stride does to negative coordinates and to windows that do not
// overlap.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <numeric>

#include "cli/families.h"
#include "core/route.h"

namespace plumb {
namespace {

using Position = std::array<int, 3>;
using Values = std::map<Position, double>;
using List = std::vector<std::int64_t>;

class Impulse : public testing::Test {
 protected:
  static void SetUpTestSuite() { install_families(); }
};

// Where the kernel rows of one axis look, by width: odd ones about the centre, even ones forward.
const std::vector<int> kCentred[] = {{}, {0}, {0, 1}, {-1, 0, 1}, {0, 1, 2, 3}, {-2, -1, 0, 1, 2}};
const std::vector<int> kIndexed[] = {{}, {0}, {0, 1}, {0, 1, 2}, {0, 1, 2, 3}, {0, 1, 2, 3, 4}};

// Positions in the order of kernel rows: the last axis changes quickest.
std::vector<Position> table(const std::vector<int> (&axis)[6], const List& size) {
  std::vector<Position> rows;
  for (const int x : axis[size[0]])
    for (const int y : axis[size[1]])
      for (const int z : axis[size[2]]) rows.push_back({x, y, z});
  return rows;
}

Tensor sites(const std::vector<Position>& positions) {
  std::vector<double> v;
  for (const Position& p : positions) v.insert(v.end(), {0, double(p[0]), double(p[1]), double(p[2])});
  return tensor(Dtype::i32, {std::ssize(positions), 4}, v);
}

Tensor count_of(std::int64_t n) { return tensor(Dtype::i32, {1}, {static_cast<double>(n)}); }

struct Answer {
  std::string route;
  std::vector<Tensor> out;
};

// What the oracle and every route that can run here make of a call.
std::vector<Answer> answers(std::string_view op, const std::vector<Tensor>& in, const Attrs& attrs) {
  const Call call = make_call(op, in, attrs);
  std::vector<Answer> all;
  for (const Route& r : routes(*call.op))
    if (refusal(r, call, current_device()).empty()) all.push_back({std::string(r.name), active(call, run(call, r))});
  EXPECT_GE(all.size(), 2U);
  return all;
}

// The values at each site of (out_coords, features), summed where a site repeats; zeros are no entries.
Values values_of(const std::vector<Tensor>& out) {
  const Wide coords = widen(contiguous(out[0])), features = widen(contiguous(out[1]));
  Values v;
  for (std::int64_t o = 0; o < out[0].dim(0); ++o) {
    const auto at = [&](int a) { return static_cast<int>(integers(coords)[4 * o + a]); };
    if (const double x = reals(features)[o]; x != 0) v[{at(1), at(2), at(3)}] += x;
  }
  return v;
}

// Weight row r holds r + 1; one channel in and out.
Tensor counting_weights(std::int64_t kernels) {
  std::vector<double> w(static_cast<std::size_t>(kernels));
  std::iota(w.begin(), w.end(), 1);
  return tensor(Dtype::f16, {kernels, 1, 1}, w);
}
Tensor features(const std::vector<double>& v) { return tensor(Dtype::f16, {std::ssize(v), 1}, v); }
Tensor ones(std::int64_t kernels) {
  return tensor(Dtype::f16, {kernels, 1, 1}, std::vector<double>(static_cast<std::size_t>(kernels), 1));
}

void expect_values(const char* op, const std::vector<Tensor>& in, const Attrs& attrs, const Values& want) {
  for (const Answer& a : answers(op, in, attrs))
    EXPECT_EQ(values_of(a.out), want) << op << "@" << a.route << " " << to_string(attrs);
}

std::vector<List> sizes() {
  std::vector<List> all;
  for (const std::int64_t x : {1, 2, 3, 4, 5})
    for (const std::int64_t y : {1, 2, 3, 4, 5})
      for (const std::int64_t z : {1, 2, 3, 4, 5}) all.push_back({x, y, z});
  return all;
}

constexpr Position kSource{3, -7, 11};

// A target t meets the source under the kernel row whose position is source - t.
TEST_F(Impulse, ForwardKernelRowsLookWhereTheTableSays) {
  std::vector<Position> targets;
  for (int x = -5; x <= 3; ++x)
    for (int y = -5; y <= 3; ++y)
      for (int z = -5; z <= 3; ++z) targets.push_back({kSource[0] + x, kSource[1] + y, kSource[2] + z});
  const Tensor target_sites = sites(targets), target_count = count_of(std::ssize(targets));
  for (const List& size : sizes()) {
    const std::vector<Position> rows = table(kCentred, size);
    Values want, own;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      want[{kSource[0] - rows[r][0], kSource[1] - rows[r][1], kSource[2] - rows[r][2]}] = static_cast<double>(r + 1);
      if (rows[r] == Position{0, 0, 0}) own[kSource] = static_cast<double>(r + 1);
    }
    const std::vector<Tensor> in{sites({kSource}), count_of(1), features({1}), counting_weights(std::ssize(rows))};
    expect_values("conv3d", in, {{"kernel_size", size}}, own);
    std::vector<Tensor> targeted = in;
    targeted.insert(targeted.end(), {Tensor(), target_sites, target_count});
    expect_values("conv3d", targeted, {{"kernel_size", size}}, want);
  }
}

TEST_F(Impulse, ScatteringKernelRowsReachWhereTheTableSays) {
  for (const List& size : sizes())
    for (const std::int64_t stride : {1, 2}) {
      const std::vector<Position> rows = table(kIndexed, size);
      const auto s = static_cast<int>(stride);
      Values want;
      for (std::size_t r = 0; r < rows.size(); ++r)
        want[{s * kSource[0] + rows[r][0], s * kSource[1] + rows[r][1], s * kSource[2] + rows[r][2]}] =
            static_cast<double>(r + 1);
      const std::vector<Tensor> in{sites({kSource}), count_of(1), features({1}), counting_weights(std::ssize(rows))};
      const Attrs attrs{{"kernel_size", size}, {"stride", List{stride}}};
      expect_values("generative_conv_transpose3d", in, attrs, want);
      if (stride == 1) expect_values("conv_transpose3d", in, attrs, want);
    }
}

TEST_F(Impulse, OffsetsAreTheTable) {
  for (const List& size : sizes())
    for (const char* op : {"kernel_offsets", "indexed_kernel_offsets"})
      for (const Answer& a : answers(op, {}, {{"kernel_size", size}})) {
        const std::vector<Position> want =
            op == std::string_view("kernel_offsets") ? table(kCentred, size) : table(kIndexed, size);
        const auto* got = a.out[0].read<std::int32_t>();
        for (std::size_t r = 0; r < want.size(); ++r)
          for (std::size_t axis = 0; axis < 3; ++axis)
            ASSERT_EQ(got[3 * r + axis], want[r][axis]) << op << "@" << a.route;
      }
}

// A kernel of ones over values 1, 2, 3: each output is the sum of what lies under the kernel, on the side it looks to.
TEST_F(Impulse, AnEvenKernelPutsResultsOnTheRightSide) {
  const std::vector<Tensor> in{sites({{0, 0, 0}, {0, 1, 0}, {1, 0, 0}}), count_of(3), features({1, 2, 3}), ones(4)};
  const Attrs attrs{{"kernel_size", List{2, 2, 1}}, {"stride", List{1}}};
  const Values reached{{{0, 0, 0}, 1}, {{0, 1, 0}, 3}, {{1, 0, 0}, 4}, {{1, 1, 0}, 6},
                       {{0, 2, 0}, 2}, {{1, 2, 0}, 2}, {{2, 0, 0}, 3}, {{2, 1, 0}, 3}};
  expect_values("conv_transpose3d", in, attrs, reached);
  expect_values("generative_conv_transpose3d", in, attrs, reached);
  expect_values("conv3d", in, attrs, {{{0, 0, 0}, 6}, {{0, 1, 0}, 2}, {{1, 0, 0}, 3}});
}

// Width 4 looks at 0..3, not at -1..2.
TEST_F(Impulse, WidthFourLooksForward) {
  std::vector<Position> line;
  for (int x = -2; x <= 3; ++x) line.push_back({x, 0, 0});
  const std::vector<Tensor> in{sites(line), count_of(6), features({1, 2, 4, 8, 16, 32}), ones(4)};
  expect_values(
      "conv3d", in, {{"kernel_size", List{4, 1, 1}}},
      {{{-2, 0, 0}, 15}, {{-1, 0, 0}, 30}, {{0, 0, 0}, 60}, {{1, 0, 0}, 56}, {{2, 0, 0}, 48}, {{3, 0, 0}, 32}});
}

// Edges of a forward relation as input -> how many.
std::map<int, int> used_inputs(const std::vector<Tensor>& relation) {
  std::map<int, int> used;
  for (std::int64_t e = 0; e < relation[0].dim(0); ++e) ++used[relation[0].read<std::int32_t>()[e]];
  return used;
}

// Windows of two that step by two take every input once. Windows of three are centred, but their outputs are floored:
// a site that is 2 modulo 3 lies in the window of the next output, and is dropped where that does not exist.
TEST_F(Impulse, AStrideOfTheKernelsWidthDropsInputsOfCentredWindowsOnly) {
  std::vector<Position> line;
  for (int x = -6; x <= 5; ++x) line.push_back({x, 0, 0});
  for (const int width : {2, 3})
    for (const Answer& a : answers("forward_relation", {sites(line), count_of(12)},
                                   {{"kernel_size", List{width, 1, 1}}, {"stride", List{width, 1, 1}}})) {
      const std::map<int, int> used = used_inputs(a.out);
      for (int x = -6; x <= 5; ++x)
        EXPECT_EQ(used.count(x + 6) ? used.at(x + 6) : 0, width == 3 && x == 5 ? 0 : 1)
            << a.route << " width " << width << " at " << x;
    }
  for (const Answer& a : answers("forward_relation", {sites({{5, 5, 0}}), count_of(1)},
                                 {{"kernel_size", List{3, 3, 1}}, {"stride", List{3, 3, 1}}})) {
    EXPECT_EQ(a.out[3].read<std::int32_t>()[0], 0) << a.route;
    EXPECT_EQ(a.out[3].read<std::int32_t>()[1], 1) << a.route;
  }
}

// Sites of a relation's outputs along x.
std::vector<int> outputs_along_x(const std::vector<Tensor>& relation) {
  std::vector<int> x;
  for (std::int64_t o = 0; o < relation[5].dim(0); ++o) x.push_back(relation[5].read<std::int32_t>()[4 * o + 1]);
  return x;
}

TEST_F(Impulse, StridesFloor) {
  std::vector<Position> line, moved;
  for (int x = -5; x <= 5; ++x) line.push_back({x, 0, 0}), moved.push_back({x - 20, 0, 0});
  const std::vector<int> halves{-3, -2, -1, 0, 1, 2}, thirds{-2, -1, 0, 1};
  for (const auto& [stride, want] : {std::pair{2, halves}, std::pair{3, thirds}})
    for (const Answer& a : answers("forward_relation", {sites(line), count_of(11)},
                                   {{"kernel_size", List{1}}, {"stride", List{stride, 1, 1}}}))
      EXPECT_EQ(outputs_along_x(a.out), want) << a.route;
  std::vector<int> lower = halves;
  for (int& x : lower) x -= 10;
  for (const Answer& a :
       answers("forward_relation", {sites(moved), count_of(11)}, {{"kernel_size", List{1}}, {"stride", List{2, 1, 1}}}))
    EXPECT_EQ(outputs_along_x(a.out), lower) << a.route;
}

// Rows of a map beyond its outputs are specified: no input, no bits.
TEST_F(Impulse, MapsEndInEmptyRows) {
  std::vector<Position> line;
  for (int x = 0; x < 20; ++x) line.push_back({x, 0, 0});
  const Call call = make_call("forward_map", {sites(line), count_of(13)},
                              {{"kernel_size", List{3, 1, 11}}, {"stride", List{2, 1, 1}}});
  for (const Route& r : routes(*call.op)) {
    if (!refusal(r, call, current_device()).empty()) continue;
    const MemoryWatch watch;  // poisons what is not written
    const std::vector<Tensor> out = run(call, r);
    EXPECT_EQ(out[2].read<std::int32_t>()[1], 7);
    for (std::int64_t i = 7 * 33; i < out[0].size(); ++i) ASSERT_EQ(out[0].read<std::int32_t>()[i], -1) << r.name;
    for (std::int64_t i = 7 * 2; i < out[1].size(); ++i) ASSERT_EQ(out[1].read<std::int32_t>()[i], 0) << r.name;
  }
}

}  // namespace
}  // namespace plumb
