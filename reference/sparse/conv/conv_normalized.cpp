// Normalised sparse convolutions: a convolution divided by the norm of the weights that it met. The relations are those
// of reference/sparse/sites/relation.h.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/text.h"
#include "core/with_last.h"
#include "reference/sparse/conv/conv_rows.h"

namespace plumb {
namespace {

using namespace reference;
float eps_of(const Request& r) {
  const double eps = r.number("eps");
  const auto f = static_cast<float>(eps);
  if (!(f > 0) || !std::isfinite(f)) r.fail(Reason::attribute, "eps " + shortest(eps) + " is not positive in f32");
  return f;
}

std::vector<Spec> infer(const Request& r, RelationKind base) {
  (void)eps_of(r);
  return r.outputs({{'R', check_convolution(r, base).M}});
}

// A submanifold kernel of one point is a projection, and is not normalised.
bool bypassed(const Request& r, RelationKind base) {
  if (base != RelationKind::submanifold) return false;
  const Geometry g = geometry(r, base);
  return g.volume == 1 && g.dilation == Triple{1, 1, 1};
}

// N[o,c] = sum over edges (i,o,k), over a, of X[i,a] W[k,a,c];  D[o,c] = sum of W[k,a,c]^2;  G[o,c] = sum of |X W|
struct Sums {
  Reals N, D, G;
};

Sums sums_of(const Call& call, const Relation& r, RelationKind base) {
  const ConvShape s = check_convolution(call, base);
  const Wide features = widen(call["features"]), weight = widen(call["weight"]);
  const Reals& X = reals(features);
  const auto W = s.weight(reals(weight));
  Sums t{Reals({s.M, s.C}), Reals({s.M, s.C}), Reals({s.M, s.C})};
  for (const Edge& e : r.edges)
    for (std::int64_t a = 0; a < s.A; ++a)
      for (std::int64_t c = 0; c < s.C; ++c) {
        const double x = X(e.in, a), w = W(e.kernel, a, c);
        t.N(e.out, c) += x * w;
        t.D(e.out, c) += w * w;
        t.G(e.out, c) += std::abs(x * w);
      }
  return t;
}

// Y[o,c] = N[o,c] / sqrt(D[o,c] + eps) + bias[c]
std::vector<Wide> convolution(const Call& call, RelationKind base) {
  const Relation r = relation_of(call, base);
  const Sums t = sums_of(call, r, base);
  const double eps = eps_of(call);
  const bool plain = bypassed(call, base);
  Reals Y = t.N;
  for (std::int64_t i = 0; i < Y.size() && !plain; ++i) Y[i] /= std::sqrt(t.D[i] + eps);
  if (call.has("bias")) {
    const Wide bias = widen(call["bias"]);
    for (std::int64_t i = 0; i < Y.size(); ++i) Y[i] += reals(bias)[i % Y.shape[1]];
  }
  return {coords_of(r, Y.shape[0]), Y, counts_of(r)};
}

// Relative error of the quotient by sqrt(D + eps), D a sum of n squares: see docs/bounds.md.
double quotient_error(double D, double eps, std::int64_t n, const Order& o) {
  const double u = o.accumulator_roundoff(), terms = static_cast<double>(n);
  const double eta = info(o.accumulator).min_subnormal;
  const double theta =
      gamma(static_cast<double>(o.depth(n)) + 1, u) + gamma(terms + 4, 0x1p-53) + terms * eta / (D + eps);
  if (theta >= 0.5) return std::numeric_limits<double>::infinity();
  const double f = 2 * std::max(0.5, o.function_ulps) * u;  // an ulp is at most 2 u of the value
  return (1 + theta / (2 * (1 - theta))) * (1 + f / (1 - f)) * (1 + f) - 1;
}

Allowed element_bound(double N, double D, double G, double y, double eps, std::int64_t n, const Order& o, bool plain,
                      bool biased, Dtype out) {
  const DtypeInfo& acc = info(o.accumulator);
  double error = accumulate_bound(N, G, n, o, o.accumulator, 0x1p-53);
  if (!plain) {
    const double t = quotient_error(D, eps, n, o), root = std::sqrt(D + eps);
    error = error / root * (1 + t) + std::abs(N) / root * t + acc.min_subnormal;
  }
  if (biased) error += acc.unit_roundoff() * (std::abs(y) + error);
  if (info(out).precision < acc.precision)
    error += info(out).unit_roundoff() * (std::abs(y) + error) + info(out).min_subnormal / 2;
  return {error, may_overflow(G, n, o)};
}

std::vector<Allowances> bound(const Call& call, const std::vector<Wide>& want, const Order& order, RelationKind base) {
  const Relation r = relation_of(call, base);
  const Sums t = sums_of(call, r, base);
  const std::int64_t n = fullest_output(r) * call.shape(call.index("features"))[1];
  const Reals& Y = reals(want[1]);
  Allowances b(Y.shape);
  const double eps = eps_of(call);
  const bool plain = bypassed(call, base);
  for (std::int64_t i = 0; i < b.size(); ++i)
    b[i] = element_bound(t.N[i], t.D[i], t.G[i], Y[i], eps, n, order, plain, call.has("bias"),
                         call.dtype(call.index("features")));
  return {Allowances(), b, Allowances()};
}

constexpr const char* kInputs = "{sites_in}+{x_in}+{w_in}+{bias_in}+{goal_in}";

constexpr const char* kCases = R"(
  from   x=uniform eps=-
  smoke  k,s,p,d,K,cube={3: 1: 0: 1: 27 3x3x3, 2: 2: 0: 1: 8 2x2x2, 1: 1: 0: 1: 1 1x1x1, 2:3:1 1:2:1 0: 1:1:2 6 2x3x1,
         1:3:5 1: 0: 1:2:1 15 1x3x5} B=1 m={both}
  ci     k,s,p,d,K,cube={3: 2: 1: 1: 27 3x3x3, 1: 2: 0: 2: 1 1x1x1} B=1 m={both}
  ci     k,s,p,d,K,cube={3: 1: 0: 1: 27 3x3x3, 2: 2: 0: 1: 8 2x2x2, 3: 2: 1: 1: 27 3x3x3, 1: 1: 0: 1: 1 1x1x1,
         1: 2: 0: 2: 1 1x1x1, 2:3:1 1:2:1 0: 1:1:2 6 2x3x1, 1:3:5 1: 0: 1:2:1 15 1x3x5} t=f16 dense=1 m={both}
  # where the sites lie
  from   x=int-3
  ci     n=50 a=48 sites={sites_batches,sites_isolated,sites_duplicates,sites_extremes} m={both}
  ci     sites=sites_extremes c=i64 m={both}
  ci     k,s,p,d,K,sites,c={far} x=uniform m={both}
  ci     n={0,1,2,129} a={n} in=4 sites=sites_block m={both}
  ci     a=0 B=1 m={both}
  from   x=uniform
  ci     n=40 a=40 sites=sites_block in,out={1 1, 16 16, 17 33, 64 65, 4 130, 0 5, 5 0} B=1 t={in%2?'f16':'f32'}
  # values and layouts
  ci     n=40 a=36 in=8 out=12 sites=sites_block B=1 t={f32,f16} x={cancel,wide,const-1,tiny,huge,subnormal,lanes-37}
  # eps as large as the norm, and larger, and a norm of zero, where half precision would lose eps
  ci     in=8 w={uniform-0.0001,const-0} t={f32,f16} m={both}
  ci     eps=10.0 t={f32,f16} m={both}
  ci     in=8 x=special t=f16 m={both}
  ci     in=4 out=6 B=1 l={@layouts} dense={l=='offset'||l=='transposed'}
)";

constexpr const char* kRefusals = R"(
  attribute eps={0.0,-1e-8,1e-50}  # an eps that is not positive in f32
  attribute eps=small              # an eps that is no number
  shape  bs=6                      # a bias of another length
)";

