// Registers of unsigned keys: the smaller and the larger of two, and keys parted by a bound.
#pragma once

#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

static inline u32v lesser(u32v a, u32v b) {
#if defined(__AVX512F__)
  return (u32v)_mm512_maskz_min_epu32(0xFFFF, (__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
  return (u32v)_mm256_min_epu32((__m256i)a, (__m256i)b);
#else
  const u32v less = (u32v)(a < b);
  return (a & less) | (b & ~less);
#endif
}
static inline u32v greater(u32v a, u32v b) {
#if defined(__AVX512F__)
  return (u32v)_mm512_maskz_max_epu32(0xFFFF, (__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
  return (u32v)_mm256_max_epu32((__m256i)a, (__m256i)b);
#else
  const u32v less = (u32v)(a < b);
  return (b & less) | (a & ~less);
#endif
}
static inline void exchange(u32v& a, u32v& b) {
  const u32v low = lesser(a, b);
  b = greater(a, b);
  a = low;
}
static inline void exchange(u64v& a, u64v& b) {
#if defined(__AVX512F__)
  const __m512i low = _mm512_maskz_min_epu64(0xFF, (__m512i)a, (__m512i)b);
  b = (u64v)_mm512_maskz_max_epu64(0xFF, (__m512i)a, (__m512i)b);
  a = (u64v)low;
#elif defined(__AVX2__)
  const u64v top = (std::uint64_t{1} << 63) - u64v{};  // vectors are compared with their sign
  const __m256i swap = _mm256_cmpgt_epi64((__m256i)(a ^ top), (__m256i)(b ^ top));
  const __m256i low = _mm256_blendv_epi8((__m256i)a, (__m256i)b, swap);
  b = (u64v)_mm256_blendv_epi8((__m256i)b, (__m256i)a, swap);
  a = (u64v)low;
#else
  const u64v swap = (u64v)(a > b), low = (b & swap) | (a & ~swap);
  b = (a & swap) | (b & ~swap);
  a = low;
#endif
}

// The set of lanes of a that are below those of b; packed: those of a set first, in order.
#if defined(__AVX512F__)
static inline unsigned below(u32v a, u32v b) { return _mm512_cmplt_epu32_mask((__m512i)a, (__m512i)b); }
static inline unsigned below(u64v a, u64v b) { return _mm512_cmplt_epu64_mask((__m512i)a, (__m512i)b); }
static inline u32v packed(u32v v, unsigned lanes) {
  return (u32v)_mm512_maskz_compress_epi32(static_cast<__mmask16>(lanes), (__m512i)v);
}
static inline u64v packed(u64v v, unsigned lanes) {
  return (u64v)_mm512_maskz_compress_epi64(static_cast<__mmask8>(lanes), (__m512i)v);
}
// As packed, and the others behind them.
static inline u32v parted(u32v v, unsigned lanes) {
  const auto behind = static_cast<__mmask16>(0xFFFFU << __builtin_popcount(lanes));
  return (u32v)_mm512_mask_expand_epi32((__m512i)packed(v, lanes), behind, (__m512i)packed(v, ~lanes & 0xFFFFU));
}
static inline u64v parted(u64v v, unsigned lanes) {
  const auto behind = static_cast<__mmask8>(0xFFU << __builtin_popcount(lanes));
  return (u64v)_mm512_mask_expand_epi64((__m512i)packed(v, lanes), behind, (__m512i)packed(v, ~lanes & 0xFFU));
}
#elif defined(__AVX2__)
// For each set of 8 lanes, a byte each: their numbers in order, then the others'.
struct Lanes8 {
  std::uint64_t order[256];
  constexpr Lanes8() : order() {
    for (unsigned set = 0; set < 256; ++set) {
      int at = 0;
      for (unsigned member = 2; member-- > 0;)
        for (unsigned lane = 0; lane < 8; ++lane)
          if ((set >> lane & 1U) == member) order[set] |= static_cast<std::uint64_t>(lane) << 8 * at++;
    }
  }
};
alignas(64) inline constexpr Lanes8 kLanes8;

static inline unsigned below(u32v a, u32v b) {
  return static_cast<unsigned>(_mm256_movemask_ps((__m256)(i32v)(a < b)));
}
static inline unsigned below(u64v a, u64v b) {
  return static_cast<unsigned>(_mm256_movemask_pd((__m256d)(i64v)(a < b)));
}
static inline u32v packed(u32v v, unsigned lanes) {
  const __m128i bytes = _mm_cvtsi64_si128(static_cast<long long>(kLanes8.order[lanes]));
  return (u32v)_mm256_permutevar8x32_epi32((__m256i)v, _mm256_cvtepu8_epi32(bytes));
}
static inline u64v packed(u64v v, unsigned lanes) {
  // Each lane is two of 32 bits.
  const unsigned spread = (lanes & 1) * 3 | (lanes & 2) * 6 | (lanes & 4) * 12 | (lanes & 8) * 24;
  return (u64v)packed((u32v)v, spread);
}
template <class V>
static inline V parted(V v, unsigned lanes) {
  return packed(v, lanes);
}
#else
static inline unsigned below(u32v a, u32v b) { return static_cast<unsigned>(_mm_movemask_ps((__m128)(i32v)(a < b))); }
static inline unsigned below(u64v a, u64v b) {
  unsigned lanes = 0;
  for (int l = 0; l < kF64; ++l) lanes |= static_cast<unsigned>(a[l] < b[l]) << l;
  return lanes;
}
template <class V>
static inline V packed(V v, unsigned lanes) {
  V out{};
  for (int l = 0, at = 0; l < static_cast<int>(sizeof(V) / sizeof(v[0])); ++l)
    if ((lanes >> l & 1U) != 0) out[at++] = v[l];
  return out;
}
#endif

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
