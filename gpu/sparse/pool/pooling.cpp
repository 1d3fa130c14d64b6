// Sparse pooling on the device: the relation is built while a job is prepared, a launch is one pass over its edges.
#include "gpu/sparse/pool/pooling.h"
#include "core/with_last.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace plumb {
namespace gpu {
namespace {

bool expands(Pooling kind) { return kind == Pooling::transposed || kind == Pooling::trilinear; }

// The weight of each kernel row times the volume of a stride: whole numbers.
std::vector<std::int64_t> whole_weights(const Geometry& g, bool weighted) {
  std::vector<std::int64_t> w(static_cast<std::size_t>(g.kernels), 1);
  const auto size = [&](std::size_t a) { return g.values[a]; };
  for (std::int64_t k = 0; weighted && k < g.kernels; ++k) {
    const std::int64_t at[] = {k / (size(1) * size(2)), k / size(2) % size(1), k % size(2)};
    for (std::size_t a = 0; a < 3; ++a) {
      const std::int64_t s = g.values[3 + a];
      w[static_cast<std::size_t>(k)] *= s - std::abs(at[a] - (s - 1));
    }
  }
  return w;
}

std::array<std::int32_t, 2> read_counts(const BufferPtr& counts) {
  std::array<std::int32_t, 2> n{};
  finish();
  counts->download(reinterpret_cast<std::byte*>(n.data()));
  return n;
}

void add_divisors(Steps& s, const Geometry& g, Windows& w) {
  const std::vector<std::int64_t> whole = whole_weights(g, w.weighted);
  const double unit = w.weighted ? static_cast<double>(g.values[3] * g.values[4] * g.values[5]) : 1.0;
  std::vector<float> weight;
  for (const std::int64_t v : whole) weight.push_back(static_cast<float>(static_cast<double>(v) / unit));
  w.weight = constants(weight);
  w.divisor = ints(w.rows);
  Kernel k("pooling", "find_divisors", {{"X", Dtype::f32}, {"EACH", 1}});
  k.arg(w.edges.offsets).arg(w.edges.kernel).arg(constants(whole)).arg(std::int32_t{w.weighted});
  s.run(k.arg(static_cast<float>(unit)).arg(w.divisor).arg(w.rows), w.rows);
}

}  // namespace

Geometry pooling_geometry(const Request& r, Pooling kind) {
  const bool targeted = expands(kind) && r.has("target_coords");
  const RelationKind relation = !expands(kind) ? RelationKind::forward
                                : targeted     ? RelationKind::target_transposed
                                               : RelationKind::transposed;
  if (kind != Pooling::trilinear) return Geometry(r, relation);
  Request with = r;
  std::vector<std::int64_t> size = r.list("stride"), padding = size;
  for (std::size_t a = 0; a < size.size(); ++a) padding[a] = size[a] - 1, size[a] = 2 * size[a] - 1;
  with.attrs.set("kernel_size", size);
  with.attrs.set("padding", padding);
  return Geometry(with, relation);
}

Windows::Windows(const Call& call, Pooling kind, std::int64_t out_capacity, bool by_input)
    : inputs(call.shape(0)[0]),
      weighted(kind == Pooling::trilinear),
      divided(kind != Pooling::sum && kind != Pooling::max) {
  const bool targeted = expands(kind) && call.has("target_coords");
  const Geometry g = pooling_geometry(call, kind);
  const Rows in(call["coords"], call["active_rows"]);
  const Rows to = targeted ? Rows(call["target_coords"], call["target_active_rows"]) : Rows();
  const std::int64_t room = (targeted ? to.capacity : in.capacity) * g.kernels;
  const std::size_t site = 4 * static_cast<std::size_t>(info(call.dtype(0)).bytes);
  edges = {ints(room),
           ints(room),
           ints(room),
           ints(2),
           ints(out_capacity + 1),
           scratch(site * static_cast<std::size_t>(out_capacity))};
  Steps s;
  const BufferPtr position = add_edges(s, g, in, to, out_capacity, edges);
  if (by_input) {
    input_offsets = ints(inputs + 1);
    input_edges = ints(room);
    add_input_groups(s, g, in, room, edges, position, input_offsets, input_edges);
  }
  s.enqueue();
  const auto n = read_counts(edges.counts);
  edge_count = n[0], rows = n[1];
  Steps divisors;
  if (divided) add_divisors(divisors, g, *this);
  else weight = divisor = ints(1);
  divisors.enqueue();
}

RowKernel::RowKernel(std::string_view name, Dtype type, std::int64_t rows, std::int64_t channels)
    : kernel("pooling", name, {{"X", type}, {"EACH", channels % 4 == 0 ? 4 : 1}}),
      items(rows * (channels % 4 == 0 ? channels / 4 : channels)) {
  kernel.arg(items).arg(static_cast<std::int32_t>(std::max<std::int64_t>(1, channels)));
}

void add_copy(Steps& s, const BufferPtr& from, const Tensor& to, std::int64_t bytes) {
  s.run(relation_kernel("copy_ints").arg(from).arg(output(to)).arg(bytes / 4), bytes / 4);
}

void bind_scale(Kernel& k, const Windows& w) {
  k.arg(w.edges.kernel).arg(std::int32_t{w.weighted}).arg(w.weight).arg(std::int32_t{w.divided}).arg(w.divisor);
}

void add_sums(Steps& s, const Windows& w, const Tensor& values, const Tensor& out) {
  RowKernel k("pool_sum", out.dtype(), w.rows, out.dim(1));
  k.kernel.arg(dense(values)).arg(output(out)).arg(w.edges.offsets).arg(w.edges.in);
  bind_scale(k.kernel, w);
  s.run(k.kernel, k.items);
}

// Edge after edge; the division, and behind weights their sum, its unit and their quotient, round once each.
Order pooling_order(Pooling kind) {
  Order o;
  if (kind == Pooling::avg || kind == Pooling::transposed) o.epilogue = 1;
  if (kind == Pooling::trilinear) o.fma = true, o.prologue = 1, o.epilogue = 4;
  return o;
}

Route pooling_route(std::string_view op, Job (*prepare)(const Call&, const std::vector<Spec>&),
                    Order (*order)(const Call&)) {
  return {.op = op,
          .name = "gpu.rows",
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = {kExtentsFitInt},
          .prefers = {kNotHost,
                      {Stage::shape_dtype, "under 65536 features: the launches cost more",
                       [](const Call& c, const Device&) { return count(c.shape(2)) >= 1 << 16; }}},
          .order = order,
          .prepare = prepare,
          .prepares = "the relation"};
}

}  // namespace gpu

