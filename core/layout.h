// Values in memory as a layout has them.
#pragma once

#include <optional>
#include <string_view>

#include "core/case.h"
#include "core/tensor.h"

namespace plumb {

std::optional<Layout> layout_named(std::string_view);

Tensor blank(const Spec&, Layout);  // its values are unspecified

// The same values in another geometry; the gaps between its elements hold the guard pattern. A broadcast layout has
// one stored row, so its rows are equal whatever the given ones are: they become the last.
Tensor lay_out(const Tensor& values, Layout);

}  // namespace plumb
