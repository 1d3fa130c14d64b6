// Cumulative tables on the device: see kernels/entropy.cl. The coders are serial, so they have no route here.
#include <string>

#include "gpu/runtime.h"

namespace plumb {
namespace {

constexpr std::int64_t kItems = 64;             // rows of a work-group, as in entropy.cl
constexpr std::int32_t kNoneBad = 0x7F7F7F7F;   // four equal bytes, beyond every row
constexpr std::int64_t kWorthLaunch = 1 << 20;  // probabilities

Job prepare(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t rows = call.shape(0)[0], symbols = call.shape(0)[1];
  const gpu::BufferPtr bad = gpu::scratch(sizeof(std::int32_t));
  gpu::Kernel k("entropy", "cdf_rows", {{"X", call.dtype(0)}});
  k.arg(gpu::dense(call[0])).arg(symbols).arg(rows).arg(gpu::output(out[0])).arg(bad);
  const auto items = static_cast<std::size_t>((rows + kItems - 1) / kItems * kItems);
  Job job = gpu::job(out, [k, bad, items] {
    gpu::fill_byte(bad, 0x7F);
    k.run({items}, {kItems});
  });
  job.wait = [call, bad, done = job.wait] {
    done();
    std::int32_t row = kNoneBad;
    bad->download(reinterpret_cast<std::byte*>(&row));
    if (row != kNoneBad) call.fail(Reason::domain, "a probability of row " + std::to_string(row) + " is not finite");
  };
  return job;
}

}  // namespace

std::vector<Route> entropy_gpu_routes() {
  return {{
      .op = "normalized_cdf",
      .name = "gpu.rows",
      .tier = Tier::gpu,
      .needs = Tier::gpu,
      .supports = {},
      .prefers =
          {
              gpu::kNotHost,
              {Stage::shape_dtype, "under 2^20 probabilities: the launch costs more",
               [](const Call& c, const Device&) {
                 return static_cast<double>(c.shape(0)[0]) * static_cast<double>(c.shape(0)[1]) >= kWorthLaunch;
               }},
          },
      .prepare = prepare,
  }};
}

}  // namespace plumb
