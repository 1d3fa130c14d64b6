// The dtype in which a scalar operation is computed, on the host and on a device alike.
#pragma once

#include "core/op.h"

namespace plumb {

// What all operands promote to, or a float where the result of whole numbers is one.
inline Dtype computed_in(const Call& c, Dtype out) {
  Dtype t = c.dtype(0);
  for (std::size_t i = 1; i < c.in.size(); ++i) t = promote(t, c.dtype(i));
  return is_inexact(out) ? at_least_float(t) : t;
}

}  // namespace plumb
