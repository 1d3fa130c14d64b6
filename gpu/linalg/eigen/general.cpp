// OpenCL routes of eig and eigvals: see kernels/linalg/eigen/general.cl.
#include "gpu/linalg/eigen/eigen.h"

namespace plumb {
namespace {

using namespace gpu;

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = outputs(specs);
  const std::int64_t n = c.shape(0).back(), matrices = n == 0 ? 0 : c[0].size() / (n * n);
  if (matrices == 0) return job(std::move(out), [] {});
  const Dtype t = c.dtype(0);
  const std::int64_t pair = t == Dtype::f64 ? 16 : 8;  // bytes of a complex number
  const bool vectors = out.size() > 1;
  const BufferPtr failed = scratch(size(4 * matrices)), exponents = scratch(size(4 * matrices));
  const BufferPtr work = scratch(size(matrices * (2 * n * n + n) * info(t).bytes));
  const BufferPtr w = scratch(size(matrices * n * pair));
  const auto kernel = [&](const char* name) { return Kernel("general", name, eigen::options(t)); };
  Kernel load = kernel("load_general"), reduce = kernel("reduce_general"), values = kernel("general_values");
  load.arg(dense(c[0])).arg(work).arg(n).arg(exponents).arg(failed);
  reduce.arg(work).arg(n).arg(std::int32_t{vectors}).arg(failed);
  values.arg(work).arg(n).arg(matrices * n).arg(exponents).arg(w).arg(output(out[0]));
  std::vector<eigen::Launch> launches{{load, matrices, true}, {reduce, matrices, true}, {values, matrices * n, false}};
  if (vectors) {
    Kernel back = kernel("general_vectors");
    back.arg(work).arg(n).arg(w).arg(scratch(size(matrices * 3 * n * n * pair))).arg(output(out[1]));
    launches.push_back({back, matrices, true});
  }
  return eigen::checked(c, std::move(out), failed, matrices, launches);
}

Route route(std::string_view op) {
  Route r = eigen::route();
  r.op = op, r.name = "gpu.schur";
  r.prepare = prepare;
  return r;
}

}  // namespace

std::vector<Route> general_gpu_routes() { return {route("eig"), route("eigvals")}; }

}  // namespace plumb
