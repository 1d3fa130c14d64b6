// Rounding to whole numbers, square roots and the remainder: exact or correctly rounded.
#pragma once

#include "optimized/functions/base.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

static inline f64v sqrt_of(f64v x) {
#if defined(__AVX512F__)
  return (f64v)_mm512_maskz_sqrt_pd(0xFF, (__m512d)x);
#elif defined(__AVX2__)
  return (f64v)_mm256_sqrt_pd((__m256d)x);
#elif defined(__SSE2__)
  return (f64v)_mm_sqrt_pd((__m128d)x);
#else
  for (int i = 0; i < kF64; ++i) x[i] = __builtin_sqrt(x[i]);
  return x;
#endif
}
static inline f32v sqrt_of(f32v x) {
#if defined(__AVX512F__)
  return (f32v)_mm512_maskz_sqrt_ps(0xFFFF, (__m512)x);
#elif defined(__AVX2__)
  return (f32v)_mm256_sqrt_ps((__m256)x);
#elif defined(__SSE2__)
  return (f32v)_mm_sqrt_ps((__m128)x);
#else
  for (int i = 0; i < kF32; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}

static inline f64v rsqrt_of(f64v x) { return 1.0 / sqrt_of(x); }
static inline f32v rsqrt_of(f32v x) {
  return by_halves(x, [](f64v v) { return 1.0 / sqrt_of(v); });
}

// Without an instruction for it: adding 2^52 leaves no room for a fraction.
#if defined(__AVX512F__)
#define PLUMB_ROUNDING(name, mode)                                                                              \
  static inline f64v name(f64v x) { return (f64v)_mm512_maskz_roundscale_pd(0xFF, (__m512d)x, (mode) | 0x08); } \
  static inline f32v name(f32v x) { return (f32v)_mm512_maskz_roundscale_ps(0xFFFF, (__m512)x, (mode) | 0x08); }
#elif defined(__AVX2__)
#define PLUMB_ROUNDING(name, mode)                                                             \
  static inline f64v name(f64v x) { return (f64v)_mm256_round_pd((__m256d)x, (mode) | 0x08); } \
  static inline f32v name(f32v x) { return (f32v)_mm256_round_ps((__m256)x, (mode) | 0x08); }
#else
static inline f64v round_with(f64v x, int mode) {
  const f64v a = magnitude(x), even = (a + 0x1p52) - 0x1p52;
  const f64v signed_even = with_sign(even, x);
  f64v r = signed_even;
  if (mode == 1 || (mode == 3)) {
    const f64v bigger = mode == 1 ? signed_even : even, than = mode == 1 ? x : a;
    r = bigger - choose(bigger > than, splat(1.0), splat(0.0));
  }
  if (mode == 2) r = signed_even + choose(signed_even < x, splat(1.0), splat(0.0));
  return choose(a < 0x1p52, with_sign(r, x), x);
}
#define PLUMB_ROUNDING(name, mode)                                   \
  static inline f64v name(f64v x) { return round_with(x, mode); }    \
  static inline f32v name(f32v x) {                                  \
    return by_halves(x, [](f64v v) { return round_with(v, mode); }); \
  }
#endif
PLUMB_ROUNDING(round_even_of, 0)
PLUMB_ROUNDING(floor_of, 1)
PLUMB_ROUNDING(ceil_of, 2)
PLUMB_ROUNDING(trunc_of, 3)
#undef PLUMB_ROUNDING

// |x| - q |y|, q = trunc(|x| / |y|), exact: the product is hi + lo, |x| - hi has no rounding, and neither has the rest,
// which is a number of the type. The quotient may have been rounded up to a whole number; then y is given back. Where
// it is too large to be exact: the scalar function.
static inline f64v fmod_of(f64v x, f64v y) {
#if defined(__AVX512F__) || defined(__FMA__)
  const double limit = 0x1p53;
#else
  const double limit = 0x1p26;
#endif
  const f64v a = magnitude(x), b = magnitude(y), ratio = a / b, q = trunc_of(ratio), hi = q * b;
#if defined(__AVX512F__) || defined(__FMA__)
  const f64v lo = fma(q, b, -hi);
#else
  const f64v top = (f64v)((i64v)b & ~std::int64_t{0x7FFFFFF});
  const f64v lo = (q * top - hi) + q * (b - top);
#endif
  f64v r = (a - hi) - lo;
  r = choose(r < 0.0, r + b, r);
  const i64v other = ~((ratio < limit) & (b < inf_f64()));
  if (any(other))
    for (int i = 0; i < kF64; ++i)
      if (other[i]) r[i] = __builtin_fmod(a[i], b[i]);
  return flip(r, sign_bit(x));
}
static inline f32v fmod_of(f32v x, f32v y) {
  return by_halves(x, y, [](f64v a, f64v b) { return fmod_of(a, b); });
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
