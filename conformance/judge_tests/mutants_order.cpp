// The depth of an order by worked examples, each part of the sum by itself, and the words for an order.
#include <gtest/gtest.h>

#include "core/order.h"

namespace plumb {
namespace {

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

}  // namespace
}  // namespace plumb
