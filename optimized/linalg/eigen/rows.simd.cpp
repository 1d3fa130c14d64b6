// Products, combinations and rotations of rows: see rows.h.
#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

double row_product(const double* x, const double* y, std::int64_t n) {
  f64v s[4] = {};
  std::int64_t i = 0;
  for (; i + 4 * kF64 <= n; i += 4 * kF64)
    for (int r = 0; r < 4; ++r) s[r] = fma(load(x + i + r * kF64), load(y + i + r * kF64), s[r]);
  for (; i + kF64 <= n; i += kF64) s[0] = fma(load(x + i), load(y + i), s[0]);
  const f64v all = (s[0] + s[1]) + (s[2] + s[3]);
  double total = 0;
  for (int r = 0; r < kF64; ++r) total += all[r];
  for (; i < n; ++i) total += x[i] * y[i];
  return total;
}

void row_combine(double* y, std::int64_t n, const double* c, const double* const* x, int terms) {
  std::int64_t i = 0;
  for (; i + kF64 <= n; i += kF64) {
    f64v v = load(y + i);
    for (int t = 0; t < terms; ++t) v = fma(splat(c[t]), load(x[t] + i), v);
    store(y + i, v);
  }
  for (; i < n; ++i)
    for (int t = 0; t < terms; ++t) y[i] += c[t] * x[t][i];
}

void row_rotate(double* x, double* y, double c, double s, std::int64_t n) {
  std::int64_t i = 0;
  for (; i + kF64 <= n; i += kF64) {
    const f64v p = load(x + i), q = load(y + i);
    store(x + i, c * p - s * q);
    store(y + i, s * p + c * q);
  }
  for (; i < n; ++i) {
    const double p = x[i], q = y[i];
    x[i] = c * p - s * q;
    y[i] = s * p + c * q;
  }
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
