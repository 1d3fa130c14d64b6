#include "core/route.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <utility>

#include "core/alias.h"
#include "core/backend.h"
#include "core/budget.h"
#include "core/fill.h"
#include "core/gate.h"
#include "core/signature.h"
#include "core/text.h"

namespace plumb {
namespace {

struct Counter {
  std::atomic<std::int64_t> seen_true{0}, seen_false{0};
};

// A value for each of a set of rows that are known from the start: what a program does first, it should do at once.
template <class Row, class Value>
class PerRow {
 public:
  void assign(std::vector<const Row*> rows) {
    rows_ = std::move(rows);
    std::sort(rows_.begin(), rows_.end());
    values_ = std::make_unique<Value[]>(rows_.size());
  }
  Value* find(const Row* row) const {  // null if it is none of them
    const auto it = std::lower_bound(rows_.begin(), rows_.end(), row);
    return it == rows_.end() || *it != row ? nullptr : &values_[static_cast<std::size_t>(it - rows_.begin())];
  }

 private:
  std::vector<const Row*> rows_;
  std::unique_ptr<Value[]> values_;
};

struct Tables {
  std::vector<Op> ops;
  std::map<std::string_view, std::vector<Route>> routes;
  PerRow<Condition, Counter> conditions;
  PerRow<Route, std::atomic<std::int64_t>> chosen;
};

Tables& tables() {
  static Tables* t = new Tables;  // never taken apart: the process ends
  return *t;
}

void oracle(const Call& call, std::vector<Tensor>& out) {
  const std::vector<Wide> wide = call.op->oracle(call);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = narrow(wide.at(i), out[i].dtype());
}

Route reference_route(std::string_view op) {
  Route r;
  r.op = op;
  r.name = kReference;
  r.prepare = host<oracle>;
  r.order = [](const Call&) { return Order::oracle(); };
  return r;
}

[[noreturn]] void broken(const Op& op, const std::string& what) {
  throw std::logic_error("the row of " + std::string(op.name) + " " + what);
}

// The lists of a row that its signature gives.
void read_signature(Op& op) try {
  if (op.signature.empty()) return;
  op.parsed = std::make_shared<const Signature>(parse_signature(op.signature, op.types));
  const Signature& s = *op.parsed;
  op.inputs.clear(), op.outputs.clear(), op.row_counts.clear(), op.dtypes.clear();
  for (const Parameter& p : s.inputs) {
    op.inputs.push_back(p.marked);
    if (p.counts) op.row_counts.push_back({p.name, counted(s, p.counts)->name, p.rule});
  }
  for (const Parameter& p : s.outputs) op.outputs.push_back(p.name);
  if (s.inputs.empty()) return;
  const Parameter& first = s.inputs[0];
  op.dtypes = first.variable ? s.rule(first.variable)->accepted : std::vector{first.dtype};
} catch (const std::logic_error& e) {
  broken(op, std::string("is wrong: ") + e.what());
}

void check_row(const Op& op) {
  if (!(op.infer || op.parsed) || !op.oracle || !op.cases || !(op.rejects || op.parsed) || !op.bench ||
      op.equation.empty())
    broken(op, "is not complete");
  const std::pair<const char*, std::string> faults[] = {
      {"cases", op.cases.fault()}, {"refusals", op.rejects.fault()}, {"bench", op.bench.fault()}};
  for (const auto& [what, fault] : faults)
    if (!fault.empty()) broken(op, std::string("has bad ") + what + ": " + fault);
  const Request names{&op, {}, {}};
  for (const RowCount& c : op.row_counts) (void)names.index(c.count), (void)names.index(c.of);
  using Class = Tolerance::Class;
  const Tolerance& t = op.tolerance;
  if (t.kind == Class::accumulate && !t.terms) broken(op, "does not count its terms");
  if (t.kind == Class::inherited && !t.bound) broken(op, "has no bound");
  if ((t.kind == Class::residual || t.kind == Class::index) && !t.residual) broken(op, "has no residual");
}

void check_route(const Op& op, const Route& r) {
  if (!r.prepare) broken(op, "has a route without an implementation: " + std::string(r.name));
  using Class = Tolerance::Class;
  if (op.tolerance.kind != Class::exact && op.tolerance.kind != Class::rounded && !r.order)
    broken(op, "has a route that declares no order: " + std::string(r.name));
}

bool by_stage(const Condition& a, const Condition& b) { return a.stage < b.stage; }

// The first condition that fails, or null.
const Condition* first_false(const std::vector<Condition>& conditions, const Call& call, const Device& device) {
  for (const Condition& c : conditions)
    if (!observe(c, call, device)) return &c;
  return nullptr;
}

std::string lacks(const Route& r, Tier have, std::string_view verb) {
  const Tier want = verb == "needs" ? r.needs : r.tier;
  return std::string(verb) + " tier " + std::string(name(want)) + ", this device is " + std::string(name(have));
}

// Why the route cannot run, in decision order; no value if it can.
std::optional<Refusal> cannot(const Route& r, const Call& call, const Device& device) {
  if (device.tier < r.needs) return Refusal{&r, Stage::device, lacks(r, device.tier, "needs"), false};
  if (const Condition* c = first_false(r.supports, call, device)) {
    Backend* const backend = backend_of(r);
    return Refusal{&r, c->stage, backend ? backend->refuses(call) : std::string(c->refusal), false};
  }
  return std::nullopt;
}

std::optional<Refusal> would_rather_not(const Route& r, const Call& call, const Device& device) {
  if (device.tier < r.tier) return Refusal{&r, Stage::device, lacks(r, device.tier, "is written for"), true};
  if (const Condition* c = first_false(r.prefers, call, device))
    return Refusal{&r, c->stage, std::string(c->refusal), true};
  return std::nullopt;
}

// The names of rows, for nearest().
template <class Range>
std::vector<std::string_view> names_of(const Range& rows) {
  std::vector<std::string_view> names;
  for (const auto& r : rows) names.push_back(r.name);
  return names;
}

std::vector<Op>& op_rows() { return tables().ops; }

// Checks the routes of an op, and adds the oracle as its last.
void complete(const Op& op, std::vector<Route>& mine) {
  std::set<std::string_view> names{kReference};
  for (Route& r : mine) {
    check_route(op, r);
    if (!names.insert(r.name).second) broken(op, "has two routes named " + std::string(r.name));
    for (auto* list : {&r.supports, &r.prefers})
      if (!std::is_sorted(list->begin(), list->end(), by_stage)) std::stable_sort(list->begin(), list->end(), by_stage);
  }
  mine.push_back(reference_route(op.name));
}

void count_from_zero() {
  std::vector<const Condition*> conditions;
  std::vector<const Route*> all;
  for (const auto& [op, mine] : tables().routes)
    for (const Route& r : mine) {
      all.push_back(&r);
      for (const auto* list : {&r.supports, &r.prefers})
        for (const Condition& c : *list) conditions.push_back(&c);
    }
  tables().chosen.assign(std::move(all));
  tables().conditions.assign(std::move(conditions));
}

std::vector<Fill> fills_of(const std::vector<Op>& ops) {
  std::vector<Fill> all;
  for (const Op& op : ops)
    if (op.fills)
      for (const Fill& f : op.fills()) all.push_back(f);
  return all;
}

}  // namespace

std::string_view name(Stage s) {
  constexpr std::string_view names[] = {"device",  "operation family", "semantic relation",
                                        "storage", "shape and dtype",  "capability"};
  return names[static_cast<std::size_t>(s)];
}

void install(std::vector<Op> ops, std::vector<Route> routes) {
  std::set<std::string_view> names;
  for (Op& op : ops) {
    read_signature(op);
    check_row(op);
    if (!names.insert(op.name).second) broken(op, "is there twice");
  }
  for (const Route& r : routes)
    if (!names.contains(r.op))
      throw std::logic_error("route " + std::string(r.name) + " is for '" + std::string(r.op) + "', which is no op");
  install_fills(fills_of(ops));
  op_rows() = std::move(ops);
  tables().routes.clear();
  for (Route& r : routes) tables().routes[r.op].push_back(std::move(r));
  for (const Op& op : op_rows()) complete(op, tables().routes[op.name]);
  count_from_zero();
}

void install_more(std::vector<Route> routes) {
  for (Route& r : routes) {
    const Op& op = find_op(r.op);
    check_route(op, r);
    std::vector<Route>& mine = tables().routes.at(op.name);
    mine.insert(mine.end() - 1, std::move(r));
  }
  count_from_zero();
}

std::span<const Op> ops() { return op_rows(); }

const Op& find_op(std::string_view wanted) {
  for (const Op& op : op_rows())
    if (op.name == wanted) return op;
  const std::string meant = one_meant_by(wanted);
  for (const Op& op : op_rows())
    if (op.name == meant) return op;
  throw Error("plumb", Reason::query,
              "no op is named '" + std::string(wanted) + "'" + nearest(wanted, names_of(op_rows())));
}

std::span<const Route> routes(const Op& op) { return tables().routes.at(op.name); }

const Route& find_route(const Op& op, std::string_view wanted) {
  for (const Route& r : routes(op))
    if (r.name == wanted) return r;
  throw Error(op.name, Reason::query,
              "no route is named '" + std::string(wanted) + "'" + nearest(wanted, names_of(routes(op))));
}

Order order_of(const Route& r, const Call& call) { return r.order ? r.order(call) : Order::oracle(); }

std::string refusal(const Route& r, const Call& call, const Device& device) {
  const auto no = cannot(r, call, device);
  return no ? no->reason : "";
}

Decision select(const Call& call, const Device& device, std::string_view forced) {
  if (const char* environment = std::getenv("PLUMB_ROUTE"); forced.empty() && environment) forced = environment;
  Decision d;
  const auto consider = [&](const Route& r, bool preference) {
    auto no = cannot(r, call, device);
    if (!no && preference) no = would_rather_not(r, call, device);
    if (no) d.refused.push_back(*no);
    else d.route = &r;
    return !no;
  };
  const std::span<const Route> all = routes(*call.op);
  for (const Route& r : all)
    if (!forced.empty() && r.name == forced && consider(r, false)) return d;
  for (const Route& r : all)
    if (r.name != forced && consider(r, true)) break;
  if (d.route && forced.empty()) ++*tables().chosen.find(d.route);
  return d;
}

std::string explain(const Decision& d) {
  std::string s;
  for (const Refusal& r : d.refused)
    s += "  skip " + std::string(r.route->name) + " [" + std::string(name(r.stage)) +
         (r.preference ? ", by choice" : "") + "]: " + r.reason + "\n";
  return s + "  take " + std::string(d.route->name) + "\n";
}

bool is_route(std::string_view name) {
  for (const auto& [op, all] : tables().routes)
    for (const Route& r : all)
      if (r.name == name) return true;
  return false;
}

const Device& device_of(const Route& r) {
  static const Device none;
  return r.needs == Tier::unavailable ? none : current_device();
}

std::string describe(const Request& r) {
  std::string s;
  for (std::size_t i = 0; i < r.specs.size(); ++i)
    if (r.specs[i])
      s += (s.empty() ? "" : ", ") + std::string(input_name(r.op->inputs[i])) + ": " + to_string(*r.specs[i]);
  return r.attrs.empty() ? s : s + (s.empty() ? "" : ", ") + to_string(r.attrs);
}

void admit(const Route& r, const Call& call, const Device& device) {
  const std::string why = refusal(r, call, device);
  if (!why.empty())
    call.fail(Reason::unsupported,
              "route " + std::string(r.name) + " refuses: " + why + "; asked for " + describe(call));
}

std::vector<Tensor> run(const Call& call, const Route& route) {
  admit(route, call, device_of(route));
  return with_memory(call, route.name == kReference ? Held::wide : Held::stored, route.name, [&] {
    const Job job = route.prepare(call, output_specs(call));
    job.launch();
    job.wait();
    return job.fetch();
  });
}

std::vector<Tensor> run(const Call& call) { return run(call, *select(call, current_device()).route); }

std::vector<ConditionCount> coverage() {
  std::vector<ConditionCount> out;
  for (const Op& op : op_rows())
    for (const Route& r : routes(op))
      for (const auto* list : {&r.supports, &r.prefers})
        for (const Condition& c : *list) {
          const Counter& n = *tables().conditions.find(&c);
          out.push_back({&r, &c, n.seen_true, n.seen_false});
        }
  return out;
}

bool observe(const Condition& c, const Call& call, const Device& device) {
  const bool yes = c.holds(call, device);
  if (Counter* n = tables().conditions.find(&c)) ++(yes ? n->seen_true : n->seen_false);
  return yes;
}

std::int64_t times_chosen(const Route& r) {
  const auto* n = tables().chosen.find(&r);
  if (!n) throw std::logic_error("times_chosen: " + std::string(r.name) + " is in no table");
  return *n;
}

Job host_job(void (*f)(const Call&, std::vector<Tensor>&), const Call& call, const std::vector<Spec>& specs) {
  auto out = std::make_shared<std::vector<Tensor>>();
  for (const Spec& s : specs) out->emplace_back(s);
  return {[f, call, out] { f(call, *out); }, [] {}, [out] { return *out; }};
}

}  // namespace plumb

template class std::vector<plumb::Condition>;
template class std::vector<plumb::Route>;
