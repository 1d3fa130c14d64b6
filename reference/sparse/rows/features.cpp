// Operations on the features of a sparse tensor, (N,C) matrices: projection, activations, dropout.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/op.h"
#include "core/text.h"
#include "reference/array/random/draws.h"

namespace plumb {
namespace {

// ---- linear

enum : std::size_t { kFeatures, kWeight, kBias };

// Y[n,c] = sum over a of X[n,a] W[c,a] + bias[c]
std::vector<Wide> linear(const Call& call) {
  const Wide features = widen(call[kFeatures]), weight = widen(call[kWeight]);
  const Reals &X = reals(features), &W = reals(weight);
  Reals Y(call.outputs()[0].shape);
  const std::int64_t N = Y.shape[0], C = Y.shape[1], A = X.shape[1];
  const Wide bias = call.has(kBias) ? widen(call[kBias]) : Wide(Reals({C}));
  for (std::int64_t n = 0; n < N; ++n)
    for (std::int64_t c = 0; c < C; ++c) {
      double sum = 0;
      for (std::int64_t a = 0; a < A; ++a) sum += X(n, a) * W(c, a);
      Y(n, c) = sum + reals(bias)[c];
    }
  return {Y};
}

std::int64_t linear_terms(const Call& call) { return call.shape(kFeatures)[1] + (call.has(kBias) ? 1 : 0); }

Cost linear_cost(const Call& call) {
  const auto outputs = static_cast<double>(count(call.outputs()[0].shape));
  return {2 * outputs * static_cast<double>(call.shape(kFeatures)[1]), input_bytes(call) + output_bytes(call)};
}

constexpr const char* kLinearCases = R"(
  call   {t}.{n}x{in}.{l}.{x}+{t}.{out}x{in}.{l}.{x}+{bias}/-
  from   t={f32,f16} l=row v={l} bias={b}.{out}.{v}.{x} b={t}
  smoke  n=7 in=5 out=6 x={int-3,uniform,special} bias={,{t}.6.row.{x},f32.6.row.{x}}
  # around tiles, on each axis by itself
  from   m={0,1,2,15,17,63,64,65,130}
  ci     n={m} in=33 out=18 x=int-3 b=f32
  ci     n=65 in={m} out=34 x=int-3
  ci     n=66 in=20 out={m} x=uniform b=f16
  ci     n=200 in={16,32,64,128} out={in} x=uniform
  # values that an accumulator loses
  ci     n=70 in=300 out=35 x={wide,cancel,positive,const-1} b=f32
  ci     n=9 in=1025 out=5 x={wide,cancel,positive,const-1} bias=
  ci     n=36 in=34 out=11 x={tiny,huge,subnormal,lanes-35}
  ci     n=3 in=20000 out=2 x=const-1   # beyond what a half accumulates
  ci     n=20 in=9 out=11 x=int-3 l={@layouts} v={l=='broadcast'?'row':l}
)";

constexpr const char* kLinearRejects = R"(
  call   {x}+{w}+{b}/-
  from   x=f32.4x3.row.int-3 w=f32.5x3.row.int-3 b=f32.5.row.int-3
  shape  b=f32.4.row.int-3       # a bias of another length
)";

constexpr const char* kLinearBench = R"(
  call   {t}.{n}x{c}.row.uniform+{t}.{c}x{c}.row.uniform+{bias}/-
  from   bias={t}.{c}.row.uniform
  ci     t,n,c={f32 100000 32, f16 100000 64}
  ci     t=f32 n=50000 c=128 bias=
)";

// ---- activation

enum class Kind { relu, sigmoid, tanh, silu, gelu, leaky_relu, softplus };
enum class Approximate { none, tanh, fast };

struct Activation {
  Kind kind;
  Approximate approximate;
  double alpha, beta, cut;
};

Activation activation_of(const Request& r) {
  constexpr std::string_view kinds[] = {"relu", "sigmoid", "tanh", "silu", "gelu", "leaky_relu", "softplus"};
  constexpr std::string_view ways[] = {"none", "precise", "tanh", "fast"};
  const auto kind = std::find(std::begin(kinds), std::end(kinds), r.text("kind")) - std::begin(kinds);
  const auto way = std::find(std::begin(ways), std::end(ways), r.text("approximate")) - std::begin(ways);
  if (kind == std::ssize(kinds)) r.fail(Reason::attribute, "kind " + r.text("kind"));
  if (way == std::ssize(ways)) r.fail(Reason::attribute, "approximate " + r.text("approximate"));
  const double beta = r.number("beta");
  if (!(beta > 0) || !std::isfinite(beta)) r.fail(Reason::attribute, "beta is " + shortest(beta));
  return {static_cast<Kind>(kind), static_cast<Approximate>(std::max<std::ptrdiff_t>(0, way - 1)), r.number("alpha"),
          beta, r.number("threshold") / beta};
}

