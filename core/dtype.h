// Element types: one enum, one table of facts, one promotion rule, conversions with one rounding.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/double2.h"

namespace plumb {

enum class Dtype : std::uint8_t {
  boolean,
  u8,
  u16,
  u32,
  u64,
  i8,
  i16,
  i32,
  i64,
  f16,
  bf16,
  f32,
  f64,
  c64,
};

enum class Kind : std::uint8_t { boolean, unsigned_integer, signed_integer, real, complex };

struct DtypeInfo {
  Dtype dtype;
  std::string_view name;  // in case ids and messages: "bool", "f32", "c64"
  std::string_view tag;   // in safetensors files: "BOOL", "F32", "C64"
  int bytes;
  Kind kind;
  int precision;         // significant bits including the hidden one; bits of the value for integers
  double max;            // largest finite value of a float (of a component, for c64); 0 otherwise
  double min_normal;     // smallest positive normal value
  double min_subnormal;  // smallest positive value, written eta in the bounds

  double unit_roundoff() const;  // u = 2^-precision for floats, 0 for exact types
};

const DtypeInfo& info(Dtype);
std::span<const DtypeInfo> all_dtypes();                         // in enum order
std::optional<Dtype> dtype_named(std::string_view name_or_tag);  // "f32" or "F32"

inline std::string_view name(Dtype t) { return info(t).name; }
inline bool is_real(Dtype t) { return info(t).kind == Kind::real; }
inline bool is_complex(Dtype t) { return info(t).kind == Kind::complex; }
inline bool is_inexact(Dtype t) { return is_real(t) || is_complex(t); }
inline bool is_integer(Dtype t) {
  return info(t).kind == Kind::signed_integer || info(t).kind == Kind::unsigned_integer;
}

// The promotion table of MLX: symmetric, value independent; u64 with a signed integer gives f32,
// f16 with bf16 gives f32, f64 with c64 gives c64.
Dtype promote(Dtype, Dtype);
Dtype at_least_float(Dtype);  // itself if inexact, else f32

// IEEE 754 binary16 and bfloat16 live in memory as 16-bit words. Every conversion to them rounds
// once, to nearest even, from the full value given; NaN stays NaN with its sign.
float half_to_float(std::uint16_t bits);
float bf16_to_float(std::uint16_t bits);
std::uint16_t to_half(Double2);
std::uint16_t to_bf16(Double2);
float to_float(Double2);

}  // namespace plumb
