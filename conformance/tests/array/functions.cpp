// The elementary functions of the CPU routes: the errors that functions_ulps.h states, and annex F of C.
#include "optimized/functions_ulps.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "optimized/dispatch.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void function_f32(int function, const float* x, const float* y, std::int64_t n, float* out))
PLUMB_DECLARE_SIMD(void function_f64(int function, const double* x, const double* y, std::int64_t n, double* out))

namespace {

typedef long double Wide;
constexpr double kInf = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();
constexpr int kPoints = 4000;  // of each way to draw them

void apply(int f, const std::vector<float>& x, const std::vector<float>& y, std::vector<float>& out) {
  PLUMB_DISPATCH(function_f32)(f, x.data(), y.data(), static_cast<std::int64_t>(x.size()), out.data());
}
void apply(int f, const std::vector<double>& x, const std::vector<double>& y, std::vector<double>& out) {
  PLUMB_DISPATCH(function_f64)(f, x.data(), y.data(), static_cast<std::int64_t>(x.size()), out.data());
}

// Newton on erf for |x| < 1/2, on erfc above, from a start that is a few units off at most.
Wide erfinv(Wide x) {
  if (!(std::fabs(x) < 1)) return std::fabs(x) == 1 ? x * kInf : kNan;
  const Wide a = std::fabs(x), c = 1 - a, half_root_pi = 0.886226925452758013649083741670572591L;
  Wide v = a < 0.5L ? a * half_root_pi : 0.9L * std::sqrt(-std::log(c * (1 + a)));
  for (int i = 0; i < 12; ++i) {
    const Wide e = (a < 0.5L ? a - std::erf(v) : std::erfc(v) - c) * half_root_pi * std::exp(v * v);
    v += e / (1 - v * e);
    if (std::fabs(e) < 1e-19L * v) break;
  }
  return std::copysign(v, x);
}
Wide logaddexp(Wide x, Wide y) {
  if (x == y) return x + std::log(2.0L);
  return std::isnan(x) || std::isnan(y) ? kNan : std::fmax(x, y) + std::log1p(std::exp(-std::fabs(x - y)));
}

struct Row {
  const char* name;
  double low, high;  // where most of it happens
  Wide (*f)(Wide, Wide);
};
const Row kRows[] = {
    {"exp", -800, 800, [](Wide x, Wide) { return std::exp(x); }},
    {"expm1", -50, 720, [](Wide x, Wide) { return std::expm1(x); }},
    {"log", 0, 3, [](Wide x, Wide) { return std::log(x); }},
    {"log2", 0, 3, [](Wide x, Wide) { return std::log2(x); }},
    {"log10", 0, 3, [](Wide x, Wide) { return std::log10(x); }},
    {"log1p", -1, 2, [](Wide x, Wide) { return std::log1p(x); }},
    {"sin", -1e6, 1e6, [](Wide x, Wide) { return std::sin(x); }},
    {"cos", -1e6, 1e6, [](Wide x, Wide) { return std::cos(x); }},
    {"tan", -1e6, 1e6, [](Wide x, Wide) { return std::tan(x); }},
    {"arcsin", -1, 1, [](Wide x, Wide) { return std::asin(x); }},
    {"arccos", -1, 1, [](Wide x, Wide) { return std::acos(x); }},
    {"arctan", -6, 6, [](Wide x, Wide) { return std::atan(x); }},
    {"sinh", -720, 720, [](Wide x, Wide) { return std::sinh(x); }},
    {"cosh", -720, 720, [](Wide x, Wide) { return std::cosh(x); }},
    {"tanh", -22, 22, [](Wide x, Wide) { return std::tanh(x); }},
    {"arcsinh", -9, 9, [](Wide x, Wide) { return std::asinh(x); }},
    {"arccosh", 1, 9, [](Wide x, Wide) { return std::acosh(x); }},
    {"arctanh", -1, 1, [](Wide x, Wide) { return std::atanh(x); }},
    {"erf", -7, 7, [](Wide x, Wide) { return std::erf(x); }},
    {"erfinv", -1, 1, [](Wide x, Wide) { return erfinv(x); }},
    {"sigmoid", -750, 50, [](Wide x, Wide) { return 1 / (1 + std::exp(-x)); }},
    {"sqrt", 0, 9, [](Wide x, Wide) { return std::sqrt(x); }},
    {"rsqrt", 0, 9, [](Wide x, Wide) { return 1 / std::sqrt(x); }},
    {"floor", -9, 9, [](Wide x, Wide) { return std::floor(x); }},
    {"ceil", -9, 9, [](Wide x, Wide) { return std::ceil(x); }},
    {"trunc", -9, 9, [](Wide x, Wide) { return std::trunc(x); }},
    {"round_even", -9, 9, [](Wide x, Wide) { return std::nearbyint(x); }},
    {"power", 0, 9, [](Wide x, Wide y) { return std::pow(x, y); }},
    {"arctan2", -9, 9, [](Wide y, Wide x) { return std::atan2(y, x); }},
    {"logaddexp", -99, 99, logaddexp},
    {"fmod", -99, 99, [](Wide x, Wide y) { return std::fmod(x, y); }},
};

// A fixed sequence, the same on every day.
struct Draw {
  std::uint64_t state = 88172645463325252U;
  std::uint64_t bits() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
  }
  double unit() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
};

