// A plane of elements, from strides to strides: y(i, j) = x(i, j). What is part of a large result is not worth keeping
// in a cache.
#pragma once

#include <cstddef>
#include <cstdint>

namespace plumb::movement {

struct Steps {
  std::int64_t i, j;  // in elements
};

void copy_plane(std::int64_t bytes, const std::byte* x, Steps from, std::byte* y, Steps to, std::int64_t rows,
                std::int64_t columns, bool large);

}  // namespace plumb::movement
