#include "gpu/runtime.h"

namespace plumb {
std::vector<Route> convolution_gpu_routes() { return {}; }
}  // namespace plumb
