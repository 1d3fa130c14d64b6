#include "reports/format.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/text.h"

namespace plumb::reports {
namespace {

std::string printed(const char* format, double value, int digits = 0) {
  char text[64];
  std::snprintf(text, sizeof text, format, digits, value);
  return text;
}

std::string three(double value) { return printed("%.*f", value, value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2); }

// To `digits` after the point, never across 1 nor onto it.
std::string away_from(double one, double value, int digits) {
  const double scale = std::pow(10, digits);
  const double down = std::floor(value * scale) / scale, up = std::ceil(value * scale) / scale;
  const double near = std::round(value * scale) / scale;
  return printed("%.*f",
                 value < one && near >= one   ? std::min(down, one - 1 / scale)
                 : value > one && near <= one ? std::max(up, one + 1 / scale)
                                              : near,
                 digits);
}

// Controls, and what has no width or turns the direction of writing.
bool unseen(std::uint32_t c) {
  const auto within = [c](std::uint32_t low, std::uint32_t high) { return low <= c && c <= high; };
  return c < 0x20 || within(0x7F, 0x9F) || c == 0xAD || c == 0x61C || within(0x200B, 0x200F) ||
         within(0x2028, 0x202E) || within(0x2060, 0x2069) || c == 0xFEFF || within(0xFFF9, 0xFFFF);
}

}  // namespace

std::string grouped(std::int64_t n) {
  std::string digits = std::to_string(n);
  for (std::ptrdiff_t at = std::ssize(digits) - 3; at > (n < 0 ? 1 : 0); at -= 3)
    digits.insert(static_cast<std::size_t>(at), " ");
  return digits;
}

std::string plural(std::int64_t n, const std::string& one) { return grouped(n) + " " + one + (n == 1 ? "" : "s"); }

std::string ratio(double value) {
  if (value == 0) return "0";
  if (value < 0.001 || value >= 1e5) return printed("%.*e", value, 1);
  if (value >= 99.95) return printed("%.*f", value, 0);
  if (value >= 9.995) return printed("%.*f", value, 1);
  const int digits = value > 0.9995 ? 2 : std::max(2, 2 - static_cast<int>(std::floor(std::log10(value))));
  return away_from(1, value, value < 1 ? std::max(digits, 3) : digits);
}

std::string percent(double share) {
  if (share == 0) return "0 %";
  if (share < 1e-5) return "< 0.001 %";
  const double value = share * 100;
  return away_from(100, value, value >= 10 ? 1 : value >= 1 ? 2 : 3) + " %";
}

std::string quantity(double value, const std::string& unit) {
  constexpr const char* kPrefixes[] = {"", "k", "M", "G", "T", "P"};
  int step = 0;
  while (value >= 999.5 && step < 5) value /= 1000, ++step;
  return three(value) + " " + kPrefixes[step] + unit;
}

std::string duration(double seconds) {
  constexpr const char* kUnits[] = {"s", "ms", "µs", "ns"};
  int step = 0;
  while (seconds > 0 && seconds < 0.9995 && step < 3) seconds *= 1000, ++step;
  return three(seconds) + " " + kUnits[step];
}

std::string visible(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::uint32_t code = static_cast<unsigned char>(text[0]);
    const std::size_t n = utf8_character(text, code);
    char escape[16];
    if (n == 0 || code <= 0xFF)
      std::snprintf(escape, sizeof escape, "\\x%02x", n == 0 ? static_cast<unsigned char>(text[0]) : code);
    else std::snprintf(escape, sizeof escape, "\\u%04x", code);
    out += n == 0 || unseen(code) ? std::string_view(escape) : text.substr(0, n);
    text.remove_prefix(std::max<std::size_t>(n, 1));
  }
  return out;
}

std::string plain(std::string_view words) {
  std::string out;
  for (const char c : visible(words)) {
    if (std::string_view("\\`*|[]<>&~").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string code(std::string_view words) {
  std::string body = visible(words);
  for (std::size_t at = 0; (at = body.find('|', at)) != std::string::npos; at += 2) body.replace(at, 1, "\\|");
  const std::string fence = body.find('`') == std::string::npos ? "`" : "``";
  return fence == "`" ? "`" + body + "`" : "`` " + body + " ``";
}

std::string table(const Cells& headers, const std::vector<Cells>& rows) {
  const auto line = [](const Cells& cells) {
    std::string out = "|";
    for (const std::string& c : cells) out += " " + c + " |";
    return out + "\n";
  };
  if (rows.empty()) return "None.\n\n";
  Cells names, rules;
  for (const std::string& h : headers) {
    names.push_back(h.starts_with('>') ? h.substr(1) : h);
    rules.push_back(h.starts_with('>') ? "--:" : "---");
  }
  std::string out = line(names) + line(rules);
  for (const Cells& r : rows) out += line(r);
  return out + "\n";
}

}  // namespace plumb::reports
