// A register tile of gathered rows times a narrow panel of weights.
#include "optimized/simd.h"

#include "optimized/sparse/conv/convolution_kernels.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

#define PLUMB_INLINE __attribute__((always_inline)) inline

// Rows of a tile: as many accumulators as the registers hold beside one row of weights.
template <int kVectors>
constexpr int kTileRows = kVectorBytes == 64 ? (kVectors == 4   ? 6
                                                : kVectors == 3 ? 8
                                                                : 10)
                                             : (kVectors == 4   ? 2
                                                : kVectors == 3 ? 4
                                                : kVectors == 2 ? 6
                                                                : 8);

// Rows gathered, rows summed, and their sums: unrolled, so that the sums never live in memory.
template <int kRows, int kVectors>
struct Tile {
  const float* x[kRows];
  float* y[kRows];
  f32v sum[kRows][kVectors];

  PLUMB_INLINE void begin(const ConvolutionTile& t, std::int64_t first) {
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r) {
      x[r] = t.x + t.in[first + r] * t.x_stride;
      y[r] = t.acc + t.out[first + r] * t.acc_stride;
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[r][v] = load(y[r] + v * kF32);
    }
  }
  PLUMB_INLINE void add(const float* w, std::int64_t c) {
    f32v row[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) row[v] = load(w + (c * kVectors + v) * kF32);
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r) {
      const f32v a = splat(x[r][c]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[r][v] = fma(a, row[v], sum[r][v]);
    }
  }
  PLUMB_INLINE void end() {
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) store(y[r] + v * kF32, sum[r][v]);
  }
};

template <int kRows, int kVectors>
void tile(const ConvolutionTile& t, std::int64_t first) {
  Tile<kRows, kVectors> tile;
  tile.begin(t, first);
  for (std::int64_t c = 0; c < t.channels; ++c) tile.add(t.w, c);
  tile.end();
}

// Where the rows of the next tile begin, gathered and summed: asked for one with each channel, as a tile's rows all at
// once would wait for one another.
template <int kRows>
struct Ahead {
  const float* rows[2 * kRows];

  Ahead(const ConvolutionTile& t, std::int64_t first) {
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r) {
      rows[r] = t.x + t.in[first + r] * t.x_stride;
      rows[kRows + r] = t.acc + t.out[first + r] * t.acc_stride;
    }
  }
};

template <int kRows, int kVectors>
PLUMB_INLINE void tile_before(const ConvolutionTile& t, std::int64_t first, std::int64_t next) {
  const Ahead<kRows> ahead(t, next);
  Tile<kRows, kVectors> tile;
  tile.begin(t, first);
  std::int64_t c = 0;
  for (const std::int64_t end = t.channels < 2 * kRows ? t.channels : 2 * kRows; c < end; ++c) {
    __builtin_prefetch(ahead.rows[c]);
    __builtin_prefetch(ahead.rows[c] + 16);
    tile.add(t.w, c);
  }
  for (; c < t.channels; ++c) tile.add(t.w, c);
  tile.end();
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

template <int kVectors>
void tiles(const ConvolutionTile& t) {
  constexpr int kRows = kTileRows<kVectors>;
  const std::int64_t whole = t.pairs / kRows * kRows;
  Later later(t, whole / kRows);
  std::int64_t p = 0;
  for (; p < whole; p += kRows) {
    later.prefetch(t);
    tile_before<kRows, kVectors>(t, p, p + kRows < whole ? p + kRows : p);
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
    return;
  }
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < width; ++c) to[order[r] * width + c] = from[r * stride + c];
}

void end_streams() {
#if defined(__AVX2__)
  _mm_sfence();
#endif
}

void scatter_halves(const float* from, std::int64_t stride, const std::int32_t* order, std::int64_t rows,
                    std::int64_t width, std::uint16_t* to) {
  for (std::int64_t r = 0; r < rows; ++r, from += stride) {
    std::uint16_t* row = to + order[r] * width;
    std::int64_t c = 0;
    for (; c + kF32 <= width; c += kF32) store_half(row + c, load(from + c));
    for (; c < width; ++c) row[c] = f32_to_half(from[c]);
  }
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
