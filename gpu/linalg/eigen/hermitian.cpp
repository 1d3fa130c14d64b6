// OpenCL routes of eigh and eigvalsh: see kernels/linalg/eigen/hermitian.cl.
#include <algorithm>

#include "gpu/linalg/eigen/eigen.h"

namespace plumb {
namespace {

using namespace gpu;

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = outputs(specs);
  const std::int64_t n = c.shape(0).back(), matrices = n == 0 ? 0 : c[0].size() / (n * n);
  if (matrices == 0) return job(std::move(out), [] {});
  const Dtype t = c.dtype(0);
  const std::int64_t work = matrices * (2 * n * n + 3 * (n + 1));
  const BufferPtr failed = scratch(static_cast<std::size_t>(4 * matrices));
  const BufferPtr values = output(out[0]), vectors = out.size() > 1 ? output(out[1]) : values;
  Kernel k("hermitian", "hermitian", eigen::options(t));
  k.arg(dense(c[0])).arg(scratch(static_cast<std::size_t>(work * info(t).bytes))).arg(n);
  k.arg(std::int32_t{c.text("uplo") == "U"}).arg(std::int32_t{out.size() > 1}).arg(values).arg(vectors).arg(failed);
  return eigen::checked(c, std::move(out), failed, matrices, {{k, matrices, true}});
}

Route route(std::string_view op) {
  Route r = eigen::route();
  r.op = op, r.name = "gpu.jacobi";
  r.prepare = prepare;
  return r;
}

}  // namespace

std::vector<Route> hermitian_gpu_routes() { return {route("eigh"), route("eigvalsh")}; }

}  // namespace plumb
