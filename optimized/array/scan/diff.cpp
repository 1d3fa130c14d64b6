// Differences on the processor: subtract on views, see plans/array/scan/differences.h.
#include "plans/array/scan/differences.h"

namespace plumb {
namespace {

Order order(const Call& c) {
  Order o;
  const Dtype t = c.dtype(0);
  o.accumulator = t == Dtype::f16 || t == Dtype::bf16 || t == Dtype::f32 || t == Dtype::c64 ? Dtype::f32 : Dtype::f64;
  return o;
}

Job prepare(const Call& c, const std::vector<Spec>& out) { return differences(c, out, "cpu.each"); }

}  // namespace

std::vector<Route> diff_cpu_routes() {
  return {{.op = "diff", .name = "cpu.views", .supports = {}, .prefers = {}, .order = order, .prepare = prepare}};
}

}  // namespace plumb
