// What the elementary functions are built from: choice by lanes, sums and products with their rounding errors, the
// parts of a number, and binary32 functions evaluated in two binary64 halves.
#pragma once

#include "optimized/exp.h"
#include "optimized/functions/coefficients.h"
#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

// A comparison of f64v is an i64v: -1 in the lanes where it holds.
static inline f64v choose(i64v where, f64v a, f64v b) { return where ? a : b; }

static inline f64v nan_f64() { return splat(__builtin_nan("")); }
static inline f64v inf_f64() { return splat(__builtin_inf()); }
static inline i64v sign_bit(f64v x) { return (i64v)x & (i64v)splat(-0.0); }
static inline f64v magnitude(f64v x) { return (f64v)((i64v)x & ~(i64v)splat(-0.0)); }
static inline f64v flip(f64v x, i64v sign) { return (f64v)((i64v)x ^ sign); }
static inline f64v with_sign(f64v x, f64v of) { return (f64v)((i64v)magnitude(x) | sign_bit(of)); }
static inline i64v is_negative(f64v x) { return (i64v)x < 0; }  // -0 and NaN with its sign set too

// The smaller of two; b where either is NaN.
static inline f64v smaller(f64v a, f64v b) {
#if defined(__AVX512F__)
  return (f64v)_mm512_maskz_min_pd(0xFF, (__m512d)a, (__m512d)b);
#elif defined(__AVX2__)
  return (f64v)_mm256_min_pd((__m256d)a, (__m256d)b);
#else
  return a < b ? a : b;
#endif
}

static inline f32v smaller(f32v a, f32v b) {
#if defined(__AVX512F__)
  return (f32v)_mm512_maskz_min_ps(0xFFFF, (__m512)a, (__m512)b);
#elif defined(__AVX2__)
  return (f32v)_mm256_min_ps((__m256)a, (__m256)b);
#else
  return a < b ? a : b;
#endif
}

static inline bool any(i64v where) {
#if defined(__AVX512F__)
  return _mm512_movepi64_mask((__m512i)where) != 0;
#elif defined(__AVX2__)
  return _mm256_movemask_pd((__m256d)where) != 0;
#else
  bool r = false;
  for (int i = 0; i < kF64; ++i) r = r || where[i] != 0;
  return r;
#endif
}

