// Answers of ordinary size whose intermediate results are not: transforms and norms near the ends of the range, means
// that must stay among their values, moments of values far from 0, products that vanish. On every route.
#include <gtest/gtest.h>

#include <cmath>
#include <ctime>
#include <limits>
#include <numbers>

#include "cli/families.h"
#include "core/fill.h"
#include "core/route.h"

namespace plumb {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();

struct Numbers : testing::Test {
  static void SetUpTestSuite() { install_families(); }
};

// Calls f(outputs, route) for the oracle and every route that takes the call here; there is one at least, unless the
// oracle is the only one.
template <class F>
void on_every_route(const Call& call, F&& f, int least = 2) {
  int ran = 0;
  for (const Route& r : routes(*call.op)) {
    if (!refusal(r, call, current_device()).empty()) continue;
    SCOPED_TRACE(std::string(call.op->name) + "@" + std::string(r.name));
    f(active(call, run(call, r)), r);
    ++ran;
  }
  EXPECT_GE(ran, least) << call.op->name;
}

// Every route within its bound.
void expect_judged_right(const Call& call, int least = 2) {
  const std::vector<Wide> want = call.op->oracle(call), G = magnitude(call);
  on_every_route(
      call,
      [&](const std::vector<Tensor>&, const Route& r) {
        const Deviation d = compare(call, want, G, order_of(r, call), run(call, r));
        EXPECT_TRUE(d.ok()) << to_string(d);
        EXPECT_EQ(d.unbounded, 0);
      },
      least);
}

Tensor filled(Dtype t, Shape shape, double v) {
  const auto n = static_cast<std::size_t>(count(shape));
  return tensor(t, std::move(shape), std::vector<double>(n, v));
}

std::vector<double> values(const Tensor& t) {
  const Wide w = widen(t);
  return is_complex(t.dtype()) ? std::vector<double>() : reals(w).data;
}

// ---- transforms

struct Line {
  std::int64_t n;
  double value;
};

// n equal terms: s n v in bin 0, nothing else to speak of.
void expect_constant_line(const char* op, Line line) {
  const bool inverse = std::string_view(op) == "ifft";
  const Call call = make_call(op, {filled(Dtype::c64, {1, line.n}, line.value)});
  const double v = static_cast<double>(static_cast<float>(line.value));
  const double sum = inverse ? v : v * static_cast<double>(line.n),
               size = std::abs(line.value) * std::sqrt(double(line.n));
  on_every_route(call, [&](const std::vector<Tensor>& out, const Route&) {
    const Wide y = widen(out[0]);
    for (std::int64_t i = 0; i < out[0].size(); ++i) {
      const Complex got = complexes(y)[i];
      const double want = i % line.n == 0 ? sum : 0;
      const double near = 4e-6 * std::max(want, inverse ? v : size) + 0x1p-149;
      if (want > info(Dtype::f32).max) {
        EXPECT_EQ(got.real(), kInf);
        continue;
      }
      EXPECT_NEAR(got.real(), want, near) << i;
      EXPECT_LE(std::abs(got.imag()), near) << i;
    }
  });
  expect_judged_right(call);
}

TEST_F(Numbers, LargeAndSmallLinesTransformAsOrdinaryOnes) {
  for (const char* op : {"fft", "ifft"})
    for (const double v : {1e38, 8e37, 1e36, 1e-38, 1e-40})
      for (const std::int64_t n : {1, 7, 8}) expect_constant_line(op, {n, v});
  for (const double v : {1e36, 1e-40})
    for (const std::int64_t n : {1009, 5000}) expect_constant_line("ifft", {n, v});
  expect_constant_line("ifft", {10007, 1e35});
}

// Each line by itself, whatever its neighbours are: as columns, as rows, and beside what is not finite.
TEST_F(Numbers, ALineIsScaledByItself) {
  for (const std::int64_t n : {24, 53})
    for (const char* values : {"apart", "apart-0", "nan_rows"}) {
      const Tensor rows = fill({Dtype::c64, {7, n}}, values, 5);
      expect_judged_right(make_call("ifft", {rows}));
      expect_judged_right(make_call("fft", {rows.view({n, 7}, {1, n})}, {{"axis", 0}}));
    }
  // A length that is taken in steps, and a convolution that is.
  expect_judged_right(make_call("ifft", {fill({Dtype::c64, {4, 2048}}, "apart", 6)}));
  expect_judged_right(make_call("ifft", {fill({Dtype::c64, {1, 4099}}, "apart", 6)}));
}

// ---- means

struct Mean {
  const char* op;
  std::vector<Tensor> in;
  Attrs attrs;
  std::size_t output;
};

Tensor sites(std::int64_t n, bool apart) {
  std::vector<double> v;
  for (std::int64_t i = 0; i < n; ++i) v.insert(v.end(), {0, apart ? static_cast<double>(i) : 0, 0, 0});
  return tensor(Dtype::i32, {n, 4}, v);
}

// Ways to take the mean of n equal rows.
std::vector<Mean> means(std::int64_t n, Dtype t, double value) {
  const Tensor x = filled(t, {n, 3}, value), one = tensor(Dtype::i32, {1}, {static_cast<double>(n)});
  std::vector<Mean> all{
      {"global_avg_pool", {sites(n, true), one, x}, {{"batch_size", 1}}, 0},
      {"avg_pool3d", {sites(n, true), one, x}, {{"kernel_size", n}, {"stride", n}}, 1},
      {"sparse_from_coordinates", {sites(n, false), x, one}, {{"duplicate_reduction", "mean"}}, 1},
      {"batch_norm", {x}, {}, 1},
  };
  if (t == Dtype::f32)
    all.push_back({"voxelize",
                   {filled(Dtype::f32, {n, 3}, 0.5), filled(Dtype::i32, {n}, 0), one, x},
                   {{"voxel_size", 1.0}, {"reduction", "mean"}},
                   1});
  return all;
}

TEST_F(Numbers, TheMeanOfEqualValuesIsTheValue) {
  for (const Dtype t : {Dtype::f32, Dtype::f16})
    for (const std::int64_t n : {2, 3, 7, 11, 25, 49})
      for (const double v : {0.1, -1.7, 3.14159, 6e-5, 60000.0, 3e38, 1e-38, 7e-45}) {
        const double stored = values(filled(t, {1}, v))[0];
        for (const Mean& m : means(n, t, v)) {
          if (std::string_view(m.op) == "batch_norm" && !std::isfinite(stored)) continue;
          on_every_route(make_call(m.op, m.in, m.attrs), [&](const std::vector<Tensor>& out, const Route&) {
            ASSERT_GT(out[m.output].size(), 0);
            for (const double got : values(out[m.output])) EXPECT_EQ(got, stored) << n << " times " << v;
          });
        }
      }
}

// Many equal values: their sum is rounded often.
TEST_F(Numbers, TheMeanOfManyEqualValuesIsTheValue) {
  for (const Mean& m : means(3001, Dtype::f32, 0.1)) {
    if (std::string_view(m.op) == "avg_pool3d") continue;  // the kernel would be that wide
    on_every_route(make_call(m.op, m.in, m.attrs), [&](const std::vector<Tensor>& out, const Route&) {
      for (const double got : values(out[m.output])) EXPECT_EQ(got, static_cast<double>(0.1F));
    });
  }
}

// ---- norms

constexpr double kRoot = 1.3416407864998738, kHalf = 0.4472135954999579;  // 3 and 1 over the root of 5

void expect_norm(const char* op, const std::vector<double>& row, const std::vector<double>& want, double eps) {
  const Call call = make_call(op, {tensor(Dtype::f32, {1, std::ssize(row)}, row)}, {{"eps", eps}});
  on_every_route(call, [&](const std::vector<Tensor>& out, const Route&) {
    for (std::size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(values(out[0])[i], want[i], 3e-6) << i;
  });
  expect_judged_right(call);
}

TEST_F(Numbers, MomentsOfValuesFarFromZero) {
  constexpr double kTiny = 1e-30, kFar = 1e7;
  for (const double at : {kFar, -kFar, 8e6, 1e5})
    expect_norm("layer_norm_features", {at, at + 1, at + 2, at + 3}, {-kRoot, -kHalf, kHalf, kRoot}, kTiny);
  const Call columns = make_call("batch_norm", {tensor(Dtype::f32, {4, 1}, {kFar, kFar + 1, kFar + 2, kFar + 3})});
  on_every_route(columns, [&](const std::vector<Tensor>& out, const Route&) {
    EXPECT_EQ(values(out[1])[0], kFar + 2);  // 10000001.5, to even
    EXPECT_NEAR(values(out[2])[0], 1.25, 1e-6);
    EXPECT_NEAR(values(out[0])[3], 1.5 / std::sqrt(1.25 + 1e-5), 3e-6);
  });
  expect_judged_right(columns);
  // One value far from the others, where it comes first and where it does not.
  for (const std::int64_t place : {0, 20}) {
    Tensor x = fill({Dtype::f32, {64, 33}}, "uniform", 3);
    for (std::int64_t c = 0; c < 33; ++c) x.write<float>()[place * 33 + c] = 1e7F;
    expect_judged_right(make_call("batch_norm", {x}));
    expect_judged_right(make_call("layer_norm_features", {contiguous(x.view({33, 64}, {1, 33}))}));
  }
}

TEST_F(Numbers, NormsOfWhatSquaresToInfinityOrNothing) {
  for (const double s : {1e25, 1e30, 8e37})
    expect_norm("layer_norm_features", {s, 2 * s, 3 * s, 4 * s}, {-kRoot, -kHalf, kHalf, kRoot}, 1e-5);
  for (const double s : {1e25, 1e30, 8e37})
    expect_norm("rms_norm_features", {s, -2 * s, 3 * s, 4 * s}, {0.36514837, -0.73029674, 1.0954452, 1.4605935}, 1e-5);
  for (const char* values : {"const-1e25", "wide-100", "huge", "apart", "tiny", "subnormal"})
    for (const char* op : {"layer_norm_features", "rms_norm_features", "batch_norm"})
      expect_judged_right(make_call(op, {fill({Dtype::f32, {9, 40}}, values, 2)}));
}

// ---- products, factors

TEST_F(Numbers, WhatVanishesOrPassesTheRangeIsJudgedSo) {
  const auto one = [](double v) { return tensor(Dtype::f32, {1, 1}, {v}); };
  for (const auto& [a, b] : {std::pair{1e-25, 1e-22}, {1e-30, 1e-15}, {3e38, 2.0}, {3e38, 1.0}, {1e20, -1e20}})
    expect_judged_right(make_call("matmul", {one(a), one(b)}));
  expect_judged_right(make_call("fft", {filled(Dtype::c64, {2}, 3e38)}));
  for (const double s : {1e38, 1e-38, 1e30, 1e-30})  // the factor is the root
    expect_judged_right(make_call("cholesky", {tensor(Dtype::f32, {2, 2}, {s, s / 2, s / 2, s})}));
  for (const double s : {3e38, -3e38, 1e-40})
    expect_judged_right(make_call("softmax", {filled(Dtype::f32, {2, 5}, s)}, {{"axis", -1}}));
}

// ---- quantize: one rule for what is not finite

Tensor linspace(double from, double to, std::int64_t n) {
  std::vector<double> v;
  for (std::int64_t i = 0; i < n; ++i) v.push_back(from + (to - from) * double(i) / double(n - 1));
  return tensor(Dtype::f32, {1, n}, v);
}

TEST_F(Numbers, QuantizeOfAWideGroupKeepsIt) {
  const Call call = make_call("quantize", {linspace(-3e38, 3e38, 32)}, {{"group_size", 32}, {"bits", 4}});
  on_every_route(call, [](const std::vector<Tensor>& out, const Route&) {
    EXPECT_NEAR(std::abs(values(out[1])[0]), 3.75e37, 1e31);
    EXPECT_NEAR(values(out[2])[0], 3e38, 1e32);
  });
  expect_judged_right(call);
}

TEST_F(Numbers, QuantizeOfWhatIsNotFiniteMarksTheGroupInEveryLane) {
  const int all = current_device().tier == Tier::unavailable ? 2 : 3;
  for (const char* mode : {"affine", "mxfp4", "mxfp8", "nvfp4"})
    for (const double bad : {kNan, kInf, -kInf})
      for (const std::int64_t lane : {0, 1, 3, 7, 8, 15, 16, 31}) {
        Tensor w = contiguous(linspace(0, 31, 32));
        w.write<float>()[lane] = static_cast<float>(bad);
        for (const Dtype t : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
          const Attrs attrs =
              std::string_view(mode) == "affine" ? Attrs{{"group_size", 32}, {"bits", 4}} : Attrs{{"mode", mode}};
          const Call call = make_call("quantize", {narrow(widen(w), t)}, attrs);
          on_every_route(
              call,
              [&](const std::vector<Tensor>& out, const Route&) {
                if (std::string_view(mode) == "affine") {
                  EXPECT_TRUE(std::isnan(values(out[1])[0]));
                }
                if (std::string_view(mode).starts_with("mx")) {
                  EXPECT_EQ(out[1].read<std::uint8_t>()[0], 255);
                }
              },
              all);
          expect_judged_right(call, all);
        }
      }
}

// Groups below the range of the scale byte: the least scale, and never the byte of another binade.
TEST_F(Numbers, QuantizeOfATinyGroupClampsItsScale) {
  std::vector<double> tiny(32, 0.0);
  tiny[0] = tiny[1] = -1e-40, tiny[2] = 5e-41;
  for (const char* mode : {"mxfp4", "mxfp8"}) {
    const Call call = make_call("quantize", {tensor(Dtype::f32, {1, 32}, tiny)}, {{"mode", mode}});
    on_every_route(call,
                   [](const std::vector<Tensor>& out, const Route&) { EXPECT_EQ(out[1].read<std::uint8_t>()[0], 0); });
    expect_judged_right(call);
  }
}

// How many whole sites a ball holds, by its definition; a million calls of a large one would take hours if each site of
// it were met.
TEST_F(Numbers, TheSitesOfABallAreCountedQuickly) {
  const auto sites = [](double radius) {
    const Op& op = find_op("radius_relation");
    const Spec coords{Dtype::i32, {1, 4}}, active{Dtype::i32, {1}};
    return output_specs(make_request(op, {coords, active}, {{"radius", radius}})).at(0).shape.at(0);
  };
  const std::clock_t begin = std::clock();
  EXPECT_EQ(sites(0), 1);
  EXPECT_EQ(sites(1), 7);
  EXPECT_EQ(sites(1.5), 19);
  EXPECT_EQ(sites(2), 33);
  EXPECT_EQ(sites(3.3), 147);
  EXPECT_EQ(sites(30), 113081);
  EXPECT_EQ(sites(800), 2144654669);
  EXPECT_THROW((void)sites(930), Error);  // more than int32 can number
  EXPECT_LT(std::clock() - begin, CLOCKS_PER_SEC / 20);
}

}  // namespace
}  // namespace plumb
