// What the routes of products have in common on the device.
#pragma once

#include "gpu/runtime.h"

namespace plumb::gpu {

// Of scaled.cl for sums in that type.
inline Options scaled_options(Dtype t) { return Options{{"X", t}, {"MASK", t != Dtype::c64}}; }

inline constexpr Condition kWideProducts{Stage::capability, "the device has no binary64",
                                         [](const Call& c, const Device& d) {
                                           if (d.fp64) return true;
                                           for (std::size_t i = 0; i < c.specs.size(); ++i)
                                             if (c.has(i) && c.dtype(i) == Dtype::f64) return false;
                                           return true;
                                         }};
inline constexpr Condition kManyProducts{Stage::shape_dtype, "fewer than 2^24 operations",
                                         [](const Call& c, const Device&) { return cost(c).flops >= 1 << 24; }};

}  // namespace plumb::gpu
