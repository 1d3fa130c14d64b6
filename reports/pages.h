// The two pages of a report, made from report.json and nothing else.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace plumb::reports {

using Json = nlohmann::ordered_json;

std::string webpage(const Json& report);  // one HTML file that needs nothing beside it
std::string markdown(const Json& report);

Json read_report(const std::string& path);  // throws Error(file) if it is none

// Writes base.md and base.html. Throws Error(file), also for a report that lacks something.
void write_pages(const Json& report, const std::string& base);

}  // namespace plumb::reports
