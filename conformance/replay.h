// Recorded cases on the routes of the table: the answers of other software, compared by the rules that
// the recording states (docs/corpus.md).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "conformance/step.h"
#include "core/corpus.h"
#include "core/route.h"

namespace plumb {

struct ReplayOptions {
  std::string folder;             // one family, or a folder of families
  std::string op = "*";           // glob on the recorded op name
  std::string case_id = "*";      // glob
  std::string route = "natural";  // reference, natural, all, or a glob on route names
  std::function<void(const Step&)> progress;
};

// The invariant check of what this project records: the bound that the row derives for the route.
inline constexpr std::string_view kBoundCheck = "bound";

struct ReplayFailure {
  std::string case_id, op, route, message, repro;
};

struct ReplayResult {
  std::int64_t passed = 0, failed = 0, skipped = 0;
  std::int64_t ran = 0;       // calls that a route really ran
  std::int64_t compared = 0;  // elements held against recorded ones
  std::vector<ReplayFailure> failures;
  std::map<std::string, std::int64_t> by_route;  // passed, "op@route"
  std::map<std::string, std::int64_t> no_row;    // skipped: recorded ops that have no row here
  std::map<std::string, std::int64_t> skips;     // skipped for another reason
  std::map<std::string, std::int64_t> refused;   // "op@route: reason", routes beside the ones that ran
};

// Throws Error(file) for a folder without cases and for a case that names what its op does not have, before anything
// runs; Error(query) if nothing matches op, case or route.
ReplayResult replay(const ReplayOptions&);

// Skips only. Calls that are rejected before any route is asked say nothing of one route that was asked for.
bool nothing_ran(const ReplayResult&, const std::string& route);

// Folders that hold cases.json: the folder itself, or those in it; none if there is no such folder.
std::vector<std::string> recorded_families(const std::string& folder);

// Compares one value by the rules of the format; "" if it holds, else the worst element in words. Counts the elements.
std::string compare_recorded(const Tensor& got, const Tensor& want, bool exact, std::pair<double, double> tol,
                             bool signed_zero, std::int64_t* compared = nullptr);

}  // namespace plumb
