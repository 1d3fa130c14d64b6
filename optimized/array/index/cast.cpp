// Elements of one dtype as those of another, as values that are written are: whole numbers modulo 2^bits, reals
// truncated and saturated, NaN as 0, complex numbers by their real part; rounded once.
#include <cmath>
#include <complex>
#include <limits>

#include "core/pool.h"
#include "optimized/array/index/moves.h"

namespace plumb::cpu {
namespace {

constexpr std::int64_t kGrain = 1 << 13;

// f(elements as they are stored, what an element is as a number)
template <class F>
void with_numbers(const Tensor& t, F&& f) {
  const auto whole = [&]<class T>(T) { f(t.read<T>(), [](T v) { return static_cast<std::int64_t>(v); }); };
  switch (t.dtype()) {
    case Dtype::boolean: return f(t.read<std::uint8_t>(), [](std::uint8_t v) { return std::int64_t{v != 0}; });
    case Dtype::u8: return whole(std::uint8_t{});
    case Dtype::u16: return whole(std::uint16_t{});
    case Dtype::u32: return whole(std::uint32_t{});
    case Dtype::u64: return f(t.read<std::uint64_t>(), [](std::uint64_t v) { return v; });
    case Dtype::i8: return whole(std::int8_t{});
    case Dtype::i16: return whole(std::int16_t{});
    case Dtype::i32: return whole(std::int32_t{});
    case Dtype::i64: return whole(std::int64_t{});
    case Dtype::f16: return f(t.read<std::uint16_t>(), [](std::uint16_t v) -> double { return half_to_float(v); });
    case Dtype::bf16: return f(t.read<std::uint16_t>(), [](std::uint16_t v) -> double { return bf16_to_float(v); });
    case Dtype::f32: return f(t.read<float>(), [](float v) -> double { return v; });
    case Dtype::f64: return f(t.read<double>(), [](double v) { return v; });
    case Dtype::c64: return f(t.read<std::complex<float>>(), [](std::complex<float> v) -> double { return v.real(); });
  }
}

template <class To, class N>
To whole_of(N v) {
  if constexpr (std::is_integral_v<N>) return static_cast<To>(v);
  else {
    if (std::isnan(v)) return 0;
    constexpr To kLeast = std::numeric_limits<To>::min(), kMost = std::numeric_limits<To>::max();
    if (v <= static_cast<double>(kLeast)) return kLeast;
    if (v >= static_cast<double>(kMost)) return kMost;  // 2^63 and 2^64 where the largest is no double
    return static_cast<To>(v);
  }
}

// As two doubles, exactly.
Double2 exactly(std::int64_t v) {
  const auto high = static_cast<double>(v >> 32) * 0x1p32, low = static_cast<double>(v & 0xFFFFFFFF);
  return detail::two_sum(high, low);
}
Double2 exactly(std::uint64_t v) {
  return detail::two_sum(static_cast<double>(v >> 32) * 0x1p32, static_cast<double>(v & 0xFFFFFFFF));
}
Double2 exactly(double v) { return v; }

template <class To, class N>
void convert(const Tensor& from, N&& number_of, To* out) {
  with_numbers(from, [&](const auto* x, auto number) {
    parallel_for(from.size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) out[i] = number_of(number(x[i]));
    });
  });
}

template <class To>
void to_whole(const Tensor& from, Tensor& out) {
  convert(
      from, [](auto v) { return whole_of<To>(v); }, out.write<To>());
}

void to_truth(const Tensor& from, Tensor& out) {
  auto* y = out.write<std::uint8_t>();
  if (from.dtype() != Dtype::c64)
    return convert(
        from, [](auto v) { return std::uint8_t{v != 0}; }, y);
  const auto* z = from.read<std::complex<float>>();
  for (std::int64_t i = 0; i < from.size(); ++i) y[i] = z[i] != std::complex<float>(0) ? 1 : 0;
}

}  // namespace

Tensor cast(const Tensor& t, Dtype to) {
  if (t.dtype() == to) return t;
  const Tensor from = contiguous(t);
  Tensor out(Spec{to, t.shape()});
  switch (to) {
    case Dtype::boolean: to_truth(from, out); break;
    case Dtype::u8: to_whole<std::uint8_t>(from, out); break;
    case Dtype::u16: to_whole<std::uint16_t>(from, out); break;
    case Dtype::u32: to_whole<std::uint32_t>(from, out); break;
    case Dtype::u64: to_whole<std::uint64_t>(from, out); break;
    case Dtype::i8: to_whole<std::int8_t>(from, out); break;
    case Dtype::i16: to_whole<std::int16_t>(from, out); break;
    case Dtype::i32: to_whole<std::int32_t>(from, out); break;
    case Dtype::i64: to_whole<std::int64_t>(from, out); break;
    case Dtype::f16:
      convert(
          from, [](auto v) { return to_half(exactly(v)); }, out.write<std::uint16_t>());
      break;
    case Dtype::bf16:
      convert(
          from, [](auto v) { return to_bf16(exactly(v)); }, out.write<std::uint16_t>());
      break;
    case Dtype::f32:
      convert(
          from, [](auto v) { return static_cast<float>(v); }, out.write<float>());
      break;
    case Dtype::f64:
      convert(
          from, [](auto v) { return static_cast<double>(v); }, out.write<double>());
      break;
    case Dtype::c64:
      convert(
          from, [](auto v) { return std::complex<float>(static_cast<float>(v)); }, out.write<std::complex<float>>());
      break;
  }
  return out;
}

}  // namespace plumb::cpu
