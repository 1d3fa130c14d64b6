// The safetensors container: 8-byte little-endian header length, JSON header, raw row-major data.
// Reading validates everything before a byte of data is used; a hostile file gives Error(file).
#pragma once

#include <map>
#include <string>

#include "core/tensor.h"

namespace plumb {

using TensorMap = std::map<std::string, Tensor>;

TensorMap read_safetensors(const std::string& path);
TensorMap parse_safetensors(const std::string& bytes, const std::string& name = "<memory>");
void write_safetensors(const std::string& path, const TensorMap&);  // written beside, then renamed

}  // namespace plumb
