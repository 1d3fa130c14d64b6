// CPU routes of the operations with numbers that attributes give: those that the list has.
#include "optimized/array/scalar/scalar.h"
#include "optimized/dispatch.h"

namespace plumb {

PLUMB_DECLARE_SIMD(extern const ScalarKernel given_kernels[])

namespace {

const ScalarKernel* kernels() { return PLUMB_DISPATCH(given_kernels); }

}  // namespace

std::vector<Route> given_cpu_routes() { return scalar_routes<kernels>(); }

}  // namespace plumb
