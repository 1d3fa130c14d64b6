// Complex matrices as real ones, so that Eigen's larger decompositions are compiled for one scalar.
#pragma once

#include "conformance/tests/linalg/eigen/opinion.h"

namespace plumb::opinion {

inline const Matrix<Real>& real_form(const Matrix<Real>& a) { return a; }

// [Re A, -Im A; Im A, Re A]: each singular value and each eigenvalue of A stands in it twice.
inline Matrix<Real> real_form(const Matrix<Complex>& a) {
  const Index m = a.rows(), n = a.cols();
  Matrix<Real> x(2 * m, 2 * n);
  for (Index i = 0; i < m; ++i)
    for (Index j = 0; j < n; ++j) {
      x(i, j) = x(m + i, n + j) = static_cast<Real>(a(i, j).real());
      x(m + i, j) = static_cast<Real>(a(i, j).imag());
      x(i, n + j) = -x(m + i, j);
    }
  return x;
}

}  // namespace plumb::opinion
