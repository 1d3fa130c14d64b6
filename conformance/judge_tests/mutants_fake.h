// Two made-up operations and their routes, installed for one test and taken away after it.
//
//   twice   y = 2 x + b, exact; takes one attribute, refuses 7 elements
//   about   y = x within 0.5; two outputs, the second is the first negated
#pragma once

#include <functional>
#include <vector>

#include "core/route.h"

namespace plumb::fake {

// What the route cpu.act of either operation does at each launch: right unless a test says otherwise.
using Act = std::function<void(const Call&, std::vector<Tensor>&)>;
inline Act act;

inline void right(const Call& call, std::vector<Tensor>& out) {
  const auto want = call.op->oracle(call);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Tensor t = narrow(want[i], out[i].dtype());
    std::copy_n(t.read<std::byte>(), t.size() * info(t.dtype()).bytes, out[i].write<std::byte>());
  }
}

inline void acting(const Call& call, std::vector<Tensor>& out) { act ? act(call, out) : right(call, out); }

inline std::vector<Spec> same_spec(const Request& r) {
  if (r.shape(0) == Shape{7}) r.fail(Reason::shape, "7 elements");
  return std::vector<Spec>(r.op->outputs.size(), r.spec(0));
}

inline Case one(std::int64_t n, Budget budget, const std::string& fill = "int-9") {
  return {{Input{Dtype::f32, {n}, Layout::row, fill}}, {}, budget};
}

inline Op twice() {
  Op op;
  op.name = "twice", op.inputs = {"x", "b?"}, op.outputs = {"y"}, op.equation = "y = 2 x + b";
  op.attrs = {{"mode", "plain"}};
  op.infer = same_spec;
  op.oracle = [](const Call& c) -> std::vector<Wide> {
    Reals y = reals(widen_as(c.in[0], Dtype::f32));
    const bool has = c.has(1);
    const Reals b = has ? reals(widen_as(c.in[1], Dtype::f32)) : Reals();
    for (std::int64_t i = 0; i < y.size(); ++i) y[i] = 2 * y[i] + (has ? b[i] : 0);
    return {y};
  };
  op.cases = [] {
    return std::vector<Case>{one(3, Budget::smoke), one(4, Budget::ci), one(3, Budget::smoke), one(5, Budget::nightly)};
  };
  op.rejects = [] { return std::vector<Reject>{{one(7, Budget::smoke), Reason::shape, "seven"}}; };
  op.bench = [] { return std::vector<Case>{}; };
  return op;
}

inline Op about() {
  Op op = twice();
  op.name = "about", op.inputs = {"x"}, op.outputs = {"y", "z"}, op.equation = "y = x, z = -x", op.attrs = {};
  op.oracle = [](const Call& c) -> std::vector<Wide> {
    Reals y = reals(widen(c.in[0])), z = y;
    for (double& v : z.data) v = -v;
    return {y, z};
  };
  op.cases = [] { return std::vector<Case>{one(6, Budget::smoke)}; };
  op.rejects = [] { return std::vector<Reject>{}; };
  op.tolerance.kind = Tolerance::Class::normwise;
  return op;
}

// levels 1 with mu 0.5 allow about the norm of the value itself.
inline Order loose(const Call&) {
  Order o;
  o.levels = 1, o.twiddle_error = 0.25;
  return o;
}

inline std::vector<Route> all_routes_of(std::string_view op) {
  std::vector<Route> all;
  Route r;
  r.op = op, r.order = loose, r.prepare = host<acting>;
  r.name = "gpu.absent", r.needs = r.tier = Tier::gpu;
  all.push_back(r);
  r.needs = r.tier = Tier::unavailable;
  r.name = "cpu.four", r.supports = {{Stage::shape_dtype, "x has not 4 elements",
                                      [](const Call& c, const Device&) { return c.shape(0) == Shape{4}; }}};
  all.push_back(r);
  r.supports.clear(), r.name = "cpu.act";
  all.push_back(r);
  return all;
}

// Installs the two, and what was there before at the end.
class Table {
 public:
  Table() : ops_(ops().begin(), ops().end()) {
    for (const Op& op : ops())
      for (const Route& r : plumb::routes(op))
        if (r.name != kReference) routes_.push_back(r);
    act = nullptr;
    std::vector<Route> routes = all_routes_of("twice");
    for (const Route& r : all_routes_of("about")) routes.push_back(r);
    install({twice(), about()}, std::move(routes));
  }
  ~Table() {
    act = nullptr;
    install(ops_, routes_);
  }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

 private:
  std::vector<Op> ops_;
  std::vector<Route> routes_;
};

}  // namespace plumb::fake
