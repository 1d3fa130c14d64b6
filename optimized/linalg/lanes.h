// One matrix in each lane of a vector, or rows of one: squares of vectors whose rows and columns change places, and
// ends of runs that fill no vector. For .simd.cpp files.
#pragma once

#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

template <class T>
struct LaneTypes;
template <>
struct LaneTypes<float> {
  typedef f32v V;
  typedef i32v I;
  static constexpr int kWidth = kF32;
};
template <>
struct LaneTypes<double> {
  typedef f64v V;
  typedef i64v I;
  static constexpr int kWidth = kF64;
};

// Rows and columns of a square of vectors change places, in kWidth log2 kWidth shuffles.
#if defined(__AVX512F__)
template <class T, int kStep>
static inline void transpose_step(typename LaneTypes<T>::V (&x)[LaneTypes<T>::kWidth]) {
  constexpr int kWidth = LaneTypes<T>::kWidth;
  typename LaneTypes<T>::I low, high;
  for (int l = 0; l < kWidth; ++l) {
    low[l] = (l & kStep) != 0 ? kWidth + l - kStep : l;
    high[l] = (l & kStep) != 0 ? kWidth + l : l + kStep;
  }
#pragma GCC unroll 16
  for (int r = 0; r < kWidth; ++r) {
    if ((r & kStep) != 0) continue;
    const auto a = x[r], b = x[r + kStep];
    x[r] = __builtin_shuffle(a, b, low);
    x[r + kStep] = __builtin_shuffle(a, b, high);
  }
}
static inline void transpose(f32v (&x)[kF32]) {
  transpose_step<float, 1>(x);
  transpose_step<float, 2>(x);
  transpose_step<float, 4>(x);
  transpose_step<float, 8>(x);
}
static inline void transpose(f64v (&x)[kF64]) {
  transpose_step<double, 1>(x);
  transpose_step<double, 2>(x);
  transpose_step<double, 4>(x);
}
static inline f32v load_some(const float* p, int n) {
  return (f32v)_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p);
}
static inline f64v load_some(const double* p, int n) {
  return (f64v)_mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << n) - 1), p);
}
static inline void store_some(float* p, f32v x, int n) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), (__m512)x);
}
static inline void store_some(double* p, f64v x, int n) {
  _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << n) - 1), (__m512d)x);
}
#else
template <class V, int kWidth>
static inline void transpose(V (&x)[kWidth]) {
  for (int r = 0; r < kWidth; ++r) {
    for (int l = 0; l < r; ++l) {
      const auto swap = x[r][l];
      x[r][l] = x[l][r];
      x[l][r] = swap;
    }
  }
}
static inline f32v load_some(const float* p, int n) {
  f32v x{};
  for (int l = 0; l < n; ++l) x[l] = p[l];
  return x;
}
static inline f64v load_some(const double* p, int n) {
  f64v x{};
  for (int l = 0; l < n; ++l) x[l] = p[l];
  return x;
}
template <class T, class V>
static inline void store_some(T* p, V x, int n) {
  for (int l = 0; l < n; ++l) p[l] = x[l];
}
#endif

// Dense matrices of so many elements, `count` <= kWidth of them, to one vector for each element; lanes to spare repeat
// the first matrix.
template <class T>
static inline void pack_lanes(const T* const* from, std::int64_t count, std::int64_t elements,
                              typename LaneTypes<T>::V* to) {
  constexpr int kWidth = LaneTypes<T>::kWidth;
  alignas(64) typename LaneTypes<T>::V x[kWidth];
  for (std::int64_t e = 0; e < elements; e += kWidth) {
    const int here = static_cast<int>(elements - e < kWidth ? elements - e : kWidth);
    for (int m = 0; m < kWidth; ++m) {
      const T* p = from[m < count ? m : 0] + e;
      x[m] = here == kWidth ? load(p) : load_some(p, here);
    }
    transpose(x);
    for (int k = 0; k < here; ++k) to[e + k] = x[k];
  }
}

template <class T>
static inline void unpack_lanes(const typename LaneTypes<T>::V* from, std::int64_t count, std::int64_t elements,
                                T* const* to) {
  constexpr int kWidth = LaneTypes<T>::kWidth;
  alignas(64) typename LaneTypes<T>::V x[kWidth];
  for (std::int64_t e = 0; e < elements; e += kWidth) {
    const int here = static_cast<int>(elements - e < kWidth ? elements - e : kWidth);
    for (int k = 0; k < kWidth; ++k) x[k] = from[e + (k < here ? k : 0)];
    transpose(x);
    for (int m = 0; m < count; ++m) {
      if (here == kWidth) store(to[m] + e, x[m]);
      else store_some(to[m] + e, x[m], here);
    }
  }
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
