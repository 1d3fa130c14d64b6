// e^x and what is made of it: expm1, sinh, cosh, tanh, sigmoid.
//
//   x = n ln 2 + r, |r| <= ln 2 / 2,  e^x = 2^n e^r, r = hi + lo to about 100 bits
//
// The functions named _narrow take doubles that were floats, and are good to 2^-40.
#pragma once

#include "optimized/functions/base.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

struct ExpReduced {
  f64v n, hi, lo;
};
static inline ExpReduced reduce_exp(f64v x, f64v x_low = f64v{}) {
  const f64v n = nearest(x * 0x1.71547652b82fep0);
  const f64v a = fma(n, splat(-0x1.62e42feep-1), x), t = n * 0x1.a39ef35793c76p-33;  // exact: the constant has 32 bits
  const f64v hi = a - t;
  return {n, hi, ((a - hi) - t) + x_low};
}

// 2^n (1 + hi + (t + lo (1 + hi + t))), t = hi^2 q, summed so that only the last addition rounds noticeably.
static inline f64v exp_bounded(f64v x, f64v x_low = f64v{}) {  // -746 <= x <= 710 or NaN, x_low far below x
  const ExpReduced r = reduce_exp(x, x_low);
  const Parts s = ordered_sum(splat(1.0), r.hi);
  const f64v t = r.hi * r.hi * polynomial(kExp, r.hi);
  return scale(s.hi + (s.lo + fma(r.lo, s.hi + t, t)), r.n);
}
static inline f64v exp_of(f64v x) { return exp_bounded(smaller(splat(710.0), larger(splat(-746.0), x))); }

// 2^n and 1 + r + .. of numbers in [-700, 700].
struct ExpNarrow {
  f64v s, p;  // e^x = s (1 + p)
};
static inline ExpNarrow exp_narrow_parts(f64v x) {
  const f64v n = nearest(x * 0x1.71547652b82fep0);
  const f64v r = fma(n, splat(-0x1.a39ef35793c76p-33), fma(n, splat(-0x1.62e42feep-1), x));
  return {power_of_two(n), fma(r * r, polynomial(kExpNarrow, r), r)};
}
static inline f64v clamp_narrow(f64v x) { return smaller(splat(300.0), larger(splat(-300.0), x)); }
static inline f64v exp_narrow(f64v x) {
  const ExpNarrow e = exp_narrow_parts(clamp_narrow(x));
  return fma(e.s, e.p, e.s);
}
// In binary32 itself where there is a fused multiply-add, a third of the time; the same sums as exp_bounded.
static inline f32v exp_of(f32v x) {
#if defined(__AVX512F__) || defined(__FMA__)
  x = smaller(splat(90.0F), larger(splat(-105.0F), x));
  const f32v n = fma(x, splat(0x1.715476p0F), splat(0x1.8p23F)) - 0x1.8p23F;
  const f32v a = fma(n, splat(-0x1.62e4p-1F), x), hi = fma(n, splat(-0x1.7f7d1cp-20F), a);  // a is exact: 15 bits
  const f32v lo = fma(n, splat(-0x1.7f7d1cp-20F), a - hi), one = hi + 1.0F;
  return scale(one + ((hi - (one - 1.0F)) + fma(hi * hi, polynomial(kExpFloat, hi), lo)), n);
#else
  return by_halves(x, [](f64v v) { return exp_narrow(v); });
#endif
}

// e^x - 1 = (2^n - 1) + 2^n hi + 2^n (lo + hi^2 q); the first two terms are exact, and so is the error of their sum.
// Above 2^64 everything is smaller by 2^(n - 1), so that nothing overflows before the result does.
static inline f64v expm1_bounded(f64v x) {  // -746 <= x <= 710 or NaN
  const ExpReduced r = reduce_exp(x);
  const f64v above = choose(r.n > 64.0, r.n - 1.0, splat(0.0));
  const f64v a = power_of_two(r.n - above), t = fma(r.hi * r.hi, polynomial(kExp, r.hi), r.lo);
  const Parts s = two_sum(a - choose(above > 0.0, splat(0.0), splat(1.0)), a * r.hi);
  return scale(s.hi + fma(a, t, s.lo), above);
}
static inline f64v expm1_of(f64v x) {
  const f64v y = expm1_bounded(smaller(splat(710.0), larger(splat(-60.0), x)));
  return choose(x == 0.0, x, y);
}
static inline f64v expm1_narrow(f64v x) {
  const ExpNarrow e = exp_narrow_parts(clamp_narrow(x));
  return choose(x == 0.0, x, fma(e.s, e.p, e.s - 1.0));
}
static inline f32v expm1_of(f32v x) {
  return by_halves(x, [](f64v v) { return expm1_narrow(v); });
}

