// Kernels of rotations: sums over two rows and their rotation; and all rotations of many small matrices, one per lane.
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
  static constexpr int kWidth = kF32;
};
template <>
struct Simd<double> {
  typedef f64v V;
  typedef i64v I;
  static constexpr int kWidth = kF64;
};
template <class T>
using V = typename Simd<T>::V;
template <class T>
using I = typename Simd<T>::I;

static inline f32v root(f32v x) {
#if defined(__AVX512F__)
  return (f32v)_mm512_maskz_sqrt_ps(0xFFFF, (__m512)x);
#elif defined(__AVX2__)
  return (f32v)_mm256_sqrt_ps((__m256)x);
#else
  for (int l = 0; l < kF32; ++l) x[l] = __builtin_sqrtf(x[l]);
  return x;
#endif
}
static inline f64v root(f64v x) {
#if defined(__AVX512F__)
  return (f64v)_mm512_maskz_sqrt_pd(0xFF, (__m512d)x);
#elif defined(__AVX2__)
  return (f64v)_mm256_sqrt_pd((__m256d)x);
#else
  for (int l = 0; l < kF64; ++l) x[l] = __builtin_sqrt(x[l]);
  return x;
#endif
}

template <class T>
static inline V<T> select(I<T> mask, V<T> a, V<T> b) {
  return (V<T>)((mask & (I<T>)a) | (~mask & (I<T>)b));
}
template <class T>
static inline V<T> magnitude(V<T> x) {
  return (V<T>)((I<T>)x & ~((I<T>{} + 1) << (8 * sizeof(T) - 1)));
}
template <class T>
static inline bool any(I<T> mask) {
  std::int64_t words[kVectorBytes / 8], all = 0;
  std::memcpy(words, &mask, sizeof words);
  for (const std::int64_t w : words) all |= w;
  return all != 0;
}
template <class T>
static T sum_of(V<T> v) {
  T s = v[0];
  for (int l = 1; l < Simd<T>::kWidth; ++l) s += v[l];
  return s;
}

// (x, x), (y, y) and (x, y).
template <class T>
static void sums(const T* x, const T* y, std::int64_t n, T* out) {
  constexpr int kWidth = Simd<T>::kWidth;
  V<T> xx[2] = {}, yy[2] = {}, xy[2] = {};
  std::int64_t i = 0;
  for (; i + 2 * kWidth <= n; i += 2 * kWidth) {
    for (int t = 0; t < 2; ++t) {
      const V<T> a = load(x + i + t * kWidth), b = load(y + i + t * kWidth);
      xx[t] = fma(a, a, xx[t]);
      yy[t] = fma(b, b, yy[t]);
      xy[t] = fma(a, b, xy[t]);
    }
  }
  T s[3] = {sum_of<T>(xx[0] + xx[1]), sum_of<T>(yy[0] + yy[1]), sum_of<T>(xy[0] + xy[1])};
  for (; i < n; ++i) {
    s[0] += x[i] * x[i];
    s[1] += y[i] * y[i];
    s[2] += x[i] * y[i];
  }
  std::memcpy(out, s, sizeof s);
}

// x <- c x - s y, y <- s x + c y
template <class T>
static void rotate_rows(T* x, T* y, std::int64_t n, T c, T s) {
  constexpr int kWidth = Simd<T>::kWidth;
  std::int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) {
    const V<T> a = load(x + i), b = load(y + i);
    store(x + i, fma(splat(c), a, splat(-s) * b));
    store(y + i, fma(splat(s), a, splat(c) * b));
  }
  for (; i < n; ++i) {
    const T a = x[i], b = y[i];
    x[i] = c * a - s * b;
    y[i] = s * a + c * b;
  }
}

// ---- One matrix per lane: element i of row p is the vector w[p l + i] ----

template <class T>
struct Lanes {
  std::int64_t k, l;
  V<T>*w, *j;
  T tolerance, null;
};

