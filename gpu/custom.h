// Kernels whose text comes from outside: built once for each text, launched over any number of threads.
#pragma once

#include <array>
#include <string>
#include <variant>
#include <vector>

#include "gpu/runtime.h"

namespace plumb::gpu {

using CustomSize = std::array<std::int64_t, 3>;

// An argument: a buffer, or the bytes of a value.
using CustomArgument = std::variant<BufferPtr, std::vector<std::byte>>;

struct CustomLaunch {
  std::string name, text, options;  // the kernel `name` of the text, built with these options
  std::vector<CustomArgument> arguments;
  CustomSize grid, group;  // threads; none is 0, no group is larger than the grid
};

// Enqueues the launch. The last groups of an axis are smaller where the grid is no multiple of the group. Behind the
// given arguments a kernel takes three uint4: the first group of a launch, the grid, the group. Throws Error(device)
// with the log of a build that fails, Error(attribute) for a group that the device cannot hold.
void run_custom(const CustomLaunch&);

void fill_custom(const Tensor& out, const Tensor& value);  // all elements of an output with the one of `value`

}  // namespace plumb::gpu
