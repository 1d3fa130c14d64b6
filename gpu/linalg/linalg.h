// Where the matrices of a batch begin: the planning of gpu/linalg/linalg.cpp, which needs no device.
#pragma once

#include "core/tensor.h"

namespace plumb::gpu {

// Of matrix t of a batch, for an operand whose own batch axes are broadcast to it; strides and result in elements.
std::int64_t batch_offset(std::int64_t t, const Shape& batch, const Shape& own, const Strides& steps);

}  // namespace plumb::gpu
