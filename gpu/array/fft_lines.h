// Transforms of the lines of an array on the device, for routes of more than one axis and of frames.
#pragma once

#include <functional>
#include <vector>

#include "gpu/runtime.h"
#include "plans/array/fft.h"

namespace plumb::gpu {

using Steps = std::vector<std::function<void()>>;  // what a job enqueues, in order

// A tensor of any dtype and strides as dense complex numbers, of real parts alone; its own buffer if it is that
// already.
BufferPtr add_complex(Steps&, const Tensor&, bool real_parts);

bool has_local_memory(const Call&, const Device&);
bool takes_lines(const fft::Problem&);  // whether some path can
// All lines of dense complex numbers, [outer, size, inner] to [outer, out, inner] in another buffer, on the path that
// suits the length; of a real inverse to real numbers.
void add_lines(Steps&, const fft::Problem&, const BufferPtr& from, const BufferPtr& to);
double growth(const fft::Problem&);  // what the path declares for one pass: a L of docs/bounds-fft.md

}  // namespace plumb::gpu
