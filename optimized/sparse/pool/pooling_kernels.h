// The inner loops of pooling, one set per instruction set (pooling.simd.cpp). Rows are dense, `channels` long, of
// floats or halves; sums are chains in f32, in the order of the edges.
#pragma once

#include <cstdint>

#include "optimized/dispatch.h"

namespace plumb {

struct PoolRows {
  const void* data;
  bool half;
};

// The edges of a row r: e in [offsets[r], offsets[r+1]), each with a row of x and, if there are weights, with that of
// its kernel row or, without kernel rows, one of its own.
struct PoolEdges {
  const std::int32_t *offsets, *row, *kernel;
  const float* weight;   // null: all 1
  const float* divisor;  // of each row r, never applied where 0; null: none
};

struct PoolJob {
  PoolEdges edges;
  PoolRows x, y;                      // y is written
  std::int64_t channels, begin, end;  // rows r of y
  float* best = nullptr;              // pool_ties: y in f32
  const float* share = nullptr;       // pool_selected: what each winner of a row gets
  const float* bests = nullptr;       // pool_selected: the greatest value of each row
  PoolRows seed{nullptr, false};      // pool_ties: cotangent; pool_winners: tangent
};

// y[r] = (sum over e of w x[row]) / divisor
// y[r] = max over e of x[row]: NaN is never greater, of equal values the first stays
// y[r] = seed[r] / divisor
// best[r] = max as above, y[r] = seed[r] / (how many x[row] equal it)
// y[r] = sum over e of share[row] where x[r] = bests[row]
// y[r] = how many x[row] equal bests[kernel[r]]
// y[r] = share[row[r]], where there are bests only if x[r] = bests[row[r]], else 0; 0 for a negative row
// y[r] = seed[row] of the first e with the greatest x[row]; 0 if there is none
PLUMB_DECLARE_SIMD(void pool_sum(const PoolJob&); void pool_max(const PoolJob&); void pool_scale(const PoolJob&);
                   void pool_ties(const PoolJob&); void pool_selected(const PoolJob&); void pool_count(const PoolJob&);
                   void pool_pick(const PoolJob&); void pool_winners(const PoolJob&))

}  // namespace plumb
