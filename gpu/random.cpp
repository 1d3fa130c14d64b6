#include "gpu/runtime.h"

namespace plumb {
std::vector<Route> random_gpu_routes() { return {}; }
}  // namespace plumb
