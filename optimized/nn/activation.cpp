// CPU routes of activations: those that the list has.
#include "optimized/array/scalar/scalar.h"
#include "optimized/dispatch.h"
#include "optimized/functions_ulps.h"

namespace plumb {

PLUMB_DECLARE_SIMD(extern const ScalarKernel activation_kernels[])

namespace {

const ScalarKernel* kernels() { return PLUMB_DISPATCH(activation_kernels); }

// Errors in units u relative to the result, of which k ulps are at most 2 k: a relative error of r u is at most r ulps.
// With e^(x/2) of 2 k u each, s = h^2 of (4 k + 1) u and every further operation of one:
//
//   softsign, hardswish   2 and 3 operations
//   silu    x / (1 + s) and x h (h / (1 + s)), of s at most half: 2 k + 1 + 2 k + 2 k + 1.5 + 2 = 6 k + 4.5
//   mish    n = s (s + 2) errs by 4/3 of s and 2, n / (n + 2) keeps at most 3/5 of that: 8.6 k + 8.3
//   softplus, log_sigmoid   logaddexp with 0, in whose ulps the table is
//   elu     2 k + 1 of expm1; celu: its argument errs by u, which moves it by at most that: 2 k + 2; selu: 2 k + 2
//   gelu .. the ulps of the function alone: the row knows what they move
double ulps_of(std::string_view op, bool narrow) {
  const auto k = [&](const char* function) {
    const FunctionUlps f = function_ulps(function);
    return narrow ? f.ulps32 : f.ulps64;
  };
  if (op == "softsign") return 2.1;
  if (op == "hardswish") return 3.1;
  if (op == "silu") return 6 * k("exp") + 4.6;
  if (op == "mish") return 8.6 * k("exp") + 8.4;
  if (op == "softplus" || op == "log_sigmoid") return k("logaddexp");
  if (op == "elu") return 2 * k("expm1") + 1.1;
  if (op == "celu" || op == "selu") return 2 * k("expm1") + 2.1;
  if (op == "gelu") return k("erf");
  if (op == "gelu_approx") return k("tanh");
  if (op == "gelu_fast_approx") return k("sigmoid");
  return 0.5;
}

Order order(const Call& c) { return scalar_order(c, ulps_of(c.op->name, true), ulps_of(c.op->name, false)); }

}  // namespace

std::vector<Route> activation_cpu_routes() {
  std::vector<Route> routes = scalar_routes<kernels>();
  for (Route& r : routes) r.order = order;
  return routes;
}

}  // namespace plumb
