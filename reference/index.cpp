#include "reference/index.h"

namespace plumb::reference {

std::int64_t broadcast_index(std::int64_t i, const Shape& result, const Shape& operand) {
  std::int64_t at = 0, step = 1;
  for (std::size_t back = 1; back <= result.size(); ++back) {
    const std::int64_t size = result[result.size() - back], index = i % size;
    i /= size;
    if (back > operand.size()) continue;
    const std::int64_t own = operand[operand.size() - back];
    if (own != 1) at += index * step;
    step *= own;
  }
  return at;
}

Lines::Lines(const Shape& shape, std::int64_t axis) {
  for (std::int64_t d = 0; d < std::ssize(shape); ++d) {
    const std::int64_t extent = shape[static_cast<std::size_t>(d)];
    (d == axis ? size : count) *= extent;
    if (d > axis) step *= extent;
  }
}

}  // namespace plumb::reference
