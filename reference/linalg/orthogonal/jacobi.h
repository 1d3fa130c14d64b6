// The singular value decomposition by rotations of rows: what the oracles of svd, svdvals and pinv share.
#pragma once

#include <algorithm>
#include <numeric>

#include "reference/linalg/orthogonal/scalars.h"

namespace plumb::reference {

inline constexpr int kSweeps = 60;         // quadratic convergence needs about ten
inline constexpr double kNull = 0x1p-800;  // of squares of norms; the largest element is about 1

// J A = W with unitary J (k x k) and orthogonal rows of W (k x l), k <= l, in descending order of their norms.
template <class T>
struct Rotated {
  Dense<T> w, j;
  std::vector<RealOf<T>> norms;
  bool converged = false;
};

// (w_p, w_q) = sum_i w_pi conj(w_qi)
template <class T>
T inner(const Dense<T>& w, std::int64_t p, std::int64_t q) {
  T s(0.0);
  for (std::int64_t i = 0; i < w.columns; ++i) s += product(w(p, i), w(q, i));
  return s;
}

// x_p <- c x_p - s f x_q, x_q <- s x_p + c f x_q, |f| = 1
template <class T>
void rotate(Dense<T>& x, std::int64_t p, std::int64_t q, RealOf<T> c, RealOf<T> s, const T& f) {
  for (std::int64_t i = 0; i < x.columns; ++i) {
    const T a = x(p, i), b = f * x(q, i);
    x(p, i) = T(c) * a - T(s) * b;
    x(q, i) = T(s) * a + T(c) * b;
  }
}

// Makes rows p and q orthogonal: t^2 + 2 z t - 1 = 0, z = (||q||^2 - ||p||^2) / (2 |(p, q)|), c = 1 / sqrt(1 + t^2),
// s = c t, f = (p, q) / |(p, q)|. Returns whether they were not.
template <class T>
bool orthogonalize(Dense<T>& w, Dense<T>& j, std::int64_t p, std::int64_t q, double tolerance) {
  using R = RealOf<T>;
  using std::sqrt;
  const R a = real(inner(w, p, p)), b = real(inner(w, q, q));
  const T h = inner(w, p, q);
  const R g = modulus(h);
  if (static_cast<double>(a) < kNull || static_cast<double>(b) < kNull) return false;
  if (static_cast<double>(g) <= tolerance * std::sqrt(static_cast<double>(a)) * std::sqrt(static_cast<double>(b)))
    return false;
  const R z = (b - a) / (R(2.0) * g), root = modulus(z) + sqrt(R(1.0) + z * z);
  const R t = static_cast<double>(z) < 0 ? R(-1.0) / root : R(1.0) / root, c = R(1.0) / sqrt(R(1.0) + t * t);
  const T f = h / T(g);
  rotate(w, p, q, c, c * t, f);
  rotate(j, p, q, c, c * t, f);
  return true;
}

template <class T>
void sort_rows(Rotated<T>& x) {
  std::vector<std::int64_t> order(x.norms.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return x.norms[static_cast<std::size_t>(a)] > x.norms[static_cast<std::size_t>(b)];
  });
  const Rotated<T> old = x;
  for (std::int64_t k = 0; k < x.w.rows; ++k) {
    const std::int64_t from = order[static_cast<std::size_t>(k)];
    x.norms[static_cast<std::size_t>(k)] = old.norms[static_cast<std::size_t>(from)];
    for (std::int64_t i = 0; i < x.w.columns; ++i) x.w(k, i) = old.w(from, i);
    for (std::int64_t i = 0; i < x.j.columns; ++i) x.j(k, i) = old.j(from, i);
  }
}

template <class T>
Rotated<T> rotated(const Dense<T>& a, double tolerance) {
  using std::sqrt;
  Rotated<T> x{a, Dense<T>(a.rows, a.rows), {}};
  for (std::int64_t k = 0; k < a.rows; ++k) x.j(k, k) = T(1.0);
  for (int sweep = 0; sweep < kSweeps && !x.converged; ++sweep) {
    x.converged = true;
    for (std::int64_t p = 0; p < a.rows; ++p)
      for (std::int64_t q = p + 1; q < a.rows; ++q)
        if (orthogonalize(x.w, x.j, p, q, tolerance)) x.converged = false;
  }
  for (std::int64_t k = 0; k < a.rows; ++k) x.norms.push_back(sqrt(real(inner(x.w, k, k))));
  sort_rows(x);
  return x;
}

inline double roundoff(double) { return 0x1p-53; }
inline double roundoff(Double2) { return 0x1p-98; }

// Of a, or of its conjugate transpose where that has fewer rows; a times 2^-exponent, so that no square overflows.
template <class T>
struct Decomposition {
  bool tall;
  int exponent;
  Rotated<T> rows;
};

template <class T>
Dense<T> scaled(const Dense<T>& a, int e, bool tall) {
  Dense<T> x = tall ? Dense<T>(a.columns, a.rows) : a;
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j < a.columns; ++j)
      (tall ? x(j, i) : x(i, j)) = times_power(tall ? conjugate(a(i, j)) : a(i, j), -e);
  return x;
}

template <class T>
Decomposition<T> decompose(const Dense<T>& a) {
  const bool tall = a.rows > a.columns;
  const int e = exponent(a.data);
  const double tolerance = 8 * static_cast<double>(std::max(a.rows, a.columns)) * roundoff(RealOf<T>());
  return {tall, e, rotated(scaled(a, e, tall), tolerance)};
}

}  // namespace plumb::reference
