// Sums along axes, as the row sum has them, for other operations that add.
#pragma once

#include "gpu/array/reduce/lines.h"

namespace plumb::gpu {

// What enqueues the sums of lines of x, elements of `from` of which the first lies at `first`; `out` has the dtype of
// such a sum and is not empty.
std::function<void()> sum_launch(const Lines&, const BufferPtr& x, Dtype from, std::int64_t first, const Tensor& out);
Order sum_order(const Lines&, Dtype from);

}  // namespace plumb::gpu
