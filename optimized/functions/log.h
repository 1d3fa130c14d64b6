// Logarithms, inverse hyperbolic functions and log(e^x + e^y).
//
//   x = 2^k (1 + f), s = f / (2 + f), h = f^2 / 2,  log(1 + f) = 2 atanh(s) = f - h + s (h + z q(z)), z = s^2
#pragma once

#include "optimized/functions/exp.h"
#include "optimized/functions/rounding.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

struct LogReduced {
  f64v k, f, h, tail;  // log x = k ln 2 + f - h + tail
};
static inline LogReduced reduce_log(f64v x) {
  const Decomposed d = decompose(x);
  const f64v f = d.m - 1.0, h = 0.5 * f * f, s = f / (f + 2.0), z = s * s;
  return {d.k, f, h, s * fma(z, polynomial(kLog, z), h)};
}

// The result where x is a positive number; what logarithms are elsewhere.
static inline f64v log_special(f64v x, f64v result) {
  const f64v other = choose(x == 0.0, -inf_f64(), choose(x < 0.0, nan_f64(), x));
  return choose((x > 0.0) & (x < inf_f64()), result, other);
}

// log(x + c) + twos ln 2 for c below an ulp of x.
static inline f64v log_sum(f64v x, f64v c_over_x, f64v twos) {
  const LogReduced r = reduce_log(x);
  const f64v k = r.k + twos;
  const Parts s = ordered_sum(k * 0x1.62e42feep-1, r.f);
  return s.hi + (s.lo - (r.h - (r.tail + fma(k, splat(0x1.a39ef35793c76p-33), c_over_x))));
}
static inline f64v log_of(f64v x) { return log_special(x, log_sum(x, splat(0.0), splat(0.0))); }

// log(1 + f) as hi + lo, times the constant high + low, plus k times another.
static inline f64v scaled_log(f64v x, double high, double low, double per_k, double per_k_low) {
  const LogReduced r = reduce_log(x);
  const Parts h = two_product(0.5 * r.f, r.f), m = ordered_sum(r.f, -h.hi);
  const f64v lo = m.lo + (r.tail - h.lo);
  const Parts p = two_product(m.hi, splat(high)), s = ordered_sum(r.k * per_k, p.hi);
  const f64v rest = fma(m.hi, splat(low), fma(lo, splat(high), p.lo));
  return s.hi + (s.lo + fma(r.k, splat(per_k_low), rest));
}
static inline f64v log2_of(f64v x) {
  return log_special(x, scaled_log(x, 0x1.71547652b82fep0, 0x1.777d0ffda0d24p-56, 1.0, 0.0));
}
static inline f64v log10_of(f64v x) {
  return log_special(
      x, scaled_log(x, 0x1.bcb7b1526e50ep-2, 0x1.95355baaafad3p-57, 0x1.34413508p-2, 0x1.f79fef311f12bp-34));
}

// log(1 + x) for x > -1; x itself near zero.
static inline f64v log1p_finite(f64v x) {
  const Parts u = two_sum(splat(1.0), x);
  return log_sum(u.hi, u.lo / u.hi, splat(0.0));
}
// log(1 + x), and log(2 a) where far is 1.
static inline f64v log1p_or_log_twice(f64v x, f64v a, f64v far) {
  const Parts u = two_sum(splat(1.0), x);
  return log_sum(choose(far > 0.0, a, u.hi), choose(far > 0.0, splat(0.0), u.lo / u.hi), far);
}
static inline f64v log1p_of(f64v x) {
  const f64v y = log_special(x + 1.0, log1p_finite(x));
  return choose(x == 0.0, x, y);
}

