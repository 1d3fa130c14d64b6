// Normalised sparse convolutions: a convolution divided by the norm of the weights that it met. The relations are those
// of reference/sparse/sites/relation.h.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/text.h"
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

template <RelationKind base>
std::vector<Spec> infer(const Request& r) {
  (void)eps_of(r);
  return r.outputs({{'R', check_convolution(r, base).M}});
}

// A submanifold kernel of one point is a projection, and is not normalised.
template <RelationKind base>
bool bypassed(const Request& r) {
  if (base != RelationKind::submanifold) return false;
  const Geometry g = geometry(r, base);
  return g.volume == 1 && g.dilation == Triple{1, 1, 1};
}

// N[o,c] = sum over edges (i,o,k), over a, of X[i,a] W[k,a,c];  D[o,c] = sum of W[k,a,c]^2;  G[o,c] = sum of |X W|
struct Sums {
  Reals N, D, G;
};

template <RelationKind base>
Sums sums_of(const Call& call, const Relation& r) {
  const ConvShape s = check_convolution(call, base);
  const Wide features = widen(call["features"]), weight = widen(call["weight"]);
  const Reals &X = reals(features), &W = reals(weight);
  Sums t{Reals({s.M, s.C}), Reals({s.M, s.C}), Reals({s.M, s.C})};
  for (const Edge& e : r.edges)
    for (std::int64_t a = 0; a < s.A; ++a)
      for (std::int64_t c = 0; c < s.C; ++c) {
        const double x = X[e.in * s.A + a], w = W[s.at(e.kernel, a, c)];
        t.N[e.out * s.C + c] += x * w;
        t.D[e.out * s.C + c] += w * w;
        t.G[e.out * s.C + c] += std::abs(x * w);
      }
  return t;
}

