// CPU routes of the operations of two numbers: those that the list has.
#include "optimized/array/scalar/scalar.h"
#include "optimized/dispatch.h"

namespace plumb {

PLUMB_DECLARE_SIMD(extern const ScalarKernel binary_kernels[])

namespace {

const ScalarKernel* kernels() { return PLUMB_DISPATCH(binary_kernels); }

}  // namespace

std::vector<Route> binary_cpu_routes() { return scalar_routes<kernels>(); }

}  // namespace plumb
