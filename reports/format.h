// How the pages write numbers and text. reports/page/format.js has the same rules.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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

// Markdown: text as it is, whatever it holds; nothing in it ends a cell or begins a link, an emphasis or an element.
std::string plain(std::string_view words);
// Between as many backticks as the text needs. A bar ends a cell even there.
std::string code(std::string_view words);
// Columns whose header begins with '>' are aligned right. "None." without rows.
using Cells = std::vector<std::string>;
std::string table(const Cells& headers, const std::vector<Cells>& rows);

}  // namespace plumb::reports
