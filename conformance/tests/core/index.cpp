// Indices of oracles: elements by the index of every axis, lines, matrices and broadcast operands.
#include "reference/index.h"

#include <gtest/gtest.h>

#include <numeric>

namespace plumb::reference {
namespace {

Integers counted(Shape shape) {
  Integers x(std::move(shape));
  std::iota(x.data.begin(), x.data.end(), 0);
  return x;
}

TEST(Index, AnElementIsNamedByTheIndexOfEveryAxis) {
  Integers x = counted({2, 3, 5});
  EXPECT_EQ(x(0, 0, 0), 0);
  EXPECT_EQ(x(1, 2, 4), 29);
  EXPECT_EQ(x(1, 0, 3), 18);
  x(0, 1, 2) = -1;
  EXPECT_EQ(x[7], -1);
}

TEST(Index, MoreOrFewerIndicesThanAxesAreRefused) {
  const Integers x = counted({2, 3});
  EXPECT_THROW((void)x(5), std::logic_error);
  EXPECT_THROW((void)x(0, 1, 2), std::logic_error);
}

TEST(Index, LinesAlongEveryAxisHoldEveryElementOnce) {
  const Integers x = counted({2, 3, 5});
  const std::int64_t first[][2] = {{0, 15}, {0, 5}, {0, 1}};  // x(0) and x(1) of the first line
  for (std::int64_t axis = 0; axis < 3; ++axis) {
    const Lines along(x.shape, axis);
    EXPECT_EQ(along.size, x.shape[static_cast<std::size_t>(axis)]);
    EXPECT_EQ(along.line(x, 0)(0), first[axis][0]);
    EXPECT_EQ(along.line(x, 0)(1), first[axis][1]);
    std::vector<int> seen(x.data.size());
    for (std::int64_t l = 0; l < along.count; ++l)
      for (std::int64_t i = 0; i < along.size; ++i) ++seen[static_cast<std::size_t>(along.line(x, l)(i))];
    EXPECT_EQ(seen, std::vector<int>(x.data.size(), 1));
  }
  EXPECT_EQ(Lines({2, 3, 5}, 1).line(x, 7)(2), 27);  // x(1, 2, 2)
  EXPECT_EQ(Lines({0, 3}, 1).count, 0);
}

TEST(Index, AMatrixIsOneOfTheLastTwoAxes) {
  const Integers x = counted({2, 3, 5});
  EXPECT_EQ(matrix(x, 1, 3, 5)(2, 4), 29);
  EXPECT_EQ(matrix(x, 0, 3, 5)(1, 2), 7);
}

TEST(Index, AnAxisOfOneRepeatsAndAbsentAxesLead) {
  const Shape result{2, 3, 5};
  const auto meets = [&](std::int64_t a, std::int64_t b, std::int64_t c, const Shape& operand) {
    return broadcast_index((a * 3 + b) * 5 + c, result, operand);
  };
  EXPECT_EQ(meets(1, 2, 4, {2, 3, 5}), 29);
  EXPECT_EQ(meets(1, 2, 4, {3, 1}), 2);
  EXPECT_EQ(meets(1, 2, 4, {2, 1, 5}), 9);
  EXPECT_EQ(meets(1, 2, 4, {5}), 4);
  EXPECT_EQ(meets(1, 2, 4, {}), 0);
}

}  // namespace
}  // namespace plumb::reference
