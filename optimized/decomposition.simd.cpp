// Kernels of the blocked and of the interleaved Cholesky factorisation.
//
// A panel of columns lies transposed in strips of kLanes rows: strip[q kLanes + l] is row l of the strip, column q
// of the panel. So one operand of every product below is a run of vectors, and the other a run of scalars.
#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

#if defined(__AVX512F__)
constexpr int kRows = 8, kVectors = 3;  // a register tile: rows of scalars by vectors
#elif defined(__AVX2__)
constexpr int kRows = 4, kVectors = 3;
#else
constexpr int kRows = 4, kVectors = 2;
#endif

template <class T>
struct Simd;
template <>
struct Simd<float> {
  typedef f32v V;
  typedef i32v I;
  static constexpr int kWidth = kF32, kLanes = kVectors * kF32;
};
template <>
struct Simd<double> {
  typedef f64v V;
  typedef i64v I;
  static constexpr int kWidth = kF64, kLanes = kVectors * kF64;
};

static inline float root(float x) { return __builtin_sqrtf(x); }
static inline double root(double x) { return __builtin_sqrt(x); }
static inline f32v root(f32v x) {
#if defined(__AVX512F__)
  return (f32v)_mm512_maskz_sqrt_ps(0xFFFF, (__m512)x);
#elif defined(__AVX2__)
  return (f32v)_mm256_sqrt_ps((__m256)x);
#else
  for (int l = 0; l < kF32; ++l) x[l] = root(x[l]);
  return x;
#endif
}
static inline f64v root(f64v x) {
#if defined(__AVX512F__)
  return (f64v)_mm512_maskz_sqrt_pd(0xFF, (__m512d)x);
#elif defined(__AVX2__)
  return (f64v)_mm256_sqrt_pd((__m256d)x);
#else
  for (int l = 0; l < kF64; ++l) x[l] = root(x[l]);
  return x;
#endif
}

template <class T>
static inline bool positive(T pivot) {
  return pivot > T(0) && pivot - pivot == T(0);  // neither NaN nor infinite
}

// tile[m] = sum_(q < k) a[q kLanes + m] b[q kLanes ..], in sequence.
template <class T>
static inline void products(const T* a, const T* b, std::int64_t k, typename Simd<T>::V (&tile)[kRows][kVectors]) {
  using S = Simd<T>;
  for (auto& row : tile) {
    for (auto& x : row) x = typename S::V{};
  }
  for (std::int64_t q = 0; q < k; ++q) {
    typename S::V x[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) x[v] = load(b + q * S::kLanes + v * S::kWidth);
#pragma GCC unroll 8
    for (int m = 0; m < kRows; ++m) {
      const typename S::V s = splat(a[q * S::kLanes + m]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) tile[m][v] = fma(s, x[v], tile[m][v]);
    }
  }
}

// The factor's own rows and columns p .. p + kRows: corner[q][m] = l_(p+m, p+q) for m >= q.
template <class T>
using Corner = T[kRows][kRows];

// Columns [p, p + count) of a strip, given all columns before: `rows` is where rows p .. of the diagonal block lie,
// x_m = (x_m - sum_(q<p) l_mq x_q - sum_(p<=q<m) l_mq x_q) / l_mm.
template <class T>
static inline void solve_columns(const T* rows, const Corner<T>& corner, T* strip, std::int64_t p, int count) {
  using S = Simd<T>;
  typename S::V tile[kRows][kVectors];
  products(rows, strip, p, tile);
  for (int m = 0; m < count; ++m) {
    T* column = strip + (p + m) * S::kLanes;
    for (int v = 0; v < kVectors; ++v) {
      typename S::V x = load(column + v * S::kWidth) - tile[m][v];
      for (int q = 0; q < m; ++q) {
        x = fma(splat(-corner[q][m]), load(strip + (p + q) * S::kLanes + v * S::kWidth), x);
      }
      store(column + v * S::kWidth, x / splat(corner[m][m]));
    }
  }
}

