// How an element lies in memory, for kernels that take several: read exactly into lanes of a wider type, written with
// one rounding. Plain enough for the files that are compiled once per instruction set.
#pragma once

#include "optimized/simd.h"

namespace plumb {

// The order of Dtype (core/dtype.h), so that a cast converts.
enum class Element : std::uint8_t { boolean, u8, u16, u32, u64, i8, i16, i32, i64, f16, bf16, f32, f64, c64 };

namespace PLUMB_ISA_NAME {

// Storage types that C++ lacks.
struct Half {
  std::uint16_t bits;
};
struct Bf16 {
  std::uint16_t bits;
};

template <class T, int N>
struct VectorOf {
  typedef T type __attribute__((vector_size(N * sizeof(T)), aligned(alignof(T)), may_alias));
};
template <class T>
using Lanes = typename VectorOf<T, kVectorBytes / static_cast<int>(sizeof(T))>::type;  // one register
template <class T>
inline constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));

template <class A, class S>
static inline A element(const S* p) {
  return static_cast<A>(*p);
}
template <class A>
static inline A element(const Half* p) {
  return half_to_f32(p->bits);
}
template <class A>
static inline A element(const Bf16* p) {
  return bf16_to_f32(p->bits);
}

// kLanes<A> consecutive elements, converted to A.
template <class A, class S>
static inline Lanes<A> elements(const S* p) {
  typename VectorOf<S, kLanes<A>>::type v;
  std::memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, Lanes<A>);
}
template <class A>
static inline Lanes<A> elements(const Half* p) {
  return load_half(&p->bits);
}
template <class A>
static inline Lanes<A> elements(const Bf16* p) {
  return load_bf16(&p->bits);
}

static inline void store_elements(float* p, f32v v) { store(p, v); }
static inline void store_elements(double* p, f64v v) { store(p, v); }
static inline void store_elements(Half* p, f32v v) { store_half(&p->bits, v); }
static inline void store_elements(Bf16* p, f32v v) { store_bf16(&p->bits, v); }
static inline void store_element(float* p, float v) { *p = v; }
static inline void store_element(double* p, double v) { *p = v; }
static inline void store_element(Half* p, float v) { p->bits = f32_to_half(v); }
static inline void store_element(Bf16* p, float v) { p->bits = f32_to_bf16(v); }

// f(S{}) for the storage S of f32, f16 or bf16.
template <class F>
static inline void with_small_float(Element t, F&& f) {
  if (t == Element::f32) f(float{});
  else if (t == Element::f16) f(Half{});
  else f(Bf16{});
}

// ---- features: f32, or f16 as its words

// kF32 consecutive ones.
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

// ---- features as registers of binary64, for code that computes wide and rounds once

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
