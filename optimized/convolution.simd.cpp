// A register tile of gathered rows times a narrow panel of weights.
#include "optimized/simd.h"

#include "optimized/convolution_kernels.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

// Rows of a tile: as many accumulators as the registers hold beside one row of weights.
template <int kVectors>
constexpr int kTileRows = kVectorBytes == 64 ? (kVectors == 4 ? 6 : kVectors == 3 ? 8 : 10)
                                             : (kVectors == 4 ? 2 : kVectors == 3 ? 4 : kVectors == 2 ? 6 : 8);

// Where the rows of a tile begin: gathered, and summed.
template <int kRows>
struct Rows {
  const float* x[kRows];
  float* y[kRows];

  void find(const ConvolutionTile& t, std::int64_t first) {
    for (int r = 0; r < kRows; ++r) x[r] = t.x + t.in[first + r] * t.x_stride;
    for (int r = 0; r < kRows; ++r) y[r] = t.acc + t.out[first + r] * t.acc_stride;
  }
  void prefetch(const ConvolutionTile& t) const {
    for (std::int64_t c = 0; c < t.channels; c += 16)
#pragma GCC unroll 12
      for (int r = 0; r < kRows; ++r) __builtin_prefetch(x[r] + c);
    for (std::int64_t c = 0; c < t.width; c += 16)
#pragma GCC unroll 12
      for (int r = 0; r < kRows; ++r) __builtin_prefetch(y[r] + c, 1);
  }
};

// Unrolled, so that the sums never live in memory.
template <int kRows, int kVectors>
inline void tile(const ConvolutionTile& t, const Rows<kRows>& rows) {
  f32v sum[kRows][kVectors];
#pragma GCC unroll 12
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sum[r][v] = load(rows.y[r] + v * kF32);
  const float* w = t.w;
  for (std::int64_t c = 0; c < t.channels; ++c, w += kVectors * kF32) {
    f32v row[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) row[v] = load(w + v * kF32);
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r) {
      const f32v a = splat(rows.x[r][c]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[r][v] = fma(a, row[v], sum[r][v]);
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) store(rows.y[r] + v * kF32, sum[r][v]);
}

template <int kRows, int kVectors>
inline void tile_at(const ConvolutionTile& t, std::int64_t first) {
  Rows<kRows> rows;
  rows.find(t, first);
  tile<kRows, kVectors>(t, rows);
}

// Rows that a later call reads: a few with each tile, so that none waits for another.
struct Later {
  std::int64_t at = 0, step;
  Later(const ConvolutionTile& t, std::int64_t tiles) : step(tiles > 0 ? (t.later_rows + tiles - 1) / tiles : 0) {}
  void prefetch(const ConvolutionTile& t) {
    const std::int64_t end = at + step < t.later_rows ? at + step : t.later_rows;
    for (; at < end; ++at)
      for (std::int64_t c = 0; c < t.channels; c += 16) __builtin_prefetch(t.x + t.later[at] * t.x_stride + c, 0, 2);
  }
};

// The rows of the next tile are on their way while this one is computed.
template <int kVectors>
void tiles(const ConvolutionTile& t) {
  constexpr int kRows = kTileRows<kVectors>;
  const std::int64_t whole = t.pairs / kRows * kRows;
  Later later(t, whole / kRows);
  Rows<kRows> rows[2];  // of this tile and of the next, in turn
  if (whole > 0) rows[0].find(t, 0);
  std::int64_t p = 0, turn = 0;
  for (; p < whole; p += kRows, turn ^= 1) {
    if (p + kRows < whole) {
      rows[turn ^ 1].find(t, p + kRows);
      rows[turn ^ 1].prefetch(t);
    }
    later.prefetch(t);
    tile<kRows, kVectors>(t, rows[turn]);
  }
  for (; p + 4 <= t.pairs; p += 4) tile_at<4, kVectors>(t, p);
  for (; p + 2 <= t.pairs; p += 2) tile_at<2, kVectors>(t, p);
  for (; p < t.pairs; ++p) tile_at<1, kVectors>(t, p);
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

void repeat_row(const float* row, std::int64_t width, std::int64_t rows, float* to) {
  for (std::int64_t r = 0; r < rows; ++r, to += width)
    for (std::int64_t c = 0; c < width; c += kF32) store(to + c, load(row + c));
}

// Past the caches, which keep what is summed: nobody reads a result soon.
static inline void stream(float* p, f32v v) {
#if defined(__AVX512F__)
  _mm512_stream_ps(p, (__m512)v);
#elif defined(__AVX2__)
  _mm256_stream_ps(p, (__m256)v);
#else
  store(p, v);
#endif
}

void scatter_floats(const float* from, std::int64_t stride, const std::int32_t* order, std::int64_t rows,
                    std::int64_t width, float* to) {
  if (width % kF32 == 0 && reinterpret_cast<std::uintptr_t>(to) % kVectorBytes == 0) {
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t c = 0; c < width; c += kF32) stream(to + order[r] * width + c, load(from + r * stride + c));
#if defined(__AVX2__)
    _mm_sfence();
#endif
    return;
  }
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < width; ++c) to[order[r] * width + c] = from[r * stride + c];
}

void scatter_halves(const float* from, std::int64_t stride, const std::int32_t* order, std::int64_t rows,
                    std::int64_t width, std::uint16_t* to) {
  for (std::int64_t r = 0; r < rows; ++r) floats_to_halves(from + r * stride, width, to + order[r] * width);
}

void halves_to_floats(const std::uint16_t* from, std::int64_t n, float* to) {
  std::int64_t i = 0;
  for (; i + kF32 <= n; i += kF32) store(to + i, load_half(from + i));
  for (; i < n; ++i) to[i] = half_to_f32(from[i]);
}

void floats_to_halves(const float* from, std::int64_t n, std::uint16_t* to) {
  std::int64_t i = 0;
  for (; i + kF32 <= n; i += kF32) store_half(to + i, load(from + i));
  for (; i < n; ++i) to[i] = f32_to_half(from[i]);
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
