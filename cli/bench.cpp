#include "cli/bench.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/terminal.h"
#include "cli/words.h"
#include "core/ratio.h"
#include "core/text.h"
#include "reports/report.h"

namespace plumb::cli {
namespace {

std::string rate(double work, double seconds, const char* unit) {
  return work > 0 && seconds > 0 ? quantity(work / seconds, unit) : "-";
}

std::string share(const BenchRow& r) {
  if (!r.efficiency) return r.null_reason;
  return ratio_text(*r.efficiency) + " of " + r.bound;
}

}  // namespace

bool timed_any(const BenchResult& result) {
  return std::any_of(result.rows.begin(), result.rows.end(), [](const BenchRow& r) { return !r.seconds.empty(); });
}

BenchResult timed(const BenchArgs& args, const BenchResult* begun,
                  std::function<void(const BenchResult&, const Step&)> case_done) {
  Progress progress("timing");
  BenchOptions options;
  options.queries = args.queries;
  options.route = route_named(args.route);
  options.salt = salt_named(args.salt);
  options.budget = budget_named(args.budget);
  options.launch_limit = args.launch_limit;
  options.min_seconds = args.min_time;
  options.repetitions = args.repetitions;
  options.threads = args.threads;
  options.shard = shard_named(args.shard);
  options.peers = !args.no_peers;
  options.progress = [&](const Step& step) { progress.show(step); };
  options.begun = begun;
  options.case_done = std::move(case_done);
  return plumb::bench(options);
}

void print_bench(const BenchResult& result) {
  for (const Ceiling& c : result.ceilings)
    std::printf(
        "ceiling %s on the %s, %d threads: %s\n", c.name.c_str(), c.where.c_str(), c.threads,
        c.value > 0 ? quantity(c.value, c.unit).c_str() : ("not measured: " + printable(c.null_reason)).c_str());
  Table table({"case", "<route", "<mode", "threads", "median", "mad", "min", "rate", "traffic", "<efficiency"});
  for (const BenchRow& r : result.rows) {
    const auto time = [&](double seconds) { return r.seconds.empty() ? "-" : duration(seconds); };
    table.row({r.case_id, r.route, r.mode, r.threads > 0 ? std::to_string(r.threads) : "-",
               r.seconds.empty() ? "not timed" : time(r.median), time(r.mad), time(r.min),
               rate(r.flops, r.median, "flop/s"), rate(r.bytes, r.median, "B/s"), share(r)});
  }
  if (!result.rows.empty()) table.print();
  if (!timed_any(result)) std::puts("nothing was timed");
  if (!timed_any(result))
    for (const auto& [what, times] : result.refused)
      std::printf("refused %lld: %s\n", static_cast<long long>(times), what.c_str());
  for (const std::string& error : reports::bench_errors(result)) std::printf("ERROR %s\n", error.c_str());
}

int bench(const BenchArgs& args) {
  const BenchResult result = timed(args);
  reports::Json json = reports::bench(result);
  if (!shard_named(args.shard).whole()) json["shard"] = args.shard;
  if (args.json) std::puts(reports::text_of(json, 2).c_str());
  else print_bench(result);
  if (!reports::bench_errors(result).empty()) return kFailed;
  return timed_any(result) ? kGood : kSkipped;
}

}  // namespace plumb::cli