namespace {

using namespace gpu;

void add_maxima(Steps& s, const Windows& w, const Tensor& features, const Tensor& out) {
  RowKernel k("pool_max", out.dtype(), w.rows, out.dim(1));
  k.kernel.arg(dense(features)).arg(output(out)).arg(w.edges.offsets).arg(w.edges.in);
  s.run(k.kernel, k.items);
}

Job prepare(const Call& call, const std::vector<Spec>& specs, Pooling kind) {
  const std::vector<Tensor> out = outputs(specs);
  const Windows w(call, kind, specs[1].shape[0], false);
  const auto steps = std::make_shared<Steps>();
  add_copy(*steps, w.edges.out_coords, out[0], w.rows * 4 * info(specs[0].dtype).bytes);
  add_copy(*steps, w.edges.counts, out[2], 8);
  if (kind == Pooling::max) add_maxima(*steps, w, call["features"], out[1]);
  else add_sums(*steps, w, call["features"], out[1]);
  return job(out, [steps] { steps->enqueue(); });
}

template <Pooling kind>
Route route(std::string_view op) {
  return pooling_route(op, with_last<prepare, kind>, kForwardOrder<kind>);
}

}  // namespace

std::vector<Route> pooling_gpu_routes() {
  return {route<Pooling::sum>("sum_pool3d"), route<Pooling::max>("max_pool3d"), route<Pooling::avg>("avg_pool3d"),
          route<Pooling::transposed>("pool_transpose3d"), route<Pooling::trilinear>("trilinear_upsample3d")};
}

}  // namespace plumb
