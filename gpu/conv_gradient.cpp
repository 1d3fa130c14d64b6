// Derivatives of sparse convolutions on the device: sums over edges grouped by input or output, and gradients of
// weights as products of gathered rows in a fixed number of parts. See kernels/edge_product.cl.
#include <algorithm>
#include <memory>

#include "gpu/edge_product.h"

namespace plumb {
namespace {

using namespace gpu;

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
std::int32_t small(std::int64_t v) { return static_cast<std::int32_t>(v); }
std::string_view dtype_of(const Call& call) { return name(call.dtype(call.index("features"))); }

// partial (kernels, parts, rows, columns) to the output's dtype and layout
void add_parts(Steps& s, const BufferPtr& partial, std::int64_t parts, std::int64_t kernels, std::int64_t rows, std::int64_t columns,
               const WeightStrides& to, const Tensor& out, const std::string& options) {
  Kernel k("edge_product", "add_parts", options);
  const std::int64_t size = kernels * rows * columns;
  k.arg(partial).arg(small(parts)).arg(size).arg(small(rows)).arg(small(columns)).arg(to.kernel).arg(to.channel).arg(to.column);
  s.run(k.arg(output(out)), size);
}

void add_weight_gradient(Steps& s, const Call& call, const KernelEdges& e, const Tensor& out) {
  const std::int64_t rows = call.shape(call.index("features"))[1], columns = call.shape(call.index("cotangent"))[1];
  if (out.size() == 0) return;
  const std::int64_t widest = std::max(rows, columns), tile = widest <= 16 ? 16 : widest <= 32 ? 32 : 64;
  const std::int64_t tiles = divide_up(rows, tile) * divide_up(columns, tile), kernels = e.geometry.kernels;
  std::int64_t longest = 0;
  for (std::size_t k = 0; k + 1 < e.offsets.size(); ++k) longest = std::max<std::int64_t>(longest, e.offsets[k + 1] - e.offsets[k]);
  // Enough work-groups for a large device, and enough edges for each of them.
  const std::int64_t parts = std::clamp<std::int64_t>(1056 / (tiles * kernels), 1, std::max<std::int64_t>(1, longest / 512));
  const std::string options = "-DFROM_" + std::string(dtype_of(call)) + " -DTILE=" + std::to_string(tile);
  const BufferPtr partial = scratch(static_cast<std::size_t>(4 * kernels * parts * rows * columns));
  Kernel k("edge_product", "multiply_parts", options);
  k.arg(dense(call["features"])).arg(dense(call["cotangent"])).arg(e.in).arg(e.out).arg(e.device_offsets);
  k.arg(small(parts)).arg(small(rows)).arg(small(columns)).arg(partial);
  const auto x = static_cast<std::size_t>(128 * tiles), y = static_cast<std::size_t>(kernels * parts);
  s.add([k, x, y] { k.run({x, y}, {128, 1}); });
  add_parts(s, partial, parts, kernels, rows, columns, weight_strides(call), out, options);
}

void add_bias_gradient(Steps& s, const Call& call, const Tensor& out) {
  const Shape& g = call.shape(call.index("cotangent"));
  if (out.size() == 0) return;
  const std::int64_t parts = std::clamp<std::int64_t>(g[0] / 256, 1, 512);
  const std::string options = "-DFROM_" + std::string(dtype_of(call)) + " -DTILE=16";
  const BufferPtr partial = scratch(static_cast<std::size_t>(4 * parts * g[1]));
  Kernel k("edge_product", "sum_columns", options);
  s.run(k.arg(dense(call["cotangent"])).arg(g[0]).arg(small(g[1])).arg(small(parts)).arg(partial), parts * g[1]);
  add_parts(s, partial, parts, 1, 1, g[1], {0, 0, 1}, out, options);
}

template <RelationKind base>
Job vjp(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  const KernelEdges e(call, base);
  const std::int64_t given = call.shape(call.index("cotangent"))[0];
  if (given < e.outputs)
    call.fail(Reason::domain, std::to_string(given) + " cotangent rows for " + std::to_string(e.outputs) + " outputs");
  const Destinations inputs = by_input(e);
  const auto steps = std::make_shared<Steps>();
  const WeightStrides w = weight_strides(call);
  Sum sum;
  sum.source = e.out;
  sum.factors = {{dense(call["cotangent"]), dense(call["weight"]), {w.kernel, w.column, w.channel}}};
  sum.channels = call.shape(call.index("cotangent"))[1], sum.columns = out[0].dim(1);
  sum.dtype = dtype_of(call);
  sum.y = output(out[0]);
  add_sums(*steps, e, inputs, sum);
  add_weight_gradient(*steps, call, e, out[1]);
  add_bias_gradient(*steps, call, out[2]);
  return job(out, [steps] { steps->enqueue(); });
}

template <RelationKind base>
Job jvp(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  const KernelEdges e(call, base);
  const auto steps = std::make_shared<Steps>();
  add_copy(*steps, e.coords, out[0]);
  add_copy(*steps, e.counts, out[2]);
  Sum sum;
  sum.source = e.in;
  sum.factors = {{dense(call["tangent_features"]), dense(call["weight"]), weight_strides(call)},
                 {dense(call["features"]), dense(call["tangent_weight"]), weight_strides(call)}};
  sum.channels = call.shape(call.index("features"))[1], sum.columns = out[1].dim(1);
  sum.dtype = dtype_of(call);
  sum.y = output(out[1]);
  if (call.has("tangent_bias")) sum.bias = dense(call["tangent_bias"]);
  add_sums(*steps, e, by_output(e), sum);
  return job(out, [steps] { steps->enqueue(); });
}

// One chain is the longest of the orders that occur: sums of sums take fewer steps than there are terms.
Order chain(const Call&) {
  Order o;
  o.fma = true;
  return o;
}

Route route(std::string_view op, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  return {.op = op,
          .name = "gpu.edges",
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = {},
          .prefers = {{Stage::device, "the device is the host processor: a CPU route is the better choice",
                       [](const Call&, const Device& d) { return !d.facts.is_cpu; }},
                      {Stage::shape_dtype, "under 65536 features: the launches cost more",
                       [](const Call& c, const Device&) {
                         const Shape& x = c.shape(c.index("features"));
                         return x[0] * x[1] >= 1 << 16;
                       }}},
          .order = chain,
          .prepare = prepare,
          .prepares = "the relation"};
}

}  // namespace

std::vector<Route> conv_gradient_gpu_routes() {
  using enum RelationKind;
  return {route("conv3d_vjp", vjp<forward>),
          route("subm_conv3d_vjp", vjp<submanifold>),
          route("conv_transpose3d_vjp", vjp<transposed>),
          route("generative_conv_transpose3d_vjp", vjp<generative>),
          route("conv3d_jvp", jvp<forward>),
          route("subm_conv3d_jvp", jvp<submanifold>),
          route("conv_transpose3d_jvp", jvp<transposed>),
          route("generative_conv_transpose3d_jvp", jvp<generative>)};
}

}  // namespace plumb
