// Values of an index alone: ranges and windows.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/op.h"

namespace plumb {
namespace {

std::string text(double v) { return to_string(Attr(v)); }

double finite(const Request& r, std::string_view name) {
  const double v = r.number(name);
  if (!std::isfinite(v)) r.fail(Reason::attribute, std::string(name) + " is " + text(v));
  return v;
}

// ---- arange

bool whole(const Request& r, std::string_view name) { return r.attrs.find(name)->get<std::int64_t>() != nullptr; }
bool fits_i32(const Request& r, std::string_view name) {
  const std::int64_t v = r.integer(name);
  return v >= std::numeric_limits<std::int32_t>::min() && v <= std::numeric_limits<std::int32_t>::max();
}

Dtype arange_dtype(const Request& r) {
  if (const auto t = r.dtype_attr("dtype")) return *t;
  bool narrow = true;
  for (const char* name : {"start", "stop", "step"}) {
    if (!whole(r, name)) return Dtype::f32;
    narrow = narrow && fits_i32(r, name);
  }
  return narrow ? Dtype::i32 : Dtype::i64;
}

std::vector<Spec> infer_arange(const Request& r) {
  const double start = finite(r, "start"), stop = finite(r, "stop"), step = finite(r, "step");
  if (step == 0) r.fail(Reason::attribute, "step is 0");
  const Dtype t = arange_dtype(r);
  if (t == Dtype::boolean || is_complex(t))
    r.fail(Reason::attribute, "dtype " + std::string(name(t)) + " has no ranges");
  const double n = std::max(0.0, std::ceil((stop - start) / step));
  if (n > std::numeric_limits<std::int32_t>::max()) r.fail(Reason::memory, text(n) + " elements: more than 2^31 - 1");
  return {{t, {static_cast<std::int64_t>(n)}}};
}

// out_i = start + i step; of whole numbers s + i d with s = T(start), d = T(start + step) - T(start)
std::vector<Wide> arange(const Call& c) {
  const Spec out = output_specs(c)[0];
  const double start = c.number("start"), step = c.number("step");
  if (out.dtype == Dtype::f64) {
    Reals2 y(out.shape);
    for (std::int64_t i = 0; i < y.size(); ++i) y[i] = Double2(start) + Double2(static_cast<double>(i)) * Double2(step);
    return {y};
  }
  if (is_inexact(out.dtype)) {
    Reals y(out.shape);
    for (std::int64_t i = 0; i < y.size(); ++i) y[i] = start + static_cast<double>(i) * step;
    return {y};
  }
  const auto whole_part = [&](const char* name) {
    return whole(c, name) ? c.integer(name) : static_cast<std::int64_t>(std::trunc(c.number(name)));
  };
  const bool both = whole(c, "start") && whole(c, "step");
  const std::int64_t s = whole_part("start"),
                     d = both ? c.integer("step") : static_cast<std::int64_t>(std::trunc(start + step)) - s;
  Integers y(out.shape);
  for (std::int64_t i = 0; i < y.size(); ++i)
    y[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(s) +
                                     static_cast<std::uint64_t>(i) * static_cast<std::uint64_t>(d));
  return {y};
}

// Rounded to the output, where that is narrower than what the route computes in.
double stored(double value, double error, const Order& order, Dtype out) {
  if (info(out).precision >= info(order.accumulator).precision) return error;
  return error + info(out).unit_roundoff() * (value + error) + info(out).min_subnormal / 2;
}

// start, step, i, the product and the sum are rounded: gamma_4 of |start| + |i step|, by the route and by the oracle. A
// step below the least normal number errs by eta/2, i times.
std::vector<Allowances> arange_bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const Spec out = output_specs(c)[0];
  Allowances bound(out.shape);
  if (!is_inexact(out.dtype)) return {bound};
  const double own = out.dtype == Dtype::f64 ? kDouble2Roundoff : 0x1p-53;
  for (std::int64_t i = 0; i < bound.size(); ++i) {
    const double size = std::abs(c.number("start")) + std::abs(static_cast<double>(i) * c.number("step"));
    bound[i].error = stored(size, (gamma(4, order.accumulator_roundoff()) + gamma(4, own)) * size, order, out.dtype) +
                     static_cast<double>(i + 3) * info(order.accumulator).min_subnormal / 2;
    bound[i].overflow = size >= info(order.accumulator).max / 2;
  }
  (void)want;
  return {bound};
}

// ---- linspace

std::vector<Spec> infer_linspace(const Request& r) {
  (void)finite(r, "start"), (void)finite(r, "stop");
  const std::int64_t n = r.integer("num");
  if (n < 0) r.fail(Reason::attribute, "num is negative: " + std::to_string(n));
  const Dtype t = r.dtype_attr("dtype").value_or(Dtype::f32);
  if (is_complex(t)) r.fail(Reason::attribute, "dtype " + std::string(name(t)) + " is complex");
  return {{t, {n}}};
}

// Steps from the start to the stop.
std::int64_t divisions(const Call& c) {
  return std::max<std::int64_t>(1, c.integer("num") - (c.flag("endpoint") ? 1 : 0));
}

// out_i = ((d - i) start + i stop) / d, d = num - 1, or num without the end point
template <class T>
Array<T> evenly_spaced(const Call& c) {
  Array<T> y({c.integer("num")});
  const double d = static_cast<double>(divisions(c));
  for (std::int64_t i = 0; i < y.size(); ++i) {
    const auto k = static_cast<double>(i);
    y[i] = (T(d - k) * T(c.number("start")) + T(k) * T(c.number("stop"))) / T(d);
  }
  return y;
}
// Of whole numbers: v_i = (1 - t) start + t stop, t = i / d, each operation rounded to binary32, truncated
Wide whole_spaced(const Call& c, const Spec& out) {
  const auto d = static_cast<float>(divisions(c)), start = static_cast<float>(c.number("start")),
             stop = static_cast<float>(c.number("stop"));
  Reals v(out.shape);
  for (std::int64_t i = 0; i < v.size(); ++i) {
    const float t = static_cast<float>(i) / d, before = (1 - t) * start, after = t * stop;
    v[i] = before + after;
  }
  return widen(narrow(v, out.dtype));
}
std::vector<Wide> linspace(const Call& c) {
  const Spec out = output_specs(c)[0];
  if (!is_inexact(out.dtype)) return {whole_spaced(c, out)};
  if (out.dtype == Dtype::f64) return {evenly_spaced<Double2>(c)};
  return {evenly_spaced<double>(c)};
}

// (1 - t) start + t stop with t = i / d: the ends, i, d, the quotient (5 u of one by 2.5 ulps), the difference,
// products and the sum are rounded, each by u of |(1 - t) start| + |t stop| + |t start|.
std::vector<Allowances> linspace_bound(const Call& c, const std::vector<Wide>&, const Order& order) {
  const Spec out = output_specs(c)[0];
  const double own = out.dtype == Dtype::f64 ? kDouble2Roundoff : 0x1p-53, start = std::abs(c.number("start")),
               stop = std::abs(c.number("stop")), d = static_cast<double>(divisions(c));
  Allowances bound(out.shape);
  for (std::int64_t i = 0; i < bound.size(); ++i) {
    const double t = static_cast<double>(i) / d, size = start + t * stop;
    bound[i].error = stored(size, (gamma(12, order.accumulator_roundoff()) + gamma(5, own)) * size, order, out.dtype) +
                     3 * info(order.accumulator).min_subnormal;
    bound[i].overflow = start + stop >= info(order.accumulator).max / 2;
  }
  return {bound};
}

// ---- windows: a_0 - a_1 cos t + a_2 cos 2 t with t = 2 pi n / (M - 1)

std::vector<Spec> infer_window(const Request& r) { return {{Dtype::f32, {std::max<std::int64_t>(0, r.integer("M"))}}}; }

struct Cosines {
  double a0, a1, a2;
};
Cosines cosines_of(const Op& op) {
  if (op.name == "hanning") return {0.5, 0.5, 0};
  if (op.name == "hamming") return {0.54, 0.46, 0};
  return {0.42, 0.5, 0.08};  // blackman
}

std::vector<Wide> cosine_window(const Call& c) {
  Reals w(output_specs(c)[0].shape);
  const auto [a0, a1, a2] = cosines_of(*c.op);
  for (std::int64_t n = 0; n < w.size(); ++n) {
    const double t = 2 * M_PI * static_cast<double>(n) / static_cast<double>(w.size() - 1);
    w[n] = w.size() == 1 ? 1 : a0 - a1 * std::cos(t) + a2 * std::cos(2 * t);
  }
  return {w};
}

// w_n = 1 - |2 n / (M - 1) - 1|
std::vector<Wide> bartlett(const Call& c) {
  Reals w(output_specs(c)[0].shape);
  for (std::int64_t n = 0; n < w.size(); ++n)
    w[n] =
        w.size() == 1 ? 1 : 1 - std::abs(static_cast<double>(2 * n - w.size() + 1)) / static_cast<double>(w.size() - 1);
  return {w};
}

// An angle of at most pi (the window is symmetric) is a quotient (5 u), times a constant (2 u) and perhaps another: 8 u
// of it. Cosines have slope 1 and k ulps, constants and products one rounding, and the sums two of at most |a_0| +
// |a_1| + |a_2| = s <= 1. The oracle takes angles to 2 pi.
std::vector<Allowances> window_bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const auto [a0, a1, a2] = cosines_of(*c.op);
  const double steep = (a1 + 2 * a2) * 8, terms = (a1 + a2) * 2, sum = 4 * (a0 + a1 + a2);
  const auto error = [&](double u, double k, double turn) { return u * (steep * turn + terms * k + sum) * 1.01; };
  const Reals& y = reals(want[0]);
  Allowances bound(y.shape);
  const double both = error(order.accumulator_roundoff(), order.function_ulps, M_PI) + error(0x1p-53, 1, 2 * M_PI);
  for (std::int64_t i = 0; i < y.size(); ++i) bound[i].error = stored(std::abs(y[i]), both, order, Dtype::f32);
  return {bound};
}

