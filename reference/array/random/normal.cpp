// Numbers of other distributions: functions of exact uniform numbers.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/signature.h"
#include "reference/array/random/draws.h"
#include "reference/array/random/quantile.h"
#include "reference/index.h"

namespace plumb {
namespace {

using namespace reference;

constexpr double kUlp = 0x1p-23;     // of binary32, relative, at most
constexpr double kLargest = 17;      // |z|: -log 2^-24 = 16.6, erf z = 1 - 2^-24 at 3.8, of complex z 5.4
constexpr double kOracle = 0x1p-50;  // relative error of what the C library makes of exact numbers

// ---- z S + L

// S and L, numbers of the dtype that broadcast over the result.
struct Affine {
  Complexes S, L;
  bool shifted;  // L is added
};

Complexes as_complex(const Wide& w) {
  if (const auto* z = std::get_if<Complexes>(&w)) return *z;
  Complexes out(shape_of(w));
  for (std::int64_t i = 0; i < out.size(); ++i)
    out[i] = std::holds_alternative<Reals2>(w) ? std::get<Reals2>(w)[i].hi : reals(w)[i];
  return out;
}
Complexes rounded_to(Dtype t, double x) { return as_complex(widen(narrow(Reals({}, x), t))); }
Complexes operand(const Call& c, const char* input, double fallback, Dtype t) {
  return c.has(input) ? as_complex(widen_as(c[input], t)) : rounded_to(t, fallback);
}
Complex at(const Complexes& x, std::int64_t i, const Shape& shape) { return x[broadcast_index(i, shape, x.shape)]; }

// z_i S_i + L_i
Wide moved(const Affine& f, const Complexes& z, Dtype t) {
  Complexes parts(z.shape);
  Reals2 y(z.shape);
  Reals narrow(z.shape);
  for (std::int64_t i = 0; i < y.size(); ++i) {
    const Complex a = z[i], b = at(f.S, i, z.shape), l = at(f.L, i, z.shape);
    if (t == Dtype::c64)
      parts[i] = Complex(a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()) + l;
    y[i] = Double2(a.real()) * Double2(b.real()) + Double2(l.real());
    narrow[i] = a.real() * b.real() + l.real();
  }
  if (t == Dtype::c64) return parts;
  return t == Dtype::f64 ? Wide(y) : Wide(narrow);
}

// Of the parts that are finite.
double modulus(Complex z) {
  return std::hypot(std::isfinite(z.real()) ? z.real() : 0, std::isfinite(z.imag()) ? z.imag() : 0);
}

// c = z S + L. z is a function that errs by k ulps of binary32, and becomes a number of the dtype; P = |z S| strays by
// that, by the rounding of z to fewer bits, and by that of the product, of which a complex one has two and a sum; the
// sum with L is rounded once more. Each rounding that may underflow adds eta / 2. Where L hides P it is that of the
// largest z.
Allowed moved_error(Complex c, Complex S, Complex L, bool shifted, double k, Dtype t) {
  const Dtype part = t == Dtype::c64 ? Dtype::f32 : t;
  const double u = info(part).unit_roundoff(), eta = info(part).min_subnormal, C = modulus(c);
  const double seen = std::abs(c - L) + 0x1p-52 * (C + std::abs(L));
  const double P = std::isfinite(seen) ? seen : kLargest * std::abs(S);
  double e = P * (k * kUlp + kOracle);
  if (info(part).precision < info(Dtype::f32).precision) e += u * (P + e) + std::abs(S) * eta / 2;
  e += (t == Dtype::c64 ? 3 : 1) * (u * (P + e) + eta / 2);
  const bool overflow = P + e > info(part).max;
  if (shifted) e += u * (C + e) + eta / 2;
  return {e, overflow};
}

std::vector<Allowances> moved_bound(const Affine& f, const Wide& want, const Order& order, Dtype t) {
  const Complexes c = as_complex(want);
  Allowances bound(c.shape);
  for (std::int64_t i = 0; i < bound.size(); ++i)
    bound[i] = moved_error(c[i], at(f.S, i, c.shape), at(f.L, i, c.shape), f.shifted, order.function_ulps, t);
  return {bound};
}

// ---- normal

constexpr std::initializer_list<Dtype> kInexact = {Dtype::f32, Dtype::f16, Dtype::bf16, Dtype::f64, Dtype::c64};
constexpr std::initializer_list<Dtype> kFloats = {Dtype::f32, Dtype::f16, Dtype::bf16, Dtype::f64};
constexpr std::initializer_list<Dtype> kSmallFloats = {Dtype::f32, Dtype::f16, Dtype::bf16};

std::vector<Spec> infer_normal(const Request& r) {
  const Dtype t = drawn_dtype(r, kInexact, "f16, bf16, f32, f64 or c64");
  const Shape shape = drawn_shape(r, t == Dtype::c64 ? 2 : 1);
  for (std::size_t i = 1; i < 3; ++i)
    if (r.has(i) && is_complex(r.dtype(i)) && t != Dtype::c64)
      r.fail(Reason::dtype, std::string(input_name(r.op->inputs[i])) + " c64: numbers of " + std::string(name(t)));
  check_broadcast(r, shape);
  return {{t, shape}};
}

// S = sqrt 2 as a number of the dtype, times scale, rounded; of c64 scale alone
Affine normal_affine(const Call& c, Dtype t) {
  Affine f{operand(c, "scale", 1, t), operand(c, "loc", 0, t), c.has("loc")};
  if (t == Dtype::c64) return f;
  const double root = rounded_to(t, std::sqrt(2.0))[0].real();
  Reals2 product(f.S.shape);
  for (std::int64_t i = 0; i < product.size(); ++i) product[i] = root * f.S[i].real();
  f.S = as_complex(widen(narrow(product, t)));
  return f;
}

// out_i = z_i S_i + L_i, erf z_i = u_i
std::vector<Wide> normal(const Call& c) {
  const Spec out = output_specs(c)[0];
  Shape drawn = out.shape;
  if (out.dtype == Dtype::c64) drawn.push_back(2);
  const Reals u = symmetric(c, drawn);
  const auto quantile = [&](std::int64_t i) { return static_cast<double>(erf_quantile(u[i])); };
  Complexes z(out.shape);
  for (std::int64_t i = 0; i < z.size(); ++i)
    z[i] = out.dtype == Dtype::c64 ? Complex(quantile(2 * i), quantile(2 * i + 1)) : quantile(i);
  return {moved(normal_affine(c, out.dtype), z, out.dtype)};
}

std::vector<Allowances> normal_bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const Dtype t = output_specs(c)[0].dtype;
  return moved_bound(normal_affine(c, t), want[0], order, t);
}

constexpr const char* kNormalCases = R"(
  call   u32.2.{v}.{x}+{loc}+{scale}/shape={s},dtype={t}
  from   t={f32,f16,bf16,f64,c64} v=row x=bits loc= scale=
  smoke  s={:,0:,1:,2:,3:,9:,3:0:2,2:3}
  smoke  s=5:3 loc={none,f32.s.row.const--1} scale={,f32.s.row.const-3,i32.s.row.const--2}
  smoke  s=3:2 loc=f32.2.row.uniform scale=f32.3x1.row.uniform     # both broadcast
  smoke  s=67: x=const-0
  ci     s={15,16,17,31,32,33,34,35,63,64,65,127,129,255,257,1025,2047,2049,4099}:
  ci     s=4:5 x=order v={@layouts}
  ci     s=6:10 loc=f32.6x10.{l}.int-5 scale=f32.10.{l}.uniform-9 l={@layouts}
  ci     s=4:3:5 loc={b}.3x1.row.int-2 scale={b}.4x1x5.row.int-90 b={bool,u8,u16,u32,u64,i8,i16,i32,i64,f16,bf16,f64}
  ci     s=64:33 loc=f32.64x1.row.{f} scale=f32.33.row.{f} f={wide,tiny,huge,subnormal,special,lanes-5}
  ci     s=64:9 t=c64 loc=c64.64x1.row.{f} scale=c64.9.row.{f} f={uniform,wide,special}
  ci     s=4:3 loc=f32.3.row.int-5 scale=f32.4x3.row.uniform
  ci     s=2:1:2:1:3:1:2:2 t=f32 loc=f32.1x2x1x3x1x2x1.row.int-9 scale=f32.2x1x2x1x1x1x2x2.row.uniform   # eight axes
  ci     s=2:1:1:2:1:1:1:2:1 t=f32   # nine axes
  ci     s=40003: t={f32,f16}
  nightly s=1000003: t={f32,f16,bf16,f64,c64}
)";

