// Kernels of product.simd.cpp. Codes are bit streams that start on a byte; n and k are whole groups.
#pragma once

#include <cstdint>

#include "optimized/dispatch.h"

namespace plumb {

// How codes stand for numbers: code s + b, or one of 16 or 256 floats times s, where b is not read.
enum class Coding : std::uint8_t { affine, e2m1, e4m3 };

struct CodeFormat {
  Coding coding;
  int bits;
  std::int64_t group;  // 16 for e2m1 alone
};

// out = the weights: fma(code, s, b), as decode.h has it, or the exact product of element and s.
PLUMB_DECLARE_SIMD(void quant_weights(const std::uint8_t* codes, CodeFormat, const float* s, const float* b,
                                      std::int64_t n, float* out))

// y_r = sum_k x_rk w_k for 1 to 4 rows of x: 32 interleaved sums joined by a tree.
PLUMB_DECLARE_SIMD(void quant_dot(const float* x, std::int64_t ldx, int rows, const std::uint8_t* codes, CodeFormat,
                                  const float* s, const float* b, std::int64_t k, float* y))

// y_rj += sum_d x_rd w_dj in sequence over d, for up to 4 rows d of n weights that lie ldw apart; n is a multiple
// of 16.
PLUMB_DECLARE_SIMD(void quant_add_rows(const float* w, std::int64_t ldw, int depth, std::int64_t n, const float* x,
                                       std::int64_t ldx, std::int64_t rows, float* y, std::int64_t ldy))

}  // namespace plumb
