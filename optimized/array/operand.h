// Operands of any dtype and strides, brought to the dtype that an operation computes in.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <type_traits>

#include "core/tensor.h"
#include "optimized/element.h"

namespace plumb {

using Convert = void (*)(const void* from, std::int64_t step, void* to, std::int64_t n);

// Elements of one dtype, `step` apart, as dense ones of another: what promotion asks for, each rounded once.
Convert converter(Dtype from, Dtype to);

// Of an operand that broadcasts to a shape: 0 where it repeats.
Strides broadcast_strides(const Tensor&, const Shape&);

}  // namespace plumb
