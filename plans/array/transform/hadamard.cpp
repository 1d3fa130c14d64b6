#include "plans/array/transform/hadamard.h"

#include <bit>
#include <cmath>

namespace plumb::hadamard {
namespace {

constexpr std::uint32_t kMinus12[] = {0x2, 0xaab, 0x3c8, 0x96e, 0xf20, 0x5ba, 0xc8c, 0x6e6, 0x23c, 0xb96, 0x8f0, 0xe5a};
constexpr std::uint32_t kMinus20[] = {0x933de, 0x2e3bd, 0x5477b, 0xa0ef7, 0x499ef, 0x637c1, 0xc6ba2,
                                      0x8d764, 0x1aee8, 0x359f0, 0xfa53,  0x174a7, 0x26d4e, 0x45e9c,
                                      0x83d39, 0xf7a6d, 0xef4fa, 0xdedd5, 0xbdf8b, 0x7bf36};
constexpr std::uint32_t kMinus28[] = {0xcd69e7e, 0x9ad7c7d, 0x37ab8fb, 0x6d571f7, 0xd8ae3ef, 0xb3587df, 0x66b4f3f,
                                      0xb467f43, 0x6acbe87, 0xd593d8e, 0xab27b9c, 0x564f7b8, 0xac9aff0, 0x5b31fe1,
                                      0x87fb325, 0xff66ca,  0x1decd95, 0x39ddb2a, 0x71bf654, 0xe17eca9, 0xc2fd9d2,
                                      0xfcf1299, 0xfbe2532, 0xf7c4ae4, 0xef8d549, 0xdf1ea13, 0xbe3d4a6, 0x7e7a94c};

}  // namespace

Length length_of(const Call& c) {
  Length l;
  l.n = c[0].rank() == 0 ? 1 : c[0].dim(-1);
  for (const std::int64_t m : {12, 20, 28})
    if (l.n % m == 0 && std::has_single_bit(static_cast<std::uint64_t>(l.n / m))) l.m = m;
  l.p = l.n / l.m;
  l.twos = std::countr_zero(static_cast<std::uint64_t>(l.p));
  return l;
}

std::span<const std::uint32_t> minus_signs(std::int64_t m) {
  if (m == 12) return kMinus12;
  if (m == 20) return kMinus20;
  if (m == 28) return kMinus28;
  return {};
}

double scale(const Call& c) {
  return c.none("scale") ? 1 / std::sqrt(static_cast<double>(length_of(c).n)) : c.number("scale");
}

Order order(const Call& c) {
  const Length l = length_of(c);
  Order o;
  o.accumulator = c.dtype(0) == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.levels = static_cast<double>(l.twos + l.m - 1);
  return o;
}

}  // namespace plumb::hadamard
