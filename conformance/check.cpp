#include "conformance/check.h"

#include <algorithm>
#include <deque>
#include <future>
#include <memory>
#include <set>

#include "core/gate.h"
#include "core/limits.h"
#include "core/pool.h"

namespace plumb {
namespace {

// Ids of cases in their order, then of the calls that must be refused.
std::vector<std::string> ids_with_rejects(const Op& op, const std::vector<Case>& cases) {
  std::vector<std::string> ids;
  for (const Case& c : cases) ids.push_back(id(op, c));
  for (const Reject& r : rejects_of(op)) ids.push_back(id(op, r.call));
  return ids;
}

std::vector<std::string> ids_of(const Op& op, Budget budget) { return ids_with_rejects(op, cases_of(op, budget)); }

// About what judging an operation takes, for shards that are even: a case has a price on each route, and each element
// of its inputs. What the definition computes may depend on values, which no case has yet.
double expected_seconds(const Op& op, Budget budget) {
  constexpr double kCase = 5e-4, kElement = 5e-7;
  double seconds = 0;
  for (const Case& c : cases_of(op, budget)) {
    std::int64_t elements = 0;
    for (const auto& in : c.in)
      if (in) elements += count(in->shape);
    seconds += static_cast<double>(routes(op).size()) * (kCase + kElement * static_cast<double>(elements));
  }
  return seconds;
}

// The judge of a case, or why the reference gave no answer to judge by.
struct Ready {
  std::unique_ptr<Judge> judge;
  std::string wrong;
};

Ready judge_of(const Op& op, const Case& c, std::uint64_t salt) try {
  return {std::make_unique<Judge>(op, c, salt), ""};
} catch (const std::exception& e) {
  return {nullptr, e.what()};
}

// The judges of cases in their sequence: oracles are slow, plain and independent of each other, so the next ones work
// on other threads while routes run.
class Ahead {
 public:
  Ahead(const Op& op, const std::vector<Case>& cases, std::uint64_t salt) : op_(op), cases_(cases), salt_(salt) {}

  Ready next() {
    while (begun_ < cases_.size() && std::ssize(waiting_) < threads())
      waiting_.push_back(
          std::async(std::launch::async, [this, i = begun_++] { return judge_of(op_, cases_[i], salt_); }));
    Ready first = waiting_.front().get();
    waiting_.pop_front();
    return first;
  }

 private:
  const Op& op_;
  const std::vector<Case>& cases_;
  std::uint64_t salt_;
  std::size_t begun_ = 0;
  std::deque<std::future<Ready>> waiting_;
};

class Run {
 public:
  explicit Run(const CheckOptions& o) : options_(o), queries_(o.queries, o.route) {}

  CheckResult all() {
    queries_.require(ids_of, options_.budget);
    result_.salt = options_.salt;
    result_.settings = settings(options_.isas, options_.threads);
    if (options_.begun) result_ = *options_.begun;
    for (const auto& [op, cases] : asked()) {
      ++step_.operation;
      const bool before = judged_before(*op);
      if (!before) one(*op);
      sum_up();
      step_.done = done_ += cases;
      if (options_.op_done && !before) options_.op_done(result_, step_);
    }
    if (result_.tallies.empty()) throw Error("plumb", Reason::query, nothing());
    unused();
    return std::move(result_);
  }

 private:
  using Asked = std::vector<std::pair<const Op*, std::size_t>>;

  std::string nothing() const {
    return options_.shard.whole() ? "no case matches the query"
                                  : "no operation is left for the shard " + to_string(options_.shard);
  }

  // The operations of the shard that a query names, each with the number of its cases that some route is judged by.
  Asked asked() {
    Asked all;
    for (const Op& op : ops()) {
      if (!queries_.may_name(op)) continue;
      const std::vector<Case> cases = cases_of(op, options_.budget);
      const std::vector<std::string> ids = ids_with_rejects(op, cases);
      if (!std::any_of(ids.begin(), ids.end(), [&](const std::string& text) { return some(op, text, &Run::wanted); }))
        continue;
      all.emplace_back(&op, std::count_if(ids.begin(), ids.begin() + std::ssize(cases),
                                          [&](const std::string& text) { return some(op, text, &Run::judged); }));
    }
    if (!options_.shard.whole()) keep_shard(all);
    for (const auto& [op, cases] : all) step_.total += cases;
    step_.operations = all.size();
    return all;
  }

