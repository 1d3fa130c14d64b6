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

// C1 controls among them, which terminals obey.
bool is_control(std::uint32_t c) { return c < 0x20 || (0x7F <= c && c <= 0x9F); }

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

std::size_t utf8_character(std::string_view s, std::uint32_t& code) {
  const auto byte = [&](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u; };
  const unsigned first = byte(0);
  const std::size_t n = first < 0x80   ? 1
                        : first < 0xC2 ? 0
                        : first < 0xE0 ? 2
                        : first < 0xF0 ? 3
                        : first < 0xF5 ? 4
                                       : 0;
  if (n == 0) return 0;
  code = n == 1 ? first : first & (0xFFu >> (n + 1));
  for (std::size_t i = 1; i < n; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3F);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool bad = code < kLeast[n] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF);
  return bad ? 0 : n;
}

std::string printable(std::string_view text) {
  std::string s;
  while (!text.empty()) {
    std::uint32_t code = 0;
    const std::size_t n = utf8_character(text, code);
    const bool shown = n > 0 && !is_control(code);
    if (shown) s += text.substr(0, n);
    else s += escape(static_cast<unsigned char>(text[0]));
    text.remove_prefix(shown ? n : 1);
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
  for (const char c : s) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x80 && is_control(byte) ? "'?'" : std::string(1, c);
  }
  return out;
}

std::string shortest(double v) {
  char text[40];
  return {text, std::to_chars(text, text + sizeof text, v).ptr};
}

}  // namespace plumb
