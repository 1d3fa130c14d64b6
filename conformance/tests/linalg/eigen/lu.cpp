// Eigen's PartialPivLU beside the oracles of lu, lu_factor, det, slogdet, inv and solve.
#include <Eigen/LU>

#include "conformance/tests/linalg/eigen/opinion.h"

namespace plumb::opinion {
namespace {

using Lu = Eigen::PartialPivLU<Matrix<Real>>;

Matrix<Real> unit_lower(const Matrix<Real>& packed) {
  const Index k = std::min(packed.rows(), packed.cols());
  Matrix<Real> l = triangle(leading(packed, packed.rows(), k), false);
  for (Index i = 0; i < k; ++i) l(i, i) = 1;
  return l;
}
Matrix<Real> upper(const Matrix<Real>& packed) {
  return triangle(leading(packed, std::min(packed.rows(), packed.cols()), packed.cols()), true);
}

// |P A - L U| <= 30 n u |L| |U| elementwise, and no multiplier above 1.
void expect_factors(const Matrix<Real>& permuted, const Matrix<Real>& l, const Matrix<Real>& u, Real unit) {
  expect_each_near(times(l, u), permuted, times(magnitudes(l), magnitudes(u)), unit, "L U");
  const Matrix<Real> size = magnitudes(l);
  for (Index i = 0; i < size.size(); ++i) EXPECT_LE(size.data()[i], 1);
}

struct Agreement {
  int square = 0, same_rows = 0;
};

// Where the same rows are chosen the factors are the same, as far as the condition lets them.
void expect_eigens_factors(const Matrix<Real>& a, const Matrix<Real>& l, const Matrix<Real>& u,
                           const std::vector<std::int64_t>& p, Real unit, Agreement& seen) {
  if (a.rows() != a.cols() || a.rows() == 0) return;
  const Lu lu(a);
  ++seen.square;
  for (Index i = 0; i < a.rows(); ++i)
    if (lu.permutationP().indices()(i) != p[static_cast<std::size_t>(i)]) return;
  ++seen.same_rows;
  const Real condition = 1 / lu.rcond();
  if (!(condition * unit < 1)) return;
  expect_near(u, upper(lu.matrixLU()), unit * condition * norm(times(magnitudes(l), magnitudes(u))), "U");
  expect_near(l, unit_lower(lu.matrixLU()), unit * condition * norm(l), "L");
}

TEST(SecondOpinion, OfLu) {
  Agreement seen;
  each_case("lu", [&](const Call& c, const std::vector<Wide>& out) {
    const Wide in = widen(c[0]);
    const Integers rows = as_integers(out[0]);
    for (std::int64_t t = 0; t < matrices(c.shape(0)); ++t) {
      const Matrix<Real> a = matrix<Real>(in, t), l = matrix<Real>(out[1], t), u = matrix<Real>(out[2], t);
      if (!finite(a)) continue;
      const Real bound = unit<Real>(out[1], std::max(a.rows(), a.cols()));
      std::vector<std::int64_t> p(static_cast<std::size_t>(a.rows()));
      Matrix<Real> permuted = a;
      for (Index i = 0; i < a.rows(); ++i) {
        p[static_cast<std::size_t>(i)] = rows[t * a.rows() + i];
        permuted.row(rows[t * a.rows() + i]) = a.row(i);
      }
      expect_factors(permuted, l, u, bound);
      expect_eigens_factors(a, l, u, p, bound, seen);
    }
  });
  EXPECT_GT(2 * seen.same_rows, seen.square);  // ties, and what roundings decide, apart
}

TEST(SecondOpinion, OfLuFactor) {
  each_case("lu_factor", [](const Call& c, const std::vector<Wide>& out) {
    const Wide in = widen(c[0]);
    const Integers pivots = as_integers(out[1]);
    for (std::int64_t t = 0; t < matrices(c.shape(0)); ++t) {
      Matrix<Real> a = matrix<Real>(in, t);
      if (!finite(a)) continue;
      const Matrix<Real> packed = matrix<Real>(out[0], t);
      const Index k = std::min(a.rows(), a.cols());
      for (Index j = 0; j < k; ++j) a.row(j).swap(a.row(pivots[t * k + j]));
      expect_factors(a, unit_lower(packed), upper(packed), unit<Real>(out[0], std::max(a.rows(), a.cols())));
    }
  });
}

// f(A, t, Eigen's factors) for each finite matrix with rows, in the type that the result is computed in.
template <class F>
void each_determinant(const Call& c, F&& f) {
  const Wide in = widen_as(c[0], output_specs(c)[0].dtype);
  for (std::int64_t t = 0; t < matrices(c.shape(0)); ++t) {
    const Matrix<Real> a = matrix<Real>(in, t);
    if (a.rows() > 0 && finite(a)) f(a, t, Lu(a));
  }
}

Real hadamard(const Matrix<Real>& a) {
  Real product = 1;
  for (Index j = 0; j < a.cols(); ++j) product *= norm(Matrix<Real>(a.col(j)));
  return product;
}

// det (A + E) differs from det A by n |E| / |A| times the condition at most; of a singular matrix by Hadamard's bound.
TEST(SecondOpinion, OfDet) {
  each_case("det", [](const Call& c, const std::vector<Wide>& out) {
    const Real n = c.shape(0).back(), u = unit<Real>(out[0], c.shape(0).back());
    each_determinant(c, [&](const Matrix<Real>& a, std::int64_t t, const Lu& lu) {
      const Real got = block<Real>(out[0], t, 1, 1)(0), want = lu.determinant();
      if (!(std::abs(want) < 0x1p1000)) return;
      const Real size = lu.rcond() > u ? n * std::abs(want) / lu.rcond() : hadamard(a);
      expect_within(std::abs(got - want), u * size + n * Real(0x1p-1000), "det");
    });
  });
}

TEST(SecondOpinion, OfSlogdet) {
  each_case("slogdet", [](const Call& c, const std::vector<Wide>& out) {
    const Real n = c.shape(0).back(), u = unit<Real>(out[0], c.shape(0).back());
    each_determinant(c, [&](const Matrix<Real>&, std::int64_t t, const Lu& lu) {
      if (!(lu.rcond() > u)) return;  // neither sign nor logarithm is certain
      Real sign = lu.permutationP().determinant(), log = 0;
      for (Index i = 0; i < lu.matrixLU().rows(); ++i) {
        sign *= lu.matrixLU()(i, i) < 0 ? -1 : 1;
        log += std::log(std::abs(lu.matrixLU()(i, i)));
      }
      EXPECT_EQ(block<Real>(out[0], t, 1, 1)(0), sign);
      expect_within(std::abs(block<Real>(out[1], t, 1, 1)(0) - log), Real(0x1p-50) * std::abs(log) + u * n / lu.rcond(),
                    "log |det|");
    });
  });
}

// x as Eigen has it, as far as the condition of A lets it, and A x = b.
void expect_solution(const Matrix<Real>& a, const Matrix<Real>& b, const Matrix<Real>& x, Real unit) {
  if (!finite(a) || !finite(b)) return;
  const Lu lu(a);
  expect_near(x, Matrix<Real>(lu.solve(b)), unit * norm(x) / lu.rcond(), "x");
  expect_near(times(a, x), b, unit * norm(a) * norm(x), "A x");
}

TEST(SecondOpinion, OfInv) {
  each_case("inv", [](const Call& c, const std::vector<Wide>& out) {
    const Wide in = widen(c[0]);
    const Index n = c.shape(0).back();
    const Real u = unit<Real>(out[0], n);
    for (std::int64_t t = 0; t < matrices(c.shape(0)) && n > 0; ++t)
      expect_solution(matrix<Real>(in, t), identity<Real>(n), matrix<Real>(out[0], t), u);
  });
}

TEST(SecondOpinion, OfSolve) {
  each_case("solve", [](const Call& c, const std::vector<Wide>& out) {
    const Real u = unit<Real>(out[0], c.shape(0).back());
    each_system(c, out[0], [&](const auto& a, const auto& b, const auto& x) { expect_solution(a, b, x, u); });
  });
}

}  // namespace
}  // namespace plumb::opinion
