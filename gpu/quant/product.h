// Products with quantized matrices, of all modes: quantized_matmul and gather_qmm.
#pragma once

#include <vector>

#include "core/route.h"

namespace plumb::gpu {

struct QuantFormat {
  std::int32_t mode;  // as kernels/quant/codes.cl numbers them
  std::int32_t bits, group;
};
QuantFormat quant_format(const Request&);  // from mode, group_size and bits, which were checked

// The routes of an op whose inputs 0 to 3 are x, codes, scales and biases; lhs_indices and rhs_indices where it has
// them.
std::vector<Route> quantized_products(std::string_view op);

}  // namespace plumb::gpu
