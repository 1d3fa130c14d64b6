// A text that is a number from its first character to its last.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace plumb {

// No value if it is none, if anything follows it, or if T cannot hold it.
template <class T>
std::optional<T> number_in(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

}  // namespace plumb
