// Sparse convolution on the device: see kernels/convolution.cl. The relation is built on the device while a job is
// prepared; a launch packs the operands and computes tiles of output rows.
#include <algorithm>

#include "gpu/relation.h"

namespace plumb {
namespace {

using namespace gpu;

enum : std::size_t { kCoords, kActive, kFeatures, kWeight, kBias, kTargets, kTargetActive };

std::int64_t rounded_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

RelationKind with_targets(RelationKind base, bool targets) {
  if (!targets) return base;
  return base == RelationKind::forward ? RelationKind::target : RelationKind::target_transposed;
}

// Which input row each output meets under each kernel row, and the order in which tiles take the outputs. Prepared
// once: every launch hands out a copy of coordinates and counts, as it writes every output anew.
struct Support {
  BufferPtr map, order, coords, counts;
  std::int32_t spread = 0;  // no map: output i * K + k meets input i under k
  bool merged = false;      // rows that are marked have more edges than the map holds
  BufferPtr marked;
  Edges edges;
};

void add_merged_map(Steps& s, const Geometry& g, const Rows& in, std::int64_t rows, Support& p) {
  const std::int64_t edges = in.capacity * g.kernels;
  p.edges = {ints(edges), ints(edges), ints(edges), p.counts, ints(rows + 1), p.coords};
  add_edges(s, g, in, Rows(), rows, p.edges);
  p.merged = true;
  p.map = ints(rows * g.kernels);
  p.marked = ints(rows);
  s.fill(p.map, 0xFF);
  s.fill(p.marked, 0);
  Kernel k("convolution", "map_edges", "-DFROM_f32");
  k.arg(p.edges.in).arg(p.edges.out).arg(p.edges.kernel).arg(p.counts).arg(edges).arg(static_cast<std::int32_t>(g.kernels));
  s.run(k.arg(p.map).arg(p.marked), edges);
}

template <RelationKind base>
Support build_support(const Call& call, const Geometry& g, std::int64_t rows) {
  Steps s;
  Support p;
  const Rows in(call, call[kCoords], call[kActive]);
  const Rows targets = call.has(kTargets) ? Rows(call, call[kTargets], call[kTargetActive]) : Rows();
  p.counts = ints(2);
  p.coords = g.identity() ? in.data : scratch(static_cast<std::size_t>(rows * 4 * (in.wide ? 8 : 4)));
  s.fill(p.counts, 0);
  const Ordering ordering = begin_order(s, g, rows);
  if (!g.scatters()) {
    p.map = add_map(s, g, in, targets, rows, p.coords, p.counts, &ordering);
  } else if (g.merges()) {
    add_merged_map(s, g, in, rows, p);
  } else {
    p.spread = 1;
    p.map = ints(1);
    p.edges = {ints(rows), ints(rows), ints(rows), p.counts, ints(rows + 1), p.coords};
    add_edges(s, g, in, targets, rows, p.edges);
  }
  if (g.scatters()) bucket_outputs(s, g, ordering, p.map, p.spread == 1, rows);
  p.order = end_order(s, ordering, rows);
  s.enqueue();
  return p;
}

// The operands as tiles want them: channels in whole steps of `step`, columns in whole tiles.
struct Operands {
  BufferPtr x, w, bias, bad;
  std::int64_t in = 0, out = 0, padded_in = 0, padded_out = 0;
  bool by_column = false;  // weights as [kernel][column][channel]
};

Operands add_operands(Steps& s, const Call& call, const Geometry& g, const Support& support, const Tensor& to_coords,
                      const Tensor& to_counts, std::int64_t step, std::int64_t columns, bool by_column,
                      const std::string& options) {
  const bool dense_5d = call.text("weight_layout") == "dense_5d";
  Operands p;
  p.in = call.shape(kFeatures)[1];
  p.out = dense_5d ? call.shape(kWeight)[0] : call.shape(kWeight)[2];
  p.padded_in = rounded_up(p.in, step), p.padded_out = rounded_up(p.out, columns), p.by_column = by_column;
  const std::int64_t rows = call.shape(kFeatures)[0], bytes = info(call.dtype(kFeatures)).bytes;
  p.x = dense(call[kFeatures]);
  if (p.padded_in != p.in) {
    Kernel pad("convolution", "pad_rows", options);
    const BufferPtr padded = scratch(static_cast<std::size_t>(rows * p.padded_in * bytes));
    pad.arg(p.x).arg(padded).arg(rows).arg(static_cast<std::int32_t>(p.in)).arg(static_cast<std::int32_t>(p.padded_in));
    s.run(pad, rows * p.padded_in);
    p.x = padded;
  }
  p.bad = ints(1);
  p.bias = scratch(static_cast<std::size_t>(4 * p.padded_out));
  const auto size = [](std::int64_t v) { return static_cast<std::int32_t>(v); };
  const auto words = static_cast<std::int64_t>(to_coords.storage().bytes() / sizeof(std::int32_t));
  Kernel begin("convolution", "begin", options);
  begin.arg(support.coords).arg(output(to_coords)).arg(words).arg(support.counts).arg(output(to_counts));
  begin.arg(call.has(kBias) ? dense(call[kBias]) : p.bad).arg(std::int32_t{call.has(kBias)}).arg(size(p.out));
  s.run(begin.arg(size(p.padded_out)).arg(p.bias).arg(p.bad), std::max({words, p.padded_out, std::int64_t{2}}));
  const std::int64_t weights = g.kernels * p.padded_in * p.padded_out;
  p.w = scratch(static_cast<std::size_t>(weights * bytes));
  const std::int64_t stride_k = dense_5d ? p.in : p.in * p.out, stride_c = dense_5d ? 1 : p.out;
  const std::int64_t stride_n = dense_5d ? g.kernels * p.in : 1;
  Kernel pack("convolution", "pack_weights", options);
  pack.arg(dense(call[kWeight])).arg(p.w).arg(size(g.kernels));
  if (by_column)
    pack.arg(size(p.out)).arg(size(p.in)).arg(size(p.padded_out)).arg(size(p.padded_in)).arg(stride_k).arg(stride_n).arg(stride_c);
  else
    pack.arg(size(p.in)).arg(size(p.out)).arg(size(p.padded_in)).arg(size(p.padded_out)).arg(stride_k).arg(stride_c).arg(stride_n);
  s.run(pack.arg(p.bad), weights);
  return p;
}

// Rows that tiles leave to a plain loop; nearly always none.
void add_exceptions(Steps& s, const Support& p, const Operands& o, const Geometry& g, std::int64_t rows,
                    const BufferPtr& y, const std::string& options) {
  const auto size = [](std::int64_t v) { return static_cast<std::int32_t>(v); };
  const BufferPtr no = o.bad;
  Kernel k("convolution", "compute_rows", options);
  k.arg(o.x).arg(o.w).arg(o.bias).arg(y).arg(p.map).arg(p.spread).arg(size(g.kernels)).arg(rows).arg(size(o.in)).arg(size(o.out));
  k.arg(size(o.padded_in)).arg(size(o.padded_out)).arg(size(o.padded_in)).arg(o.bad).arg(p.merged ? p.marked : no);
  k.arg(std::int32_t{p.merged}).arg(p.merged ? p.edges.offsets : no).arg(p.merged ? p.edges.in : no);
  k.arg(p.merged ? p.edges.kernel : no).arg(p.counts).arg(std::int32_t{o.by_column});
  const auto items = static_cast<std::size_t>(std::min<std::int64_t>(rounded_up(rows * o.out, 128), 65536));
  s.add([k, items] { k.run({items}, {128}); });
}

template <RelationKind base, bool matrix>
Job prepare(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  const std::int64_t rows = specs[1].shape[0];
  const Geometry g(call, with_targets(base, call.has(kTargets)));
  const Support p = build_support<base>(call, g, rows);
  const BufferPtr y = output(out[1]);
  const std::string options = call.dtype(kFeatures) == Dtype::f16 ? "-DFROM_f16" : "-DFROM_f32";
  const std::int64_t width = specs[1].shape[1], in = call.shape(kFeatures)[1];
  const bool narrow = matrix && width <= 16 && in <= 16;  // the smallest of three tiles
  const std::int64_t columns = narrow ? 16 : !matrix || width > 32 ? 64 : 32, step = !matrix || narrow ? 16 : 32;
  const auto steps = std::make_shared<Steps>();
  const Operands o = add_operands(*steps, call, g, p, out[0], out[2], step, columns, matrix, options);
  Kernel k("convolution", matrix ? "mma_sorted" : "tiled",
           matrix ? options + " -DMMA -DCOLUMNS=" + std::to_string(columns) + " -DDEPTH=" + std::to_string(step) : options);
  k.arg(o.x).arg(o.w).arg(o.bias).arg(y).arg(p.map).arg(p.spread).arg(static_cast<std::int32_t>(g.kernels)).arg(p.order);
  k.arg(rows).arg(static_cast<std::int32_t>(o.padded_in)).arg(static_cast<std::int32_t>(o.padded_out)).arg(static_cast<std::int32_t>(width));
  const auto tiles = static_cast<std::size_t>((rows + 127) / 128), panels = static_cast<std::size_t>(o.padded_out / columns);
  steps->add([k, tiles, panels] { k.run({tiles * 128, panels}, {128, 1}); });
  add_exceptions(*steps, p, o, g, rows, y, options);
  return job(out, [steps] { steps->enqueue(); });
}

std::int64_t work(const Call& c) { return c.shape(kFeatures)[0] * c.shape(kFeatures)[1]; }

Order chain(const Call&) {
  Order o;
  o.fma = true;
  return o;
}

// Matrix units align the products of 16 channels and the sum before them, and cut what falls off.
Order matrix_chain(const Call&) {
  Order o;
  o.fma = true;
  o.truncating = true;
  return o;
}

const Condition kWorthLaunch{Stage::shape_dtype, "under 65536 features: the launches cost more",
                             [](const Call& c, const Device&) { return work(c) >= 1 << 16; }};

template <RelationKind base>
Route tiled(std::string_view op) {
  return {.op = op,
          .name = "gpu.tiled",
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = {},
          .prefers = {kNotHost, kWorthLaunch},
          .order = chain,
          .prepare = prepare<base, false>,
          .prepares = "the relation"};
}

template <RelationKind base>
Route sorted(std::string_view op) {
  return {.op = op,
          .name = "gpu.mma_sorted",
          .tier = Tier::neural_accelerator,
          .needs = Tier::gpu,
          .supports = {{Stage::shape_dtype, "features are not f16",
                        [](const Call& c, const Device&) { return c.dtype(kFeatures) == Dtype::f16; }}},
          .prefers = {kNotHost, kWorthLaunch,
                      {Stage::shape_dtype, "under 8 channels: steps of 16 would be mostly padding",
                       [](const Call& c, const Device&) { return c.shape(kFeatures)[1] >= 8; }}},
          .order = matrix_chain,
          .prepare = prepare<base, true>,
          .prepares = "the relation"};
}

template <RelationKind base>
void append(std::vector<Route>& to, std::string_view op) {
  to.push_back(sorted<base>(op));
  to.push_back(tiled<base>(op));
}

}  // namespace

std::vector<Route> convolution_gpu_routes() {
  std::vector<Route> r;
  append<RelationKind::forward>(r, "conv3d");
  append<RelationKind::submanifold>(r, "subm_conv3d");
  append<RelationKind::transposed>(r, "conv_transpose3d");
  append<RelationKind::generative>(r, "generative_conv_transpose3d");
  return r;
}

}  // namespace plumb
