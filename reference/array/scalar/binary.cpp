// Operations of two numbers, which broadcast: a row is a line.
#include <utility>

#include "reference/array/scalar/scalar.h"

namespace plumb {
namespace {

using namespace reference;

// What the lines use beside the functions of <cmath>, which take double and long double.

double over(double a, double b) { return a / b; }
Complex over(Complex a, Complex b) {  // (a + b i) / (c + d i) = ((ac + bd) + (bc - ad) i) / (c^2 + d^2)
  const double square = b.real() * b.real() + b.imag() * b.imag();
  return {(a.real() * b.real() + a.imag() * b.imag()) / square, (a.imag() * b.real() - a.real() * b.imag()) / square};
}

bool unordered(Whole, Whole) { return false; }
template <Real T>
bool unordered(T a, T b) {
  return !(a <= b) && !(a >= b);
}
// The order of complex numbers is that of their real parts, then of the imaginary ones.
template <class T>
bool less(T a, T b) {
  return a < b;
}
bool less(Complex a, Complex b) { return a.real() < b.real() || (a.real() == b.real() && a.imag() < b.imag()); }

bool unordered(Complex a, Complex b) { return unordered(a.real(), b.real()) || unordered(a.imag(), b.imag()); }
Complex nan_of(Complex, Complex) { return {std::nan(""), std::nan("")}; }
template <class T>
T nan_of(T a, T b) {
  return a + b;
}
template <class T>
T maximum(T a, T b) {
  if (unordered(a, b)) return nan_of(a, b);
  return less(b, a) ? a : b;
}
template <class T>
T minimum(T a, T b) {
  if (unordered(a, b)) return nan_of(a, b);
  return less(a, b) ? a : b;
}

Whole floor_divide(Whole a, Whole b) {
  if (b == 0) return 0;
  const Whole q = a / b;  // towards 0
  return q * b != a && (a < 0) != (b < 0) ? q - 1 : q;
}
double floor_divide(double a, double b, Dtype t) {
  return std::floor(t == Dtype::f64 ? a / b : static_cast<double>(static_cast<float>(a / b)));
}
Whole floor_divide(Whole a, Whole b, Dtype) { return floor_divide(a, b); }

Whole remainder(Whole a, Whole b) { return b == 0 ? a : a - floor_divide(a, b) * b; }
double remainder(double a, double b) {
  const double r = std::fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

Whole power(Whole a, Whole n) {  // modulo 2^64 or less, in unsigned numbers, which may wrap
  if (n < 0) return 0;
  std::uint64_t product = 1, square = static_cast<std::uint64_t>(a);
  for (; n > 0; n >>= 1, square *= square)
    if (n & 1) product *= square;
  return static_cast<Whole>(product);
}
template <Real T>
T power(T a, T b) {
  // Exact; glibc 2.36's powl gives +inf for -inf to a large negative power.
  if (std::isinf(a)) return std::pow(static_cast<double>(a), static_cast<double>(b));
  return std::pow(a, b);
}

template <class T>
bool truth(T x) {
  return !(x == T(0));
}

// Counts are taken modulo 32, of 64 bits modulo 64.
int shift(Whole count, Dtype t) { return static_cast<int>(count & (info(t).bytes == 8 ? 63 : 31)); }

template <Real T>
T logaddexp(T a, T b) {
  const T high = std::fmax(a, b), low = std::fmin(a, b);
  if (std::isnan(a) || std::isnan(b)) return a + b;
  return std::isinf(low) && low < 0 ? high : std::isinf(high) ? high : high + std::log1p(std::exp(low - high));
}

// high + l, l = log1p(e^-D), D = high - low. With k the ulps of each function, an ulp at most 2 u: the difference errs
// by u D, which moves l by at most u D e^-D <= 0.37 u; exp by 2 k u e^-D, which moves l by at most 2 k u / 2; log1p by
// 2 k u l, l <= log 2; the sum by u |c|. What is of second order is below a hundredth of that.
std::vector<Allowances> logaddexp_bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const Dtype out = c.outputs()[0].dtype;
  const double u = order.accumulator_roundoff(), k = order.function_ulps;
  const DtypeInfo& to = info(out);
  Allowances all(shape_of(want[0]));
  for (std::int64_t i = 0; i < all.size(); ++i) {
    const double value = std::visit(
        [&]<class T>(const Array<T>& y) {
          if constexpr (std::is_same_v<T, Complex>) return 0.0;
          else return std::abs(static_cast<double>(y[i]));
        },
        want[0]);
    const double computed = 1.01 * u * (0.37 + k + 2 * k * 0.6932 + value) + info(order.accumulator).min_subnormal;
    const bool narrower = to.precision < info(order.accumulator).precision;
    const double rounding = narrower ? to.unit_roundoff() * (value + computed) + to.min_subnormal / 2 : 0;
    const double oracle = (value + 1) * (out == Dtype::f64 ? 0x1p-58 : 0x1p-49);
    all[i] = {computed + rounding + oracle, false};
  }
  return {all};
}

constexpr std::string_view kReal = "bool integers floats", kNumbers = "integers floats", kWords = "bool integers";
constexpr Result kPromoted{"P", "P = promote(T, U)"}, kFloat{"F", "P = promote(T, U); F = float(P)"};
constexpr Result kWord{"P", "P = promote(T, U): bool integers"},
    kShifted{"N", "P = promote(T, U): bool integers; N = number(P)"};
constexpr std::string_view kWide = "wide-60 wide-60,uniform-3 uniform-3", kClose = "int-2 int-2,order order";

Op logaddexp_row() {
  Op op = function2<[](Real auto a, Real auto b) { return logaddexp<decltype(a)>(a, b); }>(
      {"logaddexp", kReal, kFloat, "out_i = log (e^a_i + e^b_i)",
       "uniform-3 uniform-3,uniform-100 uniform-3,wide-7 wide-7", "an infinite larger one is the result"});
  op.tolerance = {};
  op.tolerance.kind = Tolerance::Class::inherited, op.tolerance.bound = logaddexp_bound;
  return op;
}

// q_i = floor(a_i / b_i), r_i = a_i - b_i q_i, as the rows of those names have it.
std::vector<Wide> divmod(const Call& c) {
  constexpr auto quotient = [](Ordered auto a, Ordered auto b, Dtype t) { return floor_divide(a, b, t); };
  constexpr auto rest = [](Ordered auto a, Ordered auto b) { return remainder(a, b); };
  return {binary_oracle<quotient, double>(c)[0], binary_oracle<rest, double>(c)[0]};
}

Op divmod_row() {
  Op op =
      binary_row({"divmod", kNumbers, kPromoted, "quotient_i = floor(a_i / b_i), remainder_i = a_i - b_i quotient_i",
                  "uniform-9 uniform-2,int-50 int-9",
                  "as floor_divide and remainder; integers by 0 give 0 and a (undefined upstream)"});
  op.signature = "a T[...], b U[...] -> quotient P[...], remainder P[...]";
  op.oracle = divmod;
  op.tolerance.kind = Tolerance::Class::rounded;
  return op;
}

}  // namespace

// clang-format off
std::vector<Op> binary_ops() {
  return {
    divmod_row(),
    rounded2<[](auto a, auto b) { return a - b; }>(
        {"subtract", "all", kPromoted, "out_i = a_i - b_i", kWide, "integers wrap; bool is exclusive or"}),
    rounded2<[](auto a, auto b) { return times(a, b); }>(
        {"multiply", "all", kPromoted, "out_i = a_i b_i", kWide, "integers wrap; bool is and"}),
    rounded2<[](Inexact auto a, Inexact auto b) { return over(a, b); }>(
        {"divide", "all", kFloat, "out_i = a_i / b_i", kWide, "whole numbers as f32"}),
    rounded2<[](auto a, auto b) { return maximum(a, b); }>(
        {"maximum", "all", kPromoted, "out_i = max(a_i, b_i)", kClose,
         "NaN beside any, in either part; the second of equals; complex numbers by their real parts first"}),
    rounded2<[](auto a, auto b) { return minimum(a, b); }>(
        {"minimum", "all", kPromoted, "out_i = min(a_i, b_i)", kClose,
         "NaN beside any, in either part; the second of equals; complex numbers by their real parts first"}),
    rounded2<[](Ordered auto a, Ordered auto b, Dtype t) { return floor_divide(a, b, t); }>(
        {"floor_divide", kNumbers, kPromoted, "out_i = floor(a_i / b_i)", "uniform-9 uniform-2,int-50 int-9",
         "of the quotient rounded to f32, of f64 to f64; integers by 0 give 0"}),
    rounded2<[](Ordered auto a, Ordered auto b) { return remainder(a, b); }>(
        {"remainder", kNumbers, kPromoted, "out_i = a_i - b_i floor(a_i / b_i)", "uniform-9 uniform-2,int-50 int-9",
         "the sign of b; the rounded sum of fmod and b where signs differ; integers by 0 give a"}),
    function2<[](Ordered auto a, Ordered auto b) { return power(a, b); }>(
        {"power", kReal, kPromoted, "out_i = a_i^b_i", "positive-9 uniform-9,int-9 int-9,positive-2 wide-6",
         "integers wrap, and are 0 where b is negative; 0^0 is 1"}),
    logaddexp_row(),
    function2<[](Real auto a, Real auto b) { return std::atan2(a, b); }>(
        {"arctan2", kReal, kFloat, "tan out_i = a_i / b_i", kWide, "in [-pi, pi], by the quadrant of (b, a)"}),
    rounded2<[](auto a, auto b) { return a == b; }>(
        {"equal", "all", "bool", "out_i = a_i is b_i", kClose, "NaN equals nothing"}),
    rounded2<[](auto a, auto b) { return !(a == b); }>(
        {"not_equal", "all", "bool", "out_i = a_i is not b_i", kClose, "NaN equals nothing"}),
    rounded2<[](auto a, auto b) { return less(a, b); }>(
        {"less", "all", "bool", "out_i = a_i < b_i", kClose, "complex numbers by their real parts first"}),
    rounded2<[](auto a, auto b) { return less(a, b) || a == b; }>(
        {"less_equal", "all", "bool", "out_i = a_i <= b_i", kClose, "complex numbers by their real parts first"}),
    rounded2<[](auto a, auto b) { return less(b, a); }>(
        {"greater", "all", "bool", "out_i = a_i > b_i", kClose, "complex numbers by their real parts first"}),
    rounded2<[](auto a, auto b) { return less(b, a) || a == b; }>(
        {"greater_equal", "all", "bool", "out_i = a_i >= b_i", kClose, "complex numbers by their real parts first"}),
    rounded2<[](auto a, auto b) { return truth(a) && truth(b); }>(
        {"logical_and", "all", "bool", "out_i = a_i and b_i", kClose, "true: what is not 0, NaN too"}),
    rounded2<[](auto a, auto b) { return truth(a) || truth(b); }>(
        {"logical_or", "all", "bool", "out_i = a_i or b_i", kClose, "true: what is not 0, NaN too"}),
    rounded2<[](auto a, auto b) { return truth(a) != truth(b); }>(
        {"logical_xor", "all", "bool", "out_i = either a_i or b_i", kClose, "true: what is not 0, NaN too"}),
    rounded2<[](Whole a, Whole b) { return a & b; }>(
        {"bitwise_and", kWords, kWord, "out_i = a_i and b_i, bit by bit", "bits bits,whole whole"}),
    rounded2<[](Whole a, Whole b) { return a | b; }>(
        {"bitwise_or", kWords, kWord, "out_i = a_i or b_i, bit by bit", "bits bits,whole whole"}),
    rounded2<[](Whole a, Whole b) { return a ^ b; }>(
        {"bitwise_xor", kWords, kWord, "out_i = either a_i or b_i, bit by bit", "bits bits,whole whole"}),
    rounded2<[](Whole a, Whole n, Dtype t) { return a << shift(n, t); }>(
        {"left_shift", kWords, kShifted, "out_i = a_i 2^b_i",
         "bits below-8,bits bits", "bool as u8; counts modulo 32, of 64 bits modulo 64; wraps"}),
    rounded2<[](Whole a, Whole n, Dtype t) { return (a >> shift(n, t)); }>(
        {"right_shift", kWords, kShifted, "out_i = floor(a_i / 2^b_i)",
         "bits below-8,bits bits", "bool as u8; counts modulo 32, of 64 bits modulo 64"}),
  };
}
// clang-format on

}  // namespace plumb
