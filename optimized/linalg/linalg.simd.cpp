// Products that are too small or too thin to pack, and the rounding of f32 sums to the 16-bit types.
#include "optimized/vector.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

// The first `count` lanes, zeros in the others; nothing beyond them is touched.
template <class T>
inline typename Vector<T>::type load_part(const T* p, int count) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return (f32v)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), p);
  else return (f64v)_mm512_maskz_loadu_pd((__mmask8)((1u << count) - 1), p);
#else
  T all[Vector<T>::lanes] = {};
  for (int i = 0; i < count; ++i) all[i] = p[i];
  return load(all);
#endif
}
template <class T>
inline void store_part(T* p, typename Vector<T>::type v, int count) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) _mm512_mask_storeu_ps(p, (__mmask16)((1u << count) - 1), (__m512)v);
  else _mm512_mask_storeu_pd(p, (__mmask8)((1u << count) - 1), (__m512d)v);
#else
  T all[Vector<T>::lanes];
  store(all, v);
  for (int i = 0; i < count; ++i) p[i] = all[i];
#endif
}

// Twelve accumulators keep two multipliers busy and leave registers for as many row addresses.
constexpr int kRows = 6, kVectors = 2;

template <class T>
struct Direct {
  std::int64_t k;
  const T* a;
  std::int64_t a_row, a_column;
  const T* b;
  std::int64_t b_row;
  T* c;
  std::int64_t c_row;
};

// R x V vectors of c, of whose last vector `last` lanes exist: one chain of fma per element. k is not 0: a path
// around the loop would cost the compiler its registers.
template <class T, int R, int V, bool Part>
void direct_tile(const Direct<T>& d, int last) {
  typedef typename Vector<T>::type Vec;
  constexpr int lanes = Vector<T>::lanes;
  Vec sum[R][V];
#pragma GCC unroll 8
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) sum[i][v] = Vec{};
  const T *a = d.a, *b = d.b;
  std::int64_t k = d.k;
  const std::int64_t a_row = d.a_row, a_column = d.a_column, b_row = d.b_row, c_row = d.c_row;
  T* const c = d.c;
  do {
    Vec bv[V];
#pragma GCC unroll 8
    for (int v = 0; v < V - 1; ++v) bv[v] = load(b + v * lanes);
    if constexpr (Part) bv[V - 1] = load_part(b + (V - 1) * lanes, last);
    else bv[V - 1] = load(b + (V - 1) * lanes);
#pragma GCC unroll 8
    for (int i = 0; i < R; ++i) {
      const Vec av = splat(a[i * a_row]);
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) sum[i][v] = fma(av, bv[v], sum[i][v]);
    }
    a += a_column;
    b += b_row;
  } while (--k);
#pragma GCC unroll 8
  for (int i = 0; i < R; ++i) {
    T* const to = c + i * c_row;
#pragma GCC unroll 8
    for (int v = 0; v < V - 1; ++v) store(to + v * lanes, sum[i][v]);
    if constexpr (Part) store_part(to + (V - 1) * lanes, sum[i][V - 1], last);
    else store(to + (V - 1) * lanes, sum[i][V - 1]);
  }
}

template <class T, int R, int V>
void direct_columns(const Direct<T>& d, int columns) {
  constexpr int lanes = Vector<T>::lanes;
  if constexpr (V > 1) {
    if (columns <= (V - 1) * lanes) return direct_columns<T, R, V - 1>(d, columns);
  }
  const int last = columns - (V - 1) * lanes;
  if (last == lanes) direct_tile<T, R, V, false>(d, last);
  else direct_tile<T, R, V, true>(d, last);
}

template <class T, int R>
void direct_rows(const Direct<T>& d, int rows, int columns) {
  if constexpr (R > 1) {
    if (rows < R) return direct_rows<T, R - 1>(d, rows, columns);
  }
  direct_columns<T, R, kVectors>(d, columns);
}

template <class T>
void direct(std::int64_t m, std::int64_t n, Direct<T> d) {
  constexpr std::int64_t width = kVectors * Vector<T>::lanes;
  const std::int64_t slivers = (m + kRows - 1) / kRows, base = m / slivers, extra = m % slivers;
  const T *a = d.a, *b = d.b;
  T* c = d.c;
  for (std::int64_t j = 0; j < n; j += width) {
    d.b = b + j;
    for (std::int64_t s = 0, i = 0; s < slivers; ++s) {
      const int rows = static_cast<int>(base + (s < extra));
      d.a = a + i * d.a_row;
      d.c = c + i * d.c_row + j;
      direct_rows<T, kRows>(d, rows, static_cast<int>(n - j < width ? n - j : width));
      i += rows;
    }
  }
}

