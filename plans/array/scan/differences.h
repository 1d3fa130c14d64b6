// The n-th differences along an axis as n calls of subtract on views of one operand, for the routes of diff.
#pragma once

#include <string_view>

#include "core/route.h"

namespace plumb {

// Each by that route of subtract; halves are rounded at the end.
Job differences(const Call&, const std::vector<Spec>& out, std::string_view route);

}  // namespace plumb
