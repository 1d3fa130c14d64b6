// OpenCL routes of activations.
#include "gpu/array/scalar/scalar.h"

namespace plumb {
namespace {

constexpr auto kDivides = gpu::ScalarFunction::divides;

// As in optimized/nn/activation.cpp, with the ulps that OpenCL asks of exp and expm1 (3), erf (16) and tanh (5), and
// those that kernels/array/functions.cl states for sigmoid (10, 8) and logaddexp (25).
constexpr gpu::ScalarFunction kFunctions[] = {
    {"relu"},
    {"relu6"},
    {"relu2"},
    {"leaky_relu"},
    {"hard_tanh"},
    {"hard_shrink"},
    {"softshrink"},
    {"softsign", 2.1, 2.1, kDivides},
    {"hardswish", 3.1, 3.1, kDivides},
    {"silu", 22.6, 22.6, kDivides},
    {"softplus", 25, 25},
    {"log_sigmoid", 25, 25},
    {"mish", 34.2, 34.2, kDivides},
    {"elu", 7.1, 7.1},
    {"celu", 8.1, 8.1, kDivides},
    {"selu", 8.1, 8.1},
    {"gelu", 16, 16},
    {"gelu_approx", 5, 5},
    {"gelu_fast_approx", 10, 8},
};

Order order(const Call& c) { return gpu::scalar_order(kFunctions, c); }
Job prepare(const Call& c, const std::vector<Spec>& specs) { return gpu::prepare_scalar("activation", c, specs); }

}  // namespace

std::vector<Route> activation_gpu_routes() { return gpu::scalar_routes(kFunctions, order, prepare); }

}  // namespace plumb
