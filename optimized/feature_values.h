// Features as registers of binary64, for vector code that computes wide and rounds to the features' dtype once.
#pragma once

#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

typedef float f32h __attribute__((vector_size(kVectorBytes / 2), aligned(4), may_alias));  // kF64 lanes
typedef std::int32_t i32h __attribute__((vector_size(kVectorBytes / 2), aligned(4), may_alias));

// kF32 consecutive features.
struct Values {
  alignas(kVectorBytes) f64v part[2];
};

static inline Values wide_of(f32v v) {
  f32h half[2];
  std::memcpy(half, &v, sizeof v);
  return {{__builtin_convertvector(half[0], f64v), __builtin_convertvector(half[1], f64v)}};
}
static inline Values load_wide(const float* p) { return wide_of(load(p)); }
static inline Values load_wide(const std::uint16_t* p) { return wide_of(load_half(p)); }

// Toward zero, the last bit set if anything was lost: a float from which a half is rounded as from the value itself.
static inline f32h rounded_to_odd(f64v v) {
  const f32h nearest = __builtin_convertvector(v, f32h);
  const f64v back = __builtin_convertvector(nearest, f64v), a = (f64v)((i64v)back & 0x7FFFFFFFFFFFFFFF);
  const i64v away = a > (f64v)((i64v)v & 0x7FFFFFFFFFFFFFFF), lost = back != v;
  return (f32h)(((i32h)nearest + __builtin_convertvector(away, i32h)) | (__builtin_convertvector(lost, i32h) & 1));
}

static inline void store_wide(float* p, const Values& v) {
  const f32h half[2] = {__builtin_convertvector(v.part[0], f32h), __builtin_convertvector(v.part[1], f32h)};
  std::memcpy(p, half, sizeof half);
}
static inline void store_wide(std::uint16_t* p, const Values& v) {
  const f32h half[2] = {rounded_to_odd(v.part[0]), rounded_to_odd(v.part[1])};
  f32v whole;
  std::memcpy(&whole, half, sizeof whole);
  store_half(p, whole);
}

// The first n of kF32 features; the others are 0 and stay as they are in memory.
template <class T>
static inline Values load_wide(const T* p, std::int64_t n) {
  if (n >= kF32) return load_wide(p);
  T x[kF32] = {};
  std::memcpy(x, p, static_cast<std::size_t>(n) * sizeof(T));
  return load_wide(x);
}
template <class T>
static inline void store_wide(T* p, const Values& v, std::int64_t n) {
  if (n >= kF32) return store_wide(p, v);
  T x[kF32];
  store_wide(x, v);
  std::memcpy(p, x, static_cast<std::size_t>(n) * sizeof(T));
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
