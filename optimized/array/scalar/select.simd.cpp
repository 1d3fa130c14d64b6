// Operations that choose among numbers, a line each: see lanes.h.
#include "optimized/array/scalar/comparison.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

// p: which bounds are given.
template <class V>
static inline auto between(V a, V low, V high, Given p) -> decltype(larger_of(a, low)) {
  const V y = p[0] != 0 ? larger_of(a, low) : a;
  return p[1] != 0 ? smaller_of(y, high) : y;
}

extern const ScalarKernel select_kernels[];
const ScalarKernel select_kernels[] = {
    EACH3(where, choose(is_true(a), b, c)),
    EACH3_GIVEN(clip, between(a, b, c, p)),
    {nullptr, {}},
};

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
