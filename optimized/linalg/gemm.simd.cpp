// The tile kernels and the packing behind gemm.h.
//
// A packed panel is a row of slivers. A sliver of width w over k terms holds element (i, p) at [p * w + i], so
// that the tile kernel reads both operands in one forward sweep. Complex slivers hold, for each p, w real
// parts and then w imaginary parts.
//
// The tile sums each element in order of p with one fma per term: the order that gemm.h declares.
#include "optimized/vector.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

// Rows and vectors of the largest tile: as many accumulators as the register file holds.
#if defined(__AVX512F__)
constexpr int kRows = 14, kVectors = 2, kComplexRows = 6, kComplexVectors = 2;
#elif defined(__AVX2__)
constexpr int kRows = 6, kVectors = 2, kComplexRows = 5, kComplexVectors = 1;
#else
constexpr int kRows = 6, kVectors = 2, kComplexRows = 4, kComplexVectors = 1;
#endif

template <class T>
constexpr int kColumns = kVectors* Vector<T>::lanes;
constexpr int kComplexColumns = kComplexVectors * kF32;

// c[i][j] (+)= tile[i][j] for a tile whose last columns are not wanted.
template <class T>
void store_part(int rows, int columns, const T* tile, int tile_row, T* c, std::int64_t ldc, bool add) {
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) {
      const T sum = tile[i * tile_row + j];
      c[i * ldc + j] = add ? c[i * ldc + j] + sum : sum;
    }
}

// All loops over registers are unrolled, else the accumulators would live in memory.
template <class T, int R, int V>
void tile(std::int64_t k, const T* a, const T* b, int columns, T* c, std::int64_t ldc, bool add) {
  typedef typename Vector<T>::type Vec;
  constexpr int lanes = Vector<T>::lanes;
  Vec sum[R][V];
#pragma GCC unroll 16
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) sum[i][v] = Vec{};
  for (std::int64_t p = 0; p < k; ++p, a += R, b += kColumns<T>) {
    Vec bv[V];
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) bv[v] = load(b + v * lanes);
#pragma GCC unroll 16
    for (int i = 0; i < R; ++i) {
      const Vec av = splat(a[i]);
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v) sum[i][v] = fma(av, bv[v], sum[i][v]);
    }
  }
  if (columns == V * lanes) {
#pragma GCC unroll 16
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v) {
        T* to = c + i * ldc + v * lanes;
        store(to, add ? load(to) + sum[i][v] : sum[i][v]);
      }
    return;
  }
  T whole[R * V * lanes];
#pragma GCC unroll 16
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) store(whole + (i * V + v) * lanes, sum[i][v]);
  store_part(R, columns, whole, V * lanes, c, ldc, add);
}

// re = sum ar br - ai bi, im = sum ar bi + ai br, each one chain of 2 k fma.
template <int R>
void complex_tile(std::int64_t k, const float* a, const float* b, int columns, float* c, std::int64_t ldc, bool add) {
  constexpr int V = kComplexVectors;
  f32v re[R][V], im[R][V];
#pragma GCC unroll 16
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) re[i][v] = im[i][v] = f32v{};
  for (std::int64_t p = 0; p < k; ++p, a += 2 * R, b += 2 * kComplexColumns) {
    f32v br[V], bi[V];
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) br[v] = load(b + v * kF32), bi[v] = load(b + kComplexColumns + v * kF32);
#pragma GCC unroll 16
    for (int i = 0; i < R; ++i) {
      const f32v ar = splat(a[i]), ai = splat(a[R + i]);
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v) {
        re[i][v] = fma(-ai, bi[v], fma(ar, br[v], re[i][v]));
        im[i][v] = fma(ai, br[v], fma(ar, bi[v], im[i][v]));
      }
    }
  }
  float real[R * kComplexColumns], imaginary[R * kComplexColumns], whole[2 * R * kComplexColumns];
#pragma GCC unroll 16
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) {
      store(real + i * kComplexColumns + v * kF32, re[i][v]);
      store(imaginary + i * kComplexColumns + v * kF32, im[i][v]);
    }
  for (int i = 0; i < R * kComplexColumns; ++i) whole[2 * i] = real[i], whole[2 * i + 1] = imaginary[i];
  store_part(R, 2 * columns, whole, 2 * kComplexColumns, c, 2 * ldc, add);
}

template <class T, int R>
void tile_of(int rows, std::int64_t k, const T* a, const T* b, int columns, T* c, std::int64_t ldc, bool add) {
  if constexpr (R > 0) {
    if (rows != R) return tile_of<T, R - 1>(rows, k, a, b, columns, c, ldc, add);
    if (columns > Vector<T>::lanes) return tile<T, R, kVectors>(k, a, b, columns, c, ldc, add);
    return tile<T, R, 1>(k, a, b, columns, c, ldc, add);
  }
}

template <int R>
void complex_tile_of(int rows, std::int64_t k, const float* a, const float* b, int columns, float* c, std::int64_t ldc,
                     bool add) {
  if constexpr (R > 0) {
    if (rows != R) return complex_tile_of<R - 1>(rows, k, a, b, columns, c, ldc, add);
    complex_tile<R>(k, a, b, columns, c, ldc, add);
  }
}

