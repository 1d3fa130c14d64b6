// Arrays taken apart are views; what is put together is copied.
#include "gpu/array/shape/copy.h"

namespace plumb {

std::vector<Route> pieces_gpu_routes() {
  std::vector<Route> all = gpu::view_routes({"split", "unstack"});
  for (Route& r : gpu::promoting_copy_routes({"concatenate", "stack"})) all.push_back(std::move(r));
  return all;
}

}  // namespace plumb
