// Cumulative tables, a row in each lane: the float32 sum of a row runs in order, and rows run side by side.
#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

constexpr int kTile = 32;  // columns that are transposed together

static inline i32v least(i32v a, i32v b) { return a < b ? a : b; }
static inline i32v most(i32v a, i32v b) { return a > b ? a : b; }

static inline float probability(const void* p, int half, std::int64_t i) {
  return half ? half_to_f32(static_cast<const std::uint16_t*>(p)[i]) : static_cast<const float*>(p)[i];
}

// round(x), ties upwards, of 0 <= x <= 65536: the fraction is exact.
static inline i32v rounded(f32v x) {
  const i32v whole = __builtin_convertvector(x, i32v);
  const f32v rest = x - __builtin_convertvector(whole, f32v);
  return whole - (i32v)(rest >= 0.5F);
}

}  // namespace

// out: (rows, symbols + 1) bounds as uint16, the last 0 for 65536. Returns the first row with a probability that is not
// finite among those that are read, or -1.
std::int64_t cdf_rows(const void* prob, int half, std::int64_t symbols, std::int64_t rows, std::uint16_t* out) {
  alignas(64) float x[kTile][kF32];
  alignas(64) std::int32_t bound[kTile][kF32];
  const std::int64_t width = symbols + 1;
  const auto room = static_cast<std::int32_t>(65536 - symbols);
  for (std::int64_t r = 0; r < rows; r += kF32) {
    const int lanes = rows - r < kF32 ? static_cast<int>(rows - r) : kF32;
    f32v run{};
    i32v bad{};
    for (int l = 0; l < lanes; ++l) out[(r + l) * width] = out[(r + l) * width + symbols] = 0;
    for (std::int64_t j = 1; j < symbols; j += kTile) {
      const int columns = symbols - j < kTile ? static_cast<int>(symbols - j) : kTile;
      for (int l = 0; l < kF32; ++l)
        for (int t = 0; t < columns; ++t)
          x[t][l] = l < lanes ? probability(prob, half, (r + l) * symbols + j - 1 + t) : 0.0F;
      for (int t = 0; t < columns; ++t) {
        const f32v p = load(x[t]);
        bad |= (i32v)(p - p != 0.0F);
        f32v clamped = p > 0.0F ? p : f32v{};
        clamped = clamped < 1.0F ? clamped : splat(1.0F);
        run += clamped;
        const f32v scaled = run * static_cast<float>(room);
        const auto at = static_cast<std::int32_t>(j) + t;
        i32v b = rounded(scaled < 65536.0F ? scaled : splat(65536.0F)) + at;
        b = most(least(b, i32v{} + (room + at)), i32v{} + at);
        std::memcpy(bound[t], &b, sizeof b);
      }
      for (int l = 0; l < lanes; ++l)
        for (int t = 0; t < columns; ++t) out[(r + l) * width + j + t] = static_cast<std::uint16_t>(bound[t][l]);
    }
    for (int l = 0; l < lanes; ++l)
      if (bad[l] != 0) return r + l;
  }
  return -1;
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
