// Uniform numbers, whole numbers and truths on the device: see kernels/array/random/uniform.cl.
#include "gpu/array/random/draws.h"

namespace plumb {
namespace {

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

Job between(const char* name, const Call& c, const std::vector<Spec>& specs, const Tensor& low, const Tensor& high) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const gpu::Pairs p(out[0].size());
  gpu::Kernel kernel("uniform", name);
  kernel.arg(gpu::dense(c["key"])).arg(gpu::dense(low)).arg(low.dtype()).arg(gpu::dense(high)).arg(high.dtype());
  kernel.arg(gpu::spread(out[0].shape(), {low, high})).arg(p.h).arg(p.gap).arg(specs[0].dtype);
  kernel.arg(gpu::output(out[0]));
  return gpu::job(out, [kernel, p] { kernel.run({size(p.gap)}, {gpu::kDrawGroup}); });
}

Job prepare_uniform(const Call& c, const std::vector<Spec>& specs) {
  const auto bound = [&](const char* input, double fallback) {
    return c.has(input) ? c[input] : tensor(Dtype::f32, {}, {fallback});
  };
  return between("uniform", c, specs, bound("low", 0), bound("high", 1));
}

Job prepare_randint(const Call& c, const std::vector<Spec>& specs) {
  return between("randint", c, specs, c["low"], c["high"]);
}

Job prepare_bernoulli(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const gpu::Pairs p(out[0].size());
  gpu::Kernel kernel("uniform", "bernoulli");
  kernel.arg(gpu::dense(c["key"])).arg(gpu::dense(c["p"])).arg(c.dtype(0)).arg(gpu::spread(out[0].shape(), {c["p"]}));
  kernel.arg(p.h).arg(p.gap).arg(gpu::output(out[0]));
  return gpu::job(out, [kernel, p] { kernel.run({size(p.gap)}, {gpu::kDrawGroup}); });
}

}  // namespace

std::vector<Route> uniform_gpu_routes() {
  return {gpu::drawing("uniform", "gpu.words", prepare_uniform, {}),
          gpu::drawing("randint", "gpu.words", prepare_randint, {.wide = false}),
          gpu::drawing("bernoulli", "gpu.words", prepare_bernoulli, {})};
}

}  // namespace plumb
