// The compiled kernels of dense_pool.simd.cpp, per instruction set. T is float or double: what is computed in.
#pragma once

#include <cstdint>

#include "optimized/dispatch.h"
#include "optimized/element.h"

namespace plumb {

// The number of a tap, as wide as what is computed in; -1: none.
template <class T>
struct TapNumber;
template <>
struct TapNumber<float> {
  typedef std::int32_t type;
};
template <>
struct TapNumber<double> {
  typedef std::int64_t type;
};
template <class T>
using Tap = typename TapNumber<T>::type;

// One window: `count` elements of it that there are, each a row of channels; tap[i] is the number of the i-th.
//   max: the first of the greatest, and the number of its tap where taken is not null; -inf and -1 of an empty window
//   avg: the sum divided by `taps`
template <class T>
struct PoolWindow {
  const void* const* rows = nullptr;
  const std::int64_t* tap = nullptr;
  std::int64_t count = 0, channels = 0, taps = 0;
  Element type = Element::f32;  // of the rows
  bool max = false;
  T* values = nullptr;  // one for each channel, as those below
  Tap<T>* taken = nullptr;
};

// The windows that hold one element: sum of their cotangents, divided by `taps` unless that is 0. Where taken is not
// null, only of those that took it: whose taken[i][c] is tap[i].
template <class T>
struct PoolReturn {
  const T* const* cotangents = nullptr;
  const Tap<T>* const* taken = nullptr;
  const std::int64_t* tap = nullptr;
  std::int64_t count = 0, channels = 0, taps = 0;
  T* sums = nullptr;
};

// NOLINTBEGIN(bugprone-macro-parentheses): a type
#define PLUMB_POOL_KERNELS(suffix, T)                                 \
  PLUMB_DECLARE_SIMD(void pool_window_##suffix(const PoolWindow<T>&)) \
  PLUMB_DECLARE_SIMD(void pool_return_##suffix(const PoolReturn<T>&))
PLUMB_POOL_KERNELS(f32, float)
PLUMB_POOL_KERNELS(f64, double)
// NOLINTEND(bugprone-macro-parentheses)
#undef PLUMB_POOL_KERNELS

}  // namespace plumb
