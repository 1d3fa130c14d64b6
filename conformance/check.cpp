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

bool matches(const std::vector<std::string>& queries, const Op& op, const std::string& case_id, std::string_view route) {
  if (queries.empty()) return true;
  const std::string full = case_id + "@" + std::string(route);
  return std::any_of(queries.begin(), queries.end(), [&](const std::string& q) {
    return q == op.name || glob(q, full) || glob(q, case_id) || glob(q, std::string(op.name) + "@" + std::string(route));
  });
}

// A query may be spoilt by a typing error in the op: say so instead of running nothing.
void check_queries(const CheckOptions& o) {
  for (const std::string& q : o.queries) {
    const std::string op(q.substr(0, q.find_first_of("/@")));
    if (op.find_first_of("*?") == std::string::npos) {
      (void)find_op(op);
      continue;
    }
    const auto all = ops();
    if (std::none_of(all.begin(), all.end(), [&](const Op& row) { return glob(op, row.name); }))
      throw Error("plumb", Reason::query, "no op matches '" + op + "'");
  }
  if (o.route == "all" || o.route == "natural") return;
  for (const Op& op : ops())
    for (const Route& r : routes(op))
      if (glob(o.route, r.name)) return;
  throw Error("plumb", Reason::query, "no route matches '" + o.route + "'");
}

// The judges of cases in their sequence: oracles are slow, plain and independent of each other, so the next ones work
// on other threads while routes run.
class Ahead {
 public:
  Ahead(const Op& op, const std::vector<Case>& cases, std::uint64_t salt) : op_(op), cases_(cases), salt_(salt) {}

  std::unique_ptr<Judge> next() {
    while (begun_ < cases_.size() && std::ssize(waiting_) < threads())
      waiting_.push_back(std::async(std::launch::async,
                                    [this, i = begun_++] { return std::make_unique<Judge>(op_, cases_[i], salt_); }));
    std::future<std::unique_ptr<Judge>> first = std::move(waiting_.front());
    waiting_.pop_front();
    return first.get();
  }

 private:
  const Op& op_;
  const std::vector<Case>& cases_;
  std::uint64_t salt_;
  std::size_t begun_ = 0;
  std::deque<std::future<std::unique_ptr<Judge>>> waiting_;
};

class Run {
 public:
  explicit Run(const CheckOptions& o) : options_(o) {}

  CheckResult all() {
    check_queries(options_);
    result_.salt = options_.salt;
    result_.settings = settings(options_.isas, options_.threads);
    if (options_.begun) result_ = *options_.begun;
    for (const auto& [op, cases] : asked()) {
      ++step_.operation;
      const bool before = judged_before(*op);
      if (!before) one(*op);
      step_.done = done_ += cases;
      if (options_.op_done && !before) options_.op_done(result_, step_);
    }
    if (result_.tallies.empty()) throw Error("plumb", Reason::query, "no case matches the query");
    return std::move(result_);
  }

 private:
  // The operations that a query names, each with the number of its cases that some route is judged by.
  std::vector<std::pair<const Op*, std::size_t>> asked() {
    std::vector<std::pair<const Op*, std::size_t>> all;
    for (const Op& op : ops()) {
      const std::vector<Case> cases = cases_of(op, options_.budget);
      if (!std::any_of(cases.begin(), cases.end(), [&](const Case& c) { return some(op, c, &Run::named); })) continue;
      all.emplace_back(
          &op, std::count_if(cases.begin(), cases.end(), [&](const Case& c) { return some(op, c, &Run::judged); }));
      step_.total += all.back().second;
    }
    step_.operations = all.size();
    return all;
  }

  bool judged_before(const Op& op) const {
    if (!options_.begun) return false;
    const std::vector<Tally>& all = options_.begun->tallies;
    return std::any_of(all.begin(), all.end(), [&](const Tally& t) { return t.op == op.name; });
  }

  // Whether it is so for some route.
  bool some(const Op& op, const Case& c, bool (Run::*so)(const Op&, const Route&, const std::string&) const) const {
    const std::string text = id(op, c);
    const auto all = routes(op);
    return std::any_of(all.begin(), all.end(), [&](const Route& r) { return (this->*so)(op, r, text); });
  }

  void one(const Op& op) {
    std::vector<Case> cases = cases_of(op, options_.budget);
    std::erase_if(cases, [&](const Case& c) { return !some(op, c, &Run::judged); });
    wake_device(op, cases);
    Ahead ahead(op, cases, options_.salt);
    for (const Case& c : cases) {
      step_.op = op.name, step_.case_id = id(op, c);
      if (options_.progress) options_.progress(step_);
      ++step_.done;
      const std::unique_ptr<Judge> judge = ahead.next();
      on_routes(op, *judge, c);
    }
    rejects(op);
    mistrust(op);
  }

