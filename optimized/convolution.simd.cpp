// A register tile of gathered rows times a narrow panel of weights.
#include "optimized/simd.h"

#include "optimized/convolution_kernels.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

// Rows of a tile: as many accumulators as the registers hold beside one row of weights.
template <int kVectors>
constexpr int kTileRows = kVectorBytes == 64 ? (kVectors == 4 ? 6 : kVectors == 3 ? 8 : 12)
                                             : (kVectors == 4 ? 2 : kVectors == 3 ? 4 : kVectors == 2 ? 6 : 8);

template <int kRows, int kVectors>
inline void tile(const ConvolutionTile& t, std::int64_t first) {
  const float* x[kRows];
  float* y[kRows];
  f32v sum[kRows][kVectors];
  for (int r = 0; r < kRows; ++r) {
    x[r] = t.x + t.in[first + r] * t.x_stride;
    y[r] = t.acc + t.out[first + r] * t.acc_stride;
    for (int v = 0; v < kVectors; ++v) sum[r][v] = load(y[r] + v * kF32);
  }
  const float* w = t.w;
  for (std::int64_t c = 0; c < t.channels; ++c, w += kVectors * kF32) {
    f32v row[kVectors];
    for (int v = 0; v < kVectors; ++v) row[v] = load(w + v * kF32);
    for (int r = 0; r < kRows; ++r) {
      const f32v a = splat(x[r][c]);
      for (int v = 0; v < kVectors; ++v) sum[r][v] = fma(a, row[v], sum[r][v]);
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v) store(y[r] + v * kF32, sum[r][v]);
}

// The rows of the tiles after next are on their way while this one is computed.
inline void prefetch_rows(const ConvolutionTile& t, std::int64_t first, std::int64_t count) {
  const std::int64_t end = first + count < t.pairs ? first + count : t.pairs;
  for (std::int64_t p = first; p < end; ++p)
    for (std::int64_t c = 0; c < t.channels; c += 16) __builtin_prefetch(t.x + t.in[p] * t.x_stride + c);
}

template <int kVectors>
void tiles(const ConvolutionTile& t) {
  constexpr int kRows = kTileRows<kVectors>;
  std::int64_t p = 0;
  for (; p + kRows <= t.pairs; p += kRows) {
    prefetch_rows(t, p + 2 * kRows, kRows);
    tile<kRows, kVectors>(t, p);
  }
  for (; p + 4 <= t.pairs; p += 4) tile<4, kVectors>(t, p);
  for (; p + 2 <= t.pairs; p += 2) tile<2, kVectors>(t, p);
  for (; p < t.pairs; ++p) tile<1, kVectors>(t, p);
}

}  // namespace

std::int64_t convolution_lanes() { return kF32; }

void convolution_tile(const ConvolutionTile& t) {
  switch (t.width / kF32) {
    case 1: return tiles<1>(t);
    case 2: return tiles<2>(t);
    case 3: return tiles<3>(t);
    default: return tiles<4>(t);
  }
}

// Exact: a subnormal half is its integer times 2^-24.
static inline float half_value(std::uint16_t h) {
  const std::uint32_t sign = (h & 0x8000u) << 16, exponent = h >> 10 & 31, fraction = h & 0x3FFu;
  std::uint32_t bits = sign | (exponent + 112) << 23 | fraction << 13;
  if (exponent == 31) bits = sign | 0x7F800000u | fraction << 13;
  float f;
  std::memcpy(&f, &bits, sizeof f);
  if (exponent == 0) f = static_cast<float>(fraction) * 0x1p-24f * (sign ? -1.0f : 1.0f);
  return f;
}

// To nearest even; what is too large becomes an infinity, NaN stays NaN.
static inline std::uint16_t half_bits(float f) {
  std::uint32_t bits;
  std::memcpy(&bits, &f, sizeof bits);
  const std::uint32_t sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u) return static_cast<std::uint16_t>(sign | 0x7E00u);
  if (magnitude >= 0x477FF000u) return static_cast<std::uint16_t>(sign | 0x7C00u);
  if (magnitude < 0x38800000u) {  // below 2^-14: adding 0.5 rounds at the weight of a subnormal half
    float m;
    std::memcpy(&m, &magnitude, sizeof m);
    const float shifted = m + 0.5f;
    std::uint32_t rounded;
    std::memcpy(&rounded, &shifted, sizeof rounded);
    return static_cast<std::uint16_t>(sign | (rounded - 0x3F000000u));
  }
  const std::uint32_t rounded = magnitude + 0xFFFu + (magnitude >> 13 & 1);
  return static_cast<std::uint16_t>(sign | (rounded - 0x38000000u) >> 13);
}

void halves_to_floats(const std::uint16_t* from, std::int64_t n, float* to) {
  std::int64_t i = 0;
#if defined(__F16C__)
  for (; i + 8 <= n; i += 8) _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)(from + i))));
#endif
  for (; i < n; ++i) to[i] = half_value(from[i]);
}

void floats_to_halves(const float* from, std::int64_t n, std::uint16_t* to) {
  std::int64_t i = 0;
#if defined(__F16C__)
  for (; i + 8 <= n; i += 8)
    _mm_storeu_si128((__m128i*)(to + i), _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT));
#endif
  for (; i < n; ++i) to[i] = half_bits(from[i]);
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
