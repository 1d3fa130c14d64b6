// The tiles behind the dense convolutions: a few pixels by a few vectors of channels are summed in registers.
#include "optimized/array/conv/conv_kernels.h"
#include "optimized/vector.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

// Pixels and vectors of a tile: as many sums as there are registers, and a pointer to each pixel in the others.
constexpr int kRows = 6;
#if defined(__AVX512F__)
constexpr int kVectors = 4;
#else
constexpr int kVectors = 2;
#endif

template <class T>
constexpr int kColumns = kVectors* Vector<T>::lanes;

template <class S>
void write(S* to, const float* sums, std::int64_t n) {
  std::int64_t i = 0;
  for (; i + kF32 <= n; i += kF32) store_elements(to + i, load(sums + i));
  for (int j = 0; j < kF32; ++j)
    if (i + j < n) store_element(to + i + j, sums[i + j]);
}
void write(void* out, Element, std::int64_t at, const double* sums, std::int64_t n) {
  std::memcpy(static_cast<double*>(out) + at, sums, static_cast<std::size_t>(n) * sizeof(double));
}
[[gnu::noinline]] void write(void* out, Element type, std::int64_t at, const float* sums, std::int64_t n) {
  with_small_float(type, [&]<class S>(S) { write(static_cast<S*>(out) + at, sums, n); });
}

// All loops over registers are unrolled, else the sums would live in memory.
template <class T, int R, int V>
void tile(const ConvTile<T>& c, std::int64_t first, T* sums) {
  typedef typename Vector<T>::type Vec;
  constexpr int lanes = Vector<T>::lanes;
  Vec sum[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) sum[r][v] = Vec{};
  const T* const* at = c.at + first;
  const T* w = c.weight;
  for (std::int64_t t = 0; t < c.taps; ++t, at += c.step) {
    const T* x[R];
    bool met = false;
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) x[r] = at[r] + c.shift, met = met || at[r] != c.zero;
    if (!met) {
      w += c.in * kColumns<T>;
      continue;
    }
    for (std::int64_t i = 0; i < c.in; ++i, w += kColumns<T>) {
      Vec wv[V];
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v) wv[v] = load(w + v * lanes);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const Vec xv = splat(x[r][i]);
#pragma GCC unroll 16
        for (int v = 0; v < V; ++v) sum[r][v] = fma(xv, wv[v], sum[r][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) store(sums + (r * V + v) * lanes, sum[r][v]);
}

template <class T, int R, int V>
void tiles(const ConvTile<T>& c) {
  T sums[R * V * Vector<T>::lanes];
  for (std::int64_t p = 0; p < c.pixels; p += R) {
    tile<T, R, V>(c, p, sums);
    for (std::int64_t r = 0; r < R && p + r < c.pixels; ++r)
      write(c.out, c.type, c.places[p + r], sums + r * V * Vector<T>::lanes, c.columns);
  }
}

// Where a weight is not finite a pixel stands alone, so that what it does not meet is skipped.
template <class T>
void all_tiles(const ConvTile<T>& c) {
  const bool narrow = c.columns <= Vector<T>::lanes;
  if (!c.finite) return narrow ? tiles<T, 1, 1>(c) : tiles<T, 1, kVectors>(c);
  if (kVectors > 2 && c.columns <= 2 * Vector<T>::lanes && !narrow) return tiles<T, kRows, 2>(c);
  narrow ? tiles<T, kRows, 1>(c) : tiles<T, kRows, kVectors>(c);
}

// V vectors of channels of one pixel.
template <class T, int V>
void depthwise_part(const DepthwiseTile<T>& d, std::int64_t pixel, std::int64_t first, T* sums) {
  typedef typename Vector<T>::type Vec;
  constexpr int lanes = Vector<T>::lanes;
  Vec sum[V] = {};
  for (std::int64_t t = 0; t < d.taps; ++t) {
    const T* x = d.at[t * d.step + pixel];
    if (x == d.zero) continue;
    const T* w = d.weight + t * d.groups + first;
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) sum[v] = fma(load(x + first + v * lanes), load(w + v * lanes), sum[v]);
  }
#pragma GCC unroll 16
  for (int v = 0; v < V; ++v) store(sums + v * lanes, sum[v]);
}

// The last channels, with the arithmetic of a vector.
template <class T>
void depthwise_rest(const DepthwiseTile<T>& d, std::int64_t pixel, std::int64_t first, std::int64_t n, T* sums) {
  typedef typename Vector<T>::type Vec;
  Vec sum = {};
  T xs[Vector<T>::lanes] = {}, ws[Vector<T>::lanes] = {};
  for (std::int64_t t = 0; t < d.taps; ++t) {
    const T* x = d.at[t * d.step + pixel];
    if (x == d.zero) continue;
    std::memcpy(xs, x + first, static_cast<std::size_t>(n) * sizeof(T));
    std::memcpy(ws, d.weight + t * d.groups + first, static_cast<std::size_t>(n) * sizeof(T));
    sum = fma(load(xs), load(ws), sum);
  }
  store(sums, sum);
}