  // A driver is tried in a fork, which is better taken before oracles work on other threads.
  void wake_device(const Op& op, const std::vector<Case>& cases) const {
    for (const Route& r : routes(op))
      if (r.needs != Tier::unavailable &&
          std::any_of(cases.begin(), cases.end(), [&](const Case& c) { return judged(op, r, id(op, c)); }))
        (void)device_of(r);
  }

  // A row of which more than one case in twenty has no finite bound is not judged, and that is a failure of its bound.
  void mistrust(const Op& op) {
    for (const Tally& t : result_.tallies) {
      const std::int64_t cases = t.passed - t.rejects + t.failed + t.mistrusted;
      if (t.op == op.name && too_many(t.mistrusted, cases))
        fail({t.op + "/*", t.op, t.route,
              std::to_string(t.mistrusted) + " of " + std::to_string(cases) + " cases have no finite bound",
              "plumb check " + t.op + "@" + t.route + " -v" + salt_option(options_.salt), options_.salt, std::nullopt});
    }
  }

  // The reference is not judged by itself: golden values test it, `plumb replay` runs them.
  void on_routes(const Op& op, Judge& judge, const Case& c) {
    if (options_.route == "natural") {
      const Call call = make_call(op, hollow(c), c.attrs);
      const Route& r = *select(call, current_device()).route;
      if (r.name != kReference)
        each(op, r, judge.case_id(), [&] { return judge.on(r, device_of(r)); });
      else ++tally(op, r).refused, ++result_.skipped, ++tally(op, r).reasons["the oracle itself is the natural route"];
      return;
    }
    for (const Route& r : routes(op))
      if (judged(op, r, judge.case_id())) each(op, r, judge.case_id(), [&] { return judge.on(r, device_of(r)); });
  }

  bool named(const Op& op, const Route& r, const std::string& case_id) const {
    return matches(options_.queries, op, case_id, r.name);
  }
  // Cases that no route is judged by need no oracle; the reference has its rejects only.
  bool judged(const Op& op, const Route& r, const std::string& case_id) const {
    if (options_.route == "natural") return named(op, r, case_id);
    if (r.name == kReference || (options_.route != "all" && !glob(options_.route, r.name))) return false;
    return named(op, r, case_id);
  }

  void rejects(const Op& op) {
    for (const Reject& reject : op.rejects())
      for (const Route& r : routes(op)) {
        const std::string text = id(op, reject.call);
        if (!matches(options_.queries, op, text, r.name)) continue;
        if (options_.route != "all" && options_.route != "natural" && !glob(options_.route, r.name)) continue;
        each(op, r, text, [&] {
          const Verdict v = judge_reject(op, reject, r, device_of(r));
          if (v.status == Status::pass) ++tally(op, r).rejects;
          return v;
        });
      }
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

  std::string repro(const std::string& full, const std::optional<Setting>& s) const {
    const bool plain = options_.isas.empty() && options_.threads.empty() && s && is_plain(*s);
    return (small_limits() ? "PLUMB_LIMITS=small " : "") + std::string("plumb repro '") + full + "'" + salt_option(options_.salt) + (s && !plain ? options_text(*s) : "");
  }

  void count(const Op& op, const Route& r, const std::string& case_id, const Verdict& v,
             const std::optional<Setting>& setting) {
    Tally& t = tally(op, r);
    t.seconds += v.seconds;
    t.compared += v.compared, result_.compared += v.compared;
    switch (v.status) {
      case Status::pass:
        ++t.passed, ++result_.passed, t.vacant += v.vacant;
        if (v.worst.ratio >= t.worst) t.worst = v.worst.ratio, t.worst_case = case_id;
        break;
      case Status::refused:
      case Status::absent:
        ++(v.status == Status::refused ? t.refused : t.absent), ++result_.skipped, ++t.reasons[v.reason];
        break;
      case Status::mistrusted:
        ++t.mistrusted, ++result_.mistrusted, ++t.reasons["no finite bound: " + case_id];
        break;
      case Status::fail:
        ++t.failed;
        fail({case_id, t.op, t.route, v.reason + (setting ? " (" + to_string(*setting) + ")" : ""),
              repro(case_id + "@" + std::string(r.name), setting), options_.salt, setting});
        break;
    }
  }

  void fail(Failure f) {
    ++result_.failed;
    result_.failures.push_back(std::move(f));
    if (options_.failed) options_.failed(result_.failures.back());
  }

  const CheckOptions& options_;
  CheckResult result_;
  Step step_;
  std::size_t done_ = 0;  // cases of the operations that are behind
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

bool glob(std::string_view p, std::string_view t) {
  std::size_t i = 0, j = 0, star = std::string_view::npos, mark = 0;
  while (j < t.size()) {
    if (i < p.size() && (p[i] == '?' || (p[i] == t[j] && p[i] != '*'))) ++i, ++j;
    else if (i < p.size() && p[i] == '*') star = i++, mark = j;
    else if (star != std::string_view::npos) i = star + 1, j = ++mark;
    else return false;
  }
  while (i < p.size() && p[i] == '*') ++i;
  return i == p.size();
}

}  // namespace plumb
