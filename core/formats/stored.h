// What formats of files have in common about the elements of a tensor.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/tensor.h"

namespace plumb {

// Whether the shape's strides, hence the product of all sizes but zeros, need more than 63 bits of bytes.
bool overflows(const Shape&, int element_bytes);
// "bool element 3 is 2, not 0 or 1"; "" where each byte is a truth value.
std::string no_truth(const char* elements, std::uint64_t count);
// The elements of a row-major tensor, as they lie in memory and in files.
std::string_view bytes_of(const Tensor&);

}  // namespace plumb
