// Running sums, products, maxima and minima over vectors of lanes.
#include "optimized/array/scan/scan_lanes.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

template <class V>
V everywhere(double x) {
  return all<V>(x);
}
template <>
Pair everywhere<Pair>(double x) {
  return {all<F64>(x), all<F64>(0)};
}

template <class V>
struct Sum : Plain<V> {
  static constexpr bool kAnyOrder = true;
  static V none() { return everywhere<V>(0); }
  static V join(V a, V b) {
    if constexpr (requires { a + b; }) return a + b;
    else return {a.re + b.re, a.im + b.im};
  }
  static V start(V) { return none(); }
  static V with(V a, V x) { return join(a, x); }
};

template <class V>
struct Product : Plain<V> {
  static V none() { return everywhere<V>(1); }
  static V join(V a, V b) { return a * b; }
  static V in(V x) { return x; }
  static V with(V a, V x) { return join(a, in(x)); }
};
// A factor that is not finite makes both parts NaN: what is left of it by itself is NaN.
template <>
Pair Product<Pair>::in(Pair x) {
  const F64 left = (x.re - x.re) + (x.im - x.im);
  return {x.re + left, x.im + left};
}

template <class V>
Mask<V> before(V a, V b) {
  return a < b;
}
template <class V>
Mask<V> is_nan(V a) {
  return a != a;
}
Mask<F64> is_nan(Pair a) { return (a.re != a.re) | (a.im != a.im); }
Mask<F64> before(Pair a, Pair b) {
  return ((a.re < b.re) | ((a.re == b.re) & (a.im < b.im))) & ~is_nan(a) & ~is_nan(b);
}
template <class V>
V kept(Mask<V> mask, V a, V b) {
  return choose(mask, a, b);
}
Pair kept(Mask<F64> mask, Pair a, Pair b) { return {choose(mask, a.re, b.re), choose(mask, a.im, b.im)}; }

// What lies below every element, or above.
template <class V>
V end_of(bool lowest) {
  if constexpr (sizeof(V) != sizeof(F64)) {
    const F64 end = all<F64>(lowest ? -__builtin_inf() : __builtin_inf());
    return {end, end};
  } else if constexpr (static_cast<typename ScalarOf<V>::type>(0.5) != 0) {
    return all<V>(lowest ? -__builtin_inf() : __builtin_inf());
  } else if constexpr (static_cast<typename ScalarOf<V>::type>(-1) < 0) {
    return (lowest ? -0x7FFFFFFFFFFFFFFF - 1 : 0x7FFFFFFFFFFFFFFF) - V{};
  } else {
    return V{} - (lowest ? 0u : 1u);
  }
}

// The earlier one if it is a NaN or beyond the later one.
template <class V, bool kLargest>
struct Extreme : Plain<V> {
  static V none() { return end_of<V>(kLargest); }
  static V join(V a, V b) { return kept((kLargest ? before(b, a) : before(a, b)) | is_nan(a), a, b); }
  static V with(V a, V x) { return join(a, x); }
};

}  // namespace

ScanKernel cumulative_kernel(Scan scan, Lane lane) {
  const auto with = [&]<class V>(V) {
    switch (scan) {
      case Scan::sum: return scan_kernel<Sum<V>>();
      case Scan::prod: return scan_kernel<Product<V>>();
      case Scan::max: return scan_kernel<Extreme<V, true>>();
      default: return scan_kernel<Extreme<V, false>>();
    }
  };
  const bool ordered = scan == Scan::max || scan == Scan::min;
  switch (lane) {
    case Lane::f32: return with(F32{});
    case Lane::f64: return with(F64{});
    case Lane::c64: return with(Pair{});
    case Lane::i64:
      if (ordered) return scan == Scan::max ? scan_kernel<Extreme<I64, true>>() : scan_kernel<Extreme<I64, false>>();
      break;
    case Lane::u64: break;
  }
  return with(U64{});
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
