#include "gpu/runtime.h"

namespace plumb {
std::vector<Route> quant_gpu_routes() { return {}; }
}  // namespace plumb
