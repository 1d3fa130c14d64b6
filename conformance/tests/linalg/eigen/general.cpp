// Eigen's ComplexEigenSolver beside the oracles of eig and eigvals, whose answers are complex whatever the input.
#include <Eigen/Eigenvalues>
#include <cmath>
#include <limits>

#include "conformance/tests/linalg/eigen/opinion.h"

namespace plumb::opinion {
namespace {

using Square = Matrix<Complex>;

template <class F>
void each_matrix(const Call& c, const std::vector<Wide>& out, F&& f) {
  const Wide in = widen(c[0]);
  const Index n = c.shape(0).back();
  for (std::int64_t t = 0; t < matrices(c.shape(0)); ++t) {
    const Square a = matrix<Complex>(in, t), w = block<Complex>(out[0], t * n, n, 1);
    if (n > 0 && finite(w)) f(a, w, t);
  }
}

double nearest(const Complex& x, const Square& all) {
  double least = std::numeric_limits<double>::infinity();
  for (Index i = 0; i < all.size(); ++i) least = std::min(least, std::abs(x - all(i)));
  return least;
}

Real condition_of(const Square& v) {
  const Eigen::PartialPivLU<Square> lu(v);
  return 1 / static_cast<Real>(lu.rcond());
}

// Bauer and Fike: each eigenvalue of a matrix within e of A is within cond(V) e of one of A, both ways round; and their
// sum is the trace, whatever the condition.
bool expect_values(Square a, Square w) {
  const Index n = a.rows();
  const double whole = std::ldexp(1.0, -std::ilogb(std::max(static_cast<double>(norm(a)), 0x1p-1000)));
  a *= whole;  // Eigen takes squares of what is there: exact, unless it is small beside the norm
  w *= whole;
  const Eigen::ComplexEigenSolver<Square> solver(a);
  const Real u = unit<Complex>(Wide(Complexes()), n), size = norm(a);
  Complex trace = 0, sum = 0;
  for (Index i = 0; i < n; ++i) {
    trace += a(i, i);
    sum += w(i);
  }
  expect_within(std::abs(sum - trace), u * size * static_cast<Real>(n), "trace");
  if (solver.info() != Eigen::Success) return false;  // rows of tiny elements beside huge ones: no opinion
  const Real condition = condition_of(solver.eigenvectors());
  if (!(condition * u < 1)) return false;
  const Square want = solver.eigenvalues();
  for (Index i = 0; i < n; ++i) {
    expect_within(nearest(w(i), want), u * size * condition, "an eigenvalue");
    expect_within(nearest(want(i), w), u * size * condition, "an eigenvalue of Eigen's");
  }
  return true;
}

TEST(SecondOpinion, OfEig) {
  int compared = 0;
  each_case("eig", [&](const Call& c, const std::vector<Wide>& out) {
    each_matrix(c, out, [&](const Square& a, const Square& w, std::int64_t t) {
      const Square v = matrix<Complex>(out[1], t);
      Square scaled = v;
      for (Index i = 0; i < v.rows(); ++i)
        for (Index j = 0; j < v.cols(); ++j) scaled(i, j) *= w(j);
      const Real u = unit<Complex>(out[0], a.rows());
      expect_near(times(a, v), scaled, u * norm(a), "A V");
      for (Index j = 0; j < v.cols(); ++j) expect_within(std::abs(norm(Square(v.col(j))) - 1), u, "length");
      compared += expect_values(a, w);
    });
  });
  EXPECT_GT(compared, 30);
}

TEST(SecondOpinion, OfEigvals) {
  int compared = 0;
  each_case("eigvals", [&](const Call& c, const std::vector<Wide>& out) {
    each_matrix(c, out, [&](const Square& a, const Square& w, std::int64_t) { compared += expect_values(a, w); });
  });
  EXPECT_GT(compared, 30);
}

}  // namespace
}  // namespace plumb::opinion
