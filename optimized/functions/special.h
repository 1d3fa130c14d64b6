// The error function, its inverse, and powers.
#pragma once

#include "optimized/functions/log.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

// erf a = a + a q(a^2) up to 1; above, 1 - erfc a, erfc a = e^(q(a - 3) - a^2), which is too small to count from 6 on,
// for floats from 4 on.
static inline f64v erf_of(f64v x) {
  const f64v a = magnitude(x), b = smaller(splat(6.0), a);
  const f64v far = 1.0 - exp_bounded(polynomial(kErfc, b - 3.0) - b * b);
  return with_sign(choose(a > 1.0, far, fma(a, polynomial(kErf, a * a), a)), x);
}
static inline f64v erf_narrow(f64v x) {
  const f64v a = magnitude(x), b = smaller(splat(4.0), a);
  const ExpNarrow e = exp_narrow_parts(polynomial(kErfcNarrow, b - 3.0) - b * b);
  return with_sign(choose(a > 1.0, 1.0 - fma(e.s, e.p, e.s), fma(a, polynomial(kErfNarrow, a * a), a)), x);
}
static inline f32v erf_of(f32v x) {
  return by_halves(x, [](f64v v) { return erf_narrow(v); });
}

// erfinv x = x (c + w q(w - 2.5)), c = sqrt(pi) / 2, w = -log(1 - x^2), up to w = 5; above, x q(s - 3) and x q(s - 5),
// s = sqrt(w), the last one beyond w = 17, where no float is.
inline constexpr double kHalfRootPi = 0x1.c5bf891b4ef6bp-1, kHalfRootPiLow = -0x1.618f13eb7ca89p-55;
static inline f64v erfinv_special(f64v x, f64v y) {
  const f64v a = magnitude(x);
  return choose(a < 1.0, with_sign(y, x), choose(a == 1.0, with_sign(inf_f64(), x), nan_f64()));
}
static inline f64v erfinv_of(f64v x) {
  const f64v w = -log_sum((1.0 - magnitude(x)) * (1.0 + magnitude(x)), splat(0.0), splat(0.0)), s = sqrt_of(w);
  const Parts q = two_product(s, s);
  const f64v s_low = ((w - q.hi) - q.lo) / (2.0 * s);  // q' is nearly 1
  const f64v tail = s_low + choose(w > 17.0, polynomial(kErfinvFar, s - 5.0), polynomial(kErfinvTail, s - 3.0));
  const f64v middle = fma(w, polynomial(kErfinvMiddle, w - 2.5), splat(kHalfRootPiLow));
  return erfinv_special(x, choose(w > 5.0, x * tail, fma(x, splat(kHalfRootPi), x * middle)));
}
static inline f64v erfinv_narrow(f64v x) {
  const f64v w = -log_narrow_finite((1.0 - x) * (1.0 + x));
  const f64v tail = polynomial(kErfinvTailNarrow, sqrt_of(w) - 3.0);
  const f64v middle = fma(w, polynomial(kErfinvMiddleNarrow, w - 2.5), splat(kHalfRootPi));
  return erfinv_special(x, x * choose(w > 5.0, tail, middle));
}
static inline f32v erfinv_of(f32v x) {
  return by_halves(x, [](f64v v) { return erfinv_narrow(v); });
}

// What C says of x^y, given m = |x|^y for finite positive |x| other than 1 and log|x| y = +-infinity where x is 0 or
// infinite: m keeps the sign of x where y is odd.
static inline f64v power_special(f64v x, f64v y, f64v m) {
  const f64v a = magnitude(x), b = magnitude(y), half = 0.5 * y;
  const i64v whole = trunc_of(y) == y, odd = whole & (trunc_of(half) != half) & (b < inf_f64());
  m = choose(a == 1.0, choose(y == y, splat(1.0), y), m);
  m = flip(m, sign_bit(x) & odd);
  m = choose((x < 0.0) & (a < inf_f64()) & (y == y) & ~whole, nan_f64(), m);
  return choose((y == 0.0) | (x == 1.0), splat(1.0), m);
}

// log x as hi + lo, good to about 2^-66 of it: with s = f / (2 + f) as s + c,
// log(1 + f) = 2 s (1 + z (1/3 + z q(z))), z = s^2.
static inline Parts log_parts(f64v x) {
  const Decomposed d = decompose(x);
  const f64v f = d.m - 1.0;
  const Parts den = two_sum(d.m, splat(1.0));
  const f64v s = f / den.hi;
  const Parts back = two_product(s, den.hi);
  const f64v c = (((f - back.hi) - back.lo) - s * den.lo) / den.hi;
  const Parts zz = two_product(s, s), z = ordered_sum(zz.hi, fma(2.0 * s, c, zz.lo));
  const Parts a = ordered_sum(splat(0x1.5555555555555p-2), z.hi * polynomial(kPower, z.hi));
  const Parts t = two_product(z.hi, a.hi);
  const f64v t_low = t.lo + fma(z.hi, a.lo + 0x1.5555555555555p-56, z.lo * a.hi);
  const Parts u = two_product(s, t.hi);
  const f64v u_low = u.lo + fma(s, t_low, c * t.hi);
  const Parts sum = ordered_sum(s, u.hi), k = two_sum(d.k * 0x1.62e42fefa38p-1, 2.0 * sum.hi);
  const f64v low = k.lo + 2.0 * (sum.lo + (c + u_low));
  return ordered_sum(k.hi, fma(d.k, splat(0x1.ef35793c7673p-45), low));
}
// |x|^y = e^(y log|x|), the exponent as h + l.
static inline f64v power_of(f64v x, f64v y) {
  const f64v a = magnitude(x);
  const Parts g = log_parts(a), p = two_product(g.hi, y);
  const f64v log_a = choose(a == 0.0, -inf_f64(), choose(a < inf_f64(), g.hi, a)), product = log_a * y;
  const f64v h = smaller(splat(710.0), larger(splat(-746.0), product));
  const f64v l = choose(h == p.hi, p.lo + g.lo * y, splat(0.0));
  return power_special(x, y, exp_bounded(h, l));
}
static inline f64v power_narrow(f64v x, f64v y) {
  const f64v a = magnitude(x);
  const LogNarrow g = log_narrow_parts(a);
  const f64v log2_a =
      choose(a == 0.0, -inf_f64(), choose(a < inf_f64(), fma(g.log, splat(0x1.71547652b82fep0), g.k), a));
  const f64v h = clamp_narrow(log2_a * y), n = nearest(h), r = (h - n) * 0x1.62e42fefa39efp-1;
  const f64v s = power_of_two(n), p = fma(r * r, polynomial(kExpNarrow, r), r);
  return power_special(x, y, fma(s, p, s));
}
static inline f32v power_of(f32v x, f32v y) {
  return by_halves(x, y, [](f64v a, f64v b) { return power_narrow(a, b); });
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
