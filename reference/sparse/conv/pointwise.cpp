// The pointwise projection of features, and its gradients: what a sparse convolution with a kernel of one point is.
#include <algorithm>

#include "core/op.h"

namespace plumb {
namespace {

enum : std::size_t { kFeatures, kWeight, kCotangent };

// Y[i,c] = sum over a of X[i,a] W[c,a]
std::vector<Wide> projection(const Call& call) {
  const Wide features = widen(call[kFeatures]), weight = widen(call[kWeight]);
  const Reals &X = reals(features), &W = reals(weight);
  const std::int64_t N = X.shape[0], A = X.shape[1], C = W.shape[0];
  Reals Y({N, C});
  for (std::int64_t i = 0; i < N; ++i)
    for (std::int64_t c = 0; c < C; ++c)
      for (std::int64_t a = 0; a < A; ++a) Y[i * C + c] += X[i * A + a] * W[c * A + a];
  return {Y};
}

// dX[i,a] = sum over c of G[i,c] W[c,a];  dW[c,a] = sum over i of G[i,c] X[i,a]
std::vector<Wide> projection_vjp(const Call& call) {
  const Wide features = widen(call[kFeatures]), weight = widen(call[kWeight]), cotangent = widen(call[kCotangent]);
  const Reals &X = reals(features), &W = reals(weight), &G = reals(cotangent);
  const std::int64_t N = X.shape[0], A = X.shape[1], C = W.shape[0];
  Reals dX(X.shape), dW(W.shape);
  for (std::int64_t i = 0; i < N; ++i)
    for (std::int64_t c = 0; c < C; ++c)
      for (std::int64_t a = 0; a < A; ++a) {
        dX[i * A + a] += G[i * C + c] * W[c * A + a];
        dW[c * A + a] += G[i * C + c] * X[i * A + a];
      }
  return {dX, dW};
}

std::int64_t terms(const Call& c) { return c.shape(kFeatures)[1]; }
std::int64_t vjp_terms(const Call& c) { return std::max(c.shape(kFeatures)[0], c.shape(kWeight)[0]); }

double flops(const Call& c) {
  return 2.0 * static_cast<double>(c.shape(kFeatures)[0]) * static_cast<double>(c.shape(kFeatures)[1]) *
         static_cast<double>(c.shape(kWeight)[0]);
}
double bytes(const Call& c) { return input_bytes(c) + output_bytes(c); }
Cost projection_cost(const Call& c) { return {flops(c), bytes(c)}; }
Cost vjp_cost(const Call& c) { return {2 * flops(c), bytes(c)}; }

// Four output channels.
std::optional<Spot> spot(const Call& c, std::uint64_t key) {
  return Spot{make_call(*c.op, {c[kFeatures], spaced(c[kWeight], 0, 4, key)}),
              [key](const std::vector<Tensor>& out) { return std::vector<Tensor>{spaced(out[0], 1, 4, key)}; }};
}

// Four input channels.
std::optional<Spot> vjp_spot(const Call& c, std::uint64_t key) {
  return Spot{make_call(*c.op, {spaced(c[kFeatures], 1, 4, key), spaced(c[kWeight], 1, 4, key), c[kCotangent]}),
              [key](const std::vector<Tensor>& out) {
                return std::vector<Tensor>{spaced(out[0], 1, 4, key), spaced(out[1], 1, 4, key)};
              }};
}

struct Trial {
  std::int64_t n = 33, in = 8, out = 5;
  Dtype type = Dtype::f32;
  std::string values = "int-3";
  Layout layout = Layout::row;
  Budget budget = Budget::ci;
};

Case forward_case(const Trial& t) {
  return {
      {Input{t.type, {t.n, t.in}, t.layout, t.values}, Input{t.type, {t.out, t.in}, t.layout, t.values}}, {}, t.budget};
}
Case vjp_case(const Trial& t) {
  Case c = forward_case(t);
  c.in.push_back(Input{t.type, {t.n, t.out}, t.layout, t.values});
  return c;
}

template <Case (*make)(const Trial&)>
std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Dtype type : {Dtype::f32, Dtype::f16}) {
    for (const std::int64_t n : {0, 1, 2, 15, 16, 17, 33, 65})
      all.push_back(make({.n = n, .type = type, .values = n % 2 ? "uniform" : "int-3", .budget = Budget::smoke}));
    for (const std::int64_t in : {0, 31, 65})
      for (const std::int64_t out : {0, 1, 4, 33})
        all.push_back(make({.n = 40, .in = in, .out = out, .type = type, .values = out % 2 ? "uniform" : "int-2"}));
    for (const char* v : {"cancel", "wide", "special", "tiny", "huge", "subnormal", "lanes-41"})
      all.push_back(make({.n = 40, .in = 40, .out = 40, .type = type, .values = v}));
    for (const Layout l : kLayouts) all.push_back(make({.type = type, .layout = l}));
    // sums beyond 2^11, where an accumulator of half precision would stand still, in either direction
    all.push_back(make({.n = 3, .in = 3000, .out = 2, .type = type, .values = "const-1"}));
    all.push_back(make({.n = 9000, .in = 3, .out = 2, .type = type, .values = "const-1"}));
    all.push_back(make({.n = 9000, .in = 2, .out = 3, .type = type, .values = "uniform"}));
    // enough for a device, whose products take 128 rows and columns at once
    all.push_back(make({.n = 300, .in = 300, .out = 130, .type = type, .values = "uniform"}));
  }
  return all;
}

template <Case (*make)(const Trial&)>
std::vector<Case> bench() {
  std::vector<Case> all;
  for (const Dtype type : {Dtype::f32, Dtype::f16})
    for (const std::int64_t channels : {64, 256})
      all.push_back(make({.n = 200000, .in = channels, .out = channels, .type = type, .values = "uniform"}));
  return all;
}

}  // namespace

std::vector<Op> pointwise_ops() {
  const Op forward{.name = "pointwise_projection",
                   .signature = "features T[N,A], weight T[C,A] -> out T[N,C]",
                   .types = "T: f16 f32",
                   .attrs = {},
                   .equation = "Y[i,c] = sum over a of X[i,a] W[c,a]",
                   .meaning = "f16 is summed in at least f32 and rounded once",
                   .oracle = projection,
                   .cases = cases<forward_case>,
                   .bench = bench<forward_case>,
                   .cost = projection_cost,
                   .tolerance = {.kind = Tolerance::Class::accumulate, .terms = terms},
                   .spot = spot};
  const Op vjp{
      .name = "pointwise_projection_vjp",
      .signature = "features T[N,A], weight T[C,A], cotangent T[N,C] -> grad_features T[N,A], grad_weight T[C,A]",
      .types = "T: f16 f32",
      .attrs = {},
      .equation = "dX[i,a] = sum over c of G[i,c] W[c,a]; dW[c,a] = sum over i of G[i,c] X[i,a]",
      .meaning = "f16 is summed in at least f32 and rounded once",
      .oracle = projection_vjp,
      .cases = cases<vjp_case>,
      .bench = bench<vjp_case>,
      .cost = vjp_cost,
      .tolerance = {.kind = Tolerance::Class::accumulate, .terms = vjp_terms},
      .spot = vjp_spot};
  return {forward, vjp};
}

}  // namespace plumb
