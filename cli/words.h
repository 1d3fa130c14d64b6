// What the words of the command line mean. Unknown ones throw Error(query).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/case.h"
#include "core/cpu.h"
#include "core/route.h"

namespace plumb::cli {

std::vector<const Op*> ops_matching(const std::string& query);  // names, globs, braces; empty: all
Budget budget_named(const std::string&);
// A number; "day": that of today, as 20250131 (UTC); "random": one that nobody knows before. "": 0, or random where
// there is a backend, which could have seen the values of every run.
std::uint64_t salt_named(const std::string&);
bool is_drawn_salt(const std::string&);        // another one each time
std::string route_named(const std::string&);   // itself; "": all routes, or those of the backends where there are some
std::uint64_t day_of(const std::string& utc);  // 20250131 of 2025-01-31T..
std::string backend_texts();                   // "mlx 0.32.4", by commas; "none"
std::vector<Isa> isas_named(const std::vector<std::string>&);

struct Target {
  Parsed parsed;      // the case
  std::string route;  // after '@'; may be empty
};
Target target_of(const std::string& text);                   // CASE[@ROUTE]
std::vector<Target> targets_of(const std::string& pattern);  // what CASE[@ROUTE] with braces stands for

// Why the row tries this case, or must refuse it; "" if it does not say.
std::string reason_of(const Op&, const std::string& case_id);

}  // namespace plumb::cli
