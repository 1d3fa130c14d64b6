// Kernels of the QR factorisation: many small matrices, one per lane, and a panel of one large matrix.
#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

template <class T>
struct Simd;
template <>
struct Simd<float> {
  typedef f32v V;
  typedef i32v I;
  static constexpr int kWidth = kF32, kMantissa = 23, kBias = 127;
};
template <>
struct Simd<double> {
  typedef f64v V;
  typedef i64v I;
  static constexpr int kWidth = kF64, kMantissa = 52, kBias = 1023;
};

static inline float root(float x) { return __builtin_sqrtf(x); }
static inline double root(double x) { return __builtin_sqrt(x); }
static inline f32v root(f32v x) {
#if defined(__AVX512F__)
  return (f32v)_mm512_maskz_sqrt_ps(0xFFFF, (__m512)x);
#elif defined(__AVX2__)
  return (f32v)_mm256_sqrt_ps((__m256)x);
#else
  for (int l = 0; l < kF32; ++l) x[l] = root(x[l]);
  return x;
#endif
}
static inline f64v root(f64v x) {
#if defined(__AVX512F__)
  return (f64v)_mm512_maskz_sqrt_pd(0xFF, (__m512d)x);
#elif defined(__AVX2__)
  return (f64v)_mm256_sqrt_pd((__m256d)x);
#else
  for (int l = 0; l < kF64; ++l) x[l] = root(x[l]);
  return x;
#endif
}

template <class T>
using V = typename Simd<T>::V;
template <class T>
using I = typename Simd<T>::I;

template <class T>
static inline V<T> magnitude(V<T> x) {
  return (V<T>)((I<T>)x & ~((I<T>{} + 1) << (8 * sizeof(T) - 1)));
}
template <class T>
static inline V<T> select(I<T> mask, V<T> a, V<T> b) {
  return (V<T>)((mask & (I<T>)a) | (~mask & (I<T>)b));
}
template <class T>
static inline V<T> larger(V<T> a, V<T> b) {
  return select<T>((I<T>)(a > b), a, b);
}

// 2^-e and 2^e, e the exponent of x >= 0, held where both are normal numbers.
template <class T>
struct Powers {
  V<T> down, up;
};
template <class T>
static inline Powers<T> powers(V<T> x) {
  using S = Simd<T>;
  I<T> e = ((I<T>)x >> S::kMantissa) & (2 * S::kBias + 1);
  const I<T> low = (I<T>)(e < 1), high = (I<T>)(e > 2 * S::kBias - 1);
  e = (low & 1) | (high & (2 * S::kBias - 1)) | (~low & ~high & e);
  return {(V<T>)((2 * S::kBias - e) << S::kMantissa), (V<T>)(e << S::kMantissa)};
}

// ---- One matrix per lane: element (i, j) of all of them is the vector x[i n + j] ----

template <class T>
struct Lanes {
  std::int64_t m, n, size;  // size: the smaller one
  V<T>*x, *q, *up, *tau;
};

// Columns to about 1. Lanes in which an element is not finite.
template <class T>
static I<T> scale_columns(const Lanes<T>& g) {
  I<T> bad{};
  for (std::int64_t j = 0; j < g.n; ++j) {
    V<T> most{};
    for (std::int64_t i = 0; i < g.m; ++i) {
      const V<T> x = g.x[i * g.n + j];
      bad |= (I<T>)(x - x != V<T>{});
      most = larger<T>(magnitude<T>(x), most);
    }
    const Powers<T> p = powers<T>(most);
    g.up[j] = p.up;
    for (std::int64_t i = 0; i < g.m; ++i) g.x[i * g.n + j] *= p.down;
  }
  return bad;
}

// H_k = I - tau v v^T, v_k = 1; v comes to lie below the diagonal, r_kk on it. H_k = I where nothing is below.
template <class T>
static V<T> reflector(const Lanes<T>& g, std::int64_t k) {
  const std::int64_t n = g.n;
  V<T> most{};
  for (std::int64_t i = k + 1; i < g.m; ++i) most = larger<T>(magnitude<T>(g.x[i * n + k]), most);
  const Powers<T> p = powers<T>(larger<T>(magnitude<T>(g.x[k * n + k]), most));
  const V<T> a = g.x[k * n + k] * p.down;
  V<T> squares{};
  for (std::int64_t i = k + 1; i < g.m; ++i) {
    const V<T> x = g.x[i * n + k] * p.down;
    squares = fma(x, x, squares);
  }
  const I<T> active = (I<T>)(squares > V<T>{}), sign = (I<T>{} + 1) << (8 * sizeof(T) - 1);
  const V<T> norm = root(fma(a, a, squares)), b = (V<T>)((I<T>)norm | (~(I<T>)a & sign));
  const V<T> one = V<T>{} + 1, safe = select<T>(active, a - b, one), inverse = select<T>(active, one / safe, V<T>{});
  for (std::int64_t i = k + 1; i < g.m; ++i) g.x[i * n + k] = g.x[i * n + k] * p.down * inverse;
  g.x[k * n + k] = select<T>(active, b * p.up, g.x[k * n + k]);
  return select<T>(active, (b - a) / select<T>(active, b, one), V<T>{});
}

