// Eigen's triangular solver beside the oracles of solve_triangular and tri_inv.
#include "conformance/tests/linalg/eigen/opinion.h"

namespace plumb::opinion {
namespace {

Matrix<Real> solved(const Matrix<Real>& a, bool upper, const Matrix<Real>& b) {
  if (upper) return a.triangularView<Eigen::Upper>().solve(b);
  return a.triangularView<Eigen::Lower>().solve(b);
}

// |x - y| <= 30 n u |T^-1| |T| |x| elementwise: each is the solution of a triangle within n u |T| of this one.
void expect_solution(const Matrix<Real>& a, bool upper, const Matrix<Real>& b, const Matrix<Real>& x, Real unit) {
  const Matrix<Real> t = triangle(a, upper);
  if (!finite(t) || !finite(b)) return;
  const Matrix<Real> inverse = solved(t, upper, identity<Real>(t.rows()));
  const Matrix<Real> size = times(magnitudes(inverse), times(magnitudes(t), magnitudes(x)));
  expect_each_near(x, solved(t, upper, b), size, unit, "x");
}

TEST(SecondOpinion, OfSolveTriangular) {
  each_case("solve_triangular", [](const Call& c, const std::vector<Wide>& out) {
    const Real u = unit<Real>(out[0], c.shape(0).back());
    each_system(c, out[0],
                [&](const auto& a, const auto& b, const auto& x) { expect_solution(a, c.flag("upper"), b, x, u); });
  });
}

TEST(SecondOpinion, OfTriInv) {
  each_case("tri_inv", [](const Call& c, const std::vector<Wide>& out) {
    const Wide in = widen(c[0]);
    const Index n = c.shape(0).back();
    const bool upper = c.flag("upper");
    for (std::int64_t t = 0; t < matrices(c.shape(0)) && n > 0; ++t) {
      const Matrix<Real> x = matrix<Real>(out[0], t);
      expect_solution(matrix<Real>(in, t), upper, identity<Real>(n), x, unit<Real>(out[0], n));
      if (finite(x)) expect_near(x, triangle(x, upper), 0, "beyond the triangle");
    }
  });
}

}  // namespace
}  // namespace plumb::opinion