// Y[o,c] = N[o,c] / sqrt(D[o,c] + eps) + bias[c]
template <RelationKind base>
std::vector<Wide> convolution(const Call& call) {
  const Relation r = relation_of(call, base);
  const Sums t = sums_of<base>(call, r);
  const double eps = eps_of(call);
  const bool plain = bypassed<base>(call);
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

template <RelationKind base>
std::vector<Allowances> bound(const Call& call, const std::vector<Wide>& want, const Order& order) {
  const Relation r = relation_of(call, base);
  const Sums t = sums_of<base>(call, r);
  const std::int64_t n = fullest_output(r) * call.shape(call.index("features"))[1];
  const Reals& Y = reals(want[1]);
  Allowances b(Y.shape);
  const double eps = eps_of(call);
  const bool plain = bypassed<base>(call);
  for (std::int64_t i = 0; i < b.size(); ++i)
    b[i] = element_bound(t.N[i], t.D[i], t.G[i], Y[i], eps, n, order, plain, call.has("bias"),
                         call.dtype(call.index("features")));
  return {Allowances(), b, Allowances()};
}

struct Trial : ConvTrial {
  double eps = 1e-8;
};

template <RelationKind base>
Case case_of(const Trial& t) {
  Case c = described(base, t);
  if (t.eps != 1e-8) c.attrs.set("eps", t.eps);
  add_bias_and_targets(c, t);
  return c;
}

class Sweep : public ConvCases<Trial> {
 public:
  std::vector<Case> all() {
    geometry();
    support();
    values();
    return std::move(cases);
  }

 private:
  void geometry() {
    const ConvKernel kernels[] = {{{3}, {1}, {0}, {1}},
                                  {{2}, {2}, {0}, {1}},
                                  {{3}, {2}, {1}, {1}},
                                  {{1}, {1}, {0}, {1}},
                                  {{1}, {2}, {0}, {2}},
                                  {{2, 3, 1}, {1, 2, 1}, {0}, {1, 1, 2}},
                                  {{1, 3, 5}, {1}, {0}, {1, 2, 1}}};
    for (const ConvKernel& k : kernels)
      for (const Dtype type : {Dtype::f32, Dtype::f16})
        both({{.kernel = k,
               .values = "uniform",
               .type = type,
               .bias = type == Dtype::f32,
               .dense = type == Dtype::f16,
               .budget = k.dilation[0] == 1 && k.padding[0] == 0 && type == Dtype::f32 ? Budget::smoke : Budget::ci}});
  }

  void support() {
    for (const char* f : {"sites_batches", "sites_isolated", "sites_duplicates", "sites_extremes"})
      both({{.n = 50, .active = 48, .sites = f}});
    both({{.sites = "sites_extremes", .coords = Dtype::i64}});
    far({{.values = "uniform"}});
    for (const std::int64_t n : {0, 1, 2, 129}) both({{.n = n, .active = n, .in = 4, .sites = "sites_block"}});
    both({{.active = 0, .bias = true}});
    struct {
      std::int64_t in, out;
    } const widths[] = {{1, 1}, {16, 16}, {17, 33}, {64, 65}, {4, 130}, {0, 5}, {5, 0}};
    for (const auto& w : widths)
      add({{.n = 40,
            .active = 40,
            .in = w.in,
            .out = w.out,
            .sites = "sites_block",
            .values = "uniform",
            .type = w.in % 2 ? Dtype::f16 : Dtype::f32,
            .bias = true}});
  }

  void values() {
    for (const Dtype type : {Dtype::f32, Dtype::f16}) {
      for (const char* v : {"cancel", "wide", "const-1", "tiny", "huge", "subnormal", "lanes-37"})
        add({{.n = 40,
              .active = 36,
              .in = 8,
              .out = 12,
              .sites = "sites_block",
              .values = v,
              .type = type,
              .bias = true}});
      // eps as large as the norm, and larger; and a norm of zero, where half precision would lose eps
      for (const char* w : {"uniform-0.0001", "const-0"})
        both({{.in = 8, .values = "uniform", .weights = w, .type = type}});
      both({{.values = "uniform", .type = type}, 10.0});
    }
    both({{.in = 8, .values = "special", .type = Dtype::f16}});
    for (const Layout l : kLayouts)
      add({{.in = 4,
            .out = 6,
            .values = "uniform",
            .bias = true,
            .dense = l == Layout::offset || l == Layout::transposed,
            .layout = l}});
  }
};

template <RelationKind base>
std::vector<Case> cases() {
  return Sweep{{base, case_of<base>}}.all();
}

template <RelationKind base>
std::vector<Reject> rejects() {
  const Case good = case_of<base>({{.n = 8, .active = 8, .bias = true}});
  std::vector<Reject> r = conv_rejects(base, good);
  const auto with = [&](auto change, Reason reason, const char* why) {
    Case c = good;
    change(c);
    r.push_back({c, reason, why});
  };
  for (const double eps : {0.0, -1e-8, 1e-50})
    with([eps](Case& c) { c.attrs.set("eps", eps); }, Reason::attribute, "an eps that is not positive in f32");
  with([](Case& c) { c.attrs.set("eps", "small"); }, Reason::attribute, "an eps that is no number");
  return r;
}

template <RelationKind base>
std::vector<Case> bench() {
  std::vector<Case> c;
  const bool subm = base == RelationKind::submanifold;
  for (const Dtype type : {Dtype::f32, Dtype::f16})
    c.push_back(case_of<base>(
        {timed(subm ? 100000 : 25000, 64, type, "sites_surface", subm ? ConvKernel() : ConvKernel{{2}, {2}})}));
  return c;
}

template <RelationKind base>
Op row(std::string_view name, std::string_view meaning) {
  Attrs attrs = conv_attrs(base);
  attrs.set("eps", 1e-8);
  return {.name = name,
          .signature = conv_signature(base, kWeighted + ", bias? T[C]", kConvOutputs),
          .types = kConvTypes,
          .attrs = std::move(attrs),
          .equation =
              "Y[o] = bias + (sum over edges (i,o,k) of X[i] W[k]) / sqrt(sum over edges, over a, of W[k,a]^2 + eps)",
          .meaning = meaning,
          .infer = infer<base>,
          .oracle = convolution<base>,
          .cases = cases<base>,
          .rejects = rejects<base>,
          .bench = bench<base>,
          .cost = [](const Call& c) { return conv_cost(c, base, infer<base>(c), 2); },
          .tolerance = {.kind = Tolerance::Class::inherited, .bound = bound<base>},
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
