// The losses: every route of them runs the steps of their formulas.
#pragma once

#include <string_view>

namespace plumb {

inline constexpr std::string_view kLosses[] = {
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

}  // namespace plumb
