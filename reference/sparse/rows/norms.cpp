// Normalisations of feature matrices (N,C): by given statistics, by those of the active rows, by those of each row.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/op.h"
#include "core/text.h"
#include "reference/moments.h"

namespace plumb {
namespace {

using namespace reference;

// eps as it is added: rounded to f32
double eps_of(const Request& r) {
  const double eps = static_cast<double>(to_float(r.number("eps")));
  if (!(eps > 0)) r.fail(Reason::attribute, "eps is " + shortest(r.number("eps")));
  return eps;
}

std::vector<Spec> infer(const Request& r) {
  (void)eps_of(r);
  return r.outputs();
}

// Per channel, or a constant where it is not given.
Reals vector_of(const Call& call, std::string_view what, double otherwise) {
  return call.has(what) ? reals(widen(call[what])) : Reals({call.shape(0)[1]}, otherwise);
}

std::int64_t rows_counted(const Call& call) {
  if (!call.has("active_rows")) return call.shape(0)[0];
  return integers(widen(call["active_rows"]))[0];
}

// The mean of n values x(i); the mean of their squared distances from m. No values: NaN.
template <class X>
double mean(std::int64_t n, X&& x) {
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += x(i);
  return sum / static_cast<double>(n);
}

// y = (x - m) / sqrt(v + eps) * w + b
double normalised(double x, double m, double v, double eps, double w, double b) {
  return (x - m) / std::sqrt(v + eps) * w + b;
}

// m and v of every group of values that share them, and what is known of their errors: the same sums of magnitudes.
struct Statistics {
  Reals mean, variance, magnitude, distance;  // magnitude: the mean of |x|; distance: of |x - m|
  std::int64_t terms = 0;                     // 0: m and v are given
  bool centred = true;                        // v is about m; otherwise about 0, and m is 0
};

Statistics of_batch(const Call& call) {
  const Wide x = widen(call[0]);
  const std::int64_t C = call.shape(0)[1], n = rows_counted(call);
  Statistics s{Reals({C}), Reals({C}), Reals({C}), Reals({C}), std::max<std::int64_t>(1, n)};
  for (std::int64_t c = 0; c < C; ++c) {
    const auto at = [&](std::int64_t i) { return reals(x)(i, c); };
    s.mean[c] = mean(n, at);
    s.variance[c] = mean(n, [&](std::int64_t i) { return (at(i) - s.mean[c]) * (at(i) - s.mean[c]); });
    s.magnitude[c] = mean(n, [&](std::int64_t i) { return std::abs(at(i)); });
    s.distance[c] = mean(n, [&](std::int64_t i) { return std::abs(at(i) - s.mean[c]); });
  }
  return s;
}

template <bool centred>
Statistics of_rows(const Call& call) {
  const Wide x = widen(call[0]);
  const std::int64_t N = call.shape(0)[0], C = call.shape(0)[1];
  Statistics s{Reals({N}), Reals({N}), Reals({N}), Reals({N}), std::max<std::int64_t>(1, C), centred};
  for (std::int64_t i = 0; i < N; ++i) {
    const auto at = [&](std::int64_t c) { return reals(x)(i, c); };
    s.mean[i] = centred ? mean(C, at) : 0;
    s.variance[i] = mean(C, [&](std::int64_t c) { return (at(c) - s.mean[i]) * (at(c) - s.mean[i]); });
    s.magnitude[i] = centred ? mean(C, [&](std::int64_t c) { return std::abs(at(c)); }) : 0;
    s.distance[i] = centred ? mean(C, [&](std::int64_t c) { return std::abs(at(c) - s.mean[i]); }) : 0;
  }
  return s;
}

Statistics given(const Call& call) {
  const std::int64_t C = call.shape(0)[1];
  return {vector_of(call, "mean", 0), vector_of(call, "var", 0), Reals({C}), Reals({C})};
}

Reals apply(const Call& call, const Statistics& s, bool by_row, std::string_view weight) {
  const Wide x = widen(call[0]);
  const Reals w = vector_of(call, weight, 1);
  const Reals b = s.centred ? vector_of(call, "bias", 0) : Reals({call.shape(0)[1]});
  const double eps = eps_of(call);
  Reals y(call.shape(0));
  const std::int64_t C = y.shape[1];
  for (std::int64_t i = 0; i < y.size(); ++i) {
    const std::int64_t g = by_row ? i / C : i % C;
    y[i] = normalised(reals(x)[i], s.mean[g], s.variance[g], eps, w[i % C], b[i % C]);
  }
  return y;
}

std::vector<Wide> batch_norm_features(const Call& call) { return {apply(call, given(call), false, "scale")}; }
std::vector<Wide> batch_norm(const Call& call) {
  const Statistics s = of_batch(call);
  return {apply(call, s, false, "weight"), s.mean, s.variance};
}
template <bool centred>
std::vector<Wide> row_norm(const Call& call) {
  return {apply(call, of_rows<centred>(call), true, "scale")};
}

// ---- bounds: docs/bounds.md, "A normalisation"

Moments moments(const Statistics& s, std::int64_t g) {
  return {s.mean[g], s.variance[g], s.magnitude[g], s.distance[g], s.terms, s.centred};
}

template <Statistics (*statistics)(const Call&), bool by_row>
std::vector<Allowances> bound(const Call& call, const std::vector<Wide>& want, const Order& order) {
  const Statistics s = statistics(call);
  const Wide x = widen(call[0]);
  const Reals w = vector_of(call, call.op->name == "batch_norm" ? "weight" : "scale", 1);
  const Dtype acc = order.accumulator;
  const double u = order.accumulator_roundoff(), n = static_cast<double>(s.terms);
  const Arithmetic route = arithmetic_of(order, s.terms);
  const Arithmetic own{0x1p-53, 0x1p-52, 0x1p-1074, std::numeric_limits<double>::max(), n, 1, false};
  const std::int64_t C = call.shape(0)[1];
  const double eps = eps_of(call);
  Allowances of_output(call.shape(0));
  for (std::int64_t i = 0; i < of_output.size(); ++i) {
    const std::int64_t g = by_row ? i / C : i % C;
    const double y = reals(want[0])[i], v = reals(x)[i];
    const Moments m = moments(s, g);
    if (!std::isfinite(y)) continue;
    const double among = by_row || i / C < s.terms ? n : std::numeric_limits<double>::infinity();  // those of m and v
    const Allowed here = strayed(v, m, eps, w[i % C], y, among, moment_errors(m, route), route),
                  ours = strayed(v, m, eps, w[i % C], y, among, moment_errors(m, own), own);
    of_output[i] = {rounded_once(y, here.error + ours.error, call.dtype(0), acc), here.overflow};
  }
  std::vector<Allowances> bounds{of_output};
  if (want.size() == 1) return bounds;
  Allowances of_mean(s.mean.shape), of_variance(s.mean.shape);
  for (std::int64_t g = 0; g < C; ++g) {
    const MomentErrors e = moment_errors(moments(s, g), route), o = moment_errors(moments(s, g), own);
    const double joined = route.corrected ? u * (std::abs(s.mean[g]) + e.mean) : 0;
    of_mean[g] = {rounded_once(s.mean[g], e.mean + joined + o.mean, Dtype::f32, acc)};
    of_variance[g] = {rounded_once(s.variance[g], e.variance + o.variance, Dtype::f32, acc)};
  }
  bounds.insert(bounds.end(), {of_mean, of_variance});
  return bounds;
}

Cost cost(const Call& call) {
  const double n = static_cast<double>(call[0].size());
  return {8 * n, 2 * n * info(call.dtype(0)).bytes};
}

// ---- cases

constexpr const char* kInputs = R"(
  from   x0={t}.{n}x{c}.{l}.{x} count=i32.1.row.const-{a} vector={t}.{c}.{v}.{y} v={l=='broadcast'?'row':l}
  from   t={f32,f16} n=20 c=7 a=-1 l=row x=uniform y=uniform eps=1e-05 w=1 b=1
)";

constexpr const char* kCases = R"(
  smoke  x={uniform,int-9,const-17,masked-1,wide}
  ci     n=300 c=33 a=290 x={uniform,int-9,const-17,masked-1,wide} y=int-3
  ci     n=70 c=40 a=66 x={uniform-100,cancel,positive,groups,ramp-60,nan_rows-3,tiny,huge,subnormal,lanes-41}
  ci     x=uniform-8 eps={1e-12,0.1,1e6}
  ci     a=15 w={0,1} b={0,1}
  # rows and channels around vectors, blocks and threads
  smoke  n=3 c=3 a={-1,3} x=int-3
  ci     n={0,1,2,3,4,63,64,65,255,256,257,513,1030} c=3 a={-1,{n/2},{n}} x=int-3
  ci     n=9 c={0,1,2,3,7,8,9,15,16,17,31,32,33,64,65,127,129,300,1031}
  ci     a=18 l={@layouts}
  ci     t=f16 n=30 c=20 x=order
  # far from 0 beside their spread
  smoke  t,x={f32 near, f16 near-1000} n=6 c=5
  ci     t,x={f32 near, f16 near-1000} n=1200 c=5
  ci     n,c={12000 5, 3 9000}
  ci     t=f32 n=100 c=3 a=0
)";