// A sum or a product and what its rounding took away: hi + lo is exact.
struct Parts {
  f64v hi, lo;
};
static inline Parts two_sum(f64v a, f64v b) {
  const f64v s = a + b, t = s - a;
  return {s, (a - (s - t)) + (b - t)};
}
static inline Parts ordered_sum(f64v a, f64v b) {  // |a| >= |b| or a = 0
  const f64v s = a + b;
  return {s, b - (s - a)};
}
static inline Parts two_product(f64v a, f64v b) {
  const f64v p = a * b;
#if defined(__AVX512F__) || defined(__FMA__)
  return {p, fma(a, b, -p)};
#else  // halves of 26 bits, whose products are exact
  const f64v s = a * 0x8000001p0, ah = s - (s - a), al = a - ah;
  const f64v t = b * 0x8000001p0, bh = t - (t - b), bl = b - bh;
  return {p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
#endif
}

// c[0] + c[1] x + ..: even and odd powers apart, so that two chains run side by side.
template <int N>
static inline f64v polynomial(const double (&c)[N], f64v x) {
  const f64v y = x * x;
  f64v last = splat(c[N - 1]), other = splat(c[N - 2]);
  for (int i = N - 3; i >= 0; i -= 2) {
    last = fma(last, y, splat(c[i]));
    if (i > 0) other = fma(other, y, splat(c[i - 1]));
  }
  return N % 2 == 1 ? fma(other, x, last) : fma(last, x, other);
}

template <int N>
static inline f32v polynomial(const double (&c)[N], f32v x) {
  f32v p = splat(static_cast<float>(c[N - 1]));
  for (int i = N - 2; i >= 0; --i) p = fma(p, x, splat(static_cast<float>(c[i])));
  return p;
}

// Whole numbers below 2^51: nearest to x, and as integers.
static inline f64v nearest(f64v x) { return (x + 0x1.8p52) - 0x1.8p52; }
static inline i64v integer(f64v n) { return (i64v)(n + 0x1.8p52) - (i64v)splat(0x1.8p52); }
static inline f64v power_of_two(f64v n) { return (f64v)((integer(n) + 1023) << 52); }  // -1022 <= n <= 1023

// x = 2^k m, sqrt(1/2) <= m < sqrt(2), for positive normal numbers.
struct Decomposed {
  f64v k, m;
};
static inline Decomposed decompose_normal(f64v x) {
  const u64v t = (u64v)x + (0x3FF0000000000000U - 0x3FE6A09E667F3BCDU);
  const f64v k = (f64v)(t >> 52 | (u64v)splat(0x1p52)) - (0x1p52 + 1023);
  return {k, (f64v)((u64v)x - (t & 0xFFF0000000000000U) + 0x3FF0000000000000U)};
}
static inline Decomposed decompose(f64v x) {
  const i64v tiny = x < 0x1p-1022;
  const Decomposed d = decompose_normal(choose(tiny, x * 0x1p54, x));
  return {d.k - choose(tiny, splat(54.0), splat(0.0)), d.m};
}

// The two halves of a vector of floats as doubles, and back with one rounding.
struct Halves {
  f64v low, high;
};
static inline Halves widen(f32v x) {
#if defined(__AVX512F__)
  const __m512d bits = _mm512_castps_pd((__m512)x);
  return {(f64v)_mm512_maskz_cvtps_pd(0xFF, _mm256_castpd_ps(_mm512_maskz_extractf64x4_pd(0xF, bits, 0))),
          (f64v)_mm512_maskz_cvtps_pd(0xFF, _mm256_castpd_ps(_mm512_maskz_extractf64x4_pd(0xF, bits, 1)))};
#elif defined(__AVX2__)
  return {(f64v)_mm256_cvtps_pd(_mm256_castps256_ps128((__m256)x)),
          (f64v)_mm256_cvtps_pd(_mm256_extractf128_ps((__m256)x, 1))};
#elif defined(__SSE2__)
  return {(f64v)_mm_cvtps_pd((__m128)x), (f64v)_mm_cvtps_pd(_mm_movehl_ps((__m128)x, (__m128)x))};
#else
  Halves h;
  for (int i = 0; i < kF64; ++i) h.low[i] = x[i], h.high[i] = x[kF64 + i];
  return h;
#endif
}
static inline f32v narrow(f64v low, f64v high) {
#if defined(__AVX512F__)
  const __m256 a = _mm512_maskz_cvtpd_ps(0xFF, (__m512d)low), b = _mm512_maskz_cvtpd_ps(0xFF, (__m512d)high);
  return (f32v)_mm512_maskz_insertf32x8(0xFFFF, _mm512_castps256_ps512(a), b, 1);
#elif defined(__AVX2__)
  return (f32v)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps((__m256d)low)),
                                    _mm256_cvtpd_ps((__m256d)high), 1);
#elif defined(__SSE2__)
  return (f32v)_mm_movelh_ps(_mm_cvtpd_ps((__m128d)low), _mm_cvtpd_ps((__m128d)high));
#else
  f32v y;
  for (int i = 0; i < kF64; ++i) y[i] = static_cast<float>(low[i]), y[kF64 + i] = static_cast<float>(high[i]);
  return y;
#endif
}
template <class F>
static inline f32v by_halves(f32v x, F f) {
  const Halves h = widen(x);
  return narrow(f(h.low), f(h.high));
}
template <class F>
static inline f32v by_halves(f32v x, f32v y, F f) {
  const Halves a = widen(x), b = widen(y);
  return narrow(f(a.low, b.low), f(a.high, b.high));
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
