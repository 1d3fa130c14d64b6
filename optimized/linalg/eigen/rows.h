// Rows of doubles, for the factorisations of this wing. Complex rows have their imaginary parts behind the real ones.
// Declared for each instruction set; see rows.simd.cpp.
#pragma once

#include <cstdint>

#include "optimized/dispatch.h"

namespace plumb {

PLUMB_DECLARE_SIMD(double row_product(const double* x, const double* y, std::int64_t n))
// y += sum of c_t x_t over `terms` rows, at most 4.
PLUMB_DECLARE_SIMD(void row_combine(double* y, std::int64_t n, const double* c, const double* const* x, int terms))
// x, y = c x - s y, s x + c y.
PLUMB_DECLARE_SIMD(void row_rotate(double* x, double* y, double c, double s, std::int64_t n))

}  // namespace plumb
