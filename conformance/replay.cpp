#include "conformance/replay.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "conformance/check.h"
#include "core/gate.h"

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

std::string bare(std::string_view input) {
  return std::string(input.ends_with('?') ? input.substr(0, input.size() - 1) : input);
}

// Names pair first; if one is left over on both sides, these two are the same thing under two names.
template <class Names>
std::vector<int> pair_names(const Names& here, const std::vector<std::string>& there) {
  std::vector<int> at(there.size(), -1);
  std::set<int> free;
  for (int i = 0; i < static_cast<int>(here.size()); ++i) free.insert(i);
  for (std::size_t j = 0; j < there.size(); ++j)
    for (int i = 0; i < static_cast<int>(here.size()); ++i)
      if (bare(here[static_cast<std::size_t>(i)]) == there[j]) at[j] = i, free.erase(i);
  const auto unmatched = std::count(at.begin(), at.end(), -1);
  if (unmatched == 1 && free.size() == 1) *std::find(at.begin(), at.end(), -1) = *free.begin();
  return at;
}

void bind_inputs(Bound& bound, const CorpusCase& c) {
  std::vector<std::string> names;
  for (const auto& [name, unused] : c.inputs) names.push_back(name);
  const std::vector<int> at = pair_names(bound.op->inputs, names);
  bound.in.resize(bound.op->inputs.size());
  for (std::size_t j = 0; j < names.size(); ++j)
    if (at[j] < 0)
      bound.unfit = "input " + names[j] + " not in row";
    else
      bound.in[static_cast<std::size_t>(at[j])] = c.inputs.at(names[j]);
}

Bound bind(const Op& op, const CorpusCase& c, const Attrs& attrs) {
  Bound bound{&op, {}, {}, ""};
  for (const auto& [name, value] : attrs)
    if (op.attrs.find(name))
      bound.attrs.set(name, value);
    else if (!value.none())
      bound.unfit = "attribute " + name + " not in row";
  bind_inputs(bound, c);
  return bound;
}

std::vector<Bound> bindings(const CorpusCase& c) {
  std::vector<Bound> all;
  for (const Op& op : ops()) {
    if (op.corpus_name() != c.op) continue;
    Attrs attrs = c.attrs;
    if (!op.corpus_call || op.corpus_call(attrs)) all.push_back(bind(op, c, attrs));
  }
  return all;
}

// Which reasons stand for a recorded exception class. A broken device or file is never the user's error.
bool maps_to(Reason reason, const std::string& error) {
  if (reason == Reason::device || reason == Reason::file || reason == Reason::query) return false;
  if (error == "out_of_range") return reason == Reason::axis || reason == Reason::attribute || reason == Reason::shape;
  return true;
}

std::string compare_outputs(const CorpusCase& c, const Call& call, const std::vector<Tensor>& all,
                            std::int64_t& compared) {
  const std::vector<Tensor> out = active(call, all);
  std::vector<std::string> names;
  for (const auto& [name, unused] : c.outputs) names.push_back(name);
  const std::vector<int> at = pair_names(call.op->outputs, names);
  for (std::size_t j = 0; j < c.outputs.size(); ++j) {
    if (at[j] < 0) return "the row has no output \"" + names[j] + "\"";
    const auto tol = j < c.tol.size() ? c.tol[j] : std::pair<double, double>{0, 0};
    const std::string wrong = compare_recorded(out.at(static_cast<std::size_t>(at[j])), c.outputs[j].second,
                                               c.compare == "exact", tol, c.signed_zero, &compared);
    if (!wrong.empty()) return "output " + names[j] + ": " + wrong;
  }
  return "";
}

// "" if the route answers as recorded.
std::string answered(const CorpusCase& c, const Call& call, const Route& route, std::int64_t& compared) {
  try {
    const std::vector<Tensor> out = run(call, route);
    return c.error ? "not rejected: " + *c.error + " was recorded" : compare_outputs(c, call, out, compared);
  } catch (const Error& e) {
    return c.error && maps_to(e.reason(), *c.error) ? "" : std::string("threw ") + e.what();
  }
}

// The same, and nothing was written outside a buffer, which is seen when the last of them is gone.
std::string judge(const CorpusCase& c, const Call& call, const Route& route, std::int64_t& compared) {
  const MemoryWatch watch;
  (void)MemoryWatch::take_damage();
  const std::string wrong = answered(c, call, route, compared);
  const auto damage = MemoryWatch::take_damage();
  return !wrong.empty() ? wrong : damage.empty() ? "" : damage.front();
}

