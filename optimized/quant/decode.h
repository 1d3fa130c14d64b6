// A packed weight from its code. For files *.simd.cpp only.
#pragma once

#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

// code s + b: infinite only where the exact weight is beyond the floats. A product rounded on its own would be so too
// soon, and an infinite weight makes NaN of a feature 0.
static inline f32v decoded(f32v code, f32v s, f32v b) {
#if defined(__AVX512F__) || defined(__FMA__)
  return fma(code, s, b);
#else
  f32v w;
  for (int i = 0; i < kF32; ++i)
    w[i] = static_cast<float>(static_cast<double>(code[i]) * static_cast<double>(s[i]) + static_cast<double>(b[i]));
  return w;
#endif
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
