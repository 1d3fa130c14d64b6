#include "conformance/replay.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "conformance/query.h"
#include "core/budget.h"
#include "core/gate.h"
#include "core/text.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kGate = "gate";  // stands for the route of a call that was never made

// A recorded case as a call of one row, or why it is none.
struct Bound {
  const Op* op = nullptr;
  std::vector<Tensor> in;
  Attrs attrs;
  std::string unfit;
};

struct Run {
  const ReplayOptions& options;
  ReplayResult& result;
  const std::string& folder;
};

template <class Names>
int position(const Names& names, std::string_view wanted) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (input_name(names[i]) == wanted) return static_cast<int>(i);
  return -1;
}

// Where an input stands: by its name, or one beyond those that the row has by its number. -1 if nowhere.
int place_of(const Op& op, const CorpusCase& c, const std::string& input) {
  if (const int at = position(op.inputs, input); at >= 0) return at;
  for (std::size_t i = op.inputs.size(); i < op.inputs.size() + c.inputs.size(); ++i)
    if (std::to_string(i) == input) return static_cast<int>(i);
  return -1;
}

std::string lacking(const char* what, const std::string& given, const std::vector<std::string_view>& known) {
  std::string text = std::string(what) + " \"" + printable(given) + "\"; there are";
  for (const std::string_view k : known) text += " " + std::string(input_name(k));
  return text;
}

// The first recorded input that the row lacks: "input \"q\"".
std::string unknown_input(const Op& op, const CorpusCase& c) {
  for (const auto& [name, unused] : c.inputs)
    if (place_of(op, c, name) < 0) return lacking("input", name, op.inputs);
  return "";
}

// The same of inputs and outputs.
std::string unknown_name(const Op& op, const CorpusCase& c) {
  if (std::string input = unknown_input(op, c); !input.empty()) return input;
  for (const auto& [name, unused] : c.outputs)
    if (position(op.outputs, name) < 0) return lacking("output", name, op.outputs);
  return "";
}

Bound bind(const Op& op, const CorpusCase& c, const Attrs& attrs) {
  Bound bound{&op, {}, {}, ""};
  for (const auto& [name, value] : attrs)
    if (op.attrs.find(name) || c.reason == Reason::attribute) bound.attrs.set(name, value);
    else if (!value.none()) bound.unfit = "attribute " + name + " not in row";
  bound.in.resize(op.inputs.size());
  for (const auto& [name, value] : c.inputs) {
    const auto at = static_cast<std::size_t>(place_of(op, c, name));
    if (at >= bound.in.size()) bound.in.resize(at + 1);
    bound.in[at] = value;
  }
  return bound;
}

// The rows that a recorded call may be of, each with the attributes that it has for the row. Several rows may share a
// recorded name and tell their calls apart by an attribute; a call that none of them takes is of the row named so, if
// it has its inputs and outputs: other software gives our names to operations of its own.
std::vector<std::pair<const Op*, Attrs>> rows_of(const CorpusCase& c) {
  std::vector<std::pair<const Op*, Attrs>> rows;
  for (const Op& op : ops()) {
    Attrs attrs = c.attrs;
    if (op.corpus_name() == c.op && (!op.corpus_call || op.corpus_call(attrs))) rows.emplace_back(&op, attrs);
  }
  const auto fits = [&](const auto& row) { return unknown_name(*row.first, c).empty(); };
  if (std::any_of(rows.begin(), rows.end(), fits)) return rows;
  for (const Op& op : ops())
    if (op.name == c.op && unknown_name(op, c).empty()) rows.emplace_back(&op, c.attrs);
  return rows;
}

