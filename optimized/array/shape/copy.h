// The copies of this wing: pieces of runs (plans/array/shape/movement.h), by the size of an element.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/route.h"
#include "plans/array/shape/movement.h"

namespace plumb::movement {

// Elements of `bytes` bytes; `constant` is read where a run asks for it.
void copy(const Piece&, std::int64_t bytes, const std::byte* from, std::byte* to, const std::byte* constant);

// Routes for operations by name: those whose result is always a view, those where it may be, those that copy.
std::vector<Route> view_routes(const std::vector<std::string_view>& ops);
std::vector<Route> view_or_copy_routes(const std::vector<std::string_view>& ops);
std::vector<Route> copy_routes(const std::vector<std::string_view>& ops);

}  // namespace plumb::movement
