// The depth of an order and the bounds that follow from it by worked examples, each part of the sum by itself, and the
// words for an order.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/tolerance.h"

namespace plumb {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

Order lanes(std::int64_t n) {
  Order o;
  o.shape = Order::Shape::lanes, o.lanes = n;
  return o;
}

Order pairwise() {
  Order o;
  o.shape = Order::Shape::pairwise;
  return o;
}

TEST(OrderDepth, OfNothingIsZeroAndOfOneTermIsItsOwnPath) {
  EXPECT_EQ(Order{}.depth(0), 0);
  EXPECT_EQ(Order{}.depth(-1), 0);
  EXPECT_EQ(Order{}.depth(1), 1);
  EXPECT_EQ(pairwise().depth(1), 1);
  EXPECT_EQ(lanes(1).depth(1), 1);
  EXPECT_EQ(lanes(8).depth(1), 1 + 3);
  Order o;
  o.shape = Order::Shape::exact, o.prologue = 5;
  EXPECT_EQ(o.depth(100), 0);
  o.shape = Order::Shape::sequential;
  EXPECT_EQ(o.depth(0), 0);
  EXPECT_EQ(o.depth(1), 1 + 5);
}

TEST(OrderDepth, TreesHaveTheCeilingOfTheLogarithm) {
  const std::pair<std::int64_t, std::int64_t> known[] = {{1, 1}, {2, 2}, {3, 3}, {4, 3},
                                                         {5, 4}, {8, 4}, {9, 5}, {1025, 12}};
  for (const auto& [n, depth] : known) EXPECT_EQ(pairwise().depth(n), depth) << n;
}

TEST(OrderDepth, LanesShareTheTermsAndMeetInATree) {
  EXPECT_EQ(lanes(4).depth(8), 2 + 2);
  EXPECT_EQ(lanes(4).depth(9), 3 + 2);
  EXPECT_EQ(lanes(4).depth(7), 2 + 2);
  EXPECT_EQ(lanes(3).depth(9), 3 + 2);
}

TEST(OrderDepth, BlocksAndChunksAreJoinedInSequenceOrByTrees) {
  Order o;
  o.block = 10;
  EXPECT_EQ(o.depth(100), 10 + 9);
  EXPECT_EQ(o.depth(101), 10 + 10);
  EXPECT_EQ(o.depth(7), 7);
  o.split = 5;  // chunks of 20 in blocks of 10
  EXPECT_EQ(o.depth(100), 10 + 1 + 4);
  o.tree = true;
  EXPECT_EQ(o.depth(100), 10 + 1 + 3);
  o.block = 1;
  EXPECT_EQ(o.depth(100), 1 + 5 + 3);
  o.block = 0;
  EXPECT_EQ(o.depth(100), 20 + 3);
  o.split = 0;  // as one chunk
  EXPECT_EQ(o.depth(100), 100);
  o.tree = false;
  EXPECT_EQ(o.depth(100), 100);
  o.split = 2, o.prologue = 7, o.epilogue = 30;
  EXPECT_EQ(o.depth(100), 50 + 1 + 7 + 30);
}

TEST(OrderRoundoff, DoublesWhereAddersTruncate) {
  Order o;
  EXPECT_EQ(o.accumulator_roundoff(), 0x1p-24);
  o.truncating = true;
  EXPECT_EQ(o.accumulator_roundoff(), 0x1p-23);
  o.accumulator = Dtype::f64;
  EXPECT_EQ(o.accumulator_roundoff(), 0x1p-52);
}

TEST(OrderOracle, IsExactAndRoundsOnce) {
  const Order o = Order::oracle();
  EXPECT_EQ(o.shape, Order::Shape::exact);
  EXPECT_EQ(o.accumulator, Dtype::f64);
  EXPECT_EQ(o.function_ulps, 1);
  EXPECT_EQ(o.epilogue, 1);
}

TEST(OrderWords, SayWhatIsDeclaredAndNothingElse) {
  Order o;
  EXPECT_EQ(to_string(o), "sequential, f32");
  o.fma = true;
  EXPECT_EQ(to_string(o), "sequential, f32 fma");
  o.block = 1;
  EXPECT_EQ(to_string(o), "sequential, blocks of 1, f32 fma");
  o.tree = true;
  EXPECT_EQ(to_string(o), "sequential, blocks of 1 joined by a tree, f32 fma");
  o.block = 0, o.split = 2;
  EXPECT_EQ(to_string(o), "sequential, split 2 joined by a tree, f32 fma");
  o.split = 1;
  EXPECT_EQ(to_string(o), "sequential, f32 fma");
  Order all = lanes(16);
  all.truncating = true, all.input_rounding = Dtype::bf16, all.partial = Dtype::f16;
  EXPECT_EQ(to_string(all), "lanes 16, f32, truncating, inputs rounded to bf16, partial sums in f16");
  EXPECT_EQ(to_string(pairwise()), "pairwise, f32");
  Order none;
  none.shape = Order::Shape::exact, none.split = 3;
  EXPECT_EQ(to_string(none), "exact");
}

TEST(Overflow, IsPossibleBeyondTheLargestNumberOfAnyStage) {
  Order o;
  const double max = info(Dtype::f32).max;
  EXPECT_FALSE(may_overflow(max / (1 + gamma(3, 0x1p-24)) * (1 - 0x1p-50), 3, o));
  EXPECT_TRUE(may_overflow(max, 3, o));
  o.partial = Dtype::f16;
  EXPECT_TRUE(may_overflow(65504, 3, o));
  EXPECT_FALSE(may_overflow(65000, 3, o));
  o.partial = Dtype::f64;
  EXPECT_FALSE(may_overflow(1e38, 3, o));
  EXPECT_TRUE(may_overflow(1e39, 3, o));
  o.shape = Order::Shape::exact;
  EXPECT_FALSE(may_overflow(1e39, 3, o));
}

TEST(Gamma, HasAValueBelowOneHalf) {
  EXPECT_EQ(gamma(1, 0.25), 0.25 / 0.75);
  EXPECT_EQ(gamma(1, 0.5), kInf);
  EXPECT_EQ(gamma(2, 0.25), kInf);
  EXPECT_EQ(gamma(0, 0.25), 0);
}

TEST(AccumulateBound, HasOneTermForEachRounding) {
  Order o;
  const double u = 0x1p-24, eta = 0x1p-149, g = gamma(4, u), denormal = 0x1p-1074;
  EXPECT_DOUBLE_EQ(accumulate_bound(3, 2, 4, o, Dtype::f32, 0), 2 * g);
  EXPECT_DOUBLE_EQ(accumulate_bound(3, 2, 4, o, Dtype::f64, 0), 2 * g);
  EXPECT_DOUBLE_EQ(accumulate_bound(3, 2, 4, o, Dtype::f32, 0x1p-20), 2 * g + 2 * gamma(5, 0x1p-20));
  EXPECT_DOUBLE_EQ(accumulate_bound(-3, 2, 4, o, Dtype::f16, 0), 2 * g + 0x1p-11 * (3 + 2 * g) + 0x1p-25);
  EXPECT_DOUBLE_EQ(accumulate_bound(0, 0, 4, o, Dtype::f16, 0), 0x1p-25);
  EXPECT_DOUBLE_EQ(accumulate_bound(0, 0, 4, o, Dtype::f32, 0), 4 * eta / 2 * (1 + g));
  o.prologue = 2, o.epilogue = 3;
  EXPECT_DOUBLE_EQ(accumulate_bound(0, 0, 4, o, Dtype::f32, 0), (4 * 3 + 3) * eta / 2 * (1 + gamma(9, u)));
  EXPECT_DOUBLE_EQ(accumulate_bound(0, 2, 4, o, Dtype::f32, 0), 2 * gamma(9, u));
  o.partial = Dtype::f16;
  EXPECT_DOUBLE_EQ(accumulate_bound(0, 0, 4, o, Dtype::f32, 0), 4 * 0x1p-25 * (1 + gamma(9, u)));
  EXPECT_DOUBLE_EQ(accumulate_bound(0, 2, 4, o, Dtype::f32, 0),
                   2 * gamma(9, u) + 0x1p-11 * (2 + 2 * gamma(9, u)) + 4 * 0x1p-25 * (1 + gamma(9, u)));
  o = {};
  o.accumulator = Dtype::f64;
  EXPECT_EQ(accumulate_bound(0, 0, 4, o, Dtype::f64, 0), 2 * denormal + 4 * denormal);
  EXPECT_DOUBLE_EQ(accumulate_bound(3, 2, 4, o, Dtype::f32, 0), 2 * gamma(4, 0x1p-53) + u * 3);
}

TEST(AccumulateBound, CountsTheRoundingOfInputsAndOfOracles) {
  Order o;
  o.input_rounding = Dtype::bf16;
  const double u = 0x1p-8, g = gamma(4, 0x1p-24);
  EXPECT_DOUBLE_EQ(accumulate_bound(0, 2, 4, o, Dtype::f32, 0), 2 * g + (2 * u + u * u) * (1 + g) * 2);
  o = {};
  o.shape = Order::Shape::exact;
  EXPECT_DOUBLE_EQ(accumulate_bound(3, 2, 4, o, Dtype::f32, 0), 0x1p-24 * 3);
  o.accumulator = Dtype::f16;
  EXPECT_EQ(accumulate_bound(0, 0, 3, o, Dtype::f64, 0), 3 * 0x1p-1074);
  o = {};
  o.accumulator = Dtype::f16;
  EXPECT_EQ(accumulate_bound(1, 1, 2048, o, Dtype::f16, 0), kInf);
  EXPECT_EQ(accumulate_bound(0, 0, 2048, o, Dtype::f16, 0), kInf);
}

TEST(AccumulateBound, OfAnInfiniteMagnitudeIsFinite) {
  const double g = gamma(4, 0x1p-24), most = std::numeric_limits<double>::max();
  EXPECT_DOUBLE_EQ(accumulate_bound(1, kInf, 4, {}, Dtype::f32, 0), g * 8 * most);
  EXPECT_DOUBLE_EQ(accumulate_bound(1, kInf, 4, {}, Dtype::f32, 0x1p-20), (g + gamma(5, 0x1p-20)) * 8 * most);
}

TEST(NormwiseBound, GrowsWithLevelsAndEndsAtOne) {
  Order o;
  o.levels = 3, o.twiddle_error = 0x1p-20, o.amplification = 5;
  const double e = 0x1p-20 + gamma(4, 0x1p-24) * (std::sqrt(2.0) + 0x1p-20);
  EXPECT_DOUBLE_EQ(normwise_bound(o), 5 * (3 * e / (1 - 3 * e)));
  o.twiddle_error = 0.5, o.levels = 1, o.amplification = 1;
  const double half = 0.5 + gamma(4, 0x1p-24) * (std::sqrt(2.0) + 0.5);
  EXPECT_DOUBLE_EQ(normwise_bound(o), half / (1 - half));
  o.levels = 2;
  EXPECT_EQ(normwise_bound(o), kInf);
  o.levels = 0;
  EXPECT_EQ(normwise_bound(o), 0);
}

TEST(IndexRatio, IsTheGapOverBothBounds) {
  EXPECT_EQ(index_ratio({1, 3}, {0.5, 1.5}, 0), 1);
  EXPECT_EQ(index_ratio({1, 3}, {0.5, 0.5}, 0), 2);
  EXPECT_EQ(index_ratio({1, 3}, {0, 0}, 0), kInf);
  EXPECT_EQ(index_ratio({3, 3}, {0, 0}, 0), 0);
  EXPECT_EQ(index_ratio({3, 1}, {0, 0}, 0), 0);
  EXPECT_EQ(index_ratio({1, 5, 2}, {1, 1, 1}, 0), 2);
  EXPECT_EQ(index_ratio({1, 2, 5}, {1, 1, 1}, 0), 2);
}
}  // namespace
}  // namespace plumb
