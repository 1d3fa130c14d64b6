// Determinants on the device: the factorisation, then the product of the pivots.
#include <algorithm>

#include "gpu/linalg/solve/dense.h"

namespace plumb {
namespace {

using namespace gpu::solve;

std::int64_t extent(const Call& c) { return c.shape(0).back(); }

Job determinants(const Call& c, const std::vector<Spec>& specs, bool small) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t n = extent(c), all = matrices(c), total = all * n * n;
  if (all == 0) return gpu::job(out, [] {});
  Work w{out[0].dtype() == Dtype::f64 ? Dtype::f64 : Dtype::f32};
  const gpu::BufferPtr a = w.room(std::max<std::int64_t>(total, 1));
  const gpu::BufferPtr pivots = gpu::scratch(static_cast<std::size_t>(std::max<std::int64_t>(4 * all * n, 4)));
  if (total > 0) {
    w.load(c[0], each_in_turn(all), n * n, a, total);
    w.factor(a, pivots, all, n, n, small);
  }
  gpu::Kernel& product = w.steps.add(w.kernel("determinants"), all);
  product.arg(a).arg(pivots).arg(gpu::output(out[0])).arg(gpu::output(out.back())).arg(out[0].dtype());
  product.arg(std::int32_t{out.size() > 1}).arg(n).arg(all);
  return gpu::job(out, [steps = w.steps] { steps.run(); });
}

template <bool Small>
Job determinants_job(const Call& c, const std::vector<Spec>& specs) {
  return determinants(c, specs, Small);
}

}  // namespace

std::vector<Route> determinant_gpu_routes() {
  std::vector<Route> all;
  for (const std::string_view op : {"det", "slogdet"}) {
    all.push_back(route(op, "gpu.small", determinants_job<true>));
    all.back().supports.push_back(
        {Stage::shape_dtype, "n is above 64", [](const Call& c, const Device&) { return extent(c) <= kSmall; }});
    all.push_back(route(op, "gpu.blocked", determinants_job<false>));
  }
  return all;
}

}  // namespace plumb
