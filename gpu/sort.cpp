#include "gpu/runtime.h"

namespace plumb {
std::vector<Route> sort_gpu_routes() { return {}; }
}  // namespace plumb
