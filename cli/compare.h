// Reports held against older ones, for `compare` and for `report --against`.
#pragma once

#include <string>
#include <vector>

#include "cli/verbs.h"
#include "reports/across/compare.h"

namespace plumb::cli {

std::vector<reports::Named> read_reports(const std::vector<std::string>& paths);  // throws Error(file)

// Writes the Markdown of the comparison to `page` and, unless `quiet`, prints it. kFailed where the newer one is worse.
int against(const std::vector<reports::Named>& older, const reports::Named& newer, const std::string& page, bool common,
            bool quiet);

}  // namespace plumb::cli
