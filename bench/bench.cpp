#include "bench/bench.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <utility>

#include "bench/ceilings.h"
#include "bench/peers.h"
#include "conformance/check.h"
#include "core/budget.h"
#include "core/fill.h"
#include "core/gate.h"
#include "core/pool.h"
#include "core/ratio.h"
#include "core/text.h"

namespace plumb {
namespace {

double median_of(std::vector<double> v) {
  if (v.empty()) return 0;
  std::sort(v.begin(), v.end());
  const std::size_t m = v.size() / 2;
  return v.size() % 2 ? v[m] : (v[m - 1] + v[m]) / 2;
}

void summarise(BenchRow& row) {
  if (row.seconds.empty()) return;
  row.median = median_of(row.seconds);
  row.min = *std::min_element(row.seconds.begin(), row.seconds.end());
  std::vector<double> distance;
  for (const double s : row.seconds) distance.push_back(std::abs(s - row.median));
  row.mad = median_of(distance);
}

// What one timed row runs: a job made once (hot) or anew each time (cold).
struct Timed {
  std::size_t row = 0;
  std::function<Job()> prepare;
  std::shared_ptr<Job> job;  // hot
  int threads = 1;
};

// One case to be timed: its call, its cost, and what the oracle says of it, in full or of a spot.
class Subject {
 public:
  Subject(std::string id, Call values, Cost cost, std::uint64_t salt)
      : call(std::move(values)), text(std::move(id)), work(cost), salt_(salt) {}

  // A case whose values cannot be had is one of shapes only, with a failure.
  static std::unique_ptr<Subject> of(const Op& op, const Case& c, std::uint64_t salt) {
    std::string failure;
    try {
      Call call = make_call(op, realize(op, c, 2 * salt), c.attrs);
      const Cost work = cost(call);
      return std::make_unique<Subject>(id(op, c), std::move(call), work, salt);
    } catch (const std::exception& e) {
      failure = e.what();
    }
    auto none = std::make_unique<Subject>(id(op, c), make_call(op, hollow(c), c.attrs), Cost{}, salt);
    none->failure_ = std::move(failure);
    return none;
  }

  // Needed before verify.
  void ask_oracle() try {
    if (!failure_.empty()) return;
    const Op& op = *call.op;
    with_memory_named(call, Held::wide, "", [&] {
      if (op.spot) spot_ = op.spot(call, hash(to_string(call.attrs)) + salt_);
      want_ = op.oracle(part());
      magnitude_ = magnitude(part());
    });
  } catch (const std::exception& e) {
    failure_ = std::string("the oracle failed: ") + e.what();
  }

  const std::string& failure() const { return failure_; }  // why nothing of it can be timed, or ""

  // What is wrong with a route's outputs, or "".
  std::string verify(const Route& route, const std::vector<Tensor>& out) const {
    if (!failure_.empty()) return failure_;
    Order order = order_of(route, call);
    if (spot_) order.amplification *= spot_->growth;
    const Deviation d = compare(part(), want_, magnitude_, order, spot_ ? spot_->pick(out) : out);
    return d.ok() ? std::string() : to_string(d);
  }

  const Call call;
  const std::string text;
  const Cost work;

 private:
  const Call& part() const { return spot_ ? spot_->call : call; }

  std::uint64_t salt_;
  std::optional<Spot> spot_;
  std::vector<Wide> want_, magnitude_;
  std::string failure_;
};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Collects each repetition's time per iteration; the name of a run begins with its row's index.
class Collector : public benchmark::BenchmarkReporter {
 public:
  explicit Collector(std::vector<BenchRow>& rows) : rows_(rows) {}
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& r : runs) {
      if (r.run_type != Run::RT_Iteration || r.iterations == 0) continue;
      const std::string name = r.benchmark_name();
      std::size_t row = 0;
      std::from_chars(name.data(), name.data() + name.size(), row);
      rows_.at(row).seconds.push_back(r.real_accumulated_time / static_cast<double>(r.iterations));
    }
  }

 private:
  std::vector<BenchRow>& rows_;
};

// What a row's speed is limited by.
struct Limit {
  bool peer, on_device, matrix;
  Dtype dtype;
};

std::int64_t elements(const Case& c) {
  std::int64_t sum = 0;
  for (const auto& in : c.in)
    if (in) sum += count(in->shape);
  return sum;
}

