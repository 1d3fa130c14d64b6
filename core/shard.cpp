#include "core/shard.h"

#include <algorithm>
#include <charconv>
#include <numeric>

#include "core/error.h"

namespace plumb {
namespace {

constexpr std::size_t kMost = 1000;

// The number that a text is from its first to its last character, or 0.
std::size_t number_of(std::string_view text) {
  std::size_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  return error == std::errc() && end == text.data() + text.size() ? n : 0;
}

}  // namespace

Shard shard_named(std::string_view text) {
  const std::size_t slash = text.find('/');
  Shard s{0, 0};
  if (slash != std::string_view::npos) s = {number_of(text.substr(0, slash)), number_of(text.substr(slash + 1))};
  if (s.index < 1 || s.index > s.of || s.of > kMost)
    throw Error("plumb", Reason::query,
                "--shard: \"" + std::string(text) + "\" is none; it is i/n, as 1/3, 2/3 and 3/3");
  return s;
}

std::string to_string(Shard s) { return std::to_string(s.index) + "/" + std::to_string(s.of); }

std::vector<bool> of_shard(const std::vector<double>& seconds, Shard shard) {
  std::vector<std::size_t> longest(seconds.size());
  std::iota(longest.begin(), longest.end(), std::size_t{0});
  std::stable_sort(longest.begin(), longest.end(),
                   [&](std::size_t a, std::size_t b) { return seconds[a] > seconds[b]; });
  std::vector<double> load(shard.of);
  std::vector<bool> own(seconds.size());
  for (const std::size_t i : longest) {
    const auto least = std::min_element(load.begin(), load.end());
    *least += seconds[i];
    own[i] = least - load.begin() == static_cast<std::ptrdiff_t>(shard.index) - 1;
  }
  return own;
}

}  // namespace plumb
