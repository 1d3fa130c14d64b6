// Elimination, substitution and norms for the oracles and judges of this wing, in any wide type.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "core/op.h"
#include "reference/index.h"

namespace plumb::reference {

using Pivots = std::vector<std::int64_t>;

inline std::int64_t rows_of(const Shape& s) { return s[s.size() - 2]; }
inline std::int64_t columns_of(const Shape& s) { return s.back(); }
inline Shape batch_of(const Shape& s) { return Shape(s.begin(), s.end() - 2); }
inline std::int64_t matrices_of(const Shape& s) { return count(batch_of(s)); }

inline double roundoff_of(const Array<double>&) { return 0x1p-53; }
inline double roundoff_of(const Array<Double2>&) { return kDouble2Roundoff; }

template <class T>
double magnitude_of(T x) {
  return std::abs(static_cast<double>(x));
}

// A matrix of its own.
template <class T>
struct Square {
  std::int64_t rows, columns;
  std::vector<T> data;
  Square(std::int64_t m, std::int64_t n) : rows(m), columns(n), data(static_cast<std::size_t>(m * n), T(0)) {}
  Matrix<T> at() { return {data.data(), columns}; }
  Matrix<const T> at() const { return {data.data(), columns}; }
};

template <class T>
Square<T> copy_of(const Array<T>& a, std::int64_t t, std::int64_t m, std::int64_t n) {
  Square<T> s(m, n);
  std::copy_n(a.data.begin() + t * m * n, m * n, s.data.begin());
  return s;
}

// The named triangle of a square matrix, with zeros beyond it.
template <class T>
Square<T> beyond_cleared(Square<T> s, bool upper) {
  for (std::int64_t i = 0; i < s.rows; ++i)
    for (std::int64_t j = 0; j < s.columns; ++j)
      if (upper ? j < i : j > i) s.at()(i, j) = T(0);
  return s;
}

// For j = 0, 1, ..: row j changes places with the first row p_j >= j whose |a_ij| is largest; then for i > j
// l_ij = a_ij / a_jj and a_ik = a_ik - l_ij a_jk, k > j. L is kept where zeros would be. A column of zeros is left.
template <class T>
Pivots eliminate(Square<T>& s) {
  using std::abs;
  const auto a = s.at();
  Pivots p(static_cast<std::size_t>(std::min(s.rows, s.columns)));
  for (std::int64_t j = 0; j < std::min(s.rows, s.columns); ++j) {
    std::int64_t best = j;
    for (std::int64_t i = j + 1; i < s.rows; ++i)
      if (abs(a(i, j)) > abs(a(best, j))) best = i;
    p[static_cast<std::size_t>(j)] = best;
    for (std::int64_t k = 0; k < s.columns; ++k) std::swap(a(j, k), a(best, k));
    if (a(j, j) == T(0)) continue;
    for (std::int64_t i = j + 1; i < s.rows; ++i) {
      a(i, j) /= a(j, j);
      for (std::int64_t k = j + 1; k < s.columns; ++k) a(i, k) -= a(i, j) * a(j, k);
    }
  }
  return p;
}

// The first zero on the diagonal, or n.
template <class T>
std::int64_t zero_pivot(const Square<T>& s) {
  for (std::int64_t j = 0; j < s.rows; ++j)
    if (s.at()(j, j) == T(0)) return j;
  return s.rows;
}

[[noreturn]] inline void singular(const Call& c, std::int64_t matrix, std::int64_t pivot) {
  c.fail(Reason::domain, "matrix " + std::to_string(matrix) + " is singular: pivot " + std::to_string(pivot) + " is 0");
}

// x_i = (b_i - sum_(j<i) t_ij x_j) / t_ii from the first row on (lower), or with j > i from the last one (upper).
// A unit diagonal is not read, nor is the other triangle.
template <class T>
void substitute(const Square<T>& triangle, bool upper, bool unit, Square<T>& x) {
  const auto t = triangle.at();
  const auto b = x.at();
  const std::int64_t n = x.rows;
  for (std::int64_t c = 0; c < x.columns; ++c)
    for (std::int64_t step = 0; step < n; ++step) {
      const std::int64_t i = upper ? n - 1 - step : step;
      for (std::int64_t j = upper ? i + 1 : 0; j < (upper ? n : i); ++j) b(i, c) -= t(i, j) * b(j, c);
      if (!unit) b(i, c) /= t(i, i);
    }
}

template <class T>
void exchange(std::int64_t i, std::int64_t j, Square<T>& x) {
  for (std::int64_t c = 0; c < x.columns; ++c) std::swap(x.at()(i, c), x.at()(j, c));
}

// Rows j and p_j change places, for j = 0, 1, ..
template <class T>
void exchange(const Pivots& p, Square<T>& x) {
  for (std::size_t j = 0; j < p.size(); ++j) exchange(static_cast<std::int64_t>(j), p[j], x);
}

template <class T>
Square<T> identity(std::int64_t n) {
  Square<T> x(n, n);
  for (std::int64_t i = 0; i < n; ++i) x.at()(i, i) = T(1);
  return x;
}

// The greatest sum of magnitudes of a column.
template <class T>
double norm1(const Square<T>& s) {
  double most = 0;
  for (std::int64_t j = 0; j < s.columns; ++j) {
    double sum = 0;
    for (std::int64_t i = 0; i < s.rows; ++i) sum += magnitude_of(s.at()(i, j));
    most = sum > most ? sum : most;
  }
  return most;
}

template <class T>
double greatest(const Square<T>& s) {
  double most = 0;
  for (const T& x : s.data) most = std::max(most, magnitude_of(x));
  return most;
}

template <class T>
bool any_nan(const Square<T>& s) {
  using std::isnan;
  for (const T& x : s.data)
    if (isnan(x)) return true;
  return false;
}

template <class T>
bool all_finite(const Square<T>& s) {
  using std::isfinite;
  for (const T& x : s.data)
    if (!isfinite(x)) return false;
  return true;
}

// f on the wide values of an f32 or f64 tensor, or of what is computed as one.
template <class F>
auto with_reals(const Tensor& a, F&& f) {
  const Wide w = widen(a);
  if (const Reals* x = std::get_if<Reals>(&w)) return f(*x);
  return f(std::get<Reals2>(w));
}

}  // namespace plumb::reference