// kTogether columns of c, which has `n` of them, from j on: H_k c.
template <class T, int kTogether>
static inline void reflect(const Lanes<T>& g, std::int64_t k, V<T>* c, std::int64_t n, std::int64_t j) {
  V<T> s[kTogether];
  for (int t = 0; t < kTogether; ++t) s[t] = c[k * n + j + t];
  for (std::int64_t i = k + 1; i < g.m; ++i) {
    const V<T> v = g.x[i * g.n + k];
    for (int t = 0; t < kTogether; ++t) s[t] = fma(v, c[i * n + j + t], s[t]);
  }
  for (int t = 0; t < kTogether; ++t) {
    s[t] *= g.tau[k];
    c[k * n + j + t] -= s[t];
  }
  for (std::int64_t i = k + 1; i < g.m; ++i) {
    const V<T> v = g.x[i * g.n + k];
    for (int t = 0; t < kTogether; ++t) c[i * n + j + t] = fma(-v, s[t], c[i * n + j + t]);
  }
}

template <class T>
static void reflect_from(const Lanes<T>& g, std::int64_t k, V<T>* c, std::int64_t n, std::int64_t j) {
  for (; j + 4 <= n; j += 4) reflect<T, 4>(g, k, c, n, j);
  for (; j < n; ++j) reflect<T, 1>(g, k, c, n, j);
}

template <class T>
static I<T> factor_lanes(const Lanes<T>& g) {
  const I<T> bad = scale_columns<T>(g);
  for (std::int64_t k = 0; k < g.size; ++k) {
    g.tau[k] = reflector<T>(g, k);
    reflect_from<T>(g, k, g.x, g.n, k + 1);
  }
  for (std::int64_t e = 0; e < g.m * g.size; ++e) g.q[e] = V<T>{};
  for (std::int64_t k = g.size - 1; k >= 0; --k) {
    g.q[k * g.size + k] = V<T>{} + 1;
    reflect_from<T>(g, k, g.q, g.size, k);
  }
  return bad;
}

// `count` <= kWidth dense matrices, one after another. `room` holds (m n + m size + n + size) kWidth values.
template <class T>
static void factor_group(const T* a, std::int64_t count, std::int64_t m, std::int64_t n, T* room, T* q, T* r) {
  constexpr std::int64_t kWidth = Simd<T>::kWidth;
  const std::int64_t size = m < n ? m : n;
  V<T>* x = reinterpret_cast<V<T>*>(room);
  const Lanes<T> g{m, n, size, x, x + m * n, x + m * n + m * size, x + m * n + m * size + n};
  for (std::int64_t e = 0; e < m * n; ++e)
    for (std::int64_t l = 0; l < kWidth; ++l) room[e * kWidth + l] = a[(l < count ? l : 0) * m * n + e];
  const I<T> bad = factor_lanes<T>(g);
  const V<T> nan = splat(static_cast<T>(__builtin_nan("")));
  for (std::int64_t e = 0; e < m * size; ++e) {
    const V<T> y = select<T>(bad, nan, g.q[e]);
    for (std::int64_t l = 0; l < count; ++l) q[l * m * size + e] = y[l];
  }
  for (std::int64_t i = 0; i < size; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      const V<T> y = i > j ? V<T>{} : select<T>(bad, nan, x[i * n + j] * g.up[j]);
      for (std::int64_t l = 0; l < count; ++l) r[l * size * n + i * n + j] = y[l];
    }
  }
}

// ---- A panel: m rows, ld apart, ld a multiple of kWidth with zeros behind the panel's columns ----

template <class T>
static T sum_of(V<T> v) {
  T s = v[0];
  for (int l = 1; l < Simd<T>::kWidth; ++l) s += v[l];
  return s;
}