// A case is one of those rows that have all of its inputs and outputs. Where none has, rows that each have some of the
// outputs answer it together: other software may return gradients at once that are operations of their own here.
std::vector<Bound> bindings(const CorpusCase& c, const std::string& file) {
  std::vector<Bound> whole, parts;
  std::set<std::string> answered;
  std::string wrong;
  for (const auto& [op, attrs] : rows_of(c)) {
    const std::string unknown = unknown_name(*op, c);
    if (unknown.empty()) whole.push_back(bind(*op, c, attrs));
    else wrong = std::string(op->name) + " has no " + unknown;
    if (unknown.empty() || !unknown_input(*op, c).empty()) continue;
    const std::size_t before = answered.size();
    for (const auto& [name, unused] : c.outputs)
      if (position(op->outputs, name) >= 0) answered.insert(name);
    if (answered.size() > before) parts.push_back(bind(*op, c, attrs));
  }
  if (whole.empty() && !parts.empty() && answered.size() == c.outputs.size()) return parts;
  if (whole.empty() && !wrong.empty())
    throw Error("replay", Reason::file, file + ": case " + printable(c.id) + ": " + wrong);
  return whole;
}

// Which reasons stand for a recorded class of errors: runtime_error for what shows only when the call runs. A broken
// device or file is never the user's error, and a route that refuses a call has not answered it.
bool stands_for(Reason reason, const std::string& error) {
  constexpr Reason kNever[] = {Reason::device, Reason::file, Reason::query, Reason::unsupported};
  if (std::find(std::begin(kNever), std::end(kNever), reason) != std::end(kNever)) return false;
  if (error == "out_of_range") return reason == Reason::axis || reason == Reason::attribute || reason == Reason::shape;
  if (error == "runtime_error") return reason == Reason::domain || reason == Reason::memory || reason == Reason::dtype;
  return true;
}

// "" if the call was rejected as recorded.
std::string rejected(const CorpusCase& c, const Error& e) {
  if (!c.error) return std::string("threw ") + e.what();
  if (c.reason ? e.reason() == *c.reason : stands_for(e.reason(), *c.error)) return "";
  return std::string("threw ") + e.what() + "; " + (c.reason ? std::string(name(*c.reason)) : *c.error) +
         " was recorded";
}

std::string compare_outputs(const CorpusCase& c, const Call& call, const std::vector<Tensor>& all,
                            std::int64_t& compared) {
  const std::vector<Tensor> out = active(call, all);
  for (std::size_t j = 0; j < c.outputs.size(); ++j) {
    const auto& [name, want] = c.outputs[j];
    const int place = position(call.op->outputs, name);
    if (place < 0) continue;  // another row's
    const auto at = static_cast<std::size_t>(place);
    const auto tol = j < c.tol.size() ? c.tol[j] : std::pair<double, double>{0, 0};
    const std::string wrong = compare_recorded(out.at(at), want, c.compare == "exact", tol, c.signed_zero, &compared);
    if (!wrong.empty()) return "output " + name + ": " + wrong;
  }
  return "";
}

struct Answer {
  std::string wrong;     // "" if the route answers as recorded
  std::string unjudged;  // why that is not known
};

// Whether the elements on record are one right answer among several, which the row knows by a property of its own.
bool by_property(const CorpusCase& c, const Op& op) {
  return c.compare == "invariant" && c.check != kBoundCheck && op.tolerance.kind == Tolerance::Class::residual;
}

std::vector<Tensor> recorded_outputs(const CorpusCase& c, const Op& op) {
  std::vector<Tensor> out(op.outputs.size());
  for (const auto& [name, value] : c.outputs) out[static_cast<std::size_t>(position(op.outputs, name))] = value;
  return out;
}

// The answer of a route that sums in an order of its own, by the bound that the row derives for it; or by the row's
// property, which the answer on record must have too.
Answer within_bound(const CorpusCase& c, const Call& call, const Route& route, std::int64_t& compared) {
  std::vector<Wide> want, sums;
  with_memory(call, Held::wide, "", [&] {  // before the route has the inputs in its hands
    want = call.op->oracle(call);
    sums = magnitude(call);
  });
  const Order order = order_of(route, call);
  if (by_property(c, *call.op)) {
    const Deviation recorded = compare(call, want, sums, order, recorded_outputs(c, *call.op));
    if (!recorded.ok()) return {"the answer on record is none: " + to_string(recorded), ""};
  }
  const Deviation d = compare(call, want, sums, order, run(call, route));
  compared += d.compared;
  if (!d.ok()) return {to_string(d), ""};
  return {"", d.unbounded > 0 ? "no finite bound follows for " + std::to_string(d.unbounded) + " elements" : ""};
}

