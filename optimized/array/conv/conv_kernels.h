// The compiled kernels of dense_conv.simd.cpp, per instruction set. T is float or double: what sums are made in.
#pragma once

#include <cstdint>

#include "optimized/dispatch.h"
#include "optimized/element.h"

namespace plumb {

// Sums of one sliver of output channels for a list of output pixels.
//
//   out[places[p] + f] = sum over taps t, over channels c < in, of at[t * step + p][shift + c] w[t][c][f]
//
// in the order of t and c, one chain for each sum. A tap that a pixel does not meet points at `zero`.
template <class T>
struct ConvTile {
  const T* const* at = nullptr;
  std::int64_t step = 0, pixels = 0;  // at has room for a whole number of tiles, filled up with `zero`
  std::int64_t taps = 0, in = 0, shift = 0;
  const T* zero = nullptr;
  const T* weight = nullptr;  // taps x in x the columns of a sliver
  std::int64_t columns = 0;   // of them wanted
  bool finite = true;         // else `zero` is skipped, not multiplied
  const std::int64_t* places = nullptr;
  void* out = nullptr;
  Element type = Element::f32;
};

// One channel in, one out: out[places[p] + g] = sum over t of at[t * step + p][g] w[t][g], g < groups.
template <class T>
struct DepthwiseTile {
  const T* const* at = nullptr;
  std::int64_t step = 0, pixels = 0, taps = 0, groups = 0;
  const T* zero = nullptr;
  const T* weight = nullptr;  // taps x groups
  const std::int64_t* places = nullptr;
  void* out = nullptr;
  Element type = Element::f32;
};

// sums[c * ld + f] += sum over pairs p of x[p][c] g[p][f], c < rows, f < columns, a whole number of vectors; the pairs'
// sum is one chain that begins at 0.
template <class T>
struct PairSums {
  const T *const *x = nullptr, *const *g = nullptr;
  std::int64_t pairs = 0, rows = 0, columns = 0, ld = 0;
  T* sums = nullptr;
};

// sums[c] += sum over pairs p of x[p][c] g[p][c], c < rows.
template <class T>
struct PairProducts {
  const T *const *x = nullptr, *const *g = nullptr;
  std::int64_t pairs = 0, rows = 0;
  T* sums = nullptr;
};

// out[j] = sum over k < taps of x[j + k] v[k], j < n, one chain for each. x goes on for a register behind its last
// element.
template <class T>
struct SlidingSum {
  const T *x = nullptr, *v = nullptr;
  std::int64_t taps = 0, n = 0;
  T* out = nullptr;
};

PLUMB_DECLARE_SIMD(void conv_extents(int* rows, int* columns_f32, int* columns_f64, int* lanes_f32, int* lanes_f64))
// NOLINTBEGIN(bugprone-macro-parentheses): a type
#define PLUMB_CONV_KERNELS(suffix, T)                                          \
  PLUMB_DECLARE_SIMD(void conv_tiles_##suffix(const ConvTile<T>&))             \
  PLUMB_DECLARE_SIMD(void conv_depthwise_##suffix(const DepthwiseTile<T>&))    \
  PLUMB_DECLARE_SIMD(void conv_pair_sums_##suffix(const PairSums<T>&))         \
  PLUMB_DECLARE_SIMD(void conv_pair_products_##suffix(const PairProducts<T>&)) \
  PLUMB_DECLARE_SIMD(void conv_slide_##suffix(const SlidingSum<T>&))
PLUMB_CONV_KERNELS(f32, float)
PLUMB_CONV_KERNELS(f64, double)
// NOLINTEND(bugprone-macro-parentheses)
#undef PLUMB_CONV_KERNELS

}  // namespace plumb
