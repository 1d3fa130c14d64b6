// Normalisations of the lines along the last axis: rms_norm and layer_norm.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/text.h"
#include "reference/moments.h"
#include "reference/nn/wide.h"

namespace plumb {
namespace {

using namespace reference;

// eps as it is added: rounded to f32
double eps_of(const Request& r) {
  const double eps = static_cast<double>(to_float(r.number("eps")));
  if (!(eps >= 0 && eps < std::numeric_limits<double>::infinity()))
    r.fail(Reason::attribute, "eps is " + shortest(r.number("eps")));
  return eps;
}

std::vector<Spec> infer_rms(const Request& r) {
  (void)eps_of(r);
  return r.outputs();
}

// A bias without a weight is taken in x's type, and changes no other.
std::vector<Spec> infer_layer(const Request& r) {
  (void)eps_of(r);
  std::vector<Spec> out = r.outputs();
  if (r.has("weight") || !r.has("bias")) return out;
  out[0].dtype = r.dtype(0);
  if (!is_real(r.dtype(0))) r.fail(Reason::dtype, "x " + std::string(name(r.dtype(0))) + ": not a floating type");
  return out;
}

Dtype type_of(const Call& c) { return output_specs(c)[0].dtype; }

// Per feature, or a constant where it is not given.
template <class R>
std::vector<R> vector_of(const Call& c, std::string_view input, R otherwise) {
  const auto n = static_cast<std::size_t>(c.shape(0).back());
  return c.has(input) ? values<R>(c[input], type_of(c)) : std::vector<R>(n, otherwise);
}

// The mean of n values x(i).
template <class R, class X>
R mean(std::int64_t n, X&& x) {
  R sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += x(i);
  return sum / static_cast<R>(n);
}

// m and v of one line. The mean of values lies among them, so that the mean of equal ones is that one.
template <class R>
struct Statistics {
  R m, v;
};
template <class R>
Statistics<R> statistics(const R* x, std::int64_t n, bool centred) {
  R m = centred ? mean<R>(n, [&](std::int64_t i) { return x[i]; }) : 0;
  if (centred) m = m < *std::min_element(x, x + n) ? *std::min_element(x, x + n) : m;
  if (centred) m = m > *std::max_element(x, x + n) ? *std::max_element(x, x + n) : m;
  return {m, mean<R>(n, [&](std::int64_t i) { return (x[i] - m) * (x[i] - m); })};
}

// y_i = (x_i - m) / sqrt(v + eps) * weight_i + bias_i
template <class R>
Wide normalised(const Call& c, bool centred) {
  using std::sqrt;
  const std::vector<R> x = values<R>(c[0], type_of(c)), w = vector_of<R>(c, "weight", 1),
                       b = centred ? vector_of<R>(c, "bias", 0) : std::vector<R>(w.size());
  const R eps = eps_of(c);
  std::vector<R> y(x.size());
  const auto n = static_cast<std::int64_t>(w.size());
  for (std::size_t first = 0; first < x.size(); first += w.size()) {
    const auto [m, v] = statistics(x.data() + first, n, centred);
    for (std::size_t i = 0; i < w.size(); ++i) y[first + i] = (x[first + i] - m) / sqrt(v + eps) * w[i] + b[i];
  }
  return wide_of(c.shape(0), std::move(y));
}

template <bool centred>
std::vector<Wide> oracle(const Call& c) {
  return {in_wide(type_of(c), [&](auto r) { return normalised<decltype(r)>(c, centred); })};
}

// ---- bounds: docs/bounds.md, "A normalisation"

template <class R>
Moments moments(const R* x, std::int64_t n, bool centred) {
  const auto [first, v] = statistics(x, n, centred);
  const R m = first;  // a lambda cannot take what is bound so in every compiler
  const auto average = [&](auto of) { return static_cast<double>(mean<R>(n, of)); };
  return {static_cast<double>(m),
          static_cast<double>(v),
          centred ? average([&](std::int64_t i) { return std::abs(x[i]); }) : 0,
          centred ? average([&](std::int64_t i) { return std::abs(x[i] - m); }) : 0,
          std::max<std::int64_t>(1, n),
          centred};
}

// A power of two by which values and the root of eps may be multiplied, which leaves y as it is: the squares of most
// doubles are none.
template <class R>
R power_of(const R* x, std::int64_t n, double eps) {
  R peak = 0;
  for (std::int64_t i = 0; i < n; ++i)
    if (std::isfinite(x[i])) peak = std::max(peak, std::abs(x[i]));
  return peak > R(0x1p500) ? R(0x1p-512) : eps == 0 && peak > 0 && peak < R(0x1p-400) ? R(0x1p600) : R(1);
}

template <class R>
Allowances bound_of(const Call& c, const Wide& want, const Order& order, bool centred) {
  const Dtype out = type_of(c);
  const std::vector<R> x = values<R>(c[0], out), w = vector_of<R>(c, "weight", 1);
  const auto n = static_cast<std::int64_t>(w.size());
  const Arithmetic route = arithmetic_of(order, n);
  const double u = own_roundoff(out);
  const Arithmetic own{u, 2 * u, 0x1p-1074, std::numeric_limits<double>::max(), static_cast<double>(n), 1, false};
  const double eps = eps_of(c);
  Allowances allowed(c.shape(0));
  for (std::size_t first = 0; first < x.size(); first += w.size()) {
    const R scale = power_of(x.data() + first, n, eps);
    std::vector<R> line(x.data() + first, x.data() + first + n);
    for (R& v : line) v *= scale;
    const Moments m = moments(line.data(), n, centred);
    const double e = eps * static_cast<double>(scale) * static_cast<double>(scale);
    const MomentErrors by_route = moment_errors(m, route), by_oracle = moment_errors(m, own);
    for (std::size_t k = 0; k < w.size(); ++k) {
      const auto i = static_cast<std::int64_t>(first + k);
      const double y = value_at(want, i), v = static_cast<double>(line[k]), f = static_cast<double>(w[k]);
      if (!std::isfinite(y)) continue;
      const Allowed here = strayed(v, m, e, f, y, static_cast<double>(n), by_route, route),
                    ours = strayed(v, m, e, f, y, static_cast<double>(n), by_oracle, own);
      allowed[i] = {rounded_once(y, here.error + ours.error, out, order.accumulator), here.overflow};
    }
  }
  return allowed;
}

template <bool centred>
std::vector<Allowances> bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  return {in_wide(type_of(c), [&](auto r) { return bound_of<decltype(r)>(c, want[0], order, centred); })};
}

Cost cost(const Call& c) {
  const double n = static_cast<double>(c[0].size());
  return {8 * n, n * (info(c.dtype(0)).bytes + info(type_of(c)).bytes)};
}

// ---- cases

constexpr const char* kInputs = R"(
  from   x0={t}.{s}{n}.{l}.{x} vector={u}.{n}.{v}.{y} last={r}.{n}.{v}.{y} v={l=='broadcast'?'row':l}
  from   t=f32 u={t} r={t} s=20x n=7 l=row x=uniform y=uniform eps=1e-05 w=1 b=1 float={@floats,f64}
)";

