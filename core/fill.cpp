#include "core/fill.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>

#include "core/error.h"
#include "core/fill_extremes.h"
#include "core/fill_values.h"
#include "core/number.h"
#include "core/text.h"

namespace plumb {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

bool wants_integers(const Spec& s) { return !is_inexact(s.dtype); }

// Signed integers in [-p, p]; unsigned ones in [0, p].
Wide integer_fill(const Spec& spec, std::uint64_t key, double p) {
  const auto span = static_cast<std::uint64_t>(p);
  if (info(spec.dtype).kind == Kind::unsigned_integer || spec.dtype == Dtype::boolean) {
    Unsigneds a(spec.shape);
    for (std::int64_t i = 0; i < a.size(); ++i) a[i] = draw(key, static_cast<std::uint64_t>(i)) % (span + 1);
    return a;
  }
  const auto value = [&](std::int64_t i) {
    return static_cast<std::int64_t>(draw(key, static_cast<std::uint64_t>(i)) % (2 * span + 1)) -
           static_cast<std::int64_t>(span);
  };
  if (is_inexact(spec.dtype)) return real_fill(spec, [&](std::int64_t i) { return static_cast<double>(value(i)); });
  Integers a(spec.shape);
  for (std::int64_t i = 0; i < a.size(); ++i) a[i] = value(i);
  return a;
}

Wide uniform(const Spec& spec, std::uint64_t key, double p) {
  if (wants_integers(spec)) return integer_fill(spec, key, std::max(p, 100.0));
  return real_fill(spec, [&](std::int64_t i) { return p * (2 * unit(key, static_cast<std::uint64_t>(i)) - 1); });
}

Wide index_fill(const Spec& spec, std::uint64_t key, double p) {
  const auto n = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(p));
  Integers a(spec.shape);
  for (std::int64_t i = 0; i < a.size(); ++i)
    a[i] = static_cast<std::int64_t>(draw(key, static_cast<std::uint64_t>(i)) % n);
  return a;
}

Wide positive(const Spec& spec, std::uint64_t key, double p) {
  if (wants_integers(spec)) return integer_fill({Dtype::u64, spec.shape}, key, std::max(p, 100.0));
  return real_fill(spec, [&](std::int64_t i) { return p * (unit(key, static_cast<std::uint64_t>(i)) + 0x1p-10); });
}

// Words as elements of the dtype.
Wide from_words(const Spec& spec, const Unsigneds& raw) {
  const Dtype carrier[] = {Dtype::u8, Dtype::u16, Dtype::u32, Dtype::u64};
  const Dtype as = carrier[std::countr_zero(static_cast<unsigned>(info(spec.dtype).bytes))];
  if (is_integer(spec.dtype)) return raw;
  const Tensor words = narrow(raw, as);
  Tensor out(spec);
  std::copy_n(words.read<std::byte>(), words.storage().bytes(), out.write<std::byte>());
  return widen(out);
}

// Every bit pattern of the element's own width.
Wide bits(const Spec& spec, std::uint64_t key, double) {
  Unsigneds raw(spec.shape);
  for (std::int64_t i = 0; i < raw.size(); ++i) raw[i] = draw(key, static_cast<std::uint64_t>(i));
  return from_words(spec, raw);
}

// One after the other, so that some cases together have each: 2^16 elements all of a type of 16 bits.
Wide every(const Spec& spec, std::uint64_t, double p) {
  Unsigneds raw(spec.shape);
  const auto first = static_cast<std::uint64_t>(p) << 25U;
  for (std::int64_t i = 0; i < raw.size(); ++i) raw[i] = first + static_cast<std::uint64_t>(i);
  return from_words(spec, raw);
}

Wide constant(const Spec& spec, std::uint64_t, double p) {
  if (is_complex(spec.dtype)) return Complexes(spec.shape, Complex(p, 0));
  return Reals(spec.shape, p);
}

// Signed powers of two: exponents in [-p, p].
Wide powers(const Spec& spec, std::uint64_t key, double p) {
  const auto span = static_cast<std::uint64_t>(p);
  return real_fill(spec, [&](std::int64_t i) {
    const std::uint64_t d = draw(key, static_cast<std::uint64_t>(i));
    return std::ldexp(d >> 63 ? -1.0 : 1.0, static_cast<int>(d % (2 * span + 1)) - static_cast<int>(span));
  });
}

