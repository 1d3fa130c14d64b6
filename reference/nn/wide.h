// The scalar that an oracle of this wing computes in: double, and for f64 the widest type of the C library, which has
// roots, exponentials and sines where a pair of doubles has none, and room for the squares of every double.
#pragma once

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "core/op.h"

namespace plumb::reference {

// f(R{}) for the scalar R that judges results of that type.
template <class F>
auto in_wide(Dtype out, F&& f) {
  return out == Dtype::f64 ? f(static_cast<long double>(0)) : f(0.0);
}

// 2^-p of the p bits that an oracle has.
inline double own_roundoff(Dtype out) {
  const int bits = out == Dtype::f64 ? std::numeric_limits<long double>::digits : std::numeric_limits<double>::digits;
  return std::ldexp(1.0, -bits);
}

// The elements in row-major order, rounded to the dtype first if they have another one.
template <class R>
std::vector<R> values(const Tensor& t, Dtype as) {
  const Wide w = widen_as(t, as);
  if (const auto* pairs = std::get_if<Reals2>(&w)) {
    std::vector<R> v;
    for (const Double2& p : pairs->data) v.push_back(static_cast<R>(p.hi) + static_cast<R>(p.lo));
    return v;
  }
  const Reals& r = reals(w);
  return std::vector<R>(r.data.begin(), r.data.end());
}

// The elements exactly, real or whole.
inline std::vector<long double> exact_values(const Tensor& t) {
  std::vector<long double> all;
  std::visit(
      [&]<class T>(const Array<T>& a) {
        for (const T& v : a.data) {
          if constexpr (std::is_arithmetic_v<T>) all.push_back(static_cast<long double>(v));
          else if constexpr (std::is_same_v<T, Double2>) all.push_back(static_cast<long double>(v.hi));
        }
      },
      widen(t));
  return all;
}

inline Wide wide_of(Shape shape, std::vector<double> v) {
  Reals r(std::move(shape));
  r.data = std::move(v);
  return r;
}
inline Wide wide_of(Shape shape, const std::vector<long double>& v) {
  Reals2 r(std::move(shape));
  for (std::size_t i = 0; i < v.size(); ++i) {
    const auto high = static_cast<double>(v[i]);
    const long double low = v[i] - static_cast<long double>(high);
    r.data[i] = {high, low == low && high - high == 0 ? static_cast<double>(low) : 0};
  }
  return r;
}

// An element of what an oracle gave, as a double.
inline double value_at(const Wide& w, std::int64_t i) {
  if (const auto* pairs = std::get_if<Reals2>(&w)) return (*pairs)[i].hi;
  return reals(w)[i];
}

}  // namespace plumb::reference
