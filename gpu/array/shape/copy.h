// Routes of this wing on the device, for operations by name: those whose result is always a view, those where it may
// be, those that copy. See kernels/array/shape/move.cl.
#pragma once

#include <string_view>
#include <vector>

#include "core/route.h"

namespace plumb::gpu {

std::vector<Route> view_routes(const std::vector<std::string_view>& ops);
std::vector<Route> view_or_copy_routes(const std::vector<std::string_view>& ops);
std::vector<Route> copy_routes(const std::vector<std::string_view>& ops);
std::vector<Route> promoting_copy_routes(
    const std::vector<std::string_view>& ops);  // of several inputs, brought to one dtype

}  // namespace plumb::gpu
