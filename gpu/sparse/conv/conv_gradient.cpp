// Derivatives of sparse convolutions on the device: sums over edges grouped by input or output, and gradients of
// weights as products of gathered rows in a fixed number of parts. See kernels/edge_product.cl.
#include <algorithm>
#include <memory>

#include "core/with_last.h"
#include "gpu/sparse/conv/convolution.h"
#include "gpu/sparse/conv/edge_product.h"

namespace plumb {
namespace {

using namespace gpu;

Dtype dtype_of(const Call& call) { return call.dtype(call.index("features")); }

void add_weight_gradient(Steps& s, const Call& call, const KernelEdges& e, bool matrix, const Tensor& out) {
  std::int64_t longest = 0;
  for (std::size_t k = 0; k + 1 < e.offsets.size(); ++k)
    longest = std::max<std::int64_t>(longest, e.offsets[k + 1] - e.offsets[k]);
  add_row_products(
      s,
      {dense(call["features"]), dense(call["cotangent"]), e.in, e.out, e.device_offsets, e.geometry.kernels, longest,
       call.shape(call.index("features"))[1], call.shape(call.index("cotangent"))[1], dtype_of(call), matrix},
      weight_strides(call), out);
}

Job vjp(const Call& call, const std::vector<Spec>& specs, RelationKind base, bool matrix) {
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
  sum.matrix = matrix;
  add_sums(*steps, e, inputs, sum);
  add_weight_gradient(*steps, call, e, matrix, out[1]);
  add_column_sums(*steps, dense(call["cotangent"]), given, sum.dtype, out[2]);
  return job(out, [steps] { steps->enqueue(); });
}

Job jvp(const Call& call, const std::vector<Spec>& specs, RelationKind base) {
  const std::vector<Tensor> out = outputs(specs);
  const KernelEdges e(call, base);
  const auto steps = std::make_shared<Steps>();
  Sum sum = begin_outputs(*steps, call, e, out);
  sum.factors = {{dense(call["tangent_features"]), dense(call["weight"]), weight_strides(call)},
                 {dense(call["features"]), dense(call["tangent_weight"]), weight_strides(call)}};
  if (call.has("tangent_bias")) sum.bias = dense(call["tangent_bias"]);
  add_sums(*steps, e, by_output(e), sum);
  return job(out, [steps] { steps->enqueue(); });
}

const Condition kHalf{Stage::shape_dtype, "features are not f16",
                      [](const Call& c, const Device&) { return c.dtype(c.index("features")) == Dtype::f16; }};
const Condition kEnoughChannels{
    Stage::shape_dtype, "under 16 channels: tiles would be mostly padding", [](const Call& c, const Device&) {
      return c.shape(c.index("features"))[1] >= 16 && c.shape(c.index("cotangent"))[1] >= 16;
    }};

// One chain is the longest of the orders that occur: sums of sums take fewer steps than there are terms.
Route edges(std::string_view op, Prepare prepare) {
  return relation_route(op, "gpu.edges", Tier::gpu, fused_chain, prepare);
}

Route mma_edges(std::string_view op, Prepare prepare) {
  return relation_route(op, "gpu.mma_edges", Tier::neural_accelerator, truncating_chain, prepare, {kHalf},
                        {kEnoughChannels});
}

template <RelationKind base>
void append(std::vector<Route>& to, std::string_view vjp_name, std::string_view jvp_name) {
  to.push_back(mma_edges(vjp_name, with_last<vjp, base, true>));
  to.push_back(edges(vjp_name, with_last<vjp, base, false>));
  to.push_back(edges(jvp_name, with_last<jvp, base>));
}

}  // namespace

std::vector<Route> conv_gradient_gpu_routes() {
  std::vector<Route> r;
  append<RelationKind::forward>(r, "conv3d_vjp", "conv3d_jvp");
  append<RelationKind::submanifold>(r, "subm_conv3d_vjp", "subm_conv3d_jvp");
  append<RelationKind::transposed>(r, "conv_transpose3d_vjp", "conv_transpose3d_jvp");
  append<RelationKind::generative>(r, "generative_conv_transpose3d_vjp", "generative_conv_transpose3d_jvp");
  return r;
}

}  // namespace plumb
