// Eigen's SelfAdjointEigenSolver beside the oracles of eigh and eigvalsh.
#include <Eigen/Eigenvalues>

#include "conformance/tests/linalg/eigen/real_form.h"

namespace plumb::opinion {
namespace {

// The matrix of the named triangle, with a diagonal that is real.
template <class S>
Matrix<S> whole(const Matrix<S>& a, bool upper) {
  const Matrix<S> half = triangle(a, upper), other = adjoint(half);
  Matrix<S> all = half;
  for (Index i = 0; i < a.rows(); ++i)
    for (Index j = 0; j < a.rows(); ++j) {
      if (i == j) all(i, j) = std::real(a(i, j));
      else if (upper ? j < i : j > i) all(i, j) = other(i, j);
    }
  return all;
}

template <class F>
void each_matrix(const Call& c, F&& f) {
  in_scalars(c.dtype(0), [&]<class S>() {
    const Wide in = widen(c[0]);
    for (std::int64_t t = 0; t < matrices(c.shape(0)); ++t)
      if (c.shape(0).back() > 0) f(whole(matrix<S>(in, t), c.text("uplo") == "U"), t);
  });
}

// Weyl: an eigenvalue moves by the norm of what its matrix moves by, and no more.
template <class S>
void expect_values(const Matrix<S>& a, const Matrix<Real>& w, Real unit) {
  const Eigen::SelfAdjointEigenSolver<Matrix<Real>> solver(real_form(a));
  ASSERT_EQ(solver.info(), Eigen::Success);
  Matrix<Real> want(a.rows(), 1);
  for (Index i = 0; i < a.rows(); ++i) want(i) = solver.eigenvalues()(i * solver.eigenvalues().size() / a.rows());
  expect_near(w, want, unit * norm(a), "eigenvalues");
}

TEST(SecondOpinion, OfEigh) {
  each_case("eigh", [](const Call& c, const std::vector<Wide>& out) {
    each_matrix(c, [&]<class S>(const Matrix<S>& a, std::int64_t t) {
      const Index n = a.rows();
      const Matrix<Real> w = block<Real>(out[0], t * n, n, 1);
      const Matrix<S> v = matrix<S>(out[1], t);
      const Real u = unit<S>(out[0], n);
      if (!finite(w)) return;  // beyond the range of the oracle
      expect_near(times(a, v), scaled(v, w), u * norm(a), "A V");
      expect_orthonormal(v, u, "V");
      expect_values(a, w, u);
    });
  });
}

TEST(SecondOpinion, OfEigvalsh) {
  each_case("eigvalsh", [](const Call& c, const std::vector<Wide>& out) {
    each_matrix(c, [&]<class S>(const Matrix<S>& a, std::int64_t t) {
      const Matrix<Real> w = block<Real>(out[0], t * a.rows(), a.rows(), 1);
      if (finite(w)) expect_values(a, w, unit<S>(out[0], a.rows()));
    });
  });
}

}  // namespace
}  // namespace plumb::opinion
