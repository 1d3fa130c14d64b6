// The comparator itself: a truth table of special values, and bounds that pass what is right and fail what is not.
#include "core/tolerance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "cli/families.h"
#include "core/route.h"

namespace plumb {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");

TEST(Order, DepthIsTheLongestPath) {
  Order o;
  EXPECT_EQ(o.depth(0), 0);
  EXPECT_EQ(o.depth(100), 100);
  o.shape = Order::Shape::lanes, o.lanes = 16;
  EXPECT_EQ(o.depth(100), 7 + 4);
  o.block = 32;
  EXPECT_EQ(o.depth(100), 2 + 4 + 3);
  o.tree = true;
  EXPECT_EQ(o.depth(100), 2 + 4 + 2);
  o = {};
  o.shape = Order::Shape::pairwise;
  EXPECT_EQ(o.depth(1024), 11);
  o = {};
  o.split = 4, o.prologue = 2;
  EXPECT_EQ(o.depth(100), 25 + 3 + 2);
}

TEST(Bounds, GammaHasNoValueWhereItMeansNothing) {
  EXPECT_DOUBLE_EQ(gamma(10, 0x1p-24), 10 * 0x1p-24 / (1 - 10 * 0x1p-24));
  EXPECT_TRUE(std::isinf(gamma(1024, 0x1p-11)));
}

Call sum_of(const Tensor& x) { return make_call("sum", {x}); }

double ratio(const Call& call, double want, double magnitude, const Tensor& got, const Order& o = {}) {
  return compare(call, {Reals({}, want)}, {Reals({}, magnitude)}, o, {got}).ratio;
}

class Comparator : public testing::Test {
 protected:
  static void SetUpTestSuite() { install_families(); }
};

TEST_F(Comparator, TruthTableOfSpecialValues) {
  const Call call = sum_of(tensor(Dtype::f32, {2}, {0.5, 0.25}));
  const auto got = [](double v) { return tensor(Dtype::f32, {}, {v}); };
  EXPECT_EQ(ratio(call, kNan, 1, got(kNan)), 0);
  EXPECT_TRUE(std::isinf(ratio(call, kNan, 1, got(0))));  // NaN expected is no wildcard
  EXPECT_TRUE(std::isinf(ratio(call, kNan, 1, got(kInf))));
  EXPECT_TRUE(std::isinf(ratio(call, 0.75, 1, got(kNan))));
  EXPECT_EQ(ratio(call, kInf, 1, got(kInf)), 0);
  EXPECT_TRUE(std::isinf(ratio(call, kInf, 1, got(-kInf))));
  EXPECT_TRUE(std::isinf(ratio(call, kInf, 1, got(3e38))));
  EXPECT_TRUE(std::isinf(ratio(call, 0.75, 1, got(kInf))));
  EXPECT_EQ(ratio(call, 3.5e38, 3.5e38, got(kInf)), 0);  // rounds past the largest
  EXPECT_EQ(ratio(call, 1.0, 1e39, got(kInf)), 0);       // a partial sum may overflow early
  EXPECT_EQ(ratio(call, 0.75, 0.75, got(0.75)), 0);
}

TEST_F(Comparator, IntegersAreExactInEveryOrder) {
  const Call call = sum_of(tensor(Dtype::f32, {3}, {1, 2, 4}));
  EXPECT_EQ(ratio(call, 7, 7, tensor(Dtype::f32, {}, {7})), 0);
  EXPECT_TRUE(std::isinf(ratio(call, 7, 7, tensor(Dtype::f32, {}, {std::nextafter(7.0F, 8.0F)}))));
}

TEST_F(Comparator, ShapeAndDtypeAreValuesToo) {
  const Call call = sum_of(tensor(Dtype::f32, {3}, {1, 2, 4}));
  EXPECT_FALSE(compare(call, {Reals({}, 7)}, {Reals({}, 7)}, {}, {tensor(Dtype::f32, {1}, {7})}).ok());
  EXPECT_FALSE(compare(call, {Reals({}, 7)}, {Reals({}, 7)}, {}, {tensor(Dtype::f64, {}, {7})}).ok());
  EXPECT_FALSE(compare(call, {Reals({}, 7)}, {Reals({}, 7)}, {}, {}).ok());
}

TEST_F(Comparator, SignedZeroMattersWhereTheClassIsExact) {
  const Call call = make_call("add", {tensor(Dtype::f32, {1}, {-0.0}), tensor(Dtype::f32, {1}, {-0.0})});
  const std::vector<Wide> want{Reals({1}, -0.0)};
  EXPECT_TRUE(compare(call, want, {}, {}, {tensor(Dtype::f32, {1}, {-0.0})}).ok());
  EXPECT_FALSE(compare(call, want, {}, {}, {tensor(Dtype::f32, {1}, {0.0})}).ok());
}

// Sums of n uniform terms, in the declared orders, in f32: every correct sum passes, at several seeds; a sum
// kept in binary16, or one that loses its last term, does not.
TEST_F(Comparator, CorrectSumsPassAndPoorOnesFail) {
  for (const std::uint32_t seed : {1U, 2U, 3U, 4U, 5U})
    for (const std::size_t n : {13U, 257U, 4096U}) {
      std::mt19937 random(seed);
      std::uniform_real_distribution<float> uniform(-1, 1);
      std::vector<float> x(n);
      std::vector<double> values;
      for (float& v : x) values.push_back(v = uniform(random));
      const Call call = sum_of(tensor(Dtype::f32, {static_cast<std::int64_t>(n)}, values));
      const double want = std::accumulate(values.begin(), values.end(), 0.0);
      const double G =
          std::accumulate(values.begin(), values.end(), 0.0, [](double s, double v) { return s + std::abs(v); });
      const auto judged = [&](float got, const Order& o) {
        return ratio(call, want, G, tensor(Dtype::f32, {}, {got}), o);
      };

      const float sequential = std::accumulate(x.begin(), x.end(), 0.0F);
      EXPECT_LE(judged(sequential, {}), 1) << n;
      float lanes[8] = {};
      for (std::size_t i = 0; i < n; ++i) lanes[i % 8] += x[i];
      const float joined =
          ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
      Order eight;
      eight.shape = Order::Shape::lanes, eight.lanes = 8;
      EXPECT_LE(judged(joined, eight), 1) << n;

      float coarse = 0;
      for (const float v : x) coarse = half_to_float(to_half(double(coarse) + double(v)));
      EXPECT_GT(judged(sequential - x.back(), eight), 1) << n;
      // Over thousands of terms the worst case of a binary32 chain has room for a binary16 one: short sums tell.
      if (n < 1000) {
        EXPECT_GT(judged(coarse, eight), 1) << n;
      }
    }
}

TEST_F(Comparator, TheBoundOfEveryClassNamesItsParts) {
  Order o;
  const double h = static_cast<double>(o.depth(8)), u = 0x1p-24;
  EXPECT_DOUBLE_EQ(accumulate_bound(1, 2, 8, o, Dtype::f64, 0) >= gamma(h, u) * 2, true);
  o.fma = true;
  const double plain = accumulate_bound(1, 2, 8, o, Dtype::f32, 0);
  EXPECT_DOUBLE_EQ(plain, gamma(h, u) * 2);
  const double half = accumulate_bound(1, 2, 8, o, Dtype::f16, 0);
  EXPECT_DOUBLE_EQ(half, plain + 0x1p-11 * (1 + plain) + 0x1p-25);
  o.input_rounding = Dtype::bf16;
  EXPECT_GT(accumulate_bound(1, 2, 8, o, Dtype::f32, 0), plain + 2 * 0x1p-8 * 2);
  o.truncating = true;
  EXPECT_DOUBLE_EQ(o.accumulator_roundoff(), 0x1p-23);
  Order fft;
  fft.levels = 10, fft.twiddle_error = u;
  const double e = u + gamma(4, u) * (std::sqrt(2.0) + u);
  EXPECT_DOUBLE_EQ(normwise_bound(fft), 10 * e / (1 - 10 * e));
}

TEST(Index, AChoiceIsRightWithinTheBoundsOfItsScores) {
  EXPECT_EQ(index_ratio({1, 2, 3}, {0, 0, 0}, 2), 0);
  EXPECT_TRUE(std::isinf(index_ratio({1, 2, 3}, {0, 0, 0}, 1)));
  EXPECT_LE(index_ratio({1, 2.9, 3}, {0.1, 0.1, 0.1}, 1), 1);
  EXPECT_GT(index_ratio({1, 2.5, 3}, {0.1, 0.1, 0.1}, 1), 1);
}

}  // namespace
}  // namespace plumb
