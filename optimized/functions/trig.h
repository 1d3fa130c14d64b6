// Circular functions and their inverses.
//
//   x = n pi / 2 + r, |r| <= pi / 4: by parts of pi / 2 so short that n times each is exact, up to a limit; beyond it
//   lane by lane by the scalar library, as nobody computes there for speed.
#pragma once

#include "optimized/functions/rounding.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

inline constexpr double kTrigLimit = 0x1p20, kTrigLimitNarrow = 0x1p27;

struct TrigReduced {
  f64v hi, lo;
  i64v n;
};
// n < 2^20; the first three parts have 33 bits each. r is right to about 2^-130.
static inline TrigReduced reduce_trig(f64v x) {
  const f64v m = x * 0x1.45f306dc9c883p-1 + 0x1.8p52, n = m - 0x1.8p52;
  const f64v a = fma(n, splat(-0x1.921fb544p0), x);
  const Parts b = two_sum(a, n * -0x1.0b4611a6p-34), c = two_sum(b.hi, n * -0x1.3198a2ep-69);
  const Parts r = ordered_sum(c.hi, fma(n, splat(-0x1.b839a252049c1p-104), b.lo + c.lo));
  return {r.hi, r.lo, (i64v)m};
}
// n < 2^27; 26 bits each.
static inline TrigReduced reduce_trig_narrow(f64v x) {
  const f64v m = x * 0x1.45f306dc9c883p-1 + 0x1.8p52, n = m - 0x1.8p52;
  const f64v a = fma(n, splat(-0x1.110b46p-26), fma(n, splat(-0x1.921fb5p0), x));
  return {fma(n, splat(-0x1.1a62633145c07p-54), a), splat(0.0), (i64v)m};
}

struct Circular {
  f64v sin, cos;  // of r
};
static inline Circular circular(const TrigReduced& r) {
  const f64v z = r.hi * r.hi, h = 0.5 * z;
  const f64v s = fma(r.hi * z, polynomial(kSin, z), fma(-h, r.lo, r.lo));
  const Parts one = ordered_sum(splat(1.0), -h);
  return {r.hi + s, one.hi + (one.lo + fma(z * z, polynomial(kCos, z), -r.hi * r.lo))};
}
static inline Circular circular_narrow(const TrigReduced& r) {
  const f64v z = r.hi * r.hi;
  return {fma(r.hi * z, polynomial(kSinNarrow, z), r.hi),
          fma(z * z, polynomial(kCosNarrow, z), fma(z, splat(-0.5), splat(1.0)))};
}

// sin x is sin r, cos r, -sin r, -cos r for n = 0, 1, 2, 3 modulo 4; cos x is one further.
static inline f64v quadrant(const Circular& c, i64v n) {
  return flip(choose((n & 1) != 0, c.cos, c.sin), (n & 2) << 62);
}
static inline f64v tangent(const Circular& c, i64v n) {
  const i64v odd = (n & 1) != 0;
  return flip(choose(odd, c.cos, c.sin) / choose(odd, c.sin, c.cos), n << 63);
}

template <class F>
static inline f64v beyond(f64v x, double limit, f64v y, F scalar) {
  const i64v far = magnitude(x) > limit;
  if (any(far))
    for (int i = 0; i < kF64; ++i)
      if (far[i]) y[i] = scalar(x[i]);
  return y;
}
static inline double scalar_sin(double x) { return __builtin_sin(x); }
static inline double scalar_cos(double x) { return __builtin_cos(x); }
static inline double scalar_tan(double x) { return __builtin_tan(x); }

static inline f64v sin_of(f64v x) {
  const TrigReduced r = reduce_trig(x);
  return beyond(x, kTrigLimit, choose(x == 0.0, x, quadrant(circular(r), r.n)), scalar_sin);
}
static inline f64v cos_of(f64v x) {
  const TrigReduced r = reduce_trig(x);
  return beyond(x, kTrigLimit, quadrant(circular(r), r.n + 1), scalar_cos);
}
static inline f64v tan_of(f64v x) {
  const TrigReduced r = reduce_trig(x);
  return beyond(x, kTrigLimit, choose(x == 0.0, x, tangent(circular(r), r.n)), scalar_tan);
}
static inline f32v sin_of(f32v x) {
  return by_halves(x, [](f64v v) {
    const TrigReduced r = reduce_trig_narrow(v);
    const f64v y = quadrant(circular_narrow(r), r.n);
    return beyond(v, kTrigLimitNarrow, choose(v == 0.0, v, y), scalar_sin);
  });
}
static inline f32v cos_of(f32v x) {
  return by_halves(x, [](f64v v) {
    const TrigReduced r = reduce_trig_narrow(v);
    return beyond(v, kTrigLimitNarrow, quadrant(circular_narrow(r), r.n + 1), scalar_cos);
  });
}
static inline f32v tan_of(f32v x) {
  return by_halves(x, [](f64v v) {
    const TrigReduced r = reduce_trig_narrow(v);
    const f64v y = tangent(circular_narrow(r), r.n);
    return beyond(v, kTrigLimitNarrow, choose(v == 0.0, v, y), scalar_tan);
  });
}

