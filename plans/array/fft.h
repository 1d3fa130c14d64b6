// Planning shared by the CPU and the device routes of the transforms: how a length is taken apart, the
// factors that its passes multiply by, and how far rounding can carry the result (docs/bounds-fft.md).
#pragma once

#include <complex>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "core/op.h"
#include "core/order.h"

namespace plumb::fft {

using Complex64 = std::complex<double>;

// What the four ops have in common once their attributes are read.
struct Problem {
  std::int64_t n = 0;                            // transform length
  std::int64_t size = 0;                         // input elements along the axis
  std::int64_t used = 0;                         // of them, those that enter the transform
  std::int64_t out = 0;                          // output elements along the axis
  std::int64_t outer = 0, inner = 0, lines = 0;  // lines = outer * inner, neighbours along inner
  bool inverse = false, real_in = false, real_out = false;
  double scale = 1;
};
Problem problem(const Request&);

Complex64 root(std::int64_t j, std::int64_t n);  // e^(-2 pi i j / n), both parts to the last bit or so

// Factors among 8, 4, 2, 3, 5, 7, 11, 13 whose product is n; empty if n = 1 or a larger prime is left.
std::vector<int> radices(std::int64_t n);
bool smooth(std::int64_t n);  // has no prime factor above 13
// n = n1 n2 as near to square as smooth factors allow, n1 >= n2; n2 = 1 if n is prime.
std::pair<std::int64_t, std::int64_t> halves(std::int64_t n);

// Bluestein: X_k = c_k sum_j (x_j c_j) conj(c_(k-j)), c_j = e^(-pi i j^2 / n), a convolution of length
// m >= 2 n - 1.
struct Chirp {
  std::int64_t n = 0, m = 0;
  std::vector<Complex64> factor;    // c_j, j < n
  std::vector<Complex64> spectrum;  // transform of the wrapped conj(c), divided by m
  double amplification = 1;         // max |spectrum| m / sqrt n
};
std::shared_ptr<const Chirp> chirp(std::int64_t n, bool power_of_two);  // cached
std::int64_t convolution_length(std::int64_t n, bool power_of_two);

double levels(std::int64_t n);  // of a smooth length, in units of one radix-2 level
Order order_of(double levels, double amplification, double twiddle_error);

}  // namespace plumb::fft
