// Elementwise operations: their rows, what they mean, and the inputs worth trying.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/fill.h"
#include "core/op.h"
#include "reference/index.h"

namespace plumb {
namespace {

using namespace reference;

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
          z[i] = plus(x[broadcast_index(i, out.shape, x.shape)], y[broadcast_index(i, out.shape, y.shape)]);
        if constexpr (std::is_same_v<T, std::uint64_t>)
          if (out.dtype == Dtype::boolean)
            for (std::uint64_t& v : z.data) v = std::min<std::uint64_t>(v, 1);  // or
        return {z};
      },
      a);
}

constexpr const char* kAddCases = R"(
  call   {t}.{s}.{l}.{x}+{u}.{r}.{m}.{y}/-
  from   t=f32 l=row x=uniform u={t} r={s} m=row y={x}
  # both operands in every layout
  smoke  s=5x7 l={@layouts}
  smoke  s=5x7 m={@layouts}
  ci     s=5x7 l={@layouts} m={@layouts}
  ci     t=i16 s=3x4x5 l={@layouts} m={@layouts} x=ramp y=bits
  ci     t={@all} s=9x35 l={@layouts} x=int-3
  ci     t={@all} s=9x35 m={@layouts} x=special
  # every pair of dtypes
  smoke  t={@all} s=3x33 x=bits
  ci     t={@all} u={@all} s=3x33 x=bits
  ci     t={@all} u={@all} s=3x1 r=5 x=int-100 y=wide
  smoke  t={@all} s=4001 x=lanes y=lanes-19     # each special value in each lane of 512 bits of halves
  smoke  t={@all} s=5x67 x={tiny,subnormal,whole}
  # whole numbers with more bits than f32 has, promoted to the halves: one rounding, not two
  smoke  t={i32,u32,i64,u64} u={bf16,f16,f32} s=67 x=near_tie y=const-0
  # how shapes meet
  from   pairs={s s, s 7, 7 s, 1 5, 3x1 1x4, 2x1x5 3x1, 2x3x4x5 4x1, 1x1 2x3, 1 0, 0x3 1x3, 0 s, 2x0x3 1x3,
         5x1x6x1 7x1x8, 64x1 1x65, 2x1x2x1x2x1x2 1x3x1x3x1x3x1, 2x1x2x1x2x1x2x1x2 1x3x1x3x1x3x1x3x1}
  smoke  s,r={pairs}
  ci     s,r={pairs} t={f32,i32,f16,c64}
  # around vector widths, around the run that a narrow kernel converts at once, and around thread grains
  ci     t={f32,f64,bf16,u8,c64} r={{s},1}
         s={1,2,3,4,7,8,9,15,16,17,31,33,63,64,65,127,129,1023,1024,1025,16383,16384,16385,65537,131071}
  ci     s=257x513 r=513 l={@layouts} x=wide
  ci     t={f16,bf16} s=256x256 x=bits
  nightly s=1025x1023 l=transposed x=wide
)";

constexpr const char* kAddRejects = R"(
  call   {a}{b}{c}/axis={axis}
  from   a=f32.3.row.uniform b=+{a} c= axis=
  shape  b=+f32.4.row.uniform                      # sizes 3 and 4 do not broadcast
  shape  a=f32.3x4.row.uniform b=+f32.3.row.uniform  # axes align at the last one
  shape  a=f32.0.row.uniform b=+f32.3.row.uniform    # sizes 0 and 3 do not broadcast
)";

constexpr const char* kAddBench = R"(
  ci     {t}.{s}.row.uniform+{t}.{r}.row.uniform/- t,s,r={f32 1024x1024 1024x1024, f32 4096x4096 4096x4096,
         f32 4096x4096 4096, f16 4096x4096 4096x4096, i32 4096x4096 4096x1}
)";

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

constexpr const char* kReciprocalCases = R"(
  call   {t}.{s}.{l}.{x}/-
  from   l=row t=f32
  # f64: beyond 2^960 the low half of a Double2 quotient underflows, where the oracle is no wider than f64
  from   t,any={f64 wide-900, {@all,!f64} bits}
  smoke  s=5x33 x={special,order,{any},int-3,tiny,huge,subnormal,whole}
  smoke  s=4001 x=lanes
  ci     s=3x4x21 l={@layouts} x=wide-100
  from   t=f32
  smoke  s={s,0,3x0x2,1,1x1x7} x=uniform
  ci     t,any={f16 bits, bf16 bits, f32 bits, f64 wide-900, u8 bits, c64 bits} x={any}
         s={1,3,4,8~,16~,31,33,255,257,1023,1025,32767,32769,100003}
  # squares beyond and below what f32 holds, and parts that differ by many binades
  smoke  t=c64 s=5x33 x={wide-18,wide-60,wide-140,pow2-126,const-3e38,const-0}
)";

constexpr const char* kReciprocalBench = R"(
  ci     {f32,f16,c64}.4096x4096.row.uniform/-
)";

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
  op.cases = kReciprocalCases;
  op.bench = kReciprocalBench;
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
  add_row.cases = kAddCases;
  add_row.fills = elementwise_fills;
  add_row.rejects = kAddRejects;
  add_row.bench = kAddBench;
  add_row.cost = add_cost;
  add_row.tolerance = {Tolerance::Class::rounded};
  return {add_row, reciprocal_row()};
}

}  // namespace plumb