inline constexpr double kHalfPi = 0x1.921fb54442d18p0, kHalfPiLow = 0x1.1a62633145c07p-54;

// The arctangent of t in [0, 1] as hi + lo. Above tan(pi / 8): pi / 4 + arctan((t - 1) / (t + 1)), the quotient with
// what its roundings took away.
static inline Parts arctan_parts(f64v t) {
  const i64v above = t > 0x1.a8279ap-2;
  const Parts up = two_sum(t, splat(-1.0)), down = two_sum(t, splat(1.0));
  const f64v r = 1.0 / down.hi, v = up.hi * r;
  const Parts back = two_product(v, down.hi);
  const f64v v_low = ((up.hi - back.hi) - back.lo + (up.lo - v * down.lo)) * r;
  const f64v u = choose(above, v, t), z = u * u, p = u * z * polynomial(kAtan, z);
  const Parts s = ordered_sum(splat(0.5 * kHalfPi), v);
  return {choose(above, s.hi, t), choose(above, s.lo + (p + (v_low + 0.5 * kHalfPiLow)), p)};
}
static inline Parts arctan_parts_narrow(f64v t) {
  const f64v z = t * t;
  return {t, t * z * polynomial(kAtanWholeNarrow, z)};
}
// arctan a = pi / 2 - arctan(1 / a) for a > 1.
template <class F>
static inline f64v arctan_with(f64v x, F parts) {
  const f64v a = magnitude(x);
  const i64v above = a > 1.0;
  const Parts p = parts(choose(above, 1.0 / a, a));
  return with_sign(choose(above, kHalfPi - (p.hi + (p.lo - kHalfPiLow)), p.hi + p.lo), x);
}
static inline f64v arctan_of(f64v x) { return arctan_with(x, arctan_parts); }
static inline f32v arctan_of(f32v x) {
  return by_halves(x, [](f64v v) { return arctan_with(v, arctan_parts_narrow); });
}

// With t = min(|x|, |y|) / max(|x|, |y|), the angle from the nearest of the axes, and back to the quadrant of (x, y).
template <class F>
static inline f64v arctan2_with(f64v y, f64v x, F parts) {
  const f64v b = magnitude(y), a = magnitude(x);
  const i64v steep = b > a, left = is_negative(x);
  const f64v top = choose(steep, a, b), bottom = choose(steep, b, a);
  const f64v same = choose(bottom == 0.0, splat(0.0), splat(1.0));
  const Parts p = parts(choose(top == bottom, same, top / bottom));
  const i64v minus = (i64v)((u64v)(steep ^ left) << 63);
  const f64v from = choose(steep, splat(kHalfPi), choose(left, splat(2 * kHalfPi), splat(0.0)));
  const f64v from_low = choose(steep, splat(kHalfPiLow), choose(left, splat(2 * kHalfPiLow), splat(0.0)));
  return with_sign(from + (flip(p.hi, minus) + (flip(p.lo, minus) + from_low)), y);
}
static inline f64v arctan2_of(f64v y, f64v x) { return arctan2_with(y, x, arctan_parts); }
static inline f32v arctan2_of(f32v y, f32v x) {
  return by_halves(y, x, [](f64v b, f64v a) { return arctan2_with(b, a, arctan_parts_narrow); });
}

// arcsin t = t + p for t <= 1/2; above, arccos x = 2 arcsin sqrt((1 - x) / 2).
struct ArcSine {
  i64v above;
  f64v t, p;  // of |x|, or of sqrt((1 - |x|) / 2)
};
template <int N>
static inline ArcSine arc_sine(f64v x, const double (&q)[N]) {
  const f64v a = magnitude(x);
  const i64v above = a > 0.5;
  const f64v z = choose(above, 0.5 - 0.5 * a, a * a), t = choose(above, sqrt_of(z), a);
  return {above, t, t * z * polynomial(q, z)};
}
template <int N>
static inline f64v arcsin_with(f64v x, const double (&q)[N]) {
  const ArcSine s = arc_sine(x, q);
  const f64v y = choose(s.above, kHalfPi - (2.0 * s.t + (2.0 * s.p - kHalfPiLow)), s.t + s.p);
  return with_sign(y, x);
}
template <int N>
static inline f64v arccos_with(f64v x, const double (&q)[N]) {
  const ArcSine s = arc_sine(x, q);
  const i64v left = is_negative(x);
  const f64v t = flip(s.t, sign_bit(x)), p = flip(s.p, sign_bit(x));
  const f64v far = choose(left, 2 * kHalfPi + (2.0 * t + (2.0 * p + 2 * kHalfPiLow)), 2.0 * (t + p));
  return choose(s.above, far, kHalfPi - (t + (p - kHalfPiLow)));
}
static inline f64v arcsin_of(f64v x) { return arcsin_with(x, kAsin); }
static inline f64v arccos_of(f64v x) { return arccos_with(x, kAsin); }
static inline f32v arcsin_of(f32v x) {
  return by_halves(x, [](f64v v) { return arcsin_with(v, kAsinNarrow); });
}
static inline f32v arccos_of(f32v x) {
  return by_halves(x, [](f64v v) { return arccos_with(v, kAsinNarrow); });
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
