// Scalar operations: a row is one line with the definition of a number, which is asked for every element.
//
// A definition sees exact numbers, once the operands are of one type: Whole for integers and bool, double for f16, bf16
// and f32, Complex for c64, and for f64 long double in a `function` row and double in a `rounded` one, whose definition
// is one operation that IEEE 754 rounds once. What it returns is rounded once to the output: a sum, product, quotient
// or root of f32 numbers in double and rounded again is rounded once, 53 >= 2 * 24 + 2 bits (Figueroa 1995). Whole
// numbers wrap modulo 2^bits.
#pragma once

#include <array>
#include <cmath>
#include <string>
#include <type_traits>

#include "core/op.h"
#include "reference/index.h"

namespace plumb::reference {

__extension__ typedef __int128 Whole;  // sums and differences of two whole numbers are exact
__extension__ typedef unsigned __int128 Modular;

// Products: of whole numbers modulo 2^128, since that of two u64 may pass the range of Whole.
inline double times(double a, double b) { return a * b; }
inline Whole times(Whole a, Whole b) { return static_cast<Whole>(static_cast<Modular>(a) * static_cast<Modular>(b)); }
inline Complex times(Complex a, Complex b) {  // (a + b i)(c + d i) = (ac - bd) + (ad + bc) i
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

// What a definition is asked for.
template <class T>
concept Real = std::is_floating_point_v<T>;
template <class T>
concept Inexact = Real<T> || std::is_same_v<T, Complex>;
template <class T>
concept Ordered = Real<T> || std::is_same_v<T, Whole>;

// The type of a result: "T", or a letter with the rule by which it follows.
struct Result {
  constexpr Result(const char* result, std::string_view rule = "")
      : type(result), follows(rule) {}  // NOLINT: a line states it
  std::string_view type, follows;
};

// A line of a list of scalar operations.
struct Scalar {
  std::string_view name;
  std::string_view in;        // what its operands may be, in the words of signature.h: "all"
  Result out;                 // "bool", or {"F", "F = float(T)"}
  std::string_view equation;  // "out_i = e^x_i"
  std::string_view delicate;  // fills of f32 where it is delicate: "wide-7,near-88"
  std::string_view meaning = "";
  Attrs attrs = {};             // numbers that the definition takes
  std::string_view given = "";  // some to try: "alpha={0.3,2}"
};

Op unary_row(const Scalar&);
Op binary_row(const Scalar&);

template <class Float, class T>
auto number(const T& x) {
  if constexpr (std::is_integral_v<T>) return static_cast<Whole>(x);
  else if constexpr (std::is_same_v<T, Double2>) return static_cast<Float>(x.hi);  // f64 has no more digits
  else return x;
}

template <class R>
using Container = std::conditional_t<
    std::is_same_v<R, double>, Reals,
    std::conditional_t<std::is_same_v<R, Complex>, Complexes,
                       std::conditional_t<std::is_same_v<R, Whole> || std::is_same_v<R, bool>, Unsigneds, Reals2>>>;

template <class R>
auto element(R y, Dtype out) {
  if constexpr (std::is_same_v<R, long double>) {
    const auto hi = static_cast<double>(y);
    return Double2(hi, std::isfinite(hi) ? static_cast<double>(y - static_cast<long double>(hi)) : 0.0);
  } else if constexpr (std::is_same_v<R, Whole>) {
    return static_cast<std::uint64_t>(out == Dtype::boolean ? y & 1 : y);  // bool counts modulo 2
  } else if constexpr (std::is_same_v<R, bool>) {
    return std::uint64_t{y};
  } else {
    return y;
  }
}

double number_of(Dtype, double);  // the nearest of a type of reals

// Numbers that attributes give, as numbers of the type of the operands.
struct Given {
  const Call* call;
  double operator()(std::string_view attr) const;
};

// f(x, ..), or f(x, .., the dtype of the output) where the definition depends on its width, or on numbers given.
template <auto f, class... X>
auto defined(const Call& c, Dtype out, X... x) {
  if constexpr (std::is_invocable_v<decltype(f), X..., Dtype>) return f(x..., out);
  else if constexpr (std::is_invocable_v<decltype(f), X..., Given>) return f(x..., Given{&c});
  else return f(x...);
}
template <auto f, class... X>
inline constexpr bool kDefined =
    std::is_invocable_v<decltype(f), X...> || std::is_invocable_v<decltype(f), X..., Dtype> ||
    std::is_invocable_v<decltype(f), X..., Given>;

Dtype operand_dtype(const Call&);  // that in which all operands are: F of the signature, or what they promote to

// out_i = f(a_i, ..), operands broadcast.
template <auto f, class Float, class First, class... More>
std::vector<Wide> each(const Call& c, const Array<First>& a, const Array<More>&... b) {
  if constexpr (!kDefined<f, decltype(number<Float>(First{})), decltype(number<Float>(More{}))...>) {
    throw std::logic_error("a scalar operation is asked for a type that it does not define");
  } else {
    const Spec out = c.outputs()[0];
    const auto at = [&](const auto& x, std::int64_t i) {
      return number<Float>(x[broadcast_index(i, out.shape, x.shape)]);
    };
    using R = decltype(defined<f>(c, out.dtype, number<Float>(First{}), number<Float>(More{})...));
    Container<R> y(out.shape);
    for (std::int64_t i = 0; i < y.size(); ++i)
      y[i] = element<R>(defined<f>(c, out.dtype, at(a, i), at(b, i)...), out.dtype);
    return {y};
  }
}

template <auto f, class Float>
std::vector<Wide> unary_oracle(const Call& c) {
  const Wide x = widen_as(c[0], operand_dtype(c));
  return std::visit([&](const auto& a) { return each<f, Float>(c, a); }, x);
}
template <auto f, class Float>
std::vector<Wide> binary_oracle(const Call& c) {
  const Wide x = widen_as(c[0], operand_dtype(c)), y = widen_as(c[1], operand_dtype(c));
  return std::visit([&]<class T>(const Array<T>& a) { return each<f, Float>(c, a, std::get<Array<T>>(y)); }, x);
}

// Rounded once, to the bit; of complex numbers, whose parts are sums, within the ulps that a route declares.
inline Tolerance::Class rounded_reals(const Call& c) {
  return is_complex(operand_dtype(c)) ? Tolerance::Class::function : Tolerance::Class::rounded;
}

inline Op rounded_row(Op op, Oracle oracle) {
  op.oracle = oracle;
  op.tolerance.kind = Tolerance::Class::rounded, op.tolerance.when = rounded_reals;
  return op;
}
inline Op function_row(Op op, Oracle oracle) {
  op.oracle = oracle;
  op.tolerance.kind = Tolerance::Class::function;
  return op;
}

template <auto f>
Op rounded(const Scalar& line) {
  return rounded_row(unary_row(line), unary_oracle<f, double>);
}
template <auto f>
Op function(const Scalar& line) {
  return function_row(unary_row(line), unary_oracle<f, long double>);
}
template <auto f>
Op rounded2(const Scalar& line) {
  return rounded_row(binary_row(line), binary_oracle<f, double>);
}
template <auto f>
Op function2(const Scalar& line) {
  return function_row(binary_row(line), binary_oracle<f, long double>);
}

}  // namespace plumb::reference
