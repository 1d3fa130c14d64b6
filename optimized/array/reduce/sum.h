// Sums along axes, as the row sum has them, for other operations that add.
#pragma once

#include <vector>

#include "core/order.h"
#include "core/tensor.h"

namespace plumb::reduction {

// `out` has the dtype of a sum of the elements of x, and the axes of x that are not summed.
void sum_along(const Tensor& x, const std::vector<std::int64_t>& axes, const Tensor& out);
Order sum_order(const Spec& x, const std::vector<std::int64_t>& axes);

}  // namespace plumb::reduction
