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
      for (std::int64_t a = 0; a < A; ++a) Y(i, c) += X(i, a) * W(c, a);
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
        dX(i, a) += G(i, c) * W(c, a);
        dW(c, a) += G(i, c) * X(i, a);
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

constexpr const char* kCall = "call {t}.{n}x{in}.{l}.{x}+{t}.{out}x{in}.{l}.{x}/-";
constexpr const char* kVjpCall = "call {t}.{n}x{in}.{l}.{x}+{t}.{out}x{in}.{l}.{x}+{t}.{n}x{out}.{l}.{x}/-";

constexpr const char* kCases = R"(
  from   t={f32,f16} n=33 in=8 out=5 x=int-3 l=row
  smoke  n={0,2,16}
  smoke  n={1,15,17,33,65} x=uniform
  ci     n=40 in={0,31,65} out={0,1,4,33} x={out%2?'uniform':'int-2'}
  ci     n=40 in=40 out=40 x={cancel,wide,special,tiny,huge,subnormal,lanes-41}
  ci     l={@layouts}
  # sums beyond 2^11, where an accumulator of half precision would stand still, in either direction
  ci     n,in,out,x={3 3000 2 const-1, 9000 3 2 const-1, 9000 2 3 uniform}
  ci     n=300 in=300 out=130 x=uniform   # enough for a device, whose products take 128 rows and columns at once
)";

constexpr const char* kBench = R"(
  ci     t={f32,f16} n=200000 in={64,256} out={in} l=row x=uniform
)";

}  // namespace

std::vector<Op> pointwise_ops() {
  const Op forward{.name = "pointwise_projection",
                   .signature = "features T[N,A], weight T[C,A] -> out T[N,C]",
                   .types = "T: f16 f32",
                   .attrs = {},
                   .equation = "Y[i,c] = sum over a of X[i,a] W[c,a]",
                   .meaning = "f16 is summed in at least f32 and rounded once",
                   .oracle = projection,
                   .cases = {kCall, kCases},
                   .bench = {kCall, kBench},
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
      .cases = {kVjpCall, kCases},
      .bench = {kVjpCall, kBench},
      .cost = vjp_cost,
      .tolerance = {.kind = Tolerance::Class::accumulate, .terms = vjp_terms},
      .spot = vjp_spot};
  return {forward, vjp};
}

}  // namespace plumb