// The block c (m x n) from a packed panel of m rows, cut into slivers of nearly equal height, and one of n
// columns, cut into slivers of `step` columns of which the last may be partly empty. The sliver of a stays in
// the first-level cache while those of b stream past it from the second.
template <class T, class Tile>
void block(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, const T* b, T* c, std::int64_t ldc, bool add,
           int height, int step, int parts, Tile&& tile) {
  const std::int64_t slivers = (m + height - 1) / height, base = m / slivers, extra = m % slivers;
  for (std::int64_t s = 0, i = 0; s < slivers; ++s) {
    const int rows = static_cast<int>(base + (s < extra));
    for (std::int64_t j = 0; j < n; j += step) {
      const int columns = static_cast<int>(n - j < step ? n - j : step);
      tile(rows, k, a + i * k * parts, b + j * k * parts, columns, c + (i * ldc + j) * parts, ldc, add);
    }
    i += rows;
  }
}

inline float to_f32(float x) { return x; }
struct Half {
  std::uint16_t bits;
};
struct Bf16 {
  std::uint16_t bits;
};
inline float to_f32(Bf16 x) {
  const std::uint32_t bits = std::uint32_t{x.bits} << 16;
  float f;
  std::memcpy(&f, &bits, sizeof f);
  return f;
}
inline float to_f32(Half x) {
#if defined(__F16C__)
  return _cvtsh_ss(x.bits);
#else
  // The exponent and mantissa as a float that is 2^112 too small; infinities and NaN keep their exponent.
  const std::uint32_t magnitude = std::uint32_t{x.bits} << 13 & 0x0FFFE000u;
  std::uint32_t bits = magnitude;
  float f;
  std::memcpy(&f, &bits, sizeof f);
  f *= 0x1p112f;
  std::memcpy(&bits, &f, sizeof bits);
  if (magnitude >= 0x0F800000u) bits |= 0x7F800000u;
  bits |= std::uint32_t{x.bits} << 16 & 0x80000000u;
  std::memcpy(&f, &bits, sizeof f);
  return f;
#endif
}
inline double to_f32(double x) { return x; }

// One sliver of `width` columns of which `count` exist; the others become zero.
template <class S, class T>
void pack_sliver(const S* from, std::int64_t minor, std::int64_t major, std::int64_t count, std::int64_t width,
                 std::int64_t k, T* to) {
  if (minor == 1 && count == width) {
    for (std::int64_t p = 0; p < k; ++p, from += major, to += width)
      for (std::int64_t i = 0; i < width; ++i) to[i] = to_f32(from[i]);
    return;
  }
  for (std::int64_t p = 0; p < k; ++p, to += width) {
    const S* at = from + p * major;
    for (std::int64_t i = 0; i < count; ++i) to[i] = to_f32(at[i * minor]);
    for (std::int64_t i = count; i < width; ++i) to[i] = 0;
  }
}

}  // namespace

void gemm_extents(int* rows, int* columns_f32, int* columns_f64, int* complex_rows, int* complex_columns) {
  *rows = kRows;
  *columns_f32 = kColumns<float>;
  *columns_f64 = kColumns<double>;
  *complex_rows = kComplexRows;
  *complex_columns = kComplexColumns;
}

void gemm_pack_f32(const void* from, std::int64_t minor, std::int64_t major, std::int64_t count, std::int64_t width,
                   std::int64_t k, float* to) {
  pack_sliver(static_cast<const float*>(from), minor, major, count, width, k, to);
}
void gemm_pack_f16(const void* from, std::int64_t minor, std::int64_t major, std::int64_t count, std::int64_t width,
                   std::int64_t k, float* to) {
  pack_sliver(static_cast<const Half*>(from), minor, major, count, width, k, to);
}
void gemm_pack_bf16(const void* from, std::int64_t minor, std::int64_t major, std::int64_t count, std::int64_t width,
                    std::int64_t k, float* to) {
  pack_sliver(static_cast<const Bf16*>(from), minor, major, count, width, k, to);
}
void gemm_pack_f64(const void* from, std::int64_t minor, std::int64_t major, std::int64_t count, std::int64_t width,
                   std::int64_t k, double* to) {
  pack_sliver(static_cast<const double*>(from), minor, major, count, width, k, to);
}
void gemm_pack_c64(const void* from, std::int64_t minor, std::int64_t major, std::int64_t count, std::int64_t width,
                   std::int64_t k, float* to) {
  const float* parts = static_cast<const float*>(from);
  for (std::int64_t p = 0; p < k; ++p, to += 2 * width) {
    const float* at = parts + 2 * p * major;
    for (std::int64_t i = 0; i < count; ++i) to[i] = at[2 * i * minor], to[width + i] = at[2 * i * minor + 1];
    for (std::int64_t i = count; i < width; ++i) to[i] = to[width + i] = 0;
  }
}

void gemm_block_f32(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, const float* b, float* c,
                    std::int64_t ldc, bool add) {
  block(m, n, k, a, b, c, ldc, add, kRows, kColumns<float>, 1, tile_of<float, kRows>);
}
void gemm_block_f64(std::int64_t m, std::int64_t n, std::int64_t k, const double* a, const double* b, double* c,
                    std::int64_t ldc, bool add) {
  block(m, n, k, a, b, c, ldc, add, kRows, kColumns<double>, 1, tile_of<double, kRows>);
}
void gemm_block_c64(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, const float* b, float* c,
                    std::int64_t ldc, bool add) {
  block(m, n, k, a, b, c, ldc, add, kComplexRows, kComplexColumns, 2, complex_tile_of<kComplexRows>);
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