  void keep_shard(Asked& all) const {
    std::vector<double> seconds;
    for (const auto& [op, cases] : all) seconds.push_back(expected_seconds(*op, options_.budget));
    const std::vector<bool> own = of_shard(seconds, options_.shard);
    std::size_t at = 0;
    std::erase_if(all, [&](const auto&) { return !own[at++]; });
  }

  // What is refused at the gate counts for no route, and not at all where no case ran.
  void sum_up() {
    result_.passed = 0;
    for (const Tally& t : result_.tallies) result_.passed += t.passed;
    if (!nothing_ran(result_)) result_.passed += result_.at_gate;
  }

  bool judged_before(const Op& op) const {
    if (!options_.begun) return false;
    const std::vector<Tally>& all = options_.begun->tallies;
    return std::any_of(all.begin(), all.end(), [&](const Tally& t) { return t.op == op.name; });
  }

  // Whether it is so for some route.
  bool some(const Op& op, const std::string& text,
            bool (Run::*so)(const Op&, const Route&, const std::string&) const) const {
    const auto all = routes(op);
    return std::any_of(all.begin(), all.end(), [&](const Route& r) { return (this->*so)(op, r, text); });
  }

  void one(const Op& op) {
    std::vector<Case> cases = cases_of(op, options_.budget);
    std::erase_if(cases, [&](const Case& c) { return !some(op, id(op, c), &Run::judged); });
    wake_device(op, cases);
    ask_backends(op, cases);
    Ahead ahead(op, cases, options_.salt);
    for (const Case& c : cases) {
      step_.op = op.name, step_.case_id = id(op, c);
      if (options_.progress) options_.progress(step_);
      ++step_.done;
      const Ready ready = ahead.next();
      if (ready.judge) on_routes(op, *ready.judge, c);
      else unanswered(op, step_.case_id, ready.wrong);
    }
    rejects(op);
    mistrust(op);
  }

  // No route can be judged then, and the cases behind are no worse for it.
  void unanswered(const Op& op, const std::string& case_id, const std::string& why) {
    ++tally(op, find_route(op, kReference)).failed;
    fail({case_id, std::string(op.name), std::string(kReference), "gave no answer to judge by: " + why,
          repro(case_id, std::nullopt), options_.salt, std::nullopt});
  }

  // A driver is tried in a fork, which is better taken before oracles work on other threads.
  void wake_device(const Op& op, const std::vector<Case>& cases) const {
    for (const Route& r : routes(op))
      if (r.needs != Tier::unavailable &&
          std::any_of(cases.begin(), cases.end(), [&](const Case& c) { return judged(op, r, id(op, c)); }))
        (void)device_of(r);
  }

  // Whether they serve these cases, all at once. What ends a backend on the way is told by the case that it ends at.
  void ask_backends(const Op& op, const std::vector<Case>& cases) const {
    for (const Route& r : routes(op)) {
      Backend* const backend = backend_of(r);
      if (!backend) continue;
      std::vector<Call> calls;
      for (const Case& c : cases)
        if (judged(op, r, id(op, c))) calls.push_back(make_call(op, hollow(c), c.attrs));
      try {
        backend->use(Threads::one);
        backend->ask_ahead(calls);
      } catch (const Fault&) {
      }
    }
  }

  // A row of which more than one case in twenty has no finite bound is not judged, and that is a failure of its bound.
  void mistrust(const Op& op) {
    for (const Tally& t : result_.tallies) {
      // A backend cannot help what our bounds and cases do not tell.
      if (t.op == op.name && too_many(t.mistrusted, t.ran) && !backend_of(find_route(op, t.route)))
        fail({t.op + "/*", t.op, t.route,
              std::to_string(t.mistrusted) + " of " + std::to_string(t.ran) + " cases have no finite bound",
              "plumb check " + t.op + "@" + t.route + " -v" + salt_option(options_.salt), options_.salt, std::nullopt});
    }
  }

  // The reference is not judged by itself: golden values test it, `plumb replay` runs them.
  void on_routes(const Op& op, Judge& judge, const Case& c) {
    if (queries_.natural()) return on_natural(op, judge, c);
    for (const Route& r : routes(op))
      if (judged(op, r, judge.case_id())) each(op, r, judge.case_id(), [&] { return judge.on(r, device_of(r)); });
  }

