// Vectors of normal numbers on the device: the routes of svd and normal, and kernels/array/random/multivariate.cl.
#include "gpu/array/random/draws.h"

namespace plumb {
namespace {

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

Job prepared(std::string_view op, std::string_view route, std::vector<Tensor> in, Attrs attrs = {}) {
  const Call call = make_call(op, std::move(in), std::move(attrs));
  return find_route(*call.op, route).prepare(call, output_specs(call));
}

// R_0j of the matrix that meets an element of the result, of matrices one behind the other.
gpu::BufferPtr columns(const Shape& out, const Shape& cov) {
  const std::int64_t n = cov.back();
  Shape operand(cov.begin(), cov.end() - 2);
  Strides strides = row_major(operand);
  for (std::int64_t& s : strides) s *= n * n;
  operand.push_back(n), strides.push_back(1);
  return gpu::spread(out, operand, strides);
}

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const Tensor &cov = c["cov"], &mean = c["mean"], wide({Dtype::f64, cov.shape()}), r({Dtype::f32, cov.shape()});
  const std::int64_t n = c.size('N'), matrices = cov.size(), total = out[0].size();
  gpu::Kernel widen("multivariate", "widened"), root("multivariate", "roots"), vectors("multivariate", "vectors");
  widen.arg(gpu::dense(cov)).arg(cov.dtype()).arg(matrices).arg(gpu::output(wide));
  const Job svd = prepared("svd", "gpu.rows", {wide});
  const Job normal = prepared("normal", "gpu.words", {c["key"]}, {{"shape", specs[0].shape}, {"dtype", "f32"}});
  const std::vector<Tensor> d = svd.fetch();
  root.arg(gpu::output(d[0])).arg(gpu::output(d[1])).arg(gpu::output(d[2])).arg(n).arg(matrices).arg(gpu::output(r));
  vectors.arg(gpu::output(normal.fetch()[0])).arg(gpu::output(r)).arg(columns(specs[0].shape, cov.shape()));
  vectors.arg(gpu::dense(mean)).arg(mean.dtype()).arg(gpu::spread(specs[0].shape, {mean})).arg(n).arg(total);
  vectors.arg(gpu::output(out[0]));
  Job job = gpu::job(out, [=] {
    widen.run({size(matrices)}, {gpu::kDrawGroup});
    svd.launch();
    root.run({size(matrices)}, {gpu::kDrawGroup});
    normal.launch();
    vectors.run({size(total)}, {gpu::kDrawGroup});
  });
  job.wait = [c, svd, done = job.wait] {
    done();
    try {
      svd.wait();
    } catch (const Error& e) {
      c.fail(e.reason(), e.detail());
    }
  };
  return job;
}

// n + 1 terms in sequence, the mean first; erfinv as in normal.
Order order(const Call&) {
  Order o;
  o.fma = true;
  o.function_ulps = 16;
  return o;
}

}  // namespace

std::vector<Route> multivariate_gpu_routes() {
  Route r = gpu::drawing("multivariate_normal", "gpu.roots", prepare, {}, order);
  r.supports.back() = gpu::kHasFp64;
  return {r};
}

}  // namespace plumb
