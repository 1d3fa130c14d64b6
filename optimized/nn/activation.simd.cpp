// Activations, a line each: see optimized/array/scalar/lanes.h. Where e^x is far below 1 it is taken as a product of
// two e^(x/2), so that no step is subnormal before the last.
#include "optimized/array/scalar/comparison.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

template <class V>
inline constexpr bool kFloats = false;
template <>
inline constexpr bool kFloats<F32> = true;
template <>
inline constexpr bool kFloats<F64> = true;

template <class V>
requires kFloats<V>
static inline Mask<V> above(V x, double than) { return (Mask<V>)(x > all<V>(than)); }
template <class V>
requires kFloats<V>
static inline Mask<V> below(V x, double than) { return (Mask<V>)(x < all<V>(than)); }

// max(x, 0), NaN kept.
template <class V>
static inline auto positive(V x) -> decltype(choose((Mask<V>)(x < V{}), V{}, x)) {
  return choose((Mask<V>)(x < V{}), V{}, x);
}
template <class V>
static inline auto at_most(V x, double most) -> decltype(choose((Mask<V>)(x < V{}), V{}, x)) {
  return choose((Mask<V>)(x > all<V>(most)), all<V>(most), x);
}
static inline F32 squared(F32 x) { return x * x; }
static inline F64 squared(F64 x) { return x * x; }
static inline U64 squared(U64 x) { return x * x; }
static inline I64 squared(I64 x) { return (I64)((U64)x * (U64)x); }

template <class V>
requires kFloats<V>
static inline V between(V x, double low, double high) { return choose(below(x, low), all<V>(low), at_most(x, high)); }

template <class V>
requires kFloats<V>
static inline V leaky(V x, double slope) {
  const V y = all<V>(slope) * x;
  return choose((Mask<V>)(y > x), y, x);
}
template <class V>
requires kFloats<V>
static inline V softly_shrunk(V x, double by) {
  const V rest = choose((Mask<V>)(x != x), x, V{});
  return choose(above(x, by), x - all<V>(by), choose(below(x, -by), x + all<V>(by), rest));
}
template <class V>
requires kFloats<V>
static inline V hardly_shrunk(V x, double by) { return choose((Mask<V>)(abs_of(x) <= all<V>(by)), V{}, x); }

template <class V>
requires kFloats<V>
static inline V silu_of(V x) {
  const V h = exp_of(all<V>(-0.5) * abs_of(x)), s = all<V>(1) + h * h;
  return choose((Mask<V>)(x < V{}), (x * h) * (h / s), x / s);
}
template <class V>
requires kFloats<V>
static inline V mish_of(V x) {
  const V h = exp_of(all<V>(-0.5) * abs_of(x)), e = h * h, n = e * (e + all<V>(2)), p = all<V>(1) + all<V>(2) * e;
  return choose((Mask<V>)(x < V{}), (x * h) * (h * (e + all<V>(2)) / (n + all<V>(2))),
                x * (p / (p + all<V>(2) * e * e)));
}
template <class V>
requires kFloats<V>
static inline V elu_of(V x, double alpha) { return choose((Mask<V>)(x > V{}), x, all<V>(alpha) * expm1_of(x)); }
template <class V>
requires kFloats<V>
static inline V celu_of(V x, double alpha) {
  return choose((Mask<V>)(x > V{}), x, all<V>(alpha) * expm1_of(x / all<V>(alpha)));
}
template <class V>
requires kFloats<V>
static inline V gelu_of(V x) { return x * ((all<V>(1) + erf_of(x * all<V>(0.70710678118654752440))) * all<V>(0.5)); }
template <class V>
requires kFloats<V>
static inline V gelu_by_tanh(V x) {
  const V t = all<V>(0.79788456080286535588) * (x + all<V>(0.044715) * x * x * x);
  return x * ((all<V>(1) + tanh_of(t)) * all<V>(0.5));
}

extern const ScalarKernel activation_kernels[];
const ScalarKernel activation_kernels[] = {
    EACH(relu, positive(x)),
    EACH(relu6, at_most(positive(x), 6)),
    EACH(relu2, squared(positive(x))),
    EACH_GIVEN(leaky_relu, leaky(x, p[0])),
    EACH_GIVEN(hard_tanh, between(x, p[0], p[1])),
    EACH_GIVEN(hard_shrink, hardly_shrunk(x, p[0])),
    EACH_GIVEN(softshrink, softly_shrunk(x, p[0])),
    EACH(softsign, x / (all<decltype(x)>(1) + abs_of(x))),
    EACH(hardswish, x*(between(x + all<decltype(x)>(3), 0, 6) / all<decltype(x)>(6))),
    EACH(silu, silu_of(x)),
    EACH(softplus, logaddexp_of(x, decltype(x){})),
    EACH(log_sigmoid, -logaddexp_of(-x, decltype(x){})),
    EACH(mish, mish_of(x)),
    EACH_GIVEN(elu, elu_of(x, p[0])),
    EACH_GIVEN(celu, celu_of(x, p[0])),
    EACH_GIVEN(selu, all<decltype(x)>(p[1]) * elu_of(x, p[0])),
    EACH(gelu, gelu_of(x)),
    EACH(gelu_approx, gelu_by_tanh(x)),
    EACH(gelu_fast_approx, x* sigmoid_of(x* all<decltype(x)>(1.702))),
    {nullptr, {}},
};

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
