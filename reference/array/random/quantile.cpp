#include "reference/array/random/quantile.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace plumb::reference {
namespace {

const long double kPi = std::acos(-1.0L);

}  // namespace

// Q(z) = erfc(z / sqrt 2) / 2; far out e^(-z^2/2) / (z sqrt(2 pi)) (1 - 1/z^2 + 3/z^4 - 15/z^6 + 105/z^8 - ..)
long double log_tail(long double z) {
  if (std::isinf(z)) return -std::numeric_limits<long double>::infinity();
  if (z < 100) return std::log(std::erfc(z / std::sqrt(2.0L)) / 2);
  const long double x = 1 / (z * z);
  return -z * z / 2 - std::log(z * std::sqrt(2 * kPi)) + std::log1p(x * (-1 + x * (3 + x * (-15 + x * 105))));
}

// By Newton's method: log Q is concave, and Q(z) <= e^(-z^2/2) / 2, so that it comes down from the right.
long double tail_quantile(long double t) {
  long double z = std::sqrt(std::max(0.0L, -2 * (t + std::log(2.0L))));
  for (int i = 0; i < 100; ++i) {
    const long double h = log_tail(z), slope = -std::exp(-z * z / 2 - h) / std::sqrt(2 * kPi);
    const long double step = (h - t) / slope;
    z = std::max(0.0L, z - step);
    if (!(std::abs(step) > 1e-18L * z)) break;
  }
  return z;
}

long double erf_quantile(long double x) {
  if (std::abs(x) > 0.5L) return std::copysign(tail_quantile(std::log((1 - std::abs(x)) / 2)) / std::sqrt(2.0L), x);
  long double y = x;
  for (int i = 0; i < 100; ++i) {
    const long double step = (std::erf(y) - x) / (2 / std::sqrt(kPi) * std::exp(-y * y));
    y -= step;
    if (!(std::abs(step) > 1e-18L * std::abs(y))) break;
  }
  return y;
}

}  // namespace plumb::reference
