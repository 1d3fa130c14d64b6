// OpenCL routes of the operations with numbers that attributes give.
#include "gpu/array/scalar/scalar.h"

namespace plumb {
namespace {

constexpr gpu::ScalarFunction kFunctions[] = {
    {"round", 0.5, 0.5, gpu::ScalarFunction::divides},
    {"nan_to_num"},
    {"isclose"},
};

Order order(const Call& c) { return gpu::scalar_order(kFunctions, c); }
Job prepare(const Call& c, const std::vector<Spec>& specs) { return gpu::prepare_scalar("given", c, specs); }

}  // namespace

std::vector<Route> given_gpu_routes() { return gpu::scalar_routes(kFunctions, order, prepare); }

}  // namespace plumb
