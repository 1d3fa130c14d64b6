// The cases of the coordinate rows, by the shape of a row's inputs.
#pragma once

#include <string_view>
#include <vector>

#include "core/op.h"

namespace plumb::coordinates {

std::vector<Case> single_cases(), downsample_cases(), pair_cases();
std::vector<Case> occupancy_downsample_cases(), occupancy_expand_cases(), child_cases(), alignment_cases();

std::vector<Reject> downsample_rejects(), alignment_rejects();

std::vector<Case> single_bench(), downsample_bench(), pair_bench();
std::vector<Case> occupancy_downsample_bench(), occupancy_expand_bench(), child_bench(), alignment_bench();

}  // namespace plumb::coordinates
