// Sparse pooling: rows of local, transposed and trilinear pooling, and what they share with their derivatives.
#include "reference/sparse/pool/pooling.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace plumb {
namespace reference {
namespace {

using List = std::vector<std::int64_t>;
using namespace pool_input;

bool expands(Pooling kind) { return kind == Pooling::transposed || kind == Pooling::trilinear; }
bool targeted(const Request& r, Pooling kind) { return expands(kind) && r.has("target_coords"); }

RelationKind relation_kind(const Request& r, Pooling kind) {
  if (!expands(kind)) return RelationKind::forward;
  return targeted(r, kind) ? RelationKind::target_transposed : RelationKind::transposed;
}

// w[k] for k = (x,y,z), z fastest
std::vector<double> weights(const Geometry& g, Pooling kind) {
  if (kind != Pooling::trilinear) return std::vector<double>(static_cast<std::size_t>(g.volume), 1.0);
  const auto w = [&](std::size_t a, std::int64_t k) {
    const std::int64_t s = g.stride[a];
    return static_cast<double>(s - std::abs(k - (s - 1))) / static_cast<double>(s);
  };
  std::vector<double> all;
  for (std::int64_t x = 0; x < g.size[0]; ++x)
    for (std::int64_t y = 0; y < g.size[1]; ++y)
      for (std::int64_t z = 0; z < g.size[2]; ++z) all.push_back(w(0, x) * w(1, y) * w(2, z));
  return all;
}

bool whole(const Tensor& t) {
  const Wide w = widen(t);
  const auto& v = reals(w).data;
  return std::all_of(v.begin(), v.end(), [](double x) { return std::isfinite(x) && x == std::trunc(x); });
}

}  // namespace

Geometry pooling_geometry(const Request& r, Pooling kind) {
  if (kind != Pooling::trilinear) return geometry(r, relation_kind(r, kind));
  List size = r.list("stride"), padding = size;  // kernel 2s-1, padding s-1
  for (std::size_t a = 0; a < size.size(); ++a) {
    if (size[a] < 1 || size[a] > 1 << 20) r.fail(Reason::attribute, "stride is " + std::to_string(size[a]));
    padding[a] = size[a] - 1;
    size[a] = 2 * size[a] - 1;
  }
  Request with = r;
  with.attrs.set("kernel_size", size);
  with.attrs.set("padding", padding);
  return geometry(with, relation_kind(r, kind));
}

std::int64_t check_pooling(const Request& r, Pooling kind) {
  const Geometry g = pooling_geometry(r, kind);
  return capacity(r, relation_kind(r, kind), g, r.size('N'), r.size('M'));
}

Windows windows(const Call& call, Pooling kind) {
  const Geometry g = pooling_geometry(call, kind);
  std::vector<Site> targets;
  if (targeted(call, kind)) targets = active_sites(call, call.index("target_coords"), call.index("target_active_rows"));
  Windows w{relate(relation_kind(call, kind), g, active_sites(call, kCoords, kActive), targets), weights(g, kind), {}};
  const bool plain = kind == Pooling::sum || kind == Pooling::max;
  w.divisor.assign(w.relation.out.size(), plain ? 1.0 : 0.0);
  for (const Edge& e : w.relation.edges)
    if (!plain) w.divisor[static_cast<std::size_t>(e.out)] += w.weight[static_cast<std::size_t>(e.kernel)];
  return w;
}

// max: -inf without edges; NaN is never greater, and of equal values the first edge's stays
Reals pooled(const Windows& w, Pooling kind, const Reals& X) {
  const std::int64_t C = X.shape[1], rows = std::ssize(w.relation.out);
  const bool max = kind == Pooling::max;
  Reals Y({rows, C}, max ? -std::numeric_limits<double>::infinity() : 0.0);
  for (const Edge& e : w.relation.edges)
    for (std::int64_t c = 0; c < C; ++c) {
      double& y = Y(e.out, c);
      const double x = X(e.in, c);
      if (max) y = x > y ? x : y;
      else y += w.weight[static_cast<std::size_t>(e.kernel)] * x;
    }
  for (std::int64_t o = 0; o < rows; ++o)
    for (std::int64_t c = 0; c < C; ++c)
      if (const double D = w.divisor[static_cast<std::size_t>(o)]; D != 0) Y(o, c) /= D;
  return Y;
}

Call absolute_in(const Call& call, std::size_t input) {
  Call out = call;
  out.in[input] = absolute(call).in[input];
  return out;
}

std::int64_t fullest(const std::vector<Edge>& edges, std::int64_t Edge::*end) {
  std::int64_t most = 1;
  std::vector<std::int64_t> degree;
  for (const Edge& e : edges) {
    const auto row = static_cast<std::size_t>(e.*end);
    if (row >= degree.size()) degree.resize(row + 1);
    most = std::max(most, ++degree[row]);
  }
  return most;
}

double grain_of(const std::vector<double>& factors) {
  double grain = 1;
  for (const double f : factors)
    while (f * grain != std::floor(f * grain)) {
      grain *= 2;
      if (!(grain <= 4096)) return 0;
    }
  return grain;
}

Allowances weighted_bound(const Call& call, const Reals& want, const Reals& G, std::int64_t n, const Order& order,
                          Dtype out, double grain) {
  const double acc = std::ldexp(1.0, info(order.accumulator).precision), eta = info(order.accumulator).min_subnormal;
  bool exact = grain > 0;
  for (const Tensor& t : call.in) exact = exact && (!t.defined() || !is_inexact(t.dtype()) || whole(t));
  const Wide once = widen(narrow(want, out));
  Allowances bound(want.shape);
  for (std::int64_t i = 0; i < bound.size(); ++i) {
    const double slack = 4 * 0x1p-53 * G[i] + static_cast<double>(2 * n + 2) * eta;
    bound[i] = {accumulate_bound(want[i], G[i], n, order, out, 0x1p-53) + slack, may_overflow(G[i], n, order)};
    const double rounding = std::abs(reals(once)[i] - want[i]);
    if (exact && G[i] * grain <= acc) bound[i] = {std::isfinite(rounding) ? rounding : 0};
  }
  return bound;
}

Cost pooling_cost(const Call& call, Pooling kind) {
  const Windows w = windows(call, kind);
  const double edges = static_cast<double>(w.relation.edges.size());
  double bytes = input_bytes(call);
  for (const Spec& s : output_specs(call)) {
    const bool by_row = call.op->active && s.shape.size() == 2;
    const std::int64_t rows = by_row ? std::ssize(w.relation.out) * s.shape[1] : count(s.shape);
    bytes += static_cast<double>(rows * info(s.dtype).bytes);
  }
  return {(kind == Pooling::trilinear ? 2 : 1) * edges * static_cast<double>(call.shape(kFeatures)[1]), bytes};
}

std::optional<Spot> channel_spot(const Call& call, std::uint64_t key, std::size_t output) {
  constexpr std::int64_t kChannels = 4;
  std::vector<Tensor> in = call.in;
  for (Tensor& t : in)
    if (t.defined() && is_inexact(t.dtype())) t = spaced(t, 1, kChannels, key);
  return Spot{make_call(*call.op, std::move(in), call.attrs), [key, output](const std::vector<Tensor>& out) {
                std::vector<Tensor> part = out;
                part[output] = spaced(out[output], 1, kChannels, key);
                return part;
              }};
}

bool recorded_pooling(Attrs& attrs, Pooling kind) {
  if (kind == Pooling::trilinear) return true;
  constexpr std::string_view kModes[] = {"sum", "max", "avg", "avg"};
  const Attr* mode = attrs.find("mode");
  const std::string* text = mode ? mode->get<std::string>() : nullptr;
  if (!text || *text != kModes[static_cast<int>(kind)]) return false;
  Attrs kept;
  for (const auto& [key, value] : attrs)
    if (key != "mode") kept.set(key, value);
  if (!(expands(kind) ? drop_kind(kept, {"transposed", "target_transposed"}) : drop_kind(kept, {"forward"})))
    return false;
  attrs = kept;
  return true;
}

}  // namespace reference

