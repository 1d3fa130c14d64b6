// Keeps what happens inside a transform within the range of float, whatever the range of its input: a line whose
// largest part is far from 1 is multiplied by a power of two while it is loaded, and by its inverse with the
// factor at the end (docs/bounds-fft.md). Scalar and inline in no vector code.
#pragma once

#include <cstdint>
#include <limits>

namespace plumb::fft {

// |x| as the integer of its bits, which orders as the magnitudes do, with infinities and NaN above all numbers.
constexpr std::uint32_t kInfinite = 0x7f800000;
constexpr std::uint32_t kLarge = (127 + 60) << 23;  // 2^60
constexpr std::uint32_t kSmall = (127 - 60) << 23;  // 2^-60

struct Range {
  float in = 1, out = 1;  // factors before and after
  float poison = 0;       // what is added to every part: NaN for a line that is not finite
  bool ordinary() const { return in == 1; }
};

// Of the line whose largest part has these bits.
inline Range range_of(std::uint32_t largest) {
  if (largest >= kInfinite) return {1, 1, std::numeric_limits<float>::quiet_NaN()};
  if (largest >= kLarge) return {0x1p-64f, 0x1p64f, 0};
  if (largest < kSmall && largest != 0) return {0x1p64f, 0x1p-64f, 0};
  return {};
}

}  // namespace plumb::fft
