// Rounding of f32 sums to the 16-bit types.
#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

// To nearest even; a NaN stays one, quiet.
inline std::uint16_t bf16_bits(float x) {
  std::uint32_t u;
  std::memcpy(&u, &x, sizeof u);
  const std::uint32_t rounded = (u + 0x7FFF + (u >> 16 & 1)) >> 16, quiet = u >> 16 | 0x40;
  return static_cast<std::uint16_t>((u & 0x7FFFFFFF) > 0x7F800000 ? quiet : rounded);
}

#if !defined(__F16C__)
inline std::uint16_t f16_bits(float x) {
  std::uint32_t u;
  std::memcpy(&u, &x, sizeof u);
  const std::uint32_t sign = u >> 16 & 0x8000;
  u &= 0x7FFFFFFF;
  if (u > 0x7F800000) return static_cast<std::uint16_t>(sign | 0x7E00);
  if (u >= 0x477FF000) return static_cast<std::uint16_t>(sign | 0x7C00);  // 65520 and above
  if (u >= 0x38800000) return static_cast<std::uint16_t>(sign | (u + 0xC8000FFF + (u >> 13 & 1)) >> 13);
  // Below the normal range an f16 is a multiple of 2^-24, the spacing of f32 just below 1: adding one half
  // makes the processor round there.
  float magnitude;
  std::memcpy(&magnitude, &u, sizeof u);
  magnitude += 0.5f;
  std::memcpy(&u, &magnitude, sizeof u);
  return static_cast<std::uint16_t>(sign | (u - 0x3F000000));
}
#endif

}  // namespace

void linalg_round_bf16(const float* from, std::uint16_t* to, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) to[i] = bf16_bits(from[i]);
}

void linalg_round_f16(const float* from, std::uint16_t* to, std::int64_t n) {
  std::int64_t i = 0;
#if defined(__F16C__)
  for (; i + 8 <= n; i += 8)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i),
                     _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT));
  for (; i < n; ++i) to[i] = static_cast<std::uint16_t>(_cvtss_sh(from[i], _MM_FROUND_TO_NEAREST_INT));
#else
  for (; i < n; ++i) to[i] = f16_bits(from[i]);
#endif
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
