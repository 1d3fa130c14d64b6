// One matrix by blocks: right-looking, the trailing part by the product of dense matrices.
//
// A block of kBlock columns is factored in strips of kColumns: a strip is turned into columns, factored, and its
// exchanges made in whole rows; then the rows of U in the block follow, and the rest of the block is updated.
#include <algorithm>
#include <numeric>
#include <vector>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "optimized/dispatch.h"
#include "optimized/linalg/gemm.h"
#include "optimized/linalg/solve/batch.h"

namespace plumb {

// NOLINTBEGIN(bugprone-macro-parentheses): a type
#define PLUMB_DENSE(T, suffix)                                                                                        \
  PLUMB_DECLARE_SIMD(void solve_update_##suffix(std::int64_t rows, std::int64_t columns, std::int64_t k, const T* l,  \
                                                std::int64_t ldl, const T* u, std::int64_t ldu, T* c,                 \
                                                std::int64_t ldc))                                                    \
  PLUMB_DECLARE_SIMD(void solve_pack_strip_##suffix(const T* a, std::int64_t lda, std::int64_t rows,                  \
                                                    std::int64_t columns, T* strip, std::int64_t ld))                 \
  PLUMB_DECLARE_SIMD(void solve_unpack_strip_##suffix(const T* strip, std::int64_t ld, std::int64_t rows,             \
                                                      std::int64_t columns, T* a, std::int64_t lda))                  \
  PLUMB_DECLARE_SIMD(void solve_factor_strip_##suffix(T* a, std::int64_t ld, std::int64_t rows, std::int64_t columns, \
                                                      std::int64_t* pivots))                                          \
  PLUMB_DECLARE_SIMD(void solve_rows_##suffix(const T* t, std::int64_t ldt, std::int64_t n, bool upper, bool unit,    \
                                              T* x, std::int64_t ldx, std::int64_t columns))                          \
  PLUMB_DECLARE_SIMD(                                                                                                 \
      void solve_column_##suffix(const T* t, std::int64_t ldt, std::int64_t n, bool upper, bool unit, T* x))
// NOLINTEND(bugprone-macro-parentheses)
PLUMB_DENSE(float, f32)
PLUMB_DENSE(double, f64)
#undef PLUMB_DENSE

namespace solve {
namespace {

template <class T>
struct Kernels;
#define PLUMB_DENSE(T, suffix)                                                                         \
  template <>                                                                                          \
  struct Kernels<T> {                                                                                  \
    static constexpr Dtype kType = sizeof(T) == 4 ? Dtype::f32 : Dtype::f64;                           \
    decltype(&base::solve_update_##suffix) update = PLUMB_DISPATCH(solve_update_##suffix);             \
    decltype(&base::solve_pack_strip_##suffix) pack = PLUMB_DISPATCH(solve_pack_strip_##suffix);       \
    decltype(&base::solve_unpack_strip_##suffix) unpack = PLUMB_DISPATCH(solve_unpack_strip_##suffix); \
    decltype(&base::solve_factor_strip_##suffix) strip = PLUMB_DISPATCH(solve_factor_strip_##suffix);  \
    decltype(&base::solve_rows_##suffix) rows = PLUMB_DISPATCH(solve_rows_##suffix);                   \
    decltype(&base::solve_column_##suffix) column = PLUMB_DISPATCH(solve_column_##suffix);             \
  };
PLUMB_DENSE(float, f32)
PLUMB_DENSE(double, f64)
#undef PLUMB_DENSE

constexpr std::int64_t kColumns = 16;                         // of a strip: as in dense.simd.cpp
constexpr Limit kBlock{"solve.block", 64, 16};                // columns factored, or rows solved, before a product
constexpr Limit kParallel{"solve.parallel", 256, 12};         // rows from which one matrix is worth several threads
constexpr Limit kProduct{"solve.product", 1 << 17, 1 << 10};  // multiplications worth the packing of a product
constexpr Limit kChunk{"solve.chunk", 128, 16};               // columns that a thread solves at once

// c (rows x columns, ldc apart) -= l u, u of k rows ldu apart. A product adds, so its right side is negated first.
template <class T>
void subtract_product(std::int64_t rows, std::int64_t columns, std::int64_t k, const T* l, std::int64_t ldl, const T* u,
                      std::int64_t ldu, T* c, std::int64_t ldc) {
  if (rows <= 0 || columns <= 0) return;
  const Kernels<T> kernels;
  const std::int64_t work = rows * columns * k;
  if (work < kProduct.of(work) || columns < kColumns) return kernels.update(rows, columns, k, l, ldl, u, ldu, c, ldc);
  const RawRoom<T, 64> minus(k * columns);
  for (std::int64_t q = 0; q < k; ++q)
    for (std::int64_t j = 0; j < columns; ++j) minus[q * columns + j] = -u[q * ldu + j];
  gemm(rows, columns, k, {l, Kernels<T>::kType, ldl, 1}, {minus.get(), Kernels<T>::kType, columns, 1}, c, ldc, true);
}

// t x = x for one block of rows, its columns shared out.
template <class T>
void solve_block(const T* t, std::int64_t ldt, std::int64_t n, bool upper, bool unit, T* x, std::int64_t ldx,
                 std::int64_t columns) {
  const Kernels<T> kernels;
  const std::int64_t chunk = kChunk.of(columns), chunks = (columns + chunk - 1) / chunk;
  parallel_for(chunks, 2, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t first = begin * chunk, last = std::min(end * chunk, columns);
    kernels.rows(t, ldt, n, upper, unit, x + first, ldx, last - first);
  });
}

template <class T>
void exchange_rows(T* a, std::int64_t ld, std::int64_t i, std::int64_t j, std::int64_t columns) {
  if (i != j) std::swap_ranges(a + i * ld, a + i * ld + columns, a + j * ld);
}

// Columns [s, s + width) of the rows from s on: factored; the other columns of a only change rows.
template <class T>
void factor_columns(T* a, std::int64_t m, std::int64_t n, std::int64_t s, std::int64_t width, T* strip,
                    std::int32_t* pivots) {
  const Kernels<T> kernels;
  const std::int64_t rows = m - s;
  std::int64_t at[kColumns];
  kernels.pack(a + s * n + s, n, rows, width, strip, m);
  kernels.strip(strip, m, rows, width, at);
  for (std::int64_t j = 0; j < std::min(width, rows); ++j) {
    pivots[s + j] = static_cast<std::int32_t>(s + at[j]);
    exchange_rows(a, n, s + j, s + at[j], n);
  }
  kernels.unpack(strip, m, rows, width, a + s * n + s, n);
}

// P A = L U in place, dense rows of n.
template <class T>
void factor(T* a, std::int64_t m, std::int64_t n, T* strip, std::int32_t* pivots) {
  const Kernels<T> kernels;
  const std::int64_t steps = std::min(m, n), block = kBlock.of(steps);
  for (std::int64_t k = 0; k < steps; k += block) {
    const std::int64_t last = std::min(k + block, steps);
    for (std::int64_t s = k; s < last; s += kColumns) {
      const std::int64_t width = std::min(kColumns, last - s), next = s + width;
      factor_columns(a, m, n, s, width, strip, pivots);
      kernels.rows(a + s * n + s, n, width, false, true, a + s * n + next, n, last - next);
      kernels.update(m - next, last - next, width, a + next * n + s, n, a + s * n + next, n, a + next * n + next, n);
    }
    if (last == n) break;
    T* right = a + k * n + last;
    solve_block(a + k * n + k, n, last - k, false, true, right, n, n - last);
    subtract_product(m - last, n - last, last - k, a + last * n + k, n, right, n, a + last * n + last, n);
  }
}

// t x = x, dense rows of t; x has rows of k. Where x begins as the identity it stays a triangle as t is, and what is
// beyond it is left alone.
template <class T>
void substitute(const T* t, std::int64_t n, bool upper, bool unit, T* x, std::int64_t k, bool triangle = false) {
  if (k == 1) return Kernels<T>().column(t, n, n, upper, unit, x);
  const std::int64_t block = kBlock.of(n), blocks = (n + block - 1) / block;
  for (std::int64_t step = 0; step < blocks; ++step) {
    const std::int64_t first = (upper ? blocks - 1 - step : step) * block, last = std::min(first + block, n);
    const std::int64_t from = triangle && upper ? first : 0, columns = (triangle && !upper ? last : k) - from;
    T* own = x + first * k + from;
    solve_block(t + first * n + first, n, last - first, upper, unit, own, k, columns);
    if (upper) subtract_product(first, columns, last - first, t + first, n, own, k, x + from, k);
    else subtract_product(n - last, columns, last - first, t + last * n + first, n, own, k, x + last * k, k);
  }
}

// f(first, last) on matrices: on several threads where there are enough, or one is too small for them.
template <class F>
void each_matrix(std::int64_t matrices, std::int64_t rows, std::int64_t work, const F& f) {
  if (rows >= kParallel.of(rows) && matrices < threads()) return f(0, matrices);
  parallel_for(matrices, 1 + (1 << 15) / (1 + work), f);
}

std::int64_t strip_size(std::int64_t m) { return m * kColumns; }

template <class T>
void identity(T* x, std::int64_t n) {
  std::fill_n(x, n * n, T(0));
  for (std::int64_t i = 0; i < n; ++i) x[i * (n + 1)] = T(1);
}

template <class T>
void clear_beyond(T* x, std::int64_t n, bool upper) {
  for (std::int64_t i = 0; i < n; ++i)
    if (upper) std::fill_n(x + i * n, i, T(0));
    else std::fill_n(x + i * n + i + 1, n - i - 1, T(0));
}

// s = x^T x (lower) or x x^T (upper).
template <class T>
void gram(const T* x, std::int64_t n, bool upper, T* s) {
  const GemmOperand rows{x, Kernels<T>::kType, n, 1}, columns{x, Kernels<T>::kType, 1, n};
  if (upper) gemm(n, n, n, rows, columns, s, n);
  else gemm(n, n, n, columns, rows, s, n);
}

template <class T>
void note_zero(const T* a, std::int64_t n, std::int64_t matrix, FirstZero& zero) {
  for (std::int64_t j = 0; j < n; ++j)
    if (a[j * (n + 1)] == T(0)) return zero.note(matrix, j);
}

// Columns change places as the rows of the matrix have, the last exchange first.
template <class T>
void exchange_columns(T* x, std::int64_t n, const std::int32_t* pivots) {
  std::vector<std::int64_t> from(static_cast<std::size_t>(n));
  std::iota(from.begin(), from.end(), std::int64_t{0});
  for (auto j = static_cast<std::size_t>(n); j-- > 0;) std::swap(from[j], from[static_cast<std::size_t>(pivots[j])]);
  parallel_for(n, 1 + (1 << 15) / n, [&](std::int64_t begin, std::int64_t end) {
    std::vector<T> row(static_cast<std::size_t>(n));
    for (std::int64_t i = begin; i < end; ++i) {
      std::copy_n(x + i * n, n, row.begin());
      for (std::int64_t j = 0; j < n; ++j)
        x[i * n + j] = row[static_cast<std::size_t>(from[static_cast<std::size_t>(j)])];
    }
  });
}

// U^-1 L^-1 P: L^-1 first, a triangle.
template <class T>
void invert_general(const T* lu, std::int64_t n, const std::int32_t* pivots, T* x) {
  identity(x, n);
  substitute(lu, n, false, true, x, n, true);
  substitute(lu, n, true, false, x, n);
  exchange_columns(x, n, pivots);
}

// A NaN reaches all that its product with a 0 is part of, so that triangles are told from others by their values.
template <class T>
bool finite(const T* t, std::int64_t n, bool upper) {
  T undefined = 0;
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = upper ? i : 0; j < (upper ? n : i + 1); ++j) undefined += t[i * n + j] * T(0);
  return undefined == T(0);
}

template <class T>
void invert_triangle(const T* t, std::int64_t n, bool upper, T* x) {
  identity(x, n);
  substitute(t, n, upper, false, x, n, finite(t, n, upper));
  clear_beyond(x, n, upper);
}

// One system, the factors of whose matrix are known where it is general.
template <class T>
void solve_one(const Systems<T>& s, std::int64_t t, const T* a, const std::int32_t* pivots) {
  const bool above = s.form == Form::upper || s.form == Form::upper_gram;
  const bool gramian = s.form == Form::lower_gram || s.form == Form::upper_gram;
  T* x = s.x + t * s.n * s.k;
  if (gramian) {
    const RawRoom<T, 64> room(s.n * s.n);
    invert_triangle(a, s.n, above, room.get());
    return gram(room.get(), s.n, above, x);
  }
  if (!s.b) return s.form == Form::general ? invert_general(a, s.n, pivots, x) : invert_triangle(a, s.n, above, x);
  std::copy_n(s.b + s.b_of[static_cast<std::size_t>(t)] * s.n * s.k, s.n * s.k, x);
  for (std::int64_t j = 0; s.form == Form::general && j < s.n; ++j) exchange_rows(x, s.k, j, pivots[j], s.k);
  if (s.form == Form::general) substitute(a, s.n, false, true, x, s.k);
  substitute(a, s.n, s.form == Form::general || above, false, x, s.k);
}

}  // namespace

template <class T>
void factor_blocked(const Factoring<T>& f) {
  const std::int64_t size = f.m * f.n, work = size * f.steps();
  each_matrix(f.matrices, f.m, work, [&](std::int64_t first, std::int64_t last) {
    const RawRoom<T, 64> strip(strip_size(f.m));
    for (std::int64_t t = first; t < last; ++t) {
      if (f.lu != f.a) std::copy_n(f.a + t * size, size, f.lu + t * size);
      factor(f.lu + t * size, f.m, f.n, strip.get(), f.pivots + t * f.steps());
    }
  });
}

template <class T>
void solve_blocked(const Systems<T>& s, FirstZero& zero) {
  const bool general = s.form == Form::general;
  const std::int64_t size = s.n * s.n;
  const RawRoom<T, 64> lu(general ? s.distinct * size : 0);
  const RawRoom<std::int32_t> pivots(general ? s.distinct * s.n : 0);
  if (general) factor_blocked(Factoring<T>{s.a, s.distinct, s.n, s.n, lu.get(), pivots.get()});
  const T* a = general ? lu.get() : s.a;
  for (std::int64_t t = 0; t < s.distinct; ++t) note_zero(a + t * size, s.n, t, zero);
  each_matrix(s.matrices, s.n, size * s.k, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t t = first; t < last; ++t) {
      const std::int64_t of = s.a_of[static_cast<std::size_t>(t)];
      solve_one(s, t, a + of * size, general ? pivots.get() + of * s.n : nullptr);
    }
  });
}

template void factor_blocked(const Factoring<float>&);
template void factor_blocked(const Factoring<double>&);
template void solve_blocked(const Systems<float>&, FirstZero&);
template void solve_blocked(const Systems<double>&, FirstZero&);

}  // namespace solve
}  // namespace plumb
