// OpenCL routes of the operations that choose among numbers.
#include "gpu/array/scalar/scalar.h"

namespace plumb {
namespace {

constexpr gpu::ScalarFunction kFunctions[] = {
    {"where"},
    {"clip"},
};

Order order(const Call& c) { return gpu::scalar_order(kFunctions, c); }
Job prepare(const Call& c, const std::vector<Spec>& specs) { return gpu::prepare_scalar("select", c, specs); }

}  // namespace

std::vector<Route> select_gpu_routes() { return gpu::scalar_routes(kFunctions, order, prepare); }

}  // namespace plumb
