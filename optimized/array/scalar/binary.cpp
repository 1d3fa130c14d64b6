// CPU routes of the operations of two numbers: those that the list has.
#include "optimized/array/scalar/scalar.h"
#include "optimized/dispatch.h"
#include "plans/array/scalar/operand.h"

namespace plumb {

PLUMB_DECLARE_SIMD(extern const ScalarKernel binary_kernels[]; extern const ScalarKernel complex_kernels[])

namespace {

const ScalarKernel* kernels() { return PLUMB_DISPATCH(binary_kernels); }

void divmod(const Call& c, std::vector<Tensor>& out) {
  run_scalar(c, kernels(), "floor_divide", out[0]);
  run_scalar(c, kernels(), "remainder", out[1]);
}

const ScalarKernel* complex_list() { return PLUMB_DISPATCH(complex_kernels); }

// Of functions, which have a list of their own for complex numbers.
void either(const Call& c, std::vector<Tensor>& out) {
  run_scalar(c, is_complex(computed_in(c)) ? complex_list() : kernels(), c.op->name, out[0]);
}

}  // namespace

std::vector<Route> binary_cpu_routes() {
  std::vector<Route> routes = scalar_routes<kernels>();
  for (const ScalarKernel* k = complex_list(); k->name; ++k)
    for (Route& r : routes)
      if (r.op == k->name) r.prepare = host<either>;
  Route both = routes[0];
  both.op = "divmod", both.prepare = host<divmod>;
  routes.push_back(both);
  return routes;
}

}  // namespace plumb
