// Products of whole tensors as calls of matmul, multiply and sum.
#pragma once

#include "plans/linalg/products/pipeline.h"

namespace plumb::products {

// outer, kron, inner, tensordot or vecdot
Tensor tensor_product(Pipeline&, const Call&);

// What lies behind the condition that at most 8 axes move: the two operands of an elementwise product as views.
std::pair<Tensor, Tensor> side_by_side(const Call&);  // outer, kron, or a product with a scalar

// The operands of vecdot, each with the axes of the result and then the one that is summed.
std::pair<Tensor, Tensor> dotted(const Call&, const Tensor& a, const Tensor& b);

}  // namespace plumb::products
