// The facts of a run as JSON: what `--json` prints and what report.json holds. report.schema.json
// describes the whole; Markdown and HTML are rendered from it, never written beside it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "bench/bench.h"
#include "conformance/check.h"
#include "conformance/replay.h"

namespace plumb::reports {

using Json = nlohmann::ordered_json;

inline constexpr double kMaxEfficiency = 1.02;  // beyond it a measurement is wrong, not good

Json devices();  // "host", "devices", "current"
Json ops();
Json routes();
Json check(const CheckResult&);
Json coverage();  // how often each condition held, since the program began
Json bench(const BenchResult&);
Json replay(const ReplayResult&);

// Rows that ran wrongly: not verified, failed, or faster than the machine can be.
std::vector<std::string> bench_errors(const BenchResult&);

Json document(const std::string& command, const std::string& budget, const CheckResult&, const BenchResult&);

}  // namespace plumb::reports
