// Normalised sparse convolutions: a convolution divided by the norm of the weights that it met. The relations are those
// of reference/relation.h.
#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/conv_rows.h"

namespace plumb {
namespace {

using namespace reference;
using List = std::vector<std::int64_t>;

constexpr std::size_t kBias = 4, kTargets = 5;

float eps_of(const Request& r) {
  const double eps = r.number("eps");
  const auto f = static_cast<float>(eps);
  if (!(f > 0) || !std::isfinite(f))
    r.fail(Reason::attribute, "eps " + std::to_string(eps) + " is not positive in f32");
  return f;
}

template <RelationKind base>
std::vector<Spec> infer(const Request& r) {
  const ConvShape s = check_convolution(r, base, "bias");
  (void)eps_of(r);
  return {{r.dtype(0), {s.M, 4}}, {r.dtype(r.index("features")), {s.M, s.C}}, {Dtype::i32, {2}}};
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
  std::int64_t degree = 0;  // edges of the fullest output
};

template <RelationKind base>
Sums sums_of(const Call& call, const Relation& r) {
  const ConvShape s = check_convolution(call, base, "bias");
  const Wide features = widen(call["features"]), weight = widen(call["weight"]);
  const Reals &X = reals(features), &W = reals(weight);
  Sums t{Reals({s.M, s.C}), Reals({s.M, s.C}), Reals({s.M, s.C}), 0};
  std::vector<std::int64_t> edges(static_cast<std::size_t>(s.M));
  for (const Edge& e : r.edges) {
    t.degree = std::max(t.degree, ++edges[static_cast<std::size_t>(e.out)]);
    for (std::int64_t a = 0; a < s.A; ++a)
      for (std::int64_t c = 0; c < s.C; ++c) {
        const double x = X[e.in * s.A + a], w = W[s.at(e.kernel, a, c)];
        t.N[e.out * s.C + c] += x * w;
        t.D[e.out * s.C + c] += w * w;
        t.G[e.out * s.C + c] += std::abs(x * w);
      }
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

double element_bound(double N, double D, double G, double y, double eps, std::int64_t n, const Order& o, bool plain,
                     bool biased, Dtype out) {
  const DtypeInfo& acc = info(o.accumulator);
  const double grown = 1 + gamma(static_cast<double>(o.depth(n)), o.accumulator_roundoff());
  if (G * grown > acc.max || (!plain && D * grown > acc.max)) return std::numeric_limits<double>::infinity();
  double error = accumulate_bound(N, G, n, o, o.accumulator, 0x1p-53);
  if (!plain) {
    const double t = quotient_error(D, eps, n, o), root = std::sqrt(D + eps);
    error = error / root * (1 + t) + std::abs(N) / root * t + acc.min_subnormal;
  }
  if (biased) error += acc.unit_roundoff() * (std::abs(y) + error);
  if (info(out).precision < acc.precision)
    error += info(out).unit_roundoff() * (std::abs(y) + error) + info(out).min_subnormal / 2;
  return error;
}

template <RelationKind base>
std::vector<Reals> bound(const Call& call, const std::vector<Wide>& want, const Order& order) {
  const Sums t = sums_of<base>(call, relation_of(call, base));
  const std::int64_t n = t.degree * call.shape(call.index("features"))[1];
  const Reals& Y = reals(want[1]);
  Reals b(Y.shape);
  const double eps = eps_of(call);
  const bool plain = bypassed<base>(call);
  for (std::int64_t i = 0; i < b.size(); ++i)
    b[i] = element_bound(t.N[i], t.D[i], t.G[i], Y[i], eps, n, order, plain, call.has("bias"),
                         call.dtype(call.index("features")));
  return {Reals(), b, Reals()};
}

template <RelationKind base>
Cost cost(const Call& call) {
  const std::vector<Spec> out = infer<base>(call);
  const double rows = static_cast<double>(relation_of(call, base).out.size());
  double bytes = rows * static_cast<double>(out[1].shape[1] * info(out[1].dtype).bytes + 4 * info(out[0].dtype).bytes);
  for (const auto& s : call.specs)
    if (s) bytes += static_cast<double>(count(s->shape) * info(s->dtype).bytes);
  return {2 * products(call, base), bytes};
}

// Four output channels of many; the relation is whole.
std::optional<Spot> spot(const Call& c, std::uint64_t key) {
  const int axis = c.text("weight_layout") == "dense_5d" ? 0 : -1;
  std::vector<Tensor> in = c.in;
  in[c.index("weight")] = spaced(c["weight"], axis, 4, key);
  if (c.has("bias")) in[c.index("bias")] = spaced(c["bias"], 0, 4, key);
  return Spot{make_call(*c.op, std::move(in), c.attrs), [key](const std::vector<Tensor>& out) {
                std::vector<Tensor> part = out;
                part[1] = spaced(out[1], -1, 4, key);
                return part;
              }};
}

struct Trial : ConvTrial {
  bool bias = false;
  double eps = 1e-8;
};

template <RelationKind base>
Case case_of(const Trial& t) {
  Case c = described(base, t);
  if (t.eps != 1e-8) c.attrs.set("eps", t.eps);
  if (t.bias) c.in.push_back(input(t.type, {t.out}, t.values, t.vector_layout()));
  add_targets(c, kTargets, t);
  return c;
}

template <RelationKind base>
class Sweep {
 public:
  std::vector<Case> all() {
    geometry();
    support();
    values();
    return std::move(cases_);
  }

 private:
  void add(const Trial& t) {
    if (t.valid(base)) cases_.push_back(case_of<base>(t));
  }
  void both(Trial t) {  // without and with targets
    add(t);
    t.targets = t.n / 2 + 3;
    if (takes_targets(base)) add(t);
  }

  void geometry() {
    struct {
      List size, stride, padding, dilation;
    } const steps[] = {{{3}, {1}, {0}, {1}},
                       {{2}, {2}, {0}, {1}},
                       {{3}, {2}, {1}, {1}},
                       {{1}, {1}, {0}, {1}},
                       {{1}, {2}, {0}, {2}},
                       {{2, 3, 1}, {1, 2, 1}, {0}, {1, 1, 2}},
                       {{1, 3, 5}, {1}, {0}, {1, 2, 1}}};
    for (const auto& s : steps)
      for (const Dtype type : {Dtype::f32, Dtype::f16})
        both({{.size = s.size,
               .stride = s.stride,
               .padding = s.padding,
               .dilation = s.dilation,
               .values = "uniform",
               .type = type,
               .dense = type == Dtype::f16,
               .budget = s.dilation[0] == 1 && s.padding[0] == 0 && type == Dtype::f32 ? Budget::smoke : Budget::ci},
              type == Dtype::f32});
  }

  void support() {
    for (const char* f : {"sites_batches", "sites_isolated", "sites_duplicates", "sites_extremes"})
      both({{.n = 50, .active = 48, .sites = f}});
    both({{.sites = "sites_extremes", .coords = Dtype::i64}});
    for (const std::int64_t n : {0, 1, 2, 129}) both({{.n = n, .active = n + 4, .in = 4, .sites = "sites_block"}});
    both({{.active = 0}, true});
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
            .type = w.in % 2 ? Dtype::f16 : Dtype::f32},
           true});
  }