struct LogNarrow {
  f64v k, log;  // log x = k ln 2 + log
};
static inline LogNarrow log_narrow_parts(f64v x) {  // floats other than zero are normal doubles
  const Decomposed d = decompose_normal(x);
  const f64v f = d.m - 1.0, s = f / (f + 2.0), z = s * s;
  return {d.k, s * fma(z, polynomial(kLogNarrow, z), splat(2.0))};
}
static inline f64v log_narrow_finite(f64v x) {
  const LogNarrow r = log_narrow_parts(x);
  return fma(r.k, splat(0x1.62e42fefa39efp-1), r.log);
}
static inline f64v log_narrow(f64v x) { return log_special(x, log_narrow_finite(x)); }
static inline f64v log2_narrow(f64v x) {
  const LogNarrow r = log_narrow_parts(x);
  return log_special(x, fma(r.log, splat(0x1.71547652b82fep0), r.k));
}
static inline f64v log10_narrow(f64v x) {
  const LogNarrow r = log_narrow_parts(x);
  return log_special(x, fma(r.k, splat(0x1.34413509f79ffp-2), r.log * 0x1.bcb7b1526e50ep-2));
}
// The sum 1 + x loses what small x are made of; there two terms of the series are enough.
static inline f64v log1p_narrow(f64v x) {
  return choose(magnitude(x) < 0x1p-20, fma(x * x, splat(-0.5), x), log_special(x + 1.0, log_narrow_finite(x + 1.0)));
}
#if defined(__AVX512F__) || defined(__FMA__)
// In binary32 itself where there is a fused multiply-add, a third of the time: log x = k ln 2 + f - h + tail with
// h = f^2 / 2 and tail = f^3 q(f), as above.
struct LogFloat {
  f32v k, f, h, tail;
};
static inline LogFloat reduce_log(f32v x) {
  const i32v tiny = x < 0x1p-126F;
  const u32v b = (u32v)(tiny ? x * 0x1p23F : x), t = b + (0x3F800000U - 0x3F3504F3U);
  const f32v k = __builtin_convertvector((i32v)(t >> 23), f32v) - (tiny ? splat(150.0F) : splat(127.0F));
  const f32v f = (f32v)(b - (t & 0xFF800000U) + 0x3F800000U) - 1.0F, h = 0.5F * f * f;
  return {k, f, h, f * f * f * polynomial(kLogFloat, f)};
}
static inline f32v log_special(f32v x, f32v result) {
  const f32v inf = splat(__builtin_inff()), nan = splat(__builtin_nanf(""));
  const f32v other = x == 0.0F ? -inf : (x < 0.0F ? nan : x);
  return (x > 0.0F) & (x < inf) ? result : other;
}
static inline f32v log_of(f32v x) {
  const LogFloat r = reduce_log(x);
  const f32v a = r.k * 0x1.62e4p-1F, s = a + r.f;  // a is exact: the constant has 15 bits
  return log_special(x, s + ((r.f - (s - a)) - (r.h - fma(r.k, splat(0x1.7f7d1cp-20F), r.tail))));
}
static inline f32v scaled_log(f32v x, float high, float low, float per_k, float per_k_low) {
  const LogFloat r = reduce_log(x);
  const f32v m = r.f - r.h, lo = (((r.f - m) - r.h) + r.tail) - fma(0.5F * r.f, r.f, -r.h);
  const f32v p = m * high, p_low = fma(m, splat(high), -p), a = r.k * per_k, s = a + p;
  const f32v rest = fma(m, splat(low), fma(lo, splat(high), p_low));
  return log_special(x, s + ((p - (s - a)) + fma(r.k, splat(per_k_low), rest)));
}
static inline f32v log2_of(f32v x) { return scaled_log(x, 0x1.715476p0F, 0x1.4ae0cp-26F, 1.0F, 0.0F); }
static inline f32v log10_of(f32v x) {
  return scaled_log(x, 0x1.bcb7b2p-2F, -0x1.5b235ep-27F, 0x1.344p-2F, 0x1.3509f8p-18F);
}
#else
static inline f32v log_of(f32v x) {
  return by_halves(x, [](f64v v) { return log_narrow(v); });
}
static inline f32v log2_of(f32v x) {
  return by_halves(x, [](f64v v) { return log2_narrow(v); });
}
static inline f32v log10_of(f32v x) {
  return by_halves(x, [](f64v v) { return log10_narrow(v); });
}
#endif
static inline f32v log1p_of(f32v x) {
  return by_halves(x, [](f64v v) { return choose(v == 0.0, v, log1p_narrow(v)); });
}

