// CPU routes of the operations of two numbers: those that the list has.
#include "optimized/array/scalar/scalar.h"

namespace plumb {

PLUMB_SCALAR_KERNELS(binary_kernels)

std::vector<Route> binary_cpu_routes() { return scalar_routes<kernels>(); }

}  // namespace plumb
