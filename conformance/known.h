// Known departures of a library: what it is known to do otherwise, by case and cause. docs/foreign.md has the format.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/backend.h"

namespace plumb {

struct Known {
  std::string library, version;    // the name of the route, and the version that it is true of
  std::string pattern;             // as in the file, for messages
  std::vector<std::string> globs;  // on case ids
  Cause cause;
  std::string kind, reason;  // defect, meaning, precision, ours; in words
};

// Throws Error(file) for a file that is none, and Error(query) where a library has another version than the backend.
std::vector<Known> read_known(const std::string& path);

// The first entry for the case on the route; null if there is none.
const Known* known_of(const std::vector<Known>&, std::string_view route, const std::string& case_id);

}  // namespace plumb
