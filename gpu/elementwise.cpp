#include "gpu/runtime.h"

namespace plumb {
std::vector<Route> elementwise_gpu_routes() { return {}; }
}  // namespace plumb
