// Timings with progress, shared by `bench` and `report`.
#pragma once

#include "bench/bench.h"
#include "cli/verbs.h"

namespace plumb::cli {

// `begun` and `case_done`: as in BenchOptions.
BenchResult timed(const BenchArgs&, const BenchResult* begun = nullptr,
                  std::function<void(const BenchResult&, const Step&)> case_done = {});
bool timed_any(const BenchResult&);
void print_bench(const BenchResult&);  // ceilings, rows, errors

}  // namespace plumb::cli
