// What the device routes of dense pooling hand to kernels/array/pool/dense_pool.cl.
#pragma once

#include "gpu/array/conv/conv_job.h"

namespace plumb::gpu {

BufferPtr pool_geometry(const conv::Geometry&);
Kernel pool_kernel(std::string_view name, Dtype);  // of the type that it computes in

inline constexpr Condition kPoolDoubles{
    Stage::capability, "the device has no binary64",
    [](const Call& c, const Device& d) { return c.dtype(0) != Dtype::f64 || d.fp64; }};
inline constexpr Condition kPoolLarge{Stage::shape_dtype, "under 65536 elements: a launch costs more",
                                      [](const Call& c, const Device&) { return c[0].size() >= 65536; }};

}  // namespace plumb::gpu
