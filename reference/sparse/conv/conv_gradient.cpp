// Derivatives of the sparse convolutions: vector-Jacobian and Jacobian-vector products. The geometry is that of
// reference/sparse/sites/relation.h, the convolutions those of reference/sparse/conv/convolution.cpp.
#include <algorithm>

#include "reference/sparse/conv/conv_rows.h"

namespace plumb {
namespace {

using namespace reference;

// --- vjp: cotangent of the outputs to gradients of features, weight and bias

template <RelationKind base>
std::vector<Spec> infer_vjp(const Request& r) {
  const ConvShape s = check_convolution(r, base);
  if (r.size('G') > s.M)
    r.fail(Reason::shape,
           std::to_string(r.size('G')) + " rows of cotangent for at most " + std::to_string(s.M) + " outputs");
  return r.outputs();
}

// dX[i,a]   = sum over edges (i,o,k), over c, of G[o,c] W[k,a,c]
// dW[k,a,c] = sum over edges (i,o,k) of X[i,a] G[o,c]
// db[c]     = sum over all rows o of G[o,c]
template <RelationKind base>
std::vector<Wide> vjp(const Call& call) {
  const ConvShape s = check_convolution(call, base);
  const Relation r = relation_of(call, base);
  const Wide features = widen(call["features"]), weight = widen(call["weight"]), cotangent = widen(call["cotangent"]);
  const Reals &X = reals(features), &W = reals(weight), &G = reals(cotangent);
  if (G.shape[0] < std::ssize(r.out))
    call.fail(Reason::domain,
              std::to_string(G.shape[0]) + " cotangent rows for " + std::to_string(r.out.size()) + " outputs");
  Reals dX(X.shape), dW(W.shape), db({s.C});
  for (const Edge& e : r.edges)
    for (std::int64_t a = 0; a < s.A; ++a)
      for (std::int64_t c = 0; c < s.C; ++c) {
        dX[e.in * s.A + a] += G[e.out * s.C + c] * W[s.at(e.kernel, a, c)];
        dW[s.at(e.kernel, a, c)] += X[e.in * s.A + a] * G[e.out * s.C + c];
      }
  for (std::int64_t o = 0; o < G.shape[0]; ++o)
    for (std::int64_t c = 0; c < s.C; ++c) db[c] += G[o * s.C + c];
  return {dX, dW, db};
}

// The longest of the three sums: C products for each edge of the fullest input, one for each edge of the fullest
// kernel row, one for each row of the cotangent.
template <RelationKind base>
std::int64_t vjp_terms(const Call& call) {
  const ConvShape s = check_convolution(call, base);
  std::vector<std::int64_t> of_input(static_cast<std::size_t>(s.N)), of_kernel(static_cast<std::size_t>(s.K));
  std::int64_t input = 0, kernel = 0;
  for (const Edge& e : relation_of(call, base).edges) {
    input = std::max(input, ++of_input[static_cast<std::size_t>(e.in)]);
    kernel = std::max(kernel, ++of_kernel[static_cast<std::size_t>(e.kernel)]);
  }
  return std::max({input * s.C, kernel, call.shape(call.index("cotangent"))[0]});
}

template <RelationKind base>
Cost vjp_cost(const Call& call) {
  const ConvShape s = check_convolution(call, base);
  const double products = static_cast<double>(std::ssize(relation_of(call, base).edges) * s.A * s.C);
  return {4 * products + static_cast<double>(count(call.shape(call.index("cotangent")))),
          input_bytes(call) + output_bytes(call)};
}

// Four input channels of many: the relation and the cotangent are whole.
std::optional<Spot> vjp_spot(const Call& c, std::uint64_t key) {
  const int axis = c.text("weight_layout") == "dense_5d" ? 4 : 1;
  std::vector<Tensor> in = c.in;
  Tensor &x = in[c.index("features")], &w = in[c.index("weight")];
  x = spaced(x, 1, 4, key), w = spaced(w, axis, 4, key);
  return Spot{make_call(*c.op, std::move(in), c.attrs), [key, axis](const std::vector<Tensor>& out) {
                return std::vector<Tensor>{spaced(out[0], 1, 4, key), spaced(out[1], axis, 4, key), out[2]};
              }};
}

// --- jvp: tangents of features, weight and bias to the tangent of the outputs

template <RelationKind base>
std::vector<Spec> infer_jvp(const Request& r) {
  return r.outputs({{'R', check_convolution(r, base).M}});
}

// dY[o,c] = db[c] + sum over edges (i,o,k), over a, of dX[i,a] W[k,a,c] + X[i,a] dW[k,a,c]
template <RelationKind base>
std::vector<Wide> jvp(const Call& call) {
  const ConvShape s = check_convolution(call, base);
  const Relation r = relation_of(call, base);
  const Wide features = widen(call["features"]), weight = widen(call["weight"]);
  const Wide tangent_features = widen(call["tangent_features"]), tangent_weight = widen(call["tangent_weight"]);
  const Reals &X = reals(features), &W = reals(weight), &dX = reals(tangent_features), &dW = reals(tangent_weight);
  Reals dY({s.M, s.C});
  if (call.has("tangent_bias")) {
    const Wide bias = widen(call["tangent_bias"]);
    for (std::int64_t o = 0; o < s.M; ++o)
      for (std::int64_t c = 0; c < s.C; ++c) dY[o * s.C + c] = reals(bias)[c];
  }
  for (const Edge& e : r.edges)
    for (std::int64_t a = 0; a < s.A; ++a)
      for (std::int64_t c = 0; c < s.C; ++c)
        dY[e.out * s.C + c] +=
            dX[e.in * s.A + a] * W[s.at(e.kernel, a, c)] + X[e.in * s.A + a] * dW[s.at(e.kernel, a, c)];
  return {coords_of(r, s.M), dY, counts_of(r)};
}

template <RelationKind base>
std::int64_t jvp_terms(const Call& call) {
  const std::int64_t A = call.shape(call.index("features"))[1];
  return 2 * fullest_output(relation_of(call, base)) * A + (call.has("tangent_bias") ? 1 : 0);
}

std::optional<Spot> jvp_spot(const Call& c, std::uint64_t key) {
  return output_channels(c, {"weight", "tangent_weight"}, "tangent_bias", key);
}

// --- cases

struct Trial : ConvTrial {
  std::int64_t rows = -1;  // of the cotangent; -1: all that there is room for
};

constexpr Dtype kTypes[] = {Dtype::f32, Dtype::f16};

std::int64_t room(RelationKind base, const Trial& t) {
  if (t.targets >= 0) return t.targets;
  return base == RelationKind::transposed || base == RelationKind::generative ? t.n * t.kernel.volume() : t.n;
}

template <RelationKind base>
Case vjp_case(const Trial& t) {
  Case c = described(base, t);
  c.in.push_back(input(t.type, {t.rows < 0 ? room(base, t) : t.rows, t.out}, t.values, t.layout));
  add_targets(c, t);
  return c;
}

template <RelationKind base>
Case jvp_case(const Trial& t) {
  Case c = described(base, t);
  c.in.push_back(c.in[2]);
  c.in.push_back(c.in[3]);
  add_bias_and_targets(c, t);
  return c;
}

class Sweep : public ConvCases<Trial> {
 public:
  std::vector<Case> all() {
    geometry();
    support();
    channels();
    values();
    return std::move(cases);
  }

