#include "core/double2.h"

#include <cstdint>

namespace plumb {
namespace {

constexpr Double2 kLn2{0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};

// 1/n! for n = 0 to 25 as quotients, so that each carries the full width.
Double2 taylor_exp(Double2 r) {
  Double2 sum = 1.0, term = 1.0;
  for (int n = 1; n <= 25; ++n) {
    term = term * r / Double2(n);
    sum = sum + term;
    if (std::abs(term.hi) < 0x1p-115) break;
  }
  return sum;
}

Double2 scale(Double2 x, int n) { return {std::ldexp(x.hi, n), std::ldexp(x.lo, n)}; }

}  // namespace

// One Newton step from the binary64 root: s + (x - s^2) / (2 s).
Double2 sqrt(Double2 x) {
  const double s = std::sqrt(x.hi);
  if (x.hi <= 0 || !std::isfinite(s)) return s;
  const Double2 rest = x - detail::two_prod(s, s);
  return detail::quick_two_sum(s, rest.hi / (2 * s));
}

// e^x = 2^k (e^(r/64))^64 with r = x - k ln 2: six squarings of a short series.
Double2 exp(Double2 x) {
  if (!std::isfinite(x.hi)) return std::exp(x.hi);
  if (x.hi > 709.79) return std::exp(x.hi);
  if (x.hi < -745.2) return 0.0;
  const double k = std::nearbyint(x.hi / kLn2.hi);
  const Double2 r = x - kLn2 * Double2(k);
  Double2 y = taylor_exp(scale(r, -6));
  for (int i = 0; i < 6; ++i) y = y * y;
  return scale(y, static_cast<int>(k));
}

// y <- y + x e^-y - 1, from the binary64 logarithm.
Double2 log(Double2 x) {
  const double y = std::log(x.hi);
  if (!std::isfinite(y)) return y;
  return Double2(y) + (x * exp(Double2(-y)) - Double2(1.0));
}

}  // namespace plumb