std::vector<Spec> infer_activation(const Request& r) {
  (void)activation_of(r);
  return r.outputs();
}

double sigmoid(double w) { return 1 / (1 + std::exp(-w)); }

// The argument of the sigmoid in x sigmoid(w): 1/2 x (1 + tanh(w/2)) = x sigmoid(w), without the cancellation
double gate(const Activation& f, double x) {
  if (f.kind == Kind::silu) return x;
  return f.approximate == Approximate::fast ? 1.702 * x : 2 * 0.7978845608028654 * (x + 0.044715 * x * x * x);
}

// Phi(x) = 1/2 (1 + erf(x / sqrt 2)) = 1/2 erfc(-x / sqrt 2)
double normal_below(double x) { return 0.5 * std::erfc(-x * 0.7071067811865476); }

double apply(const Activation& f, double x) {
  switch (f.kind) {
    case Kind::relu: return std::isnan(x) || x > 0 ? x : 0;
    case Kind::sigmoid: return sigmoid(x);
    case Kind::tanh: return std::tanh(x);
    case Kind::silu: return x * sigmoid(x);
    case Kind::gelu: return x * (f.approximate == Approximate::none ? normal_below(x) : sigmoid(gate(f, x)));
    case Kind::leaky_relu: return x >= 0 ? x : f.alpha * x;
    case Kind::softplus: break;
  }
  if (x > f.cut) return x;
  const double z = f.beta * x;  // log(1 + e^z) = max(z, 0) + log(1 + e^-|z|)
  return ((z > 0 ? z : 0) + std::log1p(std::exp(-std::abs(z)))) / f.beta;
}

std::vector<Wide> activation(const Call& call) {
  const Activation f = activation_of(call);
  const Wide x = widen(call[0]);
  Reals y(call.shape(0));
  for (std::int64_t i = 0; i < y.size(); ++i) y[i] = apply(f, reals(x)[i]);
  return {y};
}

// The relative error of f(x) in an arithmetic of roundoff u whose elementary functions err by k ulps (1 ulp <= 2 u) and
// whose quotients cost q roundings; to first order. An argument with relative error m u moves a function by its
// condition number times that.
//
//   tanh(x)      -m / (2 + m) for m = e^(-2|x|) - 1: m twice, a sum, a quotient
//   sigmoid(w)   2 k u + (1 + q) u, and |w| (1 - sigmoid(w)) m u
//   x sigmoid    one more product; m = 0 for silu, 2 for 1.702 x, 7 for 2 c (x + d x^3), constants rounded
//   x Phi(x)     2 k u + 3 u, and m = 2 for the argument of erfc: condition |x| phi(x) / Phi(x)
//   softplus     m = 2 for z, moving the result by sigmoid(z) |z| / beta; two functions, a sum, a quotient
double relative_error(const Activation& f, double x, double y, double u, double k, double q) {
  const auto moved = [&](double w, double m) { return std::abs(w) * (1 - sigmoid(w)) * m * u; };
  switch (f.kind) {
    case Kind::relu: return 0;
    case Kind::leaky_relu: return x >= 0 ? 0 : 2 * u;
    case Kind::sigmoid: return (2 * k + 1 + q) * u;
    case Kind::tanh: return (4 * k + 1 + q) * u;
    case Kind::silu: return (2 * k + 2 + q) * u;
    case Kind::gelu: {
      if (f.approximate == Approximate::fast) return (2 * k + 2 + q) * u + moved(gate(f, x), 2);
      if (f.approximate == Approximate::tanh) return (2 * k + 2 + q) * u + moved(gate(f, x), 7);
      const double below = normal_below(x), density = std::exp(-x * x / 2) * 0.3989422804014327;
      return (2 * k + 3) * u + 2 * u * (below > 0 ? std::abs(x) * density / below : x * x);
    }
    case Kind::softplus: break;
  }
  if (x > f.cut) return 0;
  const double z = f.beta * x, shift = y > 0 ? sigmoid(z) * std::abs(z) / (f.beta * y) : std::abs(z);
  return (4 * k + 2 + q) * u + 2 * u * shift;
}

