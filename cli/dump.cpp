#include "cli/dump.h"

#include <cmath>
#include <set>

#include "cli/words.h"

namespace plumb::cli {
namespace {

std::string recorded_class(Reason reason) {
  if (reason == Reason::domain) return "runtime_error";
  return reason == Reason::axis ? "out_of_range" : "invalid_argument";
}

void add_outputs(CorpusCase& c, const Call& call, double allowed) {
  const std::vector<Tensor> out = active(call, run(call, find_route(*call.op, kReference)));
  for (std::size_t i = 0; i < out.size(); ++i) c.outputs.emplace_back(std::string(call.op->outputs[i]), out[i]);
  const bool close = std::isfinite(allowed) && allowed > 0;
  c.compare = close ? "close" : "exact";
  if (close) c.tol.assign(out.size(), {0.0, allowed});
}

}  // namespace

CorpusCase recorded(const Op& op, const Case& described, double allowed, const std::string& note) {
  CorpusCase c;
  c.id = id(op, described);
  c.op = op.corpus_name();
  c.note = note;
  c.source = "the reference of this project";
  const std::vector<Tensor> in = realize(op, described);
  for (std::size_t i = 0; i < in.size(); ++i)
    if (in[i].defined()) c.inputs.emplace(input_name(op.inputs[i]), contiguous(in[i]));
  try {
    const Call call = make_call(op, in, described.attrs);
    c.attrs = call.attrs;
    add_outputs(c, call, allowed);
  } catch (const Error& e) {
    c.attrs = described.attrs;
    c.error = recorded_class(e.reason());
  }
  return c;
}

void save_failures(const std::string& folder, const std::vector<Failure>& failures) {
  std::vector<CorpusCase> cases;
  std::set<std::string> seen;
  for (const Failure& f : failures) {
    if (!seen.insert(f.case_id).second) continue;
    const auto [op, described] = parse_case(f.case_id);
    const Route& route = find_route(*op, f.route);
    const Verdict verdict = Judge(*op, described).on(route, current_device());
    cases.push_back(recorded(*op, described, verdict.worst.allowed, f.route + ": " + f.message));
  }
  write_corpus(folder, cases);
}

}  // namespace plumb::cli
