// Normalises a line of doubles by its own moments.
#include "optimized/element.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

constexpr int kSums = 4 * kF64;  // interleaved sums

double joined(const f64v* s) {
  double lane[kF64];
  store(lane, (s[0] + s[2]) + (s[1] + s[3]));
  for (int half = kF64 / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) lane[i] += lane[i + half];
  return lane[0];
}

// The sum of f(x_i).
template <class F>
inline double sum_of(const double* x, std::int64_t n, F f) {
  f64v s[4] = {};
  std::int64_t i = 0;
  for (; i + kSums <= n; i += kSums)
    for (int r = 0; r < 4; ++r) s[r] += f(load(x + i + r * kF64));
  if (i < n) {
    double rest[kSums] = {};
    std::memcpy(rest, x + i, static_cast<std::size_t>(n - i) * sizeof(double));
    for (int r = 0; r < 4; ++r) store(rest + r * kF64, f(load(rest + r * kF64)));
    for (std::int64_t j = n - i; j < kSums; ++j) rest[j] = 0;
    for (int r = 0; r < 4; ++r) s[r] += load(rest + r * kF64);
  }
  return joined(s);
}

struct Ends {
  double least, greatest;  // a NaN is passed over
};
Ends ends_of(const double* x, std::int64_t n) {
  f64v low = splat(__builtin_inf()), high = -low;
  std::int64_t i = 0;
  for (; i + kF64 <= n; i += kF64) {
    const f64v v = load(x + i);
    low = v < low ? v : low;
    high = v > high ? v : high;
  }
  Ends e{__builtin_inf(), -__builtin_inf()};
  const auto take = [&](double a, double b) {
    e.least = a < e.least ? a : e.least;
    e.greatest = b > e.greatest ? b : e.greatest;
  };
  for (int k = 0; k < kF64; ++k) take(low[k], high[k]);
  for (; i < n; ++i) take(x[i], x[i]);
  return e;
}

// Squares of what is that large or, where no eps is added, that small, are no doubles: such a line is scaled by a power
// of two, which rounds nothing but what is beyond all influence.
double factor_of(double peak, double eps) {
  const bool beyond = peak > 0x1p400 || (eps == 0 && peak < 0x1p-400);
  if (!beyond || !(peak > 0) || peak > 0x1.fffffffffffffp1023) return 1;
  std::int64_t bits;
  std::memcpy(&bits, &peak, sizeof bits);
  std::int64_t power = 2046 - (bits >> 52);  // of the factor, with its bias: the peak comes to lie near 1
  if (power > 2046) power = 2046;
  bits = (power < 1 ? 1 : power) << 52;
  double f;
  std::memcpy(&f, &bits, sizeof f);
  return f;
}

// eps beside a scaled variance. Where it vanishes no variance but 0 is as small, and then the distances are 0 too.
double scaled_eps(double eps, double f) {
  const double e = eps * f * f;
  return eps > 0 && e < 0x1p-1022 ? 0x1p-1022 : e;
}

}  // namespace

int normalise_lanes() { return kSums; }

// x = (x - m) / sqrt(v + eps) * weight + bias, m and v of the n values themselves; m = 0 unless centred. wide: of f64,
// whose squares may be no doubles, and whose sums may not be exact.
void normalise_line(double* x, std::int64_t n, bool wide, bool centred, double eps, const double* weight,
                    const double* bias) {
  const auto count = static_cast<double>(n);
  double least = -__builtin_inf(), greatest = __builtin_inf();
  if (wide) {
    const Ends e = ends_of(x, n);
    const double f = factor_of(e.greatest > -e.least ? e.greatest : -e.least, eps);
    if (f != 1)
      for (std::int64_t i = 0; i < n; ++i) x[i] *= f;
    least = e.least * f, greatest = e.greatest * f;
    eps = scaled_eps(eps, f);
  }
  double m = centred ? sum_of(x, n, [](f64v v) { return v; }) / count : 0;
  if (centred) m = m < least ? least : m > greatest ? greatest : m;
  const double s = 1 / __builtin_sqrt(sum_of(x, n, [&](f64v v) { return (v - m) * (v - m); }) / count + eps);
  std::int64_t i = 0;
  for (; i + kF64 <= n; i += kF64) store(x + i, (load(x + i) - m) * s * load(weight + i) + load(bias + i));
  for (; i < n; ++i) x[i] = (x[i] - m) * s * weight[i] + bias[i];
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