namespace {

using namespace reference;
using namespace pool_input;
using List = std::vector<std::int64_t>;

template <Pooling kind>
std::vector<Spec> infer(const Request& r) {
  return r.outputs({{'R', check_pooling(r, kind)}});
}

template <Pooling kind>
std::vector<Wide> pooling(const Call& call) {
  const std::vector<Spec> specs = infer<kind>(call);
  const Windows w = windows(call, kind);
  const Wide features = widen(call[kFeatures]);
  const Reals Y = pooled(w, kind, reals(features));
  Integers coords(specs[0].shape), counts(specs[2].shape);
  Reals all(specs[1].shape);
  std::copy(Y.data.begin(), Y.data.end(), all.data.begin());
  for (std::size_t o = 0; o < w.relation.out.size(); ++o)
    for (std::size_t a = 0; a < 4; ++a) coords(o, a) = w.relation.out[o][a];
  counts[0] = std::ssize(w.relation.edges);
  counts[1] = std::ssize(w.relation.out);
  return {coords, all, counts};
}

std::vector<std::int64_t> active_part(const Call&, const std::vector<Tensor>& out) {
  const std::int64_t rows = std::clamp<std::int64_t>(out[2].read<std::int32_t>()[1], 0, out[0].dim(0));
  return {rows, rows, -1};
}

template <Pooling kind>
std::int64_t terms(const Call& call) {
  return fullest(windows(call, kind).relation.edges, &Edge::out);
}

// Trilinear: sums of w X are exact where w is a multiple of 1/grain, and so is their divisor.
std::vector<Allowances> trilinear_bound(const Call& call, const std::vector<Wide>& want, const Order& order) {
  const Windows w = windows(call, Pooling::trilinear);
  const std::vector<Wide> G = pooling<Pooling::trilinear>(absolute_in(call, kFeatures));
  const double most = w.divisor.empty() ? 1 : *std::max_element(w.divisor.begin(), w.divisor.end());
  std::vector<Allowances> bounds(want.size());
  bounds[1] = weighted_bound(call, reals(want[1]), reals(G[1]), fullest(w.relation.edges, &Edge::out), order,
                             call.dtype(kFeatures), grain_of(w.weight) * std::max(1.0, most));
  return bounds;
}

template <Pooling kind>
Tolerance tolerance() {
  if (kind == Pooling::max) return {.kind = Tolerance::Class::exact};
  if (kind == Pooling::trilinear) return {.kind = Tolerance::Class::inherited, .bound = trilinear_bound};
  return {.kind = Tolerance::Class::accumulate, .terms = terms<kind>};
}

template <Pooling kind>
std::optional<Spot> spot(const Call& call, std::uint64_t key) {
  return channel_spot(call, key, 1);
}

template <Pooling kind>
Op row(std::string_view name, const Attrs& attrs, std::string_view equation, std::string_view meaning) {
  constexpr bool targets = kind == Pooling::transposed || kind == Pooling::trilinear;
  return {.name = name,
          .signature = kSites + ", features T[N,C]" + (targets ? ", (" + kTargets + ")?" : "") +
                       " -> out_coords I[R,4], features T[R,C], counts i32[2]",
          .types = "I: i32 i64; T: f16 f32",
          .attrs = attrs,
          .equation = equation,
          .meaning = meaning,
          .infer = infer<kind>,
          .oracle = pooling<kind>,
          .cases = pooling_cases(kind, Derivative::none),
          .rejects = pooling_rejects(kind, Derivative::none),
          .bench = pooling_bench(kind, Derivative::none),
          .cost = [](const Call& call) { return pooling_cost(call, kind); },
          .tolerance = tolerance<kind>(),
          .active = active_part,
          .spot = spot<kind>,
          .corpus = kind == Pooling::trilinear ? "" : "sparse_pool",
          .corpus_call = [](Attrs& given) { return recorded_pooling(given, kind); }};
}

}  // namespace

