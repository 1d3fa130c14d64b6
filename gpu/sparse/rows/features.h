// What the routes over feature matrices share on the device: those of features.cpp and of norms.cpp.
#pragma once

#include <string_view>
#include <vector>

#include "gpu/runtime.h"

namespace plumb::gpu {

std::vector<float> floats_of(const Tensor& vector);  // f16 or f32

// Yields below 65536 elements, saying why.
Route feature_route(std::string_view op, std::string_view name, std::string_view yields,
                    Job (*prepare)(const Call&, const std::vector<Spec>&), Order (*order)(const Call&));

}  // namespace plumb::gpu
