// JSON has no infinities and no NaN: words stand for them, in files and among attributes.
#pragma once

#include <cmath>
#include <optional>
#include <string_view>

#include "core/number.h"

namespace plumb {

// "inf", "-inf" and "nan", also as "Infinity" and in capitals; numbers are no such words.
inline std::optional<double> infinity_named(std::string_view text) {
  const auto value = number_in<double>(text);
  return value && !std::isfinite(*value) ? value : std::nullopt;
}

inline const char* infinity_name(double value) { return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf"; }

}  // namespace plumb