// The sizes of an operation that a budget holds. Benchmarks are larger than the smallest budget; of each operation it
// has the least of them.
std::vector<Case> sizes(const Op& op, Budget budget) {
  std::vector<Case> all = op.bench();
  const auto least = std::min_element(all.begin(), all.end(), [](const Case& a, const Case& b) {
    return std::pair(a.budget, elements(a)) < std::pair(b.budget, elements(b));
  });
  if (budget == Budget::smoke && least != all.end() && least->budget > budget) return {*least};
  std::erase_if(all, [&](const Case& c) { return c.budget > budget; });
  return all;
}

std::vector<std::string> ids_of(const Op& op, Budget budget) {
  std::vector<std::string> ids;
  for (const Case& c : sizes(op, budget)) ids.push_back(id(op, c));
  return ids;
}

// What was launched once and not timed.
struct TooSlow {
  std::string op, route;
  int threads;
  double bytes, seconds;
};

class Session {
 public:
  explicit Session(const BenchOptions& o) : options_(o), queries_(o.queries, o.route) {
    thread_counts_ = o.threads.empty() ? std::vector<int>{threads()} : o.threads;
    restore_ = threads();
    static std::string name = "plumb", interleave = "--benchmark_enable_random_interleaving=true";
    char* argv[] = {name.data(), interleave.data(), nullptr};
    int argc = 2;
    benchmark::Initialize(&argc, argv);
  }
  ~Session() { set_threads(restore_); }

  BenchResult run() {
    queries_.require(ids_of, options_.budget);
    Work work = selected();
    wake_device(work);
    if (work.empty() && options_.shard.whole()) throw Error("plumb", Reason::query, "no benchmark matches the query");
    result_.salt = options_.salt;
    for (const auto& [op, c] : work) operations_.try_emplace(op, operations_.size() + 1);
    step_.operations = operations_.size(), step_.total = work.size();
    if (options_.begun) take_over(*options_.begun, work);
    step_.done = step_.total - work.size();
    for (std::size_t done = 0; done < work.size();)
      for (const auto& subject : subjects(work, done)) {
        one(*subject);
        ++done, ++step_.done;
        if (options_.case_done) options_.case_done(so_far(), step_);
      }
    return so_far();
  }

 private:
  using Work = std::vector<std::pair<const Op*, Case>>;

  // What was timed until now, held against the highest ceilings that were seen.
  BenchResult so_far() {
    BenchResult result = result_;
    for (std::size_t i = 0; i < result.rows.size(); ++i) judge_speed(result.rows[i], limits_[i]);
    result.ceilings = ceilings_.measured();
    return result;
  }

  // The rows of cases that an earlier part of this run timed; they leave the work.
  void take_over(const BenchResult& begun, Work& work) {
    ceilings_.take_over(begun.ceilings);
    result_.refused = begun.refused;
    std::set<std::string> taken;
    std::erase_if(work, [&](const auto& w) {
      const std::size_t before = result_.rows.size();
      const std::string text = id(*w.first, w.second);
      if (taken.contains(text)) return true;  // listed twice
      for (const BenchRow& row : begun.rows)
        if (row.case_id == text) result_.rows.push_back(row);
      if (result_.rows.size() == before) return false;
      taken.insert(text);
      const Call call = make_call(*w.first, hollow(w.second), w.second.attrs);
      for (std::size_t i = before; i < result_.rows.size(); ++i) {
        BenchRow& row = result_.rows[i];
        limits_.push_back(limit(call, row));
        if (row.efficiency) row.error.clear();  // of its speed, which is judged anew
        if (row.once > 0) too_slow_.push_back({row.op, row.route, row.threads, row.bytes, row.once});
      }
      return true;
    });
  }

  bool wanted(const Op& op, const std::string& case_id, std::string_view route) const {
    return queries_.on(route) && queries_.match(op, case_id, route);
  }

  Work selected() const {
    Work work;
    for (const Op& op : ops()) {
      if (!queries_.may_name(op)) continue;
      for (const Case& c : sizes(op, options_.budget)) {
        const std::string text = id(op, c);
        const auto all = routes(op);
        if (std::any_of(all.begin(), all.end(), [&](const Route& r) { return wanted(op, text, r.name); }))
          work.emplace_back(&op, c);
      }
    }
    if (!options_.shard.whole()) keep_shard(work);
    return work;
  }

