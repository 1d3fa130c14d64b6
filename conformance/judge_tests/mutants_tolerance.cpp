// The comparator on operations made up for the purpose: each rule on both sides of its limit, with what is reported.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "core/op.h"

namespace plumb {
namespace {

using Class = Tolerance::Class;
constexpr double kInf = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();

// What the functions of the made-up row answer; they are plain functions, so it is kept here.
struct Facts {
  std::vector<Spec> specs;
  std::int64_t terms = 1, axis = 0;
  std::vector<Allowances> allowed;
  std::vector<std::int64_t> active;
  Deviation residual;
};
Facts facts;

class Fake : public testing::Test {
 protected:
  void SetUp() override {
    facts = {};
    op_.name = "fake";
    op_.inputs = {"x", "y?"};
    op_.infer = [](const Request&) { return facts.specs; };
    op_.tolerance.terms = [](const Call&) { return facts.terms; };
    call_.op = &op_;
    order_.fma = true;
  }

  Deviation judged(Class kind, const std::vector<Tensor>& got, const std::vector<Wide>& want,
                   const std::vector<Wide>& G = {}) {
    op_.tolerance.kind = kind;
    if (facts.specs.empty())
      for (const Tensor& t : got) facts.specs.push_back(t.spec());
    return compare(call_, want, G, order_, got);
  }

  // One value of f32 (or another type) by the class inherited.
  Deviation inherited(double got, double want, Allowed allowed, Dtype dtype = Dtype::f32) {
    op_.tolerance.bound = [](const Call&, const std::vector<Wide>&, const Order&) { return facts.allowed; };
    facts.allowed = {Allowances({1}, allowed)};
    facts.specs = {Spec{dtype, {1}}};
    const Wide exact = dtype == Dtype::f64 ? Wide(Reals2({1}, want)) : Wide(Reals({1}, want));
    return judged(Class::inherited, {tensor(dtype, {1}, {got})}, {exact});
  }

  Deviation summed(double got, double want, double G, Dtype dtype = Dtype::f32) {
    facts.specs = {Spec{dtype, {1}}};
    return judged(Class::accumulate, {tensor(dtype, {1}, {got})}, {Reals({1}, want)}, {Reals({1}, G)});
  }

