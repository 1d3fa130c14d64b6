// Operations of one number, a line each: see lanes.h.
#include "optimized/array/scalar/comparison.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

// What whole numbers are already, and what their lanes lack.
static inline I64 floor_of(I64 x) { return x; }
static inline U64 floor_of(U64 x) { return x; }
static inline I64 ceil_of(I64 x) { return x; }
static inline U64 ceil_of(U64 x) { return x; }
static inline I64 trunc_of(I64 x) { return x; }
static inline U64 trunc_of(U64 x) { return x; }

static inline I64 abs_of(I64 x) { return choose(x < 0, (I64)(0 - (U64)x), x); }
static inline U64 abs_of(U64 x) { return x; }
static inline F64 abs_of(Pair z) {  // squares are exact in double; an infinite part outweighs a NaN
  const F64 inf = all<F64>(__builtin_inf());
  return choose((abs_of(z.re) == inf) | (abs_of(z.im) == inf), inf, sqrt_of(z.re * z.re + z.im * z.im));
}

template <class V>
static inline V sign_of(V x) {
  const V zero = {};
  return choose(x > zero, all<V>(1), choose(x < zero, all<V>(-1), zero));
}
static inline U64 sign_of(U64 x) { return choose(x != 0, all<U64>(1), U64{}); }
static inline Pair sign_of(Pair z) {
  const F64 size = abs_of(z), zero = {};
  return {choose(size == zero, z.re, z.re / size), choose(size == zero, z.im, z.im / size)};
}

static inline Mask<Pair> is_nan(Pair z) { return is_nan(z.re) | is_nan(z.im); }
template <class V>
static inline V infinity() {
  return all<V>(__builtin_inf());
}
static inline I32 is_inf(F32 x) { return (I32)(abs_of(x) == infinity<F32>()); }
static inline I64 is_inf(F64 x) { return (I64)(abs_of(x) == infinity<F64>()); }
static inline I64 is_inf(Pair z) { return is_inf(z.re) | is_inf(z.im); }
static inline I64 is_inf(I64) { return I64{}; }
static inline I64 is_inf(U64) { return I64{}; }
static inline I32 is_inf_of(F32 x, double sign) { return (I32)(x == all<F32>(sign * __builtin_inf())); }
static inline I64 is_inf_of(F64 x, double sign) { return (I64)(x == all<F64>(sign * __builtin_inf())); }
static inline I64 is_inf_of(I64, double) { return I64{}; }
static inline I64 is_inf_of(U64, double) { return I64{}; }

template <class V>
static inline Mask<V> is_zero(V x) {
  return (Mask<V>)(x == V{});
}
static inline Mask<Pair> is_zero(Pair z) { return is_zero(z.re) & is_zero(z.im); }

template <class V>
static inline V real_of(V x) {
  return x;
}
template <>
inline Pair real_of(Pair z) {
  return {z.re, F64{}};
}
template <class V>
static inline V imag_of(V) {
  return V{};
}
template <>
inline Pair imag_of(Pair z) {
  return {z.im, F64{}};
}
template <class V>
static inline V conj_of(V x) {
  return x;
}
static inline Pair conj_of(Pair z) { return {z.re, -z.im}; }

static inline F32 scaled(F32 x, double by) { return x * static_cast<float>(by); }
static inline F64 scaled(F64 x, double by) { return x * by; }
constexpr double kPi = 3.14159265358979323846;

extern const ScalarKernel unary_kernels[];
const ScalarKernel unary_kernels[] = {
    EACH_WRAPPING(square, x* x),
    EACH(abs, abs_of(x)),
    EACH_WRAPPING(negative, -x),
    EACH(sign, sign_of(x)),
    EACH(conjugate, conj_of(x)),
    EACH(real, real_of(x)),
    EACH(imag, imag_of(x)),
    EACH(floor, floor_of(x)),
    EACH(ceil, ceil_of(x)),
    EACH(trunc, trunc_of(x)),
    EACH(isnan, is_nan(x)),
    EACH(isinf, is_inf(x)),
    EACH(isfinite, ~(is_nan(x) | is_inf(x))),
    EACH(isposinf, is_inf_of(x, 1)),
    EACH(isneginf, is_inf_of(x, -1)),
    EACH(logical_not, is_zero(x)),
    EACH(bitwise_invert, ~x),
    EACH(sqrt, sqrt_of(x)),
    EACH(rsqrt, rsqrt_of(x)),
    EACH(exp, exp_of(x)),
    EACH(expm1, expm1_of(x)),
    EACH(log, log_of(x)),
    EACH(log2, log2_of(x)),
    EACH(log10, log10_of(x)),
    EACH(log1p, log1p_of(x)),
    EACH(sin, sin_of(x)),
    EACH(cos, cos_of(x)),
    EACH(tan, tan_of(x)),
    EACH(arcsin, arcsin_of(x)),
    EACH(arccos, arccos_of(x)),
    EACH(arctan, arctan_of(x)),
    EACH(sinh, sinh_of(x)),
    EACH(cosh, cosh_of(x)),
    EACH(tanh, tanh_of(x)),
    EACH(arcsinh, arcsinh_of(x)),
    EACH(arccosh, arccosh_of(x)),
    EACH(arctanh, arctanh_of(x)),
    EACH(erf, erf_of(x)),
    EACH(erfinv, erfinv_of(x)),
    EACH(sigmoid, sigmoid_of(x)),
    EACH(degrees, scaled(x, 180 / kPi)),
    EACH(radians, scaled(x, kPi / 180)),
    {nullptr, {}},
};

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
