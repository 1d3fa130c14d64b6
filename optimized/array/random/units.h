// Words as numbers between 0 and 1, in registers.
#pragma once

#include "optimized/element.h"
#include "optimized/functions/rounding.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

// To the nearest of binary32.
static inline f32v float_of(u32v w) { return __builtin_convertvector(w, f32v); }

// Each to the nearest number of the dtype that S stores.
template <class S>
static inline f32v nearest_of(f32v v) {
  S stored[kF32];
  store_elements(stored, v);
  return elements<float>(stored);
}
template <>
inline f32v nearest_of<float>(f32v v) {
  return v;
}

// Below 1 by at least half an ulp of the dtype, so that no rounding makes it 1.
template <class S>
inline constexpr float kMost = 1 - 0x1p-24F;
template <>
inline constexpr float kMost<Half> = 1 - 0x1p-11F;
template <>
inline constexpr float kMost<Bf16> = 1 - 0x1p-8F;

template <class S>
static inline f32v unit_of(u32v w) {
  return nearest_of<S>(smaller(splat(kMost<S>), float_of(w) * 0x1p-32F));
}

// u (high - low) + low, each operation rounded to the dtype.
template <class S>
static inline f32v between(f32v u, f32v low, f32v high) {
  return nearest_of<S>(nearest_of<S>(u * nearest_of<S>(high - low)) + low);
}

static inline u32v load_words(const std::uint32_t* w) { return *reinterpret_cast<const u32v*>(w); }

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