constexpr const char* kNormalRejects = R"(
  call   u32.2.row.order+{loc}+{scale}/shape={s},dtype={t}
  from   loc=f32.s.row.const-0 scale=f32.s.row.const-1 s=2: t=f32
  dtype  t={i32,bool,u64}            # no real and no complex number
  dtype  loc=c64.s.row.const-0       # a complex mean of real numbers
  dtype  scale=c64.s.row.const-0     # a complex scale of real numbers
  attribute t=half                   # no dtype
  shape  s=2:-1                      # negative extent
  shape  loc=f32.3.row.uniform       # does not broadcast to the shape
  shape  scale=f32.1x2.row.uniform   # an axis more than the shape
)";

constexpr const char* kNormalBench = R"(
  ci     u32.2.row.order/shape={16384:,16777216:},dtype={f32,f16}
  ci     u32.2.row.order+f32.s.row.const-1+f32.s.row.const-3/shape=16777216:,dtype=f32
)";

// ---- laplace

std::vector<Spec> infer_laplace(const Request& r) {
  const Dtype t = drawn_dtype(r, kFloats, "f16, bf16, f32 or f64");
  (void)r.number("loc"), (void)r.number("scale");
  return {{t, drawn_shape(r)}};
}

Affine laplace_affine(const Call& c, Dtype t) {
  const double loc = c.number("loc");
  return {rounded_to(t, c.number("scale")), rounded_to(t, loc), loc != 0};
}

