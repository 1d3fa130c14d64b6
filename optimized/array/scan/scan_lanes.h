// The loops of scans over vectors of lanes, for what they join: see cumulative.simd.cpp and logcumsumexp.simd.cpp.
//
// A vector is scanned in itself by log2 of its lanes joins, each with what lies 1, 2, 4, .. lanes before it; then it is
// joined with the carry.
#pragma once

#include "optimized/array/scalar/lanes.h"
#include "optimized/array/scan/kernels.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

struct Numbers {
  std::int64_t lane[3 * 64] = {};
  std::int32_t narrow[3 * 64] = {};
  constexpr Numbers() {
    for (int i = 0; i < 3 * 64; ++i) lane[i] = narrow[i] = i;
  }
};
inline constexpr Numbers kNumbers;

template <class V>
static inline Mask<V> from(int first) {  // first, first + 1, ..
  Mask<V> m;
  if constexpr (sizeof(m[0]) == 4) std::memcpy(&m, kNumbers.narrow + first, sizeof m);
  else std::memcpy(&m, kNumbers.lane + first, sizeof m);
  return m;
}

// v moved by so many lanes in the order of the scan; `before` comes in.
template <bool kBackward, class V>
static inline V moved(V v, V before, int lanes) {
  if constexpr (kBackward) return __builtin_shuffle(v, before, from<V>(lanes));
  else return __builtin_shuffle(before, v, from<V>(static_cast<int>(kWidth<V>) - lanes));
}
template <bool kBackward>
static inline Pair moved(Pair v, Pair before, int lanes) {
  return {moved<kBackward>(v.re, before.re, lanes), moved<kBackward>(v.im, before.im, lanes)};
}

// One lane everywhere.
template <class V>
static inline V spread(V v, int lane) {
  return v[lane] - V{};
}
static inline Pair spread(Pair v, int lane) { return {spread(v.re, lane), spread(v.im, lane)}; }

// Op::State is what is carried, of vectors of Op::V; Op::in makes it of elements, Op::with joins one with them, Op::out
// gives the result; `none` is the element that changes nothing.
template <class Op, bool kBackward>
static inline typename Op::State scanned(typename Op::State v) {
  const auto none = Op::in(Op::none());
#pragma GCC unroll 4
  for (int step = 1; step < kWidth<typename Op::V>; step *= 2) v = Op::join(moved<kBackward>(v, none, step), v);
  return v;
}

// A vector of which the first n lanes are elements.
template <class V>
static inline V part_of(const void* x, std::int64_t i, std::int64_t n, V none) {
  typename ScalarOf<V>::type lanes[kWidth<V>];
  std::memcpy(lanes, &none, sizeof none);
  std::memcpy(lanes, static_cast<const typename ScalarOf<V>::type*>(x) + i,
              static_cast<std::size_t>(n) * sizeof lanes[0]);
  return at<V>(lanes, 0);
}
static inline Pair part_of(const void* x, std::int64_t i, std::int64_t n, Pair none) {
  return {part_of(x, i, n, none.re), part_of(x, kTileElements + i, n, none.im)};
}
template <class V>
static inline void set_part(void* y, std::int64_t i, std::int64_t n, V v) {
  std::memcpy(static_cast<typename ScalarOf<V>::type*>(y) + i, &v,
              static_cast<std::size_t>(n) * sizeof(typename ScalarOf<V>::type));
}
static inline void set_part(void* y, std::int64_t i, std::int64_t n, Pair v) {
  set_part(y, i, n, v.re), set_part(y, kTileElements + i, n, v.im);
}

// What is carried behind a vector of elements, in each of its lanes: c, spread over all lanes, lies before it.
template <class Op, bool kBackward>
static inline typename Op::State behind(typename Op::State c, typename Op::V v) {
  if constexpr (requires { Op::template behind<kBackward>(c, v); }) return Op::template behind<kBackward>(c, v);
  else return Op::join(c, scanned<Op, kBackward>(Op::in(v)));
}

