// The compiled kernels of linalg.simd.cpp: products that are too small or too thin to pack.
#pragma once

#include <cstdint>

#include "optimized/dispatch.h"

namespace plumb {

// c = a b for adjacent columns of b and k > 0, without packing.
// y = sum_p x_p b_p for rows b_p of adjacent elements, `width` of them at a time; y_i = a_i x for rows a_i of adjacent
// elements.
// NOLINTBEGIN(bugprone-macro-parentheses): a type
#define PLUMB_LINALG_THIN(suffix, T)                                                                                \
  PLUMB_DECLARE_SIMD(void linalg_direct_##suffix(std::int64_t m, std::int64_t n, std::int64_t k, const T* a,        \
                                                 std::int64_t a_row, std::int64_t a_column, const T* b,             \
                                                 std::int64_t b_row, T* c))                                         \
  PLUMB_DECLARE_SIMD(void linalg_sum_rows_##suffix(std::int64_t n, std::int64_t k, const T* x, std::int64_t x_step, \
                                                   const T* b, std::int64_t b_row, std::int64_t width, T* y))       \
  PLUMB_DECLARE_SIMD(                                                                                               \
      void linalg_dot_rows_##suffix(std::int64_t m, std::int64_t k, const T* a, std::int64_t a_row, const T* x, T* y))
PLUMB_LINALG_THIN(f32, float)
PLUMB_LINALG_THIN(f64, double)
// NOLINTEND(bugprone-macro-parentheses)
#undef PLUMB_LINALG_THIN
PLUMB_DECLARE_SIMD(int linalg_dot_lanes(bool f64))

}  // namespace plumb
