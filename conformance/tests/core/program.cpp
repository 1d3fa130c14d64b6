// Programs: what a text means, what it is written as, what its steps give, and who is told of a fault.
#include "core/program.h"

#include <gtest/gtest.h>

#include "core/route.h"

namespace plumb {
namespace {

std::string canonical(std::string_view source, const Attrs& attrs = {}) {
  return text(parse_program(source, "p", attrs));
}

// What the call throws.
template <class F>
std::string thrown(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing";
}

std::string refused(std::string_view source, const Attrs& attrs = {}) {
  return thrown([&] { (void)parse_program(source, "p", attrs); });
}

TEST(Program, OperatorsAreRowsAndBindAsInArithmetic) {
  EXPECT_EQ(canonical("y = a + b*c"), "t = multiply(b, c); y = add(a, t)");
  EXPECT_EQ(canonical("y = (a + b)*c"), "t = add(a, b); y = multiply(t, c)");
  EXPECT_EQ(canonical("y = a - b - c"), "t = subtract(a, b); y = subtract(t, c)") << "from the left";
  EXPECT_EQ(canonical("y = a/b*c"), "t = divide(a, b); y = multiply(t, c)");
  EXPECT_EQ(canonical("y = -a*b"), "t = negative(a); y = multiply(t, b)");
  EXPECT_EQ(canonical("y = --a + b"), "y = add(a, b)");
  EXPECT_EQ(canonical("d = a - b; y = d*d"), "d = subtract(a, b); y = multiply(d, d)") << "one step, used twice";
}

TEST(Program, NumbersOfNumbersAreNumbers) {
  EXPECT_EQ(canonical("y = 1/4*a"), "y = multiply(0.25, a)");
  EXPECT_EQ(canonical("y = a*(2 + 3)"), "y = multiply(a, 5)");
  EXPECT_EQ(canonical("y = a - 2.5e-1"), "y = subtract(a, 0.25)");
  EXPECT_EQ(canonical("y = a*-2.0"), "y = multiply(a, -2.0)");
  EXPECT_EQ(canonical("y = power(a, 1/p)", {{"p", 4}}), "y = power(a, 0.25)");
  EXPECT_EQ(canonical("y = a + eps", {{"eps", 1e-6}}), "y = add(a, 1e-06)");
}

TEST(Program, ACalledRowTakesOverAttributesAndReductionsKeepTheirDims) {
  EXPECT_EQ(canonical("y = sum(a)"), "y = sum(a, keepdims=true)");
  EXPECT_EQ(canonical("y = sum(a)", {{"axis", 1}}), "y = sum(a, axis=1, keepdims=true)");
  EXPECT_EQ(canonical("y = sum(a, axis=none, keepdims=false)", {{"axis", 1}}), "y = sum(a, axis=none, keepdims=false)");
  EXPECT_EQ(canonical("y = sum(a, axis=at)", {{"at", 2}}), "y = sum(a, axis=2, keepdims=true)");
  EXPECT_EQ(canonical("y = exp(a)", {{"axis", 1}}), "y = exp(a)") << "which has none";
}

TEST(Program, AFlagChoosesAndTheOtherBranchLeavesNothing) {
  const std::string_view source = "y = full ? exp(a) + 3 : b";
  EXPECT_EQ(canonical(source, {{"full", true}}), "t = exp(a); y = add(t, 3)");
  EXPECT_EQ(canonical("y = c*(full ? exp(a) + 3 : b)", {{"full", false}}), "y = multiply(c, b)");
  EXPECT_EQ(parse_program("y = c*(full ? exp(a) + 3 : b)", "p", {{"full", false}}).numbers.size(), 0U);
  EXPECT_NE(refused("y = full ? a : ", {{"full", true}}), "nothing") << "it is read all the same";
}

TEST(Program, OutputsHaveNames) {
  const Program p = parse_program("q, r = qr(a); y = matmul(q, r)", "p");
  ASSERT_EQ(p.steps.size(), 2U);
  EXPECT_EQ(p.steps[1].in, (std::vector<Value>{{0, 0}, {0, 1}}));
  const Program two = parse_program("a = g*b; b = g*c", "p", {}, {"a", "b"});
  EXPECT_EQ(two.outputs, (std::vector<Value>{{0, 0}, {1, 0}}));
  EXPECT_EQ(two.inputs, (std::vector<std::string>{"g", "b", "c"})) << "b was an input before it was an output";
}

TEST(Program, TextIsTheInverse) {
  const Attrs attrs = {{"axis", -1}, {"eps", 1e-8}, {"full", true}};
  for (const char* source :
       {"y = tanh(matmul(x, w) + b)", "d = x - t; out = mean(d*d, axis=none, keepdims=false)",
        "y = a - exp(b); y = y*y; y = y + a", "z = x - max(x); y = z - log(sum(exp(z)))", "q, r = qr(a); y = r + 0.5",
        "y = full ? maximum(v, eps) : v", "w = w - 0.1*g; y = w*w", "t = a*b; u = (a + b)*t", "y = 1e300*a - 7/2"}) {
    const Program p = parse_program(source, "p", attrs);
    EXPECT_TRUE(parse_program(text(p), "p") == p) << source << "\n" << text(p);
    EXPECT_EQ(text(parse_program(text(p), "p")), text(p));
  }
}

TEST(Program, InfersStepByStep) {
  const Program p = parse_program("z = x - max(x); y = log(sum(exp(z))) - 1.5", "p", {{"axis", 1}});
  EXPECT_EQ(infer(p, {{Dtype::f16, {3, 5}}}), (std::vector<Spec>{{Dtype::f16, {3, 1}}}));
  EXPECT_EQ(infer(p, {{Dtype::f32, {7, 9, 2}}}), (std::vector<Spec>{{Dtype::f32, {7, 1, 2}}})) << "the same program";
  const Program whole = parse_program("y = x*2 + 1", "p"), half = parse_program("y = x*0.5", "p");
  EXPECT_EQ(infer(whole, {{Dtype::u8, {4}}})[0].dtype, Dtype::u8);
  EXPECT_EQ(infer(whole, {{Dtype::boolean, {4}}})[0].dtype, Dtype::i32);
  EXPECT_EQ(infer(half, {{Dtype::u8, {4}}})[0].dtype, Dtype::f32);
  EXPECT_EQ(infer(half, {{Dtype::bf16, {4}}})[0].dtype, Dtype::bf16);
}

TEST(Program, AnErrorNamesTheStep) {
  const Program p = parse_program("h = matmul(x, w); y = h + b", "mlp_step");
  EXPECT_EQ(thrown([&] {
              infer(p, {{Dtype::f32, {2, 3}}, {Dtype::f32, {3, 4}}, {Dtype::f32, {5}}});
            }),
            "[add] shape: [2,4] and [5] do not broadcast (step 2 of mlp_step: y = add(h, b))");
  const Program inverse = parse_program("a = x - x; y = inv(a)", "mlp_step");
  const auto run_step = [&](std::size_t i, const std::vector<Tensor>& in) {
    return run(make_call(*inverse.steps[i].op, in, inverse.steps[i].attrs));
  };
  const std::string told = thrown([&] {
    follow(
        inverse, std::vector{tensor(Dtype::f32, {2, 2}, {1, 2, 3, 4})},
        [](const Number& n, Dtype t) { return tensor(t, {}, {n.value}); }, run_step);
  });
  EXPECT_TRUE(told.starts_with("[inv] domain: ")) << told;
  EXPECT_TRUE(told.ends_with("(step 2 of mlp_step: y = inv(a))")) << told;
}

TEST(Program, RefusesWhatTheGrammarDoesNotHave) {
  EXPECT_EQ(refused("y = a +"), "[p] query: column 8 of its text: a name is missing");
  EXPECT_EQ(refused("y = (a"), "[p] query: column 7 of its text: ')' is missing");
  EXPECT_EQ(refused("y = a b"), "[p] query: column 7 of its text: 'b' does not belong here");
  EXPECT_EQ(refused("y"), "[p] query: column 2 of its text: '=' is missing");
  EXPECT_EQ(refused(""), "[p] query: column 1 of its text: a name is missing");
  EXPECT_EQ(refused("y = 3"), "[p] query: column 6 of its text: 'y' is a number and no step");
  EXPECT_EQ(refused("y = 1.2.3*a"), "[p] query: column 10 of its text: '1.2.3' is no number");
  EXPECT_EQ(refused("y, z = exp(a)"), "[p] query: column 14 of its text: exp has 1 outputs");
  EXPECT_EQ(refused("y = exp(a, b)"), "[p] query: column 14 of its text: exp takes 1 inputs");
  EXPECT_EQ(refused("y = a ? b : c"), "[p] query: column 8 of its text: 'a' is no attribute that is true or false");
  EXPECT_EQ(refused("y = a*mode", {{"mode", "mean"}}),
            "[p] query: column 11 of its text: the attribute 'mode' is no number");
  EXPECT_EQ(refused("y = sum(axis=1, a)"), "[p] query: column 17 of its text: inputs stand before attributes");
  EXPECT_EQ(refused("y = exp(a, axis=1)"), "[p] attribute: 'axis' is not an attribute of exp");
  EXPECT_TRUE(refused("y = sofmax(a)").starts_with("[p] query: column 14 of its text: no op is named 'sofmax'"));
  EXPECT_EQ(refused("y = " + std::string(100, '(') + "a"), "[p] query: column 69 of its text: too deep");
  EXPECT_EQ(thrown([] { (void)parse_program("y = a*b", "p", {}, {"z"}); }),
            "[p] query: column 8 of its text: no statement names the output 'z'");
}

}  // namespace
}  // namespace plumb