constexpr const char* kCases = R"(
  smoke  t={float} x={uniform,int-9,const-17,wide,masked-1} s=6x
  smoke  w={0,1} b={0,1} s=2x3x
  # every dtype in every layout
  ci     t={float} l={@layouts} s=3x4x n=37
  smoke  s=1x2x1x3x1x2x1x n=5 l={row,transposed}
  ci     s=1x2x1x3x1x2x1x n=5 l={@layouts}
  # what is promoted: statistics are those of values that have the type of the result
  smoke  t,u,r={f16 f32 f32, i32 f16 f16, f32 f64 bf16, bool f32 u8, f32 i64 f16, f16 f16 f32} x=int-9 y=int-3
  smoke  t,u,r={f16 bf16 bf16, bf16 f16 f64, bf16 bf16 f32, i16 f16 f16}
  # no line, nothing in a line, a line alone
  smoke  s={0x,3x,0x3x} n={0,4}
  smoke  s= n={1,2,9}
  # eps is what keeps equal values from being undefined
  smoke  x={const-17,const-0.1,uniform,int-1} eps=0.0 s=3x
  ci     t={float} x=uniform-8 eps={0.0,1e-12,0.1,1e6}
  ci     t={float} x={const-17,const-0.1} eps=0.0 n={7,1031} s=3x
  # lines around vectors, the lanes of a work-group and what it holds, threads
  from   n={1,2,3,4,5,7,8,9,15,16,17,31,32,33,63,64,65,127,128,129,255,256,257,511,512,513,1023,1025,2047,2048,2049,
         4095,4097,9001}
  ci     s=3x x={uniform,int-3}
  ci     s=3x t={f16,f64} x=uniform
  ci     s={1,2,3,7,8,9,63,64,65,257,1030}x n={5,40} x=int-3
  # values that leave a range or lose one another, far from 0 beside their spread
  ci     t={float} s=70x n=40 x={uniform-100,cancel,positive,groups,ramp-60,tiny,huge,subnormal,lanes-41,apart}
  ci     t={float} s=30x n={20,300} x={order,special-30,nan_rows-3}
  smoke  t,x={f32 near, f16 near-1000, f64 near} n=65 s=4x
  ci     t,x={f32 near, f16 near-1000, f64 near} n={5,1200,9000} s=4x
  nightly t={float} s=300x n=70001
)";

