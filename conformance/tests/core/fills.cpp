// Input values: every fill says which parameters it takes, and the fills of extremes reach the ends of every dtype.
#include "core/fill.h"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "conformance/check.h"
#include "core/case.h"
#include "core/error.h"
#include "core/op.h"
#include "core/route.h"

namespace plumb {
namespace {

constexpr std::uint64_t kKey = 0x70b1;
constexpr std::int64_t kMany = 16384;

std::vector<double> values(Dtype t, const std::string& text, std::int64_t n = kMany) {
  std::vector<double> v;
  std::visit(
      [&]<class T>(const Array<T>& a) {
        for (const T& x : a.data) {
          if constexpr (std::is_same_v<T, Complex>) v.insert(v.end(), {x.real(), x.imag()});
          else v.push_back(static_cast<double>(x));
        }
      },
      widen(fill({t, {n}}, text, kKey)));
  return v;
}

std::vector<Dtype> inexact() { return {Dtype::f16, Dtype::bf16, Dtype::f32, Dtype::f64, Dtype::c64}; }
std::vector<Dtype> exact() {
  return {Dtype::boolean, Dtype::u8, Dtype::u16, Dtype::u32, Dtype::u64, Dtype::i8, Dtype::i16, Dtype::i32, Dtype::i64};
}

double highest(Dtype t) {
  if (t == Dtype::boolean) return 1;
  return std::ldexp(1, 8 * info(t).bytes - (info(t).kind == Kind::signed_integer ? 1 : 0)) -
         (info(t).bytes < 8 ? 1 : 0);  // 2^63 - 1 and 2^64 - 1 are no doubles
}
double lowest(Dtype t) { return info(t).kind == Kind::signed_integer ? -std::ldexp(1, 8 * info(t).bytes - 1) : 0; }

template <class F>
std::int64_t how_many(const std::vector<double>& v, F&& holds) {
  return std::count_if(v.begin(), v.end(), holds);
}

template <class F>
void has_both_signs(const std::vector<double>& v, Dtype t, F&& holds) {
  const auto n = static_cast<std::int64_t>(v.size());
  for (const bool negative : {false, true})
    EXPECT_GT(how_many(v, [&](double x) { return std::signbit(x) == negative && holds(x); }), n / 64)
        << name(t) << (negative ? " below 0" : " above 0");
}

std::string refusal_of(const std::string& text) {
  try {
    (void)fill({Dtype::f32, {4}}, text, 1);
  } catch (const Error& e) {
    EXPECT_EQ(e.reason(), Reason::query) << text;
    return e.what();
  }
  return "accepted";
}

TEST(Fills, AParameterOutsideItsRangeIsAnErrorThatNamesFillValueAndRange) {
  for (const Fill& f : fills()) {
    const std::string name(f.name);
    EXPECT_EQ(name.find('-'), std::string::npos) << name;
    EXPECT_EQ(parse_fill(name).parameter, f.fallback) << name;
    if (std::isinf(f.range.low)) continue;
    EXPECT_TRUE(f.range.low <= f.fallback && f.fallback <= f.range.high) << name;
    for (const char* outside : {"1e300", "-1e300", "inf", "-inf", "nan"}) {
      const std::string why = refusal_of(name + "-" + outside);
      EXPECT_THAT(why, testing::HasSubstr("the fill " + name + " takes")) << outside;
      EXPECT_EQ(why.find("in [") != std::string::npos, f.range.low != f.range.high) << outside;
    }
  }
  EXPECT_EQ(refusal_of("special-0"), "[case] query: the fill special takes a parameter in [1, 2147483648], not 0");
  EXPECT_EQ(refusal_of("bits-3"), "[case] query: the fill bits takes no parameter, not 3");
}

TEST(Fills, TheEndsOfEveryRangeMakeValues) {
  for (const Fill& f : fills())
    for (const double p : {f.range.low, f.range.high}) {
      const bool sites = f.name.starts_with("sites") || f.name.starts_with("layout"), offsets = f.name == "offsets";
      const Spec spec{sites || offsets ? Dtype::i64 : Dtype::f32, {6, sites ? 4 : 3}};
      EXPECT_EQ(shape_of(f.make(spec, kKey, p)), spec.shape) << f.name << " " << p;
    }
}

// 65536 is one row of no symbols: its bits are none.
TEST(Fills, AStreamOfNoSymbolsIsAHeader) {
  EXPECT_EQ(fill({Dtype::u8, {40}}, "range_stream-65536", 1).size(), 40);
  EXPECT_EQ(fill({Dtype::u8, {40}}, "range_stream-65536000", 1).size(), 40);
}

TEST(Fills, ParametersHaveExponentsAndSigns) {
  EXPECT_EQ(values(Dtype::f32, "const-1e-25", 1)[0], static_cast<double>(1e-25F));
  EXPECT_EQ(values(Dtype::f32, "const--3e38", 1)[0], static_cast<double>(-3e38F));
  EXPECT_EQ(values(Dtype::f64, "const--1e-300", 1)[0], -1e-300);
  EXPECT_TRUE(std::isinf(values(Dtype::f32, "const--inf", 1)[0]));
  EXPECT_TRUE(std::isnan(values(Dtype::f32, "const-nan", 1)[0]));
  for (const char* bad : {"const-", "const-1e", "const-1e+5", "const-x", "const-1e999", "const-1-2"})
    EXPECT_THAT(refusal_of(bad), testing::HasSubstr("the parameter of the fill const is no number")) << bad;
  EXPECT_THAT(refusal_of("nosuch-1"), testing::HasSubstr("no fill is named 'nosuch-1'"));
  const std::string text = "add/f32.3.row.const-1e-25+f32.3.row.const--3e38/-";
  const Parsed p = parse_case(text);
  EXPECT_EQ(id(*p.op, p.call), text);
}

TEST(Fills, EveryCaseOfTheTablesTakesAFillWithinItsRange) {
  for (const Op& op : ops()) {
    std::vector<Case> all = op.cases();
    for (const Reject& r : rejects_of(op)) all.push_back(r.call);
    for (const Case& c : op.bench()) all.push_back(c);
    for (const Case& c : all)
      for (const auto& in : c.in) EXPECT_NO_THROW((void)parse_fill(in ? in->fill : "uniform")) << id(op, c);
  }
}

TEST(Fills, TinyProductsUnderflowAndSomeDoNot) {
  for (const Dtype t : inexact()) {
    const DtypeInfo& d = info(t);
    const std::vector<double> v = values(t, "tiny");
    has_both_signs(v, t, [](double x) { return x != 0; });
    has_both_signs(v, t, [](double x) { return x == 0; });
    std::int64_t lost = 0, partly = 0, kept = 0;
    for (std::size_t i = 1; i < v.size(); ++i) {
      EXPECT_LE(std::abs(v[i]), 2 * std::sqrt(d.min_normal));
      const int e = v[i] == 0 || v[i - 1] == 0 ? 0 : std::ilogb(v[i]) + std::ilogb(v[i - 1]);
      if (e == 0) continue;
      ++(e < std::ilogb(d.min_subnormal) - 1 ? lost : e < std::ilogb(d.min_normal) - 1 ? partly : kept);
    }
    EXPECT_GT(lost, kMany / 16) << name(t);
    EXPECT_GT(partly, kMany / 16) << name(t);
    EXPECT_GT(kept, 0) << name(t);
  }
}

TEST(Fills, HugeReachesTheLargestSoThatSumsAndProductsOverflow) {
  for (const Dtype t : inexact()) {
    const double max = info(t).max;
    const std::vector<double> v = values(t, "huge");
    has_both_signs(v, t, [&](double x) { return std::abs(x) == max; });
    has_both_signs(v, t, [&](double x) { return std::abs(x) < max && std::abs(x) > max / 2; });
    EXPECT_EQ(how_many(v, [&](double x) { return !(std::abs(x) <= max && std::abs(x) >= max / 8); }), 0) << name(t);
    EXPECT_LT(*std::min_element(v.begin(), v.end()), -max / 2);
    EXPECT_LT(how_many(values(t, "huge-0"), [&](double x) { return std::abs(x) < max / 2; }), 1) << name(t);
  }
}

TEST(Fills, SubnormalsAreAllBelowTheSmallestNormal) {
  for (const Dtype t : inexact()) {
    const DtypeInfo& d = info(t);
    const std::vector<double> v = values(t, "subnormal");
    EXPECT_EQ(how_many(v, [&](double x) { return x == 0 || std::abs(x) >= d.min_normal; }), 0) << name(t);
    has_both_signs(v, t, [&](double x) { return std::abs(x) == d.min_subnormal; });
    has_both_signs(v, t, [&](double x) { return std::abs(x) == d.min_normal - d.min_subnormal; });
  }
}

TEST(Fills, WholeNumbersReachTheLastExactOne) {
  for (const Dtype t : inexact())
    for (const int p : {1, 8}) {
      const double last = std::ldexp(1, info(t).precision) / p;
      const std::vector<double> v = values(t, p == 1 ? "whole" : "whole-8");
      EXPECT_EQ(how_many(v, [&](double x) { return x != std::trunc(x) || std::abs(x) > last; }), 0) << name(t);
      has_both_signs(v, t, [&](double x) { return std::abs(x) == last; });
      has_both_signs(v, t, [&](double x) { return std::abs(x) < last / 2; });
    }
}

TEST(Fills, IntegersReachBothEndsOfEveryType) {
  for (const Dtype t : exact())
    for (const char* text : {"whole", "huge", "lanes"}) {
      const std::vector<double> v = values(t, text);
      EXPECT_EQ(*std::max_element(v.begin(), v.end()), highest(t)) << name(t) << " " << text;
      EXPECT_LT(*std::min_element(v.begin(), v.end()), highest(t) / 2) << name(t) << " " << text;
      if (lowest(t) < 0) {
        EXPECT_EQ(*std::min_element(v.begin(), v.end()), lowest(t)) << name(t) << " " << text;
      }
    }
  for (const Dtype t : exact())
    for (const char* text : {"tiny", "subnormal"}) {
      const std::vector<double> v = values(t, text);
      EXPECT_EQ(std::set<double>(v.begin(), v.end()),
                lowest(t) < 0 ? std::set<double>({-1, 0, 1}) : std::set<double>({0, 1}));
    }
  const std::vector<double> v = values(Dtype::i32, "whole-8");
  EXPECT_EQ(*std::max_element(v.begin(), v.end()), 0x7FFFFFFF / 8);
  EXPECT_EQ(*std::min_element(v.begin(), v.end()), -0x10000000);
}

// Each kind of special value stands at each place of a vector of any width up to 64.
TEST(Fills, EveryLaneIsSpecialInTurn) {
  for (const Dtype t : {Dtype::f16, Dtype::bf16, Dtype::f32, Dtype::f64}) {
    const DtypeInfo& d = info(t);
    const std::vector<double> v = values(t, "lanes");
    std::set<std::pair<int, std::size_t>> met;
    for (std::size_t i = 0; i < v.size(); ++i) {
      const double x = v[i];
      const int kind = std::isnan(x)               ? 0
                       : std::isinf(x)             ? 1 + (x < 0)
                       : x == 0 && std::signbit(x) ? 3
                       : x == d.min_subnormal      ? 4
                       : std::abs(x) == d.max      ? 5 + (x < 0)
                                                   : -1;
      EXPECT_EQ(kind >= 0, i % 17 == 0) << name(t) << " at " << i;
      if (kind >= 0) met.insert({kind, i % 64});
    }
    EXPECT_EQ(met.size(), 7U * 64) << name(t);
  }
}

// One more than the length of a row: each row of a square has one special value, each column too.
TEST(Fills, LanesPassThroughRowsToo) {
  const std::vector<double> v = values(Dtype::f32, "lanes-34", std::int64_t{33} * 33);
  for (std::size_t row = 0; row < 33; ++row)
    for (std::size_t c = 0; c < 33; ++c) {
      const double x = v[33 * row + c];
      EXPECT_EQ(!(std::abs(x) <= 4) || (x == 0 && std::signbit(x)) || std::abs(x) < 1e-40, c == row) << row << " " << c;
    }
}

std::string bytes(const Tensor& t) {
  const Tensor dense = contiguous(t);
  return {reinterpret_cast<const char*>(dense.read<std::byte>()),
          static_cast<std::size_t>(dense.size() * info(t.dtype()).bytes)};
}

TEST(Fills, ExtremesDependOnTheKeyAndTheIndexNeverOnTheLayout) {
  for (const DtypeInfo& d : all_dtypes())
    for (const char* text : {"tiny", "huge", "subnormal", "whole", "lanes"}) {
      const Spec spec{d.dtype, {8, 24}};
      EXPECT_EQ(bytes(fill(spec, text, kKey)), bytes(fill(spec, text, kKey))) << d.name << " " << text;
      EXPECT_EQ(bytes(fill(spec, text, kKey)), bytes(fill({d.dtype, {192}}, text, kKey))) << d.name << " " << text;
      EXPECT_NE(bytes(fill(spec, text, kKey)), bytes(fill(spec, text, kKey + 1))) << d.name << " " << text;
    }
}

}  // namespace
}  // namespace plumb
