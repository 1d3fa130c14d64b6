// The tiled Cholesky factorisation: every parameter on both sides, the guard, and what is not positive definite.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "core/device.h"
#include "core/error.h"
#include "library/factor.h"

namespace plumb {
namespace {

using ::testing::HasSubstr;

std::vector<On> sides() {
  if (current_device().tier == Tier::unavailable) return {On::cpu};
  return {On::cpu, On::device};
}

using Square = std::vector<double>;

Tensor floats(std::int64_t n, const Square& a) { return tensor(Dtype::f32, {n, n}, a); }

Square gaussian(std::int64_t n, std::uint64_t key) {
  std::mt19937_64 words(key);
  std::normal_distribution<double> normal;
  Square g(static_cast<std::size_t>(n * n));
  for (double& x : g) x = normal(words);
  return g;
}

double at(const Square& a, std::int64_t n, std::int64_t i, std::int64_t j) {
  return a[static_cast<std::size_t>(i * n + j)];
}

// M M^T / n + ridge I
Square gram(std::int64_t n, double ridge, std::uint64_t key = 1) {
  const Square m = gaussian(n, key);
  Square a(m.size());
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      double s = 0;
      for (std::int64_t p = 0; p < n; ++p) s += at(m, n, i, p) * at(m, n, j, p);
      a[static_cast<std::size_t>(i * n + j)] = s / static_cast<double>(n) + (i == j ? ridge : 0);
    }
  return a;
}

Square values(const Tensor& t) {
  if (t.dtype() == Dtype::f64) return {t.read<double>(), t.read<double>() + t.size()};
  return {t.read<float>(), t.read<float>() + t.size()};
}

// ||A - L L^T||_F / ||A||_F; infinite where L is not lower with a positive diagonal.
double residual(const Tensor& matrix, const Tensor& factor) {
  const std::int64_t n = matrix.dim(-1);
  const Square a = values(matrix), l = values(factor);
  double error = 0, whole = 0;
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      if (i < j ? at(l, n, i, j) != 0 : i == j && !(at(l, n, i, i) > 0)) return INFINITY;
      double s = at(a, n, i, j);
      for (std::int64_t p = 0; p < n; ++p) s -= at(l, n, i, p) * at(l, n, j, p);
      error += s * s, whole += at(a, n, i, j) * at(a, n, i, j);
    }
  return std::sqrt(error / whole);
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.spec() == b.spec() && std::memcmp(a.read<std::byte>(), b.read<std::byte>(),
                                             static_cast<std::size_t>(a.size() * info(a.dtype()).bytes)) == 0;
}

// Gamma_(n+1) of the roundings of an element, of a matrix of condition 50: Higham 2002, Theorem 10.3, with room of 2.
double allowed(std::int64_t n) { return 2 * static_cast<double>(n + 1) * 0x1p-24; }

TEST(TiledCholesky, EveryBlockOnEverySide) {
  for (const On on : sides())
    for (const std::int64_t n : {1, 2, 15, 16, 17, 33, 64, 129, 256}) {
      const Tensor a = floats(n, gram(n, 0.1));
      for (const std::int64_t block : {1, 4, 8, 16, 32, 64, 128}) {
        const CholeskyResult r = tiled_cholesky(a, {.block = block}, on);
        EXPECT_EQ(r.answered(0), on == On::cpu ? "cpu.tiled" : "gpu.tiled");
        EXPECT_LE(residual(a, r.factor), allowed(n)) << n << " by " << block;
      }
    }
}

// Who does the work changes no bit of it.
TEST(TiledCholesky, ThreadsChangeNothing) {
  const Tensor a = floats(150, gram(150, 0.1));
  for (const On on : sides()) {
    const Tensor one = tiled_cholesky(a, {.block = 24}, on).factor;
    for (const bool diagonal : {false, true})
      for (const bool trailing : {false, true}) {
        const TiledCholesky o{.block = 24, .one_thread_diagonal = diagonal, .parallel_trailing = trailing};
        EXPECT_TRUE(same_bits(tiled_cholesky(a, o, on).factor, one)) << diagonal << trailing;
      }
  }
}

TEST(TiledCholesky, UpperIsLowerTurned) {
  const Tensor a = floats(70, gram(70, 0.1));
  for (const On on : sides()) {
    const Tensor l = tiled_cholesky(a, {}, on).factor, u = tiled_cholesky(a, {}, on, true).factor;
    EXPECT_TRUE(same_bits(contiguous(u.view({70, 70}, {1, 70})), l));
  }
}

// 1 1; 1 1 + t: the second pivot is t, here below n eps and above 0.
TEST(TiledCholesky, TheGuardHandsOverToF64) {
  const double t = 0x1p-23;
  const Tensor a = floats(2, {1, 1, 1, 1 + t});
  for (const On on : sides()) {
    const CholeskyResult r = tiled_cholesky(a, {}, on);
    EXPECT_EQ(r.runs[0].status, 0);
    EXPECT_EQ(r.runs[0].guarded, 1);
    EXPECT_EQ(r.runs[0].value, t);
    EXPECT_EQ(r.answered(0), on == On::cpu ? "cpu.tiled in f64" : "gpu.tiled in f64");
    EXPECT_EQ(r.wider, 1);
    EXPECT_EQ(values(r.factor)[3], static_cast<double>(static_cast<float>(std::sqrt(t))));
    const CholeskyResult bold = tiled_cholesky(a, {.guard = 0}, on);
    EXPECT_EQ(bold.wider, 0);
    const CholeskyResult alone = tiled_cholesky(a, {.wider = false}, on);
    EXPECT_EQ(alone.runs[0].status, 2);
    EXPECT_EQ(alone.answered(0), "");
    EXPECT_EQ(alone.failed, 1);
    EXPECT_EQ(values(alone.factor)[0], 1);
    EXPECT_EQ(values(alone.factor)[1], 0);
    EXPECT_TRUE(std::isnan(values(alone.factor)[2]) && std::isnan(values(alone.factor)[3]));
  }
}

