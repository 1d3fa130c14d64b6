// Differences on the device: subtract on views, see plans/array/scan/differences.h.
#include "plans/array/scan/differences.h"

#include "gpu/array/operand.h"
#include "gpu/runtime.h"

namespace plumb {
namespace {

constexpr std::int64_t kWorthDevice = 1 << 16;  // elements

Order order(const Call& c) {
  Order o;
  o.accumulator = c.dtype(0) == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  return o;
}

bool few_axes(const Call& c, const Device&) { return c[0].shape().size() <= gpu::kOperandAxes; }
bool has_fp64(const Call& c, const Device& d) {  // complex numbers are subtracted in double
  return d.fp64 || (c.dtype(0) != Dtype::f64 && c.dtype(0) != Dtype::c64);
}
bool large(const Call& c, const Device&) { return c[0].size() >= kWorthDevice; }

Job prepare(const Call& c, const std::vector<Spec>& out) { return differences(c, out, "gpu.each"); }

}  // namespace

std::vector<Route> diff_gpu_routes() {
  return {{
      .op = "diff",
      .name = "gpu.views",
      .tier = Tier::gpu,
      .needs = Tier::gpu,
      .supports = {{Stage::storage, "more than 8 axes", few_axes},
                   {Stage::capability, "the device has no f64 arithmetic", has_fp64}},
      .prefers = {gpu::kNotHost, {Stage::shape_dtype, "under 65536 elements", large}},
      .order = order,
      .prepare = prepare,
  }};
}

}  // namespace plumb