// Magnitudes over 2p binades: small terms must survive beside large ones.
Wide wide(const Spec& spec, std::uint64_t key, double p) {
  if (wants_integers(spec)) return bits(spec, key, 0);
  return real_fill(spec, [&](std::int64_t i) {
    const auto k = static_cast<std::uint64_t>(i);
    const double exponent = p * (2 * unit(key ^ 0x5bd1e995, k) - 1);
    return (2 * unit(key, k) - 1) * std::exp2(std::floor(exponent));
  });
}

// The second half of the elements undoes the first, up to 2^-p noise.
Wide cancel(const Spec& spec, std::uint64_t key, double p) {
  const std::int64_t n = count(spec.shape), half = n / 2;
  return real_fill(spec, [&](std::int64_t i) {
    const auto k = static_cast<std::uint64_t>(half > 0 ? i % half : 0);
    const double x = 2 * unit(key, k) - 1;
    const double noise = std::exp2(-p) * (2 * unit(key ^ 0x9e3779b9, static_cast<std::uint64_t>(i)) - 1);
    return i < half ? x : -x + noise;
  });
}

// One value in p is special: zeros of both signs, subnormals, infinities, NaN, the largest.
Wide special(const Spec& spec, std::uint64_t key, double p) {
  if (wants_integers(spec)) return bits(spec, key, 0);
  const DtypeInfo& t = info(spec.dtype);
  const std::array values{0.0, -0.0, t.min_subnormal, -t.min_normal, kInf, -kInf, kNan, t.max, -t.max};
  return real_fill(spec, [&](std::int64_t i) {
    const std::uint64_t d = draw(key, static_cast<std::uint64_t>(i));
    if (d % static_cast<std::uint64_t>(p) == 0) return values[(d >> 8) % values.size()];
    return 8 * unit(key ^ 0x2545f491, static_cast<std::uint64_t>(i)) - 4;
  });
}

// Integers in [0, p).
Wide below(const Spec& spec, std::uint64_t key, double p) {
  Integers a(spec.shape);
  const auto span = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(p));
  for (std::int64_t i = 0; i < a.size(); ++i)
    a[i] = static_cast<std::int64_t>(draw(key, static_cast<std::uint64_t>(i)) % span);
  return a;
}

// As scores behind a mask: p of 8 are -inf.
Wide masked(const Spec& spec, std::uint64_t key, double p) {
  if (wants_integers(spec)) return integer_fill(spec, key, 4);
  return real_fill(spec, [&](std::int64_t i) {
    const std::uint64_t d = draw(key, static_cast<std::uint64_t>(i));
    return d % 8 < static_cast<std::uint64_t>(p) ? -kInf
                                                 : 8 * unit(key ^ 0x2545f491, static_cast<std::uint64_t>(i)) - 4;
  });
}

// Runs of p elements, each of one kind that a quantizer may trip over.
Wide groups(const Spec& spec, std::uint64_t key, double p) {
  const auto run = static_cast<std::int64_t>(p);
  return real_fill(spec, [&](std::int64_t i) {
    const auto k = static_cast<std::uint64_t>(i), at = static_cast<std::uint64_t>(i % run);
    const double u = 2 * unit(key, k) - 1;
    switch (i / run % 8) {
      case 0: return 0.0;
      case 1: return -0.6875;                                                             // constant
      case 2: return at == draw(key, 0) % static_cast<std::uint64_t>(run) ? 60000.0 : u;  // an outlier
      case 3: return -24 + 8 * u;                                                         // all negative
      case 4: return 1e-8 * u;                                                            // below every scale
      case 5: return at % 3 == 0 ? 7.5 : at % 3 == 1 ? -7.5 : std::floor(8 * u);          // equal magnitudes
      case 6: return static_cast<double>(draw(key, k) % 32) / 2 - 10;                     // ties
      default: return u;
    }
  });
}

// The logical index itself, modulo p: a wrong read names its source.
Wide ramp(const Spec& spec, std::uint64_t, double p) {
  const auto period = static_cast<std::int64_t>(p);
  const auto value = [&](std::int64_t i) { return period > 0 ? i % period : i; };
  if (wants_integers(spec)) {
    Integers a(spec.shape);
    for (std::int64_t i = 0; i < a.size(); ++i) a[i] = value(i);
    return a;
  }
  return real_fill(spec, [&](std::int64_t i) { return static_cast<double>(value(i)); });
}