template <class T>
T of_bits(std::uint64_t b) {
  T x;
  std::memcpy(&x, reinterpret_cast<const char*>(&b) + (8 - sizeof(T)), sizeof(T));
  return x;
}

template <class T>
struct Points {
  std::vector<T> x, y;
  std::vector<Wide> want;
};

// Every binade, where the function bends, small numbers, and next to whole multiples of 1/2 and of pi / 2; the second
// argument near the first, or small, or of any size.
template <class T>
Points<T> points(const Row& row) {
  Points<T> p;
  Draw draw;
  const double reach = sizeof(T) == 4 && std::fabs(row.low) > 600 ? 0.13 : 1;
  for (int i = 0; i < 4 * kPoints; ++i) {
    const double u = draw.unit(), tiny = std::ldexp(u, -static_cast<int>(draw.bits() % 55));
    double x = reach * (row.low + (row.high - row.low) * u);
    if (i % 4 == 1) x = static_cast<double>(of_bits<T>(draw.bits()));
    if (i % 4 == 2) x = i % 8 < 4 ? tiny : 1 - tiny;
    if (i % 4 == 3)
      x = static_cast<double>(static_cast<int>(draw.bits() % 400)) * (i % 8 < 4 ? 0.5 : 1.5707963267948966);
    if (draw.bits() % 2 == 1 && row.low < 0) x = -x;
    p.x.push_back(static_cast<T>(x));
    const double other[] = {x * (0.5 + u), 20 * draw.unit() - 10, std::floor(40 * draw.unit() - 20),
                            static_cast<double>(of_bits<T>(draw.bits()))};
    p.y.push_back(static_cast<T>(other[draw.bits() % 4]));
  }
  // The library's own pow for 80 bits is wrong where |y| is as large as its integers: asked of no such y.
  for (std::size_t i = 0; i < p.x.size(); ++i) {
    if (std::string(row.name) == "power" && std::fabs(p.y[i]) > T(0x1p60)) p.y[i] = T(3);
    p.want.push_back(row.f(p.x[i], p.y[i]));
  }
  return p;
}

template <class T>
const Points<T>& kept_points(int f) {
  static std::map<int, Points<T>> kept;
  if (!kept.count(f)) kept[f] = points<T>(kRows[f]);
  return kept[f];
}