// out_i = z_i scale + loc, z_i = sign(u_i) log(1 - |u_i|)
std::vector<Wide> laplace(const Call& c) {
  const Spec out = output_specs(c)[0];
  const Reals u = symmetric(c, out.shape);
  Complexes z(out.shape);
  for (std::int64_t i = 0; i < z.size(); ++i) z[i] = std::copysign(1.0, u[i]) * std::log1p(-std::abs(u[i]));
  return {moved(laplace_affine(c, out.dtype), z, out.dtype)};
}

std::vector<Allowances> laplace_bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const Dtype t = output_specs(c)[0].dtype;
  return moved_bound(laplace_affine(c, t), want[0], order, t);
}

constexpr const char* kLaplaceCases = R"(
  call   u32.2.{v}.{x}/shape={s},dtype={t},loc={m},scale={b}
  from   t={f32,f16,bf16,f64} v=row x=bits m=0.0 b=1.0
  smoke  s={:,0:,1:,2:,3:,9:,3:0:2,2:3}
  smoke  s=31: m={0.0,1.5} b={1.0,-0.5,0.0,1e30,1e-30}
  ci     s={15,16,17,31,32,33,63,64,65,127,129,255,257,1025,2049,4099}:
  ci     s=4:5 x=order v={@layouts}
  ci     s=40003: t={f32,f16}
)";

constexpr const char* kLaplaceRejects = R"(
  call   u32.2.row.order/shape={s},dtype={t},loc=0.0,scale={b}
  from   s=2: t=f32 b=1.0
  dtype  t={i32,c64}     # no real number
  attribute t=half       # no dtype
  attribute b=wide       # no number
  shape  s=2:-1          # negative extent
)";

