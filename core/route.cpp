#include "core/route.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <set>
#include <stdexcept>
#include <utility>

#include "core/budget.h"
#include "core/gate.h"

namespace plumb {
namespace {

struct Counter {
  std::atomic<std::int64_t> seen_true{0}, seen_false{0};
};

struct Tables {
  std::vector<Op> ops;
  std::map<std::string_view, std::vector<Route>> routes;
  std::map<const Condition*, Counter> conditions;
  std::map<const Route*, std::atomic<std::int64_t>> chosen;
};

Tables& tables() {
  static Tables t;
  return t;
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

void check_row(const Op& op) {
  if (!op.infer || !op.oracle || !op.cases || !op.rejects || !op.bench || op.equation.empty())
    broken(op, "is not complete");
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
  if (const Condition* c = first_false(r.supports, call, device))
    return Refusal{&r, c->stage, std::string(c->refusal), false};
  return std::nullopt;
}

std::optional<Refusal> would_rather_not(const Route& r, const Call& call, const Device& device) {
  if (device.tier < r.tier) return Refusal{&r, Stage::device, lacks(r, device.tier, "is written for"), true};
  if (const Condition* c = first_false(r.prefers, call, device))
    return Refusal{&r, c->stage, std::string(c->refusal), true};
  return std::nullopt;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row.back();
}

// "; did you mean a, b?" for the names nearest to a wrong one.
template <class Range, class Name>
std::string nearest(const Range& rows, std::string_view wrong, Name name_of) {
  std::vector<std::pair<std::size_t, std::string_view>> all;
  for (const auto& r : rows) all.emplace_back(edit_distance(wrong, name_of(r)), name_of(r));
  std::sort(all.begin(), all.end());
  std::string s;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, all.size()); ++i)
    s += (s.empty() ? "" : ", ") + std::string(all[i].second);
  return s.empty() ? "" : "; nearest: " + s;
}

std::vector<Op>& op_rows() { return tables().ops; }

void add_routes(const Op& op, std::vector<Route>& all) {
  std::vector<Route>& mine = tables().routes[op.name];
  std::set<std::string_view> names{kReference};
  for (Route& r : all)
    if (r.op == op.name) {
      check_route(op, r);
      if (!names.insert(r.name).second) broken(op, "has two routes named " + std::string(r.name));
      std::stable_sort(r.supports.begin(), r.supports.end(), by_stage);
      std::stable_sort(r.prefers.begin(), r.prefers.end(), by_stage);
      mine.push_back(r);
    }
  mine.push_back(reference_route(op.name));
  for (const Route& r : mine) {
    tables().chosen[&r];
    for (const auto* list : {&r.supports, &r.prefers})
      for (const Condition& c : *list) tables().conditions[&c];
  }
}

}  // namespace

std::string_view name(Stage s) {
  constexpr std::string_view names[] = {"device", "operation family", "semantic relation",
                                        "storage", "shape and dtype", "capability"};
  return names[static_cast<std::size_t>(s)];
}

void install(std::vector<Op> ops, std::vector<Route> routes) {
  std::set<std::string_view> names;
  for (const Op& op : ops) {
    check_row(op);
    if (!names.insert(op.name).second) broken(op, "is there twice");
  }
  for (const Route& r : routes)
    if (!names.contains(r.op))
      throw std::logic_error("route " + std::string(r.name) + " is for '" + std::string(r.op) + "', which is no op");
  op_rows() = std::move(ops);
  tables().routes.clear();
  for (const Op& op : op_rows()) add_routes(op, routes);
}

std::span<const Op> ops() { return op_rows(); }

const Op& find_op(std::string_view wanted) {
  for (const Op& op : op_rows())
    if (op.name == wanted) return op;
  throw Error("plumb", Reason::query, "no op is named '" + std::string(wanted) + "'" +
                                          nearest(op_rows(), wanted, [](const Op& o) { return o.name; }));
}

std::span<const Route> routes(const Op& op) { return tables().routes.at(op.name); }

const Route& find_route(const Op& op, std::string_view wanted) {
  for (const Route& r : routes(op))
    if (r.name == wanted) return r;
  throw Error(op.name, Reason::query, "no route is named '" + std::string(wanted) + "'" +
                                          nearest(routes(op), wanted, [](const Route& r) { return r.name; }));
}

Order order_of(const Route& r, const Call& call) { return r.order ? r.order(call) : Order::oracle(); }

std::string refusal(const Route& r, const Call& call, const Device& device) {
  const auto no = cannot(r, call, device);
  return no ? no->reason : "";
}

Decision select(const Call& call, const Device& device, std::string_view forced) {
  const char* environment = std::getenv("PLUMB_ROUTE");
  if (forced.empty() && environment) forced = environment;
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
  if (d.route && forced.empty()) ++tables().chosen[d.route];
  return d;
}

std::string explain(const Decision& d) {
  std::string s;
  for (const Refusal& r : d.refused)
    s += "  skip " + std::string(r.route->name) + " [" + std::string(name(r.stage)) + (r.preference ? ", by choice" : "") +
         "]: " + r.reason + "\n";
  return s + "  take " + std::string(d.route->name) + "\n";
}

const Device& device_of(const Route& r) {
  static const Device none;
  return r.needs == Tier::unavailable ? none : current_device();
}

std::vector<Tensor> run(const Call& call, const Route& route) {
  return with_memory(call, route.name == kReference ? Held::wide : Held::stored, [&] {
    const Job job = route.prepare(call, call.op->infer(call));
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
          const Counter& n = tables().conditions.at(&c);
          out.push_back({&r, &c, n.seen_true, n.seen_false});
        }
  return out;
}

bool observe(const Condition& c, const Call& call, const Device& device) {
  const bool yes = c.holds(call, device);
  const auto it = tables().conditions.find(&c);
  if (it != tables().conditions.end()) ++(yes ? it->second.seen_true : it->second.seen_false);
  return yes;
}

std::int64_t times_chosen(const Route& r) { return tables().chosen.at(&r); }

}  // namespace plumb
