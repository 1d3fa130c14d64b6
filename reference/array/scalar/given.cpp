// Operations with numbers that are given as attributes: rounding to decimals, what takes the place of NaN, closeness.
#include <algorithm>
#include <cmath>

#include "reference/array/scalar/scalar.h"

namespace plumb {
namespace {

using namespace reference;

// ---- round

constexpr std::int64_t kMostDecimals = 38;  // 10^38 is a number of every float but f16, which is rounded as f32

template <class T>
T ten_to(std::int64_t d) {  // rounded once
  return static_cast<T>(std::is_same_v<T, float> ? std::stof("1e" + std::to_string(d))
                                                 : std::stod("1e" + std::to_string(d)));
}

// y = rint(x s) / s, s = 10^d; for d < 0 y = rint(x / s) s, s = 10^-d. Each step rounded to the type T of the
// arithmetic. What has no digits left to round, |x s| >= 2^(p-1) with p bits, stays.
template <class T>
T round_to(T x, std::int64_t d) {
  const T s = ten_to<T>(std::abs(d));
  if (d < 0) return std::nearbyint(x / s) * s;
  return std::abs(x * s) < std::ldexp(T(1), std::numeric_limits<T>::digits - 1) ? std::nearbyint(x * s) / s : x;
}

// The nearest multiple of s = 10^-d, the even one of two.
Whole round_to(Whole x, std::int64_t d) {
  if (d >= 0) return x;
  Whole s = 1;
  for (std::int64_t i = d; i < 0 && s < Whole(1) << 70; ++i) s *= 10;  // beyond, everything is 0
  Whole q = x / s;
  const Whole r = x < 0 ? q * s - x : x - q * s;
  if (2 * r > s || (2 * r == s && q % 2 != 0)) q += x < 0 ? -1 : 1;
  return q * s;
}

std::vector<Spec> infer_round(const Request& r) {
  const std::int64_t d = r.integer("decimals");
  if (d < -kMostDecimals || d > kMostDecimals)
    r.fail(Reason::attribute, "decimals " + std::to_string(d) + " is not in [-38, 38]");
  return r.outputs();
}

std::vector<Wide> round(const Call& c) {
  const std::int64_t d = c.integer("decimals");
  const Dtype t = c.dtype(0);
  if (const Wide x = widen(c[0]); is_complex(t)) {
    Complexes y(c.shape(0));
    const auto& z = std::get<Complexes>(x);
    for (std::int64_t i = 0; i < y.size(); ++i) y[i] = {round_to(z[i].real(), d), round_to(z[i].imag(), d)};
    return {y};
  } else if (t == Dtype::f64) {
    Reals2 y(c.shape(0));
    for (std::int64_t i = 0; i < y.size(); ++i) y[i] = round_to(std::get<Reals2>(x)[i].hi, d);
    return {y};
  } else if (is_real(t)) {
    Reals y(c.shape(0));
    for (std::int64_t i = 0; i < y.size(); ++i) y[i] = round_to(static_cast<float>(std::get<Reals>(x)[i]), d);
    return {y};
  } else {
    Unsigneds y(c.shape(0));
    for (std::int64_t i = 0; i < y.size(); ++i)
      y[i] = element(round_to(std::holds_alternative<Integers>(x) ? Whole(std::get<Integers>(x)[i])
                                                                  : Whole(std::get<Unsigneds>(x)[i]),
                              d),
                     t);
    return {y};
  }
}

// ---- nan_to_num

// out_i = nan where a_i is NaN, posinf or neginf where it is infinite, else a_i
template <class T>
T numbered(T x, double nan, double posinf, double neginf) {
  const auto v = static_cast<double>(x);
  return std::isnan(v) ? T(nan) : !std::isinf(v) ? x : T(v > 0 ? posinf : neginf);
}

std::vector<Wide> nan_to_num(const Call& c) {
  const double most = info(c.dtype(0)).max, nan = c.number("nan");
  const double posinf = c.none("posinf") ? most : c.number("posinf");
  const double neginf = c.none("neginf") ? -most : c.number("neginf");
  Wide x = widen(c[0]);
  if (auto* reals = std::get_if<Reals>(&x))
    for (double& v : reals->data) v = numbered(v, nan, posinf, neginf);
  if (auto* reals = std::get_if<Reals2>(&x))
    for (Double2& v : reals->data) v = numbered(v, nan, posinf, neginf);
  return {x};
}

// ---- isclose

// |a - b| <= atol + rtol |b|, each step rounded to T; infinities are close to themselves alone
template <class T>
bool close(T a, T b, T rtol, T atol) {
  return a == b || (std::isfinite(a) && std::isfinite(b) && std::abs(a - b) <= atol + rtol * std::abs(b));
}
bool close(Complex a, Complex b, double rtol, double atol) {
  const auto modulus = [](double re, double im) { return std::sqrt(re * re + im * im); };
  if (a == b) return true;
  for (const double part : {a.real(), a.imag(), b.real(), b.imag()})
    if (!std::isfinite(part)) return false;
  return modulus(a.real() - b.real(), a.imag() - b.imag()) <= atol + rtol * modulus(b.real(), b.imag());
}
bool is_nan(double x) { return std::isnan(x); }
bool is_nan(Complex z) { return std::isnan(z.real()) || std::isnan(z.imag()); }

// The numbers of an array in the type T of the arithmetic.
template <class T>
std::vector<T> values(const Wide& x) {
  return std::visit(
      []<class S>(const Array<S>& a) {
        std::vector<T> v;
        for (const S& s : a.data) {
          if constexpr (std::is_same_v<T, S>) v.push_back(s);
          else if constexpr (std::is_same_v<S, Complex> || std::is_same_v<T, Complex>) v.push_back(T());
          else v.push_back(static_cast<T>(s));
        }
        return v;
      },
      x);
}

template <class T, class Tol>
Unsigneds isclose_of(const Call& c, const Wide& a, const Wide& b, const Shape& shape) {
  const std::vector<T> x = values<T>(a), y = values<T>(b);
  const bool equal_nan = c.flag("equal_nan");
  const Tol rtol = static_cast<float>(c.number("rtol")), atol = static_cast<float>(c.number("atol"));
  Unsigneds out(shape);
  for (std::int64_t i = 0; i < out.size(); ++i) {
    const T p = x[static_cast<std::size_t>(broadcast_index(i, out.shape, c.shape(0)))];
    const T q = y[static_cast<std::size_t>(broadcast_index(i, out.shape, c.shape(1)))];
    out[i] = close(p, q, rtol, atol) || (equal_nan && is_nan(p) && is_nan(q));
  }
  return out;
}

// Of every pair of numbers that the shapes broadcast to.
Unsigneds closeness(const Call& c) {
  const Dtype t = at_least_float(operand_dtype(c));
  const Shape shape = broadcast(c.op->name, c.shape(0), c.shape(1));
  const Wide a = widen_as(c[0], t), b = widen_as(c[1], t);
  if (is_complex(t)) return isclose_of<Complex, double>(c, a, b, shape);
  if (t == Dtype::f64) return isclose_of<double, double>(c, a, b, shape);
  return isclose_of<float, float>(c, a, b, shape);
}

std::vector<Wide> isclose(const Call& c) { return {closeness(c)}; }

// out = isclose_i for all i
std::vector<Wide> allclose(const Call& c) {
  const Unsigneds close = closeness(c);
  const bool all = std::all_of(close.data.begin(), close.data.end(), [](std::uint64_t v) { return v != 0; });
  return {Unsigneds({}, all ? 1 : 0)};
}

bool is_nan(Double2 x) { return isnan(x); }
template <class I>
bool is_nan(I) {
  return false;
}

// out = the shapes are equal, and a_i = b_i for all i, as numbers of the promoted dtype
std::vector<Wide> array_equal(const Call& c) {
  if (c.shape(0) != c.shape(1)) return {Unsigneds({}, 0)};
  const Dtype t = operand_dtype(c);
  const bool nan = c.flag("equal_nan");
  const Wide b = widen_as(c[1], t);
  return std::visit(
      [&]<class T>(const Array<T>& x) -> std::vector<Wide> {
        const auto& y = std::get<Array<T>>(b);
        std::uint64_t all = 1;
        for (std::int64_t i = 0; i < x.size(); ++i)
          if (!(x[i] == y[i]) && !(nan && is_nan(x[i]) && is_nan(y[i]))) all = 0;
        return {Unsigneds({}, all)};
      },
      widen_as(c[0], t));
}

Cost each_cost(const Call& c) {
  return {static_cast<double>(count(c.outputs()[0].shape)), input_bytes(c) + output_bytes(c)};
}

// ---- cases

constexpr const char* kRoundCases = R"(
  call   {t}.{s}.{l}.{x}/decimals={d}
  from   t=f32 s=5x33 l=row x=special d=0
  smoke  t={@all} x={special,int-30}
  smoke  t={@all} s=4001 x=lanes                  # each special value in each lane of 512 bits of halves
  smoke  d={1,-1,2} x={uniform-100,wide-20}
  ci     t={@all} d={-1,-2,1,3} x={uniform-300,int-300}   # ties, decimals before the point
  ci     t={@all} d={-3,2,38,-38,-19} x={wide-30,whole,bits} s=3x67
  ci     t={f32,f64,f16,c64,i64,u8} l={@layouts} s=3x4x21 x=wide-10 d=[0,1,-1]
  ci     s=2x3x2x3x2x3x2x3x2 l={transposed,padded}   # more axes than a kernel takes
  ci     t={f16,bf16} s=65536 x=every d={0,2,-2}          # every number of 16 bits
  ci     t={f32,f64,f16,i32} x=uniform-9 s={s,0,1,3,8~,16~,31,33,1023,1025,32767,32769} d=[0,1]
)";

constexpr const char* kNanCases = R"(
  call   {t}.{s}.{l}.{x}/nan={n},posinf={p},neginf={q}
  from   t=f32 s=5x33 l=row x=special n= p= q=
  smoke  t={@all,!c64} x={special,int-3}
  smoke  t={f16,bf16,f32,f64} n,p,q={1.5 9 -9, nan inf -inf, 0.1 1e30 -1e30, 1e-42 - 3}
  ci     t={@all,!c64} s=69x68 x=lanes
  ci     t={f16,bf16} s=65536 x=every n={0.1,-7}
  ci     t={f32,f64,f16,i16} l={@layouts} s=3x4x21
  ci     s=2x3x2x3x2x3x2x3x2 l={transposed,padded}   # more axes than a kernel takes
  ci     t={f32,f64,f16,u8} s={s,0,1,3,8~,16~,31,33,1023,1025,32767,32769} n=0.5
)";

