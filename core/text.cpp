#include "core/text.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace plumb {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row.back();
}

bool within(unsigned char c, unsigned char low, unsigned char high) { return low <= c && c <= high; }

// Bytes of the printable UTF-8 character at the front; 0 where there is none. Without C1 controls, which terminals
// obey.
std::size_t printable_bytes(std::string_view s) {
  const auto byte = [&](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0; };
  const auto continued = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i)
      if (!within(byte(i), 0x80, 0xBF)) return false;
    return true;
  };
  const unsigned char c = byte(0), d = byte(1);
  if (c < 0x80) return within(c, 0x20, 0x7E);
  if (within(c, 0xC2, 0xDF)) return continued(1, 2) && !(c == 0xC2 && d < 0xA0) ? 2 : 0;
  if (within(c, 0xE0, 0xEF)) {
    const bool overlong = c == 0xE0 && d < 0xA0, surrogate = c == 0xED && d > 0x9F;
    return continued(1, 3) && !overlong && !surrogate ? 3 : 0;
  }
  if (!within(c, 0xF0, 0xF4) || !continued(1, 4)) return 0;
  return (c == 0xF0 && d < 0x90) || (c == 0xF4 && d > 0x8F) ? 0 : 4;
}

std::string escape(unsigned char c) {
  if (c == '\n') return "\\n";
  if (c == '\t') return "\\t";
  constexpr std::string_view kDigits = "0123456789abcdef";
  return {'\\', 'x', kDigits[c >> 4], kDigits[c & 15]};
}

}  // namespace

std::string nearest(std::string_view wrong, std::vector<std::string_view> names) {
  constexpr std::size_t kLongest = 256;  // a longer word is no misspelt name, and would cost its square
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::vector<std::pair<std::size_t, std::string_view>> all;
  for (const std::string_view n : names) all.emplace_back(edit_distance(wrong.substr(0, kLongest), n), n);
  std::sort(all.begin(), all.end());
  std::string s;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, all.size()); ++i)
    s += (s.empty() ? "" : ", ") + std::string(all[i].second);
  return s.empty() ? "" : "; nearest: " + s;
}

std::string printable(std::string_view text) {
  std::string s;
  while (!text.empty()) {
    const std::size_t n = printable_bytes(text);
    if (n > 0)
      s += text.substr(0, n);
    else
      s += escape(static_cast<unsigned char>(text[0]));
    text.remove_prefix(std::max<std::size_t>(n, 1));
  }
  return s;
}

std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,@%+";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) return std::string(text);
  std::string s = "'";
  for (const char c : text) s += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return s + "'";
}

std::string shell_path(std::string_view text) {
  std::string s = shell_word(text), out;
  for (const char c : s)
    out += within(static_cast<unsigned char>(c), 0x20, 0x7E) || (c & 0x80) ? std::string(1, c) : "'?'";
  return out;
}

std::string shortest(double v) {
  char text[40];
  return {text, std::to_chars(text, text + sizeof text, v).ptr};
}

}  // namespace plumb
