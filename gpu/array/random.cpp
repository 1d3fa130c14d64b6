// Random words on the device: see kernels/random.cl.
#include "gpu/runtime.h"

namespace plumb {
namespace {

constexpr std::int64_t kWorthLaunch = 1 << 16;  // elements

std::int64_t elements(const Call& c) { return count(c.list("shape")); }

Job prepare_words(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t bytes = out[0].size() * info(out[0].dtype()).bytes;
  const std::int64_t total = (bytes + 3) / 4, h = total / 2, gap = h + total % 2;
  gpu::Kernel kernel("random", "words");
  kernel.arg(gpu::dense(c[0])).arg(gpu::output(out[0])).arg(bytes).arg(h).arg(gap);
  return gpu::job(out, [kernel, gap] { kernel.run({static_cast<std::size_t>(gap)}); });
}

}  // namespace

std::vector<Route> random_gpu_routes() {
  return {{
      .op = "random_bits",
      .name = "gpu.threefry",
      .tier = Tier::gpu,
      .needs = Tier::gpu,
      .supports = {},
      .prefers =
          {
              gpu::kNotHost,
              {Stage::shape_dtype, "under 65536 elements: a launch costs more",
               [](const Call& c, const Device&) { return elements(c) >= kWorthLaunch; }},
          },
      .prepare = prepare_words,
  }};
}

}  // namespace plumb
