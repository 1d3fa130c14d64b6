// The ceilings of the current device: loops that saturate one unit each. Best of several trials.
#pragma once

#include "core/dtype.h"

namespace plumb::gpu {

double device_flops(bool matrix, Dtype);     // flop/s of fma in f32 or f64, or of the matrix units; 0 if it has none
double device_bandwidth(std::int64_t bytes);  // bytes/s of a copy, reads and writes counted

}  // namespace plumb::gpu