constexpr const char* kCloseCases = R"(
  call   {t}.{s}.{l}.{x}+{u}.{r}.{m}.{y}/rtol={rel},atol={abs},equal_nan={nan}
  from   t=f32 s=5x33 l=row x=special u={t} r={s} m=row y={x} rel= abs= nan=
  smoke  t={@all} x={special,int-3} nan=[false,true]
  smoke  t={f32,f16,f64,c64} x,y={uniform uniform-1, const-1 uniform-1, order order} rel={0.5,0} abs={0.1,0}
  smoke  rel={0.25,inf} abs={2,inf}
  ci     t={@all} x=bits s=5x67 rel=0.1 nan={true,false}
  ci     t={@all} s=69x68 x=lanes y=lanes-19 nan=true
  ci     t,u={f16 bf16, i32 f16, bool u8, u64 i64, i8 u8, f64 c64, f32 c64, i64 f32, bool bf16} x=int-3 r=1x33 abs=1
  ci     l={@layouts} m={@layouts} s=3x4x5 x=uniform rel=1
  from   pairs={s s, s 7, 7 s, 3x1 1x4, 2x3x4x5 4x1, 1 0, 0x3 1x3, 64x1 1x65,
         2x1x2x1x2x1x2x1x2 1x3x1x3x1x3x1x3x1}
  smoke  s,r={pairs} x=uniform rel=1
  ci     t={f32,f16,f64,c64,i32} x=uniform rel=1 s={1,3,8~,16~,31,33,1023,1025,32767,32769} r={{s},1}
)";