template <RelationKind base>
Op row(std::string_view name, std::string_view meaning) {
  Attrs attrs = conv_attrs(base);
  attrs.set("eps", 1e-8);
  return {
      .name = name,
      .signature = conv_signature(base, kWeighted + ", bias? T[C]", kConvOutputs),
      .types = kConvTypes,
      .attrs = std::move(attrs),
      .equation =
          "Y[o] = bias + (sum over edges (i,o,k) of X[i] W[k]) / sqrt(sum over edges, over a, of W[k,a]^2 + eps)",
      .meaning = meaning,
      .infer = with_last<infer, base>,
      .oracle = with_last<convolution, base>,
      .cases = {conv_call(base, kInputs, ",eps={eps}"), kConvInputs, kFarKernels, kCases},
      .rejects = {"from bias={t}.{bs}.row.int-3 bs=5 eps=- y=int-3",
                  conv_refusals(base, "{coords}+i32.1.row.const-8+{x}+{w}+{bias}", ",eps={eps}"), kRefusals},
      .bench = {conv_call(base, kInputs), kConvInputs, kConvTimed,
                base == RelationKind::submanifold ? "ci n=100000 t={f32,f16}" : "ci n=25000 t={f32,f16} k=2: K=8 s=2:"},
      .cost = [](const Call& c) { return conv_cost(c, base, infer(c, base), 2); },
      .tolerance = {.kind = Tolerance::Class::inherited, .bound = with_last<bound, base>},
      .active = active_outputs,
      .spot = [](const Call& c, std::uint64_t key) { return output_channels(c, {"weight"}, "bias", key); }};
}

}  // namespace

std::vector<Op> conv_normalized_ops() {
  using enum RelationKind;
  constexpr std::string_view kPoint =
      "a kernel of one point without dilation is a plain projection; eps is rounded to f32 and used there, so that f16 "
      "does "
      "not lose it; rows beyond counts[1] are unspecified";
  constexpr std::string_view kEvery =
      "a kernel of one point is normalised too; eps is rounded to f32 and used there, so that f16 does not lose it: a "
      "row "
      "without edges is the bias; rows beyond counts[1] are unspecified";
  return {row<submanifold>("normalized_subm_conv3d", kPoint), row<transposed>("normalized_conv_transpose3d", kEvery),
          row<generative>("normalized_generative_conv_transpose3d", kEvery)};
}

}  // namespace plumb
