// The class function, the error of an elementary function in ulps of the exact value, and how ratios are printed.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/op.h"
#include "core/ratio.h"

namespace plumb {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();

Order ulps(double k, Dtype accumulator = Dtype::f32) {
  Order o;
  o.function_ulps = k, o.accumulator = accumulator;
  return o;
}

TEST(FunctionBound, IsSoManyDistancesOfNumbersOfTheAccumulator) {
  EXPECT_EQ(function_bound(1, ulps(3), Dtype::f32, 0), 3 * 0x1p-23);
  EXPECT_EQ(function_bound(0x1.fffffep0, ulps(3), Dtype::f32, 0), 3 * 0x1p-23);
  EXPECT_EQ(function_bound(2, ulps(3), Dtype::f32, 0), 3 * 0x1p-22);
  EXPECT_EQ(function_bound(0x1p-126, ulps(3), Dtype::f32, 0), 3 * 0x1p-149);
  EXPECT_EQ(function_bound(1, ulps(3, Dtype::f64), Dtype::f64, 0), 3 * 0x1p-52);
}

TEST(FunctionBound, OfSubnormalNumbersAndZeroIsOfTheSmallest) {
  EXPECT_EQ(function_bound(0x1p-130, ulps(3), Dtype::f32, 0), 3 * 0x1p-149);
  EXPECT_EQ(function_bound(0, ulps(3), Dtype::f32, 0), 3 * 0x1p-149);
}

TEST(FunctionBound, AddsTheRoundingToANarrowerOutput) {
  const double error = 3 * 0x1p-23;
  EXPECT_EQ(function_bound(1, ulps(3), Dtype::f16, 0), error + 0x1p-11 * (1 + error) + 0x1p-25);
  EXPECT_EQ(function_bound(0, ulps(3), Dtype::f16, 0), 3 * 0x1p-149 + 0x1p-11 * 3 * 0x1p-149 + 0x1p-25);
  const double wide = 3 * 0x1p-52;
  EXPECT_EQ(function_bound(1, ulps(3, Dtype::f64), Dtype::f32, 0), wide + 0x1p-24 * (1 + wide) + 0x1p-150);
}

TEST(FunctionBound, AddsTheErrorOfTheOracle) {
  EXPECT_EQ(function_bound(4, ulps(3), Dtype::f32, 0x1p-30), 3 * 0x1p-21 + 2 * 0x1p-30 * 4);
}

class Function : public testing::Test {
 protected:
  static inline std::vector<Spec> specs_;

  Function() {
    op_.name = "fake", op_.inputs = {"x"};
    op_.infer = [](const Request&) { return specs_; };
    op_.tolerance.kind = Tolerance::Class::function;
    call_.op = &op_;
  }
  Deviation judged(double got, double want, double k, Dtype dtype = Dtype::f32) {
    specs_ = {Spec{dtype, {1}}};
    return compare(call_, {Reals({1}, want)}, {}, ulps(k), {tensor(dtype, {1}, {got})});
  }
  Deviation judged(Complex got, Complex want, double k) {
    specs_ = {Spec{Dtype::c64, {1}}};
    return compare(call_, {Complexes({1}, want)}, {}, ulps(k), {narrow(Complexes({1}, got), Dtype::c64)});
  }

