// How a strided tensor is read by a copy on the device: the planning of gpu/copy.cpp, which needs no device.
#pragma once

#include <vector>

#include "core/tensor.h"

namespace plumb::gpu {

struct CopyAxis {
  std::int64_t size, stride;  // in elements
  friend bool operator==(const CopyAxis&, const CopyAxis&) = default;
};

// From the innermost axis outwards; unit axes dropped, neighbours that continue each other merged.
std::vector<CopyAxis> collapsed(const Shape&, const Strides&);

// Two axes whose outer one is the denser in memory, perhaps under a batch axis; no longer than tiles can count.
bool is_transposed(const std::vector<CopyAxis>&);

}  // namespace plumb::gpu