// A quotient of two rounded whole numbers; the oracle has a difference besides.
std::vector<Allowances> bartlett_bound(const Call&, const std::vector<Wide>& want, const Order& order) {
  const Reals& y = reals(want[0]);
  Allowances bound(y.shape);
  for (std::int64_t i = 0; i < y.size(); ++i)
    bound[i].error = stored(y[i], gamma(7, order.accumulator_roundoff()) * y[i] + gamma(3, 0x1p-53), order, Dtype::f32);
  return {bound};
}

// ---- rows

constexpr const char* kArangeCases = R"(
  call   -/start={a},stop={b},step={s},dtype={t}
  from   a=0 s=1 t= number={u8,u16,u32,u64,i8,i16,i32,i64,f16,bf16,f32,f64}
  smoke  b={0,1,7,-3,35}
  smoke  a,b,s={2 -9 -3, 10 3 -2, 5 5 1, 0.0 4.0 0.5, 0.0 1.0 0.1, 1.5 -2.0 -0.25, 0.5 3 1}
  smoke  t={number} b=100 s=3
  ci     t={number} a,b,s={100 0 -3, 0.5 9.0 1.5, 7 90.5 1}
  ci     t={number} b={1023,1024,1025,2049} if={t!='u8'}
  ci     a=-5 b=3000000000 s=1000003                       # 64 bits
  ci     t={f16,bf16,f32,f64} a,b,s={1e6 1.0001e6 0.1, -1.0 1.0 0.001, 1e-40 1e-38 1e-41, 65000.0 66000.0 10.0}
  ci     b=70001 t={i32,f32}
  nightly b=16777220.0 t={f32,f64}                          # beyond what a float counts
)";
constexpr const char* kArangeRejects = R"(
  call   -/start={a},stop={b},step={s},dtype={t}
  from   a=0 b=4 s=1 t=
  attribute s=0          # no step
  attribute b=inf        # no end
  attribute a=nan        # no beginning
  attribute b=none       # no end is given
  attribute t=bool       # bool does not count
  attribute t=c64        # there is no order of complex numbers
  memory b=3000000000    # longer than 2^31
)";

