// The ratios of LAPACK's own testers, in wider arithmetic: how far a product is from a matrix, and a matrix from having
// orthonormal columns. docs/bounds.md, "An orthogonal factorisation".
#pragma once

#include <algorithm>

#include "core/op.h"
#include "reference/linalg/orthogonal/scalars.h"

namespace plumb::reference {

inline constexpr double kLapackRatio = 30;  // the threshold of LAPACK's own tests

// The worst of several norm-wise ratios.
struct Ratios {
  Deviation worst;

  // error <= allowed, both times 2^e, of one output of one matrix.
  void judge(int output, double error, double allowed, int e = 0) {
    const double ratio = of(error, allowed);
    if (ratio <= worst.ratio) return;
    worst.ratio = ratio;
    worst.output = output, worst.at = -1, worst.want = 0;
    worst.got = std::ldexp(error, e), worst.allowed = std::ldexp(allowed, e);
  }
  // Of a residual, which values and vectors have in common. An element of the vectors that brings their ratio to x
  // brings that of the residual to share x at most: as far as that it is theirs, beyond it a value's.
  void judge_common(int values, double error, double allowed, int e, double share) {
    const double ratio = of(error, allowed);
    if (ratio > share * worst.ratio) return judge(values, error, allowed, e);
    if (ratio > worst.ratio) worst.ratio = ratio, worst.got = ratio * worst.allowed;
  }
  void refuse(int output, const std::string& what) {
    if (!worst.what.empty()) return;
    worst.what = what, worst.output = output, worst.ratio = std::numeric_limits<double>::infinity();
  }
  bool done() const { return !worst.what.empty(); }
  void merge(const Ratios& other) {
    if (!done() && (other.done() || other.worst.ratio > worst.ratio)) worst = other.worst;
  }

 private:
  static double of(double error, double allowed) {
    const double ratio = error == 0 ? 0 : allowed > 0 ? error / allowed : std::numeric_limits<double>::infinity();
    return std::isnan(ratio) ? std::numeric_limits<double>::infinity() : ratio;
  }
};

// ||X^H X - I||_1 <= 30 rows u.
template <class T>
void judge_orthonormal(Ratios& ratios, int output, const Dense<T>& x, double u) {
  double worst = 0;
  for (std::int64_t j = 0; j < x.columns; ++j) {
    double sum = 0;
    for (std::int64_t k = 0; k < x.columns; ++k) {
      T s(k == j ? -1.0 : 0.0);
      for (std::int64_t i = 0; i < x.rows; ++i) s += product(x(i, j), x(i, k));
      sum += magnitude(s);
    }
    worst = std::max(worst, sum);
  }
  ratios.judge(output, worst, kLapackRatio * static_cast<double>(x.rows) * u);
}

// The sum of magnitudes of column j.
template <class T>
double column_sum(const Dense<T>& x, std::int64_t j) {
  double sum = 0;
  for (std::int64_t i = 0; i < x.rows; ++i) sum += magnitude(x(i, j));
  return sum;
}

template <class T>
Dense<T> transposed_conjugate(const Dense<T>& x) {
  Dense<T> t(x.columns, x.rows);
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t j = 0; j < x.columns; ++j) t(j, i) = conjugate(x(i, j));
  return t;
}

}  // namespace plumb::reference
