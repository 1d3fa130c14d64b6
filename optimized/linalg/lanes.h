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
#elif defined(__AVX2__)
static inline void transpose(f32v (&x)[kF32]) {
  __m256 p[8], q[8];
  for (int r = 0; r < 8; r += 2) {  // pairs of rows, then of pairs, within halves of a vector
    p[r] = _mm256_unpacklo_ps((__m256)x[r], (__m256)x[r + 1]);
    p[r + 1] = _mm256_unpackhi_ps((__m256)x[r], (__m256)x[r + 1]);
  }
  for (int r = 0; r < 8; r += 4) {
    q[r] = _mm256_shuffle_ps(p[r], p[r + 2], 0x44);
    q[r + 1] = _mm256_shuffle_ps(p[r], p[r + 2], 0xEE);
    q[r + 2] = _mm256_shuffle_ps(p[r + 1], p[r + 3], 0x44);
    q[r + 3] = _mm256_shuffle_ps(p[r + 1], p[r + 3], 0xEE);
  }
  for (int r = 0; r < 4; ++r) {
    x[r] = (f32v)_mm256_permute2f128_ps(q[r], q[r + 4], 0x20);
    x[r + 4] = (f32v)_mm256_permute2f128_ps(q[r], q[r + 4], 0x31);
  }
}
static inline void transpose(f64v (&x)[kF64]) {
  const __m256d a = _mm256_unpacklo_pd((__m256d)x[0], (__m256d)x[1]);
  const __m256d b = _mm256_unpackhi_pd((__m256d)x[0], (__m256d)x[1]);
  const __m256d c = _mm256_unpacklo_pd((__m256d)x[2], (__m256d)x[3]);
  const __m256d d = _mm256_unpackhi_pd((__m256d)x[2], (__m256d)x[3]);
  x[0] = (f64v)_mm256_permute2f128_pd(a, c, 0x20);
  x[1] = (f64v)_mm256_permute2f128_pd(b, d, 0x20);
  x[2] = (f64v)_mm256_permute2f128_pd(a, c, 0x31);
  x[3] = (f64v)_mm256_permute2f128_pd(b, d, 0x31);
}
static inline f32v load_some(const float* p, int n) {
  const i32v lane = {0, 1, 2, 3, 4, 5, 6, 7};
  return (f32v)_mm256_maskload_ps(p, (__m256i)(lane < n));
}
static inline f64v load_some(const double* p, int n) {
  const i64v lane = {0, 1, 2, 3};
  return (f64v)_mm256_maskload_pd(p, (__m256i)(lane < n));
}
template <class T, class V>
static inline void store_some(T* p, V x, int n) {
  for (int l = 0; l < n; ++l) p[l] = x[l];
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
