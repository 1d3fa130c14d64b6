// Kernels of the blocked and of the interleaved Cholesky factorisation.
//
// A panel of columns lies transposed in strips of kLanes rows: strip[q kLanes + l] is row l of the strip, column q
// of the panel. So one operand of every product below is a run of vectors, and the other a run of scalars.
#include "optimized/linalg/lanes.h"

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
struct Simd : LaneTypes<T> {
  static constexpr int kLanes = kVectors * LaneTypes<T>::kWidth;
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

// Rows of w, ld apart, `rows` of them, to a strip of `width` columns; rows beyond are 0.
template <class T>
static void pack_strip(const T* w, std::int64_t ld, std::int64_t rows, std::int64_t width, T* strip) {
  using S = Simd<T>;
  for (int g = 0; g < S::kLanes; g += S::kWidth) {
    for (std::int64_t q = 0; q < width; q += S::kWidth) {
      const int here = static_cast<int>(width - q < S::kWidth ? width - q : S::kWidth);
      alignas(64) typename S::V x[S::kWidth];
      for (int r = 0; r < S::kWidth; ++r) {
        const T* from = w + (g + r) * ld + q;
        x[r] = g + r >= rows ? typename S::V{} : here == S::kWidth ? load(from) : load_some(from, here);
      }
      transpose(x);
      for (int c = 0; c < here; ++c) store(strip + (q + c) * S::kLanes + g, x[c]);
    }
  }
}

// Back again, but only what lies on or below the panel's diagonal.
template <class T>
static void unpack_strip(const T* strip, std::int64_t first, std::int64_t rows, std::int64_t width, T* w,
                         std::int64_t ld) {
  using S = Simd<T>;
  for (int g = 0; g < S::kLanes && g < rows; g += S::kWidth) {
    for (std::int64_t q = 0; q < width; q += S::kWidth) {
      const int here = static_cast<int>(width - q < S::kWidth ? width - q : S::kWidth);
      alignas(64) typename S::V x[S::kWidth];
      for (int c = 0; c < S::kWidth; ++c) x[c] = c < here ? load(strip + (q + c) * S::kLanes + g) : typename S::V{};
      transpose(x);
      for (int r = 0; r < S::kWidth && g + r < rows; ++r) {
        const std::int64_t below = first + g + r - q + 1;
        const int keep = below < here ? static_cast<int>(below < 0 ? 0 : below) : here;
        T* to = w + (g + r) * ld + q;
        if (keep == S::kWidth) {
          store(to, x[r]);
        } else {
          store_some(to, x[r], keep);
        }
      }
    }
  }
}

// tile[m] = sum_(q < k) a[q kLanes + m] b[q kLanes ..], in sequence.
template <class T>
static inline void products(const T* a, const T* b, std::int64_t k, typename Simd<T>::V (&tile)[kRows][kVectors]) {
  using S = Simd<T>;
  for (auto& row : tile) {
    for (auto& x : row) x = typename S::V{};
  }
  for (std::int64_t q = 0; q < k; ++q) {
    alignas(64) typename S::V x[kVectors];
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

// x / d for one divisor d with r = 1 / d rounded. With fma the quotient is rounded as by a division (Markstein 1990),
// at a fraction of its time; pivots lie far from where 1 / d would leave the normal range.
template <class V, class T>
static inline V divide(V x, [[maybe_unused]] T r, T d) {
#if defined(__FMA__)
  const V q = x * splat(r);
  return fma(fma(-q, splat(d), x), splat(r), q);
#else
  return x / splat(d);
#endif
}

// tile_m = (x_m - tile_m - sum_(q<m) l_mq tile_q) / l_mm, back into the columns x of a strip.
template <class T, int kCount>
static inline void solve_tile(const Corner<T>& corner, T* x, typename Simd<T>::V (&tile)[kRows][kVectors]) {
  using S = Simd<T>;
#pragma GCC unroll 8
  for (int m = 0; m < kCount; ++m) {
    const T d = corner[m][m], r = T(1) / d;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) tile[m][v] = load(x + m * S::kLanes + v * S::kWidth) - tile[m][v];
#pragma GCC unroll 8
    for (int q = 0; q < m; ++q) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) tile[m][v] = fma(splat(-corner[q][m]), tile[q][v], tile[m][v]);
    }
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      tile[m][v] = divide(tile[m][v], r, d);
      store(x + m * S::kLanes + v * S::kWidth, tile[m][v]);
    }
  }
}

template <class T>
static inline void solve_tile(const Corner<T>& corner, T* x, typename Simd<T>::V (&tile)[kRows][kVectors], int count) {
  switch (count) {
    case 1: return solve_tile<T, 1>(corner, x, tile);
    case 2: return solve_tile<T, 2>(corner, x, tile);
    case 3: return solve_tile<T, 3>(corner, x, tile);
    case 4: return solve_tile<T, 4>(corner, x, tile);
#if defined(__AVX512F__)
    case 5: return solve_tile<T, 5>(corner, x, tile);
    case 6: return solve_tile<T, 6>(corner, x, tile);
    case 7: return solve_tile<T, 7>(corner, x, tile);
    default: return solve_tile<T, 8>(corner, x, tile);
#endif
  }
}