  void keep_shard(Work& work) const {
    std::vector<const Op*> all;
    std::vector<double> seconds;
    for (const auto& [op, c] : work) {
      if (all.empty() || all.back() != op) all.push_back(op), seconds.push_back(0);
      seconds.back() += expected_seconds(*op, c);
    }
    const std::vector<bool> own = of_shard(seconds, options_.shard);
    std::erase_if(work, [&](const auto& w) { return !own[std::find(all.begin(), all.end(), w.first) - all.begin()]; });
  }

  // About what timing a case takes, for shards that are even: the repetitions of each route, and the oracle.
  double expected_seconds(const Op& op, const Case& c) const {
    constexpr double kElement = 2e-7;
    const double repeated = 2 * options_.min_seconds * options_.repetitions * static_cast<double>(routes(op).size());
    return repeated + kElement * static_cast<double>(elements(c));
  }

  // A driver is tried in a fork, which is better taken before oracles work on other threads.
  void wake_device(const Work& work) const {
    for (const auto& [op, c] : work)
      for (const Route& r : routes(*op))
        if (r.needs != Tier::unavailable && wanted(*op, id(*op, c), r.name)) (void)device_of(r);
  }

  // The next cases. Their oracles, which are slow, work side by side, and at rest again when something is timed.
  std::vector<std::unique_ptr<Subject>> subjects(const Work& work, std::size_t first) const {
    constexpr std::size_t kMaxAtOnce = 4;  // large cases at once must fit memory
    const std::size_t n = std::min({kMaxAtOnce, static_cast<std::size_t>(restore_), work.size() - first});
    std::vector<std::future<std::unique_ptr<Subject>>> begun;
    for (std::size_t i = first; i < first + n; ++i)
      begun.push_back(std::async(std::launch::async, [this, &work, i] {
        auto s = Subject::of(*work[i].first, work[i].second, options_.salt);
        if (!chosen(*s).empty()) s->ask_oracle();
        return s;
      }));
    std::vector<std::unique_ptr<Subject>> ready;
    for (auto& b : begun) ready.push_back(b.get());
    return ready;
  }

  // All routes and peers of one case, interleaved, so that a ratio compares like with like.
  void one(const Subject& s) {
    const Op& op = *s.call.op;
    step_.op = op.name, step_.case_id = s.text, step_.operation = operations_.at(&op);
    if (options_.progress) options_.progress(step_);
    const std::size_t first = result_.rows.size();
    std::vector<Timed> timed;
    note_refusals(s);
    const std::vector<const Route*> subjects = chosen(s);
    for (const Route* r : subjects)
      for (const int t : r->needs == Tier::unavailable ? thread_counts_ : std::vector<int>{restore_})
        add_route(s, *r, t, timed);
    if (options_.peers && !subjects.empty() && s.failure().empty())  // a yardstick needs something to measure
      for (const Peer& p : peers())
        if (p.op == op.name && p.takes(s.call)) add_peer(s, p, timed);
    time(s, timed);
    finish(s, timed, first);
  }

  std::vector<const Route*> chosen(const Subject& s) const {
    std::vector<const Route*> chosen;
    for (const Route& r : routes(*s.call.op)) {
      if (r.name == kReference && options_.route != kReference) continue;
      if (!wanted(*s.call.op, s.text, r.name) || !refusal(r, s.call, device_of(r)).empty()) continue;
      if (!queries_.natural() || select(s.call, current_device()).route == &r) chosen.push_back(&r);
    }
    return chosen;
  }

  void note_refusals(const Subject& s) {
    for (const Route& r : routes(*s.call.op)) {
      if (!wanted(*s.call.op, s.text, r.name)) continue;
      if (const std::string why = refusal(r, s.call, device_of(r)); !why.empty())
        ++result_.refused[std::string(r.op) + "@" + std::string(r.name) + ": " + why];
    }
  }

  BenchRow& new_row(const Subject& s, std::string_view route, int t) {
    BenchRow row;
    row.op = s.call.op->name;
    row.route = route;
    row.case_id = s.text;
    row.threads = t;
    row.flops = s.work.flops;
    row.bytes = s.work.bytes;
    result_.rows.push_back(row);
    return result_.rows.back();
  }