// |got - want| in units in the last place of `scale`, an infinity being the power of two after the largest number.
template <class T>
double ulps(T got, Wide want, Wide scale) {
  const int digits = std::numeric_limits<T>::digits, top = std::numeric_limits<T>::max_exponent;
  const T rounded = static_cast<T>(want);
  if (std::isnan(rounded) || std::isnan(got)) return std::isnan(rounded) && std::isnan(got) ? 0 : kInf;
  if (rounded == got && std::isinf(got)) return 0;
  if (rounded == 0 && got == 0 && std::signbit(got) != std::signbit(rounded)) return kInf;
  const Wide a = std::isinf(got) ? std::copysign(std::ldexp(1.0L, top), Wide{got}) : Wide{got};
  const Wide b = std::isinf(want) ? std::copysign(std::ldexp(1.0L, top), want) : want;
  const int least = std::numeric_limits<T>::min_exponent - digits;
  const Wide s = std::fmin(std::fabs(scale), Wide{std::numeric_limits<T>::max()});
  const int exponent = s > 0 ? std::max(std::ilogb(s) - digits + 1, least) : least;
  return static_cast<double>(std::ldexp(std::fabs(a - b), -exponent));
}

template <class T>
void check_points(int f, double allowed) {
  const Points<T>& p = kept_points<T>(f);
  std::vector<T> out(p.x.size());
  apply(f, p.x, p.y, out);
  double worst = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const bool sum = std::string(kRows[f].name) == "logaddexp";
    const Wide scale =
        sum ? std::fmax(std::fabs(p.want[i]), std::fabs(std::fmax(Wide{p.x[i]}, Wide{p.y[i]}))) : p.want[i];
    const double e = ulps(out[i], p.want[i], scale);
    if (e > worst) worst = e, at = i;
  }
  EXPECT_LE(worst, allowed) << kRows[f].name << "(" << p.x[at] << ", " << p.y[at] << ") = " << out[at] << ", not "
                            << p.want[at] << " (" << 8 * sizeof(T) << " bits)";
}

class FunctionsOfEveryIsa : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (GetParam() > best_isa()) GTEST_SKIP() << "this processor lacks " << name(GetParam());
    set_isa(GetParam());
  }
  void TearDown() override { set_isa(best_isa()); }
};

TEST_P(FunctionsOfEveryIsa, KeepTheirStatedErrors) {
  for (int f = 0; f < kFunctions; ++f) {
    ASSERT_STREQ(kFunctionUlps[f].name, kRows[f].name);
    check_points<float>(f, kFunctionUlps[f].ulps32);
    check_points<double>(f, kFunctionUlps[f].ulps64);
  }
}

int place(const std::string& name) {
  for (int f = 0; f < kFunctions; ++f)
    if (name == kFunctionUlps[f].name) return f;
  return -1;
}

template <class T>
void expect(const std::string& name, double x, double y, double want) {
  std::vector<T> a(19, static_cast<T>(x)), b(19, static_cast<T>(y)), out(19);
  ASSERT_GE(place(name), 0) << name;
  apply(place(name), a, b, out);
  for (const T got : out) {
    const bool same =
        std::isnan(want) ? std::isnan(got) : got == static_cast<T>(want) && std::signbit(got) == std::signbit(want);
    ASSERT_TRUE(same) << name << "(" << x << ", " << y << ") = " << got << ", not " << want;
  }
}
void expect_both(const std::string& name, double x, double y, double want) {
  expect<float>(name, x, y, want);
  expect<double>(name, x, y, want);
}

TEST_P(FunctionsOfEveryIsa, KeepTheSignOfZeroAndPassNan) {
  for (const char* f : {"expm1", "log1p", "sin", "tan", "arcsin", "arctan", "sinh", "tanh", "arcsinh", "arctanh", "erf",
                        "erfinv", "sqrt", "floor", "ceil", "trunc", "round_even"}) {
    expect_both(f, -0.0, 0, -0.0);
    expect_both(f, 0.0, 0, 0.0);
  }
  for (const Row& r : kRows) {
    expect_both(r.name, kNan, 2, kNan);
    if (kFunctionUlps[place(r.name)].arguments == 2) expect_both(r.name, 2, kNan, kNan);
  }
}

