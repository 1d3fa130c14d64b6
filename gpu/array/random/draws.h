// What routes that draw on the device share: see kernels/array/random/threefry.cl and units.cl.
#pragma once

#include <vector>

#include "gpu/runtime.h"

namespace plumb::gpu {

inline constexpr std::size_t kDrawAxes = 8;    // that units.cl walks
inline constexpr std::size_t kDrawGroup = 64;  // work-items

// How `total` words are paired: h counters have two, and gap of them have any.
struct Pairs {
  std::int64_t h, gap;
  explicit Pairs(std::int64_t total) : h(total / 2), gap(total - total / 2) {}
};

// For a kernel, of operands that broadcast over a shape: the number of axes, 8 sizes, innermost first, and 8 strides of
// each. No axes where every operand has one element.
BufferPtr spread(const Shape&, const std::vector<Tensor>& operands);
BufferPtr spread(const Shape&, const Shape& operand, const Strides&);  // of one that is part of a larger array

inline constexpr std::int64_t kWorthLaunch = 1 << 16;  // elements
inline constexpr Condition kHasFp64{Stage::capability, "the device has no f64 arithmetic",
                                    [](const Call&, const Device& d) { return d.fp64; }};
bool drawn_large(const Call&, const Device&);  // enough elements for a launch
bool has_wide(const Call&, const Device&);     // f64, if any input or output needs it

// What stops a route that draws: operands of more axes than it walks, or f64 where the device has none.
struct Stops {
  bool axes = true, wide = true;
};
Route drawing(std::string_view op, std::string_view name, Job (*prepare)(const Call&, const std::vector<Spec>&), Stops,
              Order (*order)(const Call&) = nullptr);

}  // namespace plumb::gpu
