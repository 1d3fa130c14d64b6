// Defects of the library that these operations conform to, as its specification lists them: each with the right answer,
// on every route.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "cli/families.h"
#include "core/family.h"
#include "core/fill.h"
#include "core/route.h"
#include "core/signature.h"

namespace plumb {
namespace {

using ::testing::HasSubstr;

struct Upstream : testing::Test {
  static void SetUpTestSuite() { install_families(); }
};

// f(route) for each route that takes the call here, of which there are two at least.
template <class F>
void on_every_route(const Call& call, F&& f) {
  static const Device none;
  int asked = 0;
  for (const Route& r : routes(*call.op)) {
    if (!refusal(r, call, r.needs == Tier::unavailable ? none : current_device()).empty()) continue;
    SCOPED_TRACE(std::string(call.op->name) + "@" + std::string(r.name));
    f(r);
    ++asked;
  }
  EXPECT_GE(asked, 2) << call.op->name;
}

std::vector<double> values(const Tensor& t) { return reals(widen(t)).data; }

// They came out conjugated.
TEST_F(Upstream, EigenvectorsOfAComplexMatrixAreNotConjugated) {
  constexpr std::int64_t n = 6;
  const Tensor a = fill({Dtype::c64, {n, n}}, "uniform", 3);
  const Wide in = widen(a);
  const Call call = make_call("eig", {a});
  on_every_route(call, [&](const Route& r) {
    const std::vector<Tensor> out = run(call, r);
    const Wide w = widen(out[0]), v = widen(out[1]);
    for (std::int64_t j = 0; j < n; ++j) {
      double right = 0, conjugated = 0;
      for (std::int64_t i = 0; i < n; ++i) {
        Complex s = 0, c = 0;
        for (std::int64_t k = 0; k < n; ++k) {
          s += complexes(in)[i * n + k] * complexes(v)[k * n + j];
          c += complexes(in)[i * n + k] * std::conj(complexes(v)[k * n + j]);
        }
        right += std::norm(s - complexes(w)[j] * complexes(v)[i * n + j]);
        conjugated += std::norm(c - complexes(w)[j] * std::conj(complexes(v)[i * n + j]));
      }
      EXPECT_LT(std::sqrt(right), 1e-5) << j;
      EXPECT_GT(std::sqrt(conjugated), 1e-2) << j;
    }
  });
}

// A mask for each matrix of a batch cleared one copy of the operand that all of them share.
TEST_F(Upstream, MasksOfABatchDoNotClearASharedOperand) {
  constexpr std::int64_t n = 64, batch = 3;
  const Tensor a = fill({Dtype::f32, {n, n}}, "int-3", 1), b = fill({Dtype::f32, {n, n}}, "int-3", 2);
  const Tensor mask = tensor(Dtype::boolean, {batch, 2, 2}, {1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 0, 0});
  const Tensor none;
  const Attrs blocks{{"block_size", 32}};
  const Tensor many = b.view({batch, n, n}, {0, n, 1});
  const Call call = make_call("block_masked_mm", {a, many, none, mask, none}, blocks);
  on_every_route(call, [&](const Route& r) {
    const std::vector<double> got = values(run(call, r)[0]), x = values(a), y = values(b);
    ASSERT_EQ(got.size(), static_cast<std::size_t>(batch * n * n));
    for (std::int64_t t = 0, at = 0; t < batch; ++t)
      for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < n; ++j, ++at) {
          double sum = 0;
          for (std::int64_t p = 0; p < n; ++p)
            if (mask.read<std::uint8_t>()[t * 4 + i / 32 * 2 + p / 32] != 0)
              sum += x[static_cast<std::size_t>(i * n + p)] * y[static_cast<std::size_t>(p * n + j)];
          ASSERT_EQ(got[static_cast<std::size_t>(at)], sum) << t << " " << i << " " << j;
        }
  });
}

// Of every row that takes one array of square matrices. Some crashed, some refused, some left what was there.
TEST_F(Upstream, MatricesOfNoRowsHaveAnAnswer) {
  int rows = 0;
  for (const Op& op : ops()) {
    const std::vector<Parameter>& in = op.parsed->inputs;
    const bool square = in.size() == 1 && in[0].shapes[0].size() == 3 && in[0].shapes[0][0].kind == Axis::Kind::pack;
    if (!wing_of(op.name).starts_with("linalg") || !square) continue;
    ++rows;
    for (const Shape& s : {Shape{0, 0}, Shape{2, 0, 0}, Shape{0, 3, 3}}) {
      const Call call = make_call(op, {Tensor(Spec{Dtype::f32, s})});
      on_every_route(call, [&](const Route& r) {
        const std::vector<Tensor> out = run(call, r);
        const std::vector<Spec> want = output_specs(call);
        for (std::size_t i = 0; i < want.size(); ++i) EXPECT_EQ(out[i].spec(), want[i]) << to_string(s);
      });
    }
  }
  EXPECT_GT(rows, 15);
}

// What LAPACK left behind came out, without a word.
TEST_F(Upstream, AnIndefiniteMatrixHasNoCholeskyFactor) {
  for (const Dtype t : {Dtype::f32, Dtype::f64})
    for (const bool upper : {false, true}) {
      const Tensor a = tensor(t, {2, 2, 2}, {2, 1, 1, 2, 1, 2, 2, 1});
      const Call call = make_call("cholesky", {a}, {{"upper", upper}});
      on_every_route(call, [&](const Route& r) {
        try {
          run(call, r);
          ADD_FAILURE() << "no error";
        } catch (const Error& e) {
          EXPECT_EQ(e.reason(), Reason::domain);
          EXPECT_THAT(e.what(), HasSubstr("matrix 1"));
          EXPECT_THAT(e.what(), HasSubstr("pivot 1"));
        }
      });
    }
}

// Mapped over a batch, the triangle was forgotten: the inverse was that of the whole matrix.
TEST_F(Upstream, InversesOfTrianglesOfABatchAreOfTheNamedOne) {
  constexpr std::int64_t n = 5, batch = 4;
  for (const bool upper : {false, true}) {
    const Tensor a = fill({Dtype::f32, {batch, n, n}}, upper ? "upper" : "lower", 9);
    const Call call = make_call("tri_inv", {a}, {{"upper", upper}});
    on_every_route(call, [&](const Route& r) {
      const std::vector<double> x = values(run(call, r)[0]), m = values(a);
      const auto beyond = [&](std::int64_t i, std::int64_t j) { return upper ? i > j : i < j; };
      for (std::int64_t t = 0; t < batch; ++t)
        for (std::int64_t i = 0; i < n; ++i)
          for (std::int64_t j = 0; j < n; ++j) {
            double sum = 0;
            for (std::int64_t k = 0; k < n; ++k)
              if (!beyond(i, k))
                sum +=
                    m[static_cast<std::size_t>((t * n + i) * n + k)] * x[static_cast<std::size_t>((t * n + k) * n + j)];
            EXPECT_NEAR(sum, i == j ? 1 : 0, 1e-5) << t << " " << i << " " << j;
            if (beyond(i, j)) {
              EXPECT_EQ(x[static_cast<std::size_t>((t * n + i) * n + j)], 0);
            }
          }
    });
  }
}

}  // namespace
}  // namespace plumb
