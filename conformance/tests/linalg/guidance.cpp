// What docs/guidance.md advises, with the figures that it states: systems are solved and not inverted, a Gram matrix
// that is nearly singular factors with a jitter, and a vector for each matrix of a batch has an axis of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "cli/families.h"
#include "core/fill.h"
#include "core/route.h"

namespace plumb {
namespace {

using ::testing::HasSubstr;

struct Guidance : testing::Test {
  static void SetUpTestSuite() { install_families(); }
};

const Device& device_of(const Route& r) {
  static const Device none;
  return r.needs == Tier::unavailable ? none : current_device();
}

std::vector<double> values(const Tensor& t) {
  std::vector<double> v;
  const Wide w = widen(t);
  std::visit(
      [&]<class T>(const Array<T>& a) {
        if constexpr (!std::is_same_v<T, Complex>)
          for (const T& x : a.data) v.push_back(static_cast<double>(x));
      },
      w);
  return v;
}

// ||b - A x|| / (||A|| ||x||) in units of the roundoff, infinity norms, the residual in long double.
double backward_error(const Tensor& a, const Tensor& b, const Tensor& x) {
  const std::vector<double> m = values(a), r = values(b), y = values(x);
  const auto n = static_cast<std::size_t>(b.size());
  long double most = 0, size = 0, length = 0;
  for (std::size_t i = 0; i < n; ++i) {
    long double left = r[i], row = 0;
    for (std::size_t j = 0; j < n; ++j) {
      left -= static_cast<long double>(m[i * n + j]) * y[j];
      row += std::abs(m[i * n + j]);
    }
    most = std::max(most, std::abs(left));
    size = std::max(size, row);
    length = std::max<long double>(length, std::abs(y[i]));
  }
  return static_cast<double>(most / (size * length)) / info(x.dtype()).unit_roundoff();
}

struct System {
  const char* what;
  Dtype type;
  const char* fill;
  std::int64_t n;
};
constexpr System kSystems[] = {{"singular values to 1e-6", Dtype::f32, "spectrum-1000000", 24},
                               {"singular values to 1e-6", Dtype::f32, "spectrum-1000000", 100},
                               {"one singular value of 1e-6", Dtype::f32, "cluster-1000000", 60},
                               {"Hilbert's matrix", Dtype::f32, "hilbert", 6},
                               {"singular values to 1e-14", Dtype::f64, "spectrum-100000000000000", 24},
                               {"singular values to 1e-14", Dtype::f64, "spectrum-100000000000000", 100},
                               {"one singular value of 1e-14", Dtype::f64, "cluster-100000000000000", 60},
                               {"Hilbert's matrix", Dtype::f64, "hilbert", 11}};

// The worst of several right sides.
double error_of_solve(const Route& r, const Tensor& a, const std::vector<Tensor>& right) {
  double worst = 0;
  for (const Tensor& b : right) worst = std::max(worst, backward_error(a, b, run(make_call("solve", {a, b}), r)[0]));
  return worst;
}
double error_of_inverse(const Tensor& a, const std::vector<Tensor>& right) {
  const Tensor inverse = run(make_call("inv", {a}))[0];
  double worst = 0;
  for (const Tensor& b : right)
    worst = std::max(worst, backward_error(a, b, run(make_call("matmul", {inverse, b}))[0]));
  return worst;
}

TEST_F(Guidance, SolveHasASmallerBackwardErrorThanTheInverse) {
  const Op& op = find_op("solve");
  for (const System& s : kSystems) {
    const Tensor a = fill({s.type, {s.n, s.n}}, s.fill, 13);
    std::vector<Tensor> right;
    // b = A x of an ordinary x, rounded: a right side that is none of these has a solution as large as the inverse,
    // beside which a residual is small
    for (std::uint64_t key = 1; key <= 8; ++key) {
      const Call product = make_call("matmul", {a, fill({s.type, {s.n}}, "uniform", key)});
      right.push_back(run(product, find_route(*product.op, kReference))[0]);
    }
    const double inverse = error_of_inverse(a, right);
    for (const Route& r : routes(op)) {
      if (r.name == kReference || !refusal(r, make_call(op, {a, right[0]}), device_of(r)).empty()) continue;
      const double solve = error_of_solve(r, a, right);
      std::printf("%s, %s, n = %d, %s: solve %.2g u, inv(A) b %.2g u\n", s.what, std::string(name(s.type)).c_str(),
                  static_cast<int>(s.n), std::string(r.name).c_str(), solve, inverse);
      EXPECT_LT(solve, 30) << s.what << "@" << r.name;
      EXPECT_GT(inverse, 10 * solve) << s.what << "@" << r.name;
    }
  }
}

// G G^T of n points that differ little, as of a kernel of wide length: positive definite, but not after rounding.
Tensor gram(Dtype t, std::int64_t n, double jitter) {
  std::vector<double> a;
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      const double d = static_cast<double>(i - j) / static_cast<double>(n);
      a.push_back(std::exp(-d * d / 2) + (i == j ? jitter : 0));
    }
  return tensor(t, {n, n}, a);
}

TEST_F(Guidance, JitterMakesAGramMatrixFactor) {
  const Op& op = find_op("cholesky");
  for (const Dtype t : {Dtype::f32, Dtype::f64})
    for (const std::int64_t n : {12, 40}) {
      if (n == 12 && t == Dtype::f64) continue;  // it has digits to spare
      // n u |A|, and |A| is n at most: what roundings may make of an eigenvalue of 0
      const double jitter = static_cast<double>(n * n) * info(t).unit_roundoff();
      for (const Route& r : routes(op)) {
        const Call bare = make_call(op, {gram(t, n, 0)}), mended = make_call(op, {gram(t, n, jitter)});
        if (!refusal(r, bare, device_of(r)).empty()) continue;
        SCOPED_TRACE(std::string(r.name) + " n = " + std::to_string(n));
        if (r.name != kReference) {  // which rounds to nothing
          EXPECT_THROW(run(bare, r), Error);
        }
        const std::vector<double> l = values(run(mended, r)[0]);
        double least = 1;
        for (std::int64_t i = 0; i < n; ++i) least = std::min(least, l[static_cast<std::size_t>(i * (n + 1))]);
        std::printf("Gram matrix, %s, n = %d, %s: jitter %.2g, least pivot %.2g\n", std::string(name(t)).c_str(),
                    static_cast<int>(n), std::string(r.name).c_str(), jitter, least * least);
        EXPECT_GT(least, 0);
      }
    }
}

TEST_F(Guidance, ABatchedSolveOfVectorsNamesTheAxisThatIsMissing) {
  const Tensor a = fill({Dtype::f32, {8, 4, 4}}, "spectrum-10", 1), b = fill({Dtype::f32, {8, 4}}, "uniform", 2);
  try {
    make_call("solve", {a, b});
    FAIL() << "a matrix of columns, or a vector for each: nobody knows";
  } catch (const Error& e) {
    EXPECT_EQ(e.reason(), Reason::rank);
    EXPECT_THAT(e.what(), HasSubstr("[8,4,1]"));
  }
  const Call call = make_call("solve", {a, b.view({8, 4, 1}, {4, 1, 1})});
  for (const Route& r : routes(*call.op)) {
    if (!refusal(r, call, device_of(r)).empty()) continue;
    const Tensor x = run(call, r)[0];
    for (std::int64_t t = 0; t < 8; ++t)
      EXPECT_LT(backward_error(a.view({4, 4}, {4, 1}, 16 * t), b.view({4}, {1}, 4 * t), x.view({4}, {1}, 4 * t)), 30)
          << r.name;
  }
}

}  // namespace
}  // namespace plumb
