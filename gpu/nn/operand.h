// What the routes of this wing share on the device.
#pragma once

#include "gpu/runtime.h"

namespace plumb::gpu {

// The operand as it is if its elements are values of the type, which kernels read as such, else rounded to it.
Tensor operand(const Tensor&, Dtype as);

// The elements of a vector as floats, or as doubles where that is the type; n times the same if there is none.
BufferPtr vector_or(const Tensor*, Dtype as, std::int64_t n, double otherwise);

// Needs f64 arithmetic for results of f64; yields below 65536 elements of the first input.
Route nn_route(std::string_view op, std::string_view name, Job (*prepare)(const Call&, const std::vector<Spec>&),
               Order (*order)(const Call&));

}  // namespace plumb::gpu
