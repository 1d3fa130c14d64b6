// Random words on the device: see kernels/array/random/bits.cl.
#include "gpu/array/random/draws.h"

namespace plumb {
namespace {

Job prepare_words(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t bytes = out[0].size() * info(out[0].dtype()).bytes;
  const gpu::Pairs p((bytes + 3) / 4);
  gpu::Kernel kernel("bits", "words");
  kernel.arg(gpu::dense(c[0])).arg(gpu::output(out[0])).arg(bytes).arg(p.h).arg(p.gap);
  return gpu::job(out, [kernel, p] { kernel.run({static_cast<std::size_t>(p.gap)}, {gpu::kDrawGroup}); });
}

Route route(std::string_view op) {
  return {
      .op = op,
      .name = "gpu.threefry",
      .tier = Tier::gpu,
      .needs = Tier::gpu,
      .supports = {},
      .prefers = {gpu::kNotHost, {Stage::shape_dtype, "under 65536 elements: a launch costs more", gpu::drawn_large}},
      .prepare = prepare_words,
  };
}

}  // namespace

std::vector<Route> bits_gpu_routes() { return {route("random_bits"), route("random_split")}; }

}  // namespace plumb
