// Double-double arithmetic: an unevaluated sum hi + lo with |lo| <= ulp(hi)/2, about 106 bits.
// The scalar of the oracles that judge f64, so that the judge is wider than the judged.
// Algorithms: Dekker 1971, Knuth TAOCP 4.2.2 (two_sum), Joldes, Muller & Popescu 2017 (error bounds).
#pragma once

#include <cmath>
#include <limits>

namespace plumb {

struct Double2 {
  double hi = 0, lo = 0;
  constexpr Double2() = default;
  constexpr Double2(double h) : hi(h) {}  // NOLINT: every double is a Double2
  constexpr Double2(double h, double l) : hi(h), lo(l) {}
  explicit operator double() const { return hi; }
  explicit operator float() const;  // one rounding, see to_float
};

// Relative error of one operation below: at most 2^-102 (the loosest of the four, Joldes et al. 2017).
inline constexpr double kDouble2Roundoff = 0x1p-102;

namespace detail {
inline Double2 quick_two_sum(double a, double b) {
  const double s = a + b;
  return {s, std::isfinite(s) ? b - (s - a) : 0.0};
}
// The larger one first: no difference leaves the range of the sum.
inline Double2 two_sum(double a, double b) {
  return std::abs(a) < std::abs(b) ? quick_two_sum(b, a) : quick_two_sum(a, b);
}
inline Double2 two_prod(double a, double b) {
  const double p = a * b;
  return {p, std::isfinite(p) ? std::fma(a, b, -p) : 0.0};
}
}  // namespace detail

inline Double2 operator-(Double2 a) { return {-a.hi, -a.lo}; }

inline Double2 operator+(Double2 a, Double2 b) {
  Double2 s = detail::two_sum(a.hi, b.hi);
  if (!std::isfinite(s.hi)) return s;
  const Double2 t = detail::two_sum(a.lo, b.lo);
  s = detail::quick_two_sum(s.hi, s.lo + t.hi);
  return detail::quick_two_sum(s.hi, s.lo + t.lo);
}
inline Double2 operator-(Double2 a, Double2 b) { return a + -b; }

inline Double2 operator*(Double2 a, Double2 b) {
  const Double2 p = detail::two_prod(a.hi, b.hi);
  if (!std::isfinite(p.hi)) return p;
  return detail::quick_two_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

inline Double2 operator/(Double2 a, Double2 b) {
  const double q1 = a.hi / b.hi;
  if (!std::isfinite(q1) || std::isinf(b.hi)) return q1;
  const Double2 r = a - b * Double2(q1);
  const double q2 = r.hi / b.hi;
  const Double2 r2 = r - b * Double2(q2);
  return detail::quick_two_sum(q1, q2) + Double2(r2.hi / b.hi);
}

inline Double2& operator+=(Double2& a, Double2 b) { return a = a + b; }
inline Double2& operator-=(Double2& a, Double2 b) { return a = a - b; }
inline Double2& operator*=(Double2& a, Double2 b) { return a = a * b; }
inline Double2& operator/=(Double2& a, Double2 b) { return a = a / b; }

inline bool operator==(Double2 a, Double2 b) { return a.hi == b.hi && a.lo == b.lo; }
inline bool operator<(Double2 a, Double2 b) { return a.hi < b.hi || (a.hi == b.hi && a.lo < b.lo); }
inline bool operator>(Double2 a, Double2 b) { return b < a; }
inline bool operator<=(Double2 a, Double2 b) { return a < b || a == b; }
inline bool operator>=(Double2 a, Double2 b) { return b <= a; }

inline bool isnan(Double2 a) { return std::isnan(a.hi); }
inline bool isinf(Double2 a) { return std::isinf(a.hi); }
inline bool isfinite(Double2 a) { return std::isfinite(a.hi); }
inline bool signbit(Double2 a) { return std::signbit(a.hi); }
inline Double2 abs(Double2 a) { return std::signbit(a.hi) ? -a : a; }
Double2 sqrt(Double2);
Double2 exp(Double2);  // relative error at most 2^-98
Double2 log(Double2);  // one Newton step on exp

}  // namespace plumb
