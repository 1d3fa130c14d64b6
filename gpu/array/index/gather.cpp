// Reading by position on the device.
#include "gpu/array/index/moves.h"

namespace plumb {

std::vector<Route> gather_gpu_routes() {
  std::vector<Route> all;
  for (const char* op : {"take", "take_scalar", "take_along_axis", "gather"}) {
    Route r;
    r.op = op;
    r.name = "gpu.rows";
    r.tier = r.needs = Tier::gpu;
    r.supports = gpu::conditions(false);
    if (r.op == "take_scalar") r.supports.clear();  // it has no index arrays, and no more axes than a tensor
    r.prefers = gpu::preferences();
    r.prepare = gpu::prepare_read;
    all.push_back(std::move(r));
  }
  return all;
}

}  // namespace plumb