  void on_natural(const Op& op, Judge& judge, const Case& c) {
    const Call call = make_call(op, hollow(c), c.attrs);
    const Route& natural = *select(call, current_device()).route;
    if (natural.name != kReference && wanted(op, natural, judge.case_id()))
      return each(op, natural, judge.case_id(), [&] { return judge.on(natural, current_device()); });
    for (const Route& r : routes(op))
      if (wanted(op, r, judge.case_id())) {
        Verdict v;
        v.status = Status::refused;
        v.reason = natural.name == kReference ? "the oracle itself is the natural route"
                                              : "the natural route is " + std::string(natural.name);
        return count(op, natural.name == kReference ? natural : r, judge.case_id(), v, std::nullopt);
      }
  }

  bool wanted(const Op& op, const Route& r, const std::string& case_id) const {
    return queries_.on(r.name) && queries_.match(op, case_id, r.name);
  }
  // Cases that no route is judged by need no oracle; the reference has its rejects only.
  bool judged(const Op& op, const Route& r, const std::string& case_id) const {
    return (queries_.natural() || r.name != kReference) && wanted(op, r, case_id);
  }

  void rejects(const Op& op) {
    for (const Reject& reject : rejects_of(op)) {
      const std::string text = id(op, reject.call);
      std::vector<const Route*> asked;
      for (const Route& r : routes(op)) {
        if (!wanted(op, r, text)) continue;
        if (Backend* const backend = backend_of(r)) raw(op, reject, r, *backend);
        else asked.push_back(&r);
      }
      if (!asked.empty()) on_own(op, reject, text, asked);
    }
  }

  void raw(const Op& op, const Reject& reject, const Route& r, Backend& backend) {
    const std::optional<Verdict> v = judge_raw(op, reject, backend);
    if (!v) return;
    tally(op, r).rejects += v->status == Status::pass;
    count_verdict(op, r, id(op, reject.call), *v, std::nullopt);
  }

  void on_own(const Op& op, const Reject& reject, const std::string& text, const std::vector<const Route*>& asked) {
    if (const std::optional<Verdict> v = judge_gate(op, reject)) return at_gate(op, text, *v, asked);
    for (const Route* r : asked)
      under_each(
          *r, result_.settings, [&] { return judge_reject(op, reject, *r, device_of(*r)); },
          [&](const Verdict& v, const std::optional<Setting>& s) {
            tally(op, *r).rejects += v.status == Status::pass;
            count_verdict(op, *r, text, v, s);
          });
  }

  void at_gate(const Op& op, const std::string& case_id, const Verdict& v, const std::vector<const Route*>& asked) {
    for (const Route* r : asked) tally(op, *r).rejects += v.status == Status::pass;
    if (v.status == Status::pass) return void(++result_.at_gate);
    fail({case_id, std::string(op.name), "gate", v.reason, repro(case_id, std::nullopt), options_.salt, std::nullopt,
          v.cause});
  }

  void each(const Op& op, const Route& r, const std::string& case_id, const std::function<Verdict()>& judge) {
    under_each(r, result_.settings, judge,
               [&](const Verdict& v, const std::optional<Setting>& s) { count(op, r, case_id, v, s); });
  }

  Tally& tally(const Op& op, const Route& r) {
    for (Tally& t : result_.tallies)
      if (t.op == op.name && t.route == r.name) return t;
    Tally t;
    t.op = op.name;
    t.route = r.name;
    t.tier = name(r.tier);
    result_.tallies.push_back(t);
    return result_.tallies.back();
  }

  std::string repro(const std::string& full, const std::optional<Setting>& s, const Backend* backend = nullptr) const {
    const bool plain = options_.isas.empty() && options_.threads.empty() && s && is_plain(*s);
    return (small_limits() ? "PLUMB_LIMITS=small " : "") + std::string("plumb repro '") + full + "'" +
           (backend ? backend->option() + " --salt=" + std::to_string(options_.salt) : salt_option(options_.salt)) +
           (s && !plain ? options_text(*s) : "");
  }

  void count(const Op& op, const Route& r, const std::string& case_id, const Verdict& v,
             const std::optional<Setting>& setting) {
    const bool ran = v.status != Status::refused && v.status != Status::absent;
    tally(op, r).ran += ran, result_.ran += ran;
    count_verdict(op, r, case_id, v, setting);
  }

