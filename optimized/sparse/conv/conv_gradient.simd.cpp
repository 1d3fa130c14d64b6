// A register tile of sums of outer products of gathered rows.
#include "optimized/simd.h"

#include "optimized/sparse/conv/conv_gradient_kernels.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

// Rows of a tile: as many accumulators as the registers hold beside one row of g.
template <int kVectors>
constexpr int kTileRows = kVectorBytes == 64 ? (kVectors == 4   ? 6
                                                : kVectors == 3 ? 8
                                                                : 12)
                                             : (kVectors == 4   ? 2
                                                : kVectors == 3 ? 4
                                                : kVectors == 2 ? 6
                                                                : 8);

// The first n lanes, zeros behind them.
inline f32v load_part(const float* p, std::int64_t n) {
#if defined(__AVX512F__)
  return (f32v)_mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << n) - 1), p);
#else
  f32v v{};
  for (std::int64_t i = 0; i < n; ++i) v[i] = p[i];
  return v;
#endif
}

struct Tile {
  std::int64_t first, last, row, column, part;  // part: lanes of the last vector; 0: all of them
};

template <int kRows, int kVectors>
inline void tile(const OuterProducts& t, const Tile& at) {
  float* acc = t.acc + at.row * t.acc_stride + at.column;
  f32v sum[kRows][kVectors];
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v) sum[r][v] = load(acc + r * t.acc_stride + v * kF32);
  for (std::int64_t p = at.first; p < at.last; ++p) {
    const float* x = t.x + t.in[p] * t.rows + at.row;
    const float* g = t.g + t.out[p] * t.columns + at.column;
    f32v row[kVectors];
    for (int v = 0; v + 1 < kVectors; ++v) row[v] = load(g + v * kF32);
    const float* end = g + (kVectors - 1) * kF32;
    row[kVectors - 1] = at.part ? load_part(end, at.part) : load(end);
    for (int r = 0; r < kRows; ++r) {
      const f32v a = splat(x[r]);
      for (int v = 0; v < kVectors; ++v) sum[r][v] = fma(a, row[v], sum[r][v]);
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v) store(acc + r * t.acc_stride + v * kF32, sum[r][v]);
}

template <int kVectors>
void columns(const OuterProducts& t, Tile at) {
  constexpr int kRows = kTileRows<kVectors>;
  for (; at.row + kRows <= t.rows; at.row += kRows) tile<kRows, kVectors>(t, at);
  for (; at.row + 4 <= t.rows; at.row += 4) tile<4, kVectors>(t, at);
  for (; at.row < t.rows; ++at.row) tile<1, kVectors>(t, at);
}

}  // namespace

std::int64_t outer_lanes() { return kF32; }

void add_outer_products(const OuterProducts& t) {
  for (std::int64_t first = 0; first < t.pairs; first += t.batch) {
    const std::int64_t last = first + t.batch < t.pairs ? first + t.batch : t.pairs;
    for (std::int64_t column = 0; column < t.columns; column += 4 * kF32) {
      const std::int64_t left = t.columns - column, vectors = (left + kF32 - 1) / kF32;
      const Tile at{first, last, 0, column, left < 4 * kF32 ? left % kF32 : 0};
      switch (vectors) {
        case 1: columns<1>(t, at); break;
        case 2: columns<2>(t, at); break;
        case 3: columns<3>(t, at); break;
        default: columns<4>(t, at);
      }
    }
  }
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
