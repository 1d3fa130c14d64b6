// Sparse convolution on the device: see kernels/convolution.cl. The relation is built on the device while a job is
// prepared; a launch packs the operands and computes tiles of output rows.
#include "gpu/sparse/conv/convolution.h"
#include "core/with_last.h"

#include <algorithm>
#include <string>

#include "core/error.h"

namespace plumb::gpu {
namespace {

std::int64_t work(const Call& c) { return count(c.shape(c.index("features"))); }

void add_merged_map(Steps& s, const Geometry& g, const Rows& in, std::int64_t rows, Support& p) {
  const std::int64_t edges = in.capacity * g.kernels;
  p.edges = {ints(edges), ints(edges), ints(edges), p.counts, ints(rows + 1), p.coords};
  add_edges(s, g, in, Rows(), rows, p.edges);
  p.merged = true;
  p.map = ints(rows * g.kernels);
  p.marked = ints(rows);
  s.fill(p.map, 0xFF);
  s.fill(p.marked, 0);
  Kernel k("edge_product", "map_edges", {"INDEX"});
  k.arg(p.edges.in).arg(p.edges.out).arg(p.edges.kernel).arg(p.counts).arg(edges).arg(small(g.kernels));
  s.run(k.arg(p.map).arg(p.marked), edges);
}

}  // namespace

std::int32_t small(std::int64_t v) {
  if (v < INT32_MIN || v > INT32_MAX)
    throw Error("opencl", Reason::memory, std::to_string(v) + " is beyond the 32 bits of a kernel's argument");
  return static_cast<std::int32_t>(v);
}

bool given_targets(const Request& r) {
  static constexpr std::string_view kTargets = "target_coords";
  const auto& names = r.op->inputs;
  return std::any_of(names.begin(), names.end(), [](std::string_view n) { return n.starts_with(kTargets); }) &&
         r.has(kTargets);
}

RelationKind kind_of(const Request& r, RelationKind base) {
  if (!given_targets(r)) return base;
  return base == RelationKind::forward ? RelationKind::target : RelationKind::target_transposed;
}

Support build_support(const Call& call, const Geometry& g, std::int64_t rows) {
  Steps s;
  Support p;
  const Rows in(call["coords"], call["active_rows"]);
  Rows targets;
  if (given_targets(call)) targets = Rows(call["target_coords"], call["target_active_rows"]);
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

void add_tiles(Steps& s, const Kernel& k, std::int64_t rows, std::int64_t panels) {
  const auto x = static_cast<std::size_t>(rounded_up(rows, 128)), y = static_cast<std::size_t>(panels);
  s.add([k, x, y] { k.run({x, y}, {128, 1}); });
}

constexpr Limit kItems{"gpu.convolution.items", 65536, 128};  // that look for exceptions, each at several elements

void add_exceptions(Steps& s, Kernel k, const Support& p, const BufferPtr& bad, std::int64_t elements) {
  const auto given = [&](const BufferPtr& b) { return b ? b : bad; };
  k.arg(bad).arg(given(p.marked)).arg(std::int32_t{p.merged});
  k.arg(given(p.edges.offsets)).arg(given(p.edges.in)).arg(given(p.edges.kernel)).arg(given(p.counts));
  const auto items = static_cast<std::size_t>(std::min(rounded_up(elements, 128), kItems.of(elements)));
  s.add([k, items] { k.run({items}, {128}); });
}

Order fused_chain(const Call&) {
  Order o;
  o.fma = true;
  return o;
}

// Matrix units align the products of 16 terms and the sum before them, and cut what falls off.
Order truncating_chain(const Call& c) {
  Order o = fused_chain(c);
  o.truncating = true;
  return o;
}

constexpr Condition kWorthLaunch{Stage::shape_dtype, "under 65536 features: the launches cost more",
                                 [](const Call& c, const Device&) { return work(c) >= 1 << 16; }};

Route relation_route(std::string_view op, std::string_view name, Tier tier, Order (*order)(const Call&),
                     Prepare prepare, std::vector<Condition> supports, const std::vector<Condition>& prefers) {
  Route r{.op = op,
          .name = name,
          .tier = tier,
          .needs = Tier::gpu,
          .supports = std::move(supports),
          .prefers = {kNotHost, kWorthLaunch},
          .order = order,
          .prepare = prepare,
          .prepares = "the relation"};
  r.supports.push_back(kExtentsFitInt);
  r.prefers.insert(r.prefers.end(), prefers.begin(), prefers.end());
  return r;
}

}  // namespace plumb::gpu

namespace plumb {
namespace {

using namespace gpu;

enum : std::size_t { kFeatures = 2, kWeight = 3, kBias = 4 };

// The operands as tiles want them: channels in whole steps of `step`, columns in whole tiles.
struct Operands {
  BufferPtr x, w, bias, bad;
  std::int64_t in = 0, out = 0, padded_in = 0, padded_out = 0;
  bool by_column = false;  // weights as [kernel][column][channel]
};

Operands add_operands(Steps& s, const Call& call, const Geometry& g, const Support& support, const Tensor& to_coords,
                      const Tensor& to_counts, std::int64_t step, std::int64_t columns, bool by_column,
                      const Options& options) {
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
    pad.arg(p.x).arg(padded).arg(rows).arg(small(p.in)).arg(small(p.padded_in));
    s.run(pad, rows * p.padded_in);
    p.x = padded;
  }
  p.bad = ints(1);
  p.bias = scratch(static_cast<std::size_t>(4 * p.padded_out));
  const auto words = static_cast<std::int64_t>(to_coords.storage().bytes() / sizeof(std::int32_t));
  Kernel begin("convolution", "begin", options);
  begin.arg(support.coords).arg(output(to_coords)).arg(words).arg(support.counts).arg(output(to_counts));
  begin.arg(call.has(kBias) ? dense(call[kBias]) : p.bad).arg(std::int32_t{call.has(kBias)}).arg(small(p.out));
  s.run(begin.arg(small(p.padded_out)).arg(p.bias).arg(p.bad), std::max({words, p.padded_out, std::int64_t{2}}));
  const std::int64_t weights = g.kernels * p.padded_in * p.padded_out;
  p.w = scratch(static_cast<std::size_t>(weights * bytes));
  const std::int64_t stride_k = dense_5d ? p.in : p.in * p.out, stride_c = dense_5d ? 1 : p.out;
  const std::int64_t stride_n = dense_5d ? g.kernels * p.in : 1;
  Kernel pack("convolution", "pack_weights", options);
  pack.arg(dense(call[kWeight])).arg(p.w).arg(small(g.kernels));
  if (by_column) pack.arg(small(p.out)).arg(small(p.in)).arg(small(p.padded_out)).arg(small(p.padded_in));
  else pack.arg(small(p.in)).arg(small(p.out)).arg(small(p.padded_in)).arg(small(p.padded_out));
  pack.arg(stride_k).arg(by_column ? stride_n : stride_c).arg(by_column ? stride_c : stride_n);
  s.run(pack.arg(p.bad), weights);
  return p;
}

// Rows that tiles leave to a plain loop.
void add_plain_rows(Steps& s, const Support& p, const Operands& o, const Geometry& g, std::int64_t rows,
                    const BufferPtr& y, const Options& options) {
  Kernel k("convolution", "compute_rows", options);
  k.arg(o.x).arg(o.w).arg(o.bias).arg(y).arg(p.map).arg(p.spread).arg(small(g.kernels)).arg(rows);
  k.arg(small(o.in)).arg(small(o.out)).arg(small(o.padded_in)).arg(small(o.padded_out)).arg(std::int32_t{o.by_column});
  add_exceptions(s, k, p, o.bad, rows * o.out);
}

Job prepare(const Call& call, const std::vector<Spec>& specs, RelationKind base, bool matrix) {
  const std::vector<Tensor> out = outputs(specs);
  const std::int64_t rows = specs[1].shape[0];
  const Geometry g(call, kind_of(call, base));
  const Support p = build_support(call, g, rows);
  const BufferPtr y = output(out[1]);
  const Dtype x = call.dtype(kFeatures);
  const Options options{{"X", x}};
  const std::int64_t width = specs[1].shape[1], in = call.shape(kFeatures)[1];
  const bool narrow = matrix && width <= 16 && in <= 16;  // the smallest of three tiles
  const std::int64_t columns = narrow ? 16 : !matrix || width > 32 ? 64 : 32, step = !matrix || narrow ? 16 : 32;
  const auto steps = std::make_shared<Steps>();
  const Operands o = add_operands(*steps, call, g, p, out[0], out[2], step, columns, matrix, options);
  Options tile{{"X", x}, {"MMA"}, {"COLUMNS", columns}, {"DEPTH", step}};
  if (narrow) tile.add({"PITCH", 16});  // more work-groups at once: worth more there than banks that nobody shares
  Kernel k("convolution", matrix ? "mma_sorted" : "tiled", matrix ? tile : options);
  k.arg(o.x).arg(o.w).arg(o.bias).arg(y).arg(p.map).arg(p.spread).arg(small(g.kernels)).arg(p.order);
  k.arg(rows).arg(small(o.padded_in)).arg(small(o.padded_out)).arg(small(width));
  add_tiles(*steps, k, rows, o.padded_out / columns);
  add_plain_rows(*steps, p, o, g, rows, y, options);
  return job(out, [steps] { steps->enqueue(); });
}

const Condition kHalves{Stage::shape_dtype, "features are not f16",
                        [](const Call& c, const Device&) { return c.dtype(kFeatures) == Dtype::f16; }};
const Condition kEnoughChannels{Stage::shape_dtype, "under 8 channels: steps of 16 would be mostly padding",
                                [](const Call& c, const Device&) { return c.shape(kFeatures)[1] >= 8; }};

template <RelationKind base>
void append(std::vector<Route>& to, std::string_view op) {
  to.push_back(relation_route(op, "gpu.mma_sorted", Tier::neural_accelerator, truncating_chain,
                              with_last<prepare, base, true>, {kHalves}, {kEnoughChannels}));
  to.push_back(relation_route(op, "gpu.tiled", Tier::gpu, fused_chain, with_last<prepare, base, false>));
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
