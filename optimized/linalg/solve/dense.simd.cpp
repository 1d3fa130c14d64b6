// Kernels on one matrix of rows `ld` apart: products and substitutions of a few dozen rows, and the factorisation of a
// few columns.
#include "optimized/linalg/lanes.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

constexpr int kColumns = 16;  // of a strip: as in dense.cpp
constexpr int kRows = 4;      // that share what is read of u
constexpr int kHeld = 4;      // vectors of a column that are updated at once

// c (rows x columns) -= l (rows x k) u (k x columns), kRows rows by two vectors at once.
template <class T, int kCount>
static inline void update_rows(const T* l, std::int64_t ldl, const T* u, std::int64_t ldu, std::int64_t k, T* c,
                               std::int64_t ldc, std::int64_t columns) {
  typedef typename LaneTypes<T>::V V;
  constexpr std::int64_t kWidth = LaneTypes<T>::kWidth;
  std::int64_t j = 0;
  for (; j + 2 * kWidth <= columns; j += 2 * kWidth) {
    alignas(64) V x[kCount][2];
    for (int r = 0; r < kCount; ++r)
      for (int v = 0; v < 2; ++v) x[r][v] = load(c + r * ldc + j + v * kWidth);
    for (std::int64_t q = 0; q < k; ++q) {
      const V a = load(u + q * ldu + j), b = load(u + q * ldu + j + kWidth);
#pragma GCC unroll 4
      for (int r = 0; r < kCount; ++r) {
        const V s = splat(-l[r * ldl + q]);
        x[r][0] = fma(s, a, x[r][0]);
        x[r][1] = fma(s, b, x[r][1]);
      }
    }
    for (int r = 0; r < kCount; ++r)
      for (int v = 0; v < 2; ++v) store(c + r * ldc + j + v * kWidth, x[r][v]);
  }
  for (; j < columns; j += kWidth) {
    const int here = static_cast<int>(columns - j < kWidth ? columns - j : kWidth);
    alignas(64) V x[kCount];
    for (int r = 0; r < kCount; ++r) x[r] = load_some(c + r * ldc + j, here);
    for (std::int64_t q = 0; q < k; ++q) {
      const V a = load_some(u + q * ldu + j, here);
      for (int r = 0; r < kCount; ++r) x[r] = fma(splat(-l[r * ldl + q]), a, x[r]);
    }
    for (int r = 0; r < kCount; ++r) store_some(c + r * ldc + j, x[r], here);
  }
}

template <class T>
static void update(std::int64_t rows, std::int64_t columns, std::int64_t k, const T* l, std::int64_t ldl, const T* u,
                   std::int64_t ldu, T* c, std::int64_t ldc) {
  std::int64_t i = 0;
  for (; i + kRows <= rows; i += kRows) update_rows<T, kRows>(l + i * ldl, ldl, u, ldu, k, c + i * ldc, ldc, columns);
  for (; i < rows; ++i) update_rows<T, 1>(l + i * ldl, ldl, u, ldu, k, c + i * ldc, ldc, columns);
}

static inline float magnitude(float x) { return x < 0 ? -x : x; }
static inline double magnitude(double x) { return x < 0 ? -x : x; }

// Rows of a, lda apart, to columns of a strip, ld apart: kWidth rows of kWidth columns at a time.
template <class T>
static void pack_strip(const T* a, std::int64_t lda, std::int64_t rows, std::int64_t columns, T* strip,
                       std::int64_t ld) {
  constexpr std::int64_t kWidth = LaneTypes<T>::kWidth;
  alignas(64) typename LaneTypes<T>::V x[kWidth];
  std::int64_t i = 0;
  for (; i + kWidth <= rows; i += kWidth)
    for (std::int64_t j = 0; j < columns; j += kWidth) {
      const int here = static_cast<int>(columns - j < kWidth ? columns - j : kWidth);
      const T* from = a + i * lda + j;
      for (int r = 0; r < kWidth; ++r) x[r] = here == kWidth ? load(from + r * lda) : load_some(from + r * lda, here);
      transpose(x);
      for (int c = 0; c < here; ++c) store(strip + (j + c) * ld + i, x[c]);
    }
  for (; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) strip[j * ld + i] = a[i * lda + j];
}

// Back again.
template <class T>
static void unpack_strip(const T* strip, std::int64_t ld, std::int64_t rows, std::int64_t columns, T* a,
                         std::int64_t lda) {
  constexpr std::int64_t kWidth = LaneTypes<T>::kWidth;
  alignas(64) typename LaneTypes<T>::V x[kWidth];
  std::int64_t i = 0;
  for (; i + kWidth <= rows; i += kWidth)
    for (std::int64_t j = 0; j < columns; j += kWidth) {
      const int here = static_cast<int>(columns - j < kWidth ? columns - j : kWidth);
      for (int c = 0; c < kWidth; ++c) x[c] = load(strip + (j + (c < here ? c : 0)) * ld + i);
      transpose(x);
      T* to = a + i * lda + j;
      for (int r = 0; r < kWidth; ++r)
        if (here == kWidth) store(to + r * lda, x[r]);
        else store_some(to + r * lda, x[r], here);
    }
  for (; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) a[i * lda + j] = strip[j * ld + i];
}