// v (m values, v_0 = 1) of the column x, whose first element becomes r; returns tau. What lies behind x in its room is
// 0.
template <class T>
static T column_reflector(T* x, std::int64_t m, T& r) {
  constexpr int kWidth = Simd<T>::kWidth;
  V<T> most{};
  for (std::int64_t i = 0; i < m; i += kWidth) most = larger<T>(magnitude<T>(load(x + i)), most);
  T top = 0;
  for (int l = 0; l < kWidth; ++l) top = most[l] > top ? most[l] : top;
  const Powers<T> p = powers<T>(splat(top));
  const T a = x[0] * p.down[0];
  x[0] = 0;
  V<T> squares{};
  for (std::int64_t i = 0; i < m; i += kWidth) {
    const V<T> y = load(x + i) * p.down;
    squares = fma(y, y, squares);
  }
  const T tail = sum_of<T>(squares), norm = root(a * a + tail), b = __builtin_signbit(a) ? norm : -norm;
  r = tail > 0 ? b * p.up[0] : a * p.up[0];
  const V<T> inverse = splat(tail > 0 ? 1 / (a - b) : T(0));
  for (std::int64_t i = 0; i < m; i += kWidth) store(x + i, load(x + i) * p.down * inverse);
  x[0] = 1;
  return tail > 0 ? (b - a) / b : T(0);
}

// One vector of columns, those of `keep` set left as they are: c -= v tau (v^T c).
template <class T>
static void reflect_strip(const T* v, T tau, T* c, std::int64_t ld, std::int64_t m, I<T> keep) {
  V<T> s[4] = {};
  std::int64_t i = 0;
  for (; i + 4 <= m; i += 4)
    for (int t = 0; t < 4; ++t) s[t] = fma(splat(v[i + t]), load(c + (i + t) * ld), s[t]);
  for (; i < m; ++i) s[0] = fma(splat(v[i]), load(c + i * ld), s[0]);
  const V<T> w = select<T>(keep, V<T>{}, ((s[0] + s[1]) + (s[2] + s[3])) * splat(tau));
  for (i = 0; i < m; ++i) store(c + i * ld, fma(splat(-v[i]), w, load(c + i * ld)));
}

// R in the upper triangle of the panel and what is below it 0; v_k, 1 at its head, in column k of `reflectors`, n
// apart.
template <class T>
static void factor_panel(T* panel, std::int64_t ld, std::int64_t m, std::int64_t width, T* column, T* reflectors,
                         std::int64_t n, T* tau) {
  constexpr std::int64_t kWidth = Simd<T>::kWidth;
  for (std::int64_t k = 0; k < width; ++k) {
    const std::int64_t rows = m - k, padded = (rows + kWidth - 1) / kWidth * kWidth;
    for (std::int64_t i = 0; i < rows; ++i) column[i] = panel[(k + i) * ld + k];
    for (std::int64_t i = rows; i < padded; ++i) column[i] = 0;
    T r;
    tau[k] = column_reflector<T>(column, rows, r);
    panel[k * ld + k] = r;
    for (std::int64_t i = 1; i < rows; ++i) panel[(k + i) * ld + k] = 0;
    for (std::int64_t i = 0; i < k; ++i) reflectors[i * n + k] = 0;
    for (std::int64_t i = 0; i < rows; ++i) reflectors[(k + i) * n + k] = column[i];
    if (tau[k] == 0) continue;
    for (std::int64_t strip = (k + 1) / kWidth * kWidth; strip < ld; strip += kWidth) {
      I<T> keep = {};
      for (int l = 0; l < kWidth; ++l) keep[l] = strip + l <= k ? -1 : 0;
      reflect_strip<T>(column, tau[k], panel + k * ld + strip, ld, rows, keep);
    }
  }
}

}  // namespace

// NOLINTBEGIN(bugprone-macro-parentheses): a type
#define PLUMB_QR(T, suffix)                                                                                       \
  std::int64_t qr_width_##suffix() { return Simd<T>::kWidth; }                                                    \
  void qr_group_##suffix(const T* a, std::int64_t count, std::int64_t m, std::int64_t n, T* room, T* q, T* r) {   \
    factor_group(a, count, m, n, room, q, r);                                                                     \
  }                                                                                                               \
  void qr_panel_##suffix(T* panel, std::int64_t ld, std::int64_t m, std::int64_t width, T* column, T* reflectors, \
                         std::int64_t n, T* tau) {                                                                \
    factor_panel(panel, ld, m, width, column, reflectors, n, tau);                                                \
  }
// NOLINTEND(bugprone-macro-parentheses)
PLUMB_QR(float, f32)
PLUMB_QR(double, f64)
#undef PLUMB_QR

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
