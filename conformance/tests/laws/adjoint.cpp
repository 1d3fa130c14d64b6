// Derivatives of linear ops against the ops themselves, on whole numbers, where every sum is exact: for
// Y = P(x_1, x_2, ...), linear in each, and any G, <Y,G> = <x_j, gradient of x_j>, and the tangent of Y along
// (t_1, t_2, ...) has <dY,G> = sum <t_j, gradient of x_j>. Rows are found by their names: OP, OP_vjp, OP_jvp.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "cli/families.h"
#include "conformance/check.h"
#include "core/fill.h"

namespace plumb {
namespace {

using Values = std::map<std::string, Tensor>;

const Op* row(const std::string& name) {
  const auto at = std::find_if(ops().begin(), ops().end(), [&](const Op& op) { return op.name == name; });
  return at == ops().end() ? nullptr : &*at;
}

// The op that a gradient is of: its name says it, or its inputs beside the cotangent and its attributes do.
const Op* primal_of(const Op& vjp) {
  if (const Op* named = row(std::string(vjp.name.substr(0, vjp.name.size() - 4)))) return named;
  std::vector<std::string_view> inputs = vjp.inputs;
  std::erase(inputs, "cotangent");
  const auto names = [](const Op& op) {
    std::set<std::string_view> all;
    for (const auto& [name, value] : op.attrs) all.insert(name);
    return all;
  };
  const auto at = std::find_if(ops().begin(), ops().end(), [&](const Op& op) {
    return op.inputs == inputs && names(op) == names(vjp) && op.outputs == std::vector<std::string_view>{"out"};
  });
  return at == ops().end() ? nullptr : &*at;
}

// The inputs of a case by name, with whole numbers for whatever is differentiated.
Values values_of(const Op& op, const Case& c) {
  const std::vector<Tensor> in = realize(op, c);
  Values v;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (!in[i].defined()) continue;
    v[std::string(input_name(op.inputs[i]))] =
        is_inexact(in[i].dtype()) ? fill(in[i].spec(), "int-3", hash(id(op, c)) + i) : in[i];
  }
  return v;
}

Call call_of(const Op& op, const Values& values, const Attrs& attrs) {
  std::vector<Tensor> in;
  for (const std::string_view name : op.inputs) {
    const auto at = values.find(std::string(input_name(name)));
    in.push_back(at == values.end() ? Tensor() : at->second);
  }
  Attrs known;
  for (const auto& [name, value] : attrs)
    if (op.attrs.find(name)) known.set(name, value);
  return make_call(op, in, known);
}

Reals numbers(const Wide& w) {  // those of f64 are whole, so that doubles hold them
  const auto* wide = std::get_if<Reals2>(&w);
  if (!wide) return reals(w);
  Reals x(wide->shape);
  for (std::int64_t i = 0; i < x.size(); ++i) x[i] = (*wide)[i].hi;
  return x;
}

double dot(const Reals& a, const Reals& b) {
  double sum = 0;
  for (std::size_t i = 0; i < std::min(a.data.size(), b.data.size()); ++i) sum += a.data[i] * b.data[i];
  return sum;
}

// The one inexact output, without rows that are not active.
Reals result(const Call& call) {
  const std::vector<Wide> wide = call.op->oracle(call);
  std::vector<Tensor> out;
  const std::vector<Spec> specs = output_specs(call);
  for (std::size_t i = 0; i < wide.size(); ++i) out.push_back(narrow(wide[i], specs[i].dtype));
  for (std::size_t i = 0; i < out.size(); ++i)
    if (is_inexact(specs[i].dtype)) {
      Reals y = numbers(wide[i]);
      const Shape part = active(call, out)[i].shape();
      y.data.resize(static_cast<std::size_t>(count(part)));
      y.shape = part;
      return y;
    }
  ADD_FAILURE() << call.op->name << " has no inexact output";
  return Reals();
}

std::map<std::string, Reals> gradients(const Call& vjp) {
  const std::vector<Wide> out = vjp.op->oracle(vjp);
  std::map<std::string, Reals> g;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::string name(vjp.op->outputs[i]);
    if (name.starts_with("grad_")) g[name.substr(5)] = numbers(out[i]);
  }
  return g;
}

// The families whose rows are linear in every input that they have a gradient for.
std::vector<const Op*> linear_vjps() {
  std::vector<const Op*> all;
  for (const Op& op : ops())
    if (op.name.ends_with("_vjp") && (op.name.find("conv") != op.name.npos || op.name.starts_with("pointwise")))
      all.push_back(&op);
  return all;
}

class Adjoint : public testing::Test {
 protected:
  static void SetUpTestSuite() { install_families(); }
};

TEST_F(Adjoint, AGradientIsTheTransposeOfItsOp) {
  for (const Op* vjp : linear_vjps()) {
    const Op* primal = primal_of(*vjp);
    ASSERT_NE(primal, nullptr) << vjp->name;
    std::int64_t compared = 0;
    for (const Case& c : cases_of(*vjp, Budget::ci)) {
      const Values values = values_of(*vjp, c);
      const Reals y = result(call_of(*primal, values, c.attrs));
      const double forward = dot(y, numbers(widen(values.at("cotangent"))));
      for (const auto& [name, gradient] : gradients(call_of(*vjp, values, c.attrs))) {
        if (!values.contains(name)) continue;  // of an input that the op adds, not one that it is linear in
        EXPECT_EQ(forward, dot(gradient, numbers(widen(values.at(name))))) << id(*vjp, c) << " " << name;
        compared += forward != 0;
      }
    }
    EXPECT_GT(compared, 20) << vjp->name;
  }
}

TEST_F(Adjoint, ATangentIsTheTransposeOfTheGradients) {
  std::int64_t compared = 0;
  for (const Op* vjp : linear_vjps()) {
    const Op* jvp = row(std::string(vjp->name.substr(0, vjp->name.size() - 4)) + "_jvp");
    if (!jvp) continue;
    for (const Case& c : cases_of(*jvp, Budget::ci)) {
      Values values = values_of(*jvp, c);
      const Reals dy = result(call_of(*jvp, values, c.attrs));
      values["cotangent"] = fill({values.at("features").dtype(), dy.shape}, "int-3", hash(id(*jvp, c)));
      double backward = 0;
      for (const auto& [name, gradient] : gradients(call_of(*vjp, values, c.attrs)))
        if (const auto t = values.find("tangent_" + name); t != values.end())
          backward += dot(gradient, numbers(widen(t->second)));
      EXPECT_EQ(dot(dy, numbers(widen(values.at("cotangent")))), backward) << id(*jvp, c);
      compared += backward != 0;
    }
  }
  EXPECT_GT(compared, 100);
}

}  // namespace
}  // namespace plumb
