// The inner loop of packed sparse convolution that is its own (sparse_quant.simd.cpp).
#pragma once

#include <cstdint>

#include "optimized/dispatch.h"

namespace plumb {

// panel[a][j] = code s + b of channel a < channels and output j < used, zero for used <= j < width. Words, scales and
// biases of one kernel row have outputs adjacent and their rows `pitch` apart; width is a multiple of the vector.
struct PackedPanel {
  const std::uint32_t* words;
  const float* scales;
  const float* biases;
  std::int64_t pitch;
  int bits;
  std::int64_t group, channels, used, width;
  float* panel;
};

PLUMB_DECLARE_SIMD(void packed_panel(const PackedPanel&))

}  // namespace plumb