// x -= sum of u_p l_p over `terms` columns l_p, ld apart: rows [first, last).
template <class T>
static void combine(const T* l, std::int64_t ld, const T* u, std::int64_t terms, std::int64_t first, std::int64_t last,
                    T* x) {
  typedef typename LaneTypes<T>::V V;
  constexpr std::int64_t kWidth = LaneTypes<T>::kWidth;
  std::int64_t i = first;
  for (; i + kHeld * kWidth <= last; i += kHeld * kWidth) {
    alignas(64) V s[kHeld];
    for (int v = 0; v < kHeld; ++v) s[v] = load(x + i + v * kWidth);
    for (std::int64_t p = 0; p < terms; ++p) {
      const V f = splat(-u[p]);
      for (int v = 0; v < kHeld; ++v) s[v] = fma(f, load(l + p * ld + i + v * kWidth), s[v]);
    }
    for (int v = 0; v < kHeld; ++v) store(x + i + v * kWidth, s[v]);
  }
  for (; i + kWidth <= last; i += kWidth) {
    V s = load(x + i);
    for (std::int64_t p = 0; p < terms; ++p) s = fma(splat(-u[p]), load(l + p * ld + i), s);
    store(x + i, s);
  }
  for (; i < last; ++i)
    for (std::int64_t p = 0; p < terms; ++p) x[i] -= u[p] * l[p * ld + i];
}

// The first row from `first` on with the largest magnitude; a NaN is chosen only where it stands.
template <class T>
static std::int64_t largest(const T* x, std::int64_t first, std::int64_t rows) {
  typedef typename LaneTypes<T>::V V;
  constexpr std::int64_t kWidth = LaneTypes<T>::kWidth;
  if (x[first] != x[first]) return first;
  V most = splat(T(-1));
  std::int64_t i = first;
  for (; i + kWidth <= rows; i += kWidth) {
    const V v = load(x + i), size = v < V{} ? -v : v;
    most = size > most ? size : most;
  }
  T top = -1;
  for (int l = 0; l < kWidth; ++l) top = most[l] > top ? most[l] : top;
  for (; i < rows; ++i) top = magnitude(x[i]) > top ? magnitude(x[i]) : top;
  for (i = first; magnitude(x[i]) != top;) ++i;
  return i;
}

// Factors a strip of at most kColumns columns, ld apart, column by column: each takes what those before it do to it
// when its turn comes. Exchanges rows of the strip alone.
template <class T>
static void factor_strip(T* a, std::int64_t ld, std::int64_t rows, std::int64_t columns, std::int64_t* pivots) {
  constexpr std::int64_t kWidth = LaneTypes<T>::kWidth;
  for (std::int64_t j = 0; j < columns; ++j) {
    T* x = a + j * ld;
    const std::int64_t above = j < rows ? j : rows;
    for (std::int64_t i = 1; i < above; ++i)
      for (std::int64_t p = 0; p < i; ++p) x[i] -= a[p * ld + i] * x[p];
    if (j >= rows) continue;
    combine(a, ld, x, j, j, rows, x);
    const std::int64_t best = pivots[j] = largest(x, j, rows);
    for (std::int64_t c = 0; best != j && c < columns; ++c) {
      const T other = a[c * ld + best];
      a[c * ld + best] = a[c * ld + j];
      a[c * ld + j] = other;
    }
    const T pivot = x[j];
    if (pivot == T(0)) continue;
    std::int64_t i = j + 1;
    for (; i + kWidth <= rows; i += kWidth) store(x + i, load(x + i) / splat(pivot));
    for (; i < rows; ++i) x[i] = x[i] / pivot;
  }
}

// x_i = (x_i - sum t_ij x_j) / t_ii for `rows` rows of a triangle among themselves, `columns` of x.
template <class T>
static void solve_corner(const T* t, std::int64_t ldt, std::int64_t rows, bool upper, bool unit, T* x, std::int64_t ldx,
                         std::int64_t columns) {
  typedef typename LaneTypes<T>::V V;
  constexpr std::int64_t kWidth = LaneTypes<T>::kWidth;
  for (std::int64_t c = 0; c < columns; c += kWidth) {
    const int here = static_cast<int>(columns - c < kWidth ? columns - c : kWidth);
    alignas(64) V own[kRows];
    for (std::int64_t i = 0; i < rows; ++i)
      own[i] = here == kWidth ? load(x + i * ldx + c) : load_some(x + i * ldx + c, here);
    for (std::int64_t step = 0; step < rows; ++step) {
      const std::int64_t i = upper ? rows - 1 - step : step;
      for (std::int64_t j = upper ? i + 1 : 0; j < (upper ? rows : i); ++j)
        own[i] = fma(splat(-t[i * ldt + j]), own[j], own[i]);
      if (!unit) own[i] = own[i] / splat(t[i * ldt + i]);
    }
    for (std::int64_t i = 0; i < rows; ++i)
      if (here == kWidth) store(x + i * ldx + c, own[i]);
      else store_some(x + i * ldx + c, own[i], here);
  }
}

