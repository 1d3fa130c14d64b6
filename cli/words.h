// What the words of the command line mean. Unknown ones throw Error(query).
#pragma once

#include <string>
#include <vector>

#include "core/case.h"
#include "core/route.h"

namespace plumb::cli {

std::vector<const Op*> ops_matching(const std::string& query);  // a name or a glob; empty: all
Budget budget_named(const std::string&);

struct Target {
  Parsed parsed;      // the case
  std::string route;  // after '@'; may be empty
};
Target target_of(const std::string& text);  // CASE[@ROUTE]

std::string input_name(std::string_view input);  // of a row, without the mark of an optional one

}  // namespace plumb::cli
