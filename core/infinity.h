// JSON has no infinities and no NaN: words stand for them, in files and among attributes.
#pragma once

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

namespace plumb {

// "inf", "-inf" and "nan", also as "Infinity" and in capitals; numbers are no such words.
inline std::optional<double> infinity_named(std::string_view text) {
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
  return whole && !std::isfinite(value) ? std::optional(value) : std::nullopt;
}

inline const char* infinity_name(double value) { return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf"; }

}  // namespace plumb