// With r as above, C = cosh r - 1, S = sinh r - r, and A = 2^(n - 1), B = 2^(-n - 1):
//   sinh x = (A - B) + A r + B r + (A - B) C + (A + B) S
//   cosh x = (A + B) + A r - B r + (A + B) C + (A - B) S
// for x >= 0. `sign` is -1 for sinh, 1 for cosh.
static inline f64v hyperbolic(f64v x, double sign) {
  const ExpReduced r = reduce_exp(smaller(splat(712.0), x));
  const f64v above = choose(r.n > 64.0, r.n - 1.0, splat(0.0)), z = r.hi * r.hi;
  const f64v a = power_of_two(r.n - 1.0 - above);
  const f64v b = choose(above > 0.0, splat(0.0), sign * power_of_two(-1.0 - smaller(splat(64.0), r.n)));
  const f64v c = z * polynomial(kCosh, z), s = fma(r.hi * z, polynomial(kSinh, z), r.lo);
  const Parts one = two_sum(a, b), two = two_sum(one.hi, a * r.hi), three = two_sum(two.hi, -b * r.hi);
  const f64v rest = one.lo + two.lo + three.lo + fma(one.hi, c, (a - b) * s);
  return scale(three.hi + rest, above);
}
static inline f64v sinh_of(f64v x) {
  return choose(magnitude(x) < 0x1p-28, x, flip(hyperbolic(magnitude(x), -1.0), sign_bit(x)));
}
static inline f64v cosh_of(f64v x) { return hyperbolic(magnitude(x), 1.0); }

struct Hyperbolic {
  f64v sinh, cosh;
};
static inline Hyperbolic hyperbolic_narrow(f64v x) {
  x = clamp_narrow(x);
  const f64v n = nearest(x * 0x1.71547652b82fep0);
  const f64v r = fma(n, splat(-0x1.a39ef35793c76p-33), fma(n, splat(-0x1.62e42feep-1), x)), z = r * r;
  const f64v a = power_of_two(n - 1.0), b = power_of_two(-1.0 - n);
  const f64v c = fma(z, polynomial(kCoshNarrow, z), splat(1.0)), s = fma(r * z, polynomial(kSinhNarrow, z), r);
  return {fma(a - b, c, (a + b) * s), fma(a + b, c, (a - b) * s)};
}
static inline f64v sinh_narrow(f64v x) { return choose(x == 0.0, x, hyperbolic_narrow(x).sinh); }
static inline f32v sinh_of(f32v x) {
  return by_halves(x, [](f64v v) { return sinh_narrow(v); });
}
static inline f32v cosh_of(f32v x) {
  return by_halves(x, [](f64v v) { return hyperbolic_narrow(v).cosh; });
}

// tanh x = E / (E + 2), E = e^(2 x) - 1, of magnitudes.
static inline f64v tanh_of(f64v x) {
  const f64v e = expm1_bounded(smaller(splat(60.0), 2.0 * magnitude(x)));
  return with_sign(e / (e + 2.0), x);
}
static inline f64v tanh_narrow(f64v x) {
  const f64v e = expm1_narrow(smaller(splat(60.0), 2.0 * magnitude(x)));
  return with_sign(e / (e + 2.0), x);
}
static inline f32v tanh_of(f32v x) {
  return by_halves(x, [](f64v v) { return tanh_narrow(v); });
}

// 1 / (1 + e^-x), which for x < 0 is e^x / (1 + e^x).
static inline f64v sigmoid_of(f64v x) {
  const f64v e = exp_bounded(larger(splat(-746.0), -magnitude(x)));
  return choose(x < 0.0, e, splat(1.0)) / (e + 1.0);
}
static inline f64v sigmoid_narrow(f64v x) {
  const f64v e = exp_narrow(-x);
  return 1.0 / (e + 1.0);
}
static inline f32v sigmoid_of(f32v x) {
  return by_halves(x, [](f64v v) { return sigmoid_narrow(v); });
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