// One pair in many that is not close, at the first, at the last and in between: the impulse.
constexpr const char* kAllCloseCases = R"(
  call   {t}.{s}.{l}.{x}+{u}.{r}.{m}.{y}/rtol={rel},atol={abs},equal_nan={nan}
  from   t=f32 s=5x33 l=row x=const-1 u={t} r={s} m=row y={x} rel= abs= nan=
  smoke  t={@all} y={const-1,const-0}
  smoke  t={f32,f16,c64} x,y={special special, uniform uniform, order int-3} nan={true,false} abs={,inf}
  smoke  s={1,33,1025} x=const-0 y=impulse-1 abs={0.5,1}
  ci     t={f32,f64,u8} s={0,3x0,s,1,15,16,17,1023,1025,32767,32769,70001} x=const-0 y={const-0,impulse-1} abs=0.5
  ci     l={@layouts} m={@layouts} s=3x4x5 x=ramp abs={0.5,100}
  ci     t,u={f16 bf16, i32 f16, bool u8, u64 i64, f64 c64, i64 f32} x=int-3 y={x} r={s,1x33} abs={1,7}
  from   pairs={7 s, 3x1 1x4, 2x3x4x5 4x1, 2x1x2x1x2x1x2x1x2 1x3x1x3x1x3x1x3x1}
  smoke  s,r={pairs} x=uniform abs={0.1,2}
)";

