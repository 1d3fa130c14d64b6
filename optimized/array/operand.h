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

// Elements of one dtype, `step` apart, as dense ones of another, each rounded once: floats to whole numbers towards 0
// and within the range, NaN to 0, whole numbers to fewer bits modulo 2^bits, complex numbers to their real parts, and
// to bool what is not 0.
Convert converter(Dtype from, Dtype to);
void convert_into(const Tensor&, Dtype to, std::byte* out);  // all elements, in row-major order
Tensor as_dtype(const Tensor&, Dtype);                       // itself, or a dense copy

// Of an operand that broadcasts to a shape: 0 where it repeats.
Strides broadcast_strides(const Tensor&, const Shape&);

}  // namespace plumb
