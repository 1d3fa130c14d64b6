// Eigen's HouseholderQR beside the oracle of qr.
#include <Eigen/QR>

#include "conformance/tests/linalg/eigen/opinion.h"

namespace plumb::opinion {
namespace {

// R by reflections of the same signs; it follows A as far as the condition of its square part lets it.
bool expect_triangle(const Matrix<Real>& a, const Matrix<Real>& r, Real unit) {
  const Index k = r.rows();
  const Eigen::HouseholderQR<Matrix<Real>> qr(a);
  const Matrix<Real> want = triangle(leading(qr.matrixQR(), k, r.cols()), true);
  const Matrix<Real> inverse = leading(want, k, k).triangularView<Eigen::Upper>().solve(identity<Real>(k));
  const Real condition = norm(want) * norm(inverse);
  if (!(condition * unit < 1)) return false;
  expect_near(r, want, unit * condition * norm(a), "R");
  return true;
}

TEST(SecondOpinion, OfQr) {
  int compared = 0;
  each_case("qr", [&](const Call& c, const std::vector<Wide>& out) {
    const Wide in = widen(c[0]);
    for (std::int64_t t = 0; t < matrices(c.shape(0)); ++t) {
      const Matrix<Real> a = matrix<Real>(in, t), q = matrix<Real>(out[0], t), r = matrix<Real>(out[1], t);
      if (!finite(a)) continue;
      const Real u = unit<Real>(out[0], std::max(a.rows(), a.cols()));
      expect_near(times(q, r), a, u * norm(a), "Q R");
      expect_orthonormal(q, u, "Q");
      expect_near(r, triangle(r, true), 0, "below the diagonal");
      if (r.rows() > 0) compared += expect_triangle(a, r, u);
    }
  });
  EXPECT_GT(compared, 30);
}

}  // namespace
}  // namespace plumb::opinion
