// One-sided Jacobi rotations in double: columns are turned against each other until all are orthogonal.
#include "optimized/linalg/norms/singular.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "optimized/dispatch.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void column_products(const double* x, const double* y, std::int64_t rows, int parts, double* out))
PLUMB_DECLARE_SIMD(void turn_columns(double* x, double* y, std::int64_t rows, int parts, const double* by))

namespace norms {
namespace {

constexpr int kSweeps = 40;  // convergence is quadratic: a dozen are many
constexpr double kOrthogonal = 0x1p-50, kNothing = 0x1p-200;

// Whether the two columns had to be turned.
bool turn(double* x, double* y, std::int64_t rows, int parts) {
  double sums[4];  // x^H x, y^H y, and the parts of x^H y
  PLUMB_DISPATCH(column_products)(x, y, rows, parts, sums);
  const double g = parts == 2 ? std::hypot(sums[2], sums[3]) : std::abs(sums[2]);
  if (g <= kOrthogonal * std::sqrt(sums[0]) * std::sqrt(sums[1]) || g <= kNothing) return false;
  const double z = (sums[1] - sums[0]) / (2 * g), away = std::abs(z) + std::hypot(1.0, z);
  const double t = (z < 0 ? -1 : 1) / away, c = 1 / std::sqrt(1 + t * t);
  const double by[4] = {c, c * t, sums[2] / g, parts == 2 ? sums[3] / g : 0};
  PLUMB_DISPATCH(turn_columns)(x, y, rows, parts, by);
  return true;
}

}  // namespace

bool singular_values(double* x, std::int64_t rows, std::int64_t columns, int parts, double* values) {
  const std::int64_t length = rows * parts;
  double largest = 0;
  for (std::int64_t i = 0; i < length * columns; ++i) largest = std::max(largest, std::abs(x[i]));
  std::fill_n(values, columns, 0.0);
  if (largest == 0) return true;
  const int e = std::ilogb(largest);
  for (std::int64_t i = 0; i < length * columns; ++i) x[i] = std::scalbn(x[i], -e);
  bool turned = true;
  for (int sweep = 0; turned; ++sweep) {
    if (sweep == kSweeps) return false;
    turned = false;
    for (std::int64_t p = 0; p < columns; ++p)
      for (std::int64_t q = p + 1; q < columns; ++q) turned |= turn(x + p * length, x + q * length, rows, parts);
  }
  for (std::int64_t j = 0; j < columns; ++j) {
    double sums[4];
    PLUMB_DISPATCH(column_products)(x + j * length, x + j * length, rows, parts, sums);
    values[j] = std::scalbn(std::sqrt(sums[0]), e);
  }
  std::sort(values, values + columns, std::greater<>());
  return true;
}

}  // namespace norms
}  // namespace plumb
