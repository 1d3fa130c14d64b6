#include "conformance/record.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "conformance/replay.h"
#include "core/gate.h"

namespace plumb {
namespace {

std::string recorded_class(Reason reason) {
  if (reason == Reason::domain) return "runtime_error";
  return reason == Reason::axis ? "out_of_range" : "invalid_argument";
}

// Whether what a route may give follows from the order of its sums or from a property: no number beside the answer says
// it.
bool has_bound(const Op& op, const std::vector<Tensor>& out) {
  using Class = Tolerance::Class;
  if (op.tolerance.kind == Class::residual) return true;
  return op.tolerance.kind != Class::exact && op.tolerance.kind != Class::rounded &&
         std::any_of(out.begin(), out.end(), [](const Tensor& t) { return is_inexact(t.dtype()); });
}

void add_outputs(CorpusCase& c, const Call& call, double allowed) {
  const std::vector<Tensor> out = active(call, run(call, find_route(*call.op, kReference)));
  for (std::size_t i = 0; i < out.size(); ++i) c.outputs.emplace_back(std::string(call.op->outputs[i]), out[i]);
  if (!has_bound(*call.op, out)) {
    c.compare = "exact";
    c.signed_zero = true;
    return;
  }
  c.compare = "invariant";
  c.check = kBoundCheck;
  if (std::isfinite(allowed) && allowed > 0) c.tol.assign(out.size(), {0.0, allowed});
}

CorpusCase one(const Op& op, const Case& described, std::uint64_t data, double allowed, const std::string& note) {
  CorpusCase c;
  c.id = id(op, described) + "#" + std::to_string(data);
  c.op = op.name;
  c.note = note;
  c.source = "the reference of this project";
  const std::vector<Tensor> in = realize(op, described, data);
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (!in[i].defined()) continue;
    c.inputs.emplace(recorded_input(op, i), in[i]);
    if (described.in[i]->layout != Layout::row) c.layouts.emplace(recorded_input(op, i), described.in[i]->layout);
  }
  try {
    const Call call = make_call(op, in, described.attrs);
    c.attrs = call.attrs;
    add_outputs(c, call, allowed);
  } catch (const Error& e) {
    c.attrs = described.attrs;
    c.error = recorded_class(e.reason());
    c.reason = e.reason();
  }
  return c;
}

// What the judge allowed where it was farthest off; 0 for a call that is rejected.
double allowed_of(const Op& op, const Case& c, const Failure& f) {
  const std::vector<Reject> rejects = rejects_of(op);
  if (reject_of(rejects, op, f.case_id)) return 0;
  const Under under(f.setting.value_or(current_setting()));
  const Route& route = find_route(op, f.route);
  return Judge(op, c, f.salt).on(route, device_of(route)).worst.allowed;
}

}  // namespace

std::vector<CorpusCase> recorded(const Op& op, const Case& described, std::uint64_t salt, double allowed,
                                 const std::string& note) {
  return {one(op, described, 2 * salt, allowed, note), one(op, described, 2 * salt + 1, allowed, note)};
}

std::string recorded_input(const Op& op, std::size_t i) {
  return i < op.inputs.size() ? std::string(input_name(op.inputs[i])) : std::to_string(i);
}

const Reject* reject_of(const std::vector<Reject>& rejects, const Op& op, const std::string& case_id) {
  for (const Reject& r : rejects)
    if (id(op, r.call) == case_id) return &r;
  return nullptr;
}

void save_failures(const std::string& folder, const std::vector<Failure>& failures) {
  std::vector<CorpusCase> cases;
  std::set<std::string> seen;
  for (const Failure& f : failures) {
    if (!seen.insert(f.case_id).second) continue;
    const auto [op, described] = parse_case(f.case_id);
    for (CorpusCase& c : recorded(*op, described, f.salt, allowed_of(*op, described, f), f.route + ": " + f.message))
      cases.push_back(std::move(c));
  }
  write_corpus(folder, cases);
}

}  // namespace plumb
