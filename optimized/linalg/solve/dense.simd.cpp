// Kernels on one matrix of rows `ld` apart: products and substitutions of a few dozen rows, and the factorisation of a
// few columns.
#include "optimized/linalg/lanes.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

constexpr int kColumns = 8;  // of a strip: as in dense.cpp
constexpr int kRows = 4;     // that share what is read of u

template <class T>
struct StripOf;
template <>
struct StripOf<float> {
  typedef float Row __attribute__((vector_size(kColumns * 4), aligned(4), may_alias));
};
template <>
struct StripOf<double> {
  typedef double Row __attribute__((vector_size(kColumns * 8), aligned(8), may_alias));
};

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

// Factors `rows` rows of kColumns adjacent elements, of which `columns` are meant: exchanges rows of the strip alone.
template <class T>
static void factor_strip(T* a, std::int64_t rows, std::int64_t columns, std::int64_t* pivots) {
  typedef typename StripOf<T>::Row Row;
  std::int64_t best = 0;
  const auto size = [](T x) { return x < 0 ? -x : x; };
  for (std::int64_t i = 1; i < rows; ++i)
    if (size(a[i * kColumns]) > size(a[best * kColumns])) best = i;
  for (std::int64_t j = 0; j < columns && j < rows; ++j) {
    pivots[j] = best;
    auto* own = reinterpret_cast<Row*>(a + j * kColumns);
    auto* other = reinterpret_cast<Row*>(a + best * kColumns);
    const Row u = *other;
    *other = *own;
    *own = u;
    decltype(u < u) later{};  // a multiplier that is no number must not reach those before it
    for (std::int64_t c = j + 1; c < kColumns; ++c) later[c] = -1;
    const T pivot = u[j];
    best = j + 1;
    T most = -1;
    for (std::int64_t i = j + 1; i < rows; ++i) {
      T* row = a + i * kColumns;
      const T l = pivot == T(0) ? row[j] : row[j] / pivot;
      const Row x = *reinterpret_cast<Row*>(row);
      *reinterpret_cast<Row*>(row) = later ? x - u * l : x;
      row[j] = l;
      if (j + 1 >= columns) continue;
      const T next = size(row[j + 1]);
      if (i == j + 1) most = next;
      if (!(next > most)) continue;
      most = next;
      best = i;
    }
  }
}

// x_i = (x_i - sum t_ij x_j) / t_ii for the rows of one block, `columns` of them, vectors along the columns.
template <class T>
static void solve_rows(const T* t, std::int64_t ldt, std::int64_t n, bool upper, bool unit, T* x, std::int64_t ldx,
                       std::int64_t columns) {
  typedef typename LaneTypes<T>::V V;
  constexpr std::int64_t kWidth = LaneTypes<T>::kWidth;
  for (std::int64_t c = 0; c < columns; c += kWidth) {
    const int here = static_cast<int>(columns - c < kWidth ? columns - c : kWidth);
    for (std::int64_t step = 0; step < n; ++step) {
      const std::int64_t i = upper ? n - 1 - step : step;
      V own = here == kWidth ? load(x + i * ldx + c) : load_some(x + i * ldx + c, here);
      for (std::int64_t j = upper ? i + 1 : 0; j < (upper ? n : i); ++j) {
        const V other = here == kWidth ? load(x + j * ldx + c) : load_some(x + j * ldx + c, here);
        own = fma(splat(-t[i * ldt + j]), other, own);
      }
      if (!unit) own = own / splat(t[i * ldt + i]);
      store_some(x + i * ldx + c, own, here);
    }
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
  void solve_factor_strip_##suffix(T* a, std::int64_t rows, std::int64_t columns, std::int64_t* pivots) {           \
    factor_strip(a, rows, columns, pivots);                                                                         \
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
