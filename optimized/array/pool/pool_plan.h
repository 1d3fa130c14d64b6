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

// Values as elements of `out` from there on, each rounded once.
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
