// Filled arrays on the device: see kernels/array/create/grids.cl.
#include <algorithm>
#include <cstring>

#include "gpu/array/operand.h"
#include "gpu/runtime.h"

namespace plumb {
namespace {

constexpr std::int64_t kWorthDevice = 1 << 16;        // elements
constexpr std::int64_t kFar = std::int64_t{1} << 40;  // no element lies beyond such a diagonal

bool large(const Call& c, const Device&) { return count(output_specs(c)[0].shape) >= kWorthDevice; }
bool few_axes(const Call& c, const Device&) {
  return gpu::operand_axes(c.in, output_specs(c)[0].shape).size() <= gpu::kOperandAxes;
}

std::int32_t bytes_of(const Tensor& t) { return info(t.dtype()).bytes; }

gpu::Kernel spread(const Tensor& x, const std::vector<gpu::OperandAxis>& axes, const Tensor& y) {
  gpu::Kernel k("grids", "spread");
  k.arg(gpu::input(x)).arg(gpu::element_offset(x)).arg(gpu::output(y)).arg(gpu::geometry(axes, 1));
  k.arg(bytes_of(y)).arg(y.size());
  return k;
}

Job full(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const auto n = static_cast<std::size_t>(out[0].size());
  if (n == 0) return gpu::job(std::move(out), [] {});
  const gpu::Kernel k = spread(c[0], gpu::operand_axes(c.in, specs[0].shape), out[0]);
  return gpu::job(std::move(out), [k, n] { k.run({n}); });
}

Job meshgrid(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  std::vector<std::pair<gpu::Kernel, std::size_t>> kernels;
  for (std::size_t k = 0; k < 2; ++k) {
    if (out[k].size() == 0) continue;
    const std::int64_t step = c[k].strides()[0];
    const bool rows = (c.text("indexing") == "xy") == (k == 1);
    const std::vector<gpu::OperandAxis> axes{{out[k].dim(1), {rows ? 0 : step}}, {out[k].dim(0), {rows ? step : 0}}};
    kernels.emplace_back(spread(c[k], axes, out[k]), static_cast<std::size_t>(out[k].size()));
  }
  return gpu::job(std::move(out), [kernels] {
    for (const auto& [kernel, n] : kernels) kernel.run({n});
  });
}

// Ones where low <= j - i <= high.
Job ones(const std::vector<Spec>& specs, std::int64_t low, std::int64_t high) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const auto n = static_cast<std::size_t>(out[0].size());
  if (n == 0) return gpu::job(std::move(out), [] {});
  std::uint64_t one = 0;
  std::memcpy(&one, tensor(specs[0].dtype, {}, {1.0}).read<std::byte>(), static_cast<std::size_t>(bytes_of(out[0])));
  gpu::Kernel k("grids", "diagonals");
  k.arg(gpu::output(out[0])).arg(one).arg(low).arg(high).arg(out[0].dim(1)).arg(bytes_of(out[0])).arg(out[0].size());
  return gpu::job(std::move(out), [k, n] { k.run({n}); });
}

std::int64_t diagonal(const Call& c) { return std::clamp(c.integer("k"), -kFar, kFar); }

Job eye(const Call& c, const std::vector<Spec>& specs) { return ones(specs, diagonal(c), diagonal(c)); }
Job identity(const Call&, const std::vector<Spec>& specs) { return ones(specs, 0, 0); }
Job tri(const Call& c, const std::vector<Spec>& specs) { return ones(specs, -2 * kFar, diagonal(c)); }

}  // namespace

std::vector<Route> grids_gpu_routes() {
  std::vector<Route> routes;
  const auto add = [&](std::string_view op, auto prepare) {
    Route& r = routes.emplace_back();
    r.op = op;
    r.name = "gpu.words";
    r.tier = r.needs = Tier::gpu;
    r.prefers = {gpu::kNotHost, {Stage::shape_dtype, "under 65536 elements", large}};
    r.prepare = prepare;
  };
  add("full", full);
  routes[0].supports = {{Stage::storage, "more than 8 axes that cannot be merged", few_axes}};
  add("eye", eye);
  add("identity", identity);
  add("tri", tri);
  add("meshgrid", meshgrid);
  return routes;
}

}  // namespace plumb