constexpr const char* kLaplaceBench = R"(
  ci     u32.2.row.order/shape={16384:,16777216:},dtype=f32
)";

// ---- gumbel

std::vector<Spec> infer_gumbel(const Request& r) {
  return {{drawn_dtype(r, kSmallFloats, "f16, bf16 or f32"), drawn_shape(r)}};
}

// out_i = -log(-log u_i)
std::vector<Wide> gumbel(const Call& c) {
  const Spec out = output_specs(c)[0];
  const Reals u = units(c, out.shape, out.dtype);
  Reals g(out.shape);
  for (std::int64_t i = 0; i < g.size(); ++i) g[i] = -std::log(-std::log(u[i]));
  return {g};
}

// The inner logarithm errs by k ulps and may be rounded to the dtype: by a relative r, which moves the outer one by
// r / (1 - r); that errs by k ulps of its own and is rounded to the dtype.
std::vector<Allowances> gumbel_bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const DtypeInfo& t = info(output_specs(c)[0].dtype);
  const double u = t.precision < info(Dtype::f32).precision ? t.unit_roundoff() : 0, k = order.function_ulps;
  const double r = (k * kUlp + kOracle) * (1 + u) + u, moved = r / (1 - r);
  Allowances bound(shape_of(want[0]));
  for (std::int64_t i = 0; i < bound.size(); ++i) {
    const double C = std::abs(reals(want[0])[i]), e = moved + (k * kUlp + kOracle) * (C + moved);
    bound[i].error = e + u * (C + e) + t.min_subnormal / 2;
  }
  return {bound};
}

constexpr const char* kGumbelCases = R"(
  call   u32.2.{v}.{x}/shape={s},dtype={t}
  from   t={f32,f16,bf16} v=row x=bits
  smoke  s={:,0:,1:,2:,3:,9:,3:0:2,2:3}
  ci     s={15,16,17,31,32,33,63,64,65,127,129,255,257,1025,2049,4099}:
  ci     s=4:5 x=order v={@layouts}
  ci     s=100003:
)";

constexpr const char* kGumbelRejects = R"(
  call   u32.2.row.order/shape={s},dtype={t}
  from   s=2: t=f32
  dtype  t={i32,c64}     # no real number
  dtype  t=f64           # a word has 32 bits
  shape  s=2:-1          # negative extent
)";

constexpr const char* kGumbelBench = R"(
  ci     u32.2.row.order/shape={16384:,16777216:},dtype=f32
)";

// ---- truncated_normal

std::vector<Spec> infer_truncated(const Request& r) {
  const Dtype t = drawn_dtype(r, kSmallFloats, "f16, bf16 or f32");
  const Shape shape = drawn_shape(r, r.letters->broadcast);
  check_broadcast(r, shape);
  return {{t, shape}};
}

// The z with Q(z) = (1 - v) Q(a) + v Q(b), a < b, a > 0: by logarithms, of which neither underflows.
long double beyond(long double a, long double b, long double v) {
  const long double from = log_tail(a), mass = -std::expm1(log_tail(b) - from);
  return tail_quantile(from + std::log1p(-v * mass));
}

// The z with Phi(z) = (1 - v) Phi(a) + v Phi(b), a < b, from the side where probabilities are small.
long double truncated(long double a, long double b, long double v) {
  const auto tail = [](long double z) { return std::erfc(z / std::sqrt(2.0L)) / 2; };  // 1 - Phi(z)
  if (a > 0) return beyond(a, b, v);
  if (b < 0) return -beyond(-b, -a, 1 - v);
  const long double above = (1 - v) * tail(a) + v * tail(b), below = (1 - v) * tail(-a) + v * tail(-b);
  return above < below ? tail_quantile(std::log(above)) : -tail_quantile(std::log(below));
}

