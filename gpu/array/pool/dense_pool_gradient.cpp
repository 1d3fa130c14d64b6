// Gradients of dense pooling on the device: see kernels/array/pool/dense_pool.cl.
#include <algorithm>

#include "gpu/array/pool/pool_job.h"

namespace plumb {
namespace gpu {
namespace {

Job max_vjp(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = outputs(specs);
  const std::int64_t total = out[0].size(), windows = c[1].size();
  const ConvOperand x(c[0]), g(c[1]);
  const BufferPtr geometry = pool_geometry(conv::pool_geometry(c));
  const BufferPtr taken = scratch(static_cast<std::size_t>(8 * std::max<std::int64_t>(1, windows)));
  Kernel choose = pool_kernel("choose", x.type), give = pool_kernel("max_return", x.type);
  choose.arg(x.data).arg(x.type).arg(geometry).arg(x.lies).arg(taken).arg(windows);
  give.arg(g.data).arg(g.type).arg(geometry).arg(g.lies).arg(taken).arg(output(out[0])).arg(total);
  return job(std::move(out), [=] {
    choose.run({static_cast<std::size_t>(windows)});
    give.run({static_cast<std::size_t>(total)});
  });
}

Job avg_vjp(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = outputs(specs);
  const std::int64_t total = out[0].size();
  const ConvOperand g(c[1]);
  Kernel give = pool_kernel("avg_return", g.type);
  give.arg(g.data).arg(g.type).arg(pool_geometry(conv::pool_geometry(c))).arg(g.lies).arg(output(out[0])).arg(total);
  return job(std::move(out), [=] { give.run({static_cast<std::size_t>(total)}); });
}

Order order_of(const Call& c, int epilogue) {
  Order o = conv_order(c.dtype(0));
  o.fma = false;
  o.epilogue = epilogue;
  return o;
}
Order sum_order(const Call& c) { return order_of(c, 0); }
Order mean_order(const Call& c) { return order_of(c, 1); }

}  // namespace
}  // namespace gpu

std::vector<Route> dense_pool_gradient_gpu_routes() {
  std::vector<Route> routes;
  for (const char* op : {"dense_max_pool1d_vjp", "dense_max_pool2d_vjp", "dense_max_pool3d_vjp", "dense_avg_pool1d_vjp",
                         "dense_avg_pool2d_vjp", "dense_avg_pool3d_vjp"}) {
    Route& r = routes.emplace_back();
    const bool max = std::string_view(op).starts_with("dense_max");
    r.op = op;
    r.name = "gpu.gather";
    r.tier = r.needs = Tier::gpu;
    r.supports = {gpu::kPoolDoubles};
    r.prefers = {gpu::kNotHost, gpu::kPoolLarge};
    r.order = max ? gpu::sum_order : gpu::mean_order;
    r.prepare = max ? gpu::max_vjp : gpu::avg_vjp;
  }
  return routes;
}

}  // namespace plumb
