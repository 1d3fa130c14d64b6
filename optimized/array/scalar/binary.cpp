// CPU routes of the operations of two numbers: those that the list has.
#include "optimized/array/scalar/scalar.h"
#include "optimized/dispatch.h"

namespace plumb {

PLUMB_DECLARE_SIMD(extern const ScalarKernel binary_kernels[])

namespace {

const ScalarKernel* kernels() { return PLUMB_DISPATCH(binary_kernels); }

void divmod(const Call& c, std::vector<Tensor>& out) {
  run_scalar(c, kernels(), "floor_divide", out[0]);
  run_scalar(c, kernels(), "remainder", out[1]);
}

}  // namespace

std::vector<Route> binary_cpu_routes() {
  std::vector<Route> routes = scalar_routes<kernels>();
  Route both = routes[0];
  both.op = "divmod", both.prepare = host<divmod>;
  routes.push_back(both);
  return routes;
}

}  // namespace plumb
