// The family that declares an operation: how lists and pages are grouped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/op.h"

namespace plumb {

void name_family(std::string_view family, const std::vector<Op>&);  // by whoever links the families
std::string_view family_of(std::string_view op);                    // "" if nobody said

}  // namespace plumb