const struct {
  const char* name;
  double x, want;
} kEnds[] = {
    {"exp", kInf, kInf},
    {"exp", -kInf, 0},
    {"exp", 0, 1},
    {"expm1", kInf, kInf},
    {"expm1", -kInf, -1},
    {"log", 0, -kInf},
    {"log", -0.0, -kInf},
    {"log", 1, 0},
    {"log", -1, kNan},
    {"log", kInf, kInf},
    {"log2", 8, 3},
    {"log2", 0, -kInf},
    {"log2", 0.0625, -4},
    {"log2", -kInf, kNan},
    {"log10", 1000, 3},
    {"log10", kInf, kInf},
    {"log10", -0.0, -kInf},
    {"log1p", -1, -kInf},
    {"log1p", -2, kNan},
    {"log1p", kInf, kInf},
    {"sin", kInf, kNan},
    {"cos", -kInf, kNan},
    {"cos", -0.0, 1},
    {"tan", kInf, kNan},
    {"arcsin", 2, kNan},
    {"arccos", 1, 0},
    {"arccos", -1.5, kNan},
    {"sinh", -kInf, -kInf},
    {"cosh", -kInf, kInf},
    {"cosh", 0, 1},
    {"tanh", kInf, 1},
    {"tanh", -kInf, -1},
    {"tanh", -1e4, -1},
    {"arcsinh", -kInf, -kInf},
    {"arccosh", 1, 0},
    {"arccosh", 0.5, kNan},
    {"arccosh", kInf, kInf},
    {"arccosh", -kInf, kNan},
    {"arctanh", 1, kInf},
    {"arctanh", -1, -kInf},
    {"arctanh", 1.5, kNan},
    {"erf", kInf, 1},
    {"erf", -kInf, -1},
    {"erf", -9, -1},
    {"erfinv", 1, kInf},
    {"erfinv", -1, -kInf},
    {"erfinv", 1.5, kNan},
    {"sigmoid", kInf, 1},
    {"sigmoid", -kInf, 0},
    {"sigmoid", 0, 0.5},
    {"sigmoid", -1e4, 0},
    {"sqrt", -1, kNan},
    {"sqrt", kInf, kInf},
    {"rsqrt", 0, kInf},
    {"rsqrt", -0.0, -kInf},
    {"rsqrt", kInf, 0},
    {"rsqrt", -4, kNan},
    {"rsqrt", 0.25, 2},
    {"floor", -0.5, -1},
    {"floor", 0.5, 0},
    {"floor", -kInf, -kInf},
    {"ceil", -0.5, -0.0},
    {"ceil", 1.5, 2},
    {"trunc", -0.75, -0.0},
    {"trunc", -1.5, -1},
    {"round_even", 2.5, 2},
    {"round_even", 3.5, 4},
    {"round_even", -0.5, -0.0},
    {"round_even", 0x1p23, 0x1p23},
    {"round_even", -1e30, static_cast<double>(-1e30F)},
};

TEST_P(FunctionsOfEveryIsa, AreWhatAnnexFSaysAtTheEnds) {
  for (const auto& e : kEnds) expect_both(e.name, static_cast<float>(e.x), 0, e.want);
  expect<double>("floor", 0x1.fffffffffffffp51, 0, 0x1.ffffffffffffep51);
  expect<double>("round_even", 0x1.fffffffffffffp51, 0, 0x1p52);
  expect<float>("exp", -104, 0, 0);
  expect<float>("exp", -103.5, 0, 0x1p-149);  // underflow is gradual
  expect<double>("exp", -745, 0, 0x1p-1074);
  expect<double>("exp", -746, 0, 0);
  expect<float>("exp", 0x1.62e430p6, 0, kInf);  // the first float whose exponential is too large
  expect<double>("cosh", 0x1.633ce8fb9f87ep9, 0, kInf);
}

