// Device routes of losses: their formulas step by step, each step on a device route wherever one takes it.
#include "core/formula.h"
#include "gpu/runtime.h"

namespace plumb {
namespace {

Job prepare(const Call& c, const std::vector<Spec>&) { return eager(c, current_device()); }
Order order(const Call& c) { return eager_order(c, current_device()); }

constexpr std::string_view kLosses[] = {
    "l1_loss",
    "mse_loss",
    "smooth_l1_loss",
    "huber_loss",
    "log_cosh_loss",
    "hinge_loss",
    "nll_loss",
    "triplet_loss",
    "binary_cross_entropy",
    "gaussian_nll_loss",
    "kl_div_loss",
    "cross_entropy",
    "margin_ranking_loss",
    "cosine_similarity_loss",
};

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
