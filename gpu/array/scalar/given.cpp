// OpenCL routes of the operations with numbers that attributes give, and of what asks them of all elements.
#include <algorithm>

#include "gpu/array/scalar/scalar.h"

namespace plumb {
namespace {

constexpr gpu::ScalarFunction kFunctions[] = {
    {"round", 0.5, 0.5, gpu::ScalarFunction::divides}, {"nan_to_num"}, {"isclose"}, {"allclose"}, {"array_equal"},
};

constexpr std::int64_t kItems = 1 << 14;  // that look at flags

Order order(const Call& c) { return gpu::scalar_order(kFunctions, c); }
Job prepare(const Call& c, const std::vector<Spec>& specs) { return gpu::prepare_scalar("given", c, specs); }

// out = 1 if no flag of a call is 0; `launch` writes the flags.
Job every(const Tensor& flags, std::function<void()> launch, std::vector<Tensor> out) {
  const std::int64_t n = flags.size(), items = std::clamp<std::int64_t>(n, 1, kItems);
  gpu::Kernel begin("given", "every_begin", gpu::Options{{"LANE_U64"}}),
      look("given", "every", gpu::Options{{"LANE_U64"}});
  begin.arg(gpu::output(out[0]));
  if (n > 0) look.arg(gpu::output(flags)).arg(gpu::output(out[0])).arg(n).arg(items);
  return gpu::job(std::move(out), [=] {
    begin.run({1});
    if (n == 0) return;
    launch();
    look.run({static_cast<std::size_t>(items)}, {256});
  });
}

Job prepare_allclose(const Call& c, const std::vector<Spec>& specs) {
  const Tensor flags(Spec{Dtype::boolean, broadcast(c.op->name, c.shape(0), c.shape(1))});
  return every(flags, gpu::scalar_launch("given", "isclose", c, flags), gpu::outputs(specs));
}

// Of floats with tolerances of 0, which are equal or NaN; whole numbers as they are.
Job prepare_array_equal(const Call& c, const std::vector<Spec>& specs) {
  const Tensor flags(Spec{Dtype::boolean, c.shape(0)});
  const bool floats = is_inexact(promote(c.dtype(0), c.dtype(1)));
  return every(
      flags,
      floats ? gpu::scalar_launch("given", "isclose", c, flags) : gpu::scalar_launch("binary", "equal", c, flags),
      gpu::outputs(specs));
}

bool same_shape(const Call& c, const Device&) { return c.shape(0) == c.shape(1); }

}  // namespace

std::vector<Route> given_gpu_routes() {
  std::vector<Route> routes = gpu::scalar_routes(kFunctions, order, prepare);
  for (Route& r : routes) {
    if (r.op == "allclose") r.prepare = prepare_allclose;
    if (r.op != "array_equal") continue;
    r.prepare = prepare_array_equal;
    r.supports.insert(r.supports.begin(), {Stage::shape_dtype, "the shapes differ, which is the answer", same_shape});
  }
  return routes;
}

}  // namespace plumb