  void count_verdict(const Op& op, const Route& r, const std::string& case_id, const Verdict& v,
                     const std::optional<Setting>& setting) {
    Tally& t = tally(op, r);
    t.seconds += v.seconds;
    t.compared += v.compared, result_.compared += v.compared;
    switch (v.status) {
      case Status::pass:
        ++t.passed, t.vacant += v.vacant;
        if (v.worst.ratio >= t.worst) t.worst = v.worst.ratio, t.worst_case = case_id;
        break;
      case Status::refused:
      case Status::absent:
        ++(v.status == Status::refused ? t.refused : t.absent), ++result_.skipped, ++t.reasons[v.reason];
        break;
      case Status::mistrusted: ++t.mistrusted, ++result_.mistrusted, ++t.reasons["mistrusted: " + case_id]; break;
      case Status::fail: ++t.causes[std::string(name(v.cause))]; break;
    }
    const Known* const known = known_of(options_.known, r.name, case_id);
    if (known) used_.insert(known);
    if (v.status == Status::fail && known && known->cause == v.cause) {
      ++t.known, ++result_.known;
      return;
    }
    if (v.status == Status::fail)
      return wrong(t, r, case_id, v, v.reason + (setting ? " (" + to_string(*setting) + ")" : ""), setting);
    if (known && v.status != Status::absent)
      wrong(t, r, case_id, v,
            "is listed as a departure (" + std::string(name(known->cause)) + ": " + known->reason +
                "), and is now: " + std::string(name(v.status)),
            setting);
  }

  void wrong(Tally& t, const Route& r, const std::string& case_id, const Verdict& v, const std::string& message,
             const std::optional<Setting>& setting) {
    ++t.failed;
    fail({case_id, t.op, t.route, message, repro(case_id + "@" + std::string(r.name), setting, backend_of(r)),
          options_.salt, setting, v.cause, v.log});
  }

  // Of a run over everything: an entry of the list that is of no case departs from nothing.
  void unused() {
    if (!options_.queries.empty() || options_.budget == Budget::smoke) return;
    for (const Known& k : options_.known)
      if (!used_.contains(&k))
        fail({k.pattern, k.pattern.substr(0, k.pattern.find('/')), k.library,
              "is listed as a departure (" + k.reason + "), and is no case", "plumb list cases", options_.salt,
              std::nullopt});
  }

  void fail(Failure f) {
    ++result_.failed;
    result_.failures.push_back(std::move(f));
    if (options_.failed) options_.failed(result_.failures.back());
  }

  const CheckOptions& options_;
  const Queries queries_;
  CheckResult result_;
  Step step_;
  std::size_t done_ = 0;  // cases of the operations that are behind
  std::set<const Known*> used_;
};

}  // namespace

void under_each(const Route& route, const std::vector<Setting>& all, const std::function<Verdict()>& judge,
                const std::function<void(const Verdict&, const std::optional<Setting>&)>& found) {
  if (route.needs != Tier::unavailable || route.name == kReference) return found(judge(), std::nullopt);
  for (const Setting& s : all) {
    Verdict v;
    v.status = Status::absent;
    v.reason = why_absent(s);
    if (v.reason.empty()) {
      const Under under(s);
      v = judge();
    }
    found(v, s);
  }
}

CheckResult check(const CheckOptions& options) { return Run(options).all(); }

bool nothing_ran(const CheckResult& result) { return result.ran == 0 && result.skipped > 0 && result.failed == 0; }

std::string why_nothing_ran(const CheckResult& result) {
  for (const Tally& t : result.tallies)
    if (t.absent > 0 && t.tier != name(Tier::unavailable))
      return t.op + ": the device that " + t.route + " needs is not here";
  for (const Tally& t : result.tallies)
    if (!t.reasons.empty()) return t.op + "@" + t.route + " ran no case: " + t.reasons.begin()->first;
  return "no case was found";
}

std::vector<Case> cases_of(const Op& op, Budget budget) {
  std::vector<Case> kept;
  std::set<std::string> seen;
  for (Case& c : op.cases()) {
    if (c.budget > budget || !seen.insert(id(op, c)).second) continue;
    kept.push_back(std::move(c));
  }
  return kept;
}

std::string salt_option(std::uint64_t salt) { return salt ? " --salt=" + std::to_string(salt) : ""; }

}  // namespace plumb
