// Rows of text: values handed on unrounded, bounds that enclose honest rounding and little more, errors that name
// steps.
#include "core/formula.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/device.h"
#include "core/gate.h"
#include "core/unrounded.h"

namespace plumb {
namespace {

double first(const Wide& w) {
  if (const auto* pairs = std::get_if<Reals2>(&w)) return (*pairs)[0].hi;
  return std::get<Reals>(w)[0];
}

Call loss(std::string_view op, Dtype t, const std::vector<double>& a, const std::vector<double>& b, Attrs attrs) {
  const Shape s{static_cast<std::int64_t>(a.size())};
  return make_call(op, {tensor(t, s, a), tensor(t, s, b)}, std::move(attrs));
}

TEST(Formula, AnUnroundedTensorIsWidenedToWhatItWas) {
  const Tensor x = tensor(Dtype::bf16, {1}, {257}), other = tensor(Dtype::bf16, {1}, {257});
  EXPECT_EQ(first(widen(x)), 256);
  {
    const std::vector<Tensor> tensors{x};
    const std::vector<Wide> values{Reals({1}, 257)};
    const Unrounded known(tensors, values);
    EXPECT_EQ(first(widen(x)), 257);
    EXPECT_EQ(first(widen_as(x, Dtype::f32)), 257);
    EXPECT_EQ(first(widen_as(x, Dtype::f64)), 257);
    EXPECT_EQ(first(widen_as(x, Dtype::f16)), 257) << "rounded to a type that is not wider, from the value";
    EXPECT_EQ(first(widen(other)), 256) << "another tensor of the same value";
    EXPECT_EQ(first(widen(x.view({1}, {-1}))), 256) << "another view of it";
  }
  EXPECT_EQ(first(widen(x)), 256);
}

TEST(Formula, NothingIsRoundedBetweenTheStepsOfAnOracle) {
  const Call c = loss("mse_loss", Dtype::bf16, {256}, {-1}, {{"reduction", "none"}});
  EXPECT_EQ(first(c.op->oracle(c)[0]), 257 * 257) << "257 is none of bf16";
  const Call third = loss("mse_loss", Dtype::f32, {1, 0, 0}, {0, 0, 0}, {});
  EXPECT_EQ(first(third.op->oracle(third)[0]), 1.0 / 3);
}

double allowed(const Call& c, const Order& order) {
  return c.op->tolerance.bound(c, c.op->oracle(c), order)[0][0].error;
}

TEST(Formula, ABoundEnclosesEachStepAndLittleMore) {
  const Order order = find_route(find_op("mse_loss"), "cpu.eager")
                          .order(loss("mse_loss", Dtype::f32, {0.1}, {-0.7}, {{"reduction", "none"}}));
  const double u = 0x1p-24;
  const Call near = loss("mse_loss", Dtype::f32, {0.1}, {-0.7}, {{"reduction", "none"}});
  const double value = first(near.op->oracle(near)[0]);
  EXPECT_GT(allowed(near, order), 0);
  EXPECT_LT(allowed(near, order), 3.01 * u * value) << "two of the difference, one of the square";
  const Call whole = loss("mse_loss", Dtype::f32, {3}, {-2}, {{"reduction", "none"}});
  EXPECT_EQ(allowed(whole, order), 0) << "nothing is rounded";
  const Call sums = loss("mse_loss", Dtype::f32, {3, 4, 5}, {-2, 7, 1}, {{"reduction", "sum"}});
  EXPECT_EQ(allowed(sums, order), 0) << "nor in a sum of whole numbers";
}

TEST(Formula, AStepsErrorIsCarriedOn) {
  // log(1 - x) beside x = 1: what 1 - x loses to one rounding is little of it, and much of the target's share of log x.
  const Attrs attrs = {{"reduction", "none"}, {"with_logits", false}};
  const Call c = loss("binary_cross_entropy", Dtype::f32, {0.999f}, {0.5}, attrs);
  const Order order = find_route(*c.op, "cpu.eager").order(c);
  const double value = first(c.op->oracle(c)[0]), u = 0x1p-24;
  EXPECT_LT(allowed(c, order), 16 * u * value);
  EXPECT_GT(allowed(c, order), u * value);
}

TEST(Formula, TheOrdersOfStepsAreJoined) {
  const Tensor x({Dtype::f32, {8, 1000}});
  const Call c = make_call("cosine_similarity_loss", {x, x}, {{"reduction", "mean"}});
  const Order joined = find_route(*c.op, "cpu.eager").order(c);
  const Call sum = make_call("sum", {x}, {{"axis", 1}, {"keepdims", true}});
  const Call mean = make_call("mean", {Tensor({Dtype::f32, {8}})}, {});
  for (const Call* step : {&sum, &mean}) {
    const Order own = order_of(*select(*step, Device()).route, *step);
    for (const std::int64_t n : {1, 3, 8, 1000, 100000}) EXPECT_GE(joined.depth(n), own.depth(n)) << n;
    EXPECT_GE(joined.function_ulps, step == &mean ? 0.0 : own.function_ulps);
  }
  EXPECT_EQ(joined.accumulator, Dtype::f32);
}

std::string told(const Call& c, const Route& r) {
  try {
    (void)run(c, r);
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing";
}

TEST(Formula, AnErrorOfAStepIsTheSameOnEveryRoute) {
  const Call c =
      make_call("nll_loss", {Tensor(tensor(Dtype::f32, {2, 3}, {1, 2, 3, 4, 5, 6})), tensor(Dtype::i32, {2}, {0, 3})});
  const std::string reference = told(c, find_route(*c.op, kReference));
  EXPECT_TRUE(reference.starts_with("[take_along_axis] domain: ")) << reference;
  EXPECT_TRUE(reference.ends_with("(step 2 of nll_loss: t_3 = take_along_axis(x, t_2, axis=-1))")) << reference;
  for (const Route& r : routes(*c.op)) {
    if (!refusal(r, c, device_of(r)).empty()) continue;
    EXPECT_EQ(told(c, r), reference) << r.name;
  }
}

TEST(Formula, EachStepTakesItsNaturalRoute) {
  const Call c = loss("mse_loss", Dtype::f32, {1, 2}, {3, 5}, {});
  const Call step = make_call("subtract", {c[0], c[1]});
  const Route& natural = *select(step, Device()).route;
  const std::int64_t before = times_chosen(natural);
  const std::vector<Tensor> out = run(c, find_route(*c.op, "cpu.eager"));
  EXPECT_EQ(first(widen(out[0])), 6.5);
  EXPECT_GT(times_chosen(natural), before);
}

}  // namespace
}  // namespace plumb
