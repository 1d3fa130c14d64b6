// Times routes and peers on the sizes that the op rows name. Google Benchmark runs the loops.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conformance/step.h"
#include "core/route.h"
#include "core/shard.h"

namespace plumb {

struct BenchRow {
  std::string op, route, case_id;  // route "peer.openblas" for a peer
  std::string mode = "hot";        // hot: prepared once; cold: preparation in the timed region
  int threads = 1;
  std::vector<double> seconds;  // one per repetition, launch + wait, real time
  double median = 0, mad = 0, min = 0;
  double flops = 0, bytes = 0;       // of the definition
  std::optional<double> efficiency;  // share of the ceiling that binds; empty with a reason
  std::string bound;                 // "compute" or "memory"
  std::string null_reason;           // why there is no efficiency, or no time
  double once = 0;                   // seconds of the only launch of a row that is not timed for that reason
  bool verified = false;             // compared with the oracle before and after
  std::string error;                 // not empty: the row failed
};

struct Ceiling {
  std::string name;   // "fma_f32", "copy"
  std::string where;  // "host", "device"
  int threads = 1;
  double value = 0;  // flop/s or bytes/s; 0 if it could not be measured
  std::string unit;
  std::string null_reason = "";  // why there is no value
};

struct BenchResult;

struct BenchOptions {
  std::vector<std::string> queries;  // as in check, on the ids of benchmarks
  std::string route = "all";
  Budget budget = Budget::ci;  // sizes of a larger budget are left out; smoke: the least of each operation
  std::uint64_t salt = 0;      // as in check; inputs are data set A of it
  double launch_limit = 5;     // seconds: a route whose single launch takes longer is not timed
  double min_seconds = 0.2;    // per repetition
  int repetitions = 5;
  std::vector<int> threads;  // empty: all cores
  bool peers = true;
  Shard shard = {};  // of the operations that the queries name; one that is left with none times nothing
  std::function<void(const Step&)> progress;
  const BenchResult* begun = nullptr;  // of an earlier run with these options: what it has of a case is whole
  std::function<void(const BenchResult&, const Step&)> case_done;  // what is known when a case is behind
};

struct BenchResult {
  std::vector<Ceiling> ceilings;
  std::vector<BenchRow> rows;
  std::uint64_t salt = 0;
  std::map<std::string, std::int64_t> refused;  // "op@route: reason", of routes that were asked for
};

// Throws Error(query) before anything runs for a query or a route that matches no benchmark.
BenchResult bench(const BenchOptions&);

// What bench() would throw for these, before anything else runs.
void require_benchmarks(const std::vector<std::string>& queries, const std::string& route, Budget);

// Those of the queries that match a benchmark.
std::vector<std::string> with_benchmarks(const std::vector<std::string>& queries, Budget);

}  // namespace plumb
