// Other orders that strides say: views, and windows over what no strides put in row-major order.
#include "gpu/array/shape/copy.h"

namespace plumb {

std::vector<Route> axes_gpu_routes() {
  std::vector<Route> all =
      gpu::view_routes({"transpose", "matrix_transpose", "swapaxes", "moveaxis", "broadcast_to", "flip", "diagonal"});
  for (Route& r : gpu::view_or_copy_routes({"as_strided"})) all.push_back(std::move(r));
  return all;
}

}  // namespace plumb
