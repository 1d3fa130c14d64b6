#include "core/formula.h"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include "core/gate.h"

namespace plumb {
namespace {

struct Formulas {
  std::map<std::string_view, FormulaText> all;
  std::mutex lock;
};

Formulas& formulas() {
  static Formulas* f = new Formulas;  // never taken apart: the process ends
  return *f;
}

FormulaText formula_of(std::string_view op) {
  const std::lock_guard hold(formulas().lock);
  const auto it = formulas().all.find(op);
  return it == formulas().all.end() ? nullptr : it->second;
}

// A call of a step for a question of dispatch: its inputs hold nothing yet.
Call question(const Program::Step& s, const std::vector<Tensor>& in) {
  std::vector<std::optional<Spec>> specs;
  for (const Tensor& t : in) specs.emplace_back(t.spec());
  Call call{make_request(*s.op, std::move(specs), s.attrs), in};
  call.in.resize(s.op->inputs.size());
  return call;
}

Tensor number_tensor(const Number& n, Dtype t) { return tensor(t, {}, {n.value}); }

// f(call) for each step, before there are any data.
template <class F>
void each_step(const Call& c, F&& f) {
  const Program p = program_of(c);
  follow(p, program_inputs(p, c, c.in), number_tensor, [&](std::size_t i, const std::vector<Tensor>& in) {
    const Call step = question(p.steps[i], in);
    f(step);
    std::vector<Tensor> out;
    for (const Spec& s : output_specs(step)) out.emplace_back(s);
    return out;
  });
}

const Route& route_of(const Call& step, const Device& device) {
  if (device.tier != Tier::unavailable)
    for (const Route& r : routes(*step.op))
      if (r.needs != Tier::unavailable && refusal(r, step, device).empty()) return r;
  return *select(step, Device()).route;
}

bool same_sums(const Order& a, const Order& b) {
  return a.shape == b.shape && a.lanes == b.lanes && a.block == b.block && a.split == b.split && a.tree == b.tree;
}

Dtype narrower(Dtype a, Dtype b) { return info(b).precision < info(a).precision ? b : a; }
std::optional<Dtype> narrower(std::optional<Dtype> a, std::optional<Dtype> b) {
  return a && b ? narrower(*a, *b) : a ? a : b;
}

// An order that allows for sums of both: the one that they have, else term after term, with the joins of lanes and
// chunks that may be more than there are terms.
Order both(const Order& a, const Order& b) {
  const bool same = same_sums(a, b);
  Order o = same ? a : Order();
  o.prologue = std::max(a.prologue, b.prologue);
  if (!same) {
    o.prologue += 2;
    for (const Order& x : {a, b}) {
      std::int64_t lanes = x.lanes;
      for (; lanes > 1; lanes /= 2) ++o.prologue;
      o.prologue += static_cast<int>(x.split);
    }
  }
  o.accumulator = narrower(a.accumulator, b.accumulator);
  o.function_ulps = std::max(a.function_ulps, b.function_ulps);
  o.epilogue = std::max(a.epilogue, b.epilogue);
  o.fma = a.fma && b.fma;
  o.reciprocal = a.reciprocal || b.reciprocal, o.truncating = a.truncating || b.truncating;
  o.partial = narrower(a.partial, b.partial), o.input_rounding = narrower(a.input_rounding, b.input_rounding);
  return o;
}

}  // namespace

void set_formula(std::string_view op, FormulaText text) {
  const std::lock_guard hold(formulas().lock);
  formulas().all[op] = text;
}

bool has_formula(std::string_view op) { return formula_of(op) != nullptr; }

Program program_of(const Request& r) {
  const FormulaText text = formula_of(r.op->name);
  if (!text) throw std::logic_error(std::string(r.op->name) + " has no formula");
  return parse_program(text(r), r.op->name, r.attrs);
}

std::vector<Spec> formula_infer(const Request& r) {
  const Program p = program_of(r);
  std::vector<Spec> inputs;
  for (const std::optional<Spec>& s : program_inputs(p, r, r.specs)) inputs.push_back(s.value());
  return infer(p, inputs);
}

Cost formula_cost(const Call& c) {
  Cost all{0, input_bytes(c) + output_bytes(c)};
  each_step(c, [&](const Call& step) { all.flops += cost(step).flops; });
  return all;
}

Job eager(const Call& c, const Device& device) {
  const auto p = std::make_shared<const Program>(program_of(c));
  const auto jobs = std::make_shared<std::vector<Job>>();
  const auto run_step = [jobs](std::size_t i) { (*jobs)[i].launch(), (*jobs)[i].wait(); };
  std::vector<Tensor> out =
      follow(*p, program_inputs(*p, c, c.in), number_tensor, [&](std::size_t i, const std::vector<Tensor>& in) {
        const Call step = make_call(*p->steps[i].op, in, p->steps[i].attrs);
        const Route& r = route_of(step, device);
        jobs->push_back(r.prepare(step, output_specs(step)));
        // What is bound to a device is bound with its contents: they must be there.
        if (device.tier != Tier::unavailable) run_step(i);
        return jobs->back().fetch();
      });
  const auto launch = [p, jobs, run_step] {
    for (std::size_t i = 0; i < jobs->size(); ++i) in_step(*p, i, [&] { run_step(i); });
  };
  return {launch, [] {}, [out = std::move(out)] { return out; }};
}

Order eager_order(const Call& c, const Device& device) {
  std::optional<Order> sums, functions;
  each_step(c, [&](const Call& step) {
    using Class = Tolerance::Class;
    const Class kind = step.op->tolerance.of(step);
    if (kind == Class::exact || kind == Class::rounded) return;
    const Order o = order_of(route_of(step, device), step);
    std::optional<Order>& known = kind == Class::function ? functions : sums;
    known = known ? both(*known, o) : o;
  });
  Order plain;  // nothing but operations that are rounded once
  plain.accumulator = output_specs(c)[0].dtype == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  if (sums && sums->shape == Order::Shape::exact) sums = plain;  // a step is stored, and so rounded, all the same
  if (!functions || !sums) return sums ? *sums : functions.value_or(plain);
  sums->accumulator = narrower(sums->accumulator, functions->accumulator);
  sums->function_ulps = std::max(sums->function_ulps, functions->function_ulps);
  return *sums;
}

}  // namespace plumb
