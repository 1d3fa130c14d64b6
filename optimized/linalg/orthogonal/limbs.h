// Exact sums of products of whole numbers of 32 bits: eight limbs of 16 bits, 128 in all. No order of the terms, and no
// share of them among threads, changes the sum.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace plumb {

class Limbs {
 public:
  static constexpr std::int64_t kTerms = 1 << 13;  // that limbs of 32 bits hold before they must be carried

  // a b = (ah 2^16 + al) (bh 2^16 + bl): four products of 32 bits, in halves. A limb grows by less than 2^18.
  void add(std::uint32_t a, std::uint32_t b) {
    const std::uint32_t al = a & 0xFFFF, ah = a >> 16, bl = b & 0xFFFF, bh = b >> 16;
    const std::uint32_t low = al * bl, high = ah * bh, one = al * bh, two = ah * bl;
    l_[0] += low & 0xFFFF;
    l_[1] += (low >> 16) + (one & 0xFFFF) + (two & 0xFFFF);
    l_[2] += (one >> 16) + (two >> 16) + (high & 0xFFFF);
    l_[3] += high >> 16;
  }

  void carry() {
    for (std::size_t i = 0; i + 1 < l_.size(); ++i) l_[i + 1] += l_[i] >> 16, l_[i] &= 0xFFFF;
  }

  // Of limbs that are carried, as often as there are threads.
  void add(const Limbs& o) {
    for (std::size_t i = 0; i < l_.size(); ++i) l_[i] += o.l_[i];
  }

  const std::array<std::uint32_t, 8>& words() const { return l_; }

  // (plus - minus) 2^e, both carried, rounded once to nearest even.
  static float difference(const Limbs& plus, const Limbs& minus, int e) {
    std::uint64_t high = plus.half(4) - minus.half(4), low = plus.half(0) - minus.half(0);
    if (plus.half(0) < minus.half(0)) --high;
    const bool negative = high >> 63 != 0;
    if (negative) high = ~high + (low == 0 ? 1 : 0), low = ~low + 1;
    const float x = rounded(high, low, e);
    return negative ? -x : x;
  }

 private:
  std::uint64_t half(std::size_t from) const {
    std::uint64_t x = 0;
    for (std::size_t i = 4; i-- > 0;) x = x << 16 | l_[from + i];
    return x;
  }

  // The top 24 bits of 128, by what lies below them.
  static float rounded(std::uint64_t high, std::uint64_t low, int e) {
    if ((high | low) == 0) return 0;
    const int up = high != 0 ? std::countl_zero(high) : 64 + std::countl_zero(low);
    if (up >= 64) high = low << (up - 64), low = 0;
    else if (up > 0) high = high << up | low >> (64 - up), low <<= up;
    std::uint64_t top = high >> 40;
    const std::uint64_t rest = high & 0xFFFFFFFFFF, half = std::uint64_t{1} << 39;
    if (rest > half || (rest == half && (low != 0 || (top & 1) != 0))) ++top;
    return std::ldexp(static_cast<float>(top), 104 - up + e);
  }

  std::array<std::uint32_t, 8> l_{};
};

}  // namespace plumb
