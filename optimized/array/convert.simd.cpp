// E4M3 codes of floats, and back, by bits.
#include <cstring>

#include "optimized/element.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

// For |x| below 2^-6 adding 2^14 leaves multiples of 2^-9 as the last bits; above, 20 bits of the fraction go.
std::uint8_t code_of(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  const std::uint32_t a = bits & 0x7FFFFFFF, sign = a > 0x7F800000 ? 0 : bits >> 24 & 0x80;
  float size;
  std::memcpy(&size, &a, sizeof size);
  const float shifted = size + 0x1p14F;
  std::uint32_t small;
  std::memcpy(&small, &shifted, sizeof small);
  const std::uint32_t normal = ((a + 0x7FFFF + (a >> 20 & 1)) >> 20) - (120U << 3);
  const std::uint32_t code = a < 0x3C800000 ? small - 0x46800000 : normal;
  return static_cast<std::uint8_t>(sign | (a < 0x43E00000 ? code : 0x7E));
}

// The bits of a code as those of a float of 2^-120 times its value.
float value_of(std::uint8_t code) {
  const std::uint32_t moved = static_cast<std::uint32_t>(code & 0x7F) << 20;
  float scaled;
  std::memcpy(&scaled, &moved, sizeof scaled);
  const float value = (code & 0x7F) == 0x7F ? __builtin_nanf("") : scaled * 0x1p120F;
  return code & 0x80 ? -value : value;
}

}  // namespace

void encode_e4m3(const float* x, std::uint8_t* codes, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) codes[i] = code_of(x[i]);
}
void decode_e4m3(const std::uint8_t* codes, float* x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) x[i] = value_of(codes[i]);
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
