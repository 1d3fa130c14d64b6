// The family that declares an operation and the wing that it is in: how lists and pages are grouped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/op.h"

namespace plumb {

// By whoever links the families. With both, <side>/<wing>/<family>.cpp is where an operation is.
void name_family(std::string_view wing, std::string_view family, const std::vector<Op>&);
std::string_view family_of(std::string_view op);  // "convolution"; "" if nobody said
std::string_view wing_of(std::string_view op);    // "sparse/conv"; "" if nobody said

}  // namespace plumb
