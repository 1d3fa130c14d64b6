// Running sums of exponentials over vectors of lanes: s e^m, m the largest exponent so far.
#include "optimized/array/scan/scan_lanes.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

using PLUMB_ISA_NAME::moved;
using PLUMB_ISA_NAME::spread;

template <class V>
struct Powers {
  V m, s;
};
template <class V>
Powers<V> spread(Powers<V> v, int lane) {
  return {spread(v.m, lane), spread(v.s, lane)};
}
template <bool kBackward, class V>
Powers<V> moved(Powers<V> v, Powers<V> before, int lanes) {
  return {moved<kBackward>(v.m, before.m, lanes), moved<kBackward>(v.s, before.s, lanes)};
}

// Running sums of plain numbers within a vector.
template <class Vector>
struct Added : Plain<Vector> {
  static Vector none() { return Vector{}; }
  static Vector join(Vector a, Vector b) { return a + b; }
};

template <class Vector>
struct Log {
  static constexpr bool kAnyOrder = true;
  typedef Vector V;
  typedef Powers<V> State;
  static V none() { return all<V>(-__builtin_inf()); }
  static State in(V x) { return {x, choose(x == none(), V{}, all<V>(1))}; }
  // Infinities and equal exponents do not meet in a difference; a NaN becomes the exponent.
  static State join(State a, State b) {
    const Mask<V> first = (b.m < a.m) | (a.m != a.m);
    const V larger = choose(first, a.m, b.m), smaller = choose(first, b.m, a.m);
    const V e = exp_nonpositive(choose(a.m == b.m, V{}, smaller - larger));
    return {larger, choose(first, a.s, b.s) + e * choose(first, b.s, a.s)};
  }
  // Where nothing passes the exponent that is carried, powers of one difference each are only added.
  static bool within(State c, V v) {
    const auto lanes = (i64v)((v <= c.m) & (c.m < -none()) & (c.m > none()));
    return !any(~(lanes & lanes << 32));
  }
  template <bool kBackward>
  static State behind(State c, V v) {
    if (!within(c, v)) return join(c, scanned<Log, kBackward>(in(v)));
    return {c.m, c.s + scanned<Added<V>, kBackward>(exp_nonpositive(v - c.m))};
  }
  static State start(State c) { return {c.m, V{}}; }
  static State with(State c, V v) {
    if (!within(c, v)) return join(c, in(v));
    return {c.m, c.s + exp_nonpositive(v - c.m)};
  }
  static V out(State a) {
    const V end = all<V>(__builtin_inf());
    const V y = a.m + log_of(a.s);
    return choose((a.m == end) | (a.m == -end) | (a.m != a.m), a.m, y);
  }
  static State load(const void* carry, std::int64_t i) { return {at<V>(carry, i), at<V>(carry, kTileElements + i)}; }
  static void keep(void* carry, std::int64_t i, State a) {
    set<V>(carry, i, a.m), set<V>(carry, kTileElements + i, a.s);
  }
  static void keep_one(void* carry, State a) { set_part(carry, 0, 1, a.m), set_part(carry, kTileElements, 1, a.s); }
};

}  // namespace

ScanKernel log_kernel(Lane lane) { return lane == Lane::f64 ? scan_kernel<Log<F64>>() : scan_kernel<Log<F32>>(); }

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
