// Elements as another dtype, and as the 8-bit floats E4M3 that lie in bytes.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/op.h"

namespace plumb {
namespace {

// ---- astype

Dtype wanted(const Request& r) {
  const std::optional<Dtype> t = r.dtype_attr("dtype");
  if (!t) r.fail(Reason::attribute, "dtype is not given");
  return *t;
}

std::vector<Spec> infer_astype(const Request& r) { return {{wanted(r), r.shape(0)}}; }

__extension__ typedef __int128 Whole;

// The least and the greatest whole number of a dtype.
Whole least(Dtype t) { return info(t).kind == Kind::signed_integer ? -(Whole(1) << (8 * info(t).bytes - 1)) : 0; }
Whole greatest(Dtype t) {
  return (Whole(1) << (8 * info(t).bytes - (info(t).kind == Kind::signed_integer ? 1 : 0))) - 1;
}

// n = trunc(x) within the range, 0 for NaN
std::uint64_t whole_of(double x, Dtype t) {
  if (std::isnan(x)) return 0;
  if (std::abs(x) >= 0x1p65) return static_cast<std::uint64_t>(x < 0 ? least(t) : greatest(t));
  return static_cast<std::uint64_t>(std::clamp(static_cast<Whole>(x), least(t), greatest(t)));
}
std::uint64_t whole_of(Double2 x, Dtype t) { return whole_of(x.hi, t); }  // an f64 has nothing beyond hi
std::uint64_t whole_of(Complex z, Dtype t) { return whole_of(z.real(), t); }
template <class I>
std::uint64_t whole_of(I n, Dtype) {
  return static_cast<std::uint64_t>(n);  // modulo 2^bits where it is stored
}

Double2 real_of(double x) { return x; }
Double2 real_of(Double2 x) { return x; }
Double2 real_of(Complex z) { return z.real(); }
template <class I>
Double2 real_of(I n) {  // the upper half of its bits, and the lower one
  const auto high = n / 4294967296, low = n % 4294967296;
  return Double2(static_cast<double>(high) * 0x1p32) + Double2(static_cast<double>(low));
}

template <class T>
bool truth(T x) {
  return !(x == T(0));
}

// out_i = a_i, rounded once by whoever stores it
template <class T>
Wide as(const Array<T>& a, Dtype to) {
  const auto each = [&]<class U>(Array<U> out, auto&& value) -> Wide {
    for (std::int64_t i = 0; i < a.size(); ++i) out[i] = value(a[i]);
    return out;
  };
  if (to == Dtype::boolean) return each(Unsigneds(a.shape), [](T x) { return std::uint64_t{truth(x)}; });
  if (is_integer(to)) return each(Unsigneds(a.shape), [&](T x) { return whole_of(x, to); });
  if (is_real(to)) return each(Reals2(a.shape), [](T x) { return real_of(x); });
  if constexpr (std::is_same_v<T, Complex>) return a;
  return each(Complexes(a.shape), [](T x) { return Complex(static_cast<float>(real_of(x))); });
}

std::vector<Wide> astype(const Call& c) {
  return std::visit([&](const auto& a) -> std::vector<Wide> { return {as(a, wanted(c))}; }, widen(c[0]));
}

// ---- E4M3: sign, exponent biased by 7, three bits of fraction; the largest magnitude is NaN, none is infinite

// The code of the number nearest to x, ties to even; from 448 on that of 448 with the sign of x, and of 448 for NaN.
std::uint64_t code_of(double x) {
  const std::uint64_t sign = x < 0 || (x == 0 && std::signbit(x)) ? 0x80 : 0;
  std::uint64_t nearest = 0x7e;
  double off = std::abs(x) < 448 ? std::numeric_limits<double>::infinity() : 0;
  for (std::uint64_t code = 0; code < 0x7f; ++code) {
    const auto e = static_cast<int>(code >> 3), m = static_cast<int>(code & 7);
    const double distance = std::abs((e == 0 ? std::ldexp(m, -9) : std::ldexp(8 + m, e - 10)) - std::abs(x));
    if (distance < off || (distance == off && code % 2 == 0)) off = distance, nearest = code;
  }
  return sign | nearest;
}

// x = (-1)^s 2^(e-7) (1 + m/8), of e = 0 (-1)^s 2^-6 m/8
double value_of(std::uint64_t code) {
  const auto e = static_cast<int>(code >> 3 & 15), m = static_cast<int>(code & 7);
  if (e == 15 && m == 7) return std::numeric_limits<double>::quiet_NaN();
  const double magnitude = e == 0 ? std::ldexp(m / 8.0, -6) : std::ldexp(1 + m / 8.0, e - 7);
  return code & 0x80 ? -magnitude : magnitude;
}

std::vector<Wide> to_fp8(const Call& c) {
  const Reals x = reals(widen(c[0]));
  Unsigneds out(x.shape);
  for (std::int64_t i = 0; i < x.size(); ++i) out[i] = code_of(x[i]);
  return {out};
}

std::vector<Wide> from_fp8(const Call& c) {
  const Unsigneds x = unsigneds(widen(c[0]));
  Reals out(x.shape);
  for (std::int64_t i = 0; i < x.size(); ++i) out[i] = value_of(x[i]);
  return {out};
}

std::vector<Spec> infer_from_fp8(const Request& r) {
  const Dtype t = wanted(r);
  if (!is_real(t)) r.fail(Reason::attribute, "dtype " + std::string(name(t)) + " is not real");
  return {{t, r.shape(0)}};
}

// ---- cases

constexpr const char* kAstypeCases = R"(
  call   {t}.{s}.{l}.{x}/dtype={u}
  from   t=f32 u=f16 s=5x33 l=row x=special
  # every pair: numbers beyond the range, between whole numbers, at the ends
  smoke  t={@all} u={@all} s=3x33 x=bits
  ci     t={@all} u={@all} s=3x67 x={wide-40,lanes}
  ci     t={f16,bf16,f32,f64,c64} u={@all} s=3x67 x={uniform-300,huge,subnormal}
  ci     t={u64,i64,u32,i32} u={f16,bf16,f32,f64,c64} s=3x67 x={whole,uniform-1000000}
  ci     t={f32,f64,i8,u32,c64} u=[f16,u8,f64,bool] l={@layouts} s=3x4x21
  ci     t={f16,bf16,i16,u16} u={f32,i8,f16,bf16} s=65536 x=every    # every number of 16 bits
  ci     s=2x3x2x3x2x3x2x3x2 l={transposed,padded} u={u8,f64}   # more axes than a kernel takes
  smoke  s={s,0,3x0x2,1x1x7} x=uniform u={f32,i32}
  ci     t={f32,f16,f64,u8} u=[i32,f32,bf16,i64] x=uniform-100 s={1,3,8~,16~,31,33,1023,1025,32767,32769,70001}
)";

constexpr const char* kAstypeRejects = R"(
  call   f32.3.row.uniform/dtype={u}
  attribute u=-     # no dtype
  attribute u=f8    # no such dtype
)";