 private:
  void geometry() {
    const ConvKernel kernels[] = {{{3}, {1}, {0}, {1}},
                                  {{2}, {2}, {0}, {1}},
                                  {{3}, {2}, {1}, {1}},
                                  {{1}, {1}, {0}, {1}},
                                  {{1}, {2}, {0}, {1}},
                                  {{2, 3, 1}, {1, 2, 1}, {0}, {1, 1, 2}},
                                  {{4, 2, 3}, {3, 2, 1}, {1, 0, 2}, {1}},
                                  {{1, 3, 5}, {1}, {0}, {1, 2, 1}}};
    for (std::size_t k = 0; k < std::size(kernels); ++k)
      for (const bool dense : {false, true})
        both({{.kernel = kernels[k],
               .values = dense ? "uniform" : "int-3",
               .type = (k % 4 < 2) == dense ? Dtype::f32 : Dtype::f16,
               .bias = dense,
               .dense = dense,
               .budget = k % 2 == 0 ? Budget::smoke : Budget::ci}});
  }

  void support() {
    for (const char* f : {"sites_batches", "sites_line", "sites_isolated", "sites_duplicates", "sites_extremes"})
      both({{.n = 50, .active = 48, .sites = f}});
    both({{.sites = "sites_extremes", .coords = Dtype::i64}});
    far({{.values = "uniform"}});
    for (const std::int64_t n : {0, 1, 2, 65, 129})
      both({{.n = n, .active = n, .in = 4, .sites = "sites_block", .budget = n == 2 ? Budget::smoke : Budget::ci}});
    both({{.active = 0}});
    // as many cotangent rows as there are outputs, and more than are active
    if (base == RelationKind::forward || base == RelationKind::submanifold) add({{}, 27});
    if (base == RelationKind::generative) add({{.kernel = {{2}, {2}}}, 27 * 8});
    // sums of a kernel row in several parts, on every route
    add({{.n = 3000, .active = 2990, .in = 2, .out = 3, .kernel = {{3, 1, 1}}, .sites = "sites_line"}});
    add({{.n = 3000,
          .active = 3000,
          .in = 3,
          .out = 2,
          .kernel = {{1}},
          .sites = "sites_line",
          .values = "uniform",
          .type = Dtype::f16}});
  }

