// Features of f32 or f16 as registers of floats.
#pragma once

#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

// kF32 consecutive features.
static inline f32v load_values(const float* p) { return load(p); }
static inline f32v load_values(const std::uint16_t* p) { return load_half(p); }
static inline void store_values(float* p, f32v v) { store(p, v); }
static inline void store_values(std::uint16_t* p, f32v v) { store_half(p, v); }

// The first n of them; the others are 0 and stay as they are in memory.
template <class T>
static inline f32v load_values(const T* p, std::int64_t n) {
  if (n >= kF32) return load_values(p);
  T x[kF32] = {};
  std::memcpy(x, p, static_cast<std::size_t>(n) * sizeof(T));
  return load_values(x);
}
template <class T>
static inline void store_values(T* p, f32v v, std::int64_t n) {
  if (n >= kF32) return store_values(p, v);
  T x[kF32];
  store_values(x, v);
  std::memcpy(p, x, static_cast<std::size_t>(n) * sizeof(T));
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
