// CPU routes of the operations of one number: those that the lists have.
#include "optimized/array/scalar/scalar.h"
#include "optimized/dispatch.h"

namespace plumb {

PLUMB_DECLARE_SIMD(extern const ScalarKernel unary_kernels[]; extern const ScalarKernel complex_kernels[])

namespace {

const ScalarKernel* kernels() { return PLUMB_DISPATCH(unary_kernels); }
const ScalarKernel* complex_list() { return PLUMB_DISPATCH(complex_kernels); }

// Of functions, which have a list of their own for complex numbers.
void either(const Call& c, std::vector<Tensor>& out) {
  run_scalar(c, is_complex(c.dtype(0)) ? complex_list() : kernels(), c.op->name, out[0]);
}

}  // namespace

std::vector<Route> unary_cpu_routes() {
  std::vector<Route> routes = scalar_routes<kernels>();
  for (const ScalarKernel* k = complex_list(); k->name; ++k)
    for (Route& r : routes)
      if (r.op == k->name) r.prepare = host<either>;
  return routes;
}

}  // namespace plumb
