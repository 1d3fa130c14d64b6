// The logarithm of a sum of exponentials along axes.
#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/array/reduce/cut.h"

namespace plumb {
namespace {

using namespace reference;

constexpr double kInf = std::numeric_limits<double>::infinity();

double real_of(double x) { return x; }
double real_of(Double2 x) { return x.hi; }

template <class T>
T greatest(const std::vector<T>& x) {
  T m(-kInf);
  for (const T& v : x)
    if (m < v) m = v;
  return m;
}

// y_l = m + log(sum of e^(x_i - m)), m = max x_i; m itself if that is an infinity; NaN if any x_i is
template <class T>
T logsumexp_of(const std::vector<T>& x) {
  using std::exp, std::log;
  for (const T& v : x)
    if (std::isnan(real_of(v))) return v;
  const T m = greatest(x);
  if (std::isinf(real_of(m))) return m;
  T sum(0);
  for (const T& v : x) sum = sum + exp(v - m);
  return m + log(sum);
}

// f(x, the lines of x, its type) for the input as the real numbers that it is computed with.
template <class F>
auto with_reals(const Call& c, F&& f) {
  const Wide x = widen_as(c[0], at_least_float(c.dtype(0)));
  if (const auto* wide = std::get_if<Reals2>(&x)) return f(*wide, cut(c));
  return f(std::get<Reals>(x), cut(c));
}

std::vector<Wide> logsumexp(const Call& c) {
  return with_reals(c, [&]<class T>(const Array<T>& a, const Cut& lines) -> std::vector<Wide> {
    Array<T> y(c.outputs()[0].shape);
    for_lines(a, lines, [&](std::int64_t l, const std::vector<T>& x) { y[l] = logsumexp_of(x); });
    return {y};
  });
}

// The running error, first as that of softmax: d_i = m - x_i, p_i = e^(-d_i) / S, u the roundoff, k the ulps of the
// functions, h the depth of the sum,
//
//   |dS| / S <= r = u sum p_i d_i + 2 k u + gamma_h + (k + 1) n eta
//
// and parts of a line with maxima of their own, where a route joins them by a tree, are brought together in double by
// factors e^(m' - m), whose differences add up to no more than d_i. Then
//
//   |dy| <= r / (1 - r) + 2 k u log S + u |y|
template <class T>
double error_of(const std::vector<T>& x, double y, const Order& order, Dtype out) {
  if (!std::isfinite(y)) return 0;
  const double own = std::is_same_v<T, double> ? 0x1p-53 : kDouble2Roundoff, library = 32 * own, joins = 0x1p-53;
  const bool exact = order.shape == Order::Shape::exact;
  const double u = exact ? 0 : order.accumulator_roundoff(), k = order.function_ulps;
  const double n = static_cast<double>(x.size()), h = static_cast<double>(order.depth(static_cast<std::int64_t>(n)));
  const double m = real_of(greatest(x));
  double sum = 0, far = 0;
  for (const T& v : x)
    if (const double d = m - real_of(v); std::isfinite(d)) sum += std::exp(-d), far += d * std::exp(-d);
  far /= sum;
  double r = (u + own) * far + 2 * k * u + 2 * library + gamma(h, u) + gamma(n, own);
  if (!exact) r += (k + 1) * n * info(order.accumulator).min_subnormal;
  if (order.tree) r += joins * far + gamma(6 * h, joins);
  if (r >= 1) return kInf;
  double error = r / (1 - r) + 2 * (k * u + library) * std::log(sum);
  error += (u + own) * (std::abs(y) + error);
  if (exact || info(out).precision < info(order.accumulator).precision)
    error += info(out).unit_roundoff() * (std::abs(y) + error) + info(out).min_subnormal / 2;
  return error;
}

std::vector<Allowances> bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const Spec out = c.outputs()[0];
  return with_reals(c, [&]<class T>(const Array<T>& a, const Cut& lines) -> std::vector<Allowances> {
    Allowances b(out.shape);
    const auto& y = std::get<Array<T>>(want[0]);
    for_lines(a, lines, [&](std::int64_t l, const std::vector<T>& x) {
      b[l].error = error_of(x, real_of(y[l]), order, out.dtype);
    });
    return {b};
  });
}

std::vector<Spec> infer(const Request& r) {
  refuse_empty_lines(r, "logarithm");
  return r.outputs();
}

constexpr const char* kCall = R"(
  call   {t}.{s}.{l}.{x}/axis={axis},keepdims={keep}
  from   types={@all,!c64} x1=uniform-3 x2=uniform-10 x3=special
)";
constexpr const char* kMore = R"(
  # lines that hold an infinity, nothing but -inf, numbers far apart or far from 0
  smoke  t={f32,f16,bf16,f64} s,axis,x={64x3 1 special, 3x64 0 special-40, 64x33 0 masked-7, 5x40 1 masked-8}
  ci     t={f32,f64,bf16} s=3x{300,4097} x={special-1000,masked-4,masked-8,uniform-1000,near-80,wide-9} axis=1
  ci     t={f32,f64,bf16} s={70,300}x9 x={special-200,masked-4,masked-8,uniform-1000,near--80} axis=0
  ci     t={i8,u16,i64,bool} s=5x300 x=whole axis={0,1}
  ci     t=f16 s=2x4097 x={const-7,uniform-10} axis=1
)";
constexpr const char* kRejectEmpty = R"(
  shape  a=f32.0x2.row.uniform axis=0     # the logarithm of nothing
  shape  a=f32.3x0x2.row.uniform axis=1   # nor of nothing in the middle
)";
constexpr const char* kBench = R"(
  call   {t}.{s}.row.uniform-10/axis={axis}
  ci     t=f32 s=16777216 axis=
  ci     t,s,axis={f32 4096x4096 1, f32 4096x4096 0, f16 4096x4096 1}
)";

Cost exponential_cost(const Call& c) {
  return {5 * static_cast<double>(c[0].size()), input_bytes(c) + output_bytes(c)};
}

}  // namespace

std::vector<Op> logsumexp_ops() {
  Op op;
  op.name = "logsumexp";
  op.signature = "a T[...] -> out F[... over axis]";
  op.types = "T: bool integers floats; F = float(T)";
  op.attrs = {{"axis", kNone}, {"keepdims", false}};
  op.equation = "y_l = m + log(sum of e^(a_i - m) over the elements i of line l), m = max a_i";
  op.meaning =
      "an infinite m is the result, and any NaN makes one; integers and bool are rounded to f32 first; halves compute "
      "in "
      "f32 on every axis and round once (upstream in the half type off the last axes); complex input is refused, and "
      "an "
      "empty line: shape";
  op.infer = infer;
  op.oracle = logsumexp;
  op.cases = {kCall, kLineCases, kMore};
  op.rejects = {kAxisRejects, kRejectEmpty};
  op.bench = kBench;
  op.cost = exponential_cost;
  op.tolerance.kind = Tolerance::Class::inherited;
  op.tolerance.bound = bound;
  return {op};
}

}  // namespace plumb
