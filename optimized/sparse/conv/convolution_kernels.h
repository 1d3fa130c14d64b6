// The inner loops of sparse convolution, one set per instruction set (convolution.simd.cpp).
#pragma once

#include <cstdint>

#include "optimized/dispatch.h"

namespace plumb {

// acc[out[p]][0, width) += sum over c of x[in[p]][c] * w[c][0, width), for pairs p with distinct out.
struct ConvolutionTile {
  const float* x;
  std::int64_t x_stride;
  const std::int32_t* in;
  const std::int32_t* out;
  std::int64_t pairs;
  const float* w;  // (channels, width), width a multiple of the vector and at most four vectors
  std::int64_t channels, width;
  float* acc;
  std::int64_t acc_stride;
  const std::int32_t* later = nullptr;  // rows of x that are read after this call, and would else come from afar
  std::int64_t later_rows = 0;
};

PLUMB_DECLARE_SIMD(void convolution_tile(const ConvolutionTile&); std::int64_t convolution_lanes();
                   // Rows of `width` floats, a multiple of the vector, all equal to `row`.
                   void repeat_row(const float* row, std::int64_t width, std::int64_t rows, float* to);
                   // Row i of `from`, its first `width` elements, to row order[i] of `to`, whose rows have that width.
                   // Other threads may read it after end_streams.
                   void scatter_floats(const float* from, std::int64_t stride, const std::int32_t* order,
                                       std::int64_t rows, std::int64_t width, float* to);
                   void end_streams();
                   void scatter_halves(const float* from, std::int64_t stride, const std::int32_t* order,
                                       std::int64_t rows, std::int64_t width, std::uint16_t* to))

}  // namespace plumb