template <class Op, bool kBackward>
void along(const void* x, void* y, std::int64_t n, void* carry, bool exclusive) {
  typedef typename Op::V V;
  typedef typename Op::State State;
  State c = spread(Op::load(carry, 0), 0);
  const auto step = [&](V v) {
    const State all = behind<Op, kBackward>(c, v);
    const State shown = exclusive ? moved<kBackward>(all, c, 1) : all;
    c = spread(all, kBackward ? 0 : static_cast<int>(kWidth<V>) - 1);
    return shown;
  };
  const std::int64_t whole = n / kWidth<V> * kWidth<V>, rest = n - whole;
  const auto last = [&] {
    const State s = step(part_of(x, whole, rest, Op::none()));
    if (y) set_part(y, whole, rest, Op::out(s));
  };
  if (kBackward && rest > 0) last();
  for (std::int64_t k = 0; k < whole; k += kWidth<V>) {
    const std::int64_t i = kBackward ? whole - kWidth<V> - k : k;
    const State s = step(at<V>(x, i));
    if (y) set<V>(y, i, Op::out(s));
  }
  if (!kBackward && rest > 0) last();
  Op::keep_one(carry, c);
}

// The lanes of four vectors each by themselves, then together: every 4 x lanes-th element is joined first. Op::start
// is what adds nothing to the carry.
template <class Op>
void total(const void* x, std::int64_t n, void* carry) {
  typedef typename Op::V V;
  typedef typename Op::State State;
  constexpr std::int64_t kStep = 4 * kWidth<V>;
  const State c = spread(Op::load(carry, 0), 0), none = Op::in(Op::none()), start = Op::start(c);
  State s[4] = {start, start, start, start};
  std::int64_t i = 0;
  for (; i + kStep <= n; i += kStep)
    for (int k = 0; k < 4; ++k) s[k] = Op::with(s[k], at<V>(x, i + k * kWidth<V>));
  for (; i + kWidth<V> <= n; i += kWidth<V>) s[0] = Op::with(s[0], at<V>(x, i));
  if (i < n) s[1] = Op::with(s[1], part_of(x, i, n - i, Op::none()));
  State all = Op::join(Op::join(s[0], s[1]), Op::join(s[2], s[3]));
#pragma GCC unroll 4
  for (int step = static_cast<int>(kWidth<V> / 2); step > 0; step /= 2)
    all = Op::join(all, moved<true>(all, none, step));
  Op::keep_one(carry, Op::join(c, all));
}

template <class Op>
void down(const void* x, void* y, std::int64_t n, void* carry, bool exclusive) {
  typedef typename Op::V V;
  for (std::int64_t i = 0; i < n; i += kWidth<V>) {
    const typename Op::State c = Op::load(carry, i), all = Op::with(c, at<V>(x, i));
    if (y) set<V>(y, i, Op::out(exclusive ? c : all));
    Op::keep(carry, i, all);
  }
}

template <class Op>
void join_carries(void* carry, const void* later, std::int64_t n) {
  for (std::int64_t i = 0; i < n; i += kWidth<typename Op::V>)
    Op::keep(carry, i, Op::join(Op::load(carry, i), Op::load(later, i)));
}

// What is carried is what the elements are.
template <class Vector>
struct Plain {
  static constexpr bool kAnyOrder = false;  // whether a bound holds, and results are the same, in whatever order
  typedef Vector V;
  typedef Vector State;
  static State in(V x) { return x; }
  static V out(State s) { return s; }
  static State load(const void* carry, std::int64_t i) { return at<V>(carry, i); }
  static void keep(void* carry, std::int64_t i, State s) { set<V>(carry, i, s); }
  static void keep_one(void* carry, State s) { set_part(carry, 0, 1, s); }
};

template <class Op>
constexpr ScanKernel scan_kernel() {
  ScanKernel k{along<Op, false>, along<Op, true>, down<Op>, join_carries<Op>, nullptr, kWidth<typename Op::V>};
  if constexpr (Op::kAnyOrder) k.total = total<Op>;
  return k;
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
