// Bins in another order, and their frequencies: see kernels/array/fourier/fourier.cl.
#include <cmath>

#include "gpu/array/shape/copy.h"
#include "gpu/runtime.h"

namespace plumb {
namespace {

constexpr std::int64_t kWorthDevice = 1 << 16;  // bins

// The factor as a number of one to two and a power of two, so that a subnormal one loses nothing.
Job frequencies(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t n = c.integer("n"), size = out[0].size();
  int exponent = 0;
  const double step = std::frexp(1 / (static_cast<double>(n) * c.number("d")), &exponent);
  gpu::Kernel kernel("fourier", "frequencies");
  kernel.arg(gpu::output(out[0])).arg(size).arg(n).arg(c.op->name == "rfftfreq" ? size : (n + 1) / 2);
  kernel.arg(static_cast<float>(step)).arg(std::int32_t{exponent});
  return gpu::job(std::move(out), [kernel, size] { kernel.run({static_cast<std::size_t>(size)}); });
}

Order in_float(const Call&) { return {}; }

constexpr Condition kLarge{
    Stage::shape_dtype, "under 65536 bins: a launch costs more",
    [](const Call& c, const Device&) { return count(output_specs(c)[0].shape) >= kWorthDevice; }};

}  // namespace

std::vector<Route> shifts_gpu_routes() {
  std::vector<Route> routes = gpu::copy_routes({"fftshift", "ifftshift"});
  for (const char* op : {"fftfreq", "rfftfreq"})
    routes.push_back({.op = op,
                      .name = "gpu.each",
                      .tier = Tier::gpu,
                      .needs = Tier::gpu,
                      .supports = {},
                      .prefers = {gpu::kNotHost, kLarge},
                      .order = in_float,
                      .prepare = frequencies});
  return routes;
}

}  // namespace plumb