// y_j = sum_p x_p b_pj for n adjacent columns, `width` of them at a time so that y stays in the first cache.
template <class T>
void sum_rows(std::int64_t n, std::int64_t k, const T* x, std::int64_t x_step, const T* b, std::int64_t b_row,
              std::int64_t width, T* y) {
  constexpr int lanes = Vector<T>::lanes;
  for (std::int64_t j0 = 0; j0 < n; j0 += width) {
    const std::int64_t end = n - j0 < width ? n : j0 + width;
    for (std::int64_t j = j0; j < end; ++j) y[j] = 0;
    std::int64_t p = 0;
    for (; p + 4 <= k; p += 4) {
      const auto x0 = splat(x[p * x_step]), x1 = splat(x[(p + 1) * x_step]);
      const auto x2 = splat(x[(p + 2) * x_step]), x3 = splat(x[(p + 3) * x_step]);
      const T* row = b + p * b_row;
      std::int64_t j = j0;
      for (; j + lanes <= end; j += lanes) {
        auto sum = fma(x0, load(row + j), load(y + j));
        sum = fma(x1, load(row + b_row + j), sum);
        sum = fma(x2, load(row + 2 * b_row + j), sum);
        store(y + j, fma(x3, load(row + 3 * b_row + j), sum));
      }
      if (const int rest = static_cast<int>(end - j); rest > 0) {
        auto sum = fma(x0, load_part(row + j, rest), load_part(y + j, rest));
        sum = fma(x1, load_part(row + b_row + j, rest), sum);
        sum = fma(x2, load_part(row + 2 * b_row + j, rest), sum);
        store_part(y + j, fma(x3, load_part(row + 3 * b_row + j, rest), sum), rest);
      }
    }
    for (; p < k; ++p)
      for (std::int64_t j = j0; j < end; j += lanes) {
        const int some = static_cast<int>(end - j < lanes ? end - j : lanes);
        store_part(y + j, fma(splat(x[p * x_step]), load_part(b + p * b_row + j, some), load_part(y + j, some)), some);
      }
  }
}

// y_i = sum_p a_ip x_p for adjacent p: four vectors of partial sums per row, joined by a tree.
template <class T>
void dot_rows(std::int64_t m, std::int64_t k, const T* a, std::int64_t a_row, const T* x, T* y) {
  constexpr int lanes = Vector<T>::lanes;
  typedef typename Vector<T>::type Vec;
  for (std::int64_t i = 0; i < m; ++i, a += a_row) {
    Vec sum[4] = {};
    std::int64_t p = 0;
    for (; p + 4 * lanes <= k; p += 4 * lanes)
#pragma GCC unroll 8
      for (int v = 0; v < 4; ++v) sum[v] = fma(load(a + p + v * lanes), load(x + p + v * lanes), sum[v]);
    for (int v = 0; p < k; ++v, p += lanes) {
      const int some = static_cast<int>(k - p < lanes ? k - p : lanes);
      sum[v] = fma(load_part(a + p, some), load_part(x + p, some), sum[v]);
    }
    T part[lanes];
    store(part, (sum[0] + sum[1]) + (sum[2] + sum[3]));
    for (int half = lanes / 2; half > 0; half /= 2)
      for (int l = 0; l < half; ++l) part[l] += part[l + half];
    y[i] = part[0];
  }
}

}  // namespace

int linalg_dot_lanes(bool f64) { return 4 * (f64 ? kF64 : kF32); }

#define PLUMB_LINALG_THIN(suffix, T)                                                                                \
  void linalg_direct_##suffix(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t a_row,       \
                              std::int64_t a_column, const T* b, std::int64_t b_row, T* c) {                        \
    direct<T>(m, n, {k, a, a_row, a_column, b, b_row, c, n});                                                       \
  }                                                                                                                 \
  void linalg_sum_rows_##suffix(std::int64_t n, std::int64_t k, const T* x, std::int64_t x_step, const T* b,        \
                                std::int64_t b_row, std::int64_t width, T* y) {                                     \
    sum_rows<T>(n, k, x, x_step, b, b_row, width, y);                                                               \
  }                                                                                                                 \
  void linalg_dot_rows_##suffix(std::int64_t m, std::int64_t k, const T* a, std::int64_t a_row, const T* x, T* y) { \
    dot_rows<T>(m, k, a, a_row, x, y);                                                                              \
  }
PLUMB_LINALG_THIN(f32, float)
PLUMB_LINALG_THIN(f64, double)
#undef PLUMB_LINALG_THIN

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