std::vector<Op> pooling_ops() {
  const List ones{1, 1, 1}, twos{2, 2, 2}, zeros{0, 0, 0};
  const Attrs local{{"kernel_size", twos}, {"stride", twos}, {"padding", zeros}, {"dilation", ones}};
  return {
      row<Pooling::sum>("sum_pool3d", local, "Y[o] = sum over edges (i,o,k) of the forward relation of X[i]",
                        "a row without edges is 0; f16 is summed in at least f32 and rounded once"),
      row<Pooling::max>(
          "max_pool3d", local, "Y[o] = max over edges (i,o,k) of the forward relation of X[i]",
          "a row without edges, or of NaN only, is -inf: NaN is never greater; of equal zeros the first edge's"),
      row<Pooling::avg>("avg_pool3d", local, "Y[o] = (sum over edges (i,o,k) of X[i]) / number of edges of o",
                        "the divisor counts edges, not kernel rows; one division; a row without edges is 0"),
      row<Pooling::transposed>(
          "pool_transpose3d", local,
          "Y[o] = (sum over edges (i,o,k) of the transposed relation of X[i]) / number of edges of o; with targets, "
          "edges where target[o] + padding - f[k] = in[i] * stride, f = 0..size-1 times dilation",
          "absent inputs are passed over, not multiplied by 0: their NaN goes nowhere; a row without edges is 0"),
      row<Pooling::trilinear>(
          "trilinear_upsample3d", {{"stride", twos}},
          "Y[o] = (sum over edges (i,o,k) of w[k] X[i]) / (sum of w[k]), kernel 2s-1, padding s-1, w[k] = product of "
          "1 - |k_a - (s_a - 1)| / s_a",
          "f16 is summed in at least f32; absent inputs are passed over; a row without edges is 0"),
  };
}

}  // namespace plumb
