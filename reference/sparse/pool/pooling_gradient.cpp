// Derivatives of sparse pooling: the gradient of its features (vjp) and the tangent of its result (jvp).
#include <algorithm>
#include <limits>

#include "reference/sparse/pool/pooling.h"

namespace plumb {
namespace {

using namespace reference;
using namespace pool_input;
using List = std::vector<std::int64_t>;

template <Pooling kind>
std::vector<Spec> infer_vjp(const Request& r) {
  const std::int64_t rows = check_pooling(r, kind);
  if (r.size('G') > rows)
    r.fail(Reason::shape, to_string(r.shape(kSeed)) + " cotangent for at most " + std::to_string(rows) + " rows");
  return r.outputs();
}

template <Pooling kind>
std::vector<Spec> infer_jvp(const Request& r) {
  return r.outputs({{'R', check_pooling(r, kind)}});
}

// dY[o,c] / dX[i,c] for each edge (i,o,k), (E, C): w[k] / D[o]; for max 1/t where X[i,c] is one of t that equal Y[o,c]
Reals shares(const Windows& w, Pooling kind, const Reals& X) {
  const std::int64_t C = X.shape[1], E = std::ssize(w.relation.edges);
  const Reals Y = pooled(w, kind, X);
  Reals s({E, C}), ties({std::ssize(w.relation.out), C});
  const auto edge = [&](std::int64_t e) { return w.relation.edges[static_cast<std::size_t>(e)]; };
  const auto wins = [&](const Edge& e, std::int64_t c) { return X(e.in, c) == Y(e.out, c); };
  for (std::int64_t e = 0; e < E; ++e)
    for (std::int64_t c = 0; c < C; ++c) ties(edge(e).out, c) += wins(edge(e), c);
  for (std::int64_t e = 0; e < E; ++e)
    for (std::int64_t c = 0; c < C; ++c) {
      const Edge a = edge(e);
      if (kind != Pooling::max)
        s(e, c) = w.weight[static_cast<std::size_t>(a.kernel)] / w.divisor[static_cast<std::size_t>(a.out)];
      else if (wins(a, c)) s(e, c) = 1 / ties(a.out, c);
    }
  return s;
}

// dX[i,c] = sum over edges (i,o,k) of share[i,o,k,c] G[o,c]
template <Pooling kind>
std::vector<Wide> vjp(const Call& call) {
  const Windows w = windows(call, kind);
  const Wide features = widen(call[kFeatures]), cotangent = widen(call[kSeed]);
  const Reals &X = reals(features), &G = reals(cotangent);
  if (G.shape[0] < std::ssize(w.relation.out))
    call.fail(Reason::domain, std::to_string(G.shape[0]) + " rows of cotangent for " +
                                  std::to_string(w.relation.out.size()) + " active rows");
  const Reals s = shares(w, kind, X);
  const std::int64_t C = X.shape[1];
  Reals dX(X.shape);
  for (std::size_t e = 0; e < w.relation.edges.size(); ++e)
    for (std::int64_t c = 0; c < C; ++c)
      if (const double share = s(e, c); share != 0)
        dX(w.relation.edges[e].in, c) += share * G(w.relation.edges[e].out, c);
  return {dX};
}

// max: the tangent of the one winning edge with the smallest in * K + k; 0 without edges
Reals winning_tangents(const Windows& w, const Reals& X, const Reals& T) {
  const std::int64_t C = X.shape[1], K = std::ssize(w.weight);
  const Reals Y = pooled(w, Pooling::max, X);
  Reals dY(Y.shape);
  Integers rank(Y.shape, std::numeric_limits<std::int64_t>::max());
  for (const Edge& e : w.relation.edges)
    for (std::int64_t c = 0; c < C; ++c) {
      if (X(e.in, c) != Y(e.out, c) || e.in * K + e.kernel >= rank(e.out, c)) continue;
      rank(e.out, c) = e.in * K + e.kernel;
      dY(e.out, c) = T(e.in, c);
    }
  return dY;
}

template <Pooling kind>
std::vector<Wide> jvp(const Call& call) {
  const std::vector<Spec> specs = infer_jvp<kind>(call);
  const Windows w = windows(call, kind);
  const Wide features = widen(call[kFeatures]), tangent = widen(call[kSeed]);
  const Reals dY =
      kind == Pooling::max ? winning_tangents(w, reals(features), reals(tangent)) : pooled(w, kind, reals(tangent));
  Reals all(specs[0].shape);
  std::copy(dY.data.begin(), dY.data.end(), all.data.begin());
  Integers counts({2});
  counts[0] = std::ssize(w.relation.edges);
  counts[1] = std::ssize(w.relation.out);
  return {all, counts};
}

template <Pooling kind>
std::vector<Allowances> vjp_bound(const Call& call, const std::vector<Wide>& want, const Order& order) {
  const Windows w = windows(call, kind);
  const Wide features = widen(call[kFeatures]);
  const std::vector<Wide> G = vjp<kind>(absolute_in(call, kSeed));
  return {weighted_bound(call, reals(want[0]), reals(G[0]), fullest(w.relation.edges, &Edge::in), order,
                         call.dtype(kFeatures), grain_of(shares(w, kind, reals(features)).data))};
}

std::vector<std::int64_t> active_part(const Call&, const std::vector<Tensor>& out) {
  return {std::clamp<std::int64_t>(out[1].read<std::int32_t>()[1], 0, out[0].dim(0)), -1};
}

template <Pooling kind, auto end>
std::int64_t terms(const Call& call) {
  return fullest(windows(call, kind).relation.edges, end);
}

std::optional<Spot> spot(const Call& call, std::uint64_t key) { return channel_spot(call, key, 0); }

// Only a maximum asks for the features themselves, and a cotangent counts as far as there are outputs.
Cost derivative_cost(const Call& call, Pooling kind, Derivative d) {
  const Spec &x = call.spec(kFeatures), &seed = call.spec(kSeed);
  Cost c = pooling_cost(call, kind);
  if (kind != Pooling::max) c.bytes -= static_cast<double>(count(x.shape) * info(x.dtype).bytes);
  if (d == Derivative::vjp) {
    const std::int64_t beyond = seed.shape[0] - std::ssize(windows(call, kind).relation.out);
    c.bytes -= static_cast<double>(beyond * seed.shape[1] * info(seed.dtype).bytes);
  }
  return c;
}

// What both derivatives have in common.
template <Pooling kind, Derivative d>
Op row(std::string_view name, const Attrs& attrs, std::string_view equation, std::string_view meaning) {
  constexpr bool targets = d == Derivative::vjp && (kind == Pooling::transposed || kind == Pooling::trilinear);
  const char* rest = d == Derivative::jvp ? ", tangent T[N,C] -> tangent_out T[R,C], counts i32[2]"
                     : targets            ? " -> grad_features T[N,C]"
                                          : ", cotangent T[G,C] -> grad_features T[N,C]";
  return {.name = name,
          .signature = kSites + ", features T[N,C]" +
                       (targets ? ", cotangent T[G,C], (" + kTargets + ")?" : std::string()) + rest,
          .types = "I: i32 i64; T: f16 f32",
          .attrs = attrs,
          .equation = equation,
          .meaning = meaning,
          .cases = pooling_cases(kind, d),
          .rejects = pooling_rejects(kind, d),
          .bench = pooling_bench(kind, d),
          .cost = [](const Call& call) { return derivative_cost(call, kind, d); },
          .tolerance = {},
          .spot = spot,
          .corpus = kind == Pooling::trilinear ? ""
                    : d == Derivative::vjp     ? "sparse_pool_vjp"
                                               : "sparse_pool_jvp",
          .corpus_call = [](Attrs& given) { return recorded_pooling(given, kind); }};
}

template <Pooling kind>
Op vjp_row(std::string_view name, const Attrs& attrs, std::string_view equation, std::string_view meaning) {
  Op op = row<kind, Derivative::vjp>(name, attrs, equation, meaning);
  op.infer = infer_vjp<kind>;
  op.oracle = vjp<kind>;
  if (kind == Pooling::sum) op.tolerance = {.kind = Tolerance::Class::accumulate, .terms = terms<kind, &Edge::in>};
  else op.tolerance = {.kind = Tolerance::Class::inherited, .bound = vjp_bound<kind>};
  return op;
}

template <Pooling kind>
Op jvp_row(std::string_view name, const Attrs& attrs, std::string_view equation, std::string_view meaning) {
  Op op = row<kind, Derivative::jvp>(name, attrs, equation, meaning);
  op.infer = infer_jvp<kind>;
  op.oracle = jvp<kind>;
  op.active = active_part;
  if (kind != Pooling::max) op.tolerance = {.kind = Tolerance::Class::accumulate, .terms = terms<kind, &Edge::out>};
  return op;
}

}  // namespace

std::vector<Op> pooling_gradient_ops() {
  const List ones{1, 1, 1}, twos{2, 2, 2}, zeros{0, 0, 0};
  const Attrs local{{"kernel_size", twos}, {"stride", twos}, {"padding", zeros}, {"dilation", ones}},
      step{{"stride", twos}};
  const std::string_view rows =
      "f16 too, summed in at least f32; the cotangent has at least the active rows, further ones are unread";
  return {
      vjp_row<Pooling::sum>("sum_pool3d_vjp", local, "dX[i] = sum over edges (i,o,k) of G[o]", rows),
      vjp_row<Pooling::max>("max_pool3d_vjp", local,
                            "dX[i] = sum over edges (i,o,k) with X[i] = Y[o] of G[o] / t[o], t of them tie",
                            "ties share equally, unlike in the jvp; an input that is NaN has no part"),
      vjp_row<Pooling::avg>("avg_pool3d_vjp", local, "dX[i] = sum over edges (i,o,k) of G[o] / number of edges of o",
                            rows),
      vjp_row<Pooling::transposed>("pool_transpose3d_vjp", local,
                                   "dX[i] = sum over edges (i,o,k) of pool_transpose3d of G[o] / number of edges of o",
                                   rows),
      vjp_row<Pooling::trilinear>("trilinear_upsample3d_vjp", step,
                                  "dX[i] = sum over edges (i,o,k) of trilinear_upsample3d of w[k] G[o] / sum of w at o",
                                  "rows without edges have no part: no division by their sum of 0"),
      jvp_row<Pooling::sum>("sum_pool3d_jvp", local, "dY[o] = sum over edges (i,o,k) of T[i]",
                            "f16 too, summed in at least f32"),
      jvp_row<Pooling::max>(
          "max_pool3d_jvp", local,
          "dY[o] = T[i] of the edge (i,o,k) with X[i] = Y[o] and the smallest i K + k; 0 without edges",
          "one winner, unlike in the vjp; an input that is NaN never wins"),
      jvp_row<Pooling::avg>("avg_pool3d_jvp", local, "dY[o] = (sum over edges (i,o,k) of T[i]) / number of edges of o",
                            "f16 too, summed in at least f32; one division"),
  };
}

}  // namespace plumb
