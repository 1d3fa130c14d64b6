// Whether what is drawn is distributed as it is called: moments and shares of many draws at fixed keys. What a draw is,
// to the bit, the recorded answers say.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "core/route.h"

namespace plumb {
namespace {

constexpr std::int64_t kDraws = 1 << 17;
constexpr double kErrors = 4.5;  // standard errors, of which chance passes so many once in 150,000 times
constexpr double kPi = 3.14159265358979324;

Tensor key(std::uint32_t seed) { return tensor(Dtype::u32, {2}, {0, static_cast<double>(seed)}); }
Tensor number(Dtype t, double x) { return tensor(t, {}, {x}); }

std::vector<double> drawn(std::string_view op, std::vector<Tensor> in, const Attrs& attrs) {
  const Tensor t = contiguous(run(make_call(op, std::move(in), attrs)).front());
  const Wide wide = widen(t.dtype() == Dtype::f32 ? t : narrow(widen(t), Dtype::f64));
  if (const auto* x = std::get_if<Reals>(&wide)) return x->data;
  std::vector<double> values;
  for (const Double2 x : std::get<Reals2>(wide).data) values.push_back(x.hi);
  return values;
}

// How far the shares of n draws are from those that they should be: chi-square, in standard deviations about its mean.
double surprise(const std::vector<double>& counts, const std::vector<double>& shares, double n) {
  double chi = 0;
  for (std::size_t b = 0; b < shares.size(); ++b) {
    const double off = counts[b] - n * shares[b];
    chi += off * off / (n * shares[b]);
  }
  const double freedom = static_cast<double>(shares.size()) - 1;
  return (chi - freedom) / std::sqrt(2 * freedom);
}

// ---- real numbers

struct Law {
  const char* op;
  std::vector<Tensor> in;
  Attrs attrs;
  double mean, m2, m4, m8;  // central moments
  double (*below)(double);  // the share below x
};

double normal_below(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }

std::vector<Law> laws() {
  const Attrs many{{"shape", Shape{kDraws}}};
  return {
      {"uniform", {{}, {}, key(1)}, many, 0.5, 1 / 12.0, 1 / 80.0, 1 / 2304.0, [](double x) { return x; }},
      {"normal", {key(2)}, many, 0, 1, 3, 105, normal_below},
      {"normal",
       {key(3), number(Dtype::f32, 5), number(Dtype::f32, 2)},
       many,
       5,
       4,
       48,
       26880,
       [](double x) { return normal_below((x - 5) / 2); }},
      {"laplace",
       {key(4)},
       many,
       0,
       2,
       24,
       40320,
       [](double x) { return x < 0 ? std::exp(x) / 2 : 1 - std::exp(-x) / 2; }},
      {"gumbel",
       {key(5)},
       many,
       0.57721566490153286,
       kPi * kPi / 6,
       14.6113636551003656,
       22630.6073132221,
       [](double x) { return std::exp(-std::exp(-x)); }},
      {"truncated_normal",
       {number(Dtype::f32, -1), number(Dtype::f32, 1), key(6)},
       many,
       0,
       0.291125094772793211,
       0.164500379091172845,
       0.0865140263733952563,
       [](double x) { return std::erf(x / std::sqrt(2.0)) / std::erf(1 / std::sqrt(2.0)) / 2 + 0.5; }},
      {"truncated_normal",  // far out nearly exponential: P(Z > 20 + t) / P(Z > 20), by the ratio of the tails
       {number(Dtype::f32, 20), number(Dtype::f32, INFINITY), key(7)},
       many,
       0,
       0,
       0,
       0,
       [](double x) { return 1 - std::erfc(x / std::sqrt(2.0)) / std::erfc(20 / std::sqrt(2.0)); }},
  };
}

double moment(const std::vector<double>& x, double about, int power) {
  double sum = 0;
  for (const double v : x) sum += std::pow(v - about, power);
  return sum / static_cast<double>(x.size());
}

TEST(RandomNumbers, HaveTheMomentsOfTheirLaw) {
  for (const Law& law : laws()) {
    if (law.m2 == 0) continue;
    const std::vector<double> x = drawn(law.op, law.in, law.attrs);
    const auto near = [&](double got, double want, double variance) {
      EXPECT_NEAR(got, want, kErrors * std::sqrt(variance / kDraws)) << law.op;
    };
    near(moment(x, 0, 1), law.mean, law.m2);
    near(moment(x, law.mean, 2), law.m2, law.m4 - law.m2 * law.m2);
    near(moment(x, law.mean, 4), law.m4, law.m8 - law.m4 * law.m4);
  }
}

TEST(RandomNumbers, FallIntoBinsOfOneShareAlike) {
  constexpr std::size_t kBins = 128;
  for (const Law& law : laws()) {
    std::vector<double> counts(kBins), shares(kBins, 1.0 / kBins);
    for (const double x : drawn(law.op, law.in, law.attrs))
      ++counts[std::min(kBins - 1, static_cast<std::size_t>(law.below(x) * kBins))];
    EXPECT_LT(std::abs(surprise(counts, shares, kDraws)), kErrors) << law.op;
  }
}

// ---- whole numbers

struct Discrete {
  const char* op;
  std::vector<Tensor> in;
  Attrs attrs;
  std::vector<double> shares;
};

std::vector<Discrete> discrete() {
  const Attrs many{{"shape", Shape{kDraws}}};
  const Tensor logits = tensor(Dtype::f32, {4}, {0, std::log(2.0), std::log(3.0), std::log(4.0)});
  const Tensor lines = logits.view({2, 4}, {0, 1});  // two distributions: by Gumbel numbers
  const std::vector<double> tenths{0.1, 0.2, 0.3, 0.4};
  return {
      {"bernoulli", {number(Dtype::f32, 0.3), key(8)}, many, {0.7, 0.3}},
      {"randint", {number(Dtype::i32, 0), number(Dtype::i32, 10), key(9)}, many, std::vector<double>(10, 0.1)},
      {"randint",
       {number(Dtype::i32, 0), number(Dtype::i32, 256), key(10)},
       {{"shape", Shape{kDraws}}, {"dtype", "u8"}},
       std::vector<double>(256, 1 / 256.0)},
      {"categorical", {logits, key(11)}, {{"num_samples", kDraws}}, tenths},
      {"categorical", {lines, key(12)}, {{"axis", 1}, {"num_samples", kDraws / 2}}, tenths},
  };
}

TEST(RandomNumbers, AreChosenInTheirShares) {
  for (const Discrete& d : discrete()) {
    std::vector<double> counts(d.shares.size());
    for (const double x : drawn(d.op, d.in, d.attrs)) ++counts.at(static_cast<std::size_t>(x));
    EXPECT_LT(std::abs(surprise(counts, d.shares, kDraws)), kErrors) << d.op;
  }
}

// Every position goes to every place alike.
TEST(RandomNumbers, PermutationsAreFair) {
  constexpr std::size_t kSize = 6;
  constexpr std::uint32_t kTimes = 3000;
  std::vector<double> counts(kSize * kSize), shares(kSize * kSize, 1.0 / (kSize * kSize));
  for (std::uint32_t seed = 0; seed < kTimes; ++seed) {
    const std::vector<double> p = drawn("permutation_n", {key(seed)}, {{"n", static_cast<int>(kSize)}});
    for (std::size_t i = 0; i < kSize; ++i) ++counts[i * kSize + static_cast<std::size_t>(p[i])];
  }
  EXPECT_LT(std::abs(surprise(counts, shares, double{kTimes} * kSize)), kErrors);
}

}  // namespace
}  // namespace plumb
