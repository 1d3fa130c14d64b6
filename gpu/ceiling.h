// The ceilings of the current device: loops that saturate one unit each, to be timed.
#pragma once

#include <cstdint>
#include <functional>

#include "core/dtype.h"

namespace plumb::gpu {

struct Load {
  double work = 0;            // of one run; 0: the device has no such unit
  std::function<void()> run;  // until the device is done
};

Load flops_load(bool matrix, Dtype);  // in flops: fma in f32 or f64, or the matrix units
Load copy_load(std::int64_t bytes);   // in bytes, reads and writes counted

}  // namespace plumb::gpu
