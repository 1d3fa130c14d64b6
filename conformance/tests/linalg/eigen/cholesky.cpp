// Eigen's LLT beside the oracles of cholesky and cholesky_inv.
#include <Eigen/Cholesky>

#include "conformance/tests/linalg/eigen/opinion.h"

namespace plumb::opinion {
namespace {

Matrix<Real> lower_of(const Matrix<Real>& a, bool upper) {
  return upper ? adjoint(triangle(a, true)) : triangle(a, false);
}

Matrix<Real> symmetric(Matrix<Real> low) {
  for (Index i = 0; i < low.rows(); ++i)
    for (Index j = 0; j < i; ++j) low(j, i) = low(i, j);
  return low;
}

// The triangle of the call's argument as a lower one, and the answer, for each matrix.
template <class F>
void each_matrix(const Call& c, const Wide& answer, F&& f) {
  const Wide in = widen(c[0]);
  for (std::int64_t t = 0; t < matrices(c.shape(0)); ++t) {
    const Matrix<Real> low = lower_of(matrix<Real>(in, t), c.flag("upper"));
    if (low.rows() > 0 && finite(low)) f(low, matrix<Real>(answer, t));
  }
}

TEST(SecondOpinion, OfCholesky) {
  each_case("cholesky", [](const Call& c, const std::vector<Wide>& out) {
    const bool upper = c.flag("upper");
    const Real u = unit<Real>(out[0], c.shape(0).back());
    each_matrix(c, out[0], [&](const Matrix<Real>& low, const Matrix<Real>& factor) {
      const Matrix<Real> a = symmetric(low), l = lower_of(factor, upper);
      expect_near(upper ? adjoint(l) : l, factor, 0, "beyond the triangle");
      expect_near(times(l, adjoint(l)), a, u * norm(a), "L L^T");
      const Eigen::LLT<Matrix<Real>> llt(a);
      ASSERT_EQ(llt.info(), Eigen::Success);
      expect_near(l, triangle(llt.matrixLLT(), false), u * norm(l) / llt.rcond(), "L");
    });
  });
}

// X L L^T = I, and X as Eigen solves for it.
TEST(SecondOpinion, OfCholeskyInv) {
  each_case("cholesky_inv", [](const Call& c, const std::vector<Wide>& out) {
    const Index n = c.shape(0).back();
    const Real u = unit<Real>(out[0], n);
    each_matrix(c, out[0], [&](const Matrix<Real>& l, const Matrix<Real>& x) {
      const Matrix<Real> a = times(l, adjoint(l));
      expect_near(times(x, a), identity<Real>(n), u * norm(x) * norm(l) * norm(l), "X L L^T");
      const Eigen::LLT<Matrix<Real>> llt(a);
      if (llt.info() == Eigen::Success)
        expect_near(x, Matrix<Real>(llt.solve(identity<Real>(n))), u * norm(x) / llt.rcond(), "inverse");
    });
  });
}

}  // namespace
}  // namespace plumb::opinion
