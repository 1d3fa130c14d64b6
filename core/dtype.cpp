#include "core/dtype.h"

#include <array>
#include <bit>
#include <cmath>
#include <limits>

namespace plumb {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

constexpr std::array<DtypeInfo, 14> kInfo{{
    // clang-format off
    {Dtype::boolean, "bool", "BOOL", 1, Kind::boolean,           1, 0, 0, 0},
    {Dtype::u8,      "u8",   "U8",   1, Kind::unsigned_integer,  8, 0, 0, 0},
    {Dtype::u16,     "u16",  "U16",  2, Kind::unsigned_integer, 16, 0, 0, 0},
    {Dtype::u32,     "u32",  "U32",  4, Kind::unsigned_integer, 32, 0, 0, 0},
    {Dtype::u64,     "u64",  "U64",  8, Kind::unsigned_integer, 64, 0, 0, 0},
    {Dtype::i8,      "i8",   "I8",   1, Kind::signed_integer,    8, 0, 0, 0},
    {Dtype::i16,     "i16",  "I16",  2, Kind::signed_integer,   16, 0, 0, 0},
    {Dtype::i32,     "i32",  "I32",  4, Kind::signed_integer,   32, 0, 0, 0},
    {Dtype::i64,     "i64",  "I64",  8, Kind::signed_integer,   64, 0, 0, 0},
    {Dtype::f16,     "f16",  "F16",  2, Kind::real, 11, 65504.0,                 0x1p-14,   0x1p-24},
    {Dtype::bf16,    "bf16", "BF16", 2, Kind::real,  8, 0x1.fep127,              0x1p-126,  0x1p-133},
    {Dtype::f32,     "f32",  "F32",  4, Kind::real, 24, 0x1.fffffep127,          0x1p-126,  0x1p-149},
    {Dtype::f64,     "f64",  "F64",  8, Kind::real, 53, 0x1.fffffffffffffp1023,  0x1p-1022, 0x1p-1074},
    {Dtype::c64,     "c64",  "C64",  8, Kind::complex, 24, 0x1.fffffep127,       0x1p-126,  0x1p-149},
    // clang-format on
}};

// The double nearest to hi + lo whose last bit is odd unless the sum is exact. Rounding that to fewer bits
// (at least two fewer) equals rounding the sum itself, once (Boldo & Melquiond 2008).
double round_to_odd(Double2 x) {
  if (x.lo == 0 || !std::isfinite(x.hi) || std::isnan(x.lo)) return x.hi;
  auto bits = std::bit_cast<std::uint64_t>(x.hi);
  if (bits & 1) return x.hi;
  // hi is even and not the sum: the odd neighbour lies between hi and the next even double, on lo's side.
  const bool away = (x.lo > 0) == (x.hi > 0);
  if (x.hi == 0) return x.lo;
  bits = away ? bits + 1 : bits - 1;
  return std::bit_cast<double>(bits);
}

// Rounds |x| to a 16-bit float with `mantissa` stored bits, least normal exponent `least` and largest
// exponent `most`, to nearest even with gradual underflow; returns the bits without sign.
std::uint32_t round_magnitude(double x, int mantissa, int least, int most) {
  if (x == 0) return 0;
  const int exponent = std::max(std::ilogb(x), least);
  const double scaled = std::ldexp(x, mantissa - exponent);  // exact: a power of two
  const double whole = std::nearbyint(scaled);               // the only rounding
  const std::uint32_t step = static_cast<std::uint32_t>(exponent - least) << mantissa;
  const auto bits = step + static_cast<std::uint32_t>(whole);  // a carry moves into the exponent by itself
  const std::uint32_t infinity = static_cast<std::uint32_t>(most - least + 2) << mantissa;
  return std::min(bits, infinity);
}

std::uint16_t to_16_bits(Double2 value, int mantissa, int least, int most, std::uint32_t quiet_nan) {
  const double x = round_to_odd(value);
  const std::uint32_t sign = std::signbit(x) ? 0x8000U : 0U;
  if (std::isnan(x)) return static_cast<std::uint16_t>(sign | quiet_nan);
  if (std::isinf(x)) return static_cast<std::uint16_t>(sign | static_cast<std::uint32_t>(most - least + 2) << mantissa);
  return static_cast<std::uint16_t>(sign | round_magnitude(std::abs(x), mantissa, least, most));
}

int rank_of(Dtype t) { return info(t).bytes; }

Dtype promote_integers(Dtype a, Dtype b) {
  const bool a_unsigned = info(a).kind == Kind::unsigned_integer, b_unsigned = info(b).kind == Kind::unsigned_integer;
  if (a_unsigned == b_unsigned) return rank_of(a) >= rank_of(b) ? a : b;
  const Dtype u = a_unsigned ? a : b, s = a_unsigned ? b : a;
  if (u == Dtype::u64) return Dtype::f32;
  if (rank_of(s) > rank_of(u)) return s;
  constexpr Dtype wider[] = {Dtype::i16, Dtype::i32, Dtype::i64};  // for u8, u16, u32
  return wider[std::countr_zero(static_cast<unsigned>(rank_of(u)))];
}

}  // namespace

double DtypeInfo::unit_roundoff() const {
  return kind == Kind::real || kind == Kind::complex ? 1.0 / static_cast<double>(std::uint64_t{1} << precision) : 0.0;
}

const DtypeInfo& info(Dtype t) { return kInfo[static_cast<std::size_t>(t)]; }

std::span<const DtypeInfo> all_dtypes() { return kInfo; }

std::optional<Dtype> dtype_named(std::string_view text) {
  for (const DtypeInfo& i : kInfo)
    if (i.name == text || i.tag == text) return i.dtype;
  return std::nullopt;
}

Dtype promote(Dtype a, Dtype b) {
  if (a == b) return a;
  if (a == Dtype::boolean) return b;
  if (b == Dtype::boolean) return a;
  if (is_complex(a) || is_complex(b)) return Dtype::c64;
  if (is_integer(a) && is_integer(b)) return promote_integers(a, b);
  if (is_integer(a)) return b;
  if (is_integer(b)) return a;
  if (rank_of(a) == rank_of(b)) return Dtype::f32;  // f16 with bf16
  return rank_of(a) > rank_of(b) ? a : b;
}

Dtype at_least_float(Dtype t) { return is_inexact(t) ? t : Dtype::f32; }

float half_to_float(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  const double sign = bits & 0x8000 ? -1.0 : 1.0;
  if (exponent == 31) {
    if (mantissa == 0) return static_cast<float>(sign * kInf);
    return std::bit_cast<float>((bits & 0x8000U) << 16 | 0x7F800000U | static_cast<std::uint32_t>(mantissa) << 13);
  }
  const int scale = exponent == 0 ? -24 : exponent - 25;
  return static_cast<float>(sign * std::ldexp(exponent == 0 ? mantissa : mantissa + 1024, scale));
}

float bf16_to_float(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

std::uint16_t to_half(Double2 x) { return to_16_bits(x, 10, -14, 15, 0x7E00); }
std::uint16_t to_bf16(Double2 x) { return to_16_bits(x, 7, -126, 127, 0x7FC0); }
float to_float(Double2 x) { return static_cast<float>(round_to_odd(x)); }

Double2::operator float() const { return to_float(*this); }

}  // namespace plumb
