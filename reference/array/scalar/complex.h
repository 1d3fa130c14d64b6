// Functions of complex numbers for the oracles: those of the C library in its widest type, with the special values of
// C's annex G.
#pragma once

#include <cmath>
#include <complex>
#include <limits>

#include "core/tensor.h"

namespace plumb::reference {

template <auto f>
Complex in_widest(Complex z) {
  const std::complex<long double> y = f(std::complex<long double>(z.real(), z.imag()));
  return {static_cast<double>(y.real()), static_cast<double>(y.imag())};
}

#define PLUMB_COMPLEX(name)                                   \
  inline Complex name(Complex x) {                            \
    return in_widest<[](auto z) { return std::name(z); }>(x); \
  }
PLUMB_COMPLEX(sqrt)
PLUMB_COMPLEX(exp)
PLUMB_COMPLEX(log)
PLUMB_COMPLEX(sin)
PLUMB_COMPLEX(cos)
PLUMB_COMPLEX(tan)
PLUMB_COMPLEX(sinh)
PLUMB_COMPLEX(cosh)
PLUMB_COMPLEX(tanh)
PLUMB_COMPLEX(asin)
PLUMB_COMPLEX(acos)
PLUMB_COMPLEX(atan)
PLUMB_COMPLEX(asinh)
PLUMB_COMPLEX(acosh)
PLUMB_COMPLEX(atanh)
#undef PLUMB_COMPLEX

using std::acos, std::acosh, std::asin, std::asinh, std::atan, std::atanh, std::cos, std::cosh, std::exp, std::log,
    std::log10, std::log1p, std::log2, std::sin, std::sinh, std::sqrt, std::tan, std::tanh;

inline Complex over_constant(Complex z, long double c) {
  return {static_cast<double>(z.real() / c), static_cast<double>(z.imag() / c)};
}
inline Complex log2(Complex z) { return over_constant(log(z), std::log(2.0L)); }
inline Complex log10(Complex z) { return over_constant(log(z), std::log(10.0L)); }

// log (1 + z) = log |1 + z| + i arg(1 + z), |1 + z|^2 = 1 + (x (2 + x) + y^2)
inline Complex log1p(Complex z) {
  const long double x = z.real(), y = z.imag(), t = x * (2 + x) + y * y;
  const long double size = std::isinf(x) || std::isinf(y) ? std::numeric_limits<long double>::infinity()
                           : std::abs(t) < 0.5L           ? std::log1p(t) / 2
                                                          : std::log(std::hypot(1 + x, y));
  return {static_cast<double>(size), static_cast<double>(std::atan2(y, 1 + x))};
}

// z^(-1/2) = conj(z^(1/2)) / |z|; of 0 infinity, of infinities 0
inline Complex rsqrt(Complex z) {
  if (z == 0.0) return std::numeric_limits<double>::infinity();
  if (std::isinf(z.real()) || std::isinf(z.imag())) return 0;
  const auto s = std::sqrt(std::complex<long double>(z.real(), z.imag()));
  const long double size = std::hypot(static_cast<long double>(z.real()), static_cast<long double>(z.imag()));
  return {static_cast<double>(s.real() / size), static_cast<double>(-s.imag() / size)};
}
template <class T>
T rsqrt(T x) {
  return 1 / std::sqrt(x);
}

}  // namespace plumb::reference