void count(Run& run, const CorpusCase& c, const Op& op, std::string_view route, const std::string& wrong) {
  const std::string name(route);
  if (wrong.empty()) {
    ++run.result.passed;
    ++run.result.by_route[std::string(op.name) + "@" + name];
    return;
  }
  ++run.result.failed;
  run.result.failures.push_back(
      {c.id, std::string(op.name), name, wrong,
       "plumb replay " + run.folder + " --case=" + c.id + " --route=" + (name == kGate ? run.options.route : name)});
}

void skip(Run& run, const std::string& reason) {
  ++run.result.skipped;
  ++run.result.skips[reason];
}

void run_call(Run& run, const CorpusCase& c, const Call& call) {
  const std::string& wanted = run.options.route;
  if (wanted == "natural") {
    const Route& route = *select(call, current_device()).route;
    return count(run, c, *call.op, route.name, judge(c, call, route, run.result.compared));
  }
  for (const Route& route : routes(*call.op)) {
    if (wanted != "all" && !glob(wanted, route.name)) continue;
    const std::string why = refusal(route, call, device_of(route));
    if (why.empty()) {
      count(run, c, *call.op, route.name, judge(c, call, route, run.result.compared));
      continue;
    }
    ++run.result.refused[std::string(call.op->name) + "@" + std::string(route.name) + ": " + why];
    if (wanted != "all") ++run.result.skipped;
  }
}

void run_bound(Run& run, const CorpusCase& c, const Bound& bound) {
  const std::string op(bound.op->name);
  if (!bound.unfit.empty()) return skip(run, op + ": " + bound.unfit);
  if (c.compare == "invariant") return skip(run, op + ": no invariant check \"" + c.check + "\"");
  Call call;
  try {
    call = make_call(*bound.op, bound.in, bound.attrs);
  } catch (const Error& e) {
    const bool right = c.error && maps_to(e.reason(), *c.error);
    return count(run, c, *bound.op, kGate, right ? "" : std::string("threw ") + e.what());
  }
  run_call(run, c, call);
}

void run_case(Run& run, const CorpusCase& c) {
  const std::vector<Bound> all = bindings(c);
  if (all.empty()) {
    ++run.result.skipped;
    ++run.result.no_row[c.op];
  }
  for (const Bound& bound : all) run_bound(run, c, bound);
}

// How far the families are behind. Their sizes are known before they are read, their cases are not.
class Way {
 public:
  explicit Way(const std::vector<std::string>& folders) : families_(folders.size()) {
    for (const std::string& folder : folders) step_.total += bytes(folder);
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

void require_route(const std::string& wanted) {
  if (wanted == "natural" || wanted == "all") return;
  std::set<std::string> names;
  for (const Op& op : ops())
    for (const Route& route : routes(op)) {
      if (glob(wanted, route.name)) return;
      names.insert(std::string(route.name));
    }
  std::string known;
  for (const std::string& name : names) known += " " + name;
  throw Error("replay", Reason::query, "no route \"" + wanted + "\"; there are natural, all, and" + known);
}

}  // namespace

std::vector<std::string> recorded_families(const std::string& folder) {
  std::error_code error;
  if (fs::exists(folder + "/cases.json", error)) return {folder};
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (fs::exists(entry.path() / "cases.json", error)) found.push_back(entry.path().string());
  std::sort(found.begin(), found.end());
  return found;
}

ReplayResult replay(const ReplayOptions& options) {
  require_route(options.route);
  ReplayResult result;
  std::size_t matched = 0;
  const std::vector<std::string> folders = family_folders(options.folder);
  Way way(folders);
  for (const std::string& folder : folders) {
    std::vector<CorpusCase> cases = read_corpus(folder);
    std::erase_if(cases, [&](const CorpusCase& c) { return !glob(options.op, c.op) || !glob(options.case_id, c.id); });
    matched += cases.size();
    way.enter(folder, cases);
    Run run{options, result, folder};
    for (const CorpusCase& c : cases) {
      if (options.progress) options.progress(way.at(c));
      run_case(run, c);
    }
  }
  if (matched == 0)
    throw Error("replay", Reason::query,
                options.folder + ": no case of op \"" + options.op + "\" and id \"" + options.case_id + "\"");
  return result;
}

}  // namespace plumb