// out_i is the number before which lies a share u_i of the normal distribution between lower and upper
std::vector<Wide> truncated_normal(const Call& c) {
  const Spec out = output_specs(c)[0];
  const Wide lower = widen_as(c["lower"], out.dtype), upper = widen_as(c["upper"], out.dtype);
  const Reals u = units(c, out.shape, out.dtype);
  Reals y(out.shape);
  for (std::int64_t i = 0; i < y.size(); ++i) {
    const double a = reals(lower)[broadcast_index(i, out.shape, c.shape(0))];
    const double b = reals(upper)[broadcast_index(i, out.shape, c.shape(1))];
    if (std::isnan(a) || std::isnan(b)) y[i] = std::numeric_limits<double>::quiet_NaN();
    else if (!(a < b) || u[i] == 0) y[i] = a;
    else y[i] = std::clamp(static_cast<double>(truncated(a, b, u[i])), a, b);
  }
  return {y};
}

// k ulps of binary32; where the number is nearly 0, what probabilities in binary64 stray by, over the density there;
// the rounding to a narrower dtype.
std::vector<Allowances> truncated_bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const DtypeInfo& t = info(output_specs(c)[0].dtype);
  const double u = t.precision < info(Dtype::f32).precision ? t.unit_roundoff() : 0, k = order.function_ulps;
  Allowances bound(shape_of(want[0]));
  for (std::int64_t i = 0; i < bound.size(); ++i) {
    const double C = std::abs(reals(want[0])[i]), e = C * (k * kUlp + kOracle) + 0x1p-48;
    bound[i].error = e + u * (C + e) + t.min_subnormal / 2;
  }
  return {bound};
}

constexpr const char* kTruncatedCases = R"(
  call   {lower}+{upper}+u32.2.{v}.{x}/shape={s},dtype={t}
  from   t={f32,f16,bf16} v=row x=bits s=none lower=f32.s.row.const-{m} upper=f32.s.row.const-{h} m=-1 h=1
  smoke  s={none,:,0:,1:,2:,3:,9:,2:3}
  smoke  s=40: m={-1,0,1,8,-40} h={2,9,inf}          # across 0, to one side of it, far out
  smoke  s=12: m,h={3 2,0 0,1 1,-inf inf,-inf -4,-9 -8,inf inf,nan 1,100 inf,30000 60000}
  ci     s={15,16,17,31,32,33,63,64,65,127,129,257,1025,2049}: m=-2 h=0.5
  ci     s=4:5 x=order v={@layouts}
  ci     s=40:33 lower={b}.40x1.row.{f} upper={b}.33.row.{f} f={uniform,uniform-3,int-9,wide,special,lanes-5} b=f32
  ci     s=none lower={b}.6x1.row.int-3 upper={b}.5.row.int-90 b={bool,u8,u64,i8,i32,i64,f16,bf16,f64}
  ci     s=6:10 lower=f32.6x10.{l}.uniform-3 upper=f32.10.row.uniform-9 l={@layouts} t=f32
  ci     s=2:1:2:1:3:1:2:2 t=f32 lower=f32.1x2x1x3x1x2x1.row.uniform upper=f32.2x1x2x1x1x1x2x2.row.uniform
  ci     s=2:1:1:2:1:1:1:2:1 t=f32   # nine axes
  ci     s=3003: m={-6,-5,5} h={6,7,5.5,inf} t=f32   # where one path takes over from the other
)";

constexpr const char* kTruncatedRejects = R"(
  call   {lower}+{upper}+u32.2.row.order/shape={s},dtype={t}
  from   lower=f32.s.row.const-0 upper=f32.s.row.const-1 s=2: t=f32
  dtype  t={i32,c64}             # no real number
  dtype  t=f64                   # a word has 32 bits
  shape  s=2:-1                  # negative extent
  shape  lower=f32.3.row.uniform # does not broadcast to the shape
)";

constexpr const char* kTruncatedBench = R"(
  ci     f32.s.row.const--2+f32.s.row.const-2+u32.2.row.order/shape={16384:,4194304:},dtype=f32
)";

