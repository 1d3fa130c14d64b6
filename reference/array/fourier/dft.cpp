#include "reference/array/fourier/dft.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <vector>

#include "reference/index.h"

namespace plumb::reference {
namespace {

// e^(2 pi i r / n) for r = 0 .. n-1. The angle is folded into [0, pi/4], where sine and cosine of the rounded argument
// are accurate, so that roots a quarter, a half and an eighth apart are exact images.
std::vector<Complex> roots(std::int64_t n) {
  std::vector<Complex> w(static_cast<std::size_t>(n));
  for (std::int64_t r = 0; r < n; ++r) {
    const std::int64_t octant = 8 * r / n;           // of eight
    const std::int64_t quarters = (octant + 1) / 2;  // the nearest multiple of a quarter turn
    const std::int64_t rest = 4 * r - quarters * n;  // what is left of the angle, times 4/n of a turn, at most n/2
    const double a = std::numbers::pi * static_cast<double>(std::abs(rest)) / (2.0 * static_cast<double>(n));
    const Complex v(std::cos(a), rest < 0 ? -std::sin(a) : std::sin(a));
    const Complex turned[] = {v, {-v.imag(), v.real()}, {-v.real(), -v.imag()}, {v.imag(), -v.real()}};
    w[static_cast<std::size_t>(r)] = turned[quarters % 4];
  }
  return w;
}

// y_k = scale * sum over j < n of x_j e^(sign 2 pi i j k / n), for k < y.size(); w are the roots of n. Zero terms add
// nothing and are passed over, so that an impulse of any length can be judged.
void transform(const std::vector<Complex>& x, std::vector<Complex>& y, const std::vector<Complex>& w, int sign,
               double scale) {
  const std::size_t n = w.size();
  std::vector<double> re(y.size(), 0.0), im(y.size(), 0.0);
  for (std::size_t j = 0; j < n; ++j) {
    if (x[j] == Complex(0, 0)) continue;
    const double a = x[j].real(), b = x[j].imag();
    std::size_t r = 0;  // j k mod n
    for (std::size_t k = 0; k < y.size(); ++k) {
      const double c = w[r].real(), s = sign * w[r].imag();
      re[k] += a * c - b * s;
      im[k] += a * s + b * c;
      r += j;
      if (r >= n) r -= n;
    }
  }
  for (std::size_t k = 0; k < y.size(); ++k) y[k] = {re[k] * scale, im[k] * scale};
}

// The n terms of one line x of so many entries: the first of them, then zeros. For a real inverse the missing half is
// the conjugate of the given one, and bins 0 and n/2 count by their real parts.
std::vector<Complex> terms(Line<const Complex> x, std::int64_t size, std::int64_t n, Form form) {
  std::vector<Complex> t(static_cast<std::size_t>(n));
  const std::int64_t used = std::min(size, form == Form::real_inverse ? n / 2 + 1 : n);
  for (std::int64_t j = 0; j < used; ++j) {
    const Complex v = x(j);
    const bool own_image = form == Form::real_inverse && 2 * j % n == 0;
    t[static_cast<std::size_t>(j)] = form == Form::real_forward || own_image ? Complex(v.real(), 0) : v;
    if (form == Form::real_inverse && !own_image) t[static_cast<std::size_t>(n - j)] = std::conj(v);
  }
  return t;
}

}  // namespace

double scale_of(Form form, const std::string& norm, double n) {
  const bool inverse = form == Form::inverse || form == Form::real_inverse;
  if (norm == "ortho") return 1.0 / std::sqrt(n);
  return (norm == "forward") != inverse ? 1.0 / n : 1.0;
}

std::int64_t length_out(std::int64_t n, Form form) { return form == Form::real_forward ? n / 2 + 1 : n; }

// X_k = s sum_j x_j e^(-+ 2 pi i j k / n)
Complexes along(const Complexes& x, std::int64_t axis, std::int64_t n, Form form, double scale) {
  const auto d = static_cast<std::size_t>(axis);
  const std::int64_t size = x.shape[d], m = length_out(n, form);
  const int sign = form == Form::forward || form == Form::real_forward ? -1 : 1;
  Shape shape = x.shape;
  shape[d] = m;
  Complexes y(shape);
  const Lines in(x.shape, axis), out(shape, axis);
  const std::vector<Complex> w = roots(n);
  std::vector<Complex> line(static_cast<std::size_t>(m));
  for (std::int64_t l = 0; l < out.count; ++l) {
    transform(terms(in.line(x, l), size, n, form), line, w, sign, scale);
    const auto X = out.line(y, l);
    for (std::int64_t k = 0; k < m; ++k) X(k) = line[static_cast<std::size_t>(k)];
  }
  return y;
}

}  // namespace plumb::reference
