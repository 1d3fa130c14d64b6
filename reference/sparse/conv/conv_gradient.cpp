// Derivatives of the sparse convolutions: vector-Jacobian and Jacobian-vector products. The geometry is that of
// reference/sparse/sites/relation.h, the convolutions those of reference/sparse/conv/convolution.cpp.
#include <algorithm>

#include "core/with_last.h"
#include "reference/sparse/conv/conv_rows.h"

namespace plumb {
namespace {

using namespace reference;

// --- vjp: cotangent of the outputs to gradients of features, weight and bias

std::vector<Spec> infer_vjp(const Request& r, RelationKind base) {
  const ConvShape s = check_convolution(r, base);
  if (r.size('G') > s.M)
    r.fail(Reason::shape,
           std::to_string(r.size('G')) + " rows of cotangent for at most " + std::to_string(s.M) + " outputs");
  return r.outputs();
}

// dX[i,a]   = sum over edges (i,o,k), over c, of G[o,c] W[k,a,c]
// dW[k,a,c] = sum over edges (i,o,k) of X[i,a] G[o,c]
// db[c]     = sum over all rows o of G[o,c]
std::vector<Wide> vjp(const Call& call, RelationKind base) {
  const ConvShape s = check_convolution(call, base);
  const Relation r = relation_of(call, base);
  const Wide features = widen(call["features"]), weight = widen(call["weight"]), cotangent = widen(call["cotangent"]);
  const Reals &X = reals(features), &G = reals(cotangent);
  if (G.shape[0] < std::ssize(r.out))
    call.fail(Reason::domain,
              std::to_string(G.shape[0]) + " cotangent rows for " + std::to_string(r.out.size()) + " outputs");
  Reals dX(X.shape), dweight(reals(weight).shape), db({s.C});
  const auto W = s.weight(reals(weight));
  const auto dW = s.weight(dweight);
  for (const Edge& e : r.edges)
    for (std::int64_t a = 0; a < s.A; ++a)
      for (std::int64_t c = 0; c < s.C; ++c) {
        dX(e.in, a) += G(e.out, c) * W(e.kernel, a, c);
        dW(e.kernel, a, c) += X(e.in, a) * G(e.out, c);
      }
  for (std::int64_t o = 0; o < G.shape[0]; ++o)
    for (std::int64_t c = 0; c < s.C; ++c) db[c] += G(o, c);
  return {dX, dweight, db};
}

// The longest of the three sums: C products for each edge of the fullest input, one for each edge of the fullest
// kernel row, one for each row of the cotangent.
std::int64_t vjp_terms(const Call& call, RelationKind base) {
  const ConvShape s = check_convolution(call, base);
  std::vector<std::int64_t> of_input(static_cast<std::size_t>(s.N)), of_kernel(static_cast<std::size_t>(s.K));
  std::int64_t input = 0, kernel = 0;
  for (const Edge& e : relation_of(call, base).edges) {
    input = std::max(input, ++of_input[static_cast<std::size_t>(e.in)]);
    kernel = std::max(kernel, ++of_kernel[static_cast<std::size_t>(e.kernel)]);
  }
  return std::max({input * s.C, kernel, call.shape(call.index("cotangent"))[0]});
}

Cost vjp_cost(const Call& call, RelationKind base) {
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

std::vector<Spec> infer_jvp(const Request& r, RelationKind base) {
  return r.outputs({{'R', check_convolution(r, base).M}});
}

// dY[o,c] = db[c] + sum over edges (i,o,k), over a, of dX[i,a] W[k,a,c] + X[i,a] dW[k,a,c]
std::vector<Wide> jvp(const Call& call, RelationKind base) {
  const ConvShape s = check_convolution(call, base);
  const Relation r = relation_of(call, base);
  const Wide features = widen(call["features"]), weight = widen(call["weight"]);
  const Wide tangent_features = widen(call["tangent_features"]), tangent_weight = widen(call["tangent_weight"]);
  const Reals &X = reals(features), &dX = reals(tangent_features);
  const auto W = s.weight(reals(weight)), dW = s.weight(reals(tangent_weight));
  Reals dY({s.M, s.C});
  if (call.has("tangent_bias")) {
    const Wide bias = widen(call["tangent_bias"]);
    for (std::int64_t o = 0; o < s.M; ++o)
      for (std::int64_t c = 0; c < s.C; ++c) dY(o, c) = reals(bias)[c];
  }
  for (const Edge& e : r.edges)
    for (std::int64_t a = 0; a < s.A; ++a)
      for (std::int64_t c = 0; c < s.C; ++c)
        dY(e.out, c) += dX(e.in, a) * W(e.kernel, a, c) + X(e.in, a) * dW(e.kernel, a, c);
  return {coords_of(r, s.M), dY, counts_of(r)};
}

std::int64_t jvp_terms(const Call& call, RelationKind base) {
  const std::int64_t A = call.shape(call.index("features"))[1];
  return 2 * fullest_output(relation_of(call, base)) * A + (call.has("tangent_bias") ? 1 : 0);
}

std::optional<Spot> jvp_spot(const Call& c, std::uint64_t key) {
  return output_channels(c, {"weight", "tangent_weight"}, "tangent_bias", key);
}

// --- cases

constexpr bool spreads(RelationKind base) {
  return base == RelationKind::transposed || base == RelationKind::generative;
}

// {g} rows of the cotangent; -1: all that there is room for.
std::string vjp_call(RelationKind base) {
  return conv_call(base, "{sites_in}+{x_in}+{w_in}+{t}.{g<0?m<0?room:m:g}x{out}.{l}.{x}+{goal_in}") +
         (spreads(base) ? "\nfrom g=-1 room={n*K}" : "\nfrom g=-1 room={n}");
}

std::string jvp_call(RelationKind base) {
  return conv_call(base, "{sites_in}+{x_in}+{w_in}+{x_in}+{w_in}+{bias_in}+{goal_in}") + "\nfrom g=-1";
}

constexpr const char* kGeometry = R"(
  smoke  k,s,p,d,K,cube,dense,t={3: 1: 0: 1: 27 3x3x3 0 f16, 3: 1: 0: 1: 27 3x3x3 1 f32, 3: 2: 1: 1: 27 3x3x3 0 f32,
         3: 2: 1: 1: 27 3x3x3 1 f16, 1: 2: 0: 1: 1 1x1x1 0 f16, 1: 2: 0: 1: 1 1x1x1 1 f32,
         4:2:3 3:2:1 1:0:2 1: 24 4x2x3 0 f32, 4:2:3 3:2:1 1:0:2 1: 24 4x2x3 1 f16} B={dense} x={dense?'uniform':'int-3'}
         m={both}
  ci     k,s,p,d,K,cube,dense,t={2: 2: 0: 1: 8 2x2x2 0 f16, 2: 2: 0: 1: 8 2x2x2 1 f32, 1: 1: 0: 1: 1 1x1x1 0 f32,
         1: 1: 0: 1: 1 1x1x1 1 f16, 2:3:1 1:2:1 0: 1:1:2 6 2x3x1 0 f16, 2:3:1 1:2:1 0: 1:1:2 6 2x3x1 1 f32,
         1:3:5 1: 0: 1:2:1 15 1x3x5 0 f32, 1:3:5 1: 0: 1:2:1 15 1x3x5 1 f16} B={dense} x={dense?'uniform':'int-3'}
         m={both}
  # where the sites lie
  ci     n=50 a=48 sites={sites_batches,sites_line,sites_isolated,sites_duplicates,sites_extremes} m={both}
  ci     sites=sites_extremes c=i64 m={both}
  ci     k,s,p,d,K,sites,c={far} x=uniform m={both}
  smoke  n=2 a=2 in=4 sites=sites_block m={both}
  ci     n={0,1,2,65,129} a={n} in=4 sites=sites_block m={both}
  ci     a=0 m={both}
)";

// As many cotangent rows as there are outputs, and more than are active.
constexpr const char* kept(RelationKind base) {
  if (base == RelationKind::transposed) return "";
  return base == RelationKind::generative ? "ci k=2: K=8 s=2: g=216" : "ci g=27";
}

constexpr const char* kValues = R"(
  # sums of a kernel row in several parts, on every route
  ci     n=3000 a=2990 in=2 out=3 k=3:1:1 K=3 sites=sites_line
  ci     n=3000 a=3000 in=3 out=2 k=1: K=1 sites=sites_line x=uniform t=f16
  # channels around tiles
  ci     n=40 a=40 sites=sites_block in,out={1 1, 15 17, 16 16, 17 15, 33 64, 64 33, 65 4, 4 130, 0 5, 5 0} B=1
         x={in<out?'uniform':'int-2'} t={in%2?'f16':'f32'}
  # sums beyond 2^11, where an accumulator of half precision would stand still
  ci     n=27 a=27 in=2 out=300 sites=sites_block x=const-1 t=f16
  # values and layouts
  ci     n=40 a=36 in=8 out=12 sites=sites_block B=1 t={f32,f16} x={cancel,wide,special,tiny,huge,subnormal,lanes-37}
  ci     in=8 out=8 w=special t={f32,f16}
  ci     in=4 out=6 B=1 l={@layouts} t={l=='stepped'?'f16':'f32'} dense={l=='offset'||l=='transposed'}
)";

constexpr const char* bench(RelationKind base) {
  if (base == RelationKind::submanifold) return "ci n=100000 t,in={f32 {32,64}, f16 64}";
  return spreads(base) ? "ci n=25000 t={f32,f16} k=2: K=8 s=2:" : "ci n=200000 t={f32,f16} k=2: K=8 s=2:";
}

std::string jvp_refusals(RelationKind base) {
  return "from y=int-3 dx={t}.8x3.row.int-3 dw={t}.27x3x5.row.int-3 bias=-\n" +
         conv_refusals(base, "{coords}+i32.1.row.const-8+{x}+{w}+{dx}+{dw}+{bias}");
}

// {R}: the rows that there is room for.
std::string vjp_refusals(RelationKind base) {
  return std::string("from y=int-3 g={gt}.{gs}.row.int-3 gt={t} gs={R}x5 R=") + (spreads(base) ? "216\n" : "8\n") +
         conv_refusals(base, "{coords}+i32.1.row.const-8+{x}+{w}+{g}");
}

constexpr const char* kVjpRefusals = R"(
  shape  gs={R+1}x5                # more cotangent rows than outputs could be
  domain gs=0x5                    # fewer cotangent rows than there are outputs
)";

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
          .infer = with_last<infer_vjp, base>,
          .oracle = with_last<vjp, base>,
          .cases = {vjp_call(base), kConvInputs, kFarKernels, kGeometry, kept(base), kValues},
          .rejects = {vjp_refusals(base), kVjpRefusals},
          .bench = {vjp_call(base), kConvInputs, kConvTimed, bench(base)},
          .cost = with_last<vjp_cost, base>,
          .tolerance = {.kind = Tolerance::Class::accumulate, .terms = with_last<vjp_terms, base>},
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
          .infer = with_last<infer_jvp, base>,
          .oracle = with_last<jvp, base>,
          .cases = {jvp_call(base), kConvInputs, kFarKernels, kGeometry, kept(base), kValues},
          .rejects = jvp_refusals(base),
          .bench = {jvp_call(base), kConvInputs, kConvTimed, bench(base)},
          .cost = [](const Call& c) { return conv_cost(c, base, infer_jvp(c, base), 4); },
          .tolerance = {.kind = Tolerance::Class::accumulate, .terms = with_last<jvp_terms, base>},
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
