#include "reference/linalg/norms/singular.h"

#include <algorithm>
#include <cmath>

namespace plumb::reference {
namespace {

constexpr int kSweeps = 60;            // convergence is quadratic: a dozen are many
constexpr double kNothing = 0x1p-200;  // of products of columns, elements being at most 1

double conjugate(double x) { return x; }
Double2 conjugate(Double2 x) { return x; }
Complex conjugate(Complex x) { return std::conj(x); }
double real_of(double x) { return x; }
Double2 real_of(Double2 x) { return x; }
double real_of(Complex x) { return x.real(); }
double part(double x) { return x; }
double part(Double2 x) { return x.hi; }
bool finite(double x) { return std::isfinite(x); }
bool finite(Double2 x) { return isfinite(x); }
bool finite(Complex z) { return std::isfinite(z.real()) && std::isfinite(z.imag()); }
double modulus(double x) { return std::abs(x); }
Double2 modulus(Double2 x) { return abs(x); }
double modulus(Complex x) { return std::hypot(x.real(), x.imag()); }

// Columns of the matrix, or of its transpose where those are fewer.
template <class S>
std::vector<std::vector<S>> columns_of(const std::vector<S>& a, std::size_t N) {
  const std::size_t M = a.size() / N;
  const bool wide = N > M;
  std::vector<std::vector<S>> columns(wide ? M : N, std::vector<S>(wide ? N : M));
  for (std::size_t i = 0; i < M; ++i)
    for (std::size_t j = 0; j < N; ++j) (wide ? columns[i][j] : columns[j][i]) = a[i * N + j];
  return columns;
}

template <class S>
S inner(const std::vector<S>& x, const std::vector<S>& y) {  // x^H y
  S s(0);
  for (std::size_t i = 0; i < x.size(); ++i) s += conjugate(x[i]) * y[i];
  return s;
}

// Rotates x and y until x^H y = 0: with g = x^H y, z = (y^H y - x^H x) / 2|g|, t = sign(z) / (|z| + sqrt(1 + z^2)),
// c = 1 / sqrt(1 + t^2), w = conj(g / |g|) y:  x = c x - c t w, y = c t x + c w. Returns whether that changed anything.
template <class T, class S>
bool rotate(std::vector<S>& x, std::vector<S>& y, double tiny) {
  using std::sqrt;
  const T a = real_of(inner(x, x)), b = real_of(inner(y, y));
  const S g = inner(x, y);
  const T size = modulus(g);
  if (part(size) <= tiny * std::sqrt(part(a)) * std::sqrt(part(b)) || part(size) <= kNothing) return false;
  const T z = (b - a) / (T(2) * size), away = modulus(z) + sqrt(T(1) + z * z);
  const T t = (z < T(0) ? T(-1) : T(1)) / away, c = T(1) / sqrt(T(1) + t * t);
  const S turn = conjugate(g) / S(size);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const S p = x[i], w = turn * y[i];
    x[i] = S(c) * p - S(c * t) * w;
    y[i] = S(c * t) * p + S(c) * w;
  }
  return true;
}

// One-sided Jacobi: columns of A V are rotated until they are orthogonal; their lengths are the singular values.
template <class T, class S>
std::vector<T> values(const Call& c, const std::vector<S>& a, std::int64_t columns, std::int64_t which, double tiny) {
  using std::sqrt;
  T largest(0);
  for (const S& v : a) {
    if (!finite(v)) c.fail(Reason::domain, "matrix " + std::to_string(which) + " holds a value that is not finite");
    if (largest < modulus(v)) largest = modulus(v);
  }
  auto x = columns_of(a, static_cast<std::size_t>(columns));
  std::vector<T> s(x.size(), T(0));
  if (largest == T(0)) return s;
  for (auto& column : x)
    for (S& v : column) v = v / S(largest);
  bool changed = true;
  for (int sweep = 0; changed; ++sweep) {
    if (sweep == kSweeps) c.fail(Reason::domain, "matrix " + std::to_string(which) + " does not converge");
    changed = false;
    for (std::size_t p = 0; p < x.size(); ++p)
      for (std::size_t q = p + 1; q < x.size(); ++q) changed |= rotate<T>(x[p], x[q], tiny);
  }
  for (std::size_t j = 0; j < s.size(); ++j) s[j] = largest * sqrt(real_of(inner(x[j], x[j])));
  std::sort(s.begin(), s.end(), [](const T& p, const T& q) { return q < p; });
  return s;
}

}  // namespace

std::vector<double> singular_values(const Call& c, const std::vector<double>& a, std::int64_t columns,
                                    std::int64_t which) {
  return values<double>(c, a, columns, which, 0x1p-50);
}
std::vector<Double2> singular_values(const Call& c, const std::vector<Double2>& a, std::int64_t columns,
                                     std::int64_t which) {
  return values<Double2>(c, a, columns, which, 0x1p-98);
}
std::vector<double> singular_values(const Call& c, const std::vector<Complex>& a, std::int64_t columns,
                                    std::int64_t which) {
  return values<double>(c, a, columns, which, 0x1p-50);
}

}  // namespace plumb::reference
