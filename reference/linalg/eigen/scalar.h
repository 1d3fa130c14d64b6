// Scalars of the oracles and judges of eigenvalues: real numbers T of binary64 or of pairs of them, complex ones of
// either, which C++ has of binary64 alone.
#pragma once

#include <cmath>

#include "core/double2.h"
#include "core/tensor.h"

namespace plumb::reference {

// re + im i over any T.
template <class T>
struct Number {
  T re = T(0), im = T(0);
  Number() = default;
  Number(T real, T imaginary = T(0)) : re(real), im(imaginary) {}  // NOLINT: a real number is a complex one
};
template <class T>
Number<T> operator+(Number<T> a, Number<T> b) {
  return {a.re + b.re, a.im + b.im};
}
template <class T>
Number<T> operator-(Number<T> a, Number<T> b) {
  return {a.re - b.re, a.im - b.im};
}
template <class T>
Number<T> operator*(Number<T> a, Number<T> b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
template <class T>
Number<T> times(T s, Number<T> a) {
  return {s * a.re, s * a.im};
}
template <class T>
Number<T> conjugate(Number<T> a) {
  return {a.re, -a.im};
}

inline double leading(double x) { return x; }
inline double leading(Double2 x) { return x.hi; }
inline double magnitude(double x) { return std::abs(x); }
inline Double2 magnitude(Double2 x) { return abs(x); }
inline double power_of_two(double x, int e) { return std::scalbn(x, e); }
inline Double2 power_of_two(Double2 x, int e) { return {std::scalbn(x.hi, e), std::scalbn(x.lo, e)}; }

// sqrt(a^2 + b^2), neither square out of range.
template <class T>
T hypotenuse(T a, T b) {
  using std::sqrt;
  const T x = magnitude(a), y = magnitude(b), m = x < y ? y : x;
  if (m == T(0) || !std::isfinite(leading(m))) return m;
  return m * sqrt(x / m * (x / m) + y / m * (y / m));
}
template <class T>
T modulus(Number<T> a) {
  return hypotenuse(a.re, a.im);
}
template <class T>
bool finite(Number<T> a) {
  return std::isfinite(leading(a.re)) && std::isfinite(leading(a.im));
}
// a / b by the conjugate of b, scaled.
template <class T>
Number<T> operator/(Number<T> a, Number<T> b) {
  const T m = modulus(b);
  const Number<T> unit{b.re / m, b.im / m}, q = a * conjugate(unit);
  return {q.re / m, q.im / m};
}

// A square matrix in row-major order.
template <class T>
struct NumberMatrix {
  std::int64_t n = 0;
  std::vector<Number<T>> x;
  explicit NumberMatrix(std::int64_t size) : n(size), x(static_cast<std::size_t>(size * size)) {}
  Number<T>& operator()(std::int64_t i, std::int64_t j) { return x[static_cast<std::size_t>(i * n + j)]; }
  const Number<T>& operator()(std::int64_t i, std::int64_t j) const { return x[static_cast<std::size_t>(i * n + j)]; }
};

// Element i of an array as a complex number over the T that is as wide.
inline Number<double> number(const Reals& a, std::int64_t i) { return a[i]; }
inline Number<Double2> number(const Reals2& a, std::int64_t i) { return a[i]; }
inline Number<double> number(const Complexes& a, std::int64_t i) { return {a[i].real(), a[i].imag()}; }

template <class A>
auto square_of(const A& a, std::int64_t m) {
  const std::int64_t n = a.shape.back();
  NumberMatrix<decltype(number(a, 0).re)> s(n);
  for (std::int64_t i = 0; i < n * n; ++i) s.x[static_cast<std::size_t>(i)] = number(a, m * n * n + i);
  return s;
}

// The exponent of the largest part, 0 of zero; whether all parts are finite is asked before.
template <class T>
int exponent(const NumberMatrix<T>& a) {
  double largest = 0;
  for (const Number<T>& v : a.x) {
    largest = std::max(largest, std::abs(leading(v.re)));
    largest = std::max(largest, std::abs(leading(v.im)));
  }
  return largest > 0 ? std::ilogb(largest) : 0;
}
template <class T>
void scale(NumberMatrix<T>& a, int e) {
  for (Number<T>& v : a.x) v = {power_of_two(v.re, e), power_of_two(v.im, e)};
}
template <class T>
bool finite(const NumberMatrix<T>& a) {
  for (const Number<T>& v : a.x)
    if (!finite(v)) return false;
  return true;
}

// f(array) for the array of an input of a floating or complex dtype.
template <class F>
auto with_numbers(const Wide& w, F&& f) {
  if (const auto* x = std::get_if<Reals2>(&w)) return f(*x);
  if (const auto* z = std::get_if<Complexes>(&w)) return f(*z);
  return f(std::get<Reals>(w));
}

}  // namespace plumb::reference
