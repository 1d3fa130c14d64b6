// What a newer report has otherwise than an older one: verdicts, what is judged and timed at all, times.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "reports/across/speed.h"

namespace plumb::reports {

using Json = nlohmann::ordered_json;

struct Wrong {
  std::string what;  // "CASE@ROUTE", with the setting of a CPU route and "hot" or "cold" of a timing
  std::string message, repro;
};

struct Held {
  std::string what;  // "OP@ROUTE", or a timed row
  std::int64_t older = 0, newer = 0;
  std::string why;  // it is not there any more, if the report says so
};

struct Pace {
  std::string key;  // of 16 digits, the same for this row in every report: case, route, mode, threads of a CPU route
  std::string op, case_id, route, mode;
  int threads = 0;
  double older = 0, newer = 0;  // seconds: medians, or a single launch of what takes too long
  Ratio ratio;
};

struct Comparison {
  std::vector<std::string> older;  // the reports by name and commit
  std::string newer;
  std::vector<std::string> otherwise;  // "threads was 2, is 4": what the reports were made under
  std::vector<Wrong> broke, mended;
  std::int64_t still = 0;                // wrong in both
  std::vector<Held> vanished, appeared;  // judged less and timed no more; the reverse
  std::vector<std::string> redefined;    // timed rows that the reports count other work for: not compared
  std::vector<Pace> rows;                // timed in all of the reports
  double margin = 0.1, shift = 1, noise = 0, within = 0;
  bool anything = false;  // the reports have something in common

  std::int64_t count(Speed) const;
  bool worse(bool common) const;  // broke or slower; or, unless only what they have in common counts, vanished
};

// A report, or what `check` or `bench` print with --json. Throws Error(file).
Json read_findings(const std::string& path);

// The verdicts of the newer one are held against the last of the older ones, its times against all.
struct Named {
  std::string name;
  Json findings;
};
Comparison compare(const std::vector<Named>& older, const Named& newer, double margin);

Json to_json(const Comparison&);
std::string markdown(const Comparison&);
std::string verdict(const Comparison&);  // one line: "1 broke, 0 right again, .."

}  // namespace plumb::reports
