// How the pages write numbers and text. reports/page/format.js has the same rules.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace plumb::reports {

std::string grouped(std::int64_t);                           // 60 684
std::string plural(std::int64_t n, const std::string& one);  // "1 case", "2 cases"
std::string ratio(double);          // three digits; only 1 itself reads "1.00", what is near it is rounded away from it
std::string percent(double share);  // by the same rule
std::string quantity(double value, const std::string& unit);
std::string duration(double seconds);

// Characters that would not be seen, or would change how their neighbours are read, as \x1b or \u202e; bytes that are
// no UTF-8 as \xff.
std::string visible(std::string_view text);

}  // namespace plumb::reports
