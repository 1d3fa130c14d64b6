// The exponential that softmax computes with: its stated error, and what it does at the edges of its range.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "core/double2.h"
#include "optimized/dispatch.h"
#include "optimized/exp.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void exp_f32(const float* x, std::int64_t n, float* y))
PLUMB_DECLARE_SIMD(void exp_f64(const double* x, std::int64_t n, double* y))

namespace {

constexpr std::int64_t kTile = 4096;

// |y - e^x| in units in the last place of e^x, that of subnormal numbers below the smallest normal one.
double ulps(double y, Double2 want, int precision, int least_exponent) {
  const int exponent = std::max(want.hi > 0 ? std::ilogb(want.hi) - precision + 1 : least_exponent, least_exponent);
  return std::abs(std::ldexp((Double2(y) - want).hi, -exponent));
}

// The largest error over every `step`-th float from -0 down to -105.
double worst_f32(std::uint32_t step) {
  std::vector<float> x(kTile), y(kTile);
  double worst = 0;
  const std::uint32_t end = std::bit_cast<std::uint32_t>(-105.0F);
  for (std::uint64_t b = 0x80000000U; b <= end; b += kTile * std::uint64_t{step}) {
    for (std::size_t i = 0; i < x.size(); ++i)
      x[i] = std::bit_cast<float>(static_cast<std::uint32_t>(std::min<std::uint64_t>(b + i * step, end)));
    PLUMB_DISPATCH(exp_f32)(x.data(), kTile, y.data());
    for (std::size_t i = 0; i < x.size(); ++i) worst = std::max(worst, ulps(y[i], std::exp(double{x[i]}), 24, -149));
  }
  return worst;
}

double worst_f64() {
  std::vector<double> x(kTile), y(kTile);
  double worst = 0;
  for (const double reach : {1.0, 30.0, 708.0, 746.0}) {
    for (std::size_t i = 0; i < x.size(); ++i)
      x[i] = -reach * std::fmod(0.6180339887498949 * static_cast<double>(i), 1.0);
    PLUMB_DISPATCH(exp_f64)(x.data(), kTile, y.data());
    for (std::size_t i = 0; i < x.size(); ++i) worst = std::max(worst, ulps(y[i], exp(Double2(x[i])), 53, -1074));
  }
  return worst;
}

class EveryIsa : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (GetParam() > best_isa()) GTEST_SKIP() << "this processor lacks " << name(GetParam());
    set_isa(GetParam());
  }
  void TearDown() override { set_isa(best_isa()); }
};

// PLUMB_EXHAUSTIVE visits every float, as the nightly run does.
TEST_P(EveryIsa, ExponentialKeepsItsStatedError) {
  EXPECT_LE(worst_f32(std::getenv("PLUMB_EXHAUSTIVE") ? 1 : 997), kExpUlps);
  EXPECT_LE(worst_f64(), kExpUlps);
}

TEST_P(EveryIsa, ExponentialAtTheEdges) {
  const float inf = std::numeric_limits<float>::infinity();
  std::vector<float> x(16, -1.0F), y(16);
  x[0] = -inf, x[1] = std::nanf(""), x[2] = -0.0F, x[3] = -103.97F, x[4] = -1e30F;
  PLUMB_DISPATCH(exp_f32)(x.data(), 16, y.data());
  EXPECT_EQ(y[0], 0.0F);
  EXPECT_TRUE(std::isnan(y[1]));
  EXPECT_EQ(y[2], 1.0F);
  EXPECT_EQ(y[3], std::numeric_limits<float>::denorm_min());  // underflow is gradual
  EXPECT_EQ(y[4], 0.0F);
}

INSTANTIATE_TEST_SUITE_P(Isas, EveryIsa, testing::Values(Isa::base, Isa::avx2, Isa::avx512),
                         [](const auto& i) { return std::string(name(i.param)); });

}  // namespace
}  // namespace plumb
