// The comparison of recorded values, rule by rule and on both sides of every limit, with the words of a failure.
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <limits>

#include "conformance/replay.h"

namespace plumb {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();

struct Rules {
  bool exact = false;
  double rtol = 0, atol = 0;
  bool signed_zero = false;
};

Shape line(std::size_t n) { return {static_cast<std::int64_t>(n)}; }

std::string compared(Dtype dtype, const std::vector<double>& got, const std::vector<double>& want, const Rules& r) {
  return compare_recorded(tensor(dtype, line(got.size()), got), tensor(dtype, line(want.size()), want), r.exact,
                          {r.rtol, r.atol}, r.signed_zero);
}

Tensor complex_one(double real, double imag) { return narrow(Complexes({1}, Complex(real, imag)), Dtype::c64); }

std::string compared(Complex got, Complex want, const Rules& r) {
  return compare_recorded(complex_one(got.real(), got.imag()), complex_one(want.real(), want.imag()), r.exact,
                          {r.rtol, r.atol}, r.signed_zero);
}

TEST(RecordedReal, CloseIsAbsolutePlusRelativeToTheRecordedValue) {
  for (const Dtype t : {Dtype::f32, Dtype::f64}) {
    EXPECT_EQ(compared(t, {2.5}, {2}, {.rtol = 0.125, .atol = 0.25}), "");
    EXPECT_EQ(compared(t, {1.5}, {2}, {.rtol = 0.125, .atol = 0.25}), "");
    EXPECT_EQ(compared(t, {-2.5}, {-2}, {.rtol = 0.125, .atol = 0.25}), "");
    EXPECT_EQ(compared(t, {2.625}, {2}, {.rtol = 0.125, .atol = 0.25}),
              "element 0 is 2.625 instead of 2, 1.25 times the tolerance (1 of 1 elements are off)");
    EXPECT_EQ(compared(t, {2.75}, {2}, {.rtol = 0.25, .atol = 0}),
              "element 0 is 2.75 instead of 2, 1.5 times the tolerance (1 of 1 elements are off)");
    EXPECT_EQ(compared(t, {0.25}, {0}, {.rtol = 1, .atol = 0.25}), "");
    EXPECT_EQ(compared(t, {0.25}, {0}, {.rtol = 1, .atol = 0}),
              "element 0 is 0.25 instead of 0 (1 of 1 elements are off)");
    EXPECT_EQ(compared(t, {2}, {2}, {}), "");
  }
}

TEST(RecordedReal, ExactIgnoresTheTolerance) {
  EXPECT_EQ(compared(Dtype::f32, {1, 2}, {1, 2}, {.exact = true}), "");
  EXPECT_EQ(compared(Dtype::f32, {1, 2}, {1, 2.5}, {.exact = true, .rtol = 9, .atol = 9}),
            "element 1 is 2 instead of 2.5 (1 of 2 elements are off)");
}

TEST(RecordedReal, NanMeetsNanAndInfinityItself) {
  const Rules wide{.rtol = 1e30, .atol = 1e30};
  EXPECT_EQ(compared(Dtype::f32, {kNan, kInf, -kInf}, {kNan, kInf, -kInf}, wide), "");
  const std::pair<double, double> wrong[] = {{kNan, 1},    {1, kNan},  {kInf, -kInf}, {kInf, 3e38},
                                             {3e38, kInf}, {-kInf, 0}, {kNan, kInf},  {kInf, kNan}};
  for (const auto& [got, want] : wrong) {
    for (const Rules& rule : {wide, Rules{.exact = true}, Rules{.rtol = 1e300}})
      EXPECT_EQ(compared(Dtype::f64, {got}, {want}, rule).substr(0, 13), "element 0 is ") << got << " for " << want;
    EXPECT_EQ(compared(Dtype::f32, {got}, {want}, wide).substr(0, 13), "element 0 is ") << got << " for " << want;
  }
  EXPECT_EQ(compared(Dtype::f64, {kInf}, {1e300}, {.rtol = 1e300}).substr(0, 13), "element 0 is ");
  EXPECT_EQ(compared(Dtype::f32, {1}, {kNan}, wide), "element 0 is 1 instead of nan (1 of 1 elements are off)");
}

// The share of an infinite tolerance is no number; it must not stand for a place in memory either.
TEST(RecordedReal, AnInfiniteErrorIsOffWhateverIsAllowed) {
  const Rules vast{.rtol = 1e308, .atol = 1e308};
  EXPECT_EQ(compared(Dtype::f64, {0, 1e308}, {0, -1e308}, vast),
            "element 1 is 1e+308 instead of -1e+308 (1 of 2 elements are off)");
  EXPECT_EQ(compared(Dtype::f64, {1e308, 0}, {-1e308, 0}, vast).substr(0, 13), "element 0 is ");
  EXPECT_EQ(compared(Complex(kInf, 3e38), Complex(kInf, -3e38), {.rtol = 1e308}), "");
}

// a = b = -0 + 1i, and the sum was recorded as 0 + 2i.
TEST(RecordedComplex, APartIsJudgedAsARealNumberInEveryMode) {
  for (const bool exact : {true, false}) {
    const Rules rule{.exact = exact, .rtol = exact ? 0 : 1e-5, .signed_zero = true};
    EXPECT_NE(compared({-0.0, 2}, {0.0, 2}, rule), "") << exact;
    EXPECT_EQ(compared({-0.0, 2}, {-0.0, 2}, rule), "") << exact;
  }
  EXPECT_EQ(compared({kInf, 1.000001}, {kInf, 1}, {.rtol = 1e-5}), "");
  EXPECT_NE(compared({kInf, 1.001}, {kInf, 1}, {.rtol = 1e-5}), "");
  EXPECT_NE(compared({kInf, 1.000001}, {kInf, 1}, {.exact = true}), "");
  EXPECT_EQ(compared({1.000001, kNan}, {1, kNan}, {.rtol = 1e-5}), "");
}

TEST(RecordedReal, TheSignOfZeroIsOnlyAskedWhereItWasRecorded) {
  for (const bool exact : {false, true}) {
    EXPECT_EQ(compared(Dtype::f32, {0.0, -0.0}, {-0.0, 0.0}, {.exact = exact}), "");
    EXPECT_EQ(compared(Dtype::f32, {0.0, -0.0}, {0.0, -0.0}, {.exact = exact, .signed_zero = true}), "");
    EXPECT_EQ(compared(Dtype::f32, {0.0}, {-0.0}, {.exact = exact, .signed_zero = true}),
              "element 0 is 0 instead of -0 (1 of 1 elements are off)");
    EXPECT_EQ(compared(Dtype::f32, {5}, {5}, {.exact = exact, .signed_zero = true}), "");
  }
}

TEST(RecordedReal, TheWorstElementIsNamedAndAllAreCounted) {
  EXPECT_EQ(compared(Dtype::f32, {1, 3, 9, 4.5, 5}, {1, 2, 3, 4, 5}, {.atol = 0.5}),
            "element 2 is 9 instead of 3, 12 times the tolerance (2 of 5 elements are off)");
  EXPECT_EQ(compared(Dtype::f32, {9, 1, 3}, {1, 1, 2}, {.atol = 0.5}),
            "element 0 is 9 instead of 1, 16 times the tolerance (2 of 3 elements are off)");
  EXPECT_EQ(compared(Dtype::f32, {1, 1, 3}, {1, 1, 2}, {.atol = 0.5}),
            "element 2 is 3 instead of 2, 2 times the tolerance (1 of 3 elements are off)");
  EXPECT_EQ(compared(Dtype::f32, {}, {}, {}), "");
}

TEST(RecordedComplex, CloseIsByTheModulus) {
  EXPECT_EQ(compared({3, 4}, {0, 0}, {.atol = 5}), "");
  EXPECT_EQ(compared({3, 4}, {0, 0}, {.atol = 4}),
            "element 0 is 3+4i instead of 0+0i, 1.25 times the tolerance (1 of 1 elements are off)");
  EXPECT_EQ(compared({3, 4}, {3, 4}, {}), "");
  EXPECT_EQ(compared({3.25, 4}, {3, 4}, {.atol = 0.5}), "");
  EXPECT_EQ(compared({6, 8}, {3, 4}, {.rtol = 1}), "");
  EXPECT_EQ(compared({3, 4}, {6, 8}, {.rtol = 0.25, .atol = 2.5}), "");
  EXPECT_EQ(compared({6, 8}, {3, 4}, {.rtol = 0.5}),
            "element 0 is 6+8i instead of 3+4i, 2 times the tolerance (1 of 1 elements are off)");
  EXPECT_EQ(compared({3, -4}, {3, 4}, {}), "element 0 is 3-4i instead of 3+4i (1 of 1 elements are off)");
  EXPECT_EQ(compared({2, 4}, {3, 4}, {}), "element 0 is 2+4i instead of 3+4i (1 of 1 elements are off)");
}

TEST(RecordedComplex, WhatIsExactOrNotFiniteIsByParts) {
  const Rules half{.atol = 0.5}, wide{.rtol = 1e30, .atol = 1e30}, exact{.exact = true, .rtol = 9, .atol = 9};
  const auto off = [](Complex got, Complex want, const Rules& rule) {
    return compared(got, want, rule).substr(0, 13) == "element 0 is ";
  };
  for (const Rules& rule : {half, wide, exact}) {
    EXPECT_EQ(compared({kInf, 1}, {kInf, 1}, rule), "");
    EXPECT_EQ(compared({1, kNan}, {1, kNan}, rule), "");
    EXPECT_EQ(compared({kNan, -kInf}, {kNan, -kInf}, rule), "");
    for (const Complex bad : {Complex(kInf, 1), Complex(1, kInf), Complex(kNan, 1), Complex(1, kNan)}) {
      EXPECT_TRUE(off(bad, {1, 1}, rule)) << bad;
      EXPECT_TRUE(off({1, 1}, bad, rule)) << bad;
    }
  }
  for (const Rules& rule : {half, exact}) {
    EXPECT_TRUE(off({kInf, 1}, {kInf, 2}, rule));
    EXPECT_TRUE(off({1, kInf}, {2, kInf}, rule));
    EXPECT_TRUE(off({kNan, 1}, {kNan, 2}, rule));
    EXPECT_TRUE(off({1, kNan}, {2, kNan}, rule));
  }
  EXPECT_EQ(compared({kInf, 1.5}, {kInf, 1}, half), "");
  EXPECT_EQ(compared({1.5, kNan}, {1, kNan}, half), "");
  EXPECT_EQ(compared({1, 2}, {1, 2}, exact), "");
  EXPECT_NE(compared({1, 2}, {1, 2.5}, exact), "");
  EXPECT_NE(compared({1, 2}, {1.5, 2}, exact), "");
}

TEST(RecordedComplex, TheSignOfZeroIsByParts) {
  for (const bool exact : {true, false}) {
    const Rules asked{.exact = exact, .atol = 0.5, .signed_zero = true}, not_asked{.exact = exact, .atol = 0.5};
    EXPECT_EQ(compared({0.0, -0.0}, {0.0, -0.0}, asked), "");
    EXPECT_NE(compared({0.0, 1}, {-0.0, 1}, asked), "");
    EXPECT_NE(compared({1, 0.0}, {1, -0.0}, asked), "");
    EXPECT_EQ(compared({1, 0.0}, {1, -0.0}, not_asked), "");
    EXPECT_EQ(compared({0.0, 1}, {-0.0, 1}, not_asked), "");
  }
  const Rules close{.atol = 0.5, .signed_zero = true};
  EXPECT_NE(compared({0.0, 1.25}, {-0.0, 1}, close), "");
  EXPECT_NE(compared({1.25, 0.0}, {1, -0.0}, close), "");
  EXPECT_EQ(compared({-0.0, 1.25}, {-0.0, 1}, close), "");
  EXPECT_EQ(compared({0.0, 1.25}, {-0.0, 1}, {.atol = 0.5}), "");
}

TEST(RecordedInteger, IsEqualOrOff) {
  for (const Dtype t : {Dtype::i32, Dtype::i64, Dtype::u8, Dtype::u64, Dtype::boolean}) {
    EXPECT_EQ(compared(t, {1, 0}, {1, 0}, {}), "");
    EXPECT_EQ(compared(t, {1, 0}, {1, 1}, {.rtol = 9, .atol = 9}),
              "element 1 is 0 instead of 1 (1 of 2 elements are off)");
  }
  EXPECT_EQ(compared(Dtype::i32, {-3, 5, 7}, {-3, 4, 8}, {}), "element 1 is 5 instead of 4 (2 of 3 elements are off)");
}

TEST(RecordedForm, EveryElementIsCounted) {
  std::int64_t compared = 5;
  const Tensor two = tensor(Dtype::f32, {2, 2}, {1, 2, 3, 4}), other = tensor(Dtype::f32, {2, 2}, {1, 2, 3, 5});
  EXPECT_EQ(compare_recorded(two, two, true, {0, 0}, false, &compared), "");
  EXPECT_EQ(compared, 9);
  EXPECT_NE(compare_recorded(two, other, true, {0, 0}, false, &compared), "");
  EXPECT_EQ(compared, 13);
}

TEST(RecordedForm, ShapeAndDtypeMustMatch) {
  const Tensor a = tensor(Dtype::i32, {1}, {2});
  EXPECT_EQ(compare_recorded(a, tensor(Dtype::i64, {1}, {2}), true, {0, 0}, false), "i32[1] instead of i64[1]");
  EXPECT_EQ(compare_recorded(a, tensor(Dtype::i32, {1, 1}, {2}), true, {0, 0}, false), "i32[1] instead of i32[1,1]");
}

}  // namespace
}  // namespace plumb
