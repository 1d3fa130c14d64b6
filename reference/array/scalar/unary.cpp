// Operations of one number: a row is a line.
#include "reference/array/scalar/complex.h"
#include "reference/array/scalar/scalar.h"

namespace plumb {
namespace {

using namespace reference;

// What the lines use beside the functions of <cmath>, which take double and long double.

Whole abs(Whole x) { return x < 0 ? -x : x; }
double abs(double x) { return std::abs(x); }
double abs(Complex z) { return std::hypot(z.real(), z.imag()); }

Whole floor(Whole x) { return x; }
double floor(double x) { return std::floor(x); }
Whole ceil(Whole x) { return x; }
double ceil(double x) { return std::ceil(x); }
Whole trunc(Whole x) { return x; }
double trunc(double x) { return std::trunc(x); }

template <class T>
T sign(T x) {
  return x > T(0) ? T(1) : x < T(0) ? T(-1) : T(0);
}
Complex sign(Complex z) { return z == 0.0 ? z : Complex(z.real() / abs(z), z.imag() / abs(z)); }

// The number y with erf(y) = x, by Newton's method on erfc, which keeps its digits where erf is nearly 1.
template <class T>
T erfinv(T x) {
  const long double p = x, tail = 1 - std::abs(p);
  if (!(tail >= 0)) return std::numeric_limits<T>::quiet_NaN();
  if (tail == 0) return std::copysign(std::numeric_limits<T>::infinity(), x);
  const bool central = tail > 0.5L;
  long double y = central ? std::abs(p) : std::sqrt(-std::log(tail));
  for (int i = 0; i < 60; ++i) {
    const long double slope = 2 / std::sqrt(std::acos(-1.0L)) * std::exp(-y * y);
    const long double off = central ? std::erf(y) - std::abs(p) : tail - std::erfc(y);
    // On the logarithm of erfc, which is nearly a parabola.
    const long double step = central ? off / slope : std::erfc(y) * std::log(tail / std::erfc(y)) / slope;
    y -= step;
    if (std::abs(step) <= 1e-19L * y) break;
  }
  return std::copysign(static_cast<T>(y), x);
}

template <class T>
T degrees(T x) {
  return static_cast<T>(x * (180 / std::acos(-1.0L)));
}
Complex degrees(Complex z) { return {degrees(z.real()), degrees(z.imag())}; }
template <class T>
T radians(T x) {
  return static_cast<T>(x * (std::acos(-1.0L) / 180));
}
Complex radians(Complex z) { return {radians(z.real()), radians(z.imag())}; }

bool isnan(double x) { return std::isnan(x); }
bool isinf(double x) { return std::isinf(x); }
bool isnan(Whole) { return false; }
bool isinf(Whole) { return false; }
bool isnan(Complex z) { return isnan(z.real()) || isnan(z.imag()); }
bool isinf(Complex z) { return isinf(z.real()) || isinf(z.imag()); }
template <class T>
bool negative(T x) {
  return x < T(0);
}

template <class T>
T real(T x) {
  return x;
}
double real(Complex z) { return z.real(); }
template <class T>
T imag(T) {
  return T(0);
}
double imag(Complex z) { return z.imag(); }
template <class T>
T conj(T x) {
  return x;
}
Complex conj(Complex z) { return {z.real(), -z.imag()}; }

constexpr std::string_view kReal = "bool integers floats";
constexpr Result kFloat{"F", "F = float(T)"}, kPart{"R", "R = part(T)"};

// clang-format off
std::vector<Op> exact_rows() {
  return {
    rounded<[](auto x) { return times(x, x); }>(
        {"square", "all", "T", "out_i = x_i^2", "wide-62,wide-80"}),
    rounded<[](auto x) { return abs(x); }>(
        {"abs", "all", kPart, "out_i = |x_i|", "wide-60",
         "the least integer stays; of complex numbers the modulus, as f32, which an infinite part makes infinite"}),
    rounded<[](auto x) { return -x; }>(
        {"negative", "integers floats c64", "T", "out_i = -x_i", "wide-60", "integers wrap"}),
    rounded<[](auto x) { return sign(x); }>(
        {"sign", "all", "T", "out_i = x_i / |x_i|", "tiny", "0 for zeros of either sign and for NaN"}),
    rounded<[](auto x) { return conj(x); }>(
        {"conjugate", "all", "T", "out_i = Re x_i - i Im x_i", "wide-60"}),
    rounded<[](auto x) { return real(x); }>(
        {"real", "all", kPart, "out_i = Re x_i", "wide-60"}),
    rounded<[](auto x) { return imag(x); }>(
        {"imag", "all", kPart, "out_i = Im x_i", "wide-60"}),
    rounded<[](Ordered auto x) { return floor(x); }>(
        {"floor", kReal, "T", "out_i = max { n : n <= x_i }", "wide-30,uniform-3"}),
    rounded<[](Ordered auto x) { return ceil(x); }>(
        {"ceil", kReal, "T", "out_i = min { n : n >= x_i }", "wide-30,uniform-3"}),
    rounded<[](Ordered auto x) { return trunc(x); }>(
        {"trunc", kReal, "T", "out_i = sign(x_i) floor(|x_i|)", "wide-30,uniform-3"}),
    rounded<[](auto x) { return isnan(x); }>(
        {"isnan", "all", "bool", "out_i = x_i is NaN", "order", "either part of a complex number"}),
    rounded<[](auto x) { return isinf(x); }>(
        {"isinf", "all", "bool", "out_i = |x_i| is infinite", "order", "either part of a complex number"}),
    rounded<[](auto x) { return !isnan(x) && !isinf(x); }>(
        {"isfinite", "all", "bool", "out_i = |x_i| < inf", "order", "both parts of a complex number"}),
    rounded<[](Ordered auto x) { return isinf(x) && !negative(x); }>(
        {"isposinf", kReal, "bool", "out_i = x_i is inf", "order"}),
    rounded<[](Ordered auto x) { return isinf(x) && negative(x); }>(
        {"isneginf", kReal, "bool", "out_i = x_i is -inf", "order"}),
    rounded<[](auto x) { return x == decltype(x)(0); }>(
        {"logical_not", "all", "bool", "out_i = x_i is 0", "order",
         "NaN is true; a complex number is false where both parts are 0"}),
    rounded<[](Whole x) { return ~x; }>(
        {"bitwise_invert", "bool integers", "T", "out_i = -1 - x_i", "bits", "every bit is changed"}),
    rounded<[](Inexact auto x) { return sqrt(x); }>(
        {"sqrt", "all", kFloat, "out_i = x_i^(1/2)", "positive-3,wide-100",
         "Re out_i >= 0, cut along the negative axis"}),
  };
}

std::vector<Op> function_rows() {
  return {
    function<[](Inexact auto x) { return rsqrt(x); }>(
        {"rsqrt", "all", kFloat, "out_i = x_i^(-1/2)", "positive-3,wide-100",
         "of complex numbers conj(x_i^(1/2)) / |x_i|, infinity of 0"}),
    function<[](Inexact auto x) { return exp(x); }>(
        {"exp", "all", kFloat, "out_i = e^x_i", "uniform-110,wide-7",
         "e^(a+bi) = e^a cos b + i e^a sin b, special values as C has them"}),
    function<[](Real auto x) { return std::expm1(x); }>(
        {"expm1", kReal, kFloat, "out_i = e^x_i - 1", "uniform-110,wide-30"}),
    function<[](Inexact auto x) { return log(x); }>(
        {"log", "all", kFloat, "out_i = log x_i", "positive-3,wide-100", "of complex numbers log |x_i| + i arg x_i"}),
    function<[](Inexact auto x) { return log2(x); }>(
        {"log2", "all", kFloat, "out_i = log x_i / log 2", "positive-3,wide-100,pow2-100"}),
    function<[](Inexact auto x) { return log10(x); }>(
        {"log10", "all", kFloat, "out_i = log x_i / log 10", "positive-3,wide-100"}),
    function<[](Inexact auto x) { return log1p(x); }>(
        {"log1p", "all", kFloat, "out_i = log (1 + x_i)", "uniform-1,wide-60"}),
    function<[](Inexact auto x) { return sin(x); }>(
        {"sin", "all", kFloat, "out_i = sin x_i", "uniform-10,wide-100"}),
    function<[](Inexact auto x) { return cos(x); }>(
        {"cos", "all", kFloat, "out_i = cos x_i", "uniform-10,wide-100"}),
    function<[](Inexact auto x) { return tan(x); }>(
        {"tan", "all", kFloat, "out_i = tan x_i", "uniform-10,wide-100"}),
    function<[](Inexact auto x) { return asin(x); }>(
        {"arcsin", "all", kFloat, "sin out_i = x_i", "uniform-1,wide-30", "in [-pi/2, pi/2], NaN beyond [-1, 1]"}),
    function<[](Inexact auto x) { return acos(x); }>(
        {"arccos", "all", kFloat, "cos out_i = x_i", "uniform-1,wide-30", "in [0, pi], NaN beyond [-1, 1]"}),
    function<[](Inexact auto x) { return atan(x); }>(
        {"arctan", "all", kFloat, "tan out_i = x_i", "uniform-3,wide-60", "in [-pi/2, pi/2]"}),
    function<[](Inexact auto x) { return sinh(x); }>(
        {"sinh", "all", kFloat, "out_i = (e^x_i - e^-x_i) / 2", "uniform-92,wide-60"}),
    function<[](Inexact auto x) { return cosh(x); }>(
        {"cosh", "all", kFloat, "out_i = (e^x_i + e^-x_i) / 2", "uniform-92,wide-60"}),
    function<[](Inexact auto x) { return tanh(x); }>(
        {"tanh", "all", kFloat, "out_i = sinh x_i / cosh x_i", "uniform-10,wide-60"}),
    function<[](Inexact auto x) { return asinh(x); }>(
        {"arcsinh", "all", kFloat, "sinh out_i = x_i", "uniform-3,wide-100"}),
    function<[](Inexact auto x) { return acosh(x); }>(
        {"arccosh", "all", kFloat, "cosh out_i = x_i", "positive-3,wide-100", "not negative, NaN below 1"}),
    function<[](Inexact auto x) { return atanh(x); }>(
        {"arctanh", "all", kFloat, "tanh out_i = x_i", "uniform-1,wide-60", "NaN beyond [-1, 1]"}),
    function<[](Real auto x) { return std::erf(x); }>(
        {"erf", kReal, kFloat, "out_i = 2 pi^(-1/2) integral of e^(-t^2) from 0 to x_i", "uniform-4,wide-60"}),
    function<[](Real auto x) { return erfinv(x); }>(
        {"erfinv", kReal, kFloat, "erf out_i = x_i", "uniform-1,wide-30", "NaN beyond [-1, 1]"}),
    function<[](Real auto x) { return 1 / (1 + std::exp(-x)); }>(
        {"sigmoid", kReal, kFloat, "out_i = 1 / (1 + e^-x_i)", "uniform-110,wide-7"}),
    function<[](Inexact auto x) { return degrees(x); }>(
        {"degrees", "all", kFloat, "out_i = 180 x_i / pi", "uniform-7,wide-100"}),
    function<[](Inexact auto x) { return radians(x); }>(
        {"radians", "all", kFloat, "out_i = pi x_i / 180", "uniform-360,wide-100"}),
  };
}
// clang-format on

}  // namespace

std::vector<Op> unary_ops() {
  std::vector<Op> all = exact_rows();
  for (Op& op : function_rows()) all.push_back(std::move(op));
  return all;
}

}  // namespace plumb