// For orders: a third special (zeros, infinities and NaN of both signs, the extremes of integers), a third
// small integers that tie, a third any bit pattern.
Wide order(const Spec& spec, std::uint64_t key, double) {
  if (is_inexact(spec.dtype)) {
    const DtypeInfo& t = info(spec.dtype);
    const std::array values{0.0, -0.0, t.min_subnormal, -t.min_subnormal, kInf, -kInf, kNan, -kNan, t.max, -t.max};
    const Tensor any = narrow(bits({Dtype::f32, {2 * count(spec.shape)}}, key ^ 0x2545f491, 0), Dtype::f32);
    return real_fill(spec, [&](std::int64_t i) {
      const std::uint64_t d = draw(key, static_cast<std::uint64_t>(i));
      if (d % 3 == 0) return values[(d >> 8) % values.size()];
      if (d % 3 == 1) return static_cast<double>((d >> 8) % 7) - 3;
      return static_cast<double>(any.read<float>()[i]);
    });
  }
  Unsigneds a(spec.shape);
  const std::uint64_t sign = std::uint64_t{1} << (8 * info(spec.dtype).bytes - 1);
  const std::array values{std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}, sign, sign - 1, sign + 1};
  for (std::int64_t i = 0; i < a.size(); ++i) {
    const std::uint64_t d = draw(key, static_cast<std::uint64_t>(i));
    a[i] = d % 3 == 0 ? values[(d >> 8) % values.size()] : d % 3 == 1 ? (d >> 8) % 7 - 3 : d;
  }
  return a;
}

std::int64_t last_extent(const Spec& spec) { return spec.shape.empty() ? 1 : spec.shape.back(); }

// One nonzero element per row of the last axis, at a drawn place.
Wide impulse(const Spec& spec, std::uint64_t key, double p) {
  const std::int64_t n = last_extent(spec);
  const auto at = [&](std::int64_t row) {
    return static_cast<std::int64_t>(draw(key, static_cast<std::uint64_t>(row)) % static_cast<std::uint64_t>(n));
  };
  if (!is_complex(spec.dtype)) {
    Reals a(spec.shape);
    for (std::int64_t i = 0; i < a.size(); i += n) a[i + at(i / n)] = p;
    return a;
  }
  Complexes a(spec.shape);
  for (std::int64_t i = 0; i < a.size(); i += n) a[i + at(i / n)] = {p, -p / 2};
  return a;
}

// Uniform values with one NaN, in the real part, at a drawn place of every second row of the last axis.
Wide nan_rows(const Spec& spec, std::uint64_t key, double p) {
  Wide values = uniform({spec.dtype, spec.shape}, key, 1);
  const std::int64_t n = last_extent(spec);
  std::visit(
      [&](auto& a) {
        using T = std::decay_t<decltype(a.data[0])>;
        for (std::int64_t row = static_cast<std::int64_t>(p); row * n < a.size(); row += 2) {
          const std::uint64_t at =
              draw(key ^ 0x51ed270b, static_cast<std::uint64_t>(row)) % static_cast<std::uint64_t>(n);
          if constexpr (std::is_same_v<T, Complex>) a[row * n + static_cast<std::int64_t>(at)].real(kNan);
          else if constexpr (!std::is_integral_v<T>) a[row * n + static_cast<std::int64_t>(at)] = kNan;
        }
      },
      values);
  return values;
}

constexpr double kRows = 0x1p31, kWhole = 0x1p62;  // ends of counts and of whole numbers
constexpr Fill::Range kNone{0, 0}, kAny{-kInf, kInf};

