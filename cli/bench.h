// Timings with progress, shared by `bench` and `report`.
#pragma once

#include "bench/bench.h"
#include "cli/verbs.h"

namespace plumb::cli {

BenchResult timed(const BenchArgs&);
void print_bench(const BenchResult&);  // ceilings, rows, errors

}  // namespace plumb::cli
