// Packed codes as numbers, 32 at a time: 4 bits bytes. For files *.simd.cpp only.
#pragma once

#include "optimized/quant/decode.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

constexpr int kUnit = 32;             // codes per step; every affine group is a multiple
constexpr int kParts = kUnit / kF32;  // vectors per step

struct Unit {
  f32v v[kParts];
};

#if defined(__AVX2__)
// Lane i takes the two bytes that hold code i, and shifts them down.
template <int bits>
struct Unpack {
  std::uint8_t byte[kVectorBytes];
  std::int32_t shift[kF32];
  constexpr Unpack() : byte(), shift() {
    constexpr int available = kF32 * bits / 8;
    for (int i = 0; i < kF32; ++i) {
      const int first = i * bits / 8;
      shift[i] = i * bits % 8;
      byte[4 * i] = static_cast<std::uint8_t>(first);
      byte[4 * i + 1] = static_cast<std::uint8_t>(first + 1 < available ? first + 1 : 0x80);
      byte[4 * i + 2] = byte[4 * i + 3] = 0x80;
    }
  }
};
template <int bits>
constexpr Unpack<bits> kUnpack;
#endif

// The next kF32 codes, which start on a byte; of four bits, each eight of them are a word that no byte is sorted for.
#if defined(__AVX2__)
template <int bits>
static inline u32v codes_at(const std::uint8_t* p) {
#if defined(__AVX512F__)
  const __m128i raw = _mm_maskz_loadu_epi8(static_cast<__mmask16>((1U << 2 * bits) - 1), p);
  const __m512i all = _mm512_maskz_broadcast_i32x4(0xFFFF, raw);
  const auto pairs = (u32v)_mm512_maskz_shuffle_epi8(~__mmask64{0}, all, _mm512_loadu_si512(kUnpack<bits>.byte));
#else
  if (bits == 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, p, 4);
    const u32v steps = {0, 4, 8, 12, 16, 20, 24, 28};
    return (word - u32v{}) >> steps & 15U;
  }
  std::uint64_t raw = 0;
  std::memcpy(&raw, p, bits);
  const __m256i all = _mm256_set1_epi64x(static_cast<long long>(raw));
  const auto pairs = (u32v)_mm256_shuffle_epi8(all, _mm256_loadu_si256((const __m256i*)kUnpack<bits>.byte));
#endif
  u32v shift;
  std::memcpy(&shift, kUnpack<bits>.shift, sizeof shift);
  return pairs >> shift & ((1U << bits) - 1);
}
#else
template <int bits>
static inline u32v codes_at(const std::uint8_t* p) {
  std::uint32_t raw = 0;
  std::memcpy(&raw, p, (kF32 * bits + 7) / 8);
  u32v v;
  for (int i = 0; i < kF32; ++i) v[i] = raw >> (i * bits) & ((1U << bits) - 1);
  return v;
}
#endif

static inline f32v number(u32v code) { return __builtin_convertvector((i32v)code, f32v); }

template <int bits>
static inline Unit unit_at(const std::uint8_t* p) {
  Unit u;
#if defined(__AVX2__)
  for (int i = 0; i < kParts; ++i) u.v[i] = number(codes_at<bits>(p + i * kF32 * bits / 8));
#else
  float values[kUnit];
  for (int i = 0; i < kUnit; i += 8) {
    std::uint64_t raw = 0;
    std::memcpy(&raw, p + i / 8 * bits, bits);
    for (int j = 0; j < 8; ++j) values[i + j] = static_cast<float>(raw >> (j * bits) & ((1U << bits) - 1));
  }
  std::memcpy(&u, values, sizeof values);
#endif
  return u;
}

// Calls f(unit, scale, bias, first code of the unit) for n codes.
template <int bits, class F>
static inline void for_each_unit(const std::uint8_t* codes, std::int64_t group, const float* s, const float* b,
                                 std::int64_t n, F&& f) {
  for (std::int64_t i = 0, g = 0; i < n; ++g) {
    const f32v scale = splat(s[g]), bias = splat(b[g]);
    for (const std::int64_t end = i + group; i < end; i += kUnit)
      f(unit_at<bits>(codes + i / 8 * bits), scale, bias, i);
  }
}

// E2M1: twice a magnitude is m, its last bit, of exponent e = 0, and else (2 + m) 2^(e - 1).
static inline f32v e2m1(u32v code) {
  const u32v e = code >> 1 & 3U, m = code & 1U, small = (u32v)(e == 0), twice = (2U + m) << ((e - 1U) & 3U);
  const f32v magnitude = number((small & m) | (~small & twice)) * splat(0.5F);
  return (f32v)((u32v)magnitude | (code & 8U) << 28);
}

// E4M3: its exponent and fraction, as those of a float, are that number times 2^-120, subnormal ones too.
static inline f32v e4m3(u32v code) {
  const u32v magnitude = code & 0x7FU, nan = (u32v)(magnitude == 0x7F) & 0x7FC00000U;
  const f32v v = (f32v)(magnitude << 20) * splat(0x1p120F);
  return (f32v)((u32v)v | nan | (code & 0x80U) << 24);
}

template <int value>
struct Constant {
  static constexpr int number = value;
};

// Calls f with the width as a constant.
template <class F>
static inline void with_bits(int bits, F&& f) {
  switch (bits) {
    case 1: return f(Constant<1>());
    case 2: return f(Constant<2>());
    case 3: return f(Constant<3>());
    case 4: return f(Constant<4>());
    case 5: return f(Constant<5>());
    case 6: return f(Constant<6>());
    default: return f(Constant<8>());
  }
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