  void values() {
    for (const Dtype type : {Dtype::f32, Dtype::f16}) {
      for (const char* v : {"cancel", "wide", "const-1"})
        add({{.n = 40, .active = 36, .in = 8, .out = 12, .sites = "sites_block", .values = v, .type = type}, true});
      // eps as large as the norm, and larger; and a norm of zero, where half precision would lose eps
      for (const char* w : {"uniform-0.0001", "const-0"})
        both({{.in = 8, .values = "uniform", .weights = w, .type = type}});
      both({{.values = "uniform", .type = type}, false, 10.0});
    }
    both({{.in = 8, .values = "special", .type = Dtype::f16}});
    for (const Layout l : kLayouts)
      add({{.in = 4,
            .out = 6,
            .values = "uniform",
            .dense = l == Layout::offset || l == Layout::transposed,
            .layout = l},
           true});
  }

  std::vector<Case> cases_;
};

template <RelationKind base>
std::vector<Case> cases() {
  return Sweep<base>().all();
}

template <RelationKind base>
std::vector<Reject> rejects() {
  const Case good = case_of<base>({{.n = 8, .active = 8}, true});
  std::vector<Reject> r = conv_rejects(base, good);
  const auto with = [&](auto change, Reason reason, const char* why) {
    Case c = good;
    change(c);
    r.push_back({c, reason, why});
  };
  for (const double eps : {0.0, -1e-8, 1e-50})
    with([eps](Case& c) { c.attrs.set("eps", eps); }, Reason::attribute, "an eps that is not positive in f32");
  with([](Case& c) { c.attrs.set("eps", "small"); }, Reason::attribute, "an eps that is no number");
  with([](Case& c) { c.in[kBias]->shape = {6}; }, Reason::shape, "a bias of another length");
  with([](Case& c) { c.in[kBias]->shape = {5, 1}; }, Reason::rank, "a bias of rank 2");
  return r;
}

template <RelationKind base>
std::vector<Case> bench() {
  std::vector<Case> c;
  const bool subm = base == RelationKind::submanifold;
  for (const Dtype type : {Dtype::f32, Dtype::f16})
    c.push_back(case_of<base>({{.n = subm ? 100000 : 25000,
                                .active = subm ? 100000 : 25000,
                                .in = 64,
                                .out = 64,
                                .size = {subm ? 3 : 2},
                                .stride = {subm ? 1 : 2},
                                .sites = "sites_surface",
                                .values = "uniform",
                                .type = type}}));
  return c;
}

template <RelationKind base>
Op row(std::string_view name, std::string_view meaning) {
  Attrs attrs = conv_attrs(base);
  attrs.set("eps", 1e-8);
  return {.name = name,
          .inputs = with_targets(base, {"coords", "active_rows", "features", "weight", "bias?"}),
          .outputs = {"out_coords", "features", "counts"},
          .attrs = std::move(attrs),
          .dtypes = {Dtype::i32, Dtype::i64},
          .equation =
              "Y[o] = bias + (sum over edges (i,o,k) of X[i] W[k]) / sqrt(sum over edges, over a, of W[k,a]^2 + eps)",
          .meaning = meaning,
          .infer = infer<base>,
          .oracle = convolution<base>,
          .cases = cases<base>,
          .rejects = rejects<base>,
          .bench = bench<base>,
          .cost = cost<base>,
          .tolerance = {.kind = Tolerance::Class::inherited, .bound = bound<base>},
          .active = active_outputs,
          .spot = spot};
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