// Factors the corner in place; returns the first bad pivot, or count.
template <class T>
static int factor_corner(Corner<T>& corner, int count) {
  for (int j = 0; j < count; ++j) {
    for (int i = j; i < count; ++i) {
      T x = corner[j][i];
      for (int q = 0; q < j; ++q) x -= corner[q][i] * corner[q][j];
      if (i == j && !positive(x)) return j;
      corner[j][i] = i == j ? root(x) : x / corner[j][j];
    }
  }
  return count;
}

template <class T>
static std::int64_t factor_diagonal(T* strips, std::int64_t stride, std::int64_t n) {
  using S = Simd<T>;
  for (std::int64_t p = 0; p < n; p += kRows) {
    const int count = static_cast<int>(n - p < kRows ? n - p : kRows);
    T* own = strips + p / S::kLanes * stride;
    T* rows = own + p % S::kLanes;
    typename S::V tile[kRows][kVectors];
    products(rows, own, p, tile);
    T sums[kRows][S::kLanes];
    std::memcpy(sums, tile, sizeof sums);
    Corner<T> corner;
    for (int q = 0; q < count; ++q) {
      for (int m = q; m < count; ++m) corner[q][m] = rows[(p + q) * S::kLanes + m] - sums[q][p % S::kLanes + m];
    }
    const int good = factor_corner<T>(corner, count);
    if (good < count) return p + good;
    for (std::int64_t s = p / S::kLanes; s * S::kLanes < n; ++s) {
      solve_columns<T>(rows, corner, strips + s * stride, p, count);
    }
    for (int q = 0; q < count; ++q) {
      for (int m = q; m < count; ++m) rows[(p + q) * S::kLanes + m] = corner[q][m];
    }
  }
  return n;
}

template <class T>
static void solve_strip(const T* strips, std::int64_t stride, T* strip, std::int64_t n) {
  constexpr int kLanes = Simd<T>::kLanes;
  for (std::int64_t p = 0; p < n; p += kRows) {
    const int count = static_cast<int>(n - p < kRows ? n - p : kRows);
    const T* rows = strips + p / kLanes * stride + p % kLanes;
    Corner<T> corner;
    for (int q = 0; q < count; ++q) {
      for (int m = q; m < count; ++m) corner[q][m] = rows[(p + q) * kLanes + m];
    }
    solve_columns<T>(rows, corner, strip, p, count);
  }
}

// c (rows i .. of strip `row`, columns of strip `column`, i >= j only) -= a b^T over the panel's k columns.
template <class T>
static void update_block(const T* row, const T* column, std::int64_t k, T* c, std::int64_t ldc, std::int64_t i0,
                         std::int64_t j0, std::int64_t n) {
  using S = Simd<T>;
  typename S::V tile[kRows][kVectors];
  for (int r = 0; r < S::kLanes && i0 + r < n; r += kRows) {
    products(row + r, column, k, tile);
    if (j0 + S::kLanes <= i0 + r + 1 && i0 + r + kRows <= n) {
      for (int m = 0; m < kRows; ++m) {
        for (int v = 0; v < kVectors; ++v) {
          T* x = c + (i0 + r + m) * ldc + j0 + v * S::kWidth;
          store(x, load(x) - tile[m][v]);
        }
      }
      continue;
    }
    T edge[kRows][S::kLanes];
    std::memcpy(edge, tile, sizeof edge);
    for (std::int64_t i = i0 + r; i < i0 + r + kRows && i < n; ++i) {
      for (std::int64_t j = j0; j < j0 + S::kLanes && j <= i; ++j) c[i * ldc + j] -= edge[i - i0 - r][j - j0];
    }
  }
}

// ---- One matrix per lane ----

