// Reflections I - t v v^H of rows and of columns, for the reduction of general matrices. A row of complex numbers has
// its imaginary parts `ld` behind the real ones; parts is 1 or 2.
#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

// Elements j .. j + kF64 of m rows, `step` apart.
inline void lanes_of_rows(double* x, std::int64_t step, std::int64_t ld, const double* v, double t, std::int64_t m,
                          int parts) {
  f64v s = {}, si = {};
  const double* vi = v + m;
  for (std::int64_t k = 0; k < m; ++k) {
    const f64v a = load(x + k * step);
    s = fma(splat(v[k]), a, s);
    if (parts == 1) continue;
    const f64v b = load(x + k * step + ld);
    s = fma(splat(vi[k]), b, s);
    si = fma(splat(v[k]), b, fma(splat(-vi[k]), a, si));
  }
  s = t * s, si = t * si;
  for (std::int64_t k = 0; k < m; ++k) {
    double* row = x + k * step;
    if (parts == 1) {
      store(row, fma(splat(-v[k]), s, load(row)));
      continue;
    }
    store(row, fma(splat(-v[k]), s, fma(splat(vi[k]), si, load(row))));
    store(row + ld, fma(splat(-v[k]), si, fma(splat(-vi[k]), s, load(row + ld))));
  }
}

inline void element_of_rows(double* x, std::int64_t step, std::int64_t ld, const double* v, double t, std::int64_t m,
                            int parts) {
  double s = 0, si = 0;
  const double* vi = v + m;
  for (std::int64_t k = 0; k < m; ++k) {
    const double a = x[k * step], b = parts == 2 ? x[k * step + ld] : 0, c = parts == 2 ? vi[k] : 0;
    s += v[k] * a + c * b;
    si += v[k] * b - c * a;
  }
  s *= t, si *= t;
  for (std::int64_t k = 0; k < m; ++k) {
    const double c = parts == 2 ? vi[k] : 0;
    x[k * step] -= v[k] * s - c * si;
    if (parts == 2) x[k * step + ld] -= v[k] * si + c * s;
  }
}

}  // namespace

// Rows x, x + step, ..: m of them, n columns of each; v: m real parts, then imaginary ones.
void reflect_rows(double* x, std::int64_t step, std::int64_t ld, std::int64_t n, const double* v, double t,
                  std::int64_t m, int parts) {
  std::int64_t j = 0;
  for (; j + kF64 <= n; j += kF64) lanes_of_rows(x + j, step, ld, v, t, m, parts);
  for (; j < n; ++j) element_of_rows(x + j, step, ld, v, t, m, parts);
}

// m neighbouring columns of `rows` rows: x v is subtracted times t v^H.
void reflect_columns(double* x, std::int64_t step, std::int64_t ld, std::int64_t rows, const double* v, double t,
                     std::int64_t m, int parts) {
  const double* vi = v + m;
  for (std::int64_t i = 0; i < rows; ++i, x += step) {
    double *y = x + ld, s = 0, si = 0;
    std::int64_t k = 0;
    f64v sum = {}, sumi = {};
    for (; k + kF64 <= m; k += kF64) {
      const f64v a = load(x + k), c = load(v + k);
      sum = fma(a, c, sum);
      if (parts == 1) continue;
      const f64v b = load(y + k), d = load(vi + k);
      sum = fma(-b, d, sum);
      sumi = fma(a, d, fma(b, c, sumi));
    }
    for (int r = 0; r < kF64; ++r) s += sum[r], si += sumi[r];
    for (; k < m; ++k) {
      s += x[k] * v[k] - (parts == 2 ? y[k] * vi[k] : 0);
      if (parts == 2) si += x[k] * vi[k] + y[k] * v[k];
    }
    s *= t, si *= t;
    for (k = 0; k + kF64 <= m; k += kF64) {
      const f64v c = load(v + k);
      if (parts == 1) {
        store(x + k, fma(splat(-s), c, load(x + k)));
        continue;
      }
      const f64v d = load(vi + k);
      store(x + k, fma(splat(-s), c, fma(splat(-si), d, load(x + k))));
      store(y + k, fma(splat(-si), c, fma(splat(s), d, load(y + k))));
    }
    for (; k < m; ++k) {
      const double d = parts == 2 ? vi[k] : 0;
      x[k] -= s * v[k] + si * d;
      if (parts == 2) y[k] -= si * v[k] - s * d;
    }
  }
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
