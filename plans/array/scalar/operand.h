// What a scalar operation is computed in and with, on the host and on a device alike.
#pragma once

#include <array>
#include <vector>

#include "core/op.h"

namespace plumb {

// The dtype in which all operands are: F of the signature, or P, or what they promote to.
Dtype computed_in(const Call&);

// The operands of a kernel: the inputs, and in the place of one that is not given the first.
std::vector<Tensor> scalar_operands(const Call&);

// What the attributes of a call say, as numbers that kernels take: see the operation's line there.
struct ScalarParameters {
  std::array<double, 3> value{};  // of whole numbers those below 2^53 or powers of ten
  bool any = false;
};
ScalarParameters scalar_parameters(const Call&);

}  // namespace plumb
