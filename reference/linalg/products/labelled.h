// Sums of products by labels, for oracles: an axis is named by a number, and what is not named in the result is summed.
#pragma once

#include <vector>

#include "core/op.h"

namespace plumb::reference {

using Labels = std::vector<std::size_t>;

// out[i] = sum over all labels that are not among `result` of the product of operands[k][the i of labels[k]]. sizes: of
// each label; an axis of size 1 repeats. All operands are of one type.
Wide sum_of_products(const std::vector<Wide>& operands, const std::vector<Labels>& labels, const Labels& result,
                     const Shape& sizes);

Labels upwards(std::size_t first, std::size_t n);  // first, first + 1, ..

// A complex product is two real ones in each part.
std::int64_t real_terms(std::int64_t n, Dtype);

Wide with_shape(Wide, const Shape&);

}  // namespace plumb::reference
