// Sorting keys by parting them: what quick.simd.cpp, compiled once per instruction set, gives to the routes.
#pragma once

#include <cstdint>

#include "optimized/dispatch.h"

namespace plumb {

// Called for the parts of sorted keys, the first of which is the begin-th.
template <class K>
using SortedPart = void (*)(void* context, const K* sorted, std::int64_t begin, std::int64_t n);

struct QuickLimits {
  std::int64_t leaf;    // as many keys as are sorted by a network, at most; fewer where registers hold less
  std::int64_t cached;  // as many as are in the cache still once they are sorted
  int luck;             // levels of keys drawn as bounds; below them the range of the keys is halved
};

// Sorts n keys, with as much room again, and gives them to `done` in their order. Returns the deepest level, or -1
// where the instruction set has no registers worth it: nothing was done.
PLUMB_DECLARE_SIMD(int quick_sort_narrow(std::uint32_t* keys, std::uint32_t* room, std::int64_t n, const QuickLimits&,
                                         SortedPart<std::uint32_t> done, void* context))
PLUMB_DECLARE_SIMD(int quick_sort_wide(std::uint64_t* keys, std::uint64_t* room, std::int64_t n, const QuickLimits&,
                                       SortedPart<std::uint64_t> done, void* context))

// y = those of n keys that are not above the bound, then the others; how many are first. Where there are such
// registers.
PLUMB_DECLARE_SIMD(std::int64_t part_narrow(const std::uint32_t* x, std::uint32_t* y, std::int64_t n,
                                            std::uint32_t bound))
PLUMB_DECLARE_SIMD(std::int64_t part_wide(const std::uint64_t* x, std::uint64_t* y, std::int64_t n,
                                          std::uint64_t bound))

}  // namespace plumb
