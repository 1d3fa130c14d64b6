// Packing and unpacking of quantization codes, and their scales.
#include "optimized/element.h"
#include "optimized/quant/quant_kernels.h"
#include "optimized/quant/unpack.h"

namespace plumb {

namespace PLUMB_ISA_NAME {
namespace {

inline void store_as(Element t, void* p, std::int64_t i, f32v v) {
  if (t == Element::f32) return store_elements(static_cast<float*>(p) + i, v);
  t == Element::f16 ? store_elements(static_cast<Half*>(p) + i, v) : store_elements(static_cast<Bf16*>(p) + i, v);
}

inline f32v rounded(Element t, f32v v) {
  if (t == Element::f32) return v;
  std::uint16_t words[kF32];
  store_as(t, words, 0, v);
  return t == Element::f16 ? load_half(words) : load_bf16(words);
}

template <int bits>
void expand(const std::uint8_t* codes, std::int64_t group, const float* s, const float* b, std::int64_t n,
            Element product, Element sum, Element t, void* out) {
  for_each_unit<bits>(codes, group, s, b, n, [&](const Unit& u, f32v scale, f32v bias, std::int64_t i) {
    for (int p = 0; p < kParts; ++p)
      store_as(t, out, i + p * kF32, rounded(sum, rounded(product, u.v[p] * scale) + bias));
  });
}

// The scale and the bias of a group; NaN if it holds a number that is not finite, or if the scale is not below `most`.
struct Group {
  float s, b;
};

constexpr Group kLost{__builtin_nanf(""), __builtin_nanf("")};

struct Range {
  float low, high;
  bool finite;
};

inline Range range_of(const float* w, std::int64_t group) {
  f32v low = load(w), high = low, sum = low * splat(0.0F);  // NaN once a number is not finite
  for (std::int64_t i = kF32; i < group; i += kF32) {
    const f32v v = load(w + i);
    low = v < low ? v : low;
    high = v > high ? v : high;
    sum += v * splat(0.0F);
  }
  Range r{low[0], high[0], sum[0] == 0};
  for (int i = 1; i < kF32; ++i) {
    r.low = low[i] < r.low ? low[i] : r.low;
    r.high = high[i] > r.high ? high[i] : r.high;
    r.finite = r.finite && sum[i] == 0;
  }
  return r;
}

// Nothing here may be fused: the codes are exact. Differences are taken of halves, which never overflow; what halving
// loses of subnormal numbers is far below the least step, 1e-7.
template <int bits>
inline Group scale_of(const float* w, std::int64_t group, float most) {
  const Range r = range_of(w, group);
  const float step = 2 * ((0.5F * r.high - 0.5F * r.low) / static_cast<float>((1 << bits) - 1));
  const float s = step > 1e-7F ? step : 1e-7F;
  if (!r.finite || !(s < most)) return kLost;
  if (bits == 1) return {s, r.low};
  const bool from_low = __builtin_fabsf(r.low) > __builtin_fabsf(r.high);
  const float e = from_low ? r.low : r.high, signed_s = from_low ? s : -s;
  const float q0 = __builtin_rintf(e / signed_s);
  if (__builtin_isinf(q0)) {  // of nearly equal numbers, which float32 holds but not their number of steps
    const float part = e * 0x1p-64F;
    return {part / (part / signed_s), e};
  }
  return q0 != 0 ? Group{e / q0, e} : Group{signed_s, 0};
}

// Adding 1.5 2^23 leaves clamp(v, 0, n), rounded to an integer with ties to even, in the low bits. Takes half the scale
// and half the bias.
template <int bits>
inline void encode_unit(const float* w, f32v scale, f32v bias, std::uint8_t* codes) {
  const f32v n = splat(static_cast<float>((1 << bits) - 1)), zero = {};
  std::uint32_t code[kUnit];
  for (int i = 0; i < kUnit; i += kF32) {
    f32v q = (load(w + i) * splat(0.5F) - bias) / scale;
    q = q < n ? q : n;
    q = q > zero ? q : zero;
    const u32v v = (u32v)(q + splat(12582912.0F)) & 0xFFU;
    std::memcpy(code + i, &v, sizeof v);
  }
  for (int i = 0; i < kUnit; i += 8) {
    std::uint64_t packed = 0;
    for (int j = 0; j < 8; ++j) packed |= static_cast<std::uint64_t>(code[i + j]) << (j * bits);
    std::memcpy(codes + i / 8 * bits, &packed, bits);
  }
}

template <int bits>
void encode(const float* w, std::int64_t groups, std::int64_t group, float most, std::uint8_t* codes, float* s,
            float* b) {
  for (std::int64_t g = 0; g < groups; ++g) {
    const Group found = scale_of<bits>(w + g * group, group, most);
    s[g] = found.s, b[g] = found.b;
    if (found.s != found.s) {
      std::memset(codes + g * group / 8 * bits, 0, static_cast<std::size_t>(group / 8 * bits));
      continue;
    }
    const f32v scale = splat(0.5F * found.s), bias = splat(0.5F * found.b);
    for (std::int64_t i = g * group; i < (g + 1) * group; i += kUnit)
      encode_unit<bits>(w + i, scale, bias, codes + i / 8 * bits);
  }
}

}  // namespace

void quant_expand(const std::uint8_t* codes, int bits, std::int64_t group, const float* s, const float* b,
                  std::int64_t n, Element product, Element sum, Element t, void* out) {
  with_bits(bits, [&](auto width) { expand<width.number>(codes, group, s, b, n, product, sum, t, out); });
}

void quant_encode(const float* w, std::int64_t groups, std::int64_t group, int bits, float most, std::uint8_t* codes,
                  float* s, float* b) {
  with_bits(bits, [&](auto width) { encode<width.number>(w, groups, group, most, codes, s, b); });
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