Op normal_row() {
  return {
      .name = "normal",
      .signature = "key u32[2], loc? L[...], scale? M[...] -> out F[*S]",
      .types = "L, M: bool integers floats c64; F: floats c64",
      .attrs = {{"shape", Shape{}}, {"dtype", "f32"}},
      .equation =
          "out_i = z_i S_i + loc_i, erf z_i = u_i, u = uniform(-(1 - 2^-24), 1, shape) of f32, "
          "S = sqrt 2 scale; of c64 S = scale, and z_i has two numbers for its parts",
      .meaning =
          "z becomes a number of the dtype, as sqrt 2, scale and loc do; sqrt 2 scale, the product and the "
          "sum are rounded each; |u| < 1, so that no z is infinite; parts of c64 have variance 1/2; loc and "
          "scale may not make the shape grow",
      .infer = infer_normal,
      .oracle = normal,
      .cases = kNormalCases,
      .rejects = kNormalRejects,
      .bench = kNormalBench,
      .tolerance = {.kind = Tolerance::Class::inherited, .bound = normal_bound},
  };
}

Op laplace_row() {
  return {
      .name = "laplace",
      .signature = "key u32[2] -> out F[*S]",
      .types = "F: floats",
      .attrs = {{"shape", Shape{}}, {"dtype", "f32"}, {"loc", 0.0}, {"scale", 1.0}},
      .equation = "out_i = sign(u_i) log(1 - |u_i|) scale + loc, u = uniform(-(1 - 2^-24), 1, shape) of f32",
      .meaning =
          "the sign is that of MLX, opposite to the inverse of the distribution function, which is the same "
          "law; the logarithm becomes a number of the dtype, as scale and loc do",
      .infer = infer_laplace,
      .oracle = laplace,
      .cases = kLaplaceCases,
      .rejects = kLaplaceRejects,
      .bench = kLaplaceBench,
      .tolerance = {.kind = Tolerance::Class::inherited, .bound = laplace_bound},
  };
}

Op gumbel_row() {
  return {
      .name = "gumbel",
      .signature = "key u32[2] -> out F[*S]",
      .types = "F: f16 bf16 f32",
      .attrs = {{"shape", Shape{}}, {"dtype", "f32"}},
      .equation = "out_i = -log(-log u_i), u = uniform(0, 1, shape) of the dtype",
      .meaning = "the inner logarithm may be rounded to the dtype; u_i = 0 gives -inf",
      .infer = infer_gumbel,
      .oracle = gumbel,
      .cases = kGumbelCases,
      .rejects = kGumbelRejects,
      .bench = kGumbelBench,
      .tolerance = {.kind = Tolerance::Class::inherited, .bound = gumbel_bound},
  };
}

Op truncated_normal_row() {
  return {
      .name = "truncated_normal",
      .signature = "lower L[...], upper M[...], key u32[2] -> out F[*S]",
      .types = "L, M: bool integers floats; F: f16 bf16 f32",
      .attrs = {{"shape", kNone}, {"dtype", "f32"}},
      .equation = "Phi(out_i) = (1 - u_i) Phi(lower_i) + u_i Phi(upper_i), u = uniform(0, 1, shape) of the dtype",
      .meaning =
          "the exact quantile, far out too, where erf in f32 is 1 and MLX gives the bound that is farther "
          "from 0; lower and upper become numbers of the dtype first; lower >= upper gives lower; the shape "
          "is what they broadcast to if none is given",
      .infer = infer_truncated,
      .oracle = truncated_normal,
      .cases = kTruncatedCases,
      .rejects = kTruncatedRejects,
      .bench = kTruncatedBench,
      .tolerance = {.kind = Tolerance::Class::inherited, .bound = truncated_bound},
  };
}

}  // namespace

std::vector<Op> normal_ops() { return {normal_row(), laplace_row(), gumbel_row(), truncated_normal_row()}; }

}  // namespace plumb
