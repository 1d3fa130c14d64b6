// A tensor of any strides as runs that are dense where they go, shared out among threads.
#pragma once

#include <array>
#include <cstddef>

#include "core/pool.h"
#include "core/tensor.h"
#include "optimized/nest.h"

namespace plumb {

inline constexpr std::int64_t kDenseGrain = 1 << 15;  // elements worth a thread

// Calls f(from, step, to, n) for runs of elements `step` apart; at `to` an element takes so many bytes.
template <class F>
void for_dense_runs(const Tensor& a, std::int64_t bytes, std::byte* out, F&& f) {
  const auto loops = nest<2>(a.shape(), {a.strides(), row_major(a.shape())});
  const std::int64_t own = info(a.dtype()).bytes;
  const auto* from = a.read<std::byte>();
  parallel_for(a.size(), kDenseGrain, [&](std::int64_t begin, std::int64_t end) {
    for_runs(loops, begin, end, [&](const std::array<std::int64_t, 2>& at, std::int64_t n) {
      f(from + at[0] * own, loops.strides[0].back(), out + at[1] * bytes, n);
    });
  });
}

}  // namespace plumb