// f64 mends what f32 cannot: a Gram matrix of condition 1e9, whose small pivots are lost in the roundings of f32.
TEST(TiledCholesky, AnIllConditionedMatrixIsAnsweredInF64) {
  const std::int64_t n = 40;
  Square a(n * n);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j)
      a[static_cast<std::size_t>(i * n + j)] = 1 + (i == j ? std::ldexp(1.0, -20 - static_cast<int>(i % 3)) : 0);
  for (const On on : sides()) {
    const CholeskyResult r = tiled_cholesky(floats(n, a), {.block = 8}, on);
    EXPECT_EQ(r.wider, 1);
    EXPECT_GE(r.runs[0].guarded, 1);
    EXPECT_LE(residual(floats(n, a), r.factor), 0x1p-23);
  }
}

// The matrix that the pattern was first shown with: (G + G^T) / 2 + 0.1 I has eigenvalues of either sign.
TEST(TiledCholesky, ASymmetrisedGaussianIsNotPositiveDefinite) {
  const std::int64_t n = 256;
  Square g = gaussian(n, 5), a(g.size());
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j)
      a[static_cast<std::size_t>(i * n + j)] = (at(g, n, i, j) + at(g, n, j, i)) / 2 + (i == j ? 0.1 : 0);
  for (const On on : sides()) {
    const CholeskyResult r = tiled_cholesky(floats(n, a), {.block = 16}, on);
    ASSERT_GT(r.runs[0].status, 0);
    const Square l = values(r.factor);
    const std::int64_t first = r.runs[0].status - 1;
    for (std::int64_t i = 0; i < n; ++i) {
      EXPECT_EQ(std::isnan(at(l, n, i, i)), i >= first);
      for (std::int64_t j = i + 1; j < n; ++j) EXPECT_EQ(at(l, n, i, j), 0);
    }
  }
}

TEST(TiledCholesky, ABatchTellsWhichOne) {
  Square all = gram(20, 0.1);
  Square bad = all, undefined = all;
  bad[13 * 20 + 13] = -1, undefined[4 * 20 + 2] = NAN;
  const Square good = all;
  all.insert(all.end(), bad.begin(), bad.end());
  all.insert(all.end(), undefined.begin(), undefined.end());
  all.insert(all.end(), good.begin(), good.end());
  for (const On on : sides()) {
    const CholeskyResult r = tiled_cholesky(tensor(Dtype::f32, {4, 20, 20}, all), {.block = 8}, on);
    EXPECT_EQ(r.runs[0].status, 0);
    EXPECT_EQ(r.runs[1].status, 14);
    EXPECT_EQ(r.runs[2].status, 5);
    EXPECT_EQ(r.runs[3].status, 0);
    EXPECT_EQ(r.failed, 2);
    const Tensor alone = tiled_cholesky(floats(20, good), {.block = 8}, on).factor;
    for (const std::int64_t m : {0, 3})
      EXPECT_TRUE(same_bits(contiguous(r.factor.view({20, 20}, {20, 1}, m * 400)), alone)) << m;
  }
}

TEST(TiledCholesky, F64IsGuardedAndStaysAlone) {
  const double t = 0x1p-52;
  const Tensor a = tensor(Dtype::f64, {2, 2}, {1, 1, 1, 1 + t});
  for (const On on : sides()) {
    const CholeskyResult r = tiled_cholesky(a, {}, on);
    EXPECT_EQ(r.runs[0].status, 2);
    EXPECT_FALSE(r.runs[0].wider);
    EXPECT_EQ(tiled_cholesky(a, {.guard = 0}, on).failed, 0);
  }
}

TEST(TiledCholesky, ParametersThatMakeNoSense) {
  const Tensor a = floats(2, {2, 0, 0, 2});
  for (const TiledCholesky& o : {TiledCholesky{.block = 0}, TiledCholesky{.block = 129}, TiledCholesky{.guard = -1},
                                 TiledCholesky{.guard = NAN}, TiledCholesky{.guard = INFINITY}})
    for (const On on : sides()) try {
        (void)tiled_cholesky(a, o, on);
        ADD_FAILURE() << o.block << " " << o.guard;
      } catch (const Error& e) {
        EXPECT_EQ(e.reason(), Reason::attribute);
        EXPECT_THAT(e.what(), HasSubstr("tiled_cholesky"));
      }
  EXPECT_EQ(tiled_cholesky(Tensor(Spec{Dtype::f32, {2, 0, 0}})).runs.size(), 2u);
}

}  // namespace
}  // namespace plumb
