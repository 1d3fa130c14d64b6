// A run of cross products.
#pragma once

#include <cstdint>

namespace plumb {

// Strides in elements: of the next product, and of the next component. `a` and `b` have 2 components or 3.
struct CrossRun {
  struct Operand {
    const void* first;
    std::int64_t step, component;
    bool three;
  } a, b;
  void* out;
  std::int64_t out_step, out_component, n;
};

}  // namespace plumb