constexpr const char* kRejects = R"(
  from   t=f32 x0=f32.20x7.row.uniform vector={t}.7.row.uniform last={t}.7.row.{y} eps=1e-05
         count=i32.1.row.const-20
  attribute eps=0.0               # eps of 0
  attribute eps=-1e-05            # a negative eps
)";

// `call` puts the inputs of a row together, `refused` those of which the last is spoilt.
Op row(std::string_view name, std::string signature, std::string_view call, std::string_view refused) {
  Op op;
  op.name = name;
  op.signature = std::move(signature);
  op.types = "T: f16 f32";
  op.attrs = {{"eps", 1e-5}};
  op.infer = infer;
  op.cases = {call, kInputs, kCases};
  op.rejects = {refused, kRejects};
  op.bench = {call, kInputs, "ci n=150000 t,c={f32 32, f16 64}"};
  op.cost = cost;
  op.tolerance.kind = Tolerance::Class::inherited;
  return op;
}

}  // namespace

std::vector<Op> norms_ops() {
  Op frozen = row("batch_norm_features", "features T[N,C], scale T[C], bias T[C], mean T[C], var T[C] -> out T[N,C]",
                  "call {x0}+{vector}+{vector}+{vector}+{t}.{c}.{v}.positive/eps={eps}",
                  "call {x0}+{vector}+{vector}+{vector}+{last}/eps={eps}\nfrom y=positive");
  frozen.equation = "y[n,c] = (x[n,c] - mean[c]) / sqrt(var[c] + eps) * scale[c] + bias[c]";
  frozen.meaning =
      "given statistics; vectors have the features' dtype; eps is rounded to f32; every row is normalised, active or "
      "not";
  frozen.oracle = batch_norm_features;
  frozen.tolerance.bound = bound<given, false>;
  Op batch = row(
      "batch_norm",
      "features T[N,C], active_rows? i32[1] counts N, weight? T[C], bias? T[C] -> out T[N,C], mean f32[C], var f32[C]",
      "call {x0}+{a<0?'none':count}+{w?vector:'none'}+{b?vector:'none'}/eps={eps}",
      "call {x0}+{count}+{vector}+{last}/eps={eps}\nfrom y=uniform");
  batch.equation =
      "y = (x - m) / sqrt(v + eps) * weight + bias; m[c] = mean of x[n,c], v[c] = mean of (x[n,c] - m[c])^2 over the "
      "active rows n";
  batch.meaning =
      "statistics of the active rows, as padding is no data; the population variance; every row is normalised; no "
      "active "
      "row: NaN; statistics are f32";
  batch.oracle = batch_norm;
  batch.tolerance.bound = bound<of_batch, false>;
  Op layer = row("layer_norm_features", "features T[N,C], scale? T[C], bias? T[C] -> out T[N,C]",
                 "call {x0}+{w?vector:'none'}+{b?vector:'none'}/eps={eps}",
                 "call {x0}+{vector}+{last}/eps={eps}\nfrom y=uniform");
  layer.equation =
      "y[n,c] = (x[n,c] - m[n]) / sqrt(v[n] + eps) * scale[c] + bias[c]; m, v mean and population variance of row n";
  layer.oracle = row_norm<true>;
  layer.tolerance.bound = bound<of_rows<true>, true>;
  Op rms = row("rms_norm_features", "features T[N,C], scale? T[C] -> out T[N,C]",
               "call {x0}+{w?vector:'none'}/eps={eps}", "call {x0}+{last}/eps={eps}\nfrom y=uniform");
  rms.equation = "y[n,c] = x[n,c] / sqrt(mean of x[n,:]^2 + eps) * scale[c]";
  rms.oracle = row_norm<false>;
  rms.tolerance.bound = bound<of_rows<false>, true>;
  return {frozen, batch, layer, rms};
}

}  // namespace plumb
