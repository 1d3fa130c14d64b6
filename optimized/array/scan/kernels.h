// Scans over tiles of lanes (optimized/array/scalar/kernels.h): what the files that are compiled once per instruction
// set give to the routes.
//
// What a scan carries along is one number of a lane, or two: the parts of a complex number, or m and s of the sum of
// exponentials s e^m. It lies as a tile does, the second number kTileElements behind the first.
#pragma once

#include "optimized/array/scalar/kernels.h"

namespace plumb {

enum class Scan : std::uint8_t { sum, prod, max, min, log };

struct ScanKernel {
  // One line of n elements, in memory forward or backward: y_k = carry . x_0 . .. . x_k, without x_k if exclusive; y
  // may be null. The carry, for one line, becomes that of what follows.
  using Along = void (*)(const void* x, void* y, std::int64_t n, void* carry, bool exclusive);
  Along forward, backward;
  // One step of n lines side by side, in whole vectors: y = carry . x, or the carry if exclusive.
  Along down;
  void (*join)(void* carry, const void* later, std::int64_t n);  // carry = carry . later, of n lines
  // Of one line, as `along` without results where elements may be joined in any order; null where they may not.
  void (*total)(const void* x, std::int64_t n, void* carry);
  std::int64_t lanes;  // of a vector
};

}  // namespace plumb
