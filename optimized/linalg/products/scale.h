// What compiled kernels do to the sums of a product, row by row.
#pragma once

#include <cstdint>

#include "optimized/dispatch.h"

namespace plumb {

// out_i = alpha s_i + beta c_i, each product and the sum rounded; without c: alpha s_i. In place if out is s.
PLUMB_DECLARE_SIMD(void scale_add_f32(const float* s, float alpha, const float* c, float beta, std::int64_t n,
                                      float* out);
                   void scale_add_f64(const double* s, double alpha, const double* c, double beta, std::int64_t n,
                                      double* out))

}  // namespace plumb
