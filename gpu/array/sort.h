// The radix sort of gpu/array/sort.cpp, for routes that sort keys of their own.
#pragma once

#include <functional>
#include <string>

#include "gpu/runtime.h"

namespace plumb::gpu {

// How sort.cl is built and cut: its options, the elements of a tile, and up to how many tiles one work-item makes the
// sums alone.
struct SortTiles {
  Options options;
  std::int64_t tiles;
  bool few;
  explicit SortTiles(std::int64_t n);  // for lines of n
};

// What enqueues the stable order of n signed 64-bit keys, as int32 positions; n < 2^31. Work-groups of 256.
std::function<void()> radix_argsort(const BufferPtr& keys, std::int64_t n, const BufferPtr& order);

}  // namespace plumb::gpu