  Op op_;
  Call call_;
};

TEST_F(Function, PassesWithinItsUlpsAndFailsBeyond) {
  EXPECT_TRUE(judged(1 + 0x1p-23, 1, 1).ok());
  EXPECT_FALSE(judged(1 + 0x1p-22, 1, 1).ok());
  EXPECT_TRUE(judged(1 - 0x1p-23, 1, 1).ok());
  EXPECT_FALSE(judged(1 - 0x1.8p-23, 1, 1).ok());
  EXPECT_EQ(judged(1 + 0x1p-23, 1, 1).compared, 1);
}

TEST_F(Function, OfHalfAnUlpIsRoundedOnceToTheBit) {
  const double third = 1.0 / 3, nearest = static_cast<float>(third);
  EXPECT_TRUE(judged(nearest, third, 0.5).ok());
  EXPECT_FALSE(judged(nearest - 0x1p-25, third, 0.5).ok());
  EXPECT_FALSE(judged(nearest + 0x1p-25, third, 0.5).ok());
  EXPECT_FALSE(judged(-0.0, 0, 0.5).ok());  // a bit too
  EXPECT_TRUE(judged(nearest + 0x1p-25, third, 1.5).ok());
}

TEST_F(Function, KnowsSpecialValues) {
  EXPECT_TRUE(judged(kNan, kNan, 3).ok());
  EXPECT_FALSE(judged(0, kNan, 3).ok());
  EXPECT_FALSE(judged(kNan, 0, 3).ok());
  EXPECT_TRUE(judged(kInf, kInf, 3).ok());
  EXPECT_FALSE(judged(-kInf, kInf, 3).ok());
  EXPECT_FALSE(judged(0x1.fffffep127, kInf, 3).ok());
}

TEST_F(Function, MayBeInfiniteOnlyWhereThatIsWithinItsBound) {
  const double step = 0x1p104;
  EXPECT_TRUE(judged(kInf, 0x1.fffffep127, 1).ok());                // half a step from where infinity begins
  EXPECT_FALSE(judged(kInf, 0x1.fffffep127 - step, 1).ok());        // one and a half
  EXPECT_TRUE(judged(0x1.fffffep127, 0x1p128 - step / 4, 1).ok());  // rounds to infinity, the largest is near
}

TEST_F(Function, OfComplexNumbersIsMeasuredByTheModulus) {
  EXPECT_TRUE(judged(Complex(0x1p-24, 1), Complex(0, 1), 1).ok());
  EXPECT_FALSE(judged(Complex(0x1p-22, 1), Complex(0, 1), 1).ok());
  EXPECT_FALSE(judged(Complex(1, 0x1p-22), Complex(1, 0), 1).ok());
  EXPECT_TRUE(judged(Complex(3 + 0x1p-21, 4), Complex(3, 4), 1).ok());  // an ulp of 5, two of 3
  EXPECT_FALSE(judged(Complex(3 + 0x1p-20, 4), Complex(3, 4), 1).ok());
}

TEST_F(Function, BesideAnInfinitePartTheOtherIsMeasuredByItself) {
  EXPECT_TRUE(judged(Complex(kInf, 1 + 0x1p-23), Complex(kInf, 1), 1).ok());
  EXPECT_FALSE(judged(Complex(kInf, 1 + 0x1p-22), Complex(kInf, 1), 1).ok());
  EXPECT_EQ(judged(Complex(kInf, 1), Complex(kInf, 1), 1).unbounded, 0);
}

TEST_F(Function, MayBeTheClassOfSomeCallsOfARowAlone) {
  op_.tolerance.kind = Tolerance::Class::rounded;
  op_.tolerance.when = [](const Call&) {
    return is_complex(specs_[0].dtype) ? Tolerance::Class::function : Tolerance::Class::rounded;
  };
  EXPECT_FALSE(judged(1 + 0x1p-23, 1, 1).ok());
  EXPECT_TRUE(judged(Complex(1 + 0x1p-23, 0), Complex(1, 0), 1).ok());
}

TEST(Ratio, ShowsOnWhichSideOfItsBorderItLies) {
  EXPECT_EQ(ratio_text(0.5), "0.5");
  EXPECT_EQ(ratio_text(0.996), "0.996");
  EXPECT_EQ(ratio_text(0.9996), "0.9996");
  EXPECT_EQ(ratio_text(0.99996), "0.99996");
  EXPECT_EQ(ratio_text(1), "1");
  EXPECT_EQ(ratio_text(1.0004), "1.0004");
  EXPECT_EQ(ratio_text(1.00000001, 1, 9), "1.00000001");
  EXPECT_EQ(ratio_text(1.23456), "1.23");
  EXPECT_EQ(ratio_text(1.0200004, 1.02), "1.0200004");
  EXPECT_EQ(ratio_text(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(std::stod(ratio_text(std::nextafter(1.0, 2.0))), std::nextafter(1.0, 2.0));
  EXPECT_EQ(std::stod(ratio_text(std::nextafter(1.0, 0.0))), std::nextafter(1.0, 0.0));
}

}  // namespace
}  // namespace plumb
