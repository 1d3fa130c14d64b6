// Einstein's summation two operands at a time.
#pragma once

#include "plans/linalg/products/pipeline.h"

namespace plumb::products {

Tensor einsum(Pipeline&, const Call&);

// What the steps add up to: Order::prologue is how many roundings a term of the result passes at most.
Order einsum_order(Side, const Call&);

std::size_t einsum_labels(const Call&);  // letters, and axes of the ellipsis

}  // namespace plumb::products
