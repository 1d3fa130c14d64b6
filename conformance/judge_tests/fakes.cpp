#include "conformance/judge_tests/fakes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <new>
#include <stdexcept>

namespace plumb::fakes {
namespace {

Act any_act;
std::map<std::string, std::string> seen;             // values of x of the first call of each shape
std::map<std::string, std::vector<Tensor>> answers;  // of the last call of each shape

std::size_t width(const Tensor& t) { return static_cast<std::size_t>(info(t.dtype()).bytes); }

std::vector<Wide> many_oracle(const Call& call) {
  const Reals x = reals(widen(call.in[0]));
  const Reals y = call.has(1) ? reals(widen(call.in[1])) : Reals(x.shape);
  if (std::find(x.data.begin(), x.data.end(), 13) != x.data.end()) call.fail(Reason::domain, "x holds 13");
  Reals a(x.shape), b(x.shape);
  Unsigneds c(x.shape);
  Complexes d(x.shape);
  Reals2 e(x.shape);
  for (std::int64_t i = 0; i < x.size(); ++i) {
    a[i] = x[i] + y[i], b[i] = x[i] / 3, c[i] = static_cast<std::uint64_t>(i);
    d[i] = Complex(x[i], -y[i]), e[i] = Double2(x[i] - y[i]);
  }
  return {a, b, c, d, e};
}

std::vector<Spec> many_infer(const Request& r) {
  if (r.rank(0) != 1) r.fail(Reason::rank, "x has not one axis");
  if (r.has(1) && r.spec(1) != r.spec(0)) r.fail(Reason::shape, "y is not like x");
  const Shape& s = r.shape(0);
  return {{Dtype::f32, s}, {Dtype::f16, s}, {Dtype::u32, s}, {Dtype::c64, s}, {Dtype::f64, s}};
}

Case two(std::int64_t n, std::string_view fill, Budget budget) {
  Case c = one(n, fill, budget);
  c.in.push_back(Input{Dtype::f32, {n}, Layout::row, "uniform"});
  return c;
}

std::vector<Case> many_cases() {
  return {one(7, "uniform"),
          two(64, "special-4", Budget::smoke),
          two(0, "uniform", Budget::smoke),
          two(33, "uniform", Budget::smoke),
          one(7, "uniform"),  // twice: counted once
          two(kLarge, "uniform", Budget::ci),
          two(20011, "uniform", Budget::nightly)};
}

Op row(std::string_view name, Tolerance::Class kind) {
  Op op;
  op.name = name;
  op.inputs = {"x"}, op.outputs = {"out"};
  op.dtypes = {Dtype::f32};
  op.equation = "see fakes.h";
  op.infer = [](const Request& r) { return std::vector<Spec>{r.spec(0)}; };
  op.cases = [] { return std::vector<Case>{rows(3, 40, "uniform"), rows(2, 3001, "uniform", Budget::ci)}; };
  op.rejects = [] { return std::vector<Reject>{}; };
  op.bench = [] { return std::vector<Case>{}; };
  op.tolerance.kind = kind;
  return op;
}

Op many() {
  Op op = row("many", Tolerance::Class::rounded);
  op.inputs = {"x", "y?"}, op.outputs = {"a", "b", "c", "d", "e"};
  op.attrs = {{"mode", "plain"}};
  op.infer = many_infer, op.oracle = many_oracle, op.cases = many_cases;
  op.rejects = [] {
    return std::vector<Reject>{{rows(2, 3, "uniform"), Reason::rank, "two axes"},
                               {one(5, "const-13"), Reason::domain, "13"}};
  };
  op.bench = [] { return std::vector<Case>{one(100, "uniform"), one(200, "uniform", Budget::ci)}; };
  return op;
}

Op total() {
  Op op = row("total", Tolerance::Class::accumulate);
  op.infer = [](const Request& r) { return std::vector<Spec>{{r.dtype(0), {r.shape(0).at(0)}}}; };
  op.oracle = [](const Call& call) {
    const Reals x = reals(widen(call.in[0]));
    Reals s({x.shape[0]});
    for (std::int64_t i = 0; i < x.size(); ++i) s[i / x.shape[1]] += x[i];
    return std::vector<Wide>{s};
  };
  op.cases = [] {
    std::vector<Case> all;
    for (std::int64_t n = 2; n < 26; ++n) all.push_back(rows(3, n, "uniform"));
    return all;
  };
  op.bench = [] { return std::vector<Case>{rows(2, 9, "uniform")}; };
  op.cost = [](const Call&) { return Cost{1e40, 0}; };  // no machine is that fast
  op.tolerance.terms = [](const Call& call) { return call.shape(0)[1]; };
  return op;
}

Op scaled() {
  Op op = row("scaled", Tolerance::Class::inherited);
  op.oracle = [](const Call& call) {
    Reals x = reals(widen(call.in[0]));
    for (double& v : x.data) v /= 10;
    return std::vector<Wide>{x};
  };
  op.tolerance.bound = [](const Call&, const std::vector<Wide>& want, const Order&) {
    const Reals& x = reals(want[0]);
    Allowances a(x.shape);
    for (std::int64_t i = 0; i < x.size(); ++i) a[i].error = std::abs(x[i]) * 0x1p-12;
    return std::vector<Allowances>{a};
  };
  return op;
}

Op root() {
  Op op = row("root", Tolerance::Class::residual);
  op.oracle = [](const Call& call) {
    Reals x = reals(widen(call.in[0]));
    for (double& v : x.data) v = std::sqrt(std::abs(v));
    return std::vector<Wide>{x};
  };
  op.tolerance.residual = [](const Call& call, const std::vector<Tensor>& got, const Order&) {
    const Reals x = reals(widen(call.in[0])), y = reals(widen(got[0]));
    Deviation d;
    d.compared = y.size();
    for (std::int64_t i = 0; i < y.size(); ++i) {
      const double ratio = std::abs(y[i] * y[i] - std::abs(x[i])) / (std::abs(x[i]) * 0x1p-16);
      if (!(ratio <= d.ratio)) d.ratio = ratio, d.at = i, d.want = std::sqrt(std::abs(x[i])), d.got = y[i];
    }
    return d;
  };
  op.bench = [] {
    return std::vector<Case>{rows(3, 50, "uniform", Budget::ci), rows(3, 9, "uniform", Budget::ci),
                             rows(3, 2, "uniform", Budget::nightly)};
  };
  return op;
}

Op turned() {
  Op op = row("turned", Tolerance::Class::normwise);
  op.infer = [](const Request& r) { return std::vector<Spec>{{Dtype::c64, r.shape(0)}}; };
  op.oracle = [](const Call& call) {
    const Reals x = reals(widen(call.in[0]));
    const std::int64_t n = x.shape[1];
    Complexes y(x.shape);
    for (std::int64_t i = 0; i < x.size(); ++i) y[i] = Complex(x[i / n * n + n - 1 - i % n], 1);
    return std::vector<Wide>{y};
  };
  op.tolerance.axis = [](const Call&) { return std::int64_t{1}; };
  return op;
}

Op pick() {
  Op op = row("pick", Tolerance::Class::index);
  op.infer = [](const Request& r) { return std::vector<Spec>{{Dtype::f32, {r.shape(0).at(0)}}}; };
  op.oracle = [](const Call& call) {
    const Reals x = reals(widen(call.in[0]));
    const std::int64_t n = x.shape[1];
    Reals best({x.shape[0]});
    for (std::int64_t r = 0; r < best.size(); ++r) {
      const auto first = x.data.begin() + r * n;
      best[r] = static_cast<double>(std::max_element(first, first + n) - first);
    }
    return std::vector<Wide>{best};
  };
  op.tolerance.residual = [](const Call& call, const std::vector<Tensor>& got, const Order&) {
    const Reals x = reals(widen(call.in[0])), chosen = reals(widen(got[0]));
    const std::int64_t n = x.shape[1];
    Deviation d;
    d.compared = chosen.size();
    for (std::int64_t r = 0; r < chosen.size(); ++r) {
      const std::vector<double> scores(x.data.begin() + r * n, x.data.begin() + (r + 1) * n);
      const bool inside = chosen[r] >= 0 && chosen[r] < static_cast<double>(n);
      const double ratio =
          inside ? index_ratio(scores, std::vector<double>(scores.size(), 0x1p-10), static_cast<std::size_t>(chosen[r]))
                 : INFINITY;
      if (ratio > d.ratio) d.ratio = ratio, d.at = r, d.got = chosen[r];
    }
    return d;
  };
  return op;
}

Op kept() {
  Op op = row("kept", Tolerance::Class::exact);
  op.outputs = {"rows", "number"};
  op.infer = [](const Request& r) { return std::vector<Spec>{r.spec(0), {Dtype::u32, {1}}}; };
  op.oracle = [](const Call& call) {
    const Reals x = reals(widen(call.in[0]));
    Reals front(x.shape);
    Unsigneds number({1});
    for (const double v : x.data)
      if (v > 0) front[static_cast<std::int64_t>(number[0]++)] = v;
    return std::vector<Wide>{front, number};
  };
  op.active = [](const Call&, const std::vector<Tensor>& out) {
    return std::vector<std::int64_t>{out[1].read<std::uint32_t>()[0], -1};
  };
  op.cases = [] { return std::vector<Case>{one(9, "uniform"), one(kLarge, "uniform", Budget::ci)}; };
  return op;
}

Order sequential(const Call&) {
  Order o;
  o.levels = 1, o.twiddle_error = 0x1p-12;
  return o;
}

// No finite bound follows where so many roundings are declared.
Order boundless(const Call&) {
  Order o;
  o.epilogue = 1 << 30;
  return o;
}
Order boundless_once(const Call& call) { return call.shape(0)[1] == 25 ? boundless(call) : sequential(call); }
Order boundless_twice(const Call& call) { return call.shape(0)[1] >= 24 ? boundless(call) : sequential(call); }

std::string key(const Call& call) {
  std::string s(call.op->name);
  for (const Tensor& t : call.in) s += t.defined() ? to_string(t.spec()) : "-";
  return s;
}

std::string bytes(const Tensor& t) {
  return {reinterpret_cast<const char*>(t.read<std::byte>()), static_cast<std::size_t>(t.size()) * width(t)};
}

bool holds_13(const Call& call) { return call.in[0].size() > 0 && call.in[0].read<float>()[0] == 13; }

// The right answer, spoilt afterwards.
template <class F>
Act but(F&& spoil) {
  return [spoil](const Call& call, std::vector<Tensor>& out, int launch) {
    right(call, out);
    if (out[0].size() > 0) spoil(call, out, launch);
  };
}

void stale(const Call& call, std::vector<Tensor>& out, int) {
  std::vector<Tensor> now;
  for (const Tensor& t : out) now.emplace_back(t.spec());
  right(call, now);
  const auto old = answers.find(key(call));
  const std::vector<Tensor>& given = old == answers.end() ? now : old->second;
  for (std::size_t i = 0; i < out.size(); ++i) std::memcpy(at(out[i], 0), at(given[i], 0), out[i].storage().bytes());
  answers[key(call)] = now;
}

// Leaves an element as it found it.
Act all_but(std::size_t output, bool last) {
  return [output, last](const Call& call, std::vector<Tensor>& out, int) {
    const Tensor& t = out[output];
    const std::int64_t i = last ? t.size() - 1 : 0;
    if (t.size() == 0) return;
    const std::string old(reinterpret_cast<char*>(at(t, i)), width(t));
    right(call, out);
    std::memcpy(at(t, i), old.data(), old.size());
  };
}

void adding(const Call& call, std::vector<Tensor>& out, int launch) {
  if (launch == 1) return right(call, out);
  std::vector<float> old(out[0].read<float>(), out[0].read<float>() + out[0].size());
  right(call, out);
  for (std::size_t i = 0; i < old.size(); ++i) out[0].write<float>()[i] += old[i];
}

void other_values(const Call& call, std::vector<Tensor>& out, int) {
  if (seen.emplace(key(call), bytes(call.in[0])).first->second != bytes(call.in[0])) flip(out[0], out[0].size() - 1);
}

Act on_13(std::function<void(const Call&)> f) {
  return [f](const Call& call, std::vector<Tensor>& out, int) { holds_13(call) ? f(call) : right(call, out); };
}

// Moves one element by so many times what the judge allows, or by the next float on the side that keeps the promise.
Act beyond(double times) {
  return but([times](const Call& call, std::vector<Tensor>& out, int) {
    const std::int64_t i = out[0].size() - 1;
    const double c = reals(call.op->oracle(call)[0])[i], G = reals(magnitude(call)[0])[i];
    const double allowed =
        accumulate_bound(c, G, call.op->tolerance.terms(call), sequential(call), Dtype::f32, 0x1p-53);
    float moved = to_float(c + times * allowed);
    while (times <= 1 && moved - c > times * allowed) moved = std::nextafter(moved, -INFINITY);
    while (times > 1 && moved - c < times * allowed) moved = std::nextafter(moved, INFINITY);
    out[0].write<float>()[i] = moved;
  });
}

void one_ulp(const Call&, std::vector<Tensor>& out, int) {
  for (std::int64_t i = 0; i < out[0].size(); ++i) flip(out[0], i);
}

void one_axis_more(const Call&, std::vector<Tensor>& out, int) {
  Shape shape = out[0].shape();
  Strides strides = out[0].strides();
  shape.push_back(1), strides.push_back(1);
  out[0] = out[0].view(shape, strides);
}

std::vector<Plan> of_many() {
  const auto act = [](auto f) { return but(f); };
  using Out = std::vector<Tensor>;
  return {
      {"many", "perfect", right},
      {"many", "wrong", act([](const Call&, Out& o, int) { flip(o[0], 0); }), "in output 0 at 0"},
      {"many", "stale", stale, "with other values"},
      {"many", "lazy",
       [](const Call& c, Out& o, int n) {
         if (n == 1) right(c, o);
       },
       "on the second launch"},
      {"many", "adding", adding, "on the second launch"},
      {"many", "unwritten", all_but(4, true), "in output 4"},
      {"many", "unwritten_first", all_but(1, false), "in output 1 at 0"},
      {"many", "past_end", act([](const Call&, Out& o, int) { flip(o[3], o[3].size()); }),
       "output 3 was written outside"},
      {"many", "far_past_end", act([](const Call&, Out& o, int) { at(o[0], o[0].size())[kGuardBytes - 1] = {}; }),
       "output 0 was written outside"},
      {"many", "before_start", act([](const Call&, Out& o, int) { at(o[4], 0)[-1] = {}; }),
       "output 4 was written outside"},
      {"many", "unsteady", act([](const Call&, Out& o, int n) {
         if (n == 2) flip(o[2], o[2].size() - 1);
       }),
       "on the second launch"},
      {"many", "other_values", act(other_values), "with other values"},
      {"many", "wrong_shape", act(one_axis_more), "instead of f32["},
      {"many", "wrong_dtype", act([](const Call&, Out& o, int) { o[4] = narrow(widen(o[4]), Dtype::f32); }),
       "instead of f64["},
      {"many", "one_less", act([](const Call&, Out& o, int) { o.pop_back(); }), "4 outputs instead of 5"},
      {"many", "one_more", act([](const Call&, Out& o, int) { o.push_back(o[0]); }), "6 outputs instead of 5"},
      {"many", "throws", act([](const Call& c, Out&, int) { c.fail(Reason::memory, "no room"); }),
       "raised [many] memory"},
      {"many", "no_room", act([](const Call&, Out&, int) { throw std::bad_alloc(); }),
       "raised [many] memory: route no_room: an allocation failed; inputs and outputs alone are "},
      {"many", "no_room_later", act([](const Call&, Out&, int n) {  // than any judge launches
         if (n > 3) throw std::bad_alloc();
       })},
      {"many", "throws_untyped", act([](const Call&, Out&, int) { throw std::runtime_error("oh"); }), "raised oh"},
      {"many", "accepts_13", on_13([](const Call&) {})},
      {"many", "refuses_13_for_shape", on_13([](const Call& c) { c.fail(Reason::shape, "no"); })},
      {"many", "throws_at_13", on_13([](const Call&) { throw std::runtime_error("oh"); })},
  };
}

std::vector<Plan> of_others() {
  std::vector<Plan> all = of_many();
  all.push_back({"total", "perfect", right});
  all.push_back({"total", "near", beyond(1)});
  all.push_back({"total", "far", beyond(1.5), "error/allowed = "});
  all.push_back({"total", "boundless", but(one_ulp), "", boundless});
  all.push_back({"total", "boundless_once", but(one_ulp), "", boundless_once});
  all.push_back({"total", "boundless_twice", but(one_ulp), "", boundless_twice});
  for (const std::string_view op : {"scaled", "root", "turned", "pick", "kept"}) all.push_back({op, "perfect", right});
  return all;
}

const std::vector<std::string_view> kOps{"many", "total", "scaled", "root", "turned", "pick", "kept"};

Job job(const Act& act, const Call& call, const std::vector<Spec>& specs) {
  auto out = std::make_shared<std::vector<Tensor>>();
  for (const Spec& s : specs) out->emplace_back(s);
  auto launch = std::make_shared<int>(0);
  return {[act, call, out, launch] { act(call, *out, ++*launch); }, [] {}, [out] { return *out; }};
}

template <std::size_t I>
Job planned(const Call& call, const std::vector<Spec>& specs) {
  return job(plans().at(I).act, call, specs);
}
using Prepare = Job (*)(const Call&, const std::vector<Spec>&);
template <std::size_t... I>
constexpr std::array<Prepare, sizeof...(I)> prepares(std::index_sequence<I...>) {
  return {planned<I>...};
}
constexpr std::size_t kMaxPlans = 64;  // plans

std::vector<Route> routes_of_plans() {
  static constexpr auto kPrepares = prepares(std::make_index_sequence<kMaxPlans>());
  std::vector<Route> all;
  for (std::size_t i = 0; i < plans().size(); ++i) {
    Route r;
    r.op = plans()[i].op, r.name = plans()[i].name, r.prepare = kPrepares.at(i);
    r.order = plans()[i].order ? plans()[i].order : sequential;
    all.push_back(r);
  }
  return all;
}

void add_conditional(std::vector<Route>& all, std::string_view op) {
  Route r;
  r.op = op, r.order = sequential;
  r.prepare = [](const Call& c, const std::vector<Spec>& s) { return job(right, c, s); };
  r.name = "gpu.perfect", r.needs = r.tier = Tier::gpu;
  all.push_back(r);
  r.name = "picky", r.needs = r.tier = Tier::unavailable;
  r.supports = {
      {Stage::shape_dtype, "x has not 7 elements", [](const Call& c, const Device&) { return c.in[0].size() == 7; }}};
  all.push_back(r);
  r.name = "never", r.supports = {{Stage::capability, "never holds", [](const Call&, const Device&) { return false; }}};
  all.push_back(r);
  r.name = "cpu.any", r.supports.clear();
  r.prepare = [](const Call& c, const std::vector<Spec>& s) { return job(any_act ? any_act : Act(right), c, s); };
  all.push_back(r);
}

}  // namespace

std::byte* at(const Tensor& t, std::int64_t element) {
  return t.write<std::byte>() + element * static_cast<std::int64_t>(width(t));
}

void flip(const Tensor& t, std::int64_t element) { *at(t, element) ^= std::byte{1}; }

void right(const Call& call, std::vector<Tensor>& out, int) {
  const std::vector<Wide> want = call.op->oracle(call);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Tensor t = narrow(want[i], out[i].dtype());
    std::memcpy(at(out[i], 0), t.read<std::byte>(), static_cast<std::size_t>(t.size()) * width(t));
  }
}

Case one(std::int64_t n, std::string_view fill, Budget budget) {
  return {{Input{Dtype::f32, {n}, Layout::row, std::string(fill)}}, {}, budget};
}

Case rows(std::int64_t r, std::int64_t n, std::string_view fill, Budget budget) {
  return {{Input{Dtype::f32, {r, n}, Layout::row, std::string(fill)}}, {}, budget};
}

const std::vector<Plan>& plans() {
  static const std::vector<Plan> all = of_others();
  return all;
}

const Plan& plan(std::string_view op, std::string_view name) {
  for (const Plan& p : plans())
    if (p.op == op && p.name == name) return p;
  throw std::logic_error("no plan " + std::string(name) + " of " + std::string(op));
}

void forget() { any_act = nullptr, seen.clear(), answers.clear(); }

void install() {
  forget();
  std::vector<Route> all = routes_of_plans();
  for (const std::string_view op : kOps) add_conditional(all, op);
  plumb::install({many(), total(), scaled(), root(), turned(), pick(), kept()}, all);
}

Route route_that(std::string_view op, Act act) {
  any_act = std::move(act);
  return find_route(find_op(op), "cpu.any");
}

}  // namespace plumb::fakes
