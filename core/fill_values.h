// What the fills share: a tensor of inexact values from a function of the logical index.
#pragma once

#include "core/fill.h"

namespace plumb {

// Complex tensors draw a second, independent value for the imaginary part.
template <class F>
Wide real_fill(const Spec& spec, F&& value) {
  if (is_complex(spec.dtype)) {
    Complexes a(spec.shape);
    for (std::int64_t i = 0; i < a.size(); ++i) a[i] = {value(2 * i), value(2 * i + 1)};
    return a;
  }
  Reals a(spec.shape);
  for (std::int64_t i = 0; i < a.size(); ++i) a[i] = value(i);
  return a;
}

}  // namespace plumb
