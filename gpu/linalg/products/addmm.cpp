// OpenCL route of addmm: the sums of matmul, then alpha and beta: see kernels/linalg/products/scaled.cl.
#include "gpu/array/operand.h"
#include "gpu/linalg/products/products.h"
#include "plans/linalg/products/batched.h"

namespace plumb {
namespace {

using namespace products;

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  Pipeline p(Side::device);
  const Dtype t = specs[0].dtype;
  const Tensor sums = unrounded_product(p, c[1], c[2], t), out(specs[0]), added = p.as(c[0], t);
  const std::int64_t n = out.size();
  if (n == 0) return gpu::job({out}, [] {});
  const auto axes = gpu::operand_axes({added}, specs[0].shape);
  const bool dense = axes.empty() || (axes.size() == 1 && axes[0].steps[0] == 1);
  auto k = std::make_shared<gpu::Kernel>("scaled", "scale_add", gpu::scaled_options(accumulator_of(t)));
  k->arg(gpu::input(sums)).arg(gpu::input(added)).arg(t).arg(gpu::element_offset(added)).arg(gpu::geometry(axes, 1));
  k->arg(std::int32_t{dense}).arg(static_cast<float>(c.number("alpha"))).arg(static_cast<float>(c.number("beta")));
  k->arg(gpu::output(out)).arg(t).arg(n);
  p.then(gpu::job({out}, [k, n] { k->run({static_cast<std::size_t>(n)}, {64}); }));
  return p.job(out, specs[0]);
}

Order order(const Call& c) {
  Pipeline p(Side::device, true);
  (void)unrounded_product(p, c[1], c[2], output_specs(c)[0].dtype);
  Order o = order_of_product(p);
  o.epilogue += 2;
  return o;
}

bool few_axes(const Call& c, const Device&) { return c.rank(0) <= 8 && c.rank(1) <= 8 && c.rank(2) <= 8; }

}  // namespace

std::vector<Route> addmm_gpu_routes() {
  Route r;
  r.op = "addmm", r.name = "gpu.scaled";
  r.tier = r.needs = Tier::gpu;
  r.supports = {{Stage::storage, "an operand has more than 8 axes", few_axes}, gpu::kExtentsFitInt, gpu::kWideProducts};
  r.prefers = {gpu::kNotHost, gpu::kManyProducts};
  r.order = order;
  r.prepare = prepare;
  return {r};
}

}  // namespace plumb
