// CPU routes of the operations of one number: those that the list has.
#include "optimized/array/scalar/scalar.h"

namespace plumb {

PLUMB_SCALAR_KERNELS(unary_kernels)

std::vector<Route> unary_cpu_routes() { return scalar_routes<kernels>(); }

}  // namespace plumb
