// Sparse convolution on the CPU: the sums of gather_product.h, from gathered input rows and panels of weights.
#include "optimized/sparse/conv/gather_product.h"

namespace plumb {
namespace {

using namespace cpu;

void convolve(const Call& call, const ConvolutionPlan& plan, const std::vector<Tensor>& out) {
  plan.support.store(out);
  const Tensor& to = out[1];
  if (to.size() == 0) return;
  const Floats features(call["features"]), weight(call["weight"]);
  const Panels panels(weight.data(), weight_strides(call), geometry(call).volume, call.shape(call.index("features"))[1],
                      to.dim(1));
  const Floats bias(call, "bias");
  const Factor factor{features.data(), &panels};
  plan.outputs.run({&factor, 1}, bias.values(), into_rows(to));
}

template <RelationKind base>
Route route(std::string_view op) {
  return gather_route(op, [](const Call& call, const std::vector<Spec>& specs) {
    return convolution_job<ConvolutionPlan>(call, specs, base, convolve);
  });
}

}  // namespace

std::vector<Route> convolution_cpu_routes() {
  return {route<RelationKind::forward>("conv3d"), route<RelationKind::submanifold>("subm_conv3d"),
          route<RelationKind::transposed>("conv_transpose3d"),
          route<RelationKind::generative>("generative_conv_transpose3d")};
}

}  // namespace plumb
