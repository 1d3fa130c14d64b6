// Packing and unpacking of quantization codes, and sums over them, 32 codes at a time: 4 bits bytes.
#include "optimized/element.h"
#include "optimized/quant/decode.h"

namespace plumb {

namespace PLUMB_ISA_NAME {
namespace {

constexpr int kUnit = 32;             // codes per step; every group is a multiple
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

// The next kF32 codes, which start on a byte.
#if defined(__AVX2__)
template <int bits>
inline f32v codes_at(const std::uint8_t* p) {
#if defined(__AVX512F__)
  const __m128i raw = _mm_maskz_loadu_epi8(static_cast<__mmask16>((1U << 2 * bits) - 1), p);
  const __m512i all = _mm512_maskz_broadcast_i32x4(0xFFFF, raw);
  const auto pairs = (u32v)_mm512_maskz_shuffle_epi8(~__mmask64{0}, all, _mm512_loadu_si512(kUnpack<bits>.byte));
#else
  std::uint64_t raw = 0;
  std::memcpy(&raw, p, bits);
  const __m256i all = _mm256_set1_epi64x(static_cast<long long>(raw));
  const auto pairs = (u32v)_mm256_shuffle_epi8(all, _mm256_loadu_si256((const __m256i*)kUnpack<bits>.byte));
#endif
  u32v shift;
  std::memcpy(&shift, kUnpack<bits>.shift, sizeof shift);
  return __builtin_convertvector((i32v)(pairs >> shift & ((1U << bits) - 1)), f32v);
}
#endif

template <int bits>
inline Unit unit_at(const std::uint8_t* p) {
  Unit u;
#if defined(__AVX2__)
  for (int i = 0; i < kParts; ++i) u.v[i] = codes_at<bits>(p + i * kF32 * bits / 8);
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

// Calls f(unit, scale, bias, first code of the unit) for n codes.
template <int bits, class F>
inline void for_each_unit(const std::uint8_t* codes, std::int64_t group, const float* s, const float* b, std::int64_t n,
                          F&& f) {
  for (std::int64_t i = 0, g = 0; i < n; ++g) {
    const f32v scale = splat(s[g]), bias = splat(b[g]);
    for (const std::int64_t end = i + group; i < end; i += kUnit)
      f(unit_at<bits>(codes + i / 8 * bits), scale, bias, i);
  }
}

template <int bits>
void weights(const std::uint8_t* codes, std::int64_t group, const float* s, const float* b, std::int64_t n,
             float* out) {
  for_each_unit<bits>(codes, group, s, b, n, [&](const Unit& u, f32v scale, f32v bias, std::int64_t i) {
    for (int p = 0; p < kParts; ++p) store(out + i + p * kF32, decoded(u.v[p], scale, bias));
  });
}

template <int bits>
void expand(const std::uint8_t* codes, std::int64_t group, const float* s, const float* b, std::int64_t n,
            Element product, Element sum, Element t, void* out) {
  for_each_unit<bits>(codes, group, s, b, n, [&](const Unit& u, f32v scale, f32v bias, std::int64_t i) {
    for (int p = 0; p < kParts; ++p)
      store_as(t, out, i + p * kF32, rounded(sum, rounded(product, u.v[p] * scale) + bias));
  });
}

// The sum of 32 numbers by halves.
inline float join(const f32v* v) {
  float t[kUnit];
  std::memcpy(t, v, sizeof t);
  for (int half = kUnit / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) t[i] += t[i + half];
  return t[0];
}

template <int bits, int rows>
void dot(const float* x, std::int64_t ldx, const std::uint8_t* codes, std::int64_t group, const float* s,
         const float* b, std::int64_t k, float* y) {
  f32v sums[rows][kParts] = {};
  for_each_unit<bits>(codes, group, s, b, k, [&](const Unit& u, f32v scale, f32v bias, std::int64_t i) {
    for (int p = 0; p < kParts; ++p) {
      const f32v w = decoded(u.v[p], scale, bias);
      for (int r = 0; r < rows; ++r) sums[r][p] = fma(load(x + r * ldx + i + p * kF32), w, sums[r][p]);
    }
  });
  for (int r = 0; r < rows; ++r) y[r] = join(sums[r]);
}

template <int bits, int rows>
void columns(const float* x, std::int64_t ldx, const std::uint8_t* codes, std::int64_t row_bytes, const float* s,
             const float* b, std::int64_t row_groups, std::int64_t k, float* y, std::int64_t ldy) {
  f32v sums[rows][kParts] = {};
  for (std::int64_t i = 0; i < k; ++i) {
    const Unit u = unit_at<bits>(codes + i * row_bytes);
    const f32v scale = splat(s[i * row_groups]), bias = splat(b[i * row_groups]);
    for (int p = 0; p < kParts; ++p) {
      const f32v w = decoded(u.v[p], scale, bias);
      for (int r = 0; r < rows; ++r) sums[r][p] = fma(splat(x[r * ldx + i]), w, sums[r][p]);
    }
  }
  for (int r = 0; r < rows; ++r)
    for (int p = 0; p < kParts; ++p) store(y + r * ldy + p * kF32, sums[r][p]);
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

template <int value>
struct Constant {
  static constexpr int number = value;
};

// Calls f with the width as a constant.
template <class F>
inline void with_bits(int bits, F&& f) {
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

template <class F>
inline void with_rows(int rows, F&& f) {
  switch (rows) {
    case 1: return f(Constant<1>());
    case 2: return f(Constant<2>());
    case 3: return f(Constant<3>());
    default: return f(Constant<4>());
  }
}

}  // namespace

void quant_weights(const std::uint8_t* codes, int bits, std::int64_t group, const float* s, const float* b,
                   std::int64_t n, float* out) {
  with_bits(bits, [&](auto width) { weights<width.number>(codes, group, s, b, n, out); });
}

void quant_expand(const std::uint8_t* codes, int bits, std::int64_t group, const float* s, const float* b,
                  std::int64_t n, Element product, Element sum, Element t, void* out) {
  with_bits(bits, [&](auto width) { expand<width.number>(codes, group, s, b, n, product, sum, t, out); });
}

void quant_dot(const float* x, std::int64_t ldx, int rows, const std::uint8_t* codes, int bits, std::int64_t group,
               const float* s, const float* b, std::int64_t k, float* y) {
  with_bits(bits, [&](auto width) {
    with_rows(rows, [&](auto height) { dot<width.number, height.number>(x, ldx, codes, group, s, b, k, y); });
  });
}

void quant_columns(const float* x, std::int64_t ldx, int rows, const std::uint8_t* codes, std::int64_t row_bytes,
                   int bits, const float* s, const float* b, std::int64_t row_groups, std::int64_t k, float* y,
                   std::int64_t ldy) {
  with_bits(bits, [&](auto width) {
    with_rows(rows, [&](auto height) {
      columns<width.number, height.number>(x, ldx, codes, row_bytes, s, b, row_groups, k, y, ldy);
    });
  });
}

void quant_encode(const float* w, std::int64_t groups, std::int64_t group, int bits, float most, std::uint8_t* codes,
                  float* s, float* b) {
  with_bits(bits, [&](auto width) { encode<width.number>(w, groups, group, most, codes, s, b); });
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
