// What a tensor was before it was rounded, for oracles that run one after the other.
#pragma once

#include <vector>

#include "core/tensor.h"

namespace plumb {

// While one lives, widen() of these tensors gives these values on its thread, which are of the alternative that
// widen() gives for their dtypes: so nothing is rounded between two oracles, and neither knows.
class Unrounded {
 public:
  Unrounded(const std::vector<Tensor>&, const std::vector<Wide>&);  // both are kept by reference
  ~Unrounded();
  Unrounded(const Unrounded&) = delete;
  Unrounded& operator=(const Unrounded&) = delete;

  const Wide* find(const Tensor&) const;  // null if it is none of them

 private:
  const std::vector<Tensor>& tensors_;
  const std::vector<Wide>& values_;
  const Unrounded* outer_;
};

const Wide* before_rounding(const Tensor&);  // by the innermost one of this thread; null: nothing is known

Wide alternative_of(const Wide&, Dtype);  // real numbers as those of widen() for a dtype, without rounding to it

}  // namespace plumb
