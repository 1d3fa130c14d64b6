// CPU routes of the operations of one number: those that the list has.
#include "optimized/array/scalar/scalar.h"
#include "optimized/dispatch.h"

namespace plumb {

PLUMB_DECLARE_SIMD(extern const ScalarKernel unary_kernels[])

namespace {

const ScalarKernel* kernels() { return PLUMB_DISPATCH(unary_kernels); }

}  // namespace

std::vector<Route> unary_cpu_routes() { return scalar_routes<kernels>(); }

}  // namespace plumb
