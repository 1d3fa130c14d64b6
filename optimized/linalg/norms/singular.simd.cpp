// Inner products of two columns and their rotation; the imaginary parts of a complex column lie behind its real ones.
#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

static inline double total(f64v v) {
  double s = 0;
  for (int i = 0; i < kF64; ++i) s += v[i];
  return s;
}

inline double dot(const double* x, const double* y, std::int64_t n) {
  f64v a = {}, b = {};
  std::int64_t i = 0;
  for (; i + 2 * kF64 <= n; i += 2 * kF64) {
    a = fma(load(x + i), load(y + i), a);
    b = fma(load(x + i + kF64), load(y + i + kF64), b);
  }
  double s = total(a + b);
  for (; i < n; ++i) s += x[i] * y[i];
  return s;
}

}  // namespace

// out: x^H x, y^H y, the real and the imaginary part of x^H y.
void column_products(const double* x, const double* y, std::int64_t rows, int parts, double* out) {
  const std::int64_t n = rows * parts;
  out[0] = dot(x, x, n);
  out[1] = dot(y, y, n);
  out[2] = dot(x, y, n);
  out[3] = parts == 2 ? dot(x, y + rows, rows) - dot(x + rows, y, rows) : 0;
}

// by: c, s, e, f. With w = (e - i f) y: x = c x - s w, y = s x + c w.
void turn_columns(double* x, double* y, std::int64_t rows, int parts, const double* by) {
  const double c = by[0], s = by[1], e = by[2], f = by[3];
  double *xi = x + rows, *yi = y + rows;
  const bool real = parts == 1;
  std::int64_t i = 0;
  for (; i + kF64 <= rows; i += kF64) {
    const f64v p = load(x + i), q = load(y + i), qi = real ? f64v{} : load(yi + i);
    const f64v w = e * q + f * qi, wi = e * qi - f * q;
    store(x + i, c * p - s * w);
    store(y + i, s * p + c * w);
    if (real) continue;
    const f64v pi = load(xi + i);
    store(xi + i, c * pi - s * wi);
    store(yi + i, s * pi + c * wi);
  }
  for (; i < rows; ++i) {
    const double p = x[i], q = y[i], qi = real ? 0 : yi[i], w = e * q + f * qi, wi = e * qi - f * q;
    x[i] = c * p - s * w;
    y[i] = s * p + c * w;
    if (real) continue;
    const double pi = xi[i];
    xi[i] = c * pi - s * wi;
    yi[i] = s * pi + c * wi;
  }
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