constexpr const char* kArrayEqualCases = R"(
  call   {t}.{s}.{l}.{x}+{u}.{r}.{m}.{y}/equal_nan={nan}
  from   t=f32 s=5x33 l=row x=const-1 u={t} r={s} m=row y={x} nan=
  smoke  t={@all} y={const-1,const-0}
  smoke  t={f32,f16,f64,c64} x=special l=offset nan={true,false}
  smoke  s,r={3 4, s 1, 2x3 3x2, 0 0x3, 5x1 5} x=const-0           # other shapes are not equal
  smoke  s={1,33,1025} x=const-0 y=impulse-1
  ci     t={f32,f64,u8,i64} s={0,3x0,s,1,15,16,17,1023,1025,32767,32769,70001} x=const-0 y={const-0,impulse-1} nan=true
  ci     l={@layouts} m={@layouts} s=3x4x5 x=ramp
  ci     s=2x3x2x3x2x3x2x3x2 l={transposed,padded} x=ramp   # more axes than a kernel takes
  ci     t,u={f16 bf16, i32 f16, bool u8, u64 i64, f64 c64, i64 f32} x=const-1 y={const-1,int-3}
)";

constexpr const char* kNegative = R"(
  call   f32.3.row.uniform+f32.3.row.uniform/{a}
  attribute a=rtol=-1   # a negative tolerance
  attribute a=atol=nan  # a tolerance that is not a number
)";

std::vector<Spec> infer_isclose(const Request& r) {
  for (const char* name : {"rtol", "atol"})
    if (const double v = r.number(name); !(v >= 0))
      r.fail(Reason::attribute, std::string(name) + " " + to_string(Attr(v)) + " is not at least 0");
  return r.outputs();
}

