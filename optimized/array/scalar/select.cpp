// CPU routes of the operations that choose among numbers: those that the list has.
#include "optimized/array/scalar/scalar.h"
#include "optimized/dispatch.h"

namespace plumb {

PLUMB_DECLARE_SIMD(extern const ScalarKernel select_kernels[])

namespace {

const ScalarKernel* kernels() { return PLUMB_DISPATCH(select_kernels); }

}  // namespace

std::vector<Route> select_cpu_routes() { return scalar_routes<kernels>(); }

}  // namespace plumb
