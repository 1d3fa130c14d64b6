// What index.simd.cpp computes: steps are in elements.
#pragma once

#include "optimized/dispatch.h"
#include "optimized/element.h"

namespace plumb {

// How an update meets what is there.
enum class Combine : std::uint8_t { set, add, prod, max, min, subtract, divide };

// Positions on an axis of n elements, windows of `width`; negative ones from the end if they wrap.
struct AxisOf {
  std::int64_t n, width;
  bool wraps;
};

// One row after another, of `size` elements.
struct RowShape {
  std::int64_t size, step, update;  // steps in the indexed array and in the updates
  bool streaming = false;           // what is written is larger than the caches
};

PLUMB_DECLARE_SIMD(
    // The first of n entries that is no position, or n.
    std::int64_t first_outside(Element, const void* entries, std::int64_t step, std::int64_t n, const AxisOf&);
    // at[i] += step of the axis times entry i
    void add_positions(Element, const void* entries, std::int64_t step, std::int64_t n, std::int64_t extent,
                       std::int64_t axis_step, std::int64_t* at);
    // Rows [at[r], ..) of a, side by side; elements of so many bytes.
    void gather_rows(std::int64_t bytes, const void* a, const std::int64_t* at, std::int64_t rows, const RowShape&,
                     void* out);
    void scatter_rows(std::int64_t bytes, const void* updates, const std::int64_t* from, const std::int64_t* to,
                      std::int64_t rows, const RowShape&, void* out);
    void combine_rows(Element, Combine, const void* updates, const std::int64_t* from, const std::int64_t* to,
                      std::int64_t rows, const RowShape&, void* out))

}  // namespace plumb
