// Planes by what their strides allow: whole rows, elements that repeat, rows reversed, tiles transposed, else one by
// one. A tile is a cache line wide on both sides, so that each line is read once and written once, whatever the strides
// make of the sets of a cache.
#include "optimized/array/shape/plane.h"

#include <algorithm>
#include <cstring>
#include <utility>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace plumb::movement {
namespace {

constexpr std::int64_t kLine = 64;    // bytes of a cache line
constexpr std::int64_t kVector = 16;  // bytes that every instruction set moves at once

template <class T>
constexpr std::int64_t kSide = kLine / static_cast<std::int64_t>(sizeof(T));  // of a tile
template <class T>
constexpr std::int64_t kWide = kVector / static_cast<std::int64_t>(sizeof(T));

template <class T>
struct VectorOf {
  typedef T type __attribute__((vector_size(16)));
};
template <class T>
using Vector = typename VectorOf<T>::type;

template <class T>
Vector<T> load(const T* p) {
  Vector<T> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class T>
void store(T* p, Vector<T> v) {
  std::memcpy(p, &v, sizeof v);
}

// Elements of a and b by turns, of their first halves (Half 0) or their last ones.
template <int Half, class V, std::size_t... L>
V by_turns(V a, V b, std::index_sequence<L...>) {
  constexpr std::size_t n = sizeof...(L);
  return __builtin_shufflevector(a, b, static_cast<int>(L / 2 + Half * n / 2 + L % 2 * n)...);
}
template <class V, std::size_t... L>
V backwards(V a, std::index_sequence<L...>) {
  return __builtin_shufflevector(a, a, static_cast<int>(sizeof...(L) - 1 - L)...);
}

// y(i, j) = x(j, i) of a square as wide as a vector: a perfect shuffle for each bit of an index.
template <class T>
void transpose_square(const T* x, std::int64_t x_step, T* y, std::int64_t y_step) {
  constexpr std::int64_t n = kWide<T>;
  using Lanes = std::make_index_sequence<static_cast<std::size_t>(n)>;
  Vector<T> a[n], b[n];
  for (std::int64_t k = 0; k < n; ++k) a[k] = load(x + k * x_step);
  for (std::int64_t bit = 1; bit < n; bit *= 2) {
    for (std::int64_t k = 0; k < n / 2; ++k) {
      b[2 * k] = by_turns<0>(a[k], a[k + n / 2], Lanes{});
      b[2 * k + 1] = by_turns<1>(a[k], a[k + n / 2], Lanes{});
    }
    std::copy(b, b + n, a);
  }
  for (std::int64_t k = 0; k < n; ++k) store(y + k * y_step, a[k]);
}

template <class T>
void one_by_one(const T* x, Steps from, T* y, Steps to, std::int64_t rows, std::int64_t columns) {
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) y[i * to.i + j * to.j] = x[i * from.i + j * from.j];
}

#if defined(__SSE2__)
// A line that nobody reads soon: straight to memory, which then need not be read before.
inline void store_line(void* y, const void* x, bool past) {
  if (!past) {
    std::memcpy(y, x, kLine);
    return;
  }
  for (std::int64_t k = 0; k < kLine / kVector; ++k)
    _mm_stream_si128(static_cast<__m128i*>(y) + k, _mm_load_si128(static_cast<const __m128i*>(x) + k));
}
inline bool may_pass(const void* y, std::int64_t step) {  // rows on cache lines
  return reinterpret_cast<std::uintptr_t>(y) % kLine == 0 && step % kLine == 0;
}
inline void settle() { _mm_sfence(); }  // what went past the caches is in order again
#else
inline void store_line(void* y, const void* x, bool) { std::memcpy(y, x, kLine); }
inline bool may_pass(const void*, std::int64_t) { return false; }
inline void settle() {}
#endif

// A whole tile, of which rows of y lie dense: through a dense one, from which whole lines are written.
template <class T>
void transpose_tile(const T* x, std::int64_t x_step, T* y, std::int64_t y_step, bool past) {
  constexpr std::int64_t n = kSide<T>, w = kWide<T>;
  alignas(kLine) T tile[n * n];
  for (std::int64_t j = 0; j < n; j += w)
    for (std::int64_t i = 0; i < n; i += w) transpose_square(x + i + j * x_step, x_step, tile + i * n + j, n);
  for (std::int64_t i = 0; i < n; ++i) store_line(y + i * y_step, tile + i * n, past);
}

// Part of a tile: whole squares, and what is left of it.
template <class T>
void transpose_part(const T* x, std::int64_t x_step, T* y, std::int64_t y_step, std::int64_t rows,
                    std::int64_t columns) {
  constexpr std::int64_t w = kWide<T>;
  const std::int64_t whole_rows = rows / w * w, whole_columns = columns / w * w;
  for (std::int64_t j = 0; j < whole_columns; j += w)
    for (std::int64_t i = 0; i < whole_rows; i += w)
      transpose_square(x + i + j * x_step, x_step, y + i * y_step + j, y_step);
  const Steps from{1, x_step}, to{y_step, 1};
  one_by_one(x + whole_rows, from, y + whole_rows * y_step, to, rows - whole_rows, whole_columns);
  one_by_one(x + whole_columns * x_step, from, y + whole_columns, to, rows, columns - whole_columns);
}

template <class T>
void transpose(const T* x, std::int64_t x_step, T* y, std::int64_t y_step, std::int64_t rows, std::int64_t columns,
               bool large) {
  constexpr std::int64_t n = kSide<T>;
  const bool past = large && may_pass(y, y_step * static_cast<std::int64_t>(sizeof(T)));
  for (std::int64_t j = 0; j < columns; j += n)
    for (std::int64_t i = 0; i < rows; i += n) {
      const T* from = x + i + j * x_step;
      T* to = y + i * y_step + j;
      if (i + n <= rows && j + n <= columns) transpose_tile(from, x_step, to, y_step, past);
      else transpose_part(from, x_step, to, y_step, std::min(n, rows - i), std::min(n, columns - j));
    }
  if (past) settle();
}

template <class T>
void fill(T* y, T value, std::int64_t n) {
  constexpr std::int64_t most = 1024;
  y[0] = value;
  for (std::int64_t done = 1; done < n;) {
    const std::int64_t next = std::min({done, n - done, most});
    std::memcpy(y + done, y, static_cast<std::size_t>(next) * sizeof(T));
    done += next;
  }
}

template <class T>
void reverse(const T* x, T* y, std::int64_t n) {  // y_j = x_(-j)
  constexpr std::int64_t w = kWide<T>;
  using Lanes = std::make_index_sequence<static_cast<std::size_t>(w)>;
  std::int64_t j = 0;
  for (; j + w <= n; j += w) store(y + j, backwards(load(x - j - w + 1), Lanes{}));
  for (; j < n; ++j) y[j] = x[-j];
}

// A row of y is dense.
template <class T>
void copy_row(const T* x, std::int64_t step, T* y, std::int64_t n) {
  if (step == 1) std::memcpy(y, x, static_cast<std::size_t>(n) * sizeof(T));
  else if (step == 0) fill(y, *x, n);
  else if (step == -1) reverse(x, y, n);
  else
    for (std::int64_t j = 0; j < n; ++j) y[j] = x[j * step];
}

template <class T>
void copy_typed(const std::byte* from_bytes, Steps from, std::byte* to_bytes, Steps to, std::int64_t rows,
                std::int64_t columns, bool large) {
  const T* x = reinterpret_cast<const T*>(from_bytes);
  T* y = reinterpret_cast<T*>(to_bytes);
  const bool narrow = columns < 8 && rows > columns;
  if (to.j == 1 && from.i == 1 && from.j != 1 && from.j != 0)
    return transpose(x, from.j, y, to.i, rows, columns, large);
  if (narrow) return one_by_one(x, {from.j, from.i}, y, {to.j, to.i}, columns, rows);
  if (to.j != 1) return one_by_one(x, from, y, to, rows, columns);
  for (std::int64_t i = 0; i < rows; ++i) copy_row(x + i * from.i, from.j, y + i * to.i, columns);
}

}  // namespace

void copy_plane(std::int64_t bytes, const std::byte* x, Steps from, std::byte* y, Steps to, std::int64_t rows,
                std::int64_t columns, bool large) {
  if (rows <= 0 || columns <= 0) return;
  if (bytes == 1) copy_typed<std::uint8_t>(x, from, y, to, rows, columns, large);
  else if (bytes == 2) copy_typed<std::uint16_t>(x, from, y, to, rows, columns, large);
  else if (bytes == 4) copy_typed<std::uint32_t>(x, from, y, to, rows, columns, large);
  else copy_typed<std::uint64_t>(x, from, y, to, rows, columns, large);
}

}  // namespace plumb::movement