constexpr Fill kFills[] = {
    // clang-format off
    {"uniform",          "uniform in [-p, p); integers to 100, or p if that is more", 1, {0, kWhole}, uniform},
    {"positive",         "uniform in (0, p]; integers as there, not below 0", 1, {0, kWhole}, positive},
    {"int",              "integers in [-p, p]; unsigned in [0, p]", 3, {0, kWhole}, integer_fill},
    {"index",            "whole numbers in [0, p)", 1, {0, kWhole}, index_fill},
    {"bits",             "every bit pattern of the element's width", 0, kNone, bits},
    {"every",            "bit patterns in turn, from p 2^25 on", 0, {0, 127}, every},
    {"const",            "p everywhere", 1, kAny, constant},
    {"pow2",             "signed powers of two, exponents in [-p, p]", 3, {0, 1074}, powers},
    {"wide",             "magnitudes spread over 2p binades", 12, {0, 1023}, wide},
    {"cancel",           "the second half cancels the first up to 2^-p", 14, {0, 1074}, cancel},
    {"special",          "one in p is 0, -0, subnormal, inf, NaN or the largest", 4, {1, kRows}, special},
    {"groups",           "runs of p: zeros, constant, an outlier, all negative, tiny, ties", 32, {1, kRows}, groups},
    {"below",            "integers in [0, p)", 2, {0, kWhole}, below},
    {"masked",           "p of 8 values are -inf, the rest uniform in [-4, 4)", 4, {0, 8}, masked},
    {"ramp",             "the logical index, modulo p if p > 0", 0, {0, kWhole}, ramp},
    {"order",            "a third each: special, small integers, any bits", 0, kNone, order},
    {"tiny",             "products of two underflow; one in 16 is 0; integers -1, 0, 1", 0, kNone, extremes::tiny},
    {"huge",             "the largest and p binades below: sums overflow", 2, {0, 2047}, extremes::huge},
    {"subnormal",        "below the smallest normal number; integers -1, 0, 1", 0, kNone, extremes::subnormal},
    {"whole",            "whole numbers to 2^precision / p; integers: all of the type, over p",
     1, {1, 127}, extremes::whole},
    {"lanes",            "every p-th is NaN, inf, -inf, -0, subnormal, max, -max by turns; integers: ends, -1, 0, 1",
     17, {1, kRows}, extremes::lanes},
    {"apart",            "rows by turns: up to 2^-p of the largest, up to 1, subnormal; integers -1, 0, 1",
     1, {0, 2047}, extremes::apart},
    {"near",             "p plus 0, 1, 2 or 3; integers -1, 0, 1", 1e7, kAny, extremes::near},
    {"impulse",          "0 but for one element of p per row of the last axis", 1, kAny, impulse},
    {"nan_rows",         "uniform, a NaN real part in every second row from p on", 0, {0, kRows}, nan_rows},
    // clang-format on
};

}  // namespace

std::uint64_t draw(std::uint64_t key, std::uint64_t i) {
  std::uint64_t z = key + (i + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

double unit(std::uint64_t key, std::uint64_t i) { return static_cast<double>(draw(key, i) >> 11) * 0x1p-53; }

std::uint64_t hash(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return h;
}

namespace {

std::vector<Fill>& table() {
  static auto* all = new std::vector<Fill>(std::begin(kFills), std::end(kFills));
  return *all;
}

}  // namespace

std::span<const Fill> fills() { return table(); }

void install_fills(std::vector<Fill> more) {
  more.insert(more.begin(), std::begin(kFills), std::end(kFills));
  for (auto f = more.begin(); f != more.end(); ++f)
    if (std::any_of(more.begin(), f, [&](const Fill& other) { return other.name == f->name; }))
      throw std::logic_error("two fills are named " + std::string(f->name));
  table() = std::move(more);
}

namespace {

[[noreturn]] void bad_fill(const std::string& why) { throw Error("case", Reason::query, why); }

void check_parameter(const Fill& f, double p) {
  const auto [low, high] = f.range;
  if ((p >= low && p <= high) || low == -kInf) return;
  const std::string name = "the fill " + std::string(f.name);
  if (low == high) bad_fill(name + " takes no parameter, not " + shortest(p));
  bad_fill(name + " takes a parameter in [" + shortest(low) + ", " + shortest(high) + "], not " + shortest(p));
}

}  // namespace

// Names hold no dash, parameters may: "const--3e-38".
FillCall parse_fill(std::string_view text) {
  const auto dash = text.find('-');
  const auto named = [&](const Fill& f) { return f.name == text.substr(0, dash); };
  const std::span<const Fill> all = fills();
  const auto f = std::find_if(all.begin(), all.end(), named);
  if (f == all.end()) bad_fill("no fill is named '" + std::string(text) + "'");
  if (dash == std::string_view::npos) return {&*f, f->fallback};
  const std::string_view digits = text.substr(dash + 1);
  const auto parameter = number_in<double>(digits);
  // A plus would end the input within a case id.
  if (!parameter || digits.find('+') != std::string_view::npos)
    bad_fill("the parameter of the fill " + std::string(f->name) + " is no number: '" + std::string(digits) + "'");
  check_parameter(*f, *parameter);
  return {&*f, *parameter};
}

Tensor fill(const Spec& spec, std::string_view text, std::uint64_t key) {
  const FillCall call = parse_fill(text);
  return narrow(call.fill->make(spec, key, call.parameter), spec.dtype);
}

}  // namespace plumb
