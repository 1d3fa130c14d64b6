// Normalised sparse convolutions on the device: see add_products in kernels/edge_product.cl.
#include <memory>

#include "core/with_last.h"
#include "gpu/sparse/conv/convolution.h"
#include "gpu/sparse/conv/edge_product.h"

namespace plumb {
namespace {

using namespace gpu;

bool one_point(const Geometry& g) {
  constexpr std::size_t kDilation = 9;
  return g.kernels == 1 && g.values[kDilation] == 1 && g.values[kDilation + 1] == 1 && g.values[kDilation + 2] == 1;
}

// [k][c]: sum over a of W[k,a,c]^2, in two parts
BufferPtr add_norms(Steps& s, const Sum& sum, std::int64_t kernels) {
  BufferPtr norms = scratch(static_cast<std::size_t>(8 * kernels * sum.columns));
  const Factor& f = sum.factors[0];
  Kernel k("edge_product", "sum_squares", {{"X", sum.dtype}, {"COLUMNS", 16}});
  k.arg(f.weight).arg(norms).arg(small(kernels)).arg(small(sum.channels)).arg(small(sum.columns));
  s.run(k.arg(f.strides.kernel).arg(f.strides.channel).arg(f.strides.column), kernels * sum.columns);
  return norms;
}

Job prepare(const Call& call, const std::vector<Spec>& specs, RelationKind base) {
  const std::vector<Tensor> out = outputs(specs);
  const KernelEdges e(call, base);
  const auto steps = std::make_shared<Steps>();
  Sum sum = begin_outputs(*steps, call, e, out);
  sum.factors = {{dense(call["features"]), dense(call["weight"]), weight_strides(call)}};
  if (call.has("bias")) sum.bias = dense(call["bias"]);
  if (base != RelationKind::submanifold || !one_point(e.geometry))
    sum.norms = add_norms(*steps, sum, e.geometry.kernels);
  sum.eps = static_cast<float>(call.number("eps"));
  add_sums(*steps, e, by_output(e), sum);
  return job(out, [steps] { steps->enqueue(); });
}

// OpenCL allows a root 3 ulp and a quotient 2.5.
Order chain(const Call& c) {
  Order o = fused_chain(c);
  o.function_ulps = 3;
  return o;
}

Route route(std::string_view op, Prepare prepare) { return relation_route(op, "gpu.edges", Tier::gpu, chain, prepare); }

}  // namespace

std::vector<Route> conv_normalized_gpu_routes() {
  using enum RelationKind;
  return {route("normalized_subm_conv3d", with_last<prepare, submanifold>),
          route("normalized_conv_transpose3d", with_last<prepare, transposed>),
          route("normalized_generative_conv_transpose3d", with_last<prepare, generative>)};
}

}  // namespace plumb
