// Operands of any strides, as kernels walk them: a dense output, and the axes over which the operands move.
#pragma once

#include <vector>

#include "gpu/runtime.h"

namespace plumb::gpu {

inline constexpr std::size_t kOperandAxes = 8;  // that a kernel walks

// An axis of the output with the stride of each operand, 0 where it repeats.
struct OperandAxis {
  std::int64_t size = 1;
  std::vector<std::int64_t> steps;
};

// Innermost first: unit axes dropped, neighbours that continue each other in every operand merged.
std::vector<OperandAxis> operand_axes(const std::vector<Tensor>& operands, const Shape& out);

// For a kernel: 8 sizes, then 8 strides for each operand.
BufferPtr geometry(const std::vector<OperandAxis>&, std::size_t operands);

}  // namespace plumb::gpu
