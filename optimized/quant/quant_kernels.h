// Kernels of quant.simd.cpp. Codes are bit streams that start on a byte; n and group are multiples of 32.
#pragma once

#include <cstdint>
#include <limits>

#include "optimized/dispatch.h"
#include "optimized/element.h"

namespace plumb {

// out = code s + b, as decode.h has it.
PLUMB_DECLARE_SIMD(void quant_weights(const std::uint8_t* codes, int bits, std::int64_t group, const float* s,
                                      const float* b, std::int64_t n, float* out))

// out = round(round(code s) + b), rounded to the types `product` and `sum`, then to `t`; each f32, f16 or bf16.
PLUMB_DECLARE_SIMD(void quant_expand(const std::uint8_t* codes, int bits, std::int64_t group, const float* s,
                                     const float* b, std::int64_t n, Element product, Element sum, Element t,
                                     void* out))

// y_r = sum_k x_rk (code s + b)_k for 1 to 4 rows of x: 32 interleaved sums joined by a tree.
PLUMB_DECLARE_SIMD(void quant_dot(const float* x, std::int64_t ldx, int rows, const std::uint8_t* codes, int bits,
                                  std::int64_t group, const float* s, const float* b, std::int64_t k, float* y))

// y_rj = sum_k x_rk (code s + b)_kj for 1 to 4 rows of x and 32 columns j of one group, in sequence over k.
// Row k of the codes starts row_bytes after row k - 1, its scale and bias row_groups after theirs.
PLUMB_DECLARE_SIMD(void quant_columns(const float* x, std::int64_t ldx, int rows, const std::uint8_t* codes,
                                      std::int64_t row_bytes, int bits, const float* s, const float* b,
                                      std::int64_t row_groups, std::int64_t k, float* y, std::int64_t ldy))

// Quantizes groups of w: codes, and the unrounded scales and biases. A group with a number that is not finite, or whose
// scale is not below `most`, has codes 0, scale NaN and bias NaN.
PLUMB_DECLARE_SIMD(void quant_encode(const float* w, std::int64_t groups, std::int64_t group, int bits, float most,
                                     std::uint8_t* codes, float* s, float* b))

// Scales from here on round to infinity.
inline float quant_scale_limit(Element t) {
  return t == Element::f32 ? std::numeric_limits<float>::infinity() : t == Element::f16 ? 65520.0F : 0x1.FFp127F;
}

}  // namespace plumb
