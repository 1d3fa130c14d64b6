#include "optimized/quant/formats.h"

#include <array>
#include <cmath>
#include <limits>

namespace plumb::cpu {
namespace {

using Table = std::array<float, 256>;

Table powers_of_two() {
  Table t{};
  for (int i = 0; i < 255; ++i) t[static_cast<std::size_t>(i)] = std::ldexp(1.0F, i - 127);
  t[255] = std::numeric_limits<float>::infinity();
  return t;
}

Table e4m3_values() {
  Table t{};
  for (int i = 0; i < 128; ++i) {
    const int e = i / 8, m = i % 8;
    float v = e == 0 ? std::ldexp(static_cast<float>(m), -9) : std::ldexp(static_cast<float>(8 + m), e - 10);
    if (i == 127) v = std::numeric_limits<float>::quiet_NaN();
    t[static_cast<std::size_t>(i)] = v, t[static_cast<std::size_t>(i + 128)] = -v;
  }
  return t;
}

}  // namespace

CodeFormat code_format(const Request& r) {
  const std::string& mode = r.text("mode");
  if (mode == "mxfp4") return {Coding::e2m1, 4, 32};
  if (mode == "mxfp8") return {Coding::e4m3, 8, 32};
  if (mode == "nvfp4") return {Coding::e2m1, 4, 16};
  return {Coding::affine, r.none("bits") ? 4 : static_cast<int>(r.integer("bits")),
          r.none("group_size") ? 64 : r.integer("group_size")};
}

void scale_values(const CodeFormat& f, const std::uint8_t* bytes, std::int64_t n, float* out) {
  static const Table powers = powers_of_two(), small = e4m3_values();
  const Table& table = f.group == 16 ? small : powers;
  for (std::int64_t i = 0; i < n; ++i) out[i] = table[bytes[i]];
}

}  // namespace plumb::cpu
