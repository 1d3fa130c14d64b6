#include "reference/sparse/rows/entropy_fills.h"

#include <algorithm>
#include <bit>

#include "core/error.h"

namespace plumb::reference {
namespace {

// Any bytes behind a header: the magic and two words, low bytes first.
Unsigneds headed(const Spec& spec, std::uint64_t key, std::string_view magic, double p) {
  Unsigneds b(spec.shape);
  for (std::int64_t i = 0; i < b.size(); ++i) b[i] = draw(key, static_cast<std::uint64_t>(i)) & 255;
  const auto sizes = static_cast<std::uint64_t>(p);
  const std::uint64_t words[] = {sizes >> 16, sizes & 0xFFFF};
  for (std::int64_t i = 0; i < std::min<std::int64_t>(b.size(), 18); ++i)
    b[i] = i < 10 ? static_cast<unsigned char>(magic[static_cast<std::size_t>(i)])
                  : words[(i - 10) / 4] >> (8 * ((i - 10) % 4)) & 255;
  return b;
}

// Rows of S + 1 bounds as uint16: 0, then strictly increasing, then 0 for 65536. p = 1: equal widths.
Wide cdf(const Spec& spec, std::uint64_t key, double p) {
  if (spec.shape.size() != 2 || spec.shape[1] < 2)
    throw Error("case", Reason::query, "a fill of tables needs the shape (R,S+1)");
  const std::int64_t width = spec.shape[1], symbols = width - 1;
  Integers c(spec.shape);
  std::vector<double> at(static_cast<std::size_t>(symbols));
  for (std::int64_t i = 0; i < spec.shape[0]; ++i) {
    for (std::int64_t j = 0; j < symbols; ++j)
      at[static_cast<std::size_t>(j)] = p == 1 ? static_cast<double>(j) / static_cast<double>(symbols)
                                               : unit(key, static_cast<std::uint64_t>(i * width + j));
    std::sort(at.begin(), at.end());
    for (std::int64_t j = 1; j < symbols; ++j)
      c[i * width + j] =
          j + static_cast<std::int64_t>(at[static_cast<std::size_t>(j)] * static_cast<double>(65536 - symbols));
  }
  return c;
}

// Under equal symbols, a power of two of them, each takes its bits as they are; then come 01 and zeros.
Wide range(const Spec& spec, std::uint64_t key, double p) {
  Unsigneds b = headed(spec, key, "MLXGERNG01", p);
  const auto sizes = static_cast<std::uint64_t>(p);
  const std::uint64_t symbols = std::max<std::uint64_t>(1, sizes & 0xFFFF);
  const auto taken = static_cast<std::int64_t>((sizes >> 16) * static_cast<std::uint64_t>(std::bit_width(symbols) - 1));
  for (std::int64_t bit = taken; 18 + bit / 8 < b.size(); ++bit) {
    const std::uint64_t mask = 128U >> bit % 8;
    std::uint64_t& byte = b[18 + bit / 8];
    byte = bit == taken + 1 ? byte | mask : byte & ~mask;
  }
  return b;
}

// The encoding of drawn symbols under equal ones, a power of two of them; else any bytes.
Wide rans(const Spec& spec, std::uint64_t key, double p) {
  Unsigneds b = headed(spec, key, "MLXGERNS01", p);
  const std::uint64_t rows = static_cast<std::uint64_t>(p) >> 16, symbols = static_cast<std::uint64_t>(p) & 0xFFFF;
  if (!std::has_single_bit(symbols)) return b;
  const std::uint64_t width = 65536 / symbols;
  std::uint64_t state = 1U << 23;
  std::vector<std::uint64_t> pushed;
  for (std::uint64_t i = 0; i < rows; ++i) {
    for (; state >= width << 15; state >>= 8) pushed.push_back(state & 255);
    state = (state / width << 16) + state % width + draw(key, i) % symbols * width;
  }
  for (std::int64_t i = 18; i < std::min<std::int64_t>(b.size(), 22); ++i) b[i] = state >> (8 * (i - 18)) & 255;
  for (std::int64_t i = 22; i < b.size() && !pushed.empty(); ++i, pushed.pop_back()) b[i] = pushed.back();
  return b;
}

}  // namespace

std::vector<Fill> entropy_fills() {
  return {
      // clang-format off
      {"cdf",              "rows of S + 1 bounds, strictly increasing from 0; equal widths if p is 1",
       0, {0, 1}, cdf},
      {"range_stream",     "a stream of p / 65536 symbols, p % 65536 equal ones", 0, {0, 0x1p36}, range},
      {"rans_stream",      "the same of the other coder", 0, {0, 0x1p36}, rans},
      // clang-format on
  };
}

}  // namespace plumb::reference
