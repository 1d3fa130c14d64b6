#include "core/fill_extremes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/fill_values.h"

namespace plumb::extremes {
namespace {

constexpr std::uint64_t kOther = 0x2545f491;  // a second, independent draw of the same element

// An exact type as its bits: the largest value, and the smallest, which is 0 for unsigned ones.
struct Ends {
  std::uint64_t high, low;
};
Ends ends(Dtype t) {
  const DtypeInfo& d = info(t);
  const std::uint64_t all = ~std::uint64_t{0} >> (64 - (t == Dtype::boolean ? 1 : 8 * d.bytes));
  return d.kind == Kind::signed_integer ? Ends{all >> 1, ~(all >> 1)} : Ends{all, 0};
}

// Words are stored modulo the width of the type, so that they stand for signed integers too.
template <class F>
Wide word_fill(const Spec& spec, F&& value) {
  Unsigneds a(spec.shape);
  for (std::int64_t i = 0; i < a.size(); ++i) a[i] = value(static_cast<std::uint64_t>(i));
  return a;
}

double with_sign(std::uint64_t draw, double magnitude) { return draw >> 63 ? -magnitude : magnitude; }

// -1, 0, 1; unsigned 0, 1
Wide least_integers(const Spec& spec, std::uint64_t key) {
  const bool negative = ends(spec.dtype).low != 0;
  return word_fill(spec, [&](std::uint64_t i) { return negative ? draw(key, i) % 3 - 1 : draw(key, i) % 2; });
}

}  // namespace

// From the square root of the smallest normal number down to where a product of two is lost. One in 16 is a zero.
Wide tiny(const Spec& spec, std::uint64_t key, double) {
  if (!is_inexact(spec.dtype)) return least_integers(spec, key);
  const DtypeInfo& t = info(spec.dtype);
  const int high = std::ilogb(t.min_normal) / 2, low = std::ilogb(t.min_subnormal) * 3 / 5;
  const auto binades = static_cast<std::uint64_t>(high - low + 1);
  return real_fill(spec, [&](std::int64_t i) {
    const std::uint64_t d = draw(key, static_cast<std::uint64_t>(i));
    if (d % 16 == 0) return with_sign(d, 0.0);
    const double significand = 1 + unit(key ^ kOther, static_cast<std::uint64_t>(i));
    return with_sign(d, std::ldexp(significand, low + static_cast<int>((d >> 8) % binades)));
  });
}

// The largest magnitudes and p binades below them; one in 8 is an end of the range.
Wide huge(const Spec& spec, std::uint64_t key, double p) {
  const auto binades = static_cast<std::uint64_t>(p) + 1;
  if (!is_inexact(spec.dtype)) {
    const Ends e = ends(spec.dtype);
    return word_fill(spec, [&](std::uint64_t i) {
      const std::uint64_t d = draw(key, i), below = draw(key ^ kOther, i) % (e.high / 2 + 1);
      const std::uint64_t shift = std::min<std::uint64_t>((d >> 8) % binades, 63);
      const std::uint64_t m = d % 8 == 0 ? e.high : (e.high - below) >> shift;
      return e.low != 0 && d >> 63 ? ~m : m;
    });
  }
  const double max = info(spec.dtype).max;
  return real_fill(spec, [&](std::int64_t i) {
    const std::uint64_t d = draw(key, static_cast<std::uint64_t>(i));
    if (d % 8 == 0) return with_sign(d, max);
    const double share = 1 - unit(key ^ kOther, static_cast<std::uint64_t>(i)) / 2;
    return with_sign(d, std::ldexp(max, -static_cast<int>((d >> 8) % binades)) * share);
  });
}

// k eta with 0 < k eta < the smallest normal number; one in 8 is the least, one in 8 the largest of them.
Wide subnormal(const Spec& spec, std::uint64_t key, double) {
  if (!is_inexact(spec.dtype)) return least_integers(spec, key);
  const DtypeInfo& t = info(spec.dtype);
  const std::uint64_t most = (std::uint64_t{1} << (t.precision - 1)) - 1;
  return real_fill(spec, [&](std::int64_t i) {
    const std::uint64_t d = draw(key, static_cast<std::uint64_t>(i));
    const std::uint64_t k = d % 8 == 0 ? 1 : d % 8 == 1 ? most : 1 + (d >> 3) % most;
    return with_sign(d, static_cast<double>(k) * t.min_subnormal);
  });
}

// Integers: every value of the type, over p. Floats: whole numbers up to 2^precision / p, so that a sum of p is exact.
Wide whole(const Spec& spec, std::uint64_t key, double p) {
  const auto terms = static_cast<std::uint64_t>(p);
  if (!is_inexact(spec.dtype)) {
    const Ends e = ends(spec.dtype);
    return word_fill(spec, [&](std::uint64_t i) {
      const std::uint64_t d = draw(key, i), any = draw(key ^ kOther, i);
      if (e.low == 0) return (d % 8 == 0 ? e.high : any & e.high) / terms;
      const std::uint64_t m = (d % 8 == 0 ? e.high : any & e.high);
      return static_cast<std::uint64_t>(static_cast<std::int64_t>(d >> 63 ? ~m : m) / static_cast<std::int64_t>(terms));
    });
  }
  const std::uint64_t limit = (std::uint64_t{1} << info(spec.dtype).precision) / terms;
  return real_fill(spec, [&](std::int64_t i) {
    const std::uint64_t d = draw(key, static_cast<std::uint64_t>(i));
    return with_sign(d, static_cast<double>(d % 8 == 0 ? limit : (d >> 3) % (limit + 1)));
  });
}

// Every p-th element is special, the kinds by turns from a drawn one on. The number of kinds is odd: with an odd p
// every kind comes to every place of a vector.
Wide lanes(const Spec& spec, std::uint64_t key, double p) {
  const auto period = static_cast<std::uint64_t>(p);
  if (!is_inexact(spec.dtype)) {
    const Ends e = ends(spec.dtype);
    const std::array<std::uint64_t, 7> kinds{e.low, e.high, ~std::uint64_t{0}, 0, e.low + 1, e.high - 1, 1};
    return word_fill(spec, [&](std::uint64_t i) {
      if (i % period == 0) return kinds[(i / period + key % kinds.size()) % kinds.size()];
      return draw(key, i) % 8 - (e.low != 0 ? 4 : 0);
    });
  }
  constexpr double kInf = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();
  const DtypeInfo& t = info(spec.dtype);
  const std::array<double, 7> kinds{kNan, kInf, -kInf, -0.0, t.min_subnormal, t.max, -t.max};
  return real_fill(spec, [&](std::int64_t index) {
    const auto i = static_cast<std::uint64_t>(index);
    if (i % period == 0) return kinds[(i / period + key % kinds.size()) % kinds.size()];
    return 8 * unit(key, i) - 4;
  });
}

// Rows of the last axis by turns: up to 2^-p of the largest number, up to 1, and below the smallest normal one.
Wide apart(const Spec& spec, std::uint64_t key, double p) {
  if (!is_inexact(spec.dtype)) return least_integers(spec, key);
  const DtypeInfo& t = info(spec.dtype);
  const std::array<double, 3> scales{std::ldexp(t.max, -static_cast<int>(p)), 1, t.min_normal};
  const std::uint64_t width = is_complex(spec.dtype) ? 2 : 1;
  const auto columns =
      width * static_cast<std::uint64_t>(spec.shape.empty() ? 1 : std::max<std::int64_t>(1, spec.shape.back()));
  return real_fill(spec, [&](std::int64_t index) {
    const auto i = static_cast<std::uint64_t>(index);
    return (2 * unit(key, i) - 1) * scales[i / columns % scales.size()];
  });
}

// Few whole numbers beside their distance from 0.
Wide near(const Spec& spec, std::uint64_t key, double p) {
  if (!is_inexact(spec.dtype)) return least_integers(spec, key);
  return real_fill(
      spec, [&](std::int64_t i) { return p + static_cast<double>(draw(key, static_cast<std::uint64_t>(i)) % 4); });
}

}  // namespace plumb::extremes