// Row i, column j <= i of every matrix lies at l[i (i + 1) / 2 + j]. failed: each lane's first bad pivot, or -1.
template <class T>
static void factor_lanes(typename Simd<T>::V* l, int n, typename Simd<T>::I& failed) {
  typedef typename Simd<T>::V V;
  typedef typename Simd<T>::I I;
  constexpr int kTogether = 4;  // rows that share a load
  failed = I{} - 1;
  I pivot{};
  for (int j = 0; j < n; ++j, pivot += 1) {
    V* row = l + j * (j + 1) / 2;
    V d = row[j];
    for (int q = 0; q < j; ++q) d = fma(-row[q], row[q], d);
    const I good = (I)(d > V{}) & (I)(d - d == V{}), first = ~good & (failed < 0);
    failed = (first & pivot) | (~first & failed);
    d = root(d);
    row[j] = d;
    int i = j + 1;
    for (; i + kTogether <= n; i += kTogether) {
      V* rows[kTogether];
      V x[kTogether];
      for (int r = 0; r < kTogether; ++r) {
        rows[r] = l + (i + r) * (i + r + 1) / 2;
        x[r] = rows[r][j];
      }
      for (int q = 0; q < j; ++q) {
        for (int r = 0; r < kTogether; ++r) x[r] = fma(-rows[r][q], row[q], x[r]);
      }
      for (int r = 0; r < kTogether; ++r) rows[r][j] = x[r] / d;
    }
    for (; i < n; ++i) {
      V* other = l + i * (i + 1) / 2;
      V x = other[j];
      for (int q = 0; q < j; ++q) x = fma(-other[q], row[q], x);
      other[j] = x / d;
    }
  }
}

// Factors kWidth matrices; element (i, j) of matrix m lies at a[m matrix + i row + j column], j <= i. The factor
// goes to the same place of `out`, zeros to the other triangle. `room` holds n (n + 1) / 2 vectors.
template <class T>
static void factor_group(const T* a, std::int64_t matrix, std::int64_t row, std::int64_t column, std::int64_t count,
                         std::int64_t n, T* room, T* out, std::int64_t out_row, std::int64_t out_column,
                         std::int64_t* failed) {
  constexpr int kWidth = Simd<T>::kWidth;
  const int size = static_cast<int>(n);
  for (int m = 0; m < kWidth; ++m) {
    const T* from = a + (m < count ? m * matrix : 0);
    int at = m;
    for (int i = 0; i < size; ++i) {
      for (int j = 0; j <= i; ++j, at += kWidth) room[at] = from[i * row + j * column];
    }
  }
  typename Simd<T>::I first;
  factor_lanes<T>(reinterpret_cast<typename Simd<T>::V*>(room), size, first);
  for (int m = 0; m < count; ++m) {
    failed[m] = first[m];
    T* to = out + m * n * n;
    int at = m;
    for (int i = 0; i < size; ++i) {
      for (int j = 0; j <= i; ++j, at += kWidth) to[i * out_row + j * out_column] = room[at];
      for (int j = i + 1; j < size; ++j) to[i * out_row + j * out_column] = T(0);
    }
  }
}

}  // namespace

// The kernels for one type, as plain functions: strips are `stride` elements apart.
#define PLUMB_CHOLESKY(T, suffix)                                                                                   \
  std::int64_t cholesky_lanes_##suffix() { return Simd<T>::kLanes; }                                                \
  std::int64_t cholesky_width_##suffix() { return Simd<T>::kWidth; }                                                \
  std::int64_t cholesky_diagonal_##suffix(T* strips, std::int64_t stride, std::int64_t n) {                         \
    return factor_diagonal(strips, stride, n);                                                                      \
  }                                                                                                                 \
  void cholesky_solve_##suffix(const T* strips, std::int64_t stride, T* strip, std::int64_t n) {                    \
    solve_strip(strips, stride, strip, n);                                                                          \
  }                                                                                                                 \
  void cholesky_update_##suffix(const T* row, const T* column, std::int64_t k, T* c, std::int64_t ldc,              \
                                std::int64_t i0, std::int64_t j0, std::int64_t n) {                                 \
    update_block(row, column, k, c, ldc, i0, j0, n);                                                                \
  }                                                                                                                 \
  void cholesky_group_##suffix(const T* a, std::int64_t matrix, std::int64_t row, std::int64_t column,              \
                               std::int64_t count, std::int64_t n, T* room, T* out, std::int64_t out_row,           \
                               std::int64_t out_column, std::int64_t* failed) {                                     \
    factor_group(a, matrix, row, column, count, n, room, out, out_row, out_column, failed);                         \
  }
PLUMB_CHOLESKY(float, f32)
PLUMB_CHOLESKY(double, f64)
#undef PLUMB_CHOLESKY

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