Answer answered(const CorpusCase& c, const Call& call, const Route& route, std::int64_t& compared) {
  try {
    const bool bound = c.check == kBoundCheck && route.name != kReference;
    if (bound || by_property(c, *call.op)) return within_bound(c, call, route, compared);
    const std::vector<Tensor> out = run(call, route);
    return {c.error ? "not rejected: " + *c.error + " was recorded" : compare_outputs(c, call, out, compared), ""};
  } catch (const Error& e) {
    return {rejected(c, e), ""};
  } catch (const std::exception& e) {
    return {"raised an untyped error: " + std::string(e.what()), ""};
  }
}

// The same, and nothing was written outside a buffer, which is seen when the last of them is gone.
Answer judge(const CorpusCase& c, const Call& call, const Route& route, std::int64_t& compared) {
  const MemoryWatch watch;
  (void)MemoryWatch::take_damage();
  Answer answer = answered(c, call, route, compared);
  const auto damage = MemoryWatch::take_damage();
  if (answer.wrong.empty() && !damage.empty()) answer.wrong = damage.front();
  return answer;
}

void skip(Run& run, const std::string& reason) {
  ++run.result.skipped;
  ++run.result.skips[reason];
}

void count(Run& run, const CorpusCase& c, const Op& op, std::string_view route, const Answer& answer) {
  const std::string name(route);
  if (answer.wrong.empty() && !answer.unjudged.empty())
    return skip(run, std::string(op.name) + "@" + name + ": " + answer.unjudged);
  if (answer.wrong.empty()) {
    ++run.result.passed;
    ++run.result.by_route[std::string(op.name) + "@" + name];
    return;
  }
  ++run.result.failed;
  run.result.failures.push_back({c.id, std::string(op.name), name, answer.wrong,
                                 "plumb replay " + shell_path(run.folder) + " " +
                                     shell_word("--case=" + glob_of(c.id)) + " " +
                                     shell_word("--route=" + (name == kGate ? run.options.route : name))});
}

void run_call(Run& run, const CorpusCase& c, const Call& call) {
  const std::string& wanted = run.options.route;
  if (wanted == "natural") {
    const Route& route = *select(call, current_device()).route;
    ++run.result.ran;
    return count(run, c, *call.op, route.name, judge(c, call, route, run.result.compared));
  }
  bool known = false;
  for (const Route& route : routes(*call.op)) {
    if (wanted != "all" && !glob(wanted, route.name)) continue;
    known = true;
    const std::string why = refusal(route, call, device_of(route));
    if (why.empty()) {
      ++run.result.ran;
      count(run, c, *call.op, route.name, judge(c, call, route, run.result.compared));
      continue;
    }
    ++run.result.refused[std::string(call.op->name) + "@" + std::string(route.name) + ": " + why];
    if (wanted != "all") ++run.result.skipped;
  }
  if (!known) skip(run, std::string(call.op->name) + ": has no route " + wanted);
}

void run_bound(Run& run, const CorpusCase& c, const Bound& bound) {
  const std::string op(bound.op->name);
  if (!bound.unfit.empty()) return skip(run, op + ": " + bound.unfit);
  if (c.compare == "invariant" && c.check != kBoundCheck && !by_property(c, *bound.op))
    return skip(run, op + ": no invariant check \"" + c.check + "\"");
  Call call;
  try {
    call = make_call(*bound.op, bound.in, bound.attrs);
  } catch (const Error& e) {
    return count(run, c, *bound.op, kGate, {rejected(c, e), ""});
  }
  run_call(run, c, call);
}

void run_case(Run& run, const CorpusCase& c) {
  const std::vector<Bound> all = bindings(c, run.folder);
  if (all.empty()) {
    ++run.result.skipped;
    ++run.result.no_row[c.op];
  }
  for (const Bound& bound : all) run_bound(run, c, bound);
}

struct Family {
  std::string folder;
  std::vector<CorpusCase> cases;
};

