// Dense max and average pooling on the device: see kernels/array/pool/dense_pool.cl.
#include "gpu/array/pool/pool_job.h"

namespace plumb {
namespace gpu {

BufferPtr pool_geometry(const conv::Geometry& g) {
  std::vector<std::int64_t> all;
  for (const conv::Triple* t : {&g.n, &g.k, &g.m, &g.stride, &g.low}) all.insert(all.end(), t->begin(), t->end());
  all.push_back(g.groups);
  return constants(all);
}

Kernel pool_kernel(std::string_view name, Dtype type) {
  return Kernel("dense_pool", name, {{"WIDE", type == Dtype::f64}});
}

namespace {

template <bool max>
Job pool(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = outputs(specs);
  const std::int64_t total = out[0].size();
  const ConvOperand x(c[0]);
  Kernel kernel = pool_kernel(max ? "max_pool" : "avg_pool", x.type);
  kernel.arg(x.data).arg(x.type).arg(pool_geometry(conv::pool_geometry(c))).arg(x.lies);
  kernel.arg(output(out[0])).arg(total);
  return job(std::move(out), [=] { kernel.run({static_cast<std::size_t>(total)}); });
}

Order mean_order(const Call& c) {
  Order o = conv_order(c.dtype(0));
  o.fma = false;
  o.epilogue = 1;
  return o;
}

}  // namespace
}  // namespace gpu

std::vector<Route> dense_pool_gpu_routes() {
  std::vector<Route> routes;
  for (const char* op : {"dense_max_pool1d", "dense_max_pool2d", "dense_max_pool3d", "dense_avg_pool1d",
                         "dense_avg_pool2d", "dense_avg_pool3d"}) {
    Route& r = routes.emplace_back();
    const bool max = std::string_view(op).starts_with("dense_max");
    r.op = op;
    r.name = "gpu.each";
    r.tier = r.needs = Tier::gpu;
    r.supports = {gpu::kPoolDoubles};
    r.prefers = {gpu::kNotHost, gpu::kPoolLarge};
    if (!max) r.order = gpu::mean_order;
    r.prepare = max ? gpu::pool<true> : gpu::pool<false>;
  }
  return routes;
}

}  // namespace plumb
