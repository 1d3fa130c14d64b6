// e^x over vectors for x <= 0 and NaN, the range that softmax needs. Errors: at most kExpUlps, underflow gradual,
// e^x = 0 exactly below the smallest subnormal number.
//
//   x = n ln 2 + r, |r| <= ln 2 / 2,  e^x = 2^n (1 + r + r^2 q(r)), q minimax for the relative error
#pragma once

#include "optimized/simd.h"

namespace plumb {

inline constexpr double kExpUlps = 1.25;  // measured over every float in range, see the unit test of reduction

namespace PLUMB_ISA_NAME {

// The larger of two; b where either is NaN.
static inline f32v larger(f32v a, f32v b) {
#if defined(__AVX512F__)
  return (f32v)_mm512_maskz_max_ps(0xFFFF, (__m512)a, (__m512)b);
#elif defined(__AVX2__)
  return (f32v)_mm256_max_ps((__m256)a, (__m256)b);
#else
  return a > b ? a : b;
#endif
}
static inline f64v larger(f64v a, f64v b) {
#if defined(__AVX512F__)
  return (f64v)_mm512_maskz_max_pd(0xFF, (__m512d)a, (__m512d)b);
#elif defined(__AVX2__)
  return (f64v)_mm256_max_pd((__m256d)a, (__m256d)b);
#else
  return a > b ? a : b;
#endif
}

// v 2^n with one rounding, for n <= 1 down to where v 2^n is 0; n holds whole numbers.
static inline f32v scale(f32v v, f32v n) {
#if defined(__AVX512F__)
  return (f32v)_mm512_maskz_scalef_ps(0xFFFF, (__m512)v, (__m512)n);
#else
  const i32v k = __builtin_convertvector(n, i32v), half = k >> 1;  // two factors, both normal numbers
  return v * (f32v)((half + 127) << 23) * (f32v)((k - half + 127) << 23);
#endif
}
static inline f64v scale(f64v v, f64v n) {
#if defined(__AVX512F__)
  return (f64v)_mm512_maskz_scalef_pd(0xFF, (__m512d)v, (__m512d)n);
#else
  const i64v k = (i64v)(n + 0x1.8p52) - (i64v)splat(0x1.8p52), half = k >> 1;
  return v * (f64v)((half + 1023) << 52) * (f64v)((k - half + 1023) << 52);
#endif
}

static inline f32v exp_nonpositive(f32v x) {
  x = larger(splat(-104.0F), x);  // e^-104 rounds to 0; NaN stays
  const f32v n = fma(x, splat(0x1.715476p0F), splat(0x1.8p23F)) - 0x1.8p23F;
  f32v r = fma(n, splat(-0x1.63p-1F), x);  // exact: 355/512 has 9 bits
  r = fma(n, splat(0x1.bd0106p-13F), r);
  f32v q = splat(0x1.6a23d0p-10F);
  q = fma(q, r, splat(0x1.123a20p-7F));
  q = fma(q, r, splat(0x1.5558f2p-5F));
  q = fma(q, r, splat(0x1.555492p-3F));
  q = fma(q, r, splat(0x1.fffffcp-2F));
  q = fma(q, r, splat(1.0F));
  return scale(fma(q, r, splat(1.0F)), n);
}

static inline f64v exp_nonpositive(f64v x) {
  x = larger(splat(-746.0), x);
  const f64v n = fma(x, splat(0x1.71547652b82fep0), splat(0x1.8p52)) - 0x1.8p52;
  f64v r = fma(n, splat(-0x1.62e42feep-1), x);  // exact: the constant has 32 bits
  r = fma(n, splat(-0x1.a39ef35793c76p-33), r);
  f64v q = splat(0x1.ad7f395612954p-26);
  q = fma(q, r, splat(0x1.28ad9b7dbaf49p-22));
  q = fma(q, r, splat(0x1.71df25b64c759p-19));
  q = fma(q, r, splat(0x1.a01999e26bfa7p-16));
  q = fma(q, r, splat(0x1.a01a012a0de71p-13));
  q = fma(q, r, splat(0x1.6c16c18438ad1p-10));
  q = fma(q, r, splat(0x1.1111111127d12p-7));
  q = fma(q, r, splat(0x1.555555555083ep-5));
  q = fma(q, r, splat(0x1.55555555554f9p-3));
  q = fma(q, r, splat(0x1.000000000000ap-1));
  q = fma(q, r, splat(1.0));
  return scale(fma(q, r, splat(1.0)), n);
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
