// NumPy's format of one array, versions 1.0 to 3.0 (numpy.lib.format): a Python literal, then the data.
#pragma once

#include <string>

#include "core/files.h"
#include "core/tensor.h"

namespace plumb::formats {

// Either byte order, either order of axes; two raw bytes, which is how bfloat16 is saved, are bf16.
Tensor read_npy(ByteSource&);
// Row-major, little-endian, version 1.0, data at a multiple of 64.
std::string npy_header(const Spec&);
void write_npy(Output&, const Tensor&);

}  // namespace plumb::formats