  // Seconds of one launch. The first builds kernels and faults in pages: only if even that does not explain its time
  // is it taken for the answer.
  static double seconds_of(const Job& job, double limit) {
    constexpr double kPreparing = 5;
    double start = now();
    job.launch();
    job.wait();
    if (const double first = now() - start; first > limit + kPreparing) return first;
    start = now();
    job.launch();
    job.wait();
    return now() - start;
  }

  // Why a route need not be launched at all, or "": a case that moves no more bytes took ten times the limit.
  std::string hopeless(const BenchRow& row) const {
    for (const TooSlow& s : too_slow_)
      if (s.op == row.op && s.route == row.route && s.threads == row.threads && s.bytes <= row.bytes &&
          s.seconds > 10 * options_.launch_limit)
        return "one launch of a smaller case takes " + shortest(s.seconds) + " s";
    return "";
  }

  void add_route(const Subject& s, const Route& r, int t, std::vector<Timed>& timed) {
    const auto prepare = [&call = s.call, &r] { return r.prepare(call, output_specs(call)); };
    const int counted = r.needs == Tier::unavailable ? t : 0;  // threads of the host are none of the device's
    new_row(s, r.name, counted);
    const std::size_t row = result_.rows.size() - 1;
    Timed hot{row, prepare, nullptr, t};
    if (!s.failure().empty()) {
      result_.rows[row].error = s.failure();
      return;
    }
    if (std::string why = hopeless(result_.rows[row]); !why.empty()) {
      result_.rows[row].null_reason = std::move(why);
      return;
    }
    try {
      set_threads(t);
      double once = 0;
      const std::vector<Tensor> out = with_memory_named(s.call, Held::stored, r.name, [&] {
        hot.job = std::make_shared<Job>(prepare());
        once = seconds_of(*hot.job, options_.launch_limit);
        return hot.job->fetch();
      });
      result_.rows[row].error = s.verify(r, out);
      if (once > options_.launch_limit && result_.rows[row].error.empty()) {
        return too_slow(s, result_.rows[row], once);
      }
    } catch (const std::exception& e) {
      result_.rows[row].error = e.what();
    }
    if (!result_.rows[row].error.empty()) return;
    timed.push_back(hot);
    if (r.prepares.empty()) return;
    new_row(s, r.name, counted).mode = "cold";
    timed.push_back({result_.rows.size() - 1, prepare, nullptr, t});
  }

  void add_peer(const Subject& s, const Peer& p, std::vector<Timed>& timed) {
    for (const int t : p.threaded ? thread_counts_ : std::vector<int>{1}) {
      BenchRow& row = new_row(s, p.name, t);
      row.verified = true;  // a peer is a yardstick, not a subject
      row.null_reason = p.missing();
      if (row.null_reason.empty()) row.null_reason = hopeless(row);
      if (!row.null_reason.empty()) continue;
      try {
        const Job job{p.bind(s.call, t), [] {}, nullptr};
        const double once = seconds_of(job, options_.launch_limit);
        if (once > options_.launch_limit) too_slow(s, row, once);
        else timed.push_back({result_.rows.size() - 1, nullptr, std::make_shared<Job>(job), t});
      } catch (const std::exception& e) {
        row.null_reason = e.what();
      }
    }
  }

  void too_slow(const Subject& s, BenchRow& row, double once) {
    row.null_reason = "one launch takes " + shortest(once) + " s";
    row.once = once;
    too_slow_.push_back({row.op, row.route, row.threads, s.work.bytes, once});
  }

  // The repetitions of one row, which end where one fails.
  void repeat(benchmark::State& state, const Subject& s, const Timed& t) {
    BenchRow& row = result_.rows[t.row];
    try {
      set_threads(t.threads);
      if (row.error.empty())
        with_memory_named(s.call, Held::stored, row.route, [&] {
          for (auto _ : state) {
            const Job cold = t.job ? Job{} : t.prepare();
            const Job& job = t.job ? *t.job : cold;
            job.launch();
            job.wait();
            benchmark::ClobberMemory();
          }
        });
    } catch (const std::exception& e) {
      row.error = std::string("while it was timed: ") + e.what();
    }
    if (!row.error.empty()) state.SkipWithError(row.error.c_str());
  }