constexpr const char* kToCases = R"(
  call   {t}.{s}.{l}.{x}/-
  from   t=f32 s=5x33 l=row x=special
  smoke  t={f16,bf16,f32} x={special,uniform-3,wide-12}
  smoke  t={f16,bf16,f32} s=4001 x=lanes
  ci     t={f16,bf16,f32} s=3x4x21 x={uniform-500,pow2-12,huge,subnormal,bits}
  ci     t={f16,bf16} s=65536 x=every
  ci     t={f16,f32} l={@layouts} s=3x4x21
  ci     s=2x3x2x3x2x3x2x3x2 l={transposed,padded}   # more axes than a kernel takes
  ci     t={f32,bf16} x=wide-9 s={s,0,1,3,8~,16~,31,33,1023,1025,32767,32769}
)";

constexpr const char* kFromCases = R"(
  call   u8.{s}.{l}.{x}/dtype={u}
  from   s=256 l=row x=ramp u=f32
  smoke  u={f16,bf16,f32,f64}             # every code
  smoke  s={s,0,3x0x2,1x1x7} x=bits
  ci     l={@layouts} s=3x4x21 x=bits u=[f16,f32]
  ci     s=2x3x2x3x2x3x2x3x2 l={transposed,padded} x=bits   # more axes than a kernel takes
  ci     u={f32,f16} x=bits s={1,3,8~,16~,31,33,1023,1025,32767,32769}
)";

Op row(const char* name, const char* equation, Oracle oracle, const char* cases) {
  Op op;
  op.name = name, op.equation = equation, op.oracle = oracle, op.cases = cases;
  op.tolerance.kind = Tolerance::Class::rounded;
  return op;
}

}  // namespace

std::vector<Op> convert_ops() {
  Op cast = row("astype", "out_i = a_i, rounded once to dtype", astype, kAstypeCases);
  cast.signature = "a T[*S] -> out U[*S]", cast.types = "T, U: all";
  cast.attrs = {{"dtype", kNone}};
  cast.meaning =
      "floats to whole numbers towards 0, beyond the range to its end and NaN to 0 (undefined upstream); whole numbers "
      "to "
      "fewer bits wrap; complex numbers to their real parts; to bool what is not 0, either part, as MLX has it since "
      "0.32.4";
  cast.infer = infer_astype, cast.rejects = kAstypeRejects;
  cast.bench = "  ci     {f32.1024x1024.row.uniform/dtype=f16,f16.1024x1024.row.uniform/dtype=f32}\n";
  Op encode = row("to_fp8", "out_i = the code of the E4M3 number nearest to x_i", to_fp8, kToCases);
  encode.signature = "x T[*S] -> out u8[*S]", encode.types = "T: f16 bf16 f32";
  encode.meaning = "ties to even; from 448 on and infinities: 448 with the sign; NaN: 448";
  encode.bench = "  ci     {f32,f16}.1024x1024.row.uniform/-\n";
  Op decode = row("from_fp8", "out_i = (-1)^s 2^(e-7) (1 + m/8) for the bits s eeee mmm of x_i", from_fp8, kFromCases);
  decode.signature = "x u8[*S] -> out U[*S]", decode.types = "U: floats";
  decode.attrs = {{"dtype", "bf16"}};
  decode.meaning = "codes 0x7f and 0xff are NaN, as MLX has it since 0.32.3; e = 0: (-1)^s 2^-6 m/8";
  decode.infer = infer_from_fp8;
  decode.rejects = "  call   u8.3.row.bits/dtype={u}\n  attribute u=i32  # codes stand for real numbers\n";
  decode.bench = "  ci     u8.1024x1024.row.bits/dtype={f32,f16}\n";
  return {cast, encode, decode};
}

}  // namespace plumb