// Columns [p, p + count) of a strip, given all columns before; `rows` is where rows p .. of the diagonal block lie.
template <class T>
static inline void solve_columns(const T* rows, const Corner<T>& corner, T* strip, std::int64_t p, int count) {
  alignas(64) typename Simd<T>::V tile[kRows][kVectors];
  products(rows, strip, p, tile);
  solve_tile<T>(corner, strip + p * Simd<T>::kLanes, tile, count);
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
    alignas(64) typename S::V tile[kRows][kVectors];
    products(rows, own, p, tile);
    T sums[kRows][S::kLanes];
    std::memcpy(sums, tile, sizeof sums);
    Corner<T> corner;
    for (int q = 0; q < count; ++q) {
      for (int m = q; m < count; ++m) corner[q][m] = rows[(p + q) * S::kLanes + m] - sums[q][p % S::kLanes + m];
    }
    const int good = factor_corner<T>(corner, count);
    if (good < count) return p + good;
    solve_tile<T>(corner, own + p * S::kLanes, tile, count);
    for (std::int64_t s = p / S::kLanes + 1; s * S::kLanes < n; ++s) {
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
  alignas(64) typename S::V tile[kRows][kVectors];
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
      alignas(64) V x[kTogether];
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

// Walks the elements of an n x n matrix as they lie in memory; at() is where the lower factor keeps one, or -1.
struct Walk {
  int n;
  bool upper;
  int row = 0, column = 0;
  int at() const {
    const int i = upper ? column : row, j = upper ? row : column;
    return j <= i ? i * (i + 1) / 2 + j : -1;
  }
  void next() {
    if (++column < n) return;
    column = 0;
    ++row;
  }
};

// Factors `count` <= kWidth dense matrices of n <= 32, one after another at a, into the same places of `out`;
// the other triangle becomes zero. `room` holds n (n + 1) / 2 vectors.
template <class T>
static void factor_group(const T* a, bool upper, std::int64_t count, std::int64_t n, T* room, T* out,
                         std::int64_t* failed) {
  using S = Simd<T>;
  typedef typename S::V V;
  const int size = static_cast<int>(n), elements = size * size;
  V* l = reinterpret_cast<V*>(room);
  alignas(64) V x[S::kWidth];
  Walk in{size, upper};
  for (int e = 0; e < elements; e += S::kWidth) {
    const int here = elements - e < S::kWidth ? elements - e : S::kWidth;
    for (int m = 0; m < S::kWidth; ++m) {  // lanes to spare repeat the first matrix
      const T* from = a + (m < count ? m * elements : 0) + e;
      x[m] = here == S::kWidth ? load(from) : load_some(from, here);
    }
    transpose(x);
    for (int k = 0; k < here; ++k, in.next()) {
      if (const int at = in.at(); at >= 0) l[at] = x[k];
    }
  }
  typename S::I first;
  factor_lanes<T>(l, size, first);
  for (int m = 0; m < count; ++m) failed[m] = first[m];
  Walk back{size, upper};
  for (int e = 0; e < elements; e += S::kWidth) {
    const int here = elements - e < S::kWidth ? elements - e : S::kWidth;
    for (int k = 0; k < here; ++k, back.next()) {
      const int at = back.at();
      x[k] = at >= 0 ? l[at] : V{};
    }
    transpose(x);
    for (int m = 0; m < count; ++m) {
      T* to = out + m * elements + e;
      if (here == S::kWidth) {
        store(to, x[m]);
      } else {
        store_some(to, x[m], here);
      }
    }
  }
}

}  // namespace

// The kernels for one type, as plain functions: strips are `stride` elements apart.
// NOLINTBEGIN(bugprone-macro-parentheses): a type
#define PLUMB_CHOLESKY(T, suffix)                                                                                \
  std::int64_t cholesky_lanes_##suffix() { return Simd<T>::kLanes; }                                             \
  std::int64_t cholesky_width_##suffix() { return Simd<T>::kWidth; }                                             \
  void cholesky_pack_##suffix(const T* w, std::int64_t ld, std::int64_t rows, std::int64_t width, T* strip) {    \
    pack_strip(w, ld, rows, width, strip);                                                                       \
  }                                                                                                              \
  void cholesky_unpack_##suffix(const T* strip, std::int64_t first, std::int64_t rows, std::int64_t width, T* w, \
                                std::int64_t ld) {                                                               \
    unpack_strip(strip, first, rows, width, w, ld);                                                              \
  }                                                                                                              \
  std::int64_t cholesky_diagonal_##suffix(T* strips, std::int64_t stride, std::int64_t n) {                      \
    return factor_diagonal(strips, stride, n);                                                                   \
  }                                                                                                              \
  void cholesky_solve_##suffix(const T* strips, std::int64_t stride, T* strip, std::int64_t n) {                 \
    solve_strip(strips, stride, strip, n);                                                                       \
  }                                                                                                              \
  void cholesky_update_##suffix(const T* row, const T* column, std::int64_t k, T* c, std::int64_t ldc,           \
                                std::int64_t i0, std::int64_t j0, std::int64_t n) {                              \
    update_block(row, column, k, c, ldc, i0, j0, n);                                                             \
  }                                                                                                              \
  void cholesky_group_##suffix(const T* a, bool upper, std::int64_t count, std::int64_t n, T* room, T* out,      \
                               std::int64_t* failed) {                                                           \
    factor_group(a, upper, count, n, room, out, failed);                                                         \
  }
// NOLINTEND(bugprone-macro-parentheses)
PLUMB_CHOLESKY(float, f32)
PLUMB_CHOLESKY(double, f64)
#undef PLUMB_CHOLESKY

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
