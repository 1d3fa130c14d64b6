// CPU routes of the operations with numbers that attributes give: those that the list has, and what asks them of all
// elements.
#include <algorithm>
#include <atomic>
#include <cstring>

#include "core/pool.h"
#include "optimized/array/scalar/scalar.h"
#include "optimized/dispatch.h"

namespace plumb {

PLUMB_DECLARE_SIMD(extern const ScalarKernel given_kernels[])
PLUMB_DECLARE_SIMD(extern const ScalarKernel binary_kernels[])

namespace {

constexpr std::int64_t kGrain = 1 << 18;  // flags worth a thread

const ScalarKernel* kernels() { return PLUMB_DISPATCH(given_kernels); }

bool every(const Tensor& flags) {
  const auto* f = flags.read<std::uint8_t>();
  std::atomic<bool> all{true};
  parallel_for(flags.size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    if (std::memchr(f + begin, 0, static_cast<std::size_t>(end - begin))) all = false;
  });
  return all;
}

void allclose(const Call& c, std::vector<Tensor>& out) {
  const Tensor flags(Spec{Dtype::boolean, broadcast(c.op->name, c.shape(0), c.shape(1))});
  run_scalar(c, kernels(), "isclose", flags);
  *out[0].write<std::uint8_t>() = every(flags);
}

// Of floats with tolerances of 0, which are equal or NaN; whole numbers as they are.
void array_equal(const Call& c, std::vector<Tensor>& out) {
  bool same = c.shape(0) == c.shape(1);
  if (same) {
    const Tensor flags(Spec{Dtype::boolean, c.shape(0)});
    const bool floats = is_inexact(promote(c.dtype(0), c.dtype(1)));
    if (floats) run_scalar(c, kernels(), "isclose", flags);
    else run_scalar(c, PLUMB_DISPATCH(binary_kernels), "equal", flags);
    same = every(flags);
  }
  *out[0].write<std::uint8_t>() = same;
}

}  // namespace

std::vector<Route> given_cpu_routes() {
  std::vector<Route> routes = scalar_routes<kernels>();
  Route all = routes[0];
  all.op = "allclose", all.prepare = host<allclose>;
  routes.push_back(all);
  all.op = "array_equal", all.prepare = host<array_equal>;
  routes.push_back(all);
  return routes;
}

}  // namespace plumb
