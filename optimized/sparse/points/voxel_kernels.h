// Weighted sums of feature rows, compiled once per instruction set: voxel.simd.cpp.
#pragma once

#include <cstdint>

#include "optimized/dispatch.h"

namespace plumb {

// out[p] = sum over j < 8 of weights[p,j] table[rows[p,j]] for p in [begin, end); rows outside [0, count) add nothing.
PLUMB_DECLARE_SIMD(void interpolate_rows(const float* table, std::int64_t channels, std::int64_t count,
                                         const std::int32_t* rows, const float* weights, std::int64_t begin,
                                         std::int64_t end, float* out))

// out[v] = sum over the ids e of group v, in order, of weights[e] table[e / 8], for v in [begin, end).
PLUMB_DECLARE_SIMD(void sum_groups(const float* table, std::int64_t channels, const std::int32_t* offsets,
                                   const std::int32_t* ids, const float* weights, std::int64_t begin, std::int64_t end,
                                   std::int64_t most, float* out))

}  // namespace plumb
