// CPU routes of losses: their formulas step by step, each step on its natural CPU route.
#include "core/formula.h"

namespace plumb {
namespace {

const Device kHost;  // without a tier

Job prepare(const Call& c, const std::vector<Spec>&) { return eager(c, kHost); }
Order order(const Call& c) { return eager_order(c, kHost); }

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

std::vector<Route> losses_cpu_routes() {
  std::vector<Route> routes;
  for (const std::string_view op : kLosses)
    routes.push_back(
        {.op = op, .name = "cpu.eager", .supports = {}, .prefers = {}, .order = order, .prepare = prepare});
  return routes;
}

}  // namespace plumb
