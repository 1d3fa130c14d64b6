// Comparisons of lanes: masks, and what is chosen by them.
#pragma once

#include "optimized/array/scalar/lanes.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

template <class V>
static inline Mask<V> is_equal(V a, V b) {
  return (Mask<V>)(a == b);
}
static inline Mask<Pair> is_equal(Pair a, Pair b) { return is_equal(a.re, b.re) & is_equal(a.im, b.im); }
template <class V>
static inline Mask<V> is_less(V a, V b) {
  return (Mask<V>)(a < b);
}
static inline Mask<Pair> is_less(Pair a, Pair b) {
  return is_less(a.re, b.re) | (is_equal(a.re, b.re) & is_less(a.im, b.im));
}
template <class V>
static inline Mask<V> is_true(V x) {
  return (Mask<V>)(x != V{});
}
static inline Mask<Pair> is_true(Pair z) { return is_true(z.re) | is_true(z.im); }

static inline F32 abs_of(F32 x) { return (F32)((I32)x & 0x7FFFFFFF); }
static inline F64 abs_of(F64 x) { return (F64)((I64)x & 0x7FFFFFFFFFFFFFFF); }
template <class V>
static inline Mask<V> is_nan(V x) {
  return (Mask<V>)(x != x);
}

// NaN beside any, the second of equals.
template <class V>
static inline auto larger_of(V a, V b) -> decltype(choose(a != a, a, b)) {
  return choose((Mask<V>)(a != a), a, choose(is_less(b, a), a, b));
}
template <class V>
static inline auto smaller_of(V a, V b) -> decltype(choose(a != a, a, b)) {
  return choose((Mask<V>)(a != a), a, choose(is_less(a, b), a, b));
}

// NaN in either part makes all of it NaN.
static inline Pair unless_nan(Pair a, Pair b, Pair chosen) {
  const F64 nan = all<F64>(__builtin_nan(""));
  return choose(is_nan(a.re) | is_nan(a.im) | is_nan(b.re) | is_nan(b.im), Pair{nan, nan}, chosen);
}
static inline Pair larger_of(Pair a, Pair b) { return unless_nan(a, b, choose(is_less(b, a), a, b)); }
static inline Pair smaller_of(Pair a, Pair b) { return unless_nan(a, b, choose(is_less(a, b), a, b)); }

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
