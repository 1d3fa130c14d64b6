// Eigen's BDCSVD beside the oracles of svd, svdvals, pinv and the norms of singular values.
#include <Eigen/SVD>
#include <limits>

#include "conformance/tests/linalg/eigen/real_form.h"

namespace plumb::opinion {
namespace {

template <class S>
Matrix<Real> singular_values(const Matrix<S>& a) {
  const Index k = std::min(a.rows(), a.cols());
  Matrix<Real> s(k, 1);
  if (k == 0) return s;
  const Eigen::BDCSVD<Matrix<Real>> svd(real_form(a), Eigen::ComputeThinU | Eigen::ComputeThinV);
  for (Index i = 0; i < k; ++i) s(i) = svd.singularValues()(i * svd.singularValues().size() / k);
  return s;
}

// A singular value moves by the norm of what its matrix moves by, and no more.
template <class S>
void expect_values(const Matrix<S>& a, const Wide& out, std::int64_t t) {
  const Index k = std::min(a.rows(), a.cols());
  expect_near(block<Real>(out, t * k, k, 1), singular_values(a), unit<S>(out, std::max(a.rows(), a.cols())) * norm(a),
              "singular values");
}

TEST(SecondOpinion, OfSvd) {
  each_case("svd", [](const Call& c, const std::vector<Wide>& out) {
    in_scalars(c.dtype(0), [&]<class S>() {
      const Wide in = widen(c[0]);
      for (std::int64_t t = 0; t < matrices(c.shape(0)); ++t) {
        const Matrix<S> a = matrix<S>(in, t), u = matrix<S>(out[0], t), vt = matrix<S>(out[2], t);
        const Index k = std::min(a.rows(), a.cols());
        const Real bound = unit<S>(out[0], std::max(a.rows(), a.cols()));
        const Matrix<S> us = scaled(leading(u, a.rows(), k), block<Real>(out[1], t * k, k, 1));
        expect_near(times(us, leading(vt, k, a.cols())), a, bound * norm(a), "U S V");
        expect_orthonormal(u, bound, "U");
        expect_orthonormal(vt, bound, "V");
        expect_values(a, out[1], t);
      }
    });
  });
}

TEST(SecondOpinion, OfSvdvals) {
  each_case("svdvals", [](const Call& c, const std::vector<Wide>& out) {
    in_scalars(c.dtype(0), [&]<class S>() {
      const Wide in = widen(c[0]);
      for (std::int64_t t = 0; t < matrices(c.shape(0)); ++t) expect_values(matrix<S>(in, t), out[0], t);
    });
  });
}

// V S^+ U^T with values at or below the cut-off taken for 0; none where one of them is too near to say.
bool inverse_of(const Matrix<Real>& a, Real eps, Matrix<Real>& x) {
  const Eigen::BDCSVD<Matrix<Real>> svd(a, Eigen::ComputeThinU | Eigen::ComputeThinV);
  const Real cut = 10 * static_cast<Real>(std::max(a.rows(), a.cols())) * eps * svd.singularValues()(0);
  Matrix<Real> inverted(svd.singularValues().size(), 1);
  for (Index i = 0; i < inverted.size(); ++i) {
    const Real s = svd.singularValues()(i);
    if (s > cut / 2 && s < 2 * cut) return false;
    inverted(i) = s > cut ? 1 / s : 0;
  }
  x = times(scaled(Matrix<Real>(svd.matrixV()), inverted), adjoint(Matrix<Real>(svd.matrixU())));
  return true;
}

TEST(SecondOpinion, OfPinv) {
  int compared = 0;
  each_case("pinv", [&](const Call& c, const std::vector<Wide>& out) {
    const Wide in = widen(c[0]);
    for (std::int64_t t = 0; t < matrices(c.shape(0)); ++t) {
      const Matrix<Real> a = matrix<Real>(in, t), x = matrix<Real>(out[0], t);
      Matrix<Real> want;
      if (a.size() == 0 || !inverse_of(a, 2 * info(c.dtype(0)).unit_roundoff(), want)) continue;
      const Real u = unit<Real>(out[0], std::max(a.rows(), a.cols()));
      expect_near(x, want, u * norm(want) * norm(want) * norm(a), "pseudo-inverse");
      ++compared;
    }
  });
  EXPECT_GT(compared, 30);
}

// Norms of one matrix that are asked of its singular values.
TEST(SecondOpinion, OfNormsOfSingularValues) {
  int compared = 0;
  each_case("norm", [&](const Call& c, const std::vector<Wide>& out) {
    const std::string order = to_string(*c.attrs.find("ord"));
    const bool of_values = order == "2" || order == "-2" || order == "nuc";
    if (!of_values || c.rank(0) != 2 || c[0].size() == 0) return;
    if (!c.none("axis") && c.list("axis").size() != 2) return;
    const Dtype type = is_inexact(c.dtype(0)) ? c.dtype(0) : Dtype::f32;
    in_scalars(type, [&]<class S>() {
      const Matrix<S> a = matrix<S>(widen_as(c[0], type), 0);
      if (!finite(a)) return;
      const Matrix<Real> s = singular_values(a);
      const Real want = order == "nuc" ? s.sum() : order == "2" ? s(0) : s(s.size() - 1);
      const Real got = magnitudes(block<S>(out[0], 0, 1, 1))(0), n = static_cast<Real>(s.size());
      if (!(got <= std::numeric_limits<double>::max())) return;  // beyond the range of the oracle
      expect_within(std::abs(got - want), n * unit<S>(out[0], a.size()) * norm(a) + n * Real(0x1p-1074), "norm");
      ++compared;
    });
  });
  EXPECT_GT(compared, 9);
}

}  // namespace
}  // namespace plumb::opinion
