// The inner loop of gradients of weights, one per instruction set (conv_gradient.simd.cpp).
#pragma once

#include <cstdint>

#include "optimized/dispatch.h"

namespace plumb {

// acc[a][0, columns) += sum over pairs p of x[in[p]][a] * g[out[p]][0, columns), for a < rows; acc_stride is at least
// the columns rounded up to whole vectors.
struct OuterProducts {
  const float* x;
  const float* g;
  const std::int32_t* in;
  const std::int32_t* out;
  std::int64_t pairs, rows, columns;
  float* acc;
  std::int64_t acc_stride;
  std::int64_t batch;  // pairs that are taken at once
};

PLUMB_DECLARE_SIMD(void add_outer_products(const OuterProducts&); std::int64_t outer_lanes())

}  // namespace plumb