constexpr const char* kRejects = R"(
  from   t=f32 x0={t}.20x7.row.uniform vector={t}.7.row.uniform last={t}.7.row.uniform w=1 b=1
  attribute eps=-1e-05            # a negative eps
  attribute eps=inf               # an eps that leaves nothing
)";

constexpr const char* kBench = "ci t,s,n={f32 4096x 4096, f16 4096x 4096, f32 65536x 128}";

Op row(std::string_view name, std::string signature, std::string types, std::string_view call) {
  Op op;
  op.name = name;
  op.signature = std::move(signature);
  op.types = std::move(types);
  op.attrs = {{"eps", 1e-5}};
  op.cases = {call, kInputs, kCases};
  op.rejects = {call, kRejects};
  op.bench = {call, kInputs, kBench};
  op.cost = cost;
  op.tolerance.kind = Tolerance::Class::inherited;
  return op;
}

}  // namespace

std::vector<Op> normalization_ops() {
  Op rms = row("rms_norm", "x X[*B,N], weight? W[N] -> out P[*B,N]",
               "X, W: bool integers floats; P = promote(X, W): floats", "call {x0}+{w?vector:'none'}/eps={eps}");
  rms.equation = "y_i = x_i / sqrt(mean of x_j^2 over the line of i along the last axis + eps) * weight_i";
  rms.meaning =
      "operands are promoted first; halves compute in f32 and round once, f64 in f64 (upstream: statistics in f32); "
      "eps "
      "is rounded to f32, 0 is allowed (a line of zeros is then NaN), negative is refused";
  rms.infer = infer_rms;
  rms.oracle = oracle<false>;
  rms.tolerance.bound = bound<false>;
  Op layer = row("layer_norm", "x X[*B,N], weight? W[N], bias? V[N] -> out P[*B,N]",
                 "X, W, V: bool integers floats; P = promote(X, W, V): floats",
                 "call {x0}+{w?vector:'none'}+{b?last:'none'}/eps={eps}");
  layer.equation =
      "y_i = (x_i - m) / sqrt(v + eps) * weight_i + bias_i; m, v mean and population variance of the line of i along "
      "the "
      "last axis";
  layer.meaning =
      "operands are promoted first, but a bias without a weight is taken in x's type; halves compute in f32 and round "
      "once, f64 in f64 (upstream: statistics in f32); eps is rounded to f32, 0 is allowed (equal values are then "
      "NaN), "
      "negative is refused";
  layer.infer = infer_layer;
  layer.oracle = oracle<true>;
  layer.tolerance.bound = bound<true>;
  return {rms, layer};
}

}  // namespace plumb
