// The order in which values are sorted, for oracles.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "core/op.h"
#include "reference/index.h"

namespace plumb::reference {

inline bool unordered(std::uint64_t) { return false; }
inline bool unordered(std::int64_t) { return false; }
inline bool unordered(double x) { return std::isnan(x); }
inline bool unordered(Double2 x) { return isnan(x); }
inline bool unordered(Complex x) { return std::isnan(x.real()) || std::isnan(x.imag()); }

template <class T>
bool below(T a, T b) {
  return a < b;
}
inline bool below(Complex a, Complex b) { return a.real() < b.real() || (a.real() == b.real() && a.imag() < b.imag()); }

// a before b: NaN after everything and equal to NaN; -0 equal to +0.
template <class T>
bool before(T a, T b) {
  if (unordered(a)) return false;
  return unordered(b) || below(a, b);
}

// All of a tensor is one line without an axis.
inline Lines lines_along(const Request& r, const Shape& shape) {
  return r.none("axis") ? Lines({count(shape)}, 0) : Lines(shape, r.axis());
}

// The shape of a result that has a place for each element. Throws Error(unsupported) for a line that 32 bits do not
// number.
inline Shape ordered_shape(const Request& r) {
  const std::int64_t n = lines_along(r, r.shape(0)).size;
  if (n > std::numeric_limits<std::uint32_t>::max())
    r.fail(Reason::unsupported, "a line of " + std::to_string(n) + " elements passes 32-bit indices");
  return r.none("axis") ? Shape{n} : r.shape(0);
}

// p with x(p_0) <= x(p_1) <= ..., and p_i < p_(i+1) where the two are equal.
template <class T>
std::vector<std::uint64_t> stable_order(const Line<const T>& line, std::int64_t n) {
  const auto x = [&](std::uint64_t i) { return line(static_cast<std::int64_t>(i)); };
  std::vector<std::uint64_t> p(static_cast<std::size_t>(n));
  std::iota(p.begin(), p.end(), std::uint64_t{0});
  std::stable_sort(p.begin(), p.end(), [&](std::uint64_t a, std::uint64_t b) { return before(x(a), x(b)); });
  return p;
}

}  // namespace plumb::reference
