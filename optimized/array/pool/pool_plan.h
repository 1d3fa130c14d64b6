// What the CPU routes of pooling and of its gradients share: operands and windows.
#pragma once

#include <algorithm>

#include "core/room.h"
#include "core/route.h"
#include "optimized/array/pool/pool_kernels.h"
#include "plans/array/conv/geometry.h"

namespace plumb::cpu {

inline void run(const PoolWindow<float>& w) { PLUMB_DISPATCH(pool_window_f32)(w); }
inline void run(const PoolWindow<double>& w) { PLUMB_DISPATCH(pool_window_f64)(w); }
inline void run(const PoolReturn<float>& r) { PLUMB_DISPATCH(pool_return_f32)(r); }
inline void run(const PoolReturn<double>& r) { PLUMB_DISPATCH(pool_return_f64)(r); }

// The taps that meet elements along an axis at one place: tap, tap + step, .. meet at, at + 1, ...
struct TapRun {
  std::int64_t tap = 0, at = 0, count = 0;
};
inline TapRun tap_run(const conv::Geometry& g, std::size_t axis, std::int64_t o) {  // without dilation
  const std::int64_t step = g.spread[axis], base = o * g.stride[axis] - g.low[axis];
  std::int64_t tap = std::max<std::int64_t>(0, -base);
  if (const std::int64_t over = (base + tap) % step; over > 0) tap += step - over;
  const std::int64_t at = (base + tap) / step, taps = (g.k[axis] - tap + step - 1) / step;
  return {tap, at, std::max<std::int64_t>(0, std::min(taps, g.n[axis] - at))};
}
inline Room<TapRun> tap_runs(const conv::Geometry& g, std::size_t axis) {
  Room<TapRun> runs;
  for (std::int64_t o = 0; o < g.m[axis]; ++o) runs.push_back(tap_run(g, axis, o));
  return runs;
}

// f(i, j, k, tap) for the elements that a place meets, in the order of taps.
template <class F>
void for_taps(const conv::Geometry& g, const TapRun (&runs)[3], F&& f) {
  for (std::int64_t a = 0; a < runs[0].count; ++a)
    for (std::int64_t b = 0; b < runs[1].count; ++b) {
      const std::int64_t tap = (runs[0].tap + a * g.spread[0]) * g.k[1] + runs[1].tap + b * g.spread[1];
      for (std::int64_t c = 0; c < runs[2].count; ++c)
        f(runs[0].at + a, runs[1].at + b, runs[2].at + c, tap * g.k[2] + runs[2].tap + c * g.spread[2]);
    }
}

// Where the kernels write n values that are to be elements of `out` from there on: there, if it has their type.
template <class T>
T* place_of(const Tensor& out, std::int64_t at, T* room) {
  return info(out.dtype()).bytes == sizeof(T) ? out.write<T>() + at : room;
}

// Values as elements of `out` from there on, each rounded once, unless they lie there.
template <class T>
void put_row(const T* values, std::int64_t n, const Tensor& out, std::int64_t at);

// The input in place where its channels are adjacent, else a copy of that type T.
template <class T>
struct PoolInput {
  Tensor kept;
  RawRoom<T> copy;
  const std::byte* data = nullptr;
  Element type;
  std::int64_t bytes = 0;  // of an element
  conv::Strided where;
  explicit PoolInput(const Tensor&);
};

// Every window: its value to `out`, and the tap that it takes to `taken`, which is [N, .., C]; either may be null.
template <class T>
void for_windows(const conv::Geometry&, const PoolInput<T>&, bool max, Tap<T>* taken, const Tensor* out);

}  // namespace plumb::cpu
