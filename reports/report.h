// The facts of a run as JSON: what `--json` prints and what report.json holds. report.schema.json
// describes the whole; Markdown and HTML are rendered from it, never written beside it.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

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
Json bench(const BenchResult&);
Json replay(const ReplayResult&);

// Rows that ran wrongly: not verified, failed, or faster than the machine can be.
std::vector<std::string> bench_errors(const BenchResult&);

// "op@route, stage: refusal" of each condition, in the order of the tables, and how often it held and did not.
using Coverage = std::vector<std::pair<std::vector<std::string>, std::pair<std::int64_t, std::int64_t>>>;
Coverage coverage();  // since the program began

// How much of a part of the work is behind.
struct Extent {
  std::uint64_t done = 0, total = 0;
  bool whole() const { return done == total; }
};

// A run that is checked and timed, at its end or on its way there.
struct Report {
  std::string utc, command;  // when and how it began
  // What the answers depend on: parts of one run must agree in all of it.
  std::vector<std::pair<std::string, std::string>> settings;
  std::string budget;
  CheckResult check;
  BenchResult bench;
  Coverage coverage;
  bool complete = false;
  int runs = 1;    // that it took: one that was stopped and went on took two
  Extent checked;  // operations
  Extent timed;    // cases
};

// Text of any JSON, for all that is printed or kept: what is no UTF-8 in it, a path or what a driver says of itself, is
// replaced, where the library would throw.
std::string text_of(const Json&, int indent);

std::string utc();  // now, as 2025-01-31T12:00:00Z
Json document(const Report&);
Report parse(const std::string& text, const std::string& source);  // throws Error(file)

// "12 of 119 operations judged, nothing timed".
std::string how_far(const Report&);

}  // namespace plumb::reports