template <class T>
static inline void rotate_lanes(V<T>* x, V<T>* y, std::int64_t n, V<T> c, V<T> s) {
  for (std::int64_t i = 0; i < n; ++i) {
    const V<T> a = x[i], b = y[i];
    x[i] = fma(c, a, -s * b);
    y[i] = fma(s, a, c * b);
  }
}

// Makes rows p and q orthogonal in the lanes where they are not; those lanes.
template <class T>
static I<T> orthogonalize(const Lanes<T>& g, std::int64_t p, std::int64_t q) {
  V<T>*x = g.w + p * g.l, *y = g.w + q * g.l;
  V<T> xx{}, yy{}, xy{};
  for (std::int64_t i = 0; i < g.l; ++i) {
    xx = fma(x[i], x[i], xx);
    yy = fma(y[i], y[i], yy);
    xy = fma(x[i], y[i], xy);
  }
  const V<T> one = V<T>{} + 1, null = splat(g.null);
  const I<T> turn =
      (I<T>)(xx > null) & (I<T>)(yy > null) & (I<T>)(magnitude<T>(xy) > splat(g.tolerance) * root(xx) * root(yy));
  if (!any<T>(turn)) return turn;
  const V<T> z = (yy - xx) / (select<T>(turn, xy, one) * 2), size = magnitude<T>(z);
  const V<T> r = size + select<T>((I<T>)(size > splat(T(0x1p30))), size, root(fma(z, z, one)));  // z^2 may overflow
  const I<T> sign = (I<T>)z & ((I<T>{} + 1) << (8 * sizeof(T) - 1));
  const V<T> t = (V<T>)((I<T>)(one / r) | sign), c = one / root(fma(t, t, one));
  const V<T> cosine = select<T>(turn, c, one), sine = select<T>(turn, c * t, V<T>{});
  rotate_lanes<T>(x, y, g.l, cosine, sine);
  if (g.j) rotate_lanes<T>(g.j + p * g.k, g.j + q * g.k, g.k, cosine, sine);
  return turn;
}

// All sweeps over kWidth matrices that lie in w; true if every one of the lanes has converged.
template <class T>
static bool rotate_group(T* w, T* j, std::int64_t k, std::int64_t l, T tolerance, T null, std::int64_t sweeps) {
  const Lanes<T> g{k, l, reinterpret_cast<V<T>*>(w), reinterpret_cast<V<T>*>(j), tolerance, null};
  for (std::int64_t e = 0; g.j && e < k * k; ++e) g.j[e] = V<T>{} + (e % (k + 1) == 0 ? T(1) : T(0));
  for (std::int64_t sweep = 0; sweep < sweeps; ++sweep) {
    I<T> turned{};
    for (std::int64_t p = 0; p < k; ++p)
      for (std::int64_t q = p + 1; q < k; ++q) turned |= orthogonalize<T>(g, p, q);
    if (!any<T>(turned)) return true;
  }
  return false;
}

}  // namespace

// NOLINTBEGIN(bugprone-macro-parentheses): a type
#define PLUMB_SVD(T, suffix)                                                                                      \
  std::int64_t svd_width_##suffix() { return Simd<T>::kWidth; }                                                   \
  void svd_sums_##suffix(const T* x, const T* y, std::int64_t n, T* out) { sums(x, y, n, out); }                  \
  void svd_rotate_##suffix(T* x, T* y, std::int64_t n, T c, T s) { rotate_rows(x, y, n, c, s); }                  \
  bool svd_group_##suffix(T* w, T* j, std::int64_t k, std::int64_t l, T tolerance, T null, std::int64_t sweeps) { \
    return rotate_group(w, j, k, l, tolerance, null, sweeps);                                                     \
  }
// NOLINTEND(bugprone-macro-parentheses)
PLUMB_SVD(float, f32)
PLUMB_SVD(double, f64)
#undef PLUMB_SVD

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
