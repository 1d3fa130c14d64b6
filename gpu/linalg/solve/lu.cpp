// LU factorisation on the device.
#include <algorithm>

#include "gpu/linalg/solve/dense.h"

namespace plumb {
namespace {

using namespace gpu::solve;

std::int64_t rows(const Call& c) { return c.shape(0)[c.shape(0).size() - 2]; }
std::int64_t columns(const Call& c) { return c.shape(0).back(); }

Job lu(const Call& c, const std::vector<Spec>& specs, bool small) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t m = rows(c), n = columns(c), k = std::min(m, n), all = matrices(c);
  const std::int64_t total = all * m * n, both = all * (m * k + k * n);
  if (all * m == 0) return gpu::job(out, [] {});
  Work w{c.dtype(0)};
  const gpu::BufferPtr packed = w.room(std::max<std::int64_t>(total, 1));
  const gpu::BufferPtr pivots = gpu::scratch(static_cast<std::size_t>(std::max<std::int64_t>(4 * all * k, 4)));
  if (k > 0) {
    w.load(c[0], each_in_turn(all), m * n, packed, total);
    w.factor(packed, pivots, all, m, n, small);
    gpu::Kernel& apart = w.steps.add(w.kernel("take_apart"), both);
    apart.arg(packed).arg(gpu::output(out[1])).arg(gpu::output(out[2])).arg(m).arg(n).arg(both);
  }
  w.steps.add(w.kernel("rows_back"), all).arg(pivots).arg(gpu::output(out[0])).arg(m).arg(k).arg(all);
  return gpu::job(out, [steps = w.steps] { steps.run(); });
}

Job packed(const Call& c, const std::vector<Spec>& specs, bool small) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t m = rows(c), n = columns(c), all = matrices(c);
  if (all * m * n == 0) return gpu::job(out, [] {});
  Work w{c.dtype(0)};
  const gpu::BufferPtr lu = gpu::output(out[0]);
  w.load(c[0], each_in_turn(all), m * n, lu, all * m * n);
  w.factor(lu, gpu::output(out[1]), all, m, n, small);
  return gpu::job(out, [steps = w.steps] { steps.run(); });
}

template <bool Small>
Job lu_job(const Call& c, const std::vector<Spec>& specs) {
  return lu(c, specs, Small);
}
template <bool Small>
Job packed_job(const Call& c, const std::vector<Spec>& specs) {
  return packed(c, specs, Small);
}

constexpr Condition kFits{Stage::shape_dtype, "an extent is above 64",
                          [](const Call& c, const Device&) { return std::max(rows(c), columns(c)) <= kSmall; }};

}  // namespace

std::vector<Route> lu_gpu_routes() {
  std::vector<Route> all = {route("lu", "gpu.small", lu_job<true>), route("lu", "gpu.blocked", lu_job<false>),
                            route("lu_factor", "gpu.small", packed_job<true>),
                            route("lu_factor", "gpu.blocked", packed_job<false>)};
  for (const std::size_t i : {0, 2}) all[i].supports.push_back(kFits);
  return all;
}

}  // namespace plumb
