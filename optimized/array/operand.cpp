#include "optimized/array/operand.h"

#include <limits>

#include "optimized/dense_runs.h"

namespace plumb {
namespace {

using base::Bf16;
using base::Half;
struct Pair {
  float re, im;
};

// Calls f with a value of the type that an element of the dtype is stored as.
template <class F>
void with_stored(Dtype t, F&& f) {
  switch (t) {
    case Dtype::boolean: return f(bool{});
    case Dtype::u8: return f(std::uint8_t{});
    case Dtype::u16: return f(std::uint16_t{});
    case Dtype::u32: return f(std::uint32_t{});
    case Dtype::u64: return f(std::uint64_t{});
    case Dtype::i8: return f(std::int8_t{});
    case Dtype::i16: return f(std::int16_t{});
    case Dtype::i32: return f(std::int32_t{});
    case Dtype::i64: return f(std::int64_t{});
    case Dtype::f16: return f(Half{});
    case Dtype::bf16: return f(Bf16{});
    case Dtype::f32: return f(float{});
    case Dtype::f64: return f(double{});
    case Dtype::c64: return f(Pair{});
  }
}

// A whole number as the nearest float whose rounding to fewer bits equals that of the number itself: what
// does not fit into 24 bits leaves its trace in the last one.
template <class I>
float traced(I v) {
  const bool negative = v < I{0};
  std::uint64_t m = negative ? std::uint64_t{0} - static_cast<std::uint64_t>(v) : static_cast<std::uint64_t>(v);
  const int drop = std::max(0, 40 - std::countl_zero(m));
  const std::uint64_t rest = m & ((std::uint64_t{1} << drop) - 1);
  m = (m >> drop) | (rest != 0 ? 1 : 0);
  const float x = static_cast<float>(m) * base::from_bits(static_cast<std::uint32_t>(127 + drop) << 23);
  return negative ? -x : x;
}

// The same of a double: to 24 bits, towards 0, the last one set if anything was lost.
float traced_double(double v) {
  const auto nearest = static_cast<float>(v);
  if (static_cast<double>(nearest) == v || v != v) return nearest;
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(nearest);
  const bool away = (nearest < 0 ? -static_cast<double>(nearest) : nearest) > (v < 0 ? -v : v);
  return base::from_bits((bits - (away ? 1 : 0)) | 1);
}

bool truth(Half v) { return (v.bits & 0x7FFF) != 0; }
bool truth(Bf16 v) { return (v.bits & 0x7FFF) != 0; }
bool truth(Pair v) { return v.re != 0 || v.im != 0; }
template <class T>
bool truth(T v) {
  return v != 0;
}

template <class From>
float as_float(From v) {  // whose rounding to a half is that of v
  if constexpr (std::is_integral_v<From>) return traced(v);
  else if constexpr (std::is_same_v<From, double>) return traced_double(v);
  else return v;
}

// Towards 0, NaN to 0, beyond the range to its end.
template <class I, class F>
I whole(F v) {
  constexpr F above = F(2) * static_cast<F>(std::uint64_t{1} << (std::numeric_limits<I>::digits - 1));
  constexpr F least = std::is_signed_v<I> ? -above : F(0);
  if (v >= above) return std::numeric_limits<I>::max();
  if (v <= least) return std::numeric_limits<I>::min();
  return v == v ? static_cast<I>(v) : I{0};
}

template <class To, class From>
To converted(From v) {
  if constexpr (std::is_same_v<To, From>) return v;
  else if constexpr (std::is_same_v<To, bool>) return truth(v);
  else if constexpr (std::is_same_v<From, Pair>) return converted<To>(v.re);
  else if constexpr (std::is_same_v<From, Half>) return converted<To>(base::half_to_f32(v.bits));
  else if constexpr (std::is_same_v<From, Bf16>) return converted<To>(base::bf16_to_f32(v.bits));
  else if constexpr (std::is_same_v<To, Pair>) return {converted<float>(v), 0.0F};
  else if constexpr (std::is_same_v<To, Half>) return {base::f32_to_half(as_float(v))};
  else if constexpr (std::is_same_v<To, Bf16>) return {base::f32_to_bf16(as_float(v))};
  else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) return whole<To>(v);
  else return static_cast<To>(v);
}

template <class From, class To>
void convert(const void* from, std::int64_t step, void* to, std::int64_t n) {
  const auto* x = static_cast<const From*>(from);
  auto* y = static_cast<To*>(to);
  if (step == 1)
    for (std::int64_t i = 0; i < n; ++i) y[i] = converted<To>(x[i]);
  else
    for (std::int64_t i = 0; i < n; ++i) y[i] = converted<To>(x[i * step]);
}

}  // namespace

Convert converter(Dtype from, Dtype to) {
  Convert found = nullptr;
  with_stored(from, [&](auto f) { with_stored(to, [&](auto t) { found = convert<decltype(f), decltype(t)>; }); });
  return found;
}

void convert_into(const Tensor& t, Dtype to, std::byte* out) {
  if (t.size() > 0) for_dense_runs(t, info(to).bytes, out, converter(t.dtype(), to));
}

Tensor as_dtype(const Tensor& t, Dtype to) {
  if (t.dtype() == to) return t;
  Tensor out(Spec{to, t.shape()});
  convert_into(t, to, out.write<std::byte>());
  return out;
}

Strides broadcast_strides(const Tensor& t, const Shape& shape) {
  Strides s(shape.size(), 0);
  const std::size_t lead = shape.size() - t.shape().size();
  for (std::size_t d = lead; d < shape.size(); ++d)
    if (t.shape()[d - lead] != 1) s[d] = t.strides()[d - lead];
  return s;
}

}  // namespace plumb