constexpr const char* kLinspaceCases = R"(
  call   -/start={a},stop={b},num={n},endpoint={e},dtype={t}
  from   a=0.0 b=1.0 n=5 e=true t=
  smoke  n={0,1,2,5,35} e={true,false}
  smoke  t={f16,bf16,f32,f64} a=-2.0 b=3.0 n=11 e={true,false}
  ci     t={f16,bf16,f32,f64} a,b={5.0 -5.0, 3 7, 1e-40 1e-38, 1e30 -1e30, 2.0 2.0} n={7,1025} e={true,false}
  ci     n={1023,1024,2049,70001} a=-1.25 b=3.7 t={f32,f16}
  # whole numbers: rounded values, truncated; beyond the type its end
  smoke  t={@integers,bool} a,b={0 10, 1.5 0.2, -5 7, 0 300} n={0,1,4,11} e={true,false}
  ci     t={i32,i64,u8,u64} a,b={0 2147483647, -2147483648 5, 1e30 -1e30, 0 16777217} n={3,35}
  ci     t={i16,bool,u32} a=-1.25 b=70000.0 n={1023,1025,70001}
  nightly n=16777220 t={f32,f64}
)";
constexpr const char* kLinspaceRejects = R"(
  call   -/start={a},stop={b},num={n},dtype={t}
  from   a=0.0 b=1.0 n=5 t=
  attribute n=-1         # less than none
  attribute b=inf        # no end
  attribute a=nan        # no beginning
  attribute t=c64        # complex numbers lie on no line
)";