constexpr double kPi = 3.14159265358979323846;
const struct {
  const char* name;
  double x, y, want;
} kEndsOfTwo[] = {
    {"power", 0, 0, 1},
    {"power", kNan, 0, 1},
    {"power", 1, kNan, 1},
    {"power", 1, kInf, 1},
    {"power", -1, kInf, 1},
    {"power", -1, -kInf, 1},
    {"power", -0.0, -3, -kInf},
    {"power", -0.0, -2, kInf},
    {"power", 0, -0.5, kInf},
    {"power", -0.0, 3, -0.0},
    {"power", -0.0, 2.5, 0},
    {"power", 0.5, kInf, 0},
    {"power", 0.5, -kInf, kInf},
    {"power", -3, kInf, kInf},
    {"power", -3, -kInf, 0},
    {"power", kInf, -1, 0},
    {"power", kInf, 0.5, kInf},
    {"power", -kInf, 3, -kInf},
    {"power", -kInf, 0.5, kInf},
    {"power", -kInf, -3, -0.0},
    {"power", -kInf, -0x1p63, 0},
    {"power", -8, 0.5, kNan},
    {"power", -2, 3, -8},
    {"power", 3, -1, 1.0 / 3},
    {"power", 2, 0.5, 1.41421356237309504880},
    {"power", -1, 0x1p60, 1},
    {"power", -0.0, kInf, 0},
    {"power", 0, -kInf, kInf},
    {"power", -2, 1e30, kInf},
    {"power", 7, 1, 7},
    {"power", -5, 0, 1},
    {"arctan2", 0, 1, 0},
    {"arctan2", -0.0, 1, -0.0},
    {"arctan2", 0, -1, kPi},
    {"arctan2", -0.0, -1, -kPi},
    {"arctan2", 0, -0.0, kPi},
    {"arctan2", -0.0, -0.0, -kPi},
    {"arctan2", 0, 0, 0},
    {"arctan2", 1, 0, kPi / 2},
    {"arctan2", -1, -0.0, -kPi / 2},
    {"arctan2", kInf, kInf, kPi / 4},
    {"arctan2", kInf, -kInf, 0.75 * kPi},
    {"arctan2", -kInf, 3, -kPi / 2},
    {"arctan2", 3, kInf, 0},
    {"arctan2", -3, -kInf, -kPi},
    {"arctan2", kInf, kNan, kNan},
    {"arctan2", kNan, 0, kNan},
    {"logaddexp", kInf, kInf, kInf},
    {"logaddexp", -kInf, -kInf, -kInf},
    {"logaddexp", -kInf, 5, 5},
    {"logaddexp", kInf, -kInf, kInf},
    {"logaddexp", kInf, kNan, kNan},
    {"logaddexp", 0, 0, 0.69314718055994530942},
    {"logaddexp", 1000, 0, 1000},
    {"fmod", -6, 3, -0.0},
    {"fmod", 5, kInf, 5},
    {"fmod", -5, -kInf, -5},
    {"fmod", 5, 0, kNan},
    {"fmod", kInf, 3, kNan},
    {"fmod", -0.0, 3, -0.0},
    {"fmod", 5.5, -2, 1.5},
    {"fmod", 0x1p100, 3, 1},
};

TEST_P(FunctionsOfEveryIsa, OfTwoArgumentsAreWhatAnnexFSays) {
  for (const auto& e : kEndsOfTwo) expect_both(e.name, e.x, e.y, e.want);
  expect<double>("fmod", 0x1p1023, 0x1.8p-1073, 0x1p-1073);
}

INSTANTIATE_TEST_SUITE_P(Isas, FunctionsOfEveryIsa, testing::Values(Isa::base, Isa::avx2, Isa::avx512),
                         [](const auto& i) { return std::string(name(i.param)); });

}  // namespace
}  // namespace plumb
