// Numbers that the oracles of orthogonal factorisations compute with: binary64, pairs of them, complex ones. What the
// equations need of each beside arithmetic.
#pragma once

#include <cmath>
#include <complex>

#include "core/tensor.h"

namespace plumb::reference {

inline double conjugate(double x) { return x; }
inline Double2 conjugate(Double2 x) { return x; }
inline Complex conjugate(const Complex& x) { return std::conj(x); }

inline double real(double x) { return x; }
inline Double2 real(Double2 x) { return x; }
inline double real(const Complex& x) { return x.real(); }

inline double modulus(double x) { return std::abs(x); }
inline Double2 modulus(Double2 x) { return abs(x); }
inline double modulus(const Complex& x) { return std::hypot(x.real(), x.imag()); }

// x conj(y), without the search for lost infinities of a complex product.
inline double product(double x, double y) { return x * y; }
inline Double2 product(Double2 x, Double2 y) { return x * y; }
inline Complex product(const Complex& x, const Complex& y) {
  return {x.real() * y.real() + x.imag() * y.imag(), x.imag() * y.real() - x.real() * y.imag()};
}

inline bool finite(double x) { return std::isfinite(x); }
inline bool finite(Double2 x) { return isfinite(x); }
inline bool finite(const Complex& x) { return std::isfinite(x.real()) && std::isfinite(x.imag()); }

template <class T>
using RealOf = decltype(real(T()));

// The largest magnitude, in binary64: nothing that it is used for needs more.
inline double magnitude(double x) { return std::abs(x); }
inline double magnitude(Double2 x) { return std::abs(x.hi); }
inline double magnitude(const Complex& x) { return std::max(std::abs(x.real()), std::abs(x.imag())); }

inline double times_power(double x, int e) { return std::ldexp(x, e); }
inline Double2 times_power(Double2 x, int e) { return {std::ldexp(x.hi, e), std::ldexp(x.lo, e)}; }
inline Complex times_power(const Complex& x, int e) { return {std::ldexp(x.real(), e), std::ldexp(x.imag(), e)}; }

// A dense matrix, x(i, j).
template <class T>
struct Dense {
  std::int64_t rows, columns;
  std::vector<T> data;
  Dense(std::int64_t m, std::int64_t n) : rows(m), columns(n), data(static_cast<std::size_t>(m * n), T(0.0)) {}
  T& operator()(std::int64_t i, std::int64_t j) { return data[static_cast<std::size_t>(i * columns + j)]; }
  const T& operator()(std::int64_t i, std::int64_t j) const { return data[static_cast<std::size_t>(i * columns + j)]; }
};

// The matrices in the last two axes.
inline std::int64_t matrices(const Shape& s) { return count(Shape(s.begin(), s.end() - 2)); }

template <class T>
Dense<T> matrix(const Array<T>& a, std::int64_t index) {
  const std::size_t r = a.shape.size();
  Dense<T> x(a.shape[r - 2], a.shape[r - 1]);
  for (std::size_t i = 0; i < x.data.size(); ++i)
    x.data[i] = a.data[static_cast<std::size_t>(index) * x.data.size() + i];
  return x;
}

template <class T>
void put(Array<T>& a, std::int64_t index, const std::vector<T>& x) {
  for (std::size_t i = 0; i < x.size(); ++i) a.data[static_cast<std::size_t>(index) * x.size() + i] = x[i];
}

template <class T>
bool all_finite(const Dense<T>& x) {
  for (const T& e : x.data)
    if (!finite(e)) return false;
  return true;
}

// The exponent by which everything is scaled, so that no square leaves the range: max |x| 2^-e lies in [1/2, 1).
template <class T>
int exponent(const std::vector<T>& x) {
  double most = 0;
  int e = 0;
  for (const T& v : x) most = std::max(most, magnitude(v));
  std::frexp(most, &e);
  return e;
}

}  // namespace plumb::reference
