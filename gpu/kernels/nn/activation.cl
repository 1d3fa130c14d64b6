// Activations, a line each for the lanes that have them: see array/scalar/scalar.cl. Where e^x is far below 1 it is
// taken as a product of two e^(x/2), so that no step is subnormal before the last.
#include "array/scalar/scalar.cl"

#define POSITIVE(x) ((x) < 0 ? (number)0 : (x))

#if defined(LANE_F32) || defined(LANE_F64)
static inline number between(number x, number low, number high) { return x < low ? low : x > high ? high : x; }
static inline number leaky(number x, number slope) {
  const number y = slope * x;
  return y > x ? y : x;
}
static inline number softly_shrunk(number x, number by) {
  return x > by ? x - by : x < -by ? x + by : x != x ? x : (number)0;
}
static inline number silu_of(number x) {
  const number h = exp((number)-0.5 * fabs(x)), s = 1 + h * h;
  return x < 0 ? (x * h) * (h / s) : x / s;
}
static inline number mish_of(number x) {
  const number h = exp((number)-0.5 * fabs(x)), e = h * h, n = e * (e + 2), p = 1 + 2 * e;
  return x < 0 ? (x * h) * (h * (e + 2) / (n + 2)) : x * (p / (p + 2 * e * e));
}
static inline number elu_of(number x, number alpha) { return x > 0 ? x : alpha * expm1(x); }
static inline number gelu_by_tanh(number x) {
  const number t = (number)0.79788456080286535588 * (x + (number)0.044715 * x * x * x);
  return x * ((1 + (t < -20 ? (number)-1 : tanh(t))) * (number)0.5);  // a device's tanh of -inf may miss -1
}

EACH(relu, POSITIVE(x))
EACH(relu6, POSITIVE(x) > 6 ? (number)6 : POSITIVE(x))
EACH(relu2, POSITIVE(x) * POSITIVE(x))
EACH_GIVEN(leaky_relu, leaky(x, p0))
EACH_GIVEN(hard_tanh, between(x, p0, p1))
EACH_GIVEN(hard_shrink, fabs(x) <= p0 ? (number)0 : x)
EACH_GIVEN(softshrink, softly_shrunk(x, p0))
EACH(softsign, x / (1 + fabs(x)))
EACH(hardswish, x*(between(x + 3, 0, 6) / 6))
EACH(silu, silu_of(x))
EACH(softplus, IN_LANE(logaddexp)(x, 0))
EACH(log_sigmoid, -IN_LANE(logaddexp)(-x, 0))
EACH(mish, mish_of(x))
EACH_GIVEN(elu, elu_of(x, p0))
EACH_GIVEN(celu, x > 0 ? x : p0 * expm1(x / p0))
EACH_GIVEN(selu, p1* elu_of(x, p0))
EACH(gelu, x*((1 + erf(x * (number)0.70710678118654752440)) * (number)0.5))
EACH(gelu_approx, gelu_by_tanh(x))
EACH(gelu_fast_approx, x* IN_LANE(sigmoid)(x*(number)1.702))

#elif defined(LANE_I64) || defined(LANE_U64)
EACH(relu, POSITIVE(x))
EACH(relu6, POSITIVE(x) > 6 ? (number)6 : POSITIVE(x))
EACH(relu2, (ulong)POSITIVE(x) * (ulong)POSITIVE(x))
#endif
