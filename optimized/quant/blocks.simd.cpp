// Quantization to E2M1 or E4M3 elements under scales of one byte.
#include "optimized/element.h"
#include "optimized/quant/quant_kernels.h"
#include "optimized/quant/unpack.h"

namespace plumb {

namespace PLUMB_ISA_NAME {
namespace {

constexpr int kGroup = 32;  // the largest
constexpr std::uint32_t kSign = 0x80000000U;

inline f32v magnitude(f32v v) { return (f32v)((u32v)v & ~kSign); }
inline f32v chosen(u32v mask, f32v a, f32v b) { return (f32v)((mask & (u32v)a) | (~mask & (u32v)b)); }

// Each to the nearest of f16 or bf16.
inline f32v rounded(Element t, f32v v) {
  if (t == Element::f32) return v;
  std::uint16_t words[kF32];
  if (t == Element::f16) {
    store_half(words, v);
    return load_half(words);
  }
  store_bf16(words, v);
  return load_bf16(words);
}
inline float rounded(Element t, float v) {
  if (t == Element::f32) return v;
  return t == Element::f16 ? half_to_f32(f32_to_half(v)) : bf16_to_f32(f32_to_bf16(v));
}

// The nearest E4M3 number, ties to even, from 448 on 448.
inline u32v to_e4m3(f32v y) {
  const f32v a = magnitude(y);
  const u32v b = (u32v)a, sign = ((u32v)y & kSign) >> 24, large = ~(u32v)(a < splat(448.0F)),
             small = (u32v)(a < splat(0x1p-6F));
  const u32v normal = ((b + 0x7FFFFU + (b >> 20 & 1U)) >> 20) - (120U << 3);
  const u32v subnormal = (u32v)(a * splat(512.0F) + splat(0x1p23F)) & 15U;
  const u32v code = (small & subnormal) | (~small & normal);
  return sign | (large & 0x7EU) | (~large & code);
}

// The E2M1 number at the least distance, which is rounded to t; of equals the smallest magnitude, 0 without its sign.
inline u32v to_e2m1(Element t, f32v y) {
  constexpr float element[] = {0, 0.5F, 1, 1.5F, 2, 3, 4, 6};
  const f32v a = magnitude(y);
  f32v least = a;
  u32v best = {};
  for (std::uint32_t code = 1; code < 8; ++code) {
    const f32v d = magnitude(rounded(t, a - splat(element[code])));
    const u32v less = (u32v)(d < least);
    least = chosen(less, d, least);
    best = (less & code) | (~less & best);
  }
  return best | ((u32v)(best != 0) & ((u32v)y & kSign) >> 28);
}

inline void pack(const std::uint32_t* code, int bits, std::int64_t n, std::uint8_t* out) {
  if (bits == 8)
    for (std::int64_t i = 0; i < n; ++i) out[i] = static_cast<std::uint8_t>(code[i]);
  else
    for (std::int64_t i = 0; i < n; i += 2) out[i / 2] = static_cast<std::uint8_t>(code[i] | code[i + 1] << 4);
}

// The largest magnitude, or NaN beside a number that is not finite.
inline float largest_of(const float* w, std::int64_t n) {
  f32v most = {}, sum = {};
  for (std::int64_t i = 0; i < n; i += kF32) {
    const f32v a = magnitude(load(w + i));
    most = chosen((u32v)(a > most), a, most);
    sum += a * splat(0.0F);
  }
  float r = 0, lost = 0;
  for (int i = 0; i < kF32; ++i) r = most[i] > r ? most[i] : r, lost += sum[i];
  return lost == 0 ? r : __builtin_nanf("");
}

struct Scale {
  float value;
  std::uint8_t byte;
};

// k = ceil(log2 r), the logarithm rounded to t; no exponent beyond those of a byte.
inline Scale power_of_two(Element t, float r) {
  if (r == 0) return {1, 127};
  const double log = __builtin_log2(static_cast<double>(r));
  const auto nearest = static_cast<float>(log);
  // A half is rounded from an odd float, whose last bit says that something was lost.
  const bool away = __builtin_fabs(static_cast<double>(nearest)) > __builtin_fabs(log);
  const float odd = static_cast<double>(nearest) == log ? nearest : from_bits((to_bits(nearest) - away) | 1U);
  float k = __builtin_ceilf(t == Element::f32 ? nearest : rounded(t, odd));
  k = k < -127 ? -127 : k > 127 ? 127 : k;
  const auto byte = static_cast<std::uint8_t>(static_cast<int>(k) + 127);
  return {byte == 0 ? 0x1p-127F : from_bits(static_cast<std::uint32_t>(byte) << 23), byte};
}

inline Scale nearest_e4m3(float r) {
  const u32v code = to_e4m3(splat(r));
  return {e4m3(code)[0], static_cast<std::uint8_t>(code[0])};
}

// y = w / scale [g], and whether all of it is finite.
inline bool divide(const float* w, const CodeFormat& f, Element t, bool global, float g, float scale, float* y) {
  f32v sum = {};
  for (std::int64_t i = 0; i < f.group; i += kF32) {
    f32v v = rounded(t, load(w + i) / splat(scale));
    if (global) v *= splat(g);
    sum += v * splat(0.0F);
    store(y + i, v);
  }
  float lost = 0;
  for (int i = 0; i < kF32; ++i) lost += sum[i];
  return lost == 0;
}

std::uint8_t encode(const float* w, const CodeFormat& f, Element t, bool global, float g, std::uint8_t* codes) {
  const std::int64_t bytes = f.group * f.bits / 8;
  const bool power = f.group == kGroup;
  std::memset(codes, 0, static_cast<std::size_t>(bytes));
  const std::uint8_t lost = power ? 0xFF : 0x7F;
  const float r = rounded(t, largest_of(w, f.group) / (f.coding == Coding::e4m3 ? 448.0F : 6.0F));
  const float relative = global ? r * g : r;
  if (!(relative - relative == 0)) return lost;
  const Scale scale = power ? power_of_two(t, r) : nearest_e4m3(relative);
  float y[kGroup];
  if (scale.value == 0) return scale.byte;
  if (!divide(w, f, t, global, g, scale.value, y)) return lost;
  std::uint32_t code[kGroup];
  const Element element = global ? Element::f32 : t;
  for (std::int64_t i = 0; i < f.group; i += kF32) {
    const u32v c = f.coding == Coding::e4m3 ? to_e4m3(load(y + i)) : to_e2m1(element, load(y + i));
    std::memcpy(code + i, &c, sizeof c);
  }
  pack(code, f.bits, f.group, codes);
  return scale.byte;
}

}  // namespace

void quant_encode_blocks(const float* w, std::int64_t groups, CodeFormat f, Element t, bool global, float g,
                         std::uint8_t* codes, std::uint8_t* scales) {
  for (std::int64_t i = 0; i < groups; ++i)
    scales[i] = encode(w + i * f.group, f, t, global, g, codes + i * f.group * f.bits / 8);
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
