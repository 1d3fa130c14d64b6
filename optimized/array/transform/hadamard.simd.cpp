// Butterflies of Hadamard transforms over f32 (wide: f64) scalars, in place: sums and differences of scalars `stride`
// apart, within a vector and between vectors.
#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

template <class T>
struct LanesOf {
  typedef float V __attribute__((vector_size(kVectorBytes)));
  typedef std::int32_t I __attribute__((vector_size(kVectorBytes)));
};
template <>
struct LanesOf<double> {
  typedef double V __attribute__((vector_size(kVectorBytes)));
  typedef std::int64_t I __attribute__((vector_size(kVectorBytes)));
};
template <class T>
using Vec = typename LanesOf<T>::V;
template <class T>
using Ints = typename LanesOf<T>::I;
template <class T>
inline constexpr std::int64_t kLanes = kVectorBytes / static_cast<std::int64_t>(sizeof(T));

template <class T>
static inline Vec<T> get(const T* p) {
  Vec<T> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class T>
static inline void put(T* p, Vec<T> v) {
  std::memcpy(p, &v, sizeof v);
}

// Strides from `first` up to those of half a vector: lane i becomes the lane at i ^ s, plus itself or less itself.
template <class T>
static void within(T* x, std::int64_t n, std::int64_t first, std::int64_t last) {
  constexpr std::int64_t L = kLanes<T>;
  Ints<T> from[4];
  Vec<T> sign[4];
  int stages = 0;
  for (std::int64_t s = first; s < last && s < L; s *= 2, ++stages)
    for (std::int64_t i = 0; i < L; ++i) from[stages][i] = i ^ s, sign[stages][i] = (i & s) != 0 ? T(-1) : T(1);
  std::int64_t i = 0;
  for (; i + 4 * L <= n; i += 4 * L) {  // four vectors, since each waits for its own stage before
    Vec<T> a = get(x + i), b = get(x + i + L), c = get(x + i + 2 * L), d = get(x + i + 3 * L);
    for (int k = 0; k < stages; ++k) {
      const Ints<T> f = from[k];
      const Vec<T> s = sign[k];
      a = __builtin_shuffle(a, f) + s * a, b = __builtin_shuffle(b, f) + s * b;
      c = __builtin_shuffle(c, f) + s * c, d = __builtin_shuffle(d, f) + s * d;
    }
    put(x + i, a), put(x + i + L, b), put(x + i + 2 * L, c), put(x + i + 3 * L, d);
  }
  for (; i + L <= n; i += L) {
    Vec<T> v = get(x + i);
    for (int k = 0; k < stages; ++k) v = __builtin_shuffle(v, from[k]) + sign[k] * v;
    put(x + i, v);
  }
  for (std::int64_t s = first; s < last && i < n; s *= 2)
    for (std::int64_t at = i; at < n; at += 2 * s)
      for (std::int64_t j = at; j < at + s; ++j) {
        const T a = x[j], b = x[j + s];
        x[j] = a + b, x[j + s] = a - b;
      }
}

// Butterflies of R rows, x[r stride + i] for i < columns: stages of strides stride, 2 stride, .., R stride / 2.
template <int S, class V, int R>
static inline void stage(V (&v)[R]) {
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
    if ((r & S) == 0) {
      const V a = v[r], b = v[r + S];
      v[r] = a + b, v[r + S] = a - b;
    }
}
template <class V, int R>
static inline void butterfly(V (&v)[R]) {
  stage<1>(v);
  if constexpr (R > 2) stage<2>(v);
  if constexpr (R > 4) stage<4>(v);
}
template <class T, int R>
static void rows(T* x, std::int64_t stride, std::int64_t columns, T factor) {
  std::int64_t i = 0;
  for (; i + kLanes<T> <= columns; i += kLanes<T>) {
    Vec<T> v[R];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) v[r] = get(x + r * stride + i);
    butterfly(v);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) put(x + r * stride + i, v[r] * factor);
  }
  for (; i < columns; ++i) {
    T v[R];
    for (int r = 0; r < R; ++r) v[r] = x[r * stride + i];
    butterfly(v);
    for (int r = 0; r < R; ++r) x[r * stride + i] = v[r] * factor;
  }
}
template <class T>
static void pass(T* x, std::int64_t stride, std::int64_t columns, int radix, T factor) {
  if (radix == 8) rows<T, 8>(x, stride, columns, factor);
  else if (radix == 4) rows<T, 4>(x, stride, columns, factor);
  else rows<T, 2>(x, stride, columns, factor);
}

