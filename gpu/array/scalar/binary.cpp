// OpenCL routes of the operations of two numbers.
#include "gpu/array/scalar/scalar.h"

namespace plumb {
namespace {

constexpr auto kDivides = gpu::ScalarFunction::divides, kWords = gpu::ScalarFunction::words;

// The figures are those of the specification (OpenCL C 3.0, table 42); logaddexp: those of exp and log1p.
constexpr gpu::ScalarFunction kFunctions[] = {
    {"subtract"},
    {"multiply"},
    {"divide", 0.5, 0.5, kDivides},
    {"maximum"},
    {"minimum"},
    {"floor_divide", 0.5, 0.5, kDivides},
    {"remainder"},
    {"divmod", 0.5, 0.5, kDivides},
    {"power", 16, 16},
    {"logaddexp", 3, 3},
    {"arctan2", 6, 6},
    {"equal"},
    {"not_equal"},
    {"less"},
    {"less_equal"},
    {"greater"},
    {"greater_equal"},
    {"logical_and"},
    {"logical_or"},
    {"logical_xor"},
    {"bitwise_and", 0.5, 0.5, kWords},
    {"bitwise_or", 0.5, 0.5, kWords},
    {"bitwise_xor", 0.5, 0.5, kWords},
    {"left_shift", 0.5, 0.5, kWords},
    {"right_shift", 0.5, 0.5, kWords},
};

Job prepare_divmod(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  auto quotient = gpu::scalar_launch("binary", "floor_divide", c, out[0]);
  auto remainder = gpu::scalar_launch("binary", "remainder", c, out[1]);
  return gpu::job(std::move(out), [quotient, remainder] { quotient(), remainder(); });
}

Order order(const Call& c) { return gpu::scalar_order(kFunctions, c); }
Job prepare(const Call& c, const std::vector<Spec>& specs) { return gpu::prepare_scalar("binary", c, specs); }

}  // namespace

std::vector<Route> binary_gpu_routes() {
  std::vector<Route> routes = gpu::scalar_routes(kFunctions, order, prepare);
  for (Route& r : routes)
    if (r.op == "divmod") r.prepare = prepare_divmod;
  return routes;
}

}  // namespace plumb