// How far the families are behind, by their sizes.
class Way {
 public:
  explicit Way(const std::vector<Family>& families) : families_(families.size()) {
    for (const Family& f : families) step_.total += bytes(f.folder);
  }

  void enter(const std::string& folder, const std::vector<CorpusCase>& cases) {
    begin_ += bytes_;
    bytes_ = bytes(folder), cases_ = cases.size(), seen_ = 0;
    ops_.clear();
    for (const CorpusCase& c : cases) ops_.insert(c.op);
    step_.operations = ops_.size(), step_.operation = 0;
    step_.op.clear();
    if (++family_; families_ > 1)
      step_.within = "family " + std::to_string(family_) + " of " + std::to_string(families_);
  }

  const Step& at(const CorpusCase& c) {
    if (ops_.erase(c.op)) ++step_.operation;
    step_.op = c.op, step_.case_id = c.id;
    step_.done = begin_ + bytes_ * seen_++ / cases_;
    return step_;
  }

 private:
  static std::uint64_t bytes(const std::string& folder) {
    std::uint64_t sum = 1;
    for (const char* file : {"/cases.json", "/data.safetensors"}) {
      std::error_code error;
      if (const auto size = fs::file_size(folder + file, error); !error) sum += size;
    }
    return sum;
  }

  Step step_;
  std::size_t families_, family_ = 0;
  std::uint64_t begin_ = 0, bytes_ = 0, cases_ = 0, seen_ = 0;
  std::set<std::string> ops_;  // of this family, not met yet
};

std::vector<std::string> family_folders(const std::string& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) throw Error("replay", Reason::file, folder + ": no such folder");
  std::vector<std::string> found = recorded_families(folder);
  if (found.empty()) throw Error("replay", Reason::file, folder + ": holds no cases.json, nor does any folder in it");
  return found;
}

// Everything is read, and every name looked up, before anything runs.
std::vector<Family> read_families(const std::string& folder) {
  std::vector<Family> all;
  for (const std::string& family : family_folders(folder)) {
    all.push_back({family, read_corpus(family)});
    for (const CorpusCase& c : all.back().cases) (void)bindings(c, family + "/cases.json");
  }
  return all;
}

}  // namespace

// Of the wings of a corpus, which may be parted.
constexpr int kDeepest = 2;

std::vector<std::string> recorded_families(const std::string& folder) {
  std::error_code error;
  if (fs::exists(folder + "/cases.json", error)) return {folder};
  std::vector<std::string> found;
  fs::recursive_directory_iterator entry(folder, error), end;
  for (; entry != end; entry.increment(error)) {
    if (fs::exists(entry->path() / "cases.json", error)) found.push_back(entry->path().string());
    if (entry.depth() == kDeepest) entry.disable_recursion_pending();
  }
  std::sort(found.begin(), found.end());
  return found;
}

ReplayResult replay(const ReplayOptions& options) {
  if (options.route != "natural" && options.route != "all") require_route(options.route);
  ReplayResult result;
  std::size_t matched = 0;
  std::vector<Family> families = read_families(options.folder);
  Way way(families);
  for (Family& family : families) {
    std::vector<CorpusCase>& cases = family.cases;
    std::erase_if(cases, [&](const CorpusCase& c) { return !glob(options.op, c.op) || !glob(options.case_id, c.id); });
    matched += cases.size();
    way.enter(family.folder, cases);
    Run run{options, result, family.folder};
    for (const CorpusCase& c : cases) {
      if (options.progress) options.progress(way.at(c));
      run_case(run, c);
    }
  }
  if (matched == 0)
    throw Error("replay", Reason::query,
                options.folder + ": no case of op \"" + printable(options.op) + "\" and id \"" +
                    printable(options.case_id) + "\"");
  return result;
}

bool nothing_ran(const ReplayResult& result, const std::string& route) {
  const bool every_call = route == "natural" || route == "all" || route == kReference;
  const std::int64_t judged = every_call ? result.passed : result.ran;
  return judged == 0 && result.failed == 0;
}

}  // namespace plumb