// The same for the rows of one block, kRows of them at a time.
template <class T>
static void solve_rows(const T* t, std::int64_t ldt, std::int64_t n, bool upper, bool unit, T* x, std::int64_t ldx,
                       std::int64_t columns) {
  for (std::int64_t done = 0; done < n; done += kRows) {
    const std::int64_t rows = n - done < kRows ? n - done : kRows, i = upper ? n - done - rows : done;
    const std::int64_t other = upper ? i + rows : 0;
    update(rows, columns, done, t + i * ldt + other, ldt, x + other * ldx, ldx, x + i * ldx, ldx);
    solve_corner(t + i * ldt + i, ldt, rows, upper, unit, x + i * ldx, ldx, columns);
  }
}

// The same for one column of adjacent elements: each row of t a product of two runs.
template <class T>
static void solve_column(const T* t, std::int64_t ldt, std::int64_t n, bool upper, bool unit, T* x) {
  typedef typename LaneTypes<T>::V V;
  constexpr std::int64_t kWidth = LaneTypes<T>::kWidth;
  for (std::int64_t step = 0; step < n; ++step) {
    const std::int64_t i = upper ? n - 1 - step : step, first = upper ? i + 1 : 0, last = upper ? n : i;
    const T* row = t + i * ldt;
    V sums[4] = {};
    std::int64_t j = first;
    for (; j + 4 * kWidth <= last; j += 4 * kWidth)
      for (int v = 0; v < 4; ++v) sums[v] = fma(load(row + j + v * kWidth), load(x + j + v * kWidth), sums[v]);
    for (; j + kWidth <= last; j += kWidth) sums[0] = fma(load(row + j), load(x + j), sums[0]);
    if (j < last) {
      const int here = static_cast<int>(last - j);
      sums[1] = fma(load_some(row + j, here), load_some(x + j, here), sums[1]);
    }
    const V all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    T sum = 0;
    for (int l = 0; l < kWidth; ++l) sum += all[l];
    x[i] = unit ? x[i] - sum : (x[i] - sum) / row[i];
  }
}

}  // namespace

// NOLINTBEGIN(bugprone-macro-parentheses): a type
#define PLUMB_DENSE(T, suffix)                                                                                      \
  void solve_update_##suffix(std::int64_t rows, std::int64_t columns, std::int64_t k, const T* l, std::int64_t ldl, \
                             const T* u, std::int64_t ldu, T* c, std::int64_t ldc) {                                \
    update(rows, columns, k, l, ldl, u, ldu, c, ldc);                                                               \
  }                                                                                                                 \
  void solve_pack_strip_##suffix(const T* a, std::int64_t lda, std::int64_t rows, std::int64_t columns, T* strip,   \
                                 std::int64_t ld) {                                                                 \
    pack_strip(a, lda, rows, columns, strip, ld);                                                                   \
  }                                                                                                                 \
  void solve_unpack_strip_##suffix(const T* strip, std::int64_t ld, std::int64_t rows, std::int64_t columns, T* a,  \
                                   std::int64_t lda) {                                                              \
    unpack_strip(strip, ld, rows, columns, a, lda);                                                                 \
  }                                                                                                                 \
  void solve_factor_strip_##suffix(T* a, std::int64_t ld, std::int64_t rows, std::int64_t columns,                  \
                                   std::int64_t* pivots) {                                                          \
    factor_strip(a, ld, rows, columns, pivots);                                                                     \
  }                                                                                                                 \
  void solve_rows_##suffix(const T* t, std::int64_t ldt, std::int64_t n, bool upper, bool unit, T* x,               \
                           std::int64_t ldx, std::int64_t columns) {                                                \
    solve_rows(t, ldt, n, upper, unit, x, ldx, columns);                                                            \
  }                                                                                                                 \
  void solve_column_##suffix(const T* t, std::int64_t ldt, std::int64_t n, bool upper, bool unit, T* x) {           \
    solve_column(t, ldt, n, upper, unit, x);                                                                        \
  }
// NOLINTEND(bugprone-macro-parentheses)
PLUMB_DENSE(float, f32)
PLUMB_DENSE(double, f64)
#undef PLUMB_DENSE

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
