// A second opinion of the oracles of linear algebra: what Eigen makes of the rows' own cases, real ones in long double
// beside oracles in binary64 and in Double2, complex ones in binary64. What both must agree in is compared within what
// two backward stable computations may differ by: 30 n u, LAPACK's threshold, times the condition of what is compared.
#pragma once

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <complex>
#include <functional>
#include <string_view>
#include <vector>

#include "core/route.h"

namespace plumb::opinion {

using Real = long double;
using Index = Eigen::Index;
template <class S>
using Matrix = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic>;

// What follows is there for S Real and Complex, compiled once, in opinion.cpp: Eigen's templates take their time.

// rows x columns elements from `at` on, row by row; matrix t of the last two axes.
template <class S>
Matrix<S> block(const Wide&, std::int64_t at, std::int64_t rows, std::int64_t columns);
template <class S>
Matrix<S> matrix(const Wide&, std::int64_t t);

template <class S>
Matrix<S> times(const Matrix<S>& a, const Matrix<S>& b);
template <class S>
Matrix<S> adjoint(const Matrix<S>& a);
template <class S>
Matrix<Real> magnitudes(const Matrix<S>& a);
template <class S>
Matrix<S> leading(const Matrix<S>& a, Index rows, Index columns);
template <class S>
Matrix<S> triangle(const Matrix<S>& a, bool upper);  // with its diagonal, zeros beyond
template <class S>
Matrix<S> identity(Index n);
template <class S>
Matrix<S> scaled(Matrix<S> a, const Matrix<Real>& columns);  // column j times element j
template <class S>
Real norm(const Matrix<S>& a);  // Frobenius
template <class S>
bool finite(const Matrix<S>& a);  // no NaN and nothing beyond the range of binary64

// A NaN is no agreement.
void expect_within(Real error, Real allowed, const char* what);
// |x - y| <= allowed in the Frobenius norm, and with an allowance for each element.
template <class S>
void expect_near(const Matrix<S>& x, const Matrix<S>& y, Real allowed, const char* what);
template <class S>
void expect_each_near(const Matrix<S>& x, const Matrix<S>& y, const Matrix<Real>& size, Real unit, const char* what);
template <class S>
void expect_orthonormal(const Matrix<S>& q, Real unit, const char* what);  // columns of length 1 at right angles

// 30 n u, u the coarser roundoff of Eigen's type and of the oracle's.
template <class S>
Real unit(const Wide& answer, std::int64_t n);

std::int64_t matrices(const Shape&);  // of the last two axes
// Which matrix of the shape `own` meets matrix t of `batch`, to which it broadcasts.
std::int64_t member(std::int64_t t, const Shape& batch, const Shape& own);

// f(call, answer) for each case of the operation that is small enough, with the oracle's answer.
void each_case(std::string_view op, const std::function<void(const Call&, const std::vector<Wide>&)>& f);

// f<S>() with what Eigen computes in beside this type.
template <class F>
void in_scalars(Dtype t, F&& f) {
  if (is_complex(t)) f.template operator()<Complex>();
  else f.template operator()<Real>();
}

// The systems of a call of solve or solve_triangular: f(A, B, X) for each that is finite.
template <class F>
void each_system(const Call& c, const Wide& answer, F&& f) {
  const Dtype type = output_specs(c)[0].dtype;
  const Wide a = widen_as(c[0], type), b = widen_as(c[1], type);
  const Shape &of_a = c.shape(0), &of_b = c.shape(1);
  const bool vector = of_b.size() == 1;
  const std::int64_t n = of_a.back(), k = vector ? 1 : of_b.back();
  const Shape own_a(of_a.begin(), of_a.end() - 2), own_b(of_b.begin(), of_b.end() - (vector ? 1 : 2));
  const Shape batch = broadcast(c.op->name, own_a, own_b);
  for (std::int64_t t = 0; t < count(batch) && n * k > 0; ++t)
    f(matrix<Real>(a, member(t, batch, own_a)), block<Real>(b, member(t, batch, own_b) * n * k, n, k),
      block<Real>(answer, t * n * k, n, k));
}

}  // namespace plumb::opinion
