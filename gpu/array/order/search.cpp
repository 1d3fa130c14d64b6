// Where values stand in a sorted sequence, on the device: see kernels/array/order/search.cl.
#include "gpu/array/sort.h"

namespace plumb {
namespace {

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t n = c[0].size(), total = out[0].size();
  const std::int32_t right = c.text("side") == "right";
  gpu::Kernel kernel("search", "searchsorted", gpu::SortTiles(n).options);
  kernel.arg(gpu::input(c[0])).arg(c.dtype(0)).arg(gpu::element_offset(c[0])).arg(c[0].strides()[0]).arg(n);
  kernel.arg(gpu::dense(c[1])).arg(c.dtype(1)).arg(promote(c.dtype(0), c.dtype(1))).arg(right);
  kernel.arg(gpu::output(out[0])).arg(total);
  return gpu::job(out, [kernel, total] { kernel.run({static_cast<std::size_t>(total)}); });
}

}  // namespace

std::vector<Route> search_gpu_routes() {
  return {{
      .op = "searchsorted",
      .name = "gpu.each",
      .tier = Tier::gpu,
      .needs = Tier::gpu,
      .supports = {{Stage::capability, "the device has no f64 arithmetic",
                    [](const Call& c, const Device& d) {
                      return d.fp64 || promote(c.dtype(0), c.dtype(1)) != Dtype::f64;
                    }}},
      .prefers = {gpu::kNotHost,
                  {Stage::shape_dtype, "under 16384 values: a launch costs more",
                   [](const Call& c, const Device&) { return c[1].size() >= 1 << 14; }}},
      .prepare = prepare,
  }};
}

}  // namespace plumb
