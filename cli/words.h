// What the words of the command line mean. Unknown ones throw Error(query).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/case.h"
#include "core/cpu.h"
#include "core/route.h"

namespace plumb::cli {

std::vector<const Op*> ops_matching(const std::string& query);  // a name or a glob; empty: all
Budget budget_named(const std::string&);
std::uint64_t salt_named(const std::string&);  // a number, or "day": that of today, as 20250131 (UTC)
std::uint64_t day_of(const std::string& utc);  // 20250131 of 2025-01-31T..
std::vector<Isa> isas_named(const std::vector<std::string>&);

struct Target {
  Parsed parsed;      // the case
  std::string route;  // after '@'; may be empty
};
Target target_of(const std::string& text);  // CASE[@ROUTE]

// The reject of the op that has this case id; null if it is a case like others.
const Reject* reject_of(const std::vector<Reject>&, const Op&, const std::string& case_id);

}  // namespace plumb::cli
