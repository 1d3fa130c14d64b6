// Inverses on the device: systems whose right side is the identity.
#include "gpu/linalg/solve/dense.h"

namespace plumb {
namespace {

using namespace gpu::solve;

std::int64_t extent(const Call& c) { return c.shape(0).back(); }

// x = I, for `all` matrices.
void identity(Work& w, const gpu::BufferPtr& x, std::int64_t all, std::int64_t n) {
  w.steps.add(w.kernel("identity"), all * n * n).arg(x).arg(n).arg(all * n * n);
}

Job inverse(const Call& c, const std::vector<Spec>& specs, bool small) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t n = extent(c), all = matrices(c), total = all * n * n;
  if (total == 0) return gpu::job(out, [] {});
  Work w{c.dtype(0)};
  const gpu::BufferPtr x = gpu::output(out[0]), a = w.room(total), of = each_in_turn(all);
  const gpu::BufferPtr pivots = gpu::scratch(static_cast<std::size_t>(4 * all * n));
  w.load(c[0], of, n * n, a, total);
  w.factor(a, pivots, all, n, n, small);
  identity(w, x, all, n);
  w.steps.add(w.kernel("exchange"), all * n).arg(x).arg(pivots).arg(of).arg(n).arg(n).arg(all * n);
  w.substitute(a, of, false, true, x, all, n, n);
  w.substitute(a, of, true, false, x, all, n, n);
  return w.checked(c, out, a, all, n);
}

// Of a triangle; then the Gram matrix of that inverse, where it is asked for.
Job triangle(const Call& c, const std::vector<Spec>& specs, bool gram) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t n = extent(c), all = matrices(c), total = all * n * n;
  if (total == 0) return gpu::job(out, [] {});
  Work w{c.dtype(0)};
  const bool upper = c.flag("upper");
  const gpu::BufferPtr result = gpu::output(out[0]), a = w.room(total), of = each_in_turn(all);
  const gpu::BufferPtr x = gram ? w.room(total) : result;
  w.load(c[0], of, n * n, a, total);
  identity(w, x, all, n);
  w.substitute(a, of, upper, false, x, all, n, n);
  w.steps.add(w.kernel("clear"), total).arg(x).arg(n).arg(std::int32_t{upper}).arg(total);
  if (gram) w.gram(x, of, upper, result, all, n);
  return w.checked(c, out, a, all, n);
}

template <bool Small>
Job inverse_job(const Call& c, const std::vector<Spec>& specs) {
  return inverse(c, specs, Small);
}
template <bool Gram>
Job triangle_job(const Call& c, const std::vector<Spec>& specs) {
  return triangle(c, specs, Gram);
}

}  // namespace

std::vector<Route> inverse_gpu_routes() {
  std::vector<Route> all = {
      route("inv", "gpu.small", inverse_job<true>), route("inv", "gpu.blocked", inverse_job<false>),
      route("tri_inv", "gpu.blocked", triangle_job<false>), route("cholesky_inv", "gpu.blocked", triangle_job<true>)};
  all[0].supports.push_back(
      {Stage::shape_dtype, "n is above 64", [](const Call& c, const Device&) { return extent(c) <= kSmall; }});
  return all;
}

}  // namespace plumb
