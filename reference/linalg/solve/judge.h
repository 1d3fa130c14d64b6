// What the judges of this wing share: ratios of residuals, and what is asked of a matrix that is not finite.
#pragma once

#include <algorithm>
#include <limits>
#include <string>

#include "reference/linalg/solve/matrices.h"

namespace plumb::reference {

constexpr double kLapackRatio = 30;  // the threshold of LAPACK's own tests

// The worst of what was seen.
struct Verdict {
  Deviation worst;

  // `unit`: what a change of 1 of the least telling element of the output changes the judged quantity by, so that
  // the allowance is stated in the output's own units.
  void see(double error, double allowed, std::int64_t at, double want, double got, int output = 0, double unit = 1) {
    const double quotient = error == 0 ? 0 : error / allowed;
    const double ratio = quotient >= 0 ? quotient : std::numeric_limits<double>::infinity();  // of a NaN
    if (ratio <= worst.ratio) return;
    worst.ratio = ratio;
    worst.output = output;
    worst.at = at;
    worst.want = want;
    worst.got = got;
    worst.allowed = allowed / unit;
  }
  void norm(double error, double allowed, double unit) { see(error, allowed, -1, 0, error / unit, 0, unit); }
  void fail(std::string what) {
    if (worst.what.empty()) worst.what = std::move(what);
  }
  bool failed() const { return !worst.what.empty(); }
};

// Whether the residual of one matrix can be asked for. Of an operand that holds NaN the result must hold one; what
// follows from an infinity is left to IEEE arithmetic; of finite operands all must be finite, unless a partial result
// may pass the largest number: `reach` is how large one may become.
template <class T>
bool judged(Verdict& v, bool nan_in, bool finite_in, const Square<T>& out, double reach, const DtypeInfo& type,
            const std::string& where) {
  if (nan_in) {
    if (!any_nan(out)) v.fail("NaN is lost" + where);
  } else if (finite_in) {
    if (all_finite(out)) return true;
    if (!(reach >= type.max / 4)) v.fail("not finite" + where);
  }
  v.worst.unbounded += static_cast<std::int64_t>(out.data.size());
  return false;
}

// What sums of n terms may stray by; of the oracle's own result only what rounds it at the end.
inline double sums(const Order& order, std::int64_t n, const DtypeInfo& type) {
  if (order.shape == Order::Shape::exact) return gamma(2, type.unit_roundoff());
  return gamma(static_cast<double>(order.depth(n)), order.accumulator_roundoff());
}

template <class T>
double greatest_number(const Square<T>& s) {
  using std::isfinite;
  double most = 0;
  for (const T& x : s.data)
    if (isfinite(x)) most = std::max(most, magnitude_of(x));
  return most;
}

// The least sum of magnitudes of a column: a move of one element of x by d moves a x by d times that or more, in the
// 1-norm.
template <class T>
double least_column(const Square<T>& s) {
  double least = std::numeric_limits<double>::infinity();
  for (std::int64_t j = 0; j < s.columns; ++j) {
    double sum = 0;
    for (std::int64_t i = 0; i < s.rows; ++i) sum += magnitude_of(s.at()(i, j));
    least = std::min(least, sum);
  }
  return least;
}

// The least magnitude that is not 0, of row i or of column j.
template <class T>
double least_of_row(const Square<T>& s, std::int64_t i) {
  double least = std::numeric_limits<double>::infinity();
  for (std::int64_t k = 0; k < s.columns; ++k)
    if (const double x = magnitude_of(s.at()(i, k)); x > 0) least = std::min(least, x);
  return least;
}
template <class T>
double least_of_column(const Square<T>& s, std::int64_t j) {
  double least = std::numeric_limits<double>::infinity();
  for (std::int64_t k = 0; k < s.rows; ++k)
    if (const double x = magnitude_of(s.at()(k, j)); x > 0) least = std::min(least, x);
  return least;
}

inline std::string in_matrix(std::int64_t t) { return " in matrix " + std::to_string(t); }

// r = a b - c, and g = |a| |b|.
template <class T>
struct Residual {
  Square<T> r;
  Square<double> g;
};
template <class T>
Residual<T> residual(const Square<T>& a, const Square<T>& b, const Square<T>& c) {
  Residual<T> out{Square<T>(a.rows, b.columns), Square<double>(a.rows, b.columns)};
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j < b.columns; ++j) {
      T sum = -c.at()(i, j);
      double g = 0;
      for (std::int64_t k = 0; k < a.columns; ++k) {
        const T term = a.at()(i, k) * b.at()(k, j);
        if (term == T(0)) continue;
        sum += term;
        g += magnitude_of(term);
      }
      out.r.at()(i, j) = sum;
      out.g.at()(i, j) = g;
    }
  return out;
}

inline std::int64_t elements_of(const std::vector<Tensor>& all) {
  std::int64_t n = 0;
  for (const Tensor& t : all) n += t.size();
  return n;
}

}  // namespace plumb::reference