  Op op_;
  Call call_;
  Order order_;
};

Tensor f32(const std::vector<double>& values) {
  return tensor(Dtype::f32, {static_cast<std::int64_t>(values.size())}, values);
}

Reals line(const std::vector<double>& values) {
  Reals r({static_cast<std::int64_t>(values.size())});
  r.data = values;
  return r;
}

Complexes pairs(const std::vector<Complex>& values) {
  Complexes r({static_cast<std::int64_t>(values.size())});
  r.data = values;
  return r;
}

TEST_F(Fake, RatioIsErrorOverAllowed) {
  EXPECT_EQ(inherited(1.5, 1, {0.5}).ratio, 1);
  EXPECT_TRUE(inherited(1.5, 1, {0.5}).ok());
  EXPECT_EQ(inherited(0.5, 1, {0.25}).ratio, 2);
  EXPECT_FALSE(inherited(0.5, 1, {0.25}).ok());
  EXPECT_EQ(inherited(1, 1, {0}).ratio, 0);
  EXPECT_EQ(inherited(1.5, 1, {0}).ratio, kInf);
  EXPECT_EQ(inherited(1.5, 1, {2}).ratio, 0.25);
}

TEST_F(Fake, NanMeetsNanOnly) {
  EXPECT_EQ(inherited(kNan, kNan, {0}).ratio, 0);
  for (const Allowed allowed : {Allowed{1e30}, Allowed{kInf}, Allowed{1, true}}) {
    EXPECT_EQ(inherited(1, kNan, allowed).ratio, kInf);
    EXPECT_EQ(inherited(kInf, kNan, allowed).ratio, kInf);
  }
  EXPECT_EQ(inherited(kNan, 1, {1e30}).ratio, kInf);
  EXPECT_EQ(inherited(kNan, 1, {1, true}).ratio, 0);
}

TEST_F(Fake, InfinityMeetsItselfOrAnOverflow) {
  for (const double sign : {1.0, -1.0}) {
    EXPECT_EQ(inherited(sign * kInf, sign * kInf, {0}).ratio, 0);
    EXPECT_EQ(inherited(-sign * kInf, sign * kInf, {1e30}).ratio, kInf);
    EXPECT_EQ(inherited(-sign * kInf, sign * kInf, {1e30, true}).ratio, 0);
    EXPECT_EQ(inherited(kNan, sign * kInf, {1e30, true}).ratio, 0);
    EXPECT_EQ(inherited(kNan, sign * kInf, {1e30}).ratio, kInf);
    EXPECT_EQ(inherited(sign * 3e38, sign * kInf, {1e38, true}).ratio, kInf);
    EXPECT_EQ(inherited(3, sign * kInf, {kInf}).ratio, kInf);
  }
}

TEST_F(Fake, AFiniteValueMayRoundToInfinityWithinItsBound) {
  // The largest binary16 is 65504; from 65520 on numbers round to infinity.
  for (const double sign : {1.0, -1.0}) {
    const auto got = [&](double value, double want, double error) {
      return inherited(sign * value, sign * want, {error}, Dtype::f16).ratio;
    };
    EXPECT_EQ(got(kInf, 65500, 20), 0);
    EXPECT_EQ(got(kInf, 65500, 19.5), kInf);
    EXPECT_EQ(got(kInf, 65520, 0), 0);
    EXPECT_EQ(got(-kInf, 65520, 0), kInf);
    EXPECT_EQ(got(kNan, 65520, 0), kInf);
  }
  EXPECT_EQ(inherited(kInf, 0x1p128 - 0x1p103, {0}).ratio, 0);
  EXPECT_EQ(inherited(kInf, 0x1p128 - 0x1p104, {0}).ratio, kInf);
  EXPECT_EQ(inherited(kInf, 1e308, {1e307}, Dtype::f64).ratio, kInf);
  EXPECT_EQ(inherited(kInf, 1e308, {1e308}, Dtype::f64).ratio, 0);
}

TEST_F(Fake, WithoutAFiniteBoundNothingIsJudged) {
  const Deviation d = inherited(7, 1, {kInf});
  EXPECT_TRUE(d.ok());
  EXPECT_EQ(d.unbounded, 1);
  EXPECT_EQ(d.compared, 1);
  EXPECT_EQ(inherited(7, 1, {kNan}).unbounded, 1);
  EXPECT_EQ(inherited(kInf, 1, {kInf}).unbounded, 1);
  EXPECT_EQ(inherited(1, 1, {kInf}).unbounded, 0);
  EXPECT_EQ(inherited(7, 1, {9}).unbounded, 0);
  EXPECT_EQ(inherited(kNan, kNan, {kInf}).unbounded, 0);
}

TEST_F(Fake, TheWorstElementIsReportedAndAllAreCounted) {
  op_.tolerance.bound = [](const Call&, const std::vector<Wide>&, const Order&) { return facts.allowed; };
  facts.allowed = {Allowances({4}, {0.5})};
  facts.allowed[0][3].error = 0.25;
  const Deviation d = judged(Class::inherited, {f32({1, 2.5, 3, 4.5})}, {line({1, 2, 3.5, 4})});
  EXPECT_EQ(d.ratio, 2);
  EXPECT_EQ(d.at, 3);
  EXPECT_EQ(d.want, 4);
  EXPECT_EQ(d.got, 4.5);
  EXPECT_EQ(d.allowed, 0.25);
  EXPECT_EQ(d.compared, 4);
  EXPECT_EQ(d.unbounded, 0);
  facts.specs.clear();
  EXPECT_EQ(judged(Class::inherited, {f32({1, 2.5, 3, 4})}, {line({1, 2, 3.5, 4})}).at, 1);  // the first of equals
}

TEST_F(Fake, BothPartsOfComplexValuesAreJudgedAndCountOnce) {
  op_.tolerance.bound = [](const Call&, const std::vector<Wide>&, const Order&) { return facts.allowed; };
  facts.allowed = {Allowances({2}, {0.5})};
  const auto got = [&](Complex a, Complex b) {
    facts.specs.clear();
    return judged(Class::inherited, {narrow(pairs({a, b}), Dtype::c64)}, {pairs({{1, 2}, {3, 4}})});
  };
  EXPECT_EQ(got({1, 2}, {3, 4}).ratio, 0);
  EXPECT_EQ(got({1, 2}, {3, 4}).compared, 2);
  EXPECT_EQ(got({1.5, 2}, {3, 4}).ratio, 1);
  EXPECT_EQ(got({1, 3}, {3, 4}).ratio, 2);
  EXPECT_EQ(got({1, 2}, {3, 6}).ratio, 4);
  EXPECT_EQ(got({1, 2}, {3, 6}).at, 1);
  EXPECT_EQ(got({1, 2}, {3, kInf}).ratio, kInf);
}

TEST_F(Fake, WhatTheOracleGivesIsBroughtToTheTypeOfTheOutput) {
  op_.tolerance.bound = [](const Call&, const std::vector<Wide>&, const Order&) { return facts.allowed; };
  facts.allowed = {Allowances({2}, {0.5})};
  const auto ratio = [&](const Tensor& got, const Wide& want) {
    facts.specs = {got.spec()};
    return judged(Class::inherited, {got}, {want}).ratio;
  };
  EXPECT_EQ(ratio(tensor(Dtype::f64, {2}, {1, 2.5}), line({1, 2})), 1);
  EXPECT_EQ(ratio(narrow(pairs({1, {2, 0.5}}), Dtype::c64), line({1, 2})), 1);
  EXPECT_EQ(ratio(narrow(pairs({1, {2, 0}}), Dtype::c64), line({1, 2})), 0);
  Reals2 wide({2}, 1.0);
  wide[1] = Double2(2.0);
  EXPECT_EQ(ratio(f32({1, 2.5}), wide), 1);
  EXPECT_EQ(ratio(tensor(Dtype::f64, {2}, {1, 2.5}), wide), 1);
}

TEST_F(Fake, ExactMeansTheBits) {
  const auto bits = [](std::uint32_t pattern) {
    Tensor t(Spec{Dtype::f32, {2}});
    t.write<float>()[0] = 1;
    t.write<float>()[1] = std::bit_cast<float>(pattern);
    return t;
  };
  for (const Class kind : {Class::exact, Class::rounded}) {
    const Deviation same = judged(kind, {f32({1, -2})}, {line({1, -2})});
    EXPECT_EQ(same.ratio, 0);
    EXPECT_EQ(same.compared, 2);
    EXPECT_EQ(same.at, -1);
    EXPECT_EQ(judged(kind, {bits(0x7fc00001)}, {line({1, kNan})}).ratio, 0);
    EXPECT_EQ(judged(kind, {bits(0xffc00000)}, {line({1, kNan})}).ratio, 0);
    EXPECT_EQ(judged(kind, {f32({1, kNan})}, {line({1, 2})}).ratio, kInf);
    EXPECT_EQ(judged(kind, {f32({1, 2})}, {line({1, kNan})}).ratio, kInf);
    EXPECT_EQ(judged(kind, {f32({1, 0.0})}, {line({1, -0.0})}).ratio, kInf);
    const Deviation d = judged(kind, {f32({1, 3})}, {line({1, 2})});
    EXPECT_EQ(d.ratio, kInf);
    EXPECT_EQ(d.at, 1);
    EXPECT_EQ(d.want, 2);
    EXPECT_EQ(d.got, 3);
    EXPECT_EQ(d.compared, 2);
    EXPECT_EQ(judged(kind, {f32({4, 3})}, {line({1, 2})}).at, 0);
  }
}

TEST_F(Fake, ExactComplexValuesMayDifferInNanOfTheSamePart) {
  const auto ratio = [&](Complex got, Complex want) {
    facts.specs.clear();
    Tensor t = narrow(pairs({got}), Dtype::c64);
    if (std::isnan(got.real())) t.write<float>()[0] = std::bit_cast<float>(0x7fc00001U);
    if (std::isnan(got.imag())) t.write<float>()[1] = std::bit_cast<float>(0x7fc00001U);
    return judged(Class::exact, {t}, {pairs({want})}).ratio;
  };
  EXPECT_EQ(ratio({kNan, 1}, {kNan, 1}), 0);
  EXPECT_EQ(ratio({1, kNan}, {1, kNan}), 0);
  EXPECT_EQ(ratio({kNan, kNan}, {kNan, kNan}), 0);
  EXPECT_EQ(ratio({kNan, 2}, {kNan, 1}), kInf);
  EXPECT_EQ(ratio({2, kNan}, {1, kNan}), kInf);
  EXPECT_EQ(ratio({kNan, 1}, {1, 1}), kInf);
  EXPECT_EQ(ratio({1, 1}, {1, kNan}), kInf);
}

TEST_F(Fake, IntegersAreExactWhateverTheClass) {
  for (const Class kind : {Class::accumulate, Class::inherited, Class::normwise}) {
    facts.specs = {Spec{Dtype::i32, {2}}};
    Integers want({2}, 5);
    EXPECT_EQ(judged(kind, {tensor(Dtype::i32, {2}, {5, 5})}, {want}).ratio, 0);
    const Deviation d = judged(kind, {tensor(Dtype::i32, {2}, {5, 6})}, {want});
    EXPECT_EQ(d.ratio, kInf);
    EXPECT_EQ(d.at, 1);
    EXPECT_EQ(d.want, 5);
    EXPECT_EQ(d.got, 6);
    facts.specs.clear();
  }
}

TEST_F(Fake, StridesOfTheOutputDoNotMatter) {
  const Tensor reversed = f32({3, 2, 1}).view({3}, {-1}, 2);
  EXPECT_EQ(judged(Class::exact, {reversed}, {line({1, 2, 3})}).ratio, 0);
}

TEST_F(Fake, SumsAreBoundedByDepthAndMagnitude) {
  facts.terms = 4;
  call_.in = {f32({0.5, 0.25, 0.125, 0.125})};
  const double bound = accumulate_bound(1, 2, 4, order_, Dtype::f32, 0x1p-53);
  const double step = 0x1p-23;  // of f32 beside 1
  const Deviation d = summed(1 + 4 * step, 1, 2);
  EXPECT_DOUBLE_EQ(d.ratio, 4 * step / bound);
  EXPECT_EQ(d.compared, 1);
  EXPECT_DOUBLE_EQ(d.allowed, bound);
  EXPECT_GT(summed(1 + 5 * step, 1, 2).ratio, 1);
  const double wider = accumulate_bound(1, 2, 4, order_, Dtype::f64, kDouble2Roundoff);
  EXPECT_DOUBLE_EQ(summed(1 + step, 1, 2, Dtype::f64).allowed, wider);
}

TEST_F(Fake, SumsOfWholeNumbersAreExactUpToThePrecision) {
  facts.terms = 4;
  call_.in = {f32({1, 2, 3}), Tensor()};
  const double far = 0x1p24;
  EXPECT_EQ(summed(7, 6, far).ratio, kInf);
  EXPECT_EQ(summed(6, 6, far).ratio, 0);
  EXPECT_LT(summed(7, 6, far + 2).ratio, 1);
  call_.in = {f32({1, 2.5, 3})};
  EXPECT_LT(summed(7, 6, far).ratio, 1);
  call_.in = {f32({1, 2, kInf})};
  EXPECT_LT(summed(7, 6, far).ratio, 1);
  call_.in = {f32({1, 2, 3}), f32({0.5})};
  EXPECT_LT(summed(7, 6, far).ratio, 1);
  call_.in = {tensor(Dtype::i32, {1}, {3})};
  EXPECT_EQ(summed(7, 6, far).ratio, kInf);
  order_.partial = Dtype::f16;
  EXPECT_LT(summed(7, 6, far).ratio, 1);
  EXPECT_EQ(summed(2047, 2046, 2048).ratio, kInf);
  EXPECT_LT(summed(2047, 2046, 2049).ratio, 1);
  order_.partial.reset(), order_.input_rounding = Dtype::bf16;
  EXPECT_EQ(summed(127, 126, 256).ratio, kInf);
  EXPECT_LT(summed(127, 126, 257).ratio, 1);
}

TEST_F(Fake, AWholeSumMayBeRoundedOnceToTheOutput) {
  facts.terms = 2;
  call_.in = {f32({2049})};
  EXPECT_EQ(summed(2048, 2049, 2049, Dtype::f16).ratio, 0);
  EXPECT_EQ(summed(2050, 2049, 2049, Dtype::f16).ratio, kInf);
  EXPECT_EQ(summed(kInf, 70000, 70000, Dtype::f16).ratio, 0);
  call_.in = {narrow(pairs({{1, 2}, {3, 5}}), Dtype::c64)};
  facts.specs = {Spec{Dtype::c64, {2}}};
  const std::vector<Wide> want{pairs({{1, 2}, {3, 5}})}, G{pairs({9, 9})};
  EXPECT_EQ(judged(Class::accumulate, {narrow(want[0], Dtype::c64)}, want, G).ratio, 0);
  for (const std::vector<Complex>& wrong :
       {std::vector<Complex>{{2, 2}, {3, 5}}, {{1, 1}, {3, 5}}, {{1, 2}, {4, 5}}, {{1, 2}, {3, 6}}})
    EXPECT_EQ(judged(Class::accumulate, {narrow(pairs(wrong), Dtype::c64)}, want, G).ratio, kInf);
}

TEST_F(Fake, APartialSumMayOverflow) {
  facts.terms = 2;
  call_.in = {f32({0.5})};
  EXPECT_EQ(summed(kInf, 1, 1e39).ratio, 0);
  EXPECT_EQ(summed(kInf, 1, 1e38).ratio, kInf);
  EXPECT_EQ(summed(kNan, 1, 1e39).ratio, 0);
}

TEST_F(Fake, AbsoluteTakesSignsAndWhatIsNotFiniteAway) {
  facts.specs = {Spec{Dtype::f32, {1}}};
  call_.in = {f32({-2, 3, -0.0, kInf, -kInf, kNan}), Tensor(), tensor(Dtype::i32, {2}, {-4, 4}),
              narrow(pairs({{3, -4}, {kInf, 1}, {1, kNan}}), Dtype::c64)};
  call_.specs = {call_.in[0].spec(), std::nullopt, call_.in[2].spec(), call_.in[3].spec()};
  const Call a = absolute(call_);
  EXPECT_EQ(reals(widen(a.in[0])).data, (std::vector<double>{2, 3, 0, 0, 0, 0}));
  EXPECT_FALSE(a.in[1].defined());
  EXPECT_EQ(integers(widen(a.in[2])).data, (std::vector<std::int64_t>{-4, 4}));
  EXPECT_EQ(a.in[3].dtype(), Dtype::f64);  // a modulus may pass the largest float
  EXPECT_EQ(a.specs[3]->dtype, Dtype::f64);
  const double* moduli = a.in[3].read<double>();
  EXPECT_EQ(std::vector<double>(moduli, moduli + 3), (std::vector<double>{5, 1, 1}));
  EXPECT_EQ(a.in[0].dtype(), Dtype::f32);
}

TEST_F(Fake, AbsoluteTakesSignsOfValuesInWholeNumbers) {
  op_.tolerance.signed_values = true;
  call_.in = {tensor(Dtype::i8, {4}, {-128, 127, 0, -1}), tensor(Dtype::u8, {1}, {200}), f32({-1}),
              tensor(Dtype::i64, {1}, {-0x1p63})};
  for (const Tensor& t : call_.in) call_.specs.emplace_back(t.spec());
  const Call a = absolute(call_);
  EXPECT_EQ(a.in[0].dtype(), Dtype::u8);
  EXPECT_EQ(a.specs[0]->dtype, Dtype::u8);
  EXPECT_EQ(unsigneds(widen(a.in[0])).data, (std::vector<std::uint64_t>{128, 127, 0, 1}));
  EXPECT_EQ(unsigneds(widen(a.in[1])).data, (std::vector<std::uint64_t>{200}));
  EXPECT_EQ(reals(widen(a.in[2])).data, (std::vector<double>{1}));
  EXPECT_EQ(a.in[3].dtype(), Dtype::u64);
  EXPECT_EQ(unsigneds(widen(a.in[3])).data, (std::vector<std::uint64_t>{std::uint64_t{1} << 63}));
  EXPECT_EQ(a.specs[1]->dtype, Dtype::u8);
}

TEST_F(Fake, AbsoluteLeavesWholeNumbersThatAreAloneAsTheyAre) {
  op_.tolerance.signed_values = true;
  call_.in = {tensor(Dtype::i32, {1}, {-4}), Tensor()};
  call_.specs = {call_.in[0].spec(), std::nullopt};
  EXPECT_EQ(absolute(call_).in[0].dtype(), Dtype::i32);
}

TEST_F(Fake, MagnitudeIsTheOracleOnAbsoluteInputsOrTheRowsOwn) {
  op_.oracle = [](const Call& c) -> std::vector<Wide> { return {widen(c.in[0])}; };
  call_.in = {f32({-2})};
  call_.specs = {call_.in[0].spec()};
  for (const Class kind : {Class::exact, Class::inherited, Class::normwise}) {
    op_.tolerance.kind = kind;
    EXPECT_TRUE(magnitude(call_).empty());
  }
  op_.tolerance.kind = Class::accumulate;
  EXPECT_EQ(reals(magnitude(call_).at(0)).data, std::vector<double>{2});
  op_.tolerance.magnitude = [](const Call&) -> std::vector<Wide> { return {Reals({1}, 7)}; };
  EXPECT_EQ(reals(magnitude(call_).at(0)).data, std::vector<double>{7});
}

// By norms: lines of four along the last axis of (2, 4), or of two along the first.
class Normwise : public Fake {
 protected:
  void SetUp() override {
    Fake::SetUp();
    op_.tolerance.axis = [](const Call&) { return facts.axis; };
    facts.axis = 1;
    facts.specs = {Spec{Dtype::f32, {2, 4}}};
    order_.levels = 1, order_.twiddle_error = 0x1p-10;
    relative_ = relative(4);
  }
  Deviation got(const std::vector<double>& values) {
    Reals want({2, 4});
    want.data = want_;
    return judged(Class::normwise, {tensor(Dtype::f32, {2, 4}, values)}, {want});
  }
  // Of the norm of a line of n elements.
  double relative(double n) const { return normwise_bound(order_) + n * std::sqrt(n) * 0x1p-53; }
  std::vector<double> want_{3, 4, 0, 0, 0, 0, 6, 8};
  double relative_ = 0;
};

TEST_F(Normwise, EachLineIsJudgedByItsOwnNorm) {
  const Deviation first = got({3.25, 4, 0, 0, 0, 0, 6, 8}), second = got({3, 4, 0, 0, 0, 0, 6, 8.25});
  EXPECT_DOUBLE_EQ(first.ratio, 0.25 / (5 * relative_ + 4 * 0x1p-149));
  EXPECT_DOUBLE_EQ(second.ratio, 0.25 / (10 * relative_ + 4 * 0x1p-149));
  EXPECT_EQ(first.compared, 8);
  EXPECT_EQ(first.at, -1);
  EXPECT_DOUBLE_EQ(first.allowed, 5 * relative_);
  EXPECT_DOUBLE_EQ(first.got, 0.25);
  EXPECT_DOUBLE_EQ(got({3.75, 4, 1, 0, 0, 0, 6, 8}).got, 1.25);
  EXPECT_EQ(got(want_).ratio, 0);
}

TEST_F(Normwise, LinesFollowTheAxis) {
  facts.axis = 0;  // the lines {3, 0}, {4, 0}, {0, 6}, {0, 8}
  EXPECT_DOUBLE_EQ(got({3.25, 4, 0, 0, 0, 0, 6, 8}).allowed, 3 * relative(2));
  EXPECT_DOUBLE_EQ(got({3, 4, 0, 0, 0, 0.25, 6, 8}).allowed, 4 * relative(2));
  EXPECT_DOUBLE_EQ(got({3, 4, 0.25, 0, 0, 0, 6, 8}).allowed, 6 * relative(2));
  EXPECT_DOUBLE_EQ(got({3, 4, 0, 0, 0, 0, 6, 8.25}).allowed, 8 * relative(2));
  op_.tolerance.axis = nullptr;
  EXPECT_DOUBLE_EQ(got({3, 4, 0, 0, 0, 0, 6, 8.25}).allowed, std::sqrt(125.0) * relative(8));
}

TEST_F(Normwise, InnerAxesAreWalkedOver) {
  facts.axis = 1, facts.specs = {Spec{Dtype::f32, {2, 2, 2}}};
  Reals want({2, 2, 2});
  want.data = {1, 2, 4, 8, 16, 32, 64, 128};  // along the middle: {1, 4}, {2, 8}, {16, 64}, {32, 128}
  const auto allowed = [&](std::size_t at) {
    std::vector<double> values = want.data;
    values[at] += 1;
    return judged(Class::normwise, {tensor(Dtype::f32, {2, 2, 2}, values)}, {want}).allowed;
  };
  EXPECT_DOUBLE_EQ(allowed(0), std::hypot(1, 4) * relative(2));
  EXPECT_DOUBLE_EQ(allowed(3), std::hypot(2, 8) * relative(2));
  EXPECT_DOUBLE_EQ(allowed(4), std::hypot(16, 64) * relative(2));
  EXPECT_DOUBLE_EQ(allowed(7), std::hypot(32, 128) * relative(2));
}

TEST_F(Normwise, ZeroAllowsWhatUnderflowAdds) {
  want_.assign(8, 0);
  EXPECT_DOUBLE_EQ(got({0x1p-149, 0, 0, 0, 0, 0, 0, 0}).ratio, 0.25);
}

TEST_F(Normwise, OneElementIsALineToo) {
  facts.specs = {Spec{Dtype::f32, {1}}}, facts.axis = 0;
  EXPECT_DOUBLE_EQ(judged(Class::normwise, {f32({0x1p-149})}, {line({0})}).ratio, 1);
  facts.specs = {Spec{Dtype::f32, {0}}};
  EXPECT_EQ(judged(Class::normwise, {f32({})}, {line({})}).compared, 0);
}

TEST_F(Normwise, ANarrowOutputIsRoundedOnceMore) {
  facts.specs = {Spec{Dtype::f16, {2, 4}}};
  Reals want({2, 4});
  want.data = want_;
  std::vector<double> off = want_;
  off[0] = 3.25;
  const double base = normwise_bound(order_), narrowed = base + 0x1p-11 * (1 + base) + 4 * std::sqrt(4.0) * 0x1p-53;
  EXPECT_DOUBLE_EQ(judged(Class::normwise, {tensor(Dtype::f16, {2, 4}, off)}, {want}).allowed,
                   5 * narrowed + 4 * 0x1p-24);
  facts.specs = {Spec{Dtype::f32, {2, 4}}};
  order_.shape = Order::Shape::exact;
  const double once = base + 0x1p-24 * (1 + base) + 4 * std::sqrt(4.0) * 0x1p-53;
  EXPECT_DOUBLE_EQ(got(off).allowed, 5 * once);
}

TEST_F(Normwise, WhatIsNotFiniteIsJudgedByTheElement) {
  want_[1] = kNan;
  EXPECT_EQ(got({3, kNan, 0, 0, 0, 0, 6, 8}).ratio, 0);
  EXPECT_EQ(got({3, kInf, 0, 0, 0, 0, 6, 8}).ratio, 0);
  const Deviation d = got({3, 4, 0, 0, 0, 0, 6, 8});
  EXPECT_EQ(d.ratio, kInf);
  EXPECT_EQ(d.at, 1);
  EXPECT_DOUBLE_EQ(got({3.25, kNan, 0, 0, 0, 0, 6, 8}).allowed, 3 * relative_);
  want_[1] = 4;
  EXPECT_EQ(got({3, kNan, 0, 0, 0, 0, 6, 8}).ratio, kInf);
  EXPECT_EQ(got({3, kInf, 0, 0, 0, 0, 6, 8}).ratio, kInf);
  want_[1] = 3.5e38;
  EXPECT_EQ(got({3, kInf, 0, 0, 0, 0, 6, 8}).ratio, 0);
}

TEST_F(Normwise, PartsOfOneComplexValueAreJudgedTogether) {
  facts.axis = 0, facts.specs = {Spec{Dtype::c64, {2}}};
  const auto ratio = [&](const std::vector<Complex>& values) {
    return judged(Class::normwise, {narrow(pairs(values), Dtype::c64)}, {pairs({{kNan, 1}, {3, 4}})}).ratio;
  };
  EXPECT_EQ(ratio({{kNan, 1}, {3, 4}}), 0);
  EXPECT_EQ(ratio({{7, kNan}, {3, 4}}), 0);
  EXPECT_EQ(ratio({{7, 1}, {3, 4}}), kInf);
  EXPECT_EQ(ratio({{kNan, 1}, {kNan, 4}}), kInf);
}

TEST_F(Normwise, WithoutAFiniteBoundTheLineIsNotJudged) {
  order_.levels = 1e9;
  const Deviation d = got({3.25, 4, 0, 0, 0, 0, 6, 8});
  EXPECT_TRUE(d.ok());
  EXPECT_EQ(d.unbounded, 4);
  EXPECT_EQ(got({3, 4, 0, 0, 0, 0, 6, 8}).unbounded, 0);
}

TEST_F(Fake, EveryOutputIsComparedAndTheWorstNamed) {
  facts.specs = {Spec{Dtype::f32, {1}}, Spec{Dtype::f32, {2}}, Spec{Dtype::i32, {1}}};
  const std::vector<Wide> want{line({1}), line({2, 3}), Integers({1}, 4)};
  const auto got = [&](double a, double b, double c, double d) {
    return judged(Class::exact, {f32({a}), f32({b, c}), tensor(Dtype::i32, {1}, {d})}, want);
  };
  EXPECT_TRUE(got(1, 2, 3, 4).ok());
  EXPECT_EQ(got(1, 2, 3, 4).compared, 4);
  EXPECT_EQ(got(0, 2, 3, 4).output, 0);
  EXPECT_EQ(got(1, 0, 3, 4).output, 1);
  EXPECT_EQ(got(1, 2, 0, 4).output, 1);
  EXPECT_EQ(got(1, 2, 3, 0).output, 2);
  EXPECT_EQ(got(0, 0, 3, 0).output, 0);  // the first of equals
  for (const Deviation& d : {got(0, 2, 3, 4), got(1, 0, 3, 4), got(1, 2, 0, 4), got(1, 2, 3, 0)}) {
    EXPECT_FALSE(d.ok());
    EXPECT_EQ(d.compared, 4);
  }
}

TEST_F(Fake, FormIsAskedFirst) {
  facts.specs = {Spec{Dtype::f32, {1}}, Spec{Dtype::f32, {2}}};
  const std::vector<Wide> want{line({1}), line({2, 3})};
  EXPECT_EQ(judged(Class::exact, {f32({1})}, want).what, "1 outputs instead of 2");
  EXPECT_EQ(judged(Class::exact, {f32({1})}, want).output, 0);
  const Deviation d = judged(Class::exact, {f32({1}), f32({2})}, want);
  EXPECT_EQ(d.what, "f32[1] instead of f32[2]");
  EXPECT_EQ(d.output, 1);
  EXPECT_EQ(d.ratio, kInf);
  EXPECT_EQ(to_string(d), "output 1: f32[1] instead of f32[2]");
  EXPECT_EQ(judged(Class::exact, {f32({1}), tensor(Dtype::f16, {2}, {2, 3})}, want).what, "f16[2] instead of f32[2]");
}

TEST_F(Fake, OnlyActiveRowsAreCompared) {
  op_.active = [](const Call&, const std::vector<Tensor>&) { return facts.active; };
  facts.specs = {Spec{Dtype::f32, {3, 2}}, Spec{Dtype::f32, {2}}};
  facts.active = {2, -1};
  Reals want({3, 2});
  want.data = {1, 2, 3, 4, 5, 6};
  const auto got = [&](const std::vector<double>& rows, double last) {
    return judged(Class::exact, {tensor(Dtype::f32, {3, 2}, rows), f32({7, last})}, {want, line({7, 8})});
  };
  EXPECT_TRUE(got({1, 2, 3, 4, 0, 0}, 8).ok());
  EXPECT_EQ(got({1, 2, 3, 4, 0, 0}, 8).compared, 6);
  EXPECT_FALSE(got({1, 2, 3, 0, 5, 6}, 8).ok());
  EXPECT_FALSE(got({1, 2, 3, 4, 5, 6}, 9).ok());
  facts.active = {0, -1};
  EXPECT_TRUE(got({0, 0, 0, 0, 0, 0}, 8).ok());
  EXPECT_EQ(got({0, 0, 0, 0, 0, 0}, 8).compared, 2);
}

TEST_F(Fake, ARouteThatSaysOtherActiveRowsIsWrong) {
  // The count is the second output: the oracle's says how many rows must be there, the route's how many are.
  op_.active = [](const Call&, const std::vector<Tensor>& out) {
    return std::vector<std::int64_t>{static_cast<std::int64_t>(out[1].read<float>()[0]), -1};
  };
  facts.specs = {Spec{Dtype::f32, {3}}, Spec{Dtype::f32, {1}}};
  const Deviation d = judged(Class::exact, {f32({1, 2, 3}), f32({1})}, {line({1, 2, 3}), line({2})});
  EXPECT_EQ(d.what, "1 active rows instead of 2");
  EXPECT_EQ(judged(Class::exact, {f32({1, 2, 3}), f32({1})}, {line({1, 2, 3}), line({0})}).what,
            "1 active rows instead of 0");
  EXPECT_EQ(d.output, 0);
  EXPECT_TRUE(judged(Class::exact, {f32({1, 2, 9}), f32({2})}, {line({1, 2, 3}), line({2})}).ok());
}

TEST_F(Fake, ARowsOwnTestIsAskedToo) {
  op_.tolerance.residual = [](const Call&, const std::vector<Tensor>&, const Order&) { return facts.residual; };
  facts.residual.compared = 3, facts.residual.unbounded = 1;
  const Deviation good = judged(Class::residual, {f32({1})}, {line({2})});
  EXPECT_TRUE(good.ok());
  EXPECT_EQ(good.compared, 3);
  EXPECT_EQ(good.unbounded, 1);
  facts.residual.ratio = 2;
  EXPECT_EQ(judged(Class::index, {f32({1})}, {line({2})}).ratio, 2);
  facts.residual.ratio = 0, facts.residual.what = "not orthogonal";
  EXPECT_EQ(judged(Class::residual, {f32({1})}, {line({2})}).what, "not orthogonal");
  EXPECT_EQ(judged(Class::exact, {f32({1})}, {line({2})}).what, "not orthogonal");
  facts.residual.what.clear();
  EXPECT_EQ(judged(Class::exact, {f32({1})}, {line({2})}).ratio, kInf);
}

TEST(DeviationWords, NameTheElementOrTheNorm) {
  Deviation d;
  EXPECT_EQ(to_string(d), "exact");
  d.ratio = 0.5, d.output = 2, d.at = 0, d.want = 1, d.got = 1.25, d.allowed = 0.5;
  EXPECT_EQ(to_string(d), "error/allowed = 0.5 in output 2 at 0: want 1, got 1.25, allowed 0.5");
  d.want = 1.0 / 3;
  EXPECT_EQ(to_string(d), "error/allowed = 0.5 in output 2 at 0: want 0.333333333, got 1.25, allowed 0.5");
  d.at = -1;
  EXPECT_EQ(to_string(d), "error/allowed = 0.5 in output 2: the norm of the error is 1.25, allowed 0.5");
  d.what = "3 outputs instead of 1";
  EXPECT_EQ(to_string(d), "output 2: 3 outputs instead of 1");
  EXPECT_FALSE(d.ok());
}

TEST(ToleranceWords, EveryClassHasItsName) {
  const std::pair<Class, std::string_view> names[] = {
      {Class::exact, "exact"},         {Class::rounded, "rounded"},   {Class::accumulate, "accumulate"},
      {Class::inherited, "inherited"}, {Class::residual, "residual"}, {Class::normwise, "normwise"},
      {Class::index, "index"}};
  for (const auto& [kind, text] : names) EXPECT_EQ(name(kind), text);
}

}  // namespace
}  // namespace plumb
