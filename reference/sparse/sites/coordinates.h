// The cases of the coordinate rows, by the shape of a row's inputs.
#pragma once

#include <string_view>
#include "core/op.h"

namespace plumb::coordinates {

Cases single_cases(), downsample_cases(), pair_cases();
Cases occupancy_downsample_cases(), occupancy_expand_cases(), child_cases(), alignment_cases();

Rejects downsample_rejects(), alignment_rejects();

Cases single_bench(), downsample_bench(), pair_bench();
Cases occupancy_downsample_bench(), occupancy_expand_bench(), child_bench(), alignment_bench();

}  // namespace plumb::coordinates