// That error, what underflow adds (each function and product eta, scaled by what follows), and the rounding to a
// narrower output. The oracle's own error is of the same form with k = 1.
std::vector<Allowances> activation_bound(const Call& call, const std::vector<Wide>& want, const Order& order) {
  const Activation f = activation_of(call);
  const Wide x = widen(call[0]);
  const DtypeInfo &out = info(call.dtype(0)), &wide = info(order.accumulator);
  const double k = order.function_ulps, u = order.accumulator_roundoff();
  Allowances bound(call.shape(0));
  for (std::int64_t i = 0; i < bound.size(); ++i) {
    const double v = reals(x)[i], y = reals(want[0])[i], c = std::abs(y);
    const double r = relative_error(f, v, y, u, k, order.epilogue) + relative_error(f, v, y, 0x1p-53, 1, 1);
    if (!std::isfinite(v) || r == 0) continue;  // exact
    double& error = bound[i].error;
    error = (r < 0.5 ? c * r / (1 - r) : c) + (k + 2) * wide.min_subnormal * (1 + std::abs(v) + 1 / f.beta);
    if (out.precision < wide.precision) error += out.unit_roundoff() * (c + error) + out.min_subnormal / 2;
  }
  return {bound};
}

Cost activation_cost(const Call& call) {
  const double n = static_cast<double>(call[0].size());
  return {8 * n, 2 * n * info(call.dtype(0)).bytes};
}

constexpr const char* kActivationCases = R"(
  call   {t}.{s}.{l}.{x}/kind={kind},{p},{q}
  from   t={f32,f16} l=row p=- q=-
  from   kind,p,q={{relu,sigmoid,tanh,silu,leaky_relu,softplus} - -, gelu approximate={none,precise,tanh,fast} -,
         leaky_relu alpha=-0.3 -, softplus beta=0.1 threshold=5.0, softplus beta=7.5 threshold=-3.0,
         softplus threshold=1e9 -}
  smoke  s=5x7 x=order
  ci     s=33x65 x=bits
  ci     s=40x50 x={uniform,uniform-8,uniform-100,wide-20,int-30,tiny,huge,subnormal,lanes}
  ci     t=f32 s=9x21 l={@layouts} x=uniform-4
  nightly t,s,x={f16 256x256 bits, f32 300x1000 uniform-20}
  ci     kind=silu p= q= s={0x3,3x0,1x1,1x2,3x5,1x31,1x33,64x1,257x3} x=uniform-3
  ci     kind=tanh p= q= t=f32 s=400x100 x=uniform-3
)";

constexpr const char* kActivationRejects = R"(
  call   {t}.{s}.row.{x}/kind={kind},{p}
  from   t=f32 s=4x3 x=uniform kind= p=
  attribute kind=swish                    # an unknown kind
  attribute kind=gelu p=approximate=erf   # an unknown approximation
  attribute kind=softplus p=beta=0.0      # beta of 0
  attribute kind=softplus p=beta=-1.0     # a negative beta
)";

constexpr const char* kActivationBench = R"(
  ci     f32.150000x64.row.uniform-4/kind={relu,silu,gelu}
  ci     f16.150000x64.row.uniform-4/kind=gelu,approximate=tanh
)";

// ---- dropout

std::vector<Spec> infer_dropout(const Request& r) {
  const double p = r.number("p");
  if (!(p >= 0 && p < 1)) r.fail(Reason::attribute, "p is " + shortest(p));
  if (count(r.shape(0)) > std::int64_t{1} << 32)
    r.fail(Reason::unsupported, to_string(r.shape(0)) + " passes the 2^32 words of one key");
  return r.outputs();
}

// y_i = x_i s where w_i >= p 2^32, else 0; w the words of the key, s = 1 / (1 - p) rounded to the dtype
std::vector<Wide> dropout(const Call& call) {
  const Wide x = widen(call[0]), key = widen(call[1]);
  const double p = call.number("p");
  if (!call.flag("training") || p == 0) return {x};
  const auto w = reference::words(
      {static_cast<reference::Word>(unsigneds(key)[0]), static_cast<reference::Word>(unsigneds(key)[1])},
      reals(x).size());
  const Wide scale = widen(narrow(Reals({1}, 1 / (1 - p)), call.dtype(0)));
  Reals y(call.shape(0));
  for (std::int64_t i = 0; i < y.size(); ++i)
    if (static_cast<double>(w[static_cast<std::size_t>(i)]) >= p * 0x1p32) y[i] = reals(x)[i] * reals(scale)[0];
  return {y};
}

