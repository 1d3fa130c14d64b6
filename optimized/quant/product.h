// Products with quantized matrices, of all modes: quantized_matmul and gather_qmm.
#pragma once

#include <vector>

#include "core/route.h"

namespace plumb::cpu {

// The routes of an op whose inputs 0 to 3 are x, codes, scales and biases; lhs_indices and rhs_indices where it has
// them.
std::vector<Route> quantized_products(std::string_view op);

}  // namespace plumb::cpu
