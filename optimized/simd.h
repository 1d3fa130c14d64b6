// The one vector abstraction. A file optimized/<family>.simd.cpp is compiled once per instruction set,
// with PLUMB_ISA_NAME set to base, avx2 or avx512 (see CMakeLists.txt), and puts everything into
// namespace plumb::PLUMB_ISA_NAME. Such a file includes this header, <cstdint> and <cstring> only: a
// template of the standard library instantiated here could be the one copy that the linker keeps, and
// would then fault on an older processor.
#pragma once

#include <cstdint>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#ifndef PLUMB_ISA_NAME
#define PLUMB_ISA_NAME base
#endif

namespace plumb {
namespace PLUMB_ISA_NAME {

#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
inline constexpr int kVectorBytes = 32;
#else
inline constexpr int kVectorBytes = 16;
#endif

// GCC vector types: arithmetic and comparison by the language, unaligned by their typedef.
typedef float f32v __attribute__((vector_size(kVectorBytes), aligned(4), may_alias));
typedef double f64v __attribute__((vector_size(kVectorBytes), aligned(8), may_alias));
typedef std::int32_t i32v __attribute__((vector_size(kVectorBytes), aligned(4), may_alias));
typedef std::uint32_t u32v __attribute__((vector_size(kVectorBytes), aligned(4), may_alias));
typedef std::int64_t i64v __attribute__((vector_size(kVectorBytes), aligned(8), may_alias));
typedef std::uint64_t u64v __attribute__((vector_size(kVectorBytes), aligned(8), may_alias));

inline constexpr int kF32 = kVectorBytes / 4;  // lanes
inline constexpr int kF64 = kVectorBytes / 8;

static inline f32v load(const float* p) { f32v v; std::memcpy(&v, p, sizeof v); return v; }
static inline f64v load(const double* p) { f64v v; std::memcpy(&v, p, sizeof v); return v; }
static inline void store(float* p, f32v v) { std::memcpy(p, &v, sizeof v); }
static inline void store(double* p, f64v v) { std::memcpy(p, &v, sizeof v); }
static inline f32v splat(float x) { return x - f32v{}; }
static inline f64v splat(double x) { return x - f64v{}; }

// a b + c with one rounding where the instruction set has it; the base set rounds twice.
static inline f32v fma(f32v a, f32v b, f32v c) {
#if defined(__AVX512F__)
  return (f32v)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__FMA__)
  return (f32v)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
  return a * b + c;
#endif
}
static inline f64v fma(f64v a, f64v b, f64v c) {
#if defined(__AVX512F__)
  return (f64v)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif defined(__FMA__)
  return (f64v)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#else
  return a * b + c;
#endif
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