constexpr const char* kDropoutCases = R"(
  call   {t}.{s}.{l}.{x}+u32.2.{l=='broadcast'?'row':l}.{key}/p={p},training={training}
  from   t={f32,f16} l=row key=bits training=true
  smoke  s=6x7 x=order p={0.0,0.1,0.5,0.75,0.9990234375,1e-12} training={true,false}
  ci     s={0..9}x1 x=int-9 p=0.5
  ci     s={15,16,17,31,32,33,63,65,127,129,255,257,513,1025,4099}x3 x=uniform p=0.3
  ci     s=12x9 l={@layouts} x=int-9 p=0.4
  ci     s=400x100 x=wide p=0.2
  ci     s=50x50 x={tiny,huge,subnormal,lanes} p=0.5
  ci     s=3x0 x=uniform p=0.5
  ci     s=5x5 x=uniform p=0.5 key=const-0
)";

constexpr const char* kDropoutRejects = R"(
  call   {t}.{s}.row.uniform+{key}.row.bits/p={p},training=true
  from   t=f32 s=4x3 key=u32.2 p=0.5
  attribute p=1.0         # nothing would be kept
  attribute p=-0.1        # a negative probability
)";

constexpr const char* kDropoutBench = R"(
  ci     {t}.150000x64.row.uniform+u32.2.row.bits/p={p},training=true t,p={f32 0.5, f16 0.1}
)";

}  // namespace

std::vector<Op> features_ops() {
  return {
      {.name = "linear",
       .signature = "features T[N,A], weight T[C,A], bias? U[C] -> out P[N,C]",
       .types = "T, U: f16 f32; P = promote(T, U)",
       .attrs = {},
       .equation = "Y[n,c] = sum_a X[n,a] W[c,a] + bias[c]",
       .meaning = "weights have the features' dtype; a bias of f32 makes the result f32, and the sum is rounded once, "
                  "bias included",
       .oracle = linear,
       .cases = kLinearCases,
       .rejects = kLinearRejects,
       .bench = kLinearBench,
       .cost = linear_cost,
       .tolerance = {.kind = Tolerance::Class::accumulate, .terms = linear_terms, .bound = nullptr}},
      {.name = "activation",
       .signature = "features T[N,C] -> out T[N,C]",
       .types = "T: f16 f32",
       .attrs = {{"kind", "relu"}, {"approximate", "none"}, {"alpha", 0.01}, {"beta", 1.0}, {"threshold", 20.0}},
       .equation =
           "relu max(x,0); sigmoid 1/(1+e^-x); tanh; silu x sigmoid(x); gelu none, precise: x (1+erf(x/sqrt 2))/2, "
           "tanh: "
           "x (1+tanh(0.7978845608028654 (x+0.044715 x^3)))/2, fast: x sigmoid(1.702 x); leaky_relu x or alpha x; "
           "softplus x if x > threshold/beta, else log1p(e^(beta x))/beta",
       .meaning =
           "every function at its exact value, rounded once: softplus neither overflows in f16 below its threshold nor "
           "loses small values to 1 + e^x; products with -inf are NaN as they stand; relu keeps NaN",
       .infer = infer_activation,
       .oracle = activation,
       .cases = kActivationCases,
       .rejects = kActivationRejects,
       .bench = kActivationBench,
       .cost = activation_cost,
       .tolerance = {.kind = Tolerance::Class::inherited, .bound = activation_bound}},
      {.name = "dropout",
       .signature = "features T[N,C], key u32[2] -> out T[N,C]",
       .types = "T: f16 f32",
       .attrs = {{"p", 0.5}, {"training", true}},
       .equation =
           "y_i = x_i s where w_i >= p 2^32, else 0; s = 1/(1-p); w = random_bits(key, one u32 per element); x itself "
           "if p = 0 or not training",
       .meaning = "element i in row-major order is decided by word i; s is rounded to the dtype and the product once "
                  "more; dropped "
                  "elements are selected as +0, so that NaN and inf are dropped too",
       .infer = infer_dropout,
       .oracle = dropout,
       .cases = kDropoutCases,
       .rejects = kDropoutRejects,
       .bench = kDropoutBench,
       .tolerance = {Tolerance::Class::rounded}}};
}

}  // namespace plumb