constexpr const char* kWindowCases = R"(
  call   -/M={m}
  smoke  m={-1,0,1..9,35}
  ci     m={10..70,127..129,255..257,1023,1024,1025,2049,70001}
)";
constexpr const char* kWindowRejects = R"(
  call   -/M={m}
  attribute m=half       # not a number
)";

Op arange_row() {
  Op op;
  op.name = "arange";
  op.signature = "-> out T[N]";
  op.types = "T: all";
  op.attrs = {{"start", 0}, {"stop", kNone}, {"step", 1}, {"dtype", kNone}};
  op.equation =
      "out_i = start + i step for i < ceil((stop - start) / step); of whole numbers s + i d with s = T(start), "
      "d = T(start + step) - T(start)";
  op.meaning =
      "f32 if a number is real, else i32, or i64 where one does not fit; whole numbers are exact, real ones start "
      "+ i step (on the CPU upstream adds the step again and again); a dtype of bool or c64 is refused";
  op.infer = infer_arange;
  op.oracle = arange;
  op.cases = kArangeCases;
  op.rejects = kArangeRejects;
  op.bench = "ci -/stop={1048576,16777216},dtype={i32,f32}";
  op.tolerance.kind = Tolerance::Class::inherited;
  op.tolerance.bound = arange_bound;
  return op;
}

Op linspace_row() {
  Op op;
  op.name = "linspace";
  op.signature = "-> out T[N]";
  op.types = "T: bool integers floats";
  op.attrs = {{"start", 0.0}, {"stop", 1.0}, {"num", 50}, {"endpoint", true}, {"dtype", kNone}};
  op.equation = "out_i = ((d - i) start + i stop) / d for i < num; d = num - 1, or num without the end point";
  op.meaning =
      "one element is the start; f32 unless dtype says another real type; whole numbers and bool as MLX has them, from "
      "(1 - t) start + t stop, t = i / d, each operation rounded to f32: truncated, the end of the type beyond it (MLX "
      "wraps), bool what is not 0; c64 is refused";
  op.infer = infer_linspace;
  op.oracle = linspace;
  op.cases = kLinspaceCases;
  op.rejects = kLinspaceRejects;
  op.bench = "ci -/num={1048576,16777216}";
  op.tolerance.kind = Tolerance::Class::inherited;
  op.tolerance.when = [](const Call& c) {
    return is_inexact(output_specs(c)[0].dtype) ? Tolerance::Class::inherited : Tolerance::Class::exact;
  };
  op.tolerance.bound = linspace_bound;
  return op;
}

Op window_row(std::string_view name, std::string_view equation) {
  Op op;
  op.name = name;
  op.signature = "-> out f32[N]";
  op.attrs = {{"M", 0}};
  op.equation = equation;
  op.meaning = "symmetric, to the bit; M = 1 gives 1, M <= 0 nothing";
  op.infer = infer_window;
  op.oracle = cosine_window;
  op.cases = kWindowCases;
  op.rejects = kWindowRejects;
  op.bench = "ci -/M=1048576";
  op.tolerance.kind = Tolerance::Class::inherited;
  op.tolerance.bound = window_bound;
  return op;
}

Op bartlett_row() {
  Op op = window_row("bartlett", "w_n = 1 - |2 n / (M - 1) - 1| for n < M");
  op.oracle = bartlett;
  op.tolerance.bound = bartlett_bound;
  return op;
}

}  // namespace

std::vector<Op> ranges_ops() {
  return {arange_row(),
          linspace_row(),
          bartlett_row(),
          window_row("hanning", "w_n = 1/2 - 1/2 cos t for n < M, t = 2 pi n / (M - 1)"),
          window_row("hamming", "w_n = 0.54 - 0.46 cos t for n < M, t = 2 pi n / (M - 1)"),
          window_row("blackman", "w_n = 0.42 - 0.5 cos t + 0.08 cos 2 t for n < M, t = 2 pi n / (M - 1)")};
}

}  // namespace plumb