template <class T>
static void stages(T* x, std::int64_t n, std::int64_t first, std::int64_t last) {
  if (first < last && first < kLanes<T>) within(x, n, first, last);
  std::int64_t s = first > kLanes<T> ? first : kLanes<T>;
  while (s < last) {
    const int radix = 8 * s <= last ? 8 : 4 * s <= last ? 4 : 2;
    for (std::int64_t at = 0; at < n; at += radix * s) pass(x + at, s, s, radix, T(1));
    s *= radix;
  }
}

// y_i = factor sum_j H_ij x_j down m rows `row` apart, signs[i m + j] = H_ij: lanes are columns side by side, or `step`
// apart where there are few.
template <class T>
static void matrix(T* x, std::int64_t row, std::int64_t columns, std::int64_t step, std::int64_t m, const T* signs,
                   T factor) {
  Vec<T> v[28];
  for (std::int64_t at = 0; at < columns; at += kLanes<T>) {
    const std::int64_t lanes = columns - at < kLanes<T> ? columns - at : kLanes<T>;
    const bool whole = step == 1 && lanes == kLanes<T>;  // else lanes are filled one by one
    T* const first = x + at * step;
    for (std::int64_t j = 0; j < m; ++j) {
      if (whole) v[j] = get(first + j * row);
      else {
        v[j] = Vec<T>{};
        for (std::int64_t i = 0; i < lanes; ++i) v[j][i] = first[j * row + i * step];
      }
    }
    for (std::int64_t k = 0; k < m; ++k) {
      Vec<T> sum = signs[k * m] * v[0];
      for (std::int64_t j = 1; j < m; ++j) sum += signs[k * m + j] * v[j];
      sum *= factor;
      if (whole) put(first + k * row, sum);
      else
        for (std::int64_t i = 0; i < lanes; ++i) first[k * row + i * step] = sum[i];
    }
  }
}

template <class T>
static void scale(T* x, std::int64_t n, T factor) {
  for (std::int64_t i = 0; i < n; ++i) x[i] *= factor;
}

#define EITHER(call)                   \
  if (wide) {                          \
    auto* x = static_cast<double*>(p); \
    call(double);                      \
  } else {                             \
    auto* x = static_cast<float*>(p);  \
    call(float);                       \
  }

// Strides first, 2 first, .., last / 2 of n scalars, a multiple of `last`.
void hadamard_stages(bool wide, void* p, std::int64_t n, std::int64_t first, std::int64_t last) {
#define STAGES(T) stages<T>(x, n, first, last)
  EITHER(STAGES)
}
void hadamard_pass(bool wide, void* p, std::int64_t stride, std::int64_t columns, int radix, double factor) {
#define PASS(T) pass<T>(x, stride, columns, radix, static_cast<T>(factor))
  EITHER(PASS)
}
void hadamard_matrix(bool wide, void* p, std::int64_t row, std::int64_t columns, std::int64_t step, std::int64_t m,
                     const void* signs, double factor) {
#define MATRIX(T) matrix<T>(x, row, columns, step, m, static_cast<const T*>(signs), static_cast<T>(factor))
  EITHER(MATRIX)
}
void hadamard_scale(bool wide, void* p, std::int64_t n, double factor) {
#define SCALE(T) scale<T>(x, n, static_cast<T>(factor))
  EITHER(SCALE)
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
