// CPU routes of losses: their formulas step by step, each step on its natural CPU route.
#include "plans/nn/losses.h"

#include "core/formula.h"

namespace plumb {
namespace {

const Device kHost;  // without a tier

Job prepare(const Call& c, const std::vector<Spec>&) { return eager(c, kHost); }
Order order(const Call& c) { return eager_order(c, kHost); }

}  // namespace

std::vector<Route> losses_cpu_routes() {
  std::vector<Route> routes;
  for (const std::string_view op : kLosses)
    routes.push_back(
        {.op = op, .name = "cpu.eager", .supports = {}, .prefers = {}, .order = order, .prepare = prepare});
  return routes;
}

}  // namespace plumb
