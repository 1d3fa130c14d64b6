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

static inline f32v load(const float* p) { return *reinterpret_cast<const f32v*>(p); }
static inline f64v load(const double* p) { return *reinterpret_cast<const f64v*>(p); }
static inline void store(float* p, f32v v) { *reinterpret_cast<f32v*>(p) = v; }
static inline void store(double* p, f64v v) { *reinterpret_cast<f64v*>(p) = v; }
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

// Halves and bfloat16 live in memory as 16-bit words. To float is exact; back rounds once, to nearest even.
typedef std::uint16_t u16h __attribute__((vector_size(kVectorBytes / 2), aligned(2), may_alias));  // kF32 lanes

static inline float from_bits(std::uint32_t b) {
  float x;
  std::memcpy(&x, &b, 4);
  return x;
}
static inline std::uint32_t to_bits(float x) {
  std::uint32_t b;
  std::memcpy(&b, &x, 4);
  return b;
}

static inline float half_to_f32(std::uint16_t h) {
#if defined(__F16C__)
  return _cvtsh_ss(h);
#else
  const std::uint32_t sign = (h & 0x8000U) << 16, w = (h & 0x7FFFU) << 13;
  if ((h & 0x7C00U) == 0x7C00U) return from_bits(sign | w | 0x7F800000U);
  return from_bits(sign | to_bits(from_bits(w) * 0x1p112F));  // exact: the exponent bias differs by 112
#endif
}
static inline std::uint16_t f32_to_half(float x) {
#if defined(__F16C__)
  return _cvtss_sh(x, _MM_FROUND_TO_NEAREST_INT);
#else
  const std::uint32_t sign = to_bits(x) >> 16 & 0x8000U, b = to_bits(x) & 0x7FFFFFFFU;
  std::uint32_t h;
  if (b > 0x7F800000U) h = 0x7E00U;
  else if (b >= 0x477FF000U) h = 0x7C00U;  // 65520 and above round to infinity
  else if (b < 0x38800000U)
    h = to_bits(from_bits(b) + 0.5F) - 0x3F000000U;  // the ulp of 0.5 is that of a subnormal half
  else h = (b - 0x38000000U + 0xFFFU + (b >> 13 & 1U)) >> 13;
  return static_cast<std::uint16_t>(sign | h);
#endif
}
static inline float bf16_to_f32(std::uint16_t w) { return from_bits(static_cast<std::uint32_t>(w) << 16); }
static inline std::uint16_t f32_to_bf16(float x) {
  const std::uint32_t b = to_bits(x);
  if ((b & 0x7FFFFFFFU) > 0x7F800000U) return static_cast<std::uint16_t>(b >> 16 | 0x40U);
  return static_cast<std::uint16_t>((b + 0x7FFFU + (b >> 16 & 1U)) >> 16);
}

static inline f32v load_half(const std::uint16_t* p) {
#if defined(__AVX512F__)
  return (f32v)_mm512_maskz_cvtph_ps(0xFFFF, _mm256_loadu_si256((const __m256i*)p));
#elif defined(__F16C__)
  return (f32v)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)p));
#else
  f32v v;
  for (int i = 0; i < kF32; ++i) v[i] = half_to_f32(p[i]);
  return v;
#endif
}
static inline void store_half(std::uint16_t* p, f32v v) {
#if defined(__AVX512F__)
  _mm256_storeu_si256((__m256i*)p, _mm512_maskz_cvtps_ph(0xFFFF, (__m512)v, _MM_FROUND_TO_NEAREST_INT));
#elif defined(__F16C__)
  _mm_storeu_si128((__m128i*)p, _mm256_cvtps_ph((__m256)v, _MM_FROUND_TO_NEAREST_INT));
#else
  for (int i = 0; i < kF32; ++i) p[i] = f32_to_half(v[i]);
#endif
}
static inline f32v load_bf16(const std::uint16_t* p) {
  u16h w;
  std::memcpy(&w, p, sizeof w);
  return (f32v)(__builtin_convertvector(w, u32v) << 16);
}
static inline void store_bf16(std::uint16_t* p, f32v v) {
  const u32v b = (u32v)v, nan = (u32v)((b & 0x7FFFFFFFU) > 0x7F800000U);
  const u32v rounded = (b + 0x7FFFU + (b >> 16 & 1U)) >> 16, quiet = b >> 16 | 0x40U;
  const u16h w = __builtin_convertvector((nan & quiet) | (~nan & rounded), u16h);
  std::memcpy(p, &w, sizeof w);
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
