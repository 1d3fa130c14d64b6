// Elementwise operations: their rows, what they mean, and the inputs worth trying.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/fill.h"
#include "core/op.h"

namespace plumb {
namespace {

std::vector<Dtype> every_dtype() {
  std::vector<Dtype> all;
  for (const DtypeInfo& t : all_dtypes()) all.push_back(t.dtype);
  return all;
}

// Where the element of an operand lies that meets the i-th element of the result: axes align at the
// last one, and an axis of size 1 repeats.
std::int64_t met_by(std::int64_t i, const Shape& result, const Shape& operand) {
  std::int64_t at = 0, step = 1;
  for (std::size_t back = 1; back <= result.size(); ++back) {
    const std::int64_t index = i % result[result.size() - back];
    i /= result[result.size() - back];
    if (back > operand.size()) continue;
    const std::int64_t n = operand[operand.size() - back];
    if (n != 1) at += index * step;
    step *= n;
  }
  return at;
}

std::int64_t plus(std::int64_t a, std::int64_t b) {  // modulo 2^64
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
Double2 plus(Double2 a, Double2 b) {  // whose own addition forgets the sign of zero
  return a.hi == 0 && b.hi == 0 ? Double2(a.hi + b.hi) : a + b;
}
template <class T>
T plus(T a, T b) {
  return a + b;
}

// out_i = a_i + b_i, once both are of the promoted dtype. The sum of two f32, f16 or bf16 numbers, taken in
// binary64 and rounded again, is the sum rounded once: 53 >= 2 * 24 + 2 bits (Figueroa 1995).
std::vector<Wide> add(const Call& c) {
  const Spec out = c.outputs()[0];
  const Wide a = widen_as(c[0], out.dtype), b = widen_as(c[1], out.dtype);
  return std::visit(
      [&]<class T>(const Array<T>& x) -> std::vector<Wide> {
        const auto& y = std::get<Array<T>>(b);
        Array<T> z(out.shape);
        for (std::int64_t i = 0; i < z.size(); ++i)
          z[i] = plus(x[met_by(i, out.shape, x.shape)], y[met_by(i, out.shape, y.shape)]);
        if constexpr (std::is_same_v<T, std::uint64_t>)
          if (out.dtype == Dtype::boolean)
            for (std::uint64_t& v : z.data) v = std::min<std::uint64_t>(v, 1);  // or
        return {z};
      },
      a);
}

Case add_case(Input a, Input b, Budget budget = Budget::ci) { return {{std::move(a), std::move(b)}, {}, budget}; }

void add_layout_cases(std::vector<Case>& cases) {
  for (const Layout a : kLayouts)
    for (const Layout b : kLayouts) {
      const bool few = a == Layout::row || b == Layout::row;
      const Budget budget = few ? Budget::smoke : Budget::ci;
      cases.push_back(add_case({Dtype::f32, {5, 7}, a, "uniform"}, {Dtype::f32, {5, 7}, b, "uniform"}, budget));
      cases.push_back(add_case({Dtype::i16, {3, 4, 5}, a, "ramp"}, {Dtype::i16, {3, 4, 5}, b, "bits"}));
    }
  for (const Dtype t : every_dtype())
    for (const Layout l : kLayouts) {
      cases.push_back(add_case({t, {9, 35}, l, "int-3"}, {t, {9, 35}, Layout::row, "int-3"}));
      cases.push_back(add_case({t, {9, 35}, Layout::row, "special"}, {t, {9, 35}, l, "special"}));
    }
}

void add_dtype_cases(std::vector<Case>& cases) {
  for (const Dtype a : every_dtype())
    for (const Dtype b : every_dtype()) {
      const Budget budget = a == b ? Budget::smoke : Budget::ci;
      cases.push_back(add_case({a, {3, 33}, Layout::row, "bits"}, {b, {3, 33}, Layout::row, "bits"}, budget));
      cases.push_back(add_case({a, {3, 1}, Layout::row, "int-100"}, {b, {5}, Layout::row, "wide"}));
    }
  for (const Dtype t : every_dtype()) {  // 4001: each special value in each lane of 512 bits of halves
    cases.push_back(add_case({t, {4001}, Layout::row, "lanes"}, {t, {4001}, Layout::row, "lanes-19"}, Budget::smoke));
    for (const char* fill : {"tiny", "subnormal", "whole"})
      cases.push_back(add_case({t, {5, 67}, Layout::row, fill}, {t, {5, 67}, Layout::row, fill}, Budget::smoke));
  }
}

// Whole numbers with more bits than f32 has, promoted to the halves: one rounding, not two.
void add_rounding_cases(std::vector<Case>& cases) {
  for (const Dtype whole : {Dtype::i32, Dtype::u32, Dtype::i64, Dtype::u64})
    for (const Dtype real : {Dtype::bf16, Dtype::f16, Dtype::f32})
      cases.push_back(
          add_case({whole, {67}, Layout::row, "near_tie"}, {real, {67}, Layout::row, "const-0"}, Budget::smoke));
}

void add_shape_cases(std::vector<Case>& cases) {
  const std::pair<Shape, Shape> pairs[] = {{{}, {}},
                                           {{}, {7}},
                                           {{7}, {}},
                                           {{1}, {5}},
                                           {{3, 1}, {1, 4}},
                                           {{2, 1, 5}, {3, 1}},
                                           {{2, 3, 4, 5}, {4, 1}},
                                           {{1, 1}, {2, 3}},
                                           {{1}, {0}},
                                           {{0, 3}, {1, 3}},
                                           {{0}, {}},
                                           {{2, 0, 3}, {1, 3}},
                                           {{5, 1, 6, 1}, {7, 1, 8}},
                                           {{64, 1}, {1, 65}},
                                           {{2, 1, 2, 1, 2, 1, 2}, {1, 3, 1, 3, 1, 3, 1}},
                                           {{2, 1, 2, 1, 2, 1, 2, 1, 2}, {1, 3, 1, 3, 1, 3, 1, 3, 1}}};
  for (const auto& [a, b] : pairs)
    for (const Dtype t : {Dtype::f32, Dtype::i32, Dtype::f16, Dtype::c64})
      cases.push_back(add_case({t, a, Layout::row, "uniform"}, {t, b, Layout::row, "uniform"},
                               t == Dtype::f32 ? Budget::smoke : Budget::ci));
  // Around vector widths, around the run that a narrow kernel converts at once, and around thread grains.
  for (const std::int64_t n : {1,  2,  3,   4,   7,    8,    9,    15,    16,    17,    31,    33,    63,
                               64, 65, 127, 129, 1023, 1024, 1025, 16383, 16384, 16385, 65537, 131071})
    for (const Dtype t : {Dtype::f32, Dtype::f64, Dtype::bf16, Dtype::u8, Dtype::c64}) {
      cases.push_back(add_case({t, {n}, Layout::row, "uniform"}, {t, {n}, Layout::row, "uniform"}));
      cases.push_back(add_case({t, {n}, Layout::row, "uniform"}, {t, {1}, Layout::row, "uniform"}));
    }
  for (const Layout l : kLayouts)
    cases.push_back(add_case({Dtype::f32, {257, 513}, l, "wide"}, {Dtype::f32, {513}, Layout::row, "wide"}));
  cases.push_back(add_case({Dtype::f32, {1025, 1023}, Layout::transposed, "wide"},
                           {Dtype::f32, {1025, 1023}, Layout::row, "wide"}, Budget::nightly));
  cases.push_back(
      add_case({Dtype::f16, {256, 256}, Layout::row, "bits"}, {Dtype::f16, {256, 256}, Layout::row, "bits"}));
  cases.push_back(
      add_case({Dtype::bf16, {256, 256}, Layout::row, "bits"}, {Dtype::bf16, {256, 256}, Layout::row, "bits"}));
}

std::vector<Case> add_cases() {
  std::vector<Case> cases;
  add_layout_cases(cases);
  add_dtype_cases(cases);
  add_rounding_cases(cases);
  add_shape_cases(cases);
  return cases;
}

std::vector<Reject> add_rejects() {
  const Input three{Dtype::f32, {3}, Layout::row, "uniform"}, four{Dtype::f32, {4}, Layout::row, "uniform"};
  const Input rows{Dtype::f32, {3, 4}, Layout::row, "uniform"}, none{Dtype::f32, {0}, Layout::row, "uniform"};
  return {
      {add_case(three, four), Reason::shape, "sizes 3 and 4 do not broadcast"},
      {add_case(rows, three), Reason::shape, "axes align at the last one"},
      {add_case(none, three), Reason::shape, "sizes 0 and 3 do not broadcast"},
  };
}

std::vector<Case> add_bench() {
  const auto both = [](Dtype t, Shape a, Shape b) {
    return add_case({t, std::move(a), Layout::row, "uniform"}, {t, std::move(b), Layout::row, "uniform"});
  };
  return {
      both(Dtype::f32, {1024, 1024}, {1024, 1024}), both(Dtype::f32, {4096, 4096}, {4096, 4096}),
      both(Dtype::f32, {4096, 4096}, {4096}),       both(Dtype::f16, {4096, 4096}, {4096, 4096}),
      both(Dtype::i32, {4096, 4096}, {4096, 1}),
  };
}

Cost add_cost(const Call& c) {
  const Spec out = c.outputs()[0];
  const auto bytes = [](std::int64_t n, Dtype t) { return static_cast<double>(n * info(t).bytes); };
  return {static_cast<double>(count(out.shape)),
          bytes(c[0].size(), c[0].dtype()) + bytes(c[1].size(), c[1].dtype()) + bytes(count(out.shape), out.dtype)};
}

// ---- reciprocal ----

double signed_zero(double x) { return std::isnan(x) ? 0.0 : std::copysign(0.0, x); }

// 1 / (c + d i) = c / (c^2 + d^2) - d / (c^2 + d^2) i. The squares of float32 numbers are exact in binary64.
//   1 / 0 = inf + NaN i, inf with the sign of c; with an infinite part 0 - 0 i, zeros with the signs of c and -d, +0
//   for a NaN
Complex inverse(Complex z) {
  const double c = z.real(), d = z.imag(), square = c * c + d * d;
  if (std::isinf(c) || std::isinf(d)) return {signed_zero(c), signed_zero(-d)};
  if (square == 0) return {1 / c, std::numeric_limits<double>::quiet_NaN()};
  return {c / square, -d / square};
}

// out_i = 1 / x_i, once x is a float. The quotient taken in binary64 and rounded again is the quotient rounded once:
// 53 >= 2 * 24 + 2 bits (Figueroa 1995).
std::vector<Wide> reciprocal(const Call& c) {
  const Wide x = widen_as(c[0], at_least_float(c.dtype(0)));
  if (const auto* wide = std::get_if<Reals2>(&x)) {
    Reals2 y(wide->shape);
    for (std::int64_t i = 0; i < y.size(); ++i) y[i] = Double2(1.0) / (*wide)[i];
    return {y};
  }
  if (const auto* complex = std::get_if<Complexes>(&x)) {
    Complexes y(complex->shape);
    for (std::int64_t i = 0; i < y.size(); ++i) y[i] = inverse((*complex)[i]);
    return {y};
  }
  Reals y(reals(x).shape);
  for (std::int64_t i = 0; i < y.size(); ++i) y[i] = 1.0 / reals(x)[i];
  return {y};
}

bool same(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

// A part v of a complex result is a number over the sum of two squares, all of one sign. A route rounds the squares,
// their sum and the quotient to the u of its accumulator, the oracle the sum and the quotient to 2^-53, so that the
// route's quotient is within g |v| of v, g = gamma_3(u) + gamma_2(2^-53); then it rounds once to float32. Rounding
// keeps order, so the result lies between v - g |v| and v + g |v|, each rounded: with an accumulator of 53 bits one
// number, or two neighbours where v is that close to their midpoint.
double part_ratio(double v, double got, const Order& order) {
  constexpr double kWrong = std::numeric_limits<double>::infinity();
  if (!std::isfinite(v) || v == 0) return same(v, got) ? 0 : kWrong;
  const double g = (gamma(3, order.accumulator_roundoff()) + gamma(2, 0x1p-53)) * std::abs(v);
  const bool between = to_float(v - g) <= got && got <= to_float(v + g);
  return between && std::signbit(got) == std::signbit(v) ? 0 : kWrong;
}

// Real results are rounded once, to the bit; parts of complex ones as above.
Deviation reciprocal_error(const Call& call, const std::vector<Tensor>& out, const Order& order) {
  const Wide want = reciprocal(call)[0], got = widen(out[0]), rounded = widen(narrow(want, out[0].dtype()));
  Deviation worst;
  const auto take = [&](std::int64_t i, double ratio, double wanted, double is) {
    if (ratio > worst.ratio) worst = {ratio, 0, i, wanted, is, 0, ""};
  };
  const auto exact = [](double a, double b) { return same(a, b) ? 0 : std::numeric_limits<double>::infinity(); };
  std::visit(
      [&]<class T>(const Array<T>& w) {
        const auto& y = std::get<Array<T>>(got);
        for (std::int64_t i = 0; i < w.size(); ++i) {
          if constexpr (std::is_same_v<T, Complex>) {
            const Complex v = std::get<Complexes>(want)[i];
            take(i, part_ratio(v.real(), y[i].real(), order), v.real(), y[i].real());
            take(i, part_ratio(v.imag(), y[i].imag(), order), v.imag(), y[i].imag());
          } else {
            const auto a = static_cast<double>(w[i]), b = static_cast<double>(y[i]);
            take(i, exact(a, b), a, b);
          }
        }
      },
      rounded);
  worst.compared = out[0].size();
  return worst;
}

Case reciprocal_case(Input x, Budget budget = Budget::ci) { return {{std::move(x)}, {}, budget}; }

// Beyond 2^960 the low half of a Double2 quotient underflows: there the oracle is no wider than f64.
const char* any_value(Dtype t) { return t == Dtype::f64 ? "wide-900" : "bits"; }

std::vector<Case> reciprocal_cases() {
  std::vector<Case> cases;
  for (const Dtype t : every_dtype()) {
    for (const char* fill : {"special", "order", any_value(t), "int-3", "tiny", "huge", "subnormal", "whole"})
      cases.push_back(reciprocal_case({t, {5, 33}, Layout::row, fill}, Budget::smoke));
    cases.push_back(reciprocal_case({t, {4001}, Layout::row, "lanes"}, Budget::smoke));
    for (const Layout l : kLayouts) cases.push_back(reciprocal_case({t, {3, 4, 21}, l, "wide-100"}));
  }
  for (const Shape& s : {Shape{}, Shape{0}, Shape{3, 0, 2}, Shape{1}, Shape{1, 1, 7}})
    cases.push_back(reciprocal_case({Dtype::f32, s, Layout::row, "uniform"}, Budget::smoke));
  for (const std::int64_t n : {1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 255, 257, 1023, 1025, 32767, 32769, 100003})
    for (const Dtype t : {Dtype::f16, Dtype::bf16, Dtype::f32, Dtype::f64, Dtype::u8, Dtype::c64})
      cases.push_back(reciprocal_case({t, {n}, Layout::row, any_value(t)}));
  // Squares beyond and below what f32 holds, and parts that differ by many binades.
  for (const char* fill : {"wide-18", "wide-60", "wide-140", "pow2-126", "const-3e38", "const-0"})
    cases.push_back(reciprocal_case({Dtype::c64, {5, 33}, Layout::row, fill}, Budget::smoke));
  return cases;
}

std::vector<Case> reciprocal_bench() {
  std::vector<Case> cases;
  for (const Dtype t : {Dtype::f32, Dtype::f16, Dtype::c64})
    cases.push_back(reciprocal_case({t, {4096, 4096}, Layout::row, "uniform"}));
  return cases;
}

Op reciprocal_row() {
  Op op;
  op.name = "reciprocal";
  op.signature = "x T[*S] -> out F[*S]";
  op.types = "T: all; F = float(T)";
  op.equation = "out_i = 1 / x_i";
  op.meaning =
      "integers and bool are first rounded once to f32; one rounding; 1/0 is inf with the sign of zero; c64: each part "
      "a quotient in more than f32, rounded once; 1/(0+0i) is inf+NaN i with the sign of the real part, 1/z of a "
      "z with an infinite part is 0 with the signs of conj(z), + for a NaN";
  op.oracle = reciprocal;
  op.cases = reciprocal_cases;
  op.bench = reciprocal_bench;
  op.cost = [](const Call& c) {
    const Spec out = c.outputs()[0];
    const auto n = static_cast<double>(count(out.shape));
    return Cost{n, n * (info(c.dtype(0)).bytes + info(out.dtype).bytes)};
  };
  op.tolerance.kind = Tolerance::Class::residual;
  op.tolerance.residual = reciprocal_error;
  return op;
}

// Whole numbers beside the midpoint of two bf16 numbers: rounded to f32 first, they land on it.
Wide near_tie(const Spec& spec, std::uint64_t key, double) {
  Reals a(spec.shape);
  for (std::int64_t i = 0; i < a.size(); ++i) {
    const std::uint64_t d = draw(key, static_cast<std::uint64_t>(i));
    a[i] = static_cast<double>(((257 + 2 * (d % 100)) << 20) + (d >> 8) % 3) - 1;
  }
  return a;
}

std::vector<Fill> elementwise_fills() {
  constexpr Fill::Range kNone{0, 0};
  return {
      // clang-format off
      {"near_tie",         "whole numbers beside the midpoint of two bf16 numbers", 0, kNone, near_tie},
      // clang-format on
  };
}

}  // namespace

std::vector<Op> elementwise_ops() {
  Op add_row;
  add_row.name = "add";
  add_row.signature = "a T[...], b U[...] -> out P[...]";
  add_row.types = "T, U: all; P = promote(T, U)";
  add_row.equation = "out_i = a_i + b_i";
  add_row.meaning =
      "both operands are first rounded once to the promoted dtype; integers wrap; bool is or; f64 with c64 gives c64";
  add_row.oracle = add;
  add_row.cases = add_cases;
  add_row.fills = elementwise_fills;
  add_row.rejects = add_rejects;
  add_row.bench = add_bench;
  add_row.cost = add_cost;
  add_row.tolerance = {Tolerance::Class::rounded};
  return {add_row, reciprocal_row()};
}

}  // namespace plumb