template <class T>
void depthwise(const DepthwiseTile<T>& d) {
  constexpr int lanes = Vector<T>::lanes, V = 4;
  T sums[V * lanes];
  for (std::int64_t p = 0; p < d.pixels; ++p) {
    std::int64_t g = 0;
    for (; g + V * lanes <= d.groups; g += V * lanes) {
      depthwise_part<T, V>(d, p, g, sums);
      write(d.out, d.type, d.places[p] + g, sums, V * lanes);
    }
    for (; g + lanes <= d.groups; g += lanes) {
      depthwise_part<T, 1>(d, p, g, sums);
      write(d.out, d.type, d.places[p] + g, sums, lanes);
    }
    if (g < d.groups) {
      depthwise_rest<T>(d, p, g, d.groups - g, sums);
      write(d.out, d.type, d.places[p] + g, sums, d.groups - g);
    }
  }
}

template <class T, int R, int V>
void pair_tile(const PairSums<T>& s, std::int64_t row, std::int64_t column) {
  typedef typename Vector<T>::type Vec;
  constexpr int lanes = Vector<T>::lanes;
  Vec sum[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) sum[r][v] = Vec{};
  for (std::int64_t p = 0; p < s.pairs; ++p) {
    const T *x = s.x[p] + row, *g = s.g[p] + column;
    Vec gv[V];
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) gv[v] = load(g + v * lanes);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const Vec xv = splat(x[r]);
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v) sum[r][v] = fma(xv, gv[v], sum[r][v]);
    }
  }
  T* to = s.sums + row * s.ld + column;
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) store(to + r * s.ld + v * lanes, load(to + r * s.ld + v * lanes) + sum[r][v]);
}

// V vectors of g stay in the first-level cache while the rows of x pass.
template <class T, int V>
void pair_columns(const PairSums<T>& s, std::int64_t column) {
  std::int64_t row = 0;
  for (; row + kRows <= s.rows; row += kRows) pair_tile<T, kRows, V>(s, row, column);
  for (; row + 4 <= s.rows; row += 4) pair_tile<T, 4, V>(s, row, column);
  for (; row < s.rows; ++row) pair_tile<T, 1, V>(s, row, column);
}

template <class T>
void pair_sums(const PairSums<T>& s) {
  constexpr int lanes = Vector<T>::lanes;
  std::int64_t f = 0;
  for (; f + 2 * lanes <= s.columns; f += 2 * lanes) pair_columns<T, 2>(s, f);
  if (f < s.columns) pair_columns<T, 1>(s, f);
}

template <class T>
void pair_products(const PairProducts<T>& s) {
  typedef typename Vector<T>::type Vec;
  constexpr int lanes = Vector<T>::lanes;
  std::int64_t c = 0;
  for (; c + lanes <= s.rows; c += lanes) {
    Vec sum = {};
    for (std::int64_t p = 0; p < s.pairs; ++p) sum = fma(load(s.x[p] + c), load(s.g[p] + c), sum);
    store(s.sums + c, load(s.sums + c) + sum);
  }
  if (c == s.rows) return;
  const std::size_t rest = static_cast<std::size_t>(s.rows - c) * sizeof(T);
  T xs[lanes] = {}, gs[lanes] = {};
  Vec sum = {};
  for (std::int64_t p = 0; p < s.pairs; ++p) {
    std::memcpy(xs, s.x[p] + c, rest);
    std::memcpy(gs, s.g[p] + c, rest);
    sum = fma(load(xs), load(gs), sum);
  }
  std::memcpy(xs, s.sums + c, rest);
  store(gs, load(xs) + sum);
  std::memcpy(s.sums + c, gs, rest);
}

template <class T, int V>
void slide_part(const SlidingSum<T>& s, std::int64_t first, T* out) {
  typedef typename Vector<T>::type Vec;
  constexpr int lanes = Vector<T>::lanes;
  Vec sum[V] = {};
  for (std::int64_t k = 0; k < s.taps; ++k) {
    const Vec v = splat(s.v[k]);
    const T* x = s.x + first + k;
#pragma GCC unroll 16
    for (int i = 0; i < V; ++i) sum[i] = fma(load(x + i * lanes), v, sum[i]);
  }
#pragma GCC unroll 16
  for (int i = 0; i < V; ++i) store(out + i * lanes, sum[i]);
}

// x goes on for a vector behind the last sum's terms.
template <class T>
void slide(const SlidingSum<T>& s) {
  constexpr int lanes = Vector<T>::lanes, V = 6;
  std::int64_t j = 0;
  for (; j + V * lanes <= s.n; j += V * lanes) slide_part<T, V>(s, j, s.out + j);
  T last[lanes];
  for (; j < s.n; j += lanes) {
    slide_part<T, 1>(s, j, last);
    for (std::int64_t i = 0; i < lanes && j + i < s.n; ++i) s.out[j + i] = last[i];
  }
}

}  // namespace

void conv_extents(int* rows, int* columns_f32, int* columns_f64, int* lanes_f32, int* lanes_f64) {
  *rows = kRows;
  *columns_f32 = kColumns<float>, *columns_f64 = kColumns<double>;
  *lanes_f32 = kF32, *lanes_f64 = kF64;
}
#define DEFINE_KERNELS(suffix, T)                                                  \
  void conv_tiles_##suffix(const ConvTile<T>& c) { all_tiles(c); }                 \
  void conv_depthwise_##suffix(const DepthwiseTile<T>& d) { depthwise(d); }        \
  void conv_pair_sums_##suffix(const PairSums<T>& s) { pair_sums(s); }             \
  void conv_pair_products_##suffix(const PairProducts<T>& s) { pair_products(s); } \
  void conv_slide_##suffix(const SlidingSum<T>& s) { slide(s); }
DEFINE_KERNELS(f32, float)
DEFINE_KERNELS(f64, double)
#undef DEFINE_KERNELS

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