std::vector<Spec> infer_allclose(const Request& r) {
  broadcast(r.op->name, r.shape(0), r.shape(1));
  return infer_isclose(r);
}

Op given_row(const char* name, const char* equation, Oracle oracle, const char* cases) {
  Op op;
  op.name = name, op.equation = equation, op.oracle = oracle, op.cases = cases, op.cost = each_cost;
  op.tolerance.kind = Tolerance::Class::rounded;
  return op;
}

}  // namespace

std::vector<Op> given_ops() {
  Op rounding = given_row("round", "out_i = rint(x_i 10^d) / 10^d, d = decimals; ties to even", round, kRoundCases);
  rounding.signature = "x T[*S] -> out T[*S]", rounding.types = "T: all";
  rounding.attrs = {{"decimals", 0}};
  rounding.meaning =
      "the product and the quotient are rounded in f32, of f64 and c64 in f64, d < 0: rint(x_i / 10^-d) 10^-d; what "
      "has "
      "no digits left stays; integers exactly (upstream by way of f32), wrapping; both parts of complex numbers";
  rounding.infer = infer_round;
  rounding.rejects =
      "  call   f32.3.row.uniform/decimals={d}\n  attribute d={39,-39,-9223372036854775808}  # 10^39 is not a number "
      "of f32\n";
  rounding.bench = "  ci     f32.1024x1024.row.uniform/decimals={0,2}\n";
  Op numbering = given_row("nan_to_num", "out_i = nan, posinf or neginf where a_i is NaN, inf or -inf, else a_i",
                           nan_to_num, kNanCases);
  numbering.signature = "a T[*S] -> out T[*S]", numbering.types = "T: bool integers floats";
  numbering.attrs = {{"nan", 0.0}, {"posinf", kNone}, {"neginf", kNone}};
  numbering.meaning = "without posinf and neginf the largest and the least number of the dtype, of f64 too";
  numbering.bench = "  ci     f32.1024x1024.row.uniform/-\n";
  Op closeness = given_row("isclose", "out_i = |a_i - b_i| <= atol + rtol |b_i|", isclose, kCloseCases);
  closeness.signature = "a T[...], b U[...] -> out bool[...]";
  closeness.types = "T, U: all";
  closeness.attrs = {{"rtol", 1e-5}, {"atol", 1e-8}, {"equal_nan", false}};
  closeness.meaning =
      "in f32, of f64 and c64 in f64, each step rounded, the tolerances as f32; whole numbers as f32; infinities are "
      "close "
      "to themselves alone, NaN to NaN where equal_nan says so";
  closeness.infer = infer_isclose;
  closeness.rejects = kNegative;
  closeness.bench = "  ci     f32.1024x1024.row.uniform+f32.1024x1024.row.uniform/-\n";
  Op all_close = given_row("allclose", "out = |a_i - b_i| <= atol + rtol |b_i| for all i", allclose, kAllCloseCases);
  all_close.signature = "a T[...], b U[...] -> out bool[]", all_close.types = "T, U: all";
  all_close.attrs = closeness.attrs, all_close.meaning = "as isclose; true of nothing";
  all_close.infer = infer_allclose, all_close.rejects = kNegative;
  all_close.bench = "  ci     f32.1024x1024.row.ramp+f32.1024x1024.row.ramp/-\n";
  Op same =
      given_row("array_equal", "out = the shapes are equal, and a_i = b_i for all i", array_equal, kArrayEqualCases);
  same.signature = "a T[*A], b U[*B] -> out bool[]", same.types = "T, U: all";
  same.attrs = {{"equal_nan", false}};
  same.meaning =
      "compared as numbers of the promoted dtype; other shapes are no error; NaN to NaN where equal_nan says so";
  same.bench = "  ci     f32.1024x1024.row.ramp+f32.1024x1024.row.ramp/-\n";
  return {rounding, numbering, closeness, all_close, same};
}

}  // namespace plumb
