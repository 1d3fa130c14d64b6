// Eigen's products beside the oracles of matmul, addmm, inner, outer, vecdot and kron.
#include "conformance/tests/linalg/eigen/opinion.h"

namespace plumb::opinion {
namespace {

// |x - A B| <= 30 k u |A| |B| elementwise; where a sum of magnitudes leaves the range of an oracle's type, nothing is
// said of it.
template <class S>
bool expect_product(const Matrix<S>& a, const Matrix<S>& b, const Matrix<S>& x, const Wide& answer) {
  if (!finite(a) || !finite(b)) return false;
  const Matrix<Real> size = times(magnitudes(a), magnitudes(b));
  for (Index i = 0; i < size.size(); ++i)
    if (!(size.data()[i] < 0x1p1000)) return false;
  expect_each_near(x, times(a, b), size, unit<S>(answer, a.cols() + 1), "product");
  return true;
}

// An operand as matrices: a vector is a row on the left and a column on the right.
struct Side {
  Wide values;
  Shape batch;
  std::int64_t rows, columns;
  Side(const Tensor& t, Dtype type, bool left) : values(widen_as(t, type)) {
    const Shape& s = t.shape();
    rows = s.size() > 1 ? s[s.size() - 2] : left ? 1 : s[0];
    columns = s.size() > 1 || left ? s.back() : 1;
    if (s.size() > 2) batch.assign(s.begin(), s.end() - 2);
  }
  template <class S>
  Matrix<S> at(std::int64_t t, const Shape& all) const {
    return block<S>(values, member(t, all, batch) * rows * columns, rows, columns);
  }
};

TEST(SecondOpinion, OfMatmul) {
  each_case("matmul", [](const Call& c, const std::vector<Wide>& out) {
    const Dtype type = output_specs(c)[0].dtype;
    const Side a(c[0], type, true), b(c[1], type, false);
    const Shape batch = broadcast("matmul", a.batch, b.batch);
    in_scalars(type, [&]<class S>() {
      for (std::int64_t t = 0; t < count(batch); ++t)
        expect_product(a.at<S>(t, batch), b.at<S>(t, batch),
                       block<S>(out[0], t * a.rows * b.columns, a.rows, b.columns), out[0]);
    });
  });
}

// [alpha A, I] [B; beta C]; alpha and beta are rounded to f32 first, as upstream does, and nothing of C is read for 0.
TEST(SecondOpinion, OfAddmm) {
  int compared = 0;
  each_case("addmm", [&](const Call& c, const std::vector<Wide>& out) {
    const Spec result = output_specs(c)[0];
    if (c.rank(1) != 2 || c.rank(2) != 2 || c.shape(0) != result.shape) return;
    const auto alpha = static_cast<float>(c.number("alpha")), beta = static_cast<float>(c.number("beta"));
    in_scalars(result.dtype, [&]<class S>() {
      const Matrix<S> added = matrix<S>(widen_as(c[0], result.dtype), 0),
                      a = matrix<S>(widen_as(c[1], result.dtype), 0), b = matrix<S>(widen_as(c[2], result.dtype), 0);
      Matrix<S> left(a.rows(), a.cols() + a.rows()), right(b.rows() + a.rows(), b.cols());
      left.setZero();
      right.setZero();
      for (Index i = 0; i < a.rows(); ++i) {
        for (Index p = 0; p < a.cols(); ++p) left(i, p) = S(alpha) * a(i, p);
        left(i, a.cols() + i) = 1;
        for (Index j = 0; j < b.cols() && beta != 0; ++j) right(b.rows() + i, j) = S(beta) * added(i, j);
      }
      right.topRows(b.rows()) = b;
      compared += expect_product(left, right, matrix<S>(out[0], 0), out[0]);
    });
  });
  EXPECT_GT(compared, 9);
}

// Sums over the last axes of both; all other axes of a, then those of b.
TEST(SecondOpinion, OfInner) {
  each_case("inner", [](const Call& c, const std::vector<Wide>& out) {
    const Dtype type = output_specs(c)[0].dtype;
    if (c.rank(0) == 0 || c.rank(1) == 0 || c.shape(0).back() == 0) return;
    const std::int64_t k = c.shape(0).back(), m = c[0].size() / k, n = c[1].size() / k;
    in_scalars(type, [&]<class S>() {
      Matrix<S> b = block<S>(widen_as(c[1], type), 0, n, k);
      b.transposeInPlace();
      expect_product(block<S>(widen_as(c[0], type), 0, m, k), b, block<S>(out[0], 0, m, n), out[0]);
    });
  });
}

TEST(SecondOpinion, OfOuter) {
  each_case("outer", [](const Call& c, const std::vector<Wide>& out) {
    const Dtype type = output_specs(c)[0].dtype;
    if (!is_inexact(type)) return;
    const std::int64_t m = c[0].size(), n = c[1].size();
    in_scalars(type, [&]<class S>() {
      expect_product(block<S>(widen_as(c[0], type), 0, m, 1), block<S>(widen_as(c[1], type), 0, 1, n),
                     block<S>(out[0], 0, m, n), out[0]);
    });
  });
}

// Of two arrays of one shape along their last axis.
TEST(SecondOpinion, OfVecdot) {
  each_case("vecdot", [](const Call& c, const std::vector<Wide>& out) {
    const Dtype type = output_specs(c)[0].dtype;
    if (!is_inexact(type) || c.shape(0) != c.shape(1) || c.axis() != c.rank(0) - 1 || c[0].size() == 0) return;
    const std::int64_t k = c.shape(0).back();
    in_scalars(type, [&]<class S>() {
      const Wide a = widen_as(c[0], type), b = widen_as(c[1], type);
      for (std::int64_t t = 0; t < c[0].size() / k; ++t)
        expect_product(adjoint(block<S>(a, t * k, k, 1)), block<S>(b, t * k, k, 1), block<S>(out[0], t, 1, 1), out[0]);
    });
  });
}

// Element (i r + p, j s + q) of the product of two matrices is a_ij b_pq.
TEST(SecondOpinion, OfKron) {
  int compared = 0;
  each_case("kron", [&](const Call& c, const std::vector<Wide>& out) {
    const Dtype type = output_specs(c)[0].dtype;
    if (!is_inexact(type) || c.rank(0) != 2 || c.rank(1) != 2 || out.empty()) return;
    in_scalars(type, [&]<class S>() {
      const Matrix<S> a = matrix<S>(widen_as(c[0], type), 0), b = matrix<S>(widen_as(c[1], type), 0),
                      x = matrix<S>(out[0], 0);
      ASSERT_EQ(x.size(), a.size() * b.size());
      Matrix<S> pairs(a.size(), b.size());
      for (Index i = 0; i < a.size(); ++i)
        for (Index p = 0; p < b.size(); ++p)
          pairs(i, p) = x(i / a.cols() * b.rows() + p / b.cols(), i % a.cols() * b.cols() + p % b.cols());
      compared += expect_product(block<S>(widen_as(c[0], type), 0, a.size(), 1),
                                 block<S>(widen_as(c[1], type), 0, 1, b.size()), pairs, out[0]);
    });
  });
  EXPECT_GT(compared, 9);
}

}  // namespace
}  // namespace plumb::opinion
