// Signatures: what the text means, what is wrong with one, what a call is told, and the rejections that follow from the
// rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "cli/families.h"
#include "conformance/check.h"
#include "core/signature.h"

namespace plumb {
namespace {

using ::testing::HasSubstr;

class Signatures : public testing::Test {
 protected:
  static void SetUpTestSuite() { install_families(); }
};

constexpr Dtype f32 = Dtype::f32, f16 = Dtype::f16, i32 = Dtype::i32;

std::string told(const std::function<void()>& f) {
  try {
    f();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "";
}

std::string told(const char* text, const char* types, const Specs& in) {
  return told([&] { (void)match("op", parse_signature(text, types), in); });
}

std::vector<Spec> outputs(const char* text, const char* types, const Specs& in, const Reduction& r = {}) {
  const Signature s = parse_signature(text, types);
  return outputs_of("op", s, match("op", s, in), r);
}

constexpr const char* kLinear = "features T[N,A], weight T[C,A], bias? U[C] -> out P[N,C]";
constexpr const char* kLinearTypes = "T, U: f16 f32; P = promote(T, U)";

TEST(SignatureText, SaysInputsOutputsTypesAndCounts) {
  const Signature s = parse_signature("x T[N,4], (a i32[M], b? T[*B,M])?, n i32[2] counts N -> y T[N+M,8N,3]",
                                      "T: f16 f32; N+2M, N < 2^31");
  ASSERT_EQ(s.inputs.size(), 4U);
  EXPECT_EQ(s.inputs[0].text, "[N,4]");
  EXPECT_EQ(s.inputs[1].marked, "a?");
  EXPECT_EQ(s.inputs[1].group, s.inputs[2].group);
  EXPECT_EQ(s.inputs[0].group, 0U);
  EXPECT_EQ(s.inputs[3].counts, 'N');
  EXPECT_EQ(counted(s, 'N'), &s.inputs[0]);
  ASSERT_EQ(s.limits.size(), 2U);
  EXPECT_EQ(s.limits[0].text, "N+2M");
  EXPECT_EQ(s.rule('T')->words, "f16 or f32");
  EXPECT_EQ(s.outputs[0].shapes[0][1].terms, (std::vector<Axis::Term>{{8, 'N'}}));
}

TEST(SignatureText, WhatIsWrongIsToldWithItsColumn) {
  const auto wrong = [](const char* text, const char* types = "T: f32") {
    return told([&] { (void)parse_signature(text, types); });
  };
  EXPECT_EQ(wrong("x T[N -> y T[N]"), "signature, column 7: ']' is missing");
  EXPECT_EQ(wrong("x T[N]"), "signature, column 7: '->' is missing");
  EXPECT_EQ(wrong("x T[N] -> y"), "signature, column 12: a name is missing");
  EXPECT_EQ(wrong("x U[N] -> y T[N]"), "signature, column 4: the type U is not declared");
  EXPECT_EQ(wrong("x f33[N] -> y T[N]"), "signature, column 6: 'f33' is no dtype");
  EXPECT_EQ(wrong("x T[N+1] -> y T[N]"), "signature, column 6: ']' is missing");
  EXPECT_EQ(wrong("x T[2N] -> y T[N]"), "signature, column 7: an input has numbers and letters alone");
  EXPECT_EQ(wrong("x T[T] -> y T[N]"), "signature, column 6: T is a type");
  EXPECT_EQ(wrong("x T[N,...] -> y T[N]"), "signature, column 10: '...' comes first");
  EXPECT_EQ(wrong("x T[*A,*B] -> y T[N]"), "signature, column 10: a second axis of any number");
  EXPECT_EQ(wrong("x T[N], x T[N] -> y T[N]"), "signature, column 10: 'x' is there twice");
  EXPECT_EQ(wrong("(x T[N], z T[N]) -> y T[N]"), "signature, column 18: '?' is missing");
  EXPECT_EQ(wrong("x T[N], n i32[1] counts M -> y T[N]"), "signature: 'n' counts M, the first axis of no input");
  EXPECT_EQ(wrong("x T[N] -> y T[N], z T[N] extra"), "signature, column 26: ',' or the end is missing");
  EXPECT_EQ(wrong("x T[N] -> y T[N]", "T: f32 f99"), "types, column 11: 'f99' is no dtype and no word for several");
  EXPECT_EQ(wrong("x T[N] -> y T[N]", "T f32"), "types, column 3: ':' is missing");
  EXPECT_EQ(wrong("x T[N] -> y T[N]", "T: f32; P = promote(T, U)"), "types, column 25: U is not declared before");
  EXPECT_EQ(wrong("x T[N] -> y T[N]", "T: f32; P = narrow(T)"),
            "types, column 13: promote, float, accumulator, part or number is missing");
  EXPECT_EQ(wrong("x T[N] -> y T[N]", "T: f32; T: f16"), "types, column 10: a second declaration");
  EXPECT_EQ(wrong("x T[N] -> y T[N]", "T: f32; U: f16"), "types: U is declared and not used");
  EXPECT_EQ(wrong("x T[N] -> y T[N]", "T: f32; N < 5"), "types, column 11: '< 2^31' is missing");
}

TEST_F(Signatures, ABadOneFailsWhereRowsAreInstalledWithTheOpAndTheColumn) {
  Op op = find_op("reciprocal");
  op.signature = "x T[*S] - out F[*S]";
  EXPECT_EQ(told([&] { install({op}, {}); }), "the row of reciprocal is wrong: signature, column 9: '->' is missing");
  install_families();
}

TEST(SignatureMatch, LettersThatRepeatAgree) {
  const Spec x{f32, {4, 3}}, w{f32, {5, 3}}, b{f16, {5}};
  EXPECT_EQ(outputs(kLinear, kLinearTypes, {x, w, b}), (std::vector<Spec>{{f32, {4, 5}}}));
  EXPECT_EQ(outputs(kLinear, kLinearTypes, {Spec{f16, {4, 3}}, Spec{f16, {5, 3}}}), (std::vector<Spec>{{f16, {4, 5}}}));
  EXPECT_EQ(outputs(kLinear, kLinearTypes, {Spec{f16, {4, 3}}, Spec{f16, {5, 3}}, Spec{f32, {5}}})[0].dtype, f32);
  EXPECT_EQ(told(kLinear, kLinearTypes, {x, Spec{f32, {5, 4}}, b}), "[op] shape: weight [5,4]: A is 3 in features");
  EXPECT_EQ(told(kLinear, kLinearTypes, {x, w, Spec{f32, {6}}}), "[op] shape: bias [6]: C is 5 in weight");
  EXPECT_EQ(told(kLinear, kLinearTypes, {x, Spec{f16, {5, 3}}}), "[op] dtype: weight f16: T is f32 in features");
  EXPECT_EQ(told(kLinear, kLinearTypes, {x, w, Spec{i32, {5}}}), "[op] dtype: bias i32: U is f16 or f32");
  EXPECT_EQ(told(kLinear, kLinearTypes, {Spec{f32, {12}}, w}), "[op] rank: features [12]: not [N,A]");
}

TEST(SignatureMatch, TypesAreAskedFirstThenRanksThenSizes) {
  const char* text = "a f32[N], b i32[N] -> c f32[N]";
  EXPECT_EQ(told(text, "", {Spec{f32, {2, 2}}, Spec{f32, {3}}}), "[op] dtype: b f32: not i32");
  EXPECT_EQ(told(text, "", {Spec{f32, {2}}, Spec{i32, {3, 1}}}), "[op] rank: b [3,1]: not [N]");
  EXPECT_EQ(told(text, "", {Spec{f32, {2}}, Spec{i32, {3}}}), "[op] shape: b [3]: N is 2 in a");
  EXPECT_EQ(told("a f32[N,4] -> c f32[N]", "", {Spec{f32, {2, 5}}}), "[op] shape: a [2,5]: not [N,4]");
}

TEST(SignatureMatch, AxesThatBroadcastAndAxesThatMayBeMissing) {
  const char *text = "a T[...,M?,K], b U[...,K,N?] -> out P[...,M?,N?]",
             *types = "T, U: all; P = promote(T, U): floats c64";
  const auto shape = [&](const Shape& a, const Shape& b) {
    return outputs(text, types, {Spec{f32, a}, Spec{f32, b}})[0].shape;
  };
  EXPECT_EQ(shape({3}, {3}), Shape{});
  EXPECT_EQ(shape({2, 3}, {3}), Shape{2});
  EXPECT_EQ(shape({3}, {3, 4}), Shape{4});
  EXPECT_EQ(shape({2, 3}, {3, 4}), (Shape{2, 4}));
  EXPECT_EQ(shape({7, 1, 2, 3}, {5, 3, 4}), (Shape{7, 5, 2, 4}));
  EXPECT_EQ(told(text, types, {Spec{f32, {}}, Spec{f32, {3}}}), "[op] rank: a []: not [...,M?,K]");
  EXPECT_EQ(told(text, types, {Spec{f32, {2, 2, 3}}, Spec{f32, {3, 3, 4}}}),
            "[op] shape: [2] and [3] do not broadcast");
  EXPECT_EQ(told(text, types, {Spec{i32, {3}}, Spec{i32, {3}}}),
            "[op] dtype: the result would be i32: P is floats or c64");
}

TEST(SignatureMatch, AnyNumberOfAxesAgree) {
  const char* text = "w u32[*B,M,W], s f32[*B,M,G], g? f32[*S] -> y f32[*B,W]";
  EXPECT_EQ(outputs(text, "", {Spec{Dtype::u32, {7, 2, 3}}, Spec{f32, {7, 2, 9}}})[0].shape, (Shape{7, 3}));
  EXPECT_EQ(told(text, "", {Spec{Dtype::u32, {7, 2, 3}}, Spec{f32, {2, 9}}}), "[op] shape: s [2,9]: *B is [7] in w");
  EXPECT_EQ(told(text, "", {Spec{Dtype::u32, {3}}, Spec{f32, {2, 9}}}), "[op] rank: w [3]: not [*B,M,W]");
}

TEST(SignatureMatch, ChoicesAreTakenTogether) {
  const char* two = "w f32[A,B | A,B,C], v f32[A,B | A,B,C] -> y f32[B | C,A]";
  EXPECT_EQ(outputs(two, "", {Spec{f32, {2, 3}}, Spec{f32, {2, 3}}})[0].shape, Shape{3});
  EXPECT_EQ(outputs(two, "", {Spec{f32, {2, 3, 4}}, Spec{f32, {2, 3, 4}}})[0].shape, (Shape{4, 2}));
  EXPECT_EQ(told(two, "", {Spec{f32, {2, 3}}, Spec{f32, {2, 3, 4}}}),
            "[op] rank: v [2,3,4]: not [A,B | A,B,C], choice 1");
}

TEST(SignatureMatch, SumsLimitsAndReductions) {
  const char *text = "a f32[N], b f32[M] -> y f32[N+2M+1]", *types = "N+2M < 2^31";
  EXPECT_EQ(outputs(text, types, {Spec{f32, {3}}, Spec{f32, {4}}})[0].shape, Shape{12});
  const std::int64_t half = std::int64_t{1} << 30;
  EXPECT_EQ(told(text, types, {Spec{f32, {half - 1}}, Spec{f32, {half / 2}}}), "");
  EXPECT_EQ(told(text, types, {Spec{f32, {half}}, Spec{f32, {half / 2}}}),
            "[op] memory: N+2M is 2147483648, not below 2^31");
  EXPECT_EQ(told(text, types, {Spec{f32, {1}}, Spec{f32, {std::int64_t{1} << 62}}}),
            "[op] memory: N+2M is beyond 2^63, not below 2^31");
  const char* sum = "a T[...] -> out S[... over axis]";
  const char* kinds = "T: all; S = accumulator(T)";
  const auto reduced = [&](const Reduction& r) { return outputs(sum, kinds, {Spec{Dtype::i8, {2, 3, 4}}}, r)[0]; };
  EXPECT_EQ(reduced({{1}, false}), (Spec{i32, {2, 4}}));
  EXPECT_EQ(reduced({{0, 2}, true}), (Spec{i32, {1, 3, 1}}));
  const auto follows = [](const char* rule, Dtype t) {
    return outputs("x T[] -> out R[]", rule, {Spec{t, {}}})[0].dtype;
  };
  for (const DtypeInfo& t : all_dtypes()) {
    EXPECT_EQ(follows("T: all; R = part(T)", t.dtype), t.dtype == Dtype::c64 ? Dtype::f32 : t.dtype);
    EXPECT_EQ(follows("T: all; R = number(T)", t.dtype), t.dtype == Dtype::boolean ? Dtype::u8 : t.dtype);
  }
}

TEST(SignatureMatch, WhatInferGivesMustAgreeWithTheInputs) {
  const Signature s = parse_signature("a f32[N], b? f32[B] -> y f32[B,R]", "");
  const Specs in{Spec{f32, {3}}, Spec{f32, {4}}};
  Letters l = match("op", s, in);
  give("op", s, in, l, 'R', 7);
  give("op", s, in, l, 'B', 4);
  EXPECT_EQ(outputs_of("op", s, l, {})[0].shape, (Shape{4, 7}));
  EXPECT_EQ(told([&] { give("op", s, in, l, 'B', 5); }), "[op] shape: b [4]: B is 5");
  Letters open = match("op", s, in);
  EXPECT_EQ(told([&] { (void)outputs_of("op", s, open, {}); }), "nothing says what R is among the outputs of op");
}

std::string told(const char* op, std::vector<std::optional<Spec>> in, Attrs attrs = {}) {
  return told([&] { (void)output_specs(make_request(find_op(op), std::move(in), std::move(attrs))); });
}

TEST_F(Signatures, TheGateUsesTheSameWordsInEveryOp) {
  const Spec coords{i32, {5, 4}}, count{i32, {1}}, x{f32, {5, 3}};
  EXPECT_EQ(told("linear", {x, Spec{f32, {5, 4}}}), "[linear] shape: weight [5,4]: A is 3 in features");
  EXPECT_EQ(told("linear", {x}), "[linear] arity: input 'weight' is missing");
  EXPECT_EQ(told("linear", {x, x, x, x}), "[linear] arity: takes at most 3 inputs, got 4");
  EXPECT_EQ(told("prune_mask", {coords, count, x, Spec{Dtype::boolean, {4}}}),
            "[prune_mask] shape: mask [4]: N is 5 in coords");
  EXPECT_EQ(told("crop", {coords, Spec{Dtype::i64, {1}}, x}), "[crop] dtype: active_rows i64: not i32");
  EXPECT_EQ(told("knn_relation", {coords, count, coords}),
            "[knn_relation] arity: inputs 'query_coords' and 'query_active_rows' come together");
  EXPECT_EQ(told("add", {Spec{f32, {3}}, Spec{f32, {4}}}), "[add] shape: [3] and [4] do not broadcast");
  EXPECT_EQ(told("softmax", {Spec{Dtype::c64, {3}}}), "[softmax] dtype: a c64: T is bool, integers or floats");
  EXPECT_EQ(told("sum", {x}, {{"keepdims", 1}}), "[sum] attribute: 'keepdims' must be true or false, got 1");
  EXPECT_EQ(told("global_sum_pool_vjp", {coords, count, x, x}, {{"batch_size", 2}}),
            "[global_sum_pool_vjp] shape: cotangent [5,3]: B is 2");
}

// The axes and types of an output as its signature has them, as far as the inputs say.
void expect_fits(const Op& op, const Case& c, const Request& r, const std::vector<Spec>& outputs) {
  const Signature& s = *op.parsed;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Parameter& p = s.outputs[i];
    const auto choice = choice_of(p, outputs[i].shape.size());
    const bool varies =
        std::any_of(p.shapes[0].begin(), p.shapes[0].end(), [](const Axis& a) { return a.kind != Axis::Kind::size; });
    if (!p.variable) {
      EXPECT_EQ(outputs[i].dtype, p.dtype) << id(op, c) << " " << p.name;
    }
    if (varies) continue;
    ASSERT_TRUE(choice.has_value()) << id(op, c) << " " << p.name;
    const Axes& axes = p.shapes[*choice];
    for (std::size_t d = 0; d < axes.size(); ++d) {
      const Axis& a = axes[d];
      if (a.letter && !r.letters->size(a.letter)) continue;
      if (!a.letter && !a.terms.empty()) continue;
      EXPECT_EQ(outputs[i].shape[d], a.letter ? r.size(a.letter) : a.constant) << id(op, c) << " " << p.name;
    }
  }
}

TEST_F(Signatures, WhatEveryOperationGivesFitsItsSignature) {
  for (const Op& op : ops()) {
    ASSERT_TRUE(op.parsed) << op.name << " has no signature";
    std::set<std::string> seen;
    for (const Case& c : op.cases()) {
      if (c.budget != Budget::smoke || seen.size() > 200 || !seen.insert(id(op, c)).second) continue;
      const Call call = make_call(op, hollow(c), c.attrs);
      expect_fits(op, c, call, output_specs(call));
    }
  }
}

// Done when 5 of the house: at least 5 000 over all operations, none without.
TEST_F(Signatures, RejectionsFollowFromEveryRowAndAreRefusedForTheirReason) {
  std::size_t all = 0;
  for (const Op& op : ops()) {
    const std::vector<Reject> derived = rejects_of_signature(op);
    EXPECT_FALSE(derived.empty()) << op.name;
    all += derived.size();
    for (const Reject& r : derived) {
      const std::optional<Verdict> v = judge_gate(op, r);
      ASSERT_TRUE(v.has_value()) << id(op, r.call) << " was accepted: " << r.why;
      EXPECT_EQ(v->status, Status::pass) << id(op, r.call) << ": " << v->reason;
    }
  }
  EXPECT_GE(all, 5000U);
}

// Of an operation that takes letters, fixed sizes, an optional input and a count, by hand.
TEST_F(Signatures, WhatFollowsIsEachFaultOnce) {
  const Op& op = find_op("batch_norm");
  std::set<std::string> whys;
  for (const Reject& r : rejects_of_signature(op)) whys.insert(std::string(name(r.reason)) + " " + r.why);
  for (const char* why :
       {"arity features is missing", "arity one input too many", "dtype features: f64", "dtype active_rows: i64",
        "dtype weight: f16", "dtype T is bf16", "rank features: rank 1", "rank features: rank 3", "rank weight: rank 0",
        "rank weight: rank 2", "shape active_rows: axis 0 is 2", "shape active_rows: axis 0 is 0",
        "attribute eps is a number", "attribute no_such_attribute is not one"})
    EXPECT_TRUE(whys.contains(why)) << why;
  EXPECT_FALSE(whys.contains("arity bias is missing"));
  for (const std::string& why : whys)
    EXPECT_FALSE(why.starts_with("shape features: axis 0")) << why << ": N stands once";
}

}  // namespace
}  // namespace plumb
