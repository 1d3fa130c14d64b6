#include "conformance/tests/linalg/eigen/opinion.h"

#include <algorithm>
#include <limits>

#include "cli/families.h"
#include "conformance/check.h"

namespace plumb::opinion {
namespace {

constexpr std::int64_t kElements = 1300;  // of all inputs: larger cases would ask nothing else of an oracle

template <class S>
S element(const Wide& w, std::int64_t i) {
  return std::visit(
      [&]<class T>(const Array<T>& a) -> S {
        if constexpr (std::is_same_v<T, Complex>) {
          if constexpr (std::is_same_v<S, Complex>) return a[i];
          else throw std::logic_error("a complex element of a real matrix");
        } else if constexpr (std::is_same_v<T, Double2>) {
          if constexpr (std::is_same_v<S, Complex>) return a[i].hi;
          else return static_cast<Real>(a[i].hi) + static_cast<Real>(a[i].lo);
        } else {
          if constexpr (std::is_same_v<S, Complex>) return static_cast<double>(a[i]);
          else return static_cast<Real>(a[i]);
        }
      },
      w);
}

template <class S>
void expect_same_shape(const Matrix<S>& x, const Matrix<S>& y, const char* what) {
  ASSERT_EQ(x.rows(), y.rows()) << what;
  ASSERT_EQ(x.cols(), y.cols()) << what;
}

}  // namespace

template <class S>
Matrix<S> block(const Wide& w, std::int64_t at, std::int64_t rows, std::int64_t columns) {
  Matrix<S> m(rows, columns);
  for (std::int64_t i = 0; i < rows * columns; ++i) m(i / columns, i % columns) = element<S>(w, at + i);
  return m;
}

template <class S>
Matrix<S> matrix(const Wide& w, std::int64_t t) {
  const Shape s = shape_of(w);
  const std::int64_t rows = s[s.size() - 2], columns = s.back();
  return block<S>(w, t * rows * columns, rows, columns);
}

template <class S>
Matrix<S> times(const Matrix<S>& a, const Matrix<S>& b) {
  return a * b;
}
template <class S>
Matrix<S> adjoint(const Matrix<S>& a) {
  return a.adjoint();
}
template <class S>
Matrix<Real> magnitudes(const Matrix<S>& a) {
  Matrix<Real> all(a.rows(), a.cols());
  for (Index i = 0; i < a.size(); ++i) all.data()[i] = static_cast<Real>(std::abs(a.data()[i]));
  return all;
}
template <class S>
Matrix<S> leading(const Matrix<S>& a, Index rows, Index columns) {
  return a.topLeftCorner(rows, columns);
}
template <class S>
Matrix<S> triangle(const Matrix<S>& a, bool upper) {
  Matrix<S> t = Matrix<S>::Zero(a.rows(), a.cols());
  for (Index i = 0; i < a.rows(); ++i)
    for (Index j = 0; j < a.cols(); ++j)
      if (upper ? j >= i : j <= i) t(i, j) = a(i, j);
  return t;
}
template <class S>
Matrix<S> identity(Index n) {
  return Matrix<S>::Identity(n, n);
}
template <class S>
Matrix<S> scaled(Matrix<S> a, const Matrix<Real>& columns) {
  for (Index i = 0; i < a.rows(); ++i)
    for (Index j = 0; j < a.cols(); ++j) {
      if constexpr (std::is_same_v<S, Complex>) a(i, j) *= static_cast<double>(columns(j));
      else a(i, j) *= columns(j);
    }
  return a;
}
template <class S>
Real norm(const Matrix<S>& a) {
  Real sum = 0;
  for (Index i = 0; i < a.size(); ++i) {
    const Real x = static_cast<Real>(std::abs(a.data()[i]));
    sum += x * x;
  }
  return std::sqrt(sum);
}
template <class S>
bool finite(const Matrix<S>& a) {
  for (Index i = 0; i < a.size(); ++i)
    if (!(std::abs(a.data()[i]) <= std::numeric_limits<double>::max())) return false;
  return true;
}

void expect_within(Real error, Real allowed, const char* what) {
  EXPECT_TRUE(error <= allowed) << what << ": " << static_cast<double>(error) << ", allowed "
                                << static_cast<double>(allowed);
}

template <class S>
void expect_near(const Matrix<S>& x, const Matrix<S>& y, Real allowed, const char* what) {
  expect_same_shape(x, y, what);
  const Real n = static_cast<Real>(x.size());
  expect_within(norm(Matrix<S>(x - y)), allowed + n * Real(0x1p-1074), what);
}

template <class S>
void expect_each_near(const Matrix<S>& x, const Matrix<S>& y, const Matrix<Real>& size, Real unit, const char* what) {
  expect_same_shape(x, y, what);
  const Real n = static_cast<Real>(x.rows() + x.cols());
  for (Index i = 0; i < x.size(); ++i)
    expect_within(static_cast<Real>(std::abs(x.data()[i] - y.data()[i])), unit * size.data()[i] + n * Real(0x1p-1074),
                  what);
}

template <class S>
void expect_orthonormal(const Matrix<S>& q, Real unit, const char* what) {
  expect_near(times(adjoint(q), q), identity<S>(q.cols()), unit * std::sqrt(static_cast<Real>(q.cols())), what);
}

template <class S>
Real unit(const Wide& answer, std::int64_t n) {
  const bool wide = std::is_same_v<S, Real> && std::holds_alternative<Reals2>(answer);
  const Real u = wide ? std::numeric_limits<Real>::epsilon() / 2 : Real(0x1p-53);
  return 30 * static_cast<Real>(std::max<std::int64_t>(n, 1)) * u;
}

std::int64_t matrices(const Shape& s) { return count(Shape(s.begin(), s.end() - 2)); }

std::int64_t member(std::int64_t t, const Shape& batch, const Shape& own) {
  std::int64_t at = 0, step = 1;
  for (std::size_t back = 1; back <= batch.size(); ++back) {
    const std::int64_t extent = batch[batch.size() - back], i = t % extent;
    t /= extent;
    if (back > own.size()) continue;
    at += (own[own.size() - back] == 1 ? 0 : i) * step;
    step *= own[own.size() - back];
  }
  return at;
}

void each_case(std::string_view name, const std::function<void(const Call&, const std::vector<Wide>&)>& f) {
  install_families();
  const Op& op = find_op(name);
  int asked = 0;
  for (const Case& c : cases_of(op, Budget::ci)) {
    std::int64_t elements = 0;
    for (const auto& in : c.in) elements += in ? count(in->shape) : 0;
    if (elements > kElements) continue;
    SCOPED_TRACE(id(op, c));
    const Call call = make_call(op, realize(op, c), c.attrs);
    f(call, op.oracle(call));
    ++asked;
    if (testing::Test::HasFailure()) return;  // the first one says it
  }
  EXPECT_GT(asked, 9) << name;
}

#define PLUMB_FOR(S)                                                                                          \
  template Matrix<S> block(const Wide&, std::int64_t, std::int64_t, std::int64_t);                            \
  template Matrix<S> matrix(const Wide&, std::int64_t);                                                       \
  template Matrix<S> times(const Matrix<S>&, const Matrix<S>&);                                               \
  template Matrix<S> adjoint(const Matrix<S>&);                                                               \
  template Matrix<Real> magnitudes(const Matrix<S>&);                                                         \
  template Matrix<S> leading(const Matrix<S>&, Index, Index);                                                 \
  template Matrix<S> triangle(const Matrix<S>&, bool);                                                        \
  template Matrix<S> identity(Index);                                                                         \
  template Matrix<S> scaled(Matrix<S>, const Matrix<Real>&);                                                  \
  template Real norm(const Matrix<S>&);                                                                       \
  template bool finite(const Matrix<S>&);                                                                     \
  template void expect_near(const Matrix<S>&, const Matrix<S>&, Real, const char*);                           \
  template void expect_each_near(const Matrix<S>&, const Matrix<S>&, const Matrix<Real>&, Real, const char*); \
  template void expect_orthonormal(const Matrix<S>&, Real, const char*);                                      \
  template Real unit<S>(const Wide&, std::int64_t);
PLUMB_FOR(Real)
PLUMB_FOR(Complex)
#undef PLUMB_FOR

}  // namespace plumb::opinion