  void time(const Subject& s, const std::vector<Timed>& timed) {
    if (timed.empty()) return;
    for (const Timed& t : timed)
      benchmark::RegisterBenchmark(std::to_string(t.row).c_str(),
                                   [this, &s, t](benchmark::State& state) { repeat(state, s, t); })
          ->UseRealTime()
          ->MinTime(options_.min_seconds)
          ->Repetitions(options_.repetitions);
    Collector collector(result_.rows);
    benchmark::RunSpecifiedBenchmarks(&collector);
    benchmark::ClearRegisteredBenchmarks();
  }

  static std::string verify_last(const Subject& s, const BenchRow& row, const Job& job) try {
    const Route& r = find_route(*s.call.op, row.route);
    return s.verify(r, with_memory_named(s.call, Held::stored, r.name, job.fetch));
  } catch (const std::exception& e) {
    return e.what();
  }

  // Verifies the last launch of each timed job again, and relates its time to what the machine can do.
  void finish(const Subject& s, const std::vector<Timed>& timed, std::size_t first) {
    for (const Timed& t : timed) {
      BenchRow& row = result_.rows[t.row];
      if (!row.error.empty()) row.seconds.clear();
      summarise(row);
      if (row.route.starts_with("peer.")) {
        if (!row.error.empty()) row.null_reason = std::exchange(row.error, "");
        continue;
      }
      if (t.job && row.error.empty()) row.error = verify_last(s, row, *t.job);
      row.verified = row.error.empty();
    }
    for (std::size_t i = first; i < result_.rows.size(); ++i) {
      limits_.push_back(limit(s.call, result_.rows[i]));
      rate(result_.rows[i], limits_.back());
    }
  }

  Limit limit(const Call& call, const BenchRow& row) const {
    const bool peer = row.route.starts_with("peer.");
    const bool on_device = !peer && find_route(*call.op, row.route).needs != Tier::unavailable;
    const bool matrix = on_device && find_route(*call.op, row.route).tier == Tier::neural_accelerator;
    return {peer, on_device, matrix, output_specs(call).front().dtype};
  }

  void rate(BenchRow& row, const Limit& limit) {
    if (row.median == 0 || !row.error.empty()) {
      if (row.null_reason.empty()) row.null_reason = row.error.empty() ? "no repetition was measured" : row.error;
      return;
    }
    share(row, limit);
    for (int trial = 0; trial < 3 && row.efficiency > 1 && row.mode == "hot"; ++trial) {
      ceilings_.again(limit.on_device, limit.matrix, limit.dtype, row.bytes, row.threads);
      share(row, limit);
    }
  }

  void share(BenchRow& row, const Limit& limit) {
    const Ceiling& peak = ceilings_.flops(limit.on_device, limit.matrix, limit.dtype, row.threads);
    const Ceiling& copy = ceilings_.bytes(limit.on_device, row.bytes, row.threads);
    for (const Ceiling* c : {&peak, &copy})
      if (c->value <= 0) {
        row.null_reason = "no ceiling " + c->name + ": " + c->null_reason;
        return;
      }
    const double compute = row.flops / peak.value, memory = row.bytes / copy.value;
    row.bound = compute > memory ? "compute" : "memory";
    row.efficiency = std::max(compute, memory) / row.median;
  }

  // The last word, when no ceiling rises any more.
  void judge_speed(BenchRow& row, const Limit& limit) {
    if (!row.efficiency) return;
    share(row, limit);
    if (*row.efficiency > 1.02 && row.mode == "hot" && !limit.peer)
      row.error = "runs at " + ratio_text(*row.efficiency, 1.02) + " of the measured " + row.bound + " ceiling";
  }

  const BenchOptions& options_;
  const Queries queries_;
  std::vector<int> thread_counts_;
  int restore_ = 1;
  Ceilings ceilings_;
  std::vector<TooSlow> too_slow_;
  std::vector<Limit> limits_;                    // of each row
  std::map<const Op*, std::size_t> operations_;  // the number of each, from 1
  Step step_;
  BenchResult result_;
};

}  // namespace

std::vector<std::string> with_benchmarks(const std::vector<std::string>& queries, Budget budget) {
  std::vector<std::string> kept;
  for (const std::string& q : queries)
    if (Queries({q}, "all").any(ids_of, budget)) kept.push_back(q);
  return kept;
}

void require_benchmarks(const std::vector<std::string>& queries, const std::string& route, Budget budget) {
  Queries(queries, route).require(ids_of, budget);
}

BenchResult bench(const BenchOptions& options) { return Session(options).run(); }

}  // namespace plumb
