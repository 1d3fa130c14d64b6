// OpenCL routes of conversions: see kernels/array/convert.cl.
#include <algorithm>

#include "gpu/array/operand.h"

namespace plumb {
namespace {

constexpr std::int64_t kWorthDevice = 1 << 16;  // elements

bool few_axes(const Call& c, const Device&) { return gpu::operand_axes(c.in, c.shape(0)).size() <= gpu::kOperandAxes; }
bool large(const Call& c, const Device&) { return c[0].size() >= kWorthDevice; }
bool has_fp64(const Call& c, const Device& d) {
  return d.fp64 || (c.dtype(0) != Dtype::f64 && output_specs(c)[0].dtype != Dtype::f64);
}

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t n = out[0].size();
  if (n == 0) return gpu::job(std::move(out), [] {});
  const std::vector<gpu::OperandAxis> axes = gpu::operand_axes(c.in, specs[0].shape);
  const bool dense = axes.empty() || (axes.size() == 1 && axes[0].steps[0] == 1);
  auto k = std::make_shared<gpu::Kernel>("convert", c.op->name);
  k->arg(gpu::input(c[0]));
  if (c.op->name != "from_fp8") k->arg(c.dtype(0));
  k->arg(gpu::element_offset(c[0])).arg(gpu::output(out[0]));
  if (c.op->name != "to_fp8") k->arg(specs[0].dtype);
  k->arg(gpu::geometry(axes, 1)).arg(std::int32_t{dense}).arg(n);
  return gpu::job(std::move(out), [k, n] { k->run({static_cast<std::size_t>(n)}, {256}); });
}

Route route(const char* op) {
  Route r;
  r.op = op, r.name = "gpu.each";
  r.tier = r.needs = Tier::gpu;
  r.supports = {{Stage::storage, "more than 8 axes that cannot be merged", few_axes}};
  if (r.op != "to_fp8") r.supports.push_back({Stage::capability, "the device has no f64 arithmetic", has_fp64});
  r.prefers = {gpu::kNotHost, {Stage::shape_dtype, "under 65536 elements", large}};
  r.prepare = prepare;
  return r;
}

}  // namespace

std::vector<Route> convert_gpu_routes() { return {route("astype"), route("to_fp8"), route("from_fp8")}; }

}  // namespace plumb
