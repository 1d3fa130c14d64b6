// Device routes of losses: their formulas step by step, each step on a device route wherever one takes it.
#include "plans/nn/losses.h"

#include "core/formula.h"
#include "gpu/runtime.h"

namespace plumb {
namespace {

Job prepare(const Call& c, const std::vector<Spec>&) { return eager(c, current_device()); }
Order order(const Call& c) { return eager_order(c, current_device()); }

}  // namespace

std::vector<Route> losses_gpu_routes() {
  std::vector<Route> routes;
  for (const std::string_view op : kLosses)
    routes.push_back({.op = op,
                      .name = "gpu.eager",
                      .tier = Tier::gpu,
                      .needs = Tier::gpu,
                      .supports = {},
                      .prefers = {gpu::kNotHost},
                      .order = order,
                      .prepare = prepare});
  return routes;
}

}  // namespace plumb
