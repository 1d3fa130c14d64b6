// A product of two batches of matrices, for oracles.
#pragma once

#include "core/op.h"
#include "reference/index.h"

namespace plumb::reference {

// c_ij = sum_p a_ip b_pj for every matrix of the batch; a vector is a row on the left and a column on the right. Both
// are of one inexact type.
Wide matrix_product(const Wide& a, const Wide& b, const Shape& out);

Shape as_matrices(const Shape&, bool left);  // with the axis that a vector lacks
Shape batch_axes(const Shape& matrices);

}  // namespace plumb::reference
