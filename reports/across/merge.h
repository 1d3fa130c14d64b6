// The reports of the shards of one run as one report.
#pragma once

#include <vector>

#include "reports/across/compare.h"

namespace plumb::reports {

// What the unsharded run would have written, but for times, and for shares of ceilings: those of a row are of the
// machine on which it ran. `parts` are whole reports, or what check or bench print (as read_findings gives them).
// Throws Error(file), with the names of those that do not fit: of different kinds, versions, salts or other settings,
// unfinished, a shard that is missing or is there twice, an operation on a route or a timed row that two parts have.
// Parts that were timed must be of one machine.
Json merge(const std::vector<Named>& parts);

}  // namespace plumb::reports
