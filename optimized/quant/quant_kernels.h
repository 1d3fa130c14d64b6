// Kernels of quant.simd.cpp. Codes are bit streams that start on a byte; n and group are multiples of 32.
#pragma once

#include <cstdint>
#include <limits>

#include "optimized/dispatch.h"
#include "optimized/element.h"
#include "optimized/quant/product_kernels.h"

namespace plumb {

// out = round(round(code s) + b), rounded to the types `product` and `sum`, then to `t`; each f32, f16 or bf16.
PLUMB_DECLARE_SIMD(void quant_expand(const std::uint8_t* codes, int bits, std::int64_t group, const float* s,
                                     const float* b, std::int64_t n, Element product, Element sum, Element t,
                                     void* out))

// Quantizes groups of w: codes, and the unrounded scales and biases. A group with a number that is not finite, or whose
// scale is not below `most`, has codes 0, scale NaN and bias NaN.
PLUMB_DECLARE_SIMD(void quant_encode(const float* w, std::int64_t groups, std::int64_t group, int bits, float most,
                                     std::uint8_t* codes, float* s, float* b))

// Quantizes groups of w, elements of type t, in a mode whose scales are bytes: scale = max |w| / the largest element,
// as a power of two or, in groups of 16, as E4M3; where there is a global scale, times g = 2688 / it. A group that is
// lost has codes 0 and scale byte 0x7f or 0xff.
PLUMB_DECLARE_SIMD(void quant_encode_blocks(const float* w, std::int64_t groups, CodeFormat, Element t, bool global,
                                            float g, std::uint8_t* codes, std::uint8_t* scales))

// Scales from here on round to infinity.
inline float quant_scale_limit(Element t) {
  return t == Element::f32 ? std::numeric_limits<float>::infinity() : t == Element::f16 ? 65520.0F : 0x1.FFp127F;
}

}  // namespace plumb
