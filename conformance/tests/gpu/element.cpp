// element.cl on the device: every dtype as every one that it promotes to, where rounding has its edges.
#ifdef PLUMB_GPU
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "gpu/runtime.h"

namespace plumb::gpu {
namespace {

// An element as the exact number that it is, and as 64 bits if it is a whole one.
struct Number {
  Double2 value;
  std::uint64_t word = 0;
};

template <class T>
void append(std::vector<std::byte>& bytes, T v) {
  const auto raw = std::bit_cast<std::array<std::byte, sizeof(T)>>(v);
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

void append(std::vector<std::byte>& bytes, Dtype t, const Number& n) {
  const double v = n.value.hi;
  switch (t) {
    case Dtype::boolean: return append(bytes, static_cast<std::uint8_t>(n.word != 0));
    case Dtype::f16: return append(bytes, to_half(n.value));
    case Dtype::bf16: return append(bytes, to_bf16(n.value));
    case Dtype::f32: return append(bytes, to_float(n.value));
    case Dtype::f64: return append(bytes, v);
    case Dtype::c64: return append(bytes, to_float(n.value)), append(bytes, 0.0f);
    default: break;
  }
  std::byte raw[8];
  std::memcpy(raw, &n.word, sizeof raw);
  bytes.insert(bytes.end(), raw, raw + info(t).bytes);
}

Number whole(Dtype t, std::uint64_t word) {
  const int unused = 64 - (t == Dtype::boolean ? 1 : 8 * info(t).bytes);
  word = word << unused >> unused;
  const auto low = static_cast<double>(word & 0xFFFFFFFFu), high = static_cast<double>(word >> 32) * 0x1p32;
  if (info(t).kind != Kind::signed_integer) return {Double2(high) + Double2(low), word};
  const std::int64_t v = static_cast<std::int64_t>(word << unused) >> unused;
  const auto top = static_cast<double>(v >> 32) * 0x1p32;
  return {Double2(top) + Double2(static_cast<double>(v & 0xFFFFFFFF)), static_cast<std::uint64_t>(v)};
}

// Around the middle between neighbours of f16, bf16, f32 and f64, at every power of two; both signs.
std::vector<Number> whole_edges(Dtype t) {
  std::vector<Number> all;
  for (int k = 0; k < 64; ++k)
    for (const int bits : {8, 11, 24, 53})
      for (const std::uint64_t odd : {0u, 1u})
        for (const std::uint64_t by : {~std::uint64_t{0}, std::uint64_t{0}, std::uint64_t{1}}) {
          const std::uint64_t one = std::uint64_t{1} << k, half = k >= bits ? one >> bits : 0;
          const std::uint64_t w = one + 2 * odd * half + half + by;
          all.push_back(whole(t, w));
          all.push_back(whole(t, 0 - w));
        }
  return all;
}

std::vector<Number> real_edges(Dtype t) {
  std::vector<Number> all;
  if (info(t).bytes == 2) {
    for (int w = 0; w < 0x10000; ++w) {
      const auto bits = static_cast<std::uint16_t>(w);
      all.push_back({Double2(t == Dtype::f16 ? half_to_float(bits) : bf16_to_float(bits))});
    }
    return all;
  }
  for (int k = -160; k < 160; ++k)
    for (const int bits : {8, 11, 24})
      for (const int odd : {0, 1})
        for (const double by : {-0x1p-52, -0x1p-23, 0.0, 0x1p-23, 0x1p-52}) {
          const double v = std::ldexp(1.0 + odd * std::ldexp(1.0, 1 - bits) + std::ldexp(1.0, -bits) + by, k);
          all.push_back({Double2(t == Dtype::f64 ? v : static_cast<float>(v))});
          all.push_back({-all.back().value});
        }
  for (const double v : {0.0, -0.0, HUGE_VAL, -HUGE_VAL, std::nan(""), 65520.0, 65519.99})
    all.push_back({Double2(t == Dtype::f64 ? v : static_cast<float>(v))});
  return all;
}

bool same(Dtype t, const std::byte* a, const std::byte* b) {
  const auto bytes = static_cast<std::size_t>(info(t).bytes);
  if (std::memcmp(a, b, bytes) == 0) return true;
  const auto nan = [t](const std::byte* p) {
    std::uint64_t w = 0;
    std::memcpy(&w, p, t == Dtype::c64 ? 4 : static_cast<std::size_t>(info(t).bytes));
    if (t == Dtype::f64) return std::isnan(std::bit_cast<double>(w));
    if (t == Dtype::f16) return std::isnan(half_to_float(static_cast<std::uint16_t>(w)));
    if (t == Dtype::bf16) return std::isnan(bf16_to_float(static_cast<std::uint16_t>(w)));
    return is_inexact(t) && std::isnan(std::bit_cast<float>(static_cast<std::uint32_t>(w)));
  };
  return nan(a) && nan(b);
}

std::vector<std::byte> converted(Dtype from, Dtype to, const std::vector<Number>& numbers) {
  std::vector<std::byte> source;
  for (const Number& n : numbers) append(source, from, n);
  const BufferPtr x = scratch(source.size()), y = scratch(numbers.size() * static_cast<std::size_t>(info(to).bytes));
  x->upload(source.data());
  const char* const via = to == Dtype::c64   ? "complex"
                          : to == Dtype::f64 ? "double"
                          : is_inexact(to)   ? "float"
                                             : "whole";
  Kernel k("copy", std::string("to_") + via);
  k.arg(x).arg(from).arg(y).arg(to);
  k.arg(static_cast<std::int64_t>(numbers.size())).run({numbers.size()}, {64});
  std::vector<std::byte> out(y->bytes());
  y->download(out.data());
  return out;
}

TEST(DeviceElements, AreReadAsEveryDtypeRoundedOnce) {
  const Device& d = current_device();
  if (d.tier == Tier::unavailable) GTEST_SKIP() << "no device";
  for (const DtypeInfo& from : all_dtypes())
    for (const DtypeInfo& to : all_dtypes()) {
      if (is_inexact(from.dtype) && !is_inexact(to.dtype)) continue;
      if ((from.dtype == Dtype::f64 || to.dtype == Dtype::f64) && !d.fp64) continue;
      if (from.dtype == Dtype::c64 && to.dtype != Dtype::c64) continue;
      const std::vector<Number> numbers = is_inexact(from.dtype) ? real_edges(from.dtype) : whole_edges(from.dtype);
      const std::vector<std::byte> out = converted(from.dtype, to.dtype, numbers);
      std::vector<std::byte> want;
      for (const Number& n : numbers) append(want, to.dtype, n);
      ASSERT_EQ(out.size(), want.size());
      const auto bytes = static_cast<std::size_t>(to.bytes);
      for (std::size_t i = 0; i < numbers.size(); ++i)
        ASSERT_TRUE(same(to.dtype, &out[i * bytes], &want[i * bytes]))
            << from.name << " " << numbers[i].value.hi << " + " << numbers[i].value.lo << " as " << to.name;
    }
}

TEST(DeviceElements, OptionsBecomeMacros) {
  EXPECT_EQ((Options{{"X", Dtype::bf16}, {"Y", Dtype::boolean}, {"COLUMNS", 64}, {"WIDE", false}, {"MMA"}}.text),
            " -DX=bf16 -DY=boolean -DCOLUMNS=64 -DMMA");
}

}  // namespace
}  // namespace plumb::gpu
#endif
