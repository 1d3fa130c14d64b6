// OpenCL route of einsum: operands two at a time, on the routes of matmul, multiply and sum.
#include "plans/linalg/products/einsum.h"

#include "gpu/linalg/products/products.h"

namespace plumb {
namespace {

using namespace products;

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  Pipeline p(Side::device);
  const Tensor out = einsum(p, c);
  return p.job(out, specs[0]);
}

}  // namespace

std::vector<Route> einsum_gpu_routes() {
  Route r;
  r.op = "einsum", r.name = "gpu.pairs";
  r.tier = r.needs = Tier::gpu;
  r.supports = {
      {Stage::shape_dtype, "more than 8 labels", [](const Call& c, const Device&) { return einsum_labels(c) <= 8; }},
      gpu::kExtentsFitInt,
      gpu::kWideProducts};
  r.prefers = {gpu::kNotHost, gpu::kManyProducts};
  r.order = [](const Call& c) { return einsum_order(Side::device, c); };
  r.prepare = prepare;
  return {r};
}

}  // namespace plumb