// arcsinh a = log(1 + (a + a^2 / (1 + sqrt(a^2 + 1)))) for a >= 0, log a + ln 2 above 2^28.
static inline f64v arcsinh_of(f64v x) {
  const f64v a = magnitude(x), far = a > 0x1p28 ? splat(1.0) : splat(0.0);
  const f64v b = smaller(splat(0x1p28), a), q = b * b;
  const f64v near = b + q / (sqrt_of(q + 1.0) + 1.0);
  const f64v y = log1p_or_log_twice(near, a, far);
  return choose((a > 0.0) & (a < inf_f64()), with_sign(y, x), x);
}
static inline f64v arcsinh_narrow(f64v x) {
  const f64v a = magnitude(x), q = a * a, y = log1p_narrow(a + q / (sqrt_of(q + 1.0) + 1.0));
  return choose((a > 0.0) & (a < inf_f64()), with_sign(y, x), x);
}

// arccosh x = log(1 + (t + sqrt(t (x + 1)))), t = x - 1, which is exact.
static inline f64v arccosh_of(f64v x) {
  const f64v far = x > 0x1p28 ? splat(1.0) : splat(0.0), t = smaller(splat(0x1p28), x) - 1.0;
  const f64v y = log1p_or_log_twice(t + sqrt_of(t * (t + 2.0)), x, far);
  return choose(x > 1.0, choose(x < inf_f64(), y, x), choose(x == 1.0, splat(0.0), nan_f64()));
}
static inline f64v arccosh_narrow(f64v x) {
  const f64v t = x - 1.0, y = log1p_narrow(t + sqrt_of(t * (x + 1.0)));
  return choose(x >= 1.0, y, nan_f64());
}

// arctanh a = log(1 + 2 a / (1 - a)) / 2 for a >= 0.
static inline f64v arctanh_of(f64v x) {
  const f64v a = magnitude(x), y = 0.5 * log1p_finite(2.0 * a / (1.0 - a));
  return choose(a < 1.0, choose(x == 0.0, x, with_sign(y, x)), choose(a == 1.0, with_sign(inf_f64(), x), nan_f64()));
}
static inline f64v arctanh_narrow(f64v x) {
  const f64v a = magnitude(x), y = 0.5 * log1p_narrow(2.0 * a / (1.0 - a));
  return choose(a <= 1.0, with_sign(y, x), nan_f64());
}
static inline f32v arcsinh_of(f32v x) {
  return by_halves(x, [](f64v v) { return arcsinh_narrow(v); });
}
static inline f32v arccosh_of(f32v x) {
  return by_halves(x, [](f64v v) { return arccosh_narrow(v); });
}
static inline f32v arctanh_of(f32v x) {
  return by_halves(x, [](f64v v) { return arctanh_narrow(v); });
}

// max(x, y) + log(1 + e^-d), d = |x - y| with what its rounding took away. Errors are in ulps of the larger
// of the result and of max(x, y), of which the sum may leave little.
static inline f64v logaddexp_of(f64v x, f64v y) {
  const f64v top = choose(x > y, x, y), low = choose(x > y, y, x);
  const Parts d = two_sum(top, -low);
  const i64v same = x == y, far = d.hi > 746.0;
  const f64v c = choose(same | far, splat(0.0), -d.lo);
  const f64v s = top + log1p_finite(exp_bounded(-choose(same, splat(0.0), smaller(splat(746.0), d.hi)), c));
  return choose(x != x, x, choose(y != y, y, s));
}
static inline f64v logaddexp_narrow(f64v x, f64v y) {
  const f64v top = choose(x > y, x, y), d = choose(x == y, splat(0.0), magnitude(x - y));
  return top + log1p_narrow(exp_narrow(-d));
}
static inline f32v logaddexp_of(f32v x, f32v y) {
  return by_halves(x, y, [](f64v a, f64v b) { return logaddexp_narrow(a, b); });
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