  void channels() {
    struct {
      std::int64_t in, out;
    } const widths[] = {{1, 1}, {15, 17}, {16, 16}, {17, 15}, {33, 64}, {64, 33}, {65, 4}, {4, 130}, {0, 5}, {5, 0}};
    for (const auto& w : widths)
      add({{.n = 40,
            .active = 40,
            .in = w.in,
            .out = w.out,
            .sites = "sites_block",
            .values = w.in < w.out ? "uniform" : "int-2",
            .type = w.in % 2 ? Dtype::f16 : Dtype::f32,
            .bias = true}});
    // sums beyond 2^11, where an accumulator of half precision would stand still
    add({{.n = 27,
          .active = 27,
          .in = 2,
          .out = 300,
          .sites = "sites_block",
          .values = "const-1",
          .type = Dtype::f16}});
  }

  void values() {
    for (const Dtype type : kTypes) {
      for (const char* v : {"cancel", "wide", "special", "tiny", "huge", "subnormal", "lanes-37"})
        add({{.n = 40,
              .active = 36,
              .in = 8,
              .out = 12,
              .sites = "sites_block",
              .values = v,
              .type = type,
              .bias = true}});
      add({{.in = 8, .out = 8, .weights = "special", .type = type}});
    }
    for (const Layout l : kLayouts)
      add({{.in = 4,
            .out = 6,
            .type = l == Layout::stepped ? Dtype::f16 : Dtype::f32,
            .bias = true,
            .dense = l == Layout::offset || l == Layout::transposed,
            .layout = l}});
  }
};

template <RelationKind base>
std::vector<Case> vjp_cases() {
  return Sweep{{base, vjp_case<base>}}.all();
}
template <RelationKind base>
std::vector<Case> jvp_cases() {
  return Sweep{{base, jvp_case<base>}}.all();
}

const Trial kGood{{.n = 8, .active = 8}};

template <RelationKind base>
std::vector<Reject> vjp_rejects() {
  std::vector<Reject> r = conv_rejects(base, vjp_case<base>(kGood));
  const auto with = [&](auto change, Reason reason, const char* why) {
    Case c = vjp_case<base>(kGood);
    change(*c.in[4]);
    r.push_back({c, reason, why});
  };
  with([](Input& g) { ++g.shape[0]; }, Reason::shape, "more cotangent rows than outputs could be");
  with([](Input& g) { g.shape[0] = 0; }, Reason::domain, "fewer cotangent rows than there are outputs");
  return r;
}

template <RelationKind base>
std::vector<Case> bench(Case (*make)(const Trial&)) {
  std::vector<Case> c;
  const auto add = [&](std::int64_t n, std::int64_t channels, Dtype type, const ConvKernel& kernel) {
    c.push_back(make({timed(n, channels, type, "sites_surface", kernel)}));
  };
  const bool spreads = base == RelationKind::transposed || base == RelationKind::generative;
  if (base != RelationKind::submanifold) {
    for (const Dtype type : kTypes) add(spreads ? 25000 : 200000, 64, type, {{2}, {2}});
    return c;
  }
  for (const std::int64_t channels : {32, 64}) add(100000, channels, Dtype::f32, {});
  add(100000, 64, Dtype::f16, {});
  return c;
}
template <RelationKind base>
std::vector<Case> vjp_bench() {
  return bench<base>(vjp_case<base>);
}
template <RelationKind base>
std::vector<Case> jvp_bench() {
  return bench<base>(jvp_case<base>);
}

// --- rows

template <RelationKind base>
Op vjp_row(std::string_view name, std::string_view equation) {
  return {.name = name,
          .signature = conv_signature(base, kWeighted + ", cotangent T[G,C]",
                                      "grad_features T[N,A], grad_weight T[K,A,C | C,X,Y,Z,A], grad_bias T[C]"),
          .types = kConvTypes,
          .attrs = conv_attrs(base),
          .equation = equation,
          .meaning =
              "f16 is summed in at least f32 and rounded once; the cotangent has a row for each output, or more up to "
              "the capacity: further rows reach grad_bias only; features of inactive rows have gradient 0",
          .infer = infer_vjp<base>,
          .oracle = vjp<base>,
          .cases = vjp_cases<base>,
          .rejects = vjp_rejects<base>,
          .bench = vjp_bench<base>,
          .cost = vjp_cost<base>,
          .tolerance = {.kind = Tolerance::Class::accumulate, .terms = vjp_terms<base>},
          .spot = vjp_spot,
          .corpus = "sparse_conv_vjp",
          .corpus_call = [](Attrs& a) { return recorded_kind(base, a); }};
}

template <RelationKind base>
Op jvp_row(std::string_view name, std::string_view equation) {
  return {.name = name,
          .signature = conv_signature(base,
                                      kWeighted + ", tangent_features T[N,A], tangent_weight T[K,A,C | C,X,Y,Z,A], "
                                                  "tangent_bias? T[C]",
                                      "out_coords I[R,4], tangent_out T[R,C], counts i32[2]"),
          .types = kConvTypes,
          .attrs = conv_attrs(base),
          .equation = equation,
          .meaning =
              "f16 is summed in at least f32 and rounded once; both products belong to one sum; rows beyond counts[1] "
              "are unspecified",
          .infer = infer_jvp<base>,
          .oracle = jvp<base>,
          .cases = jvp_cases<base>,
          .rejects = [] { return conv_rejects(base, jvp_case<base>(kGood)); },
          .bench = jvp_bench<base>,
          .cost = [](const Call& c) { return conv_cost(c, base, infer_jvp<base>(c), 4); },
          .tolerance = {.kind = Tolerance::Class::accumulate, .terms = jvp_terms<base>},
          .active = active_outputs,
          .spot = jvp_spot,
          .corpus = "sparse_conv_jvp",
          .corpus_call = [](Attrs& a) { return recorded_kind(base, a); }};
}

constexpr std::string_view kVjp =
    "dX[i] = sum over edges (i,o,k) of G[o] W[k]^T; dW[k] = sum over edges (i,o,k) of X[i]^T G[o]; db = sum over rows "
    "of G[o]";
constexpr std::string_view kJvp = "dY[o] = db + sum over edges (i,o,k) of dX[i] W[k] + X[i] dW[k]";

}  // namespace

std::vector<Op> conv_gradient_ops() {
  using enum RelationKind;
  return {vjp_row<forward>("conv3d_vjp", kVjp),
          vjp_row<submanifold>("subm_conv3d_vjp", kVjp),
          vjp_row<transposed>("conv_transpose3d_vjp", kVjp),
          vjp_row<generative>("generative_conv_transpose3d_vjp", kVjp),
          jvp_row<forward>("conv3d_jvp", kJvp),
          jvp_row<submanifold>("subm_conv3d_jvp", kJvp),
          jvp_row<transposed>("conv_transpose3d_jvp", kJvp),
          jvp_row<generative>("generative_conv_transpose3d_jvp", kJvp)};
}

}  // namespace plumb
