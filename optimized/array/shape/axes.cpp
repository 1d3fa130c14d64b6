// Other orders that strides say: views, and windows over what no strides put in row-major order.
#include "optimized/array/shape/copy.h"

namespace plumb {

std::vector<Route> axes_cpu_routes() {
  std::vector<Route> all = movement::view_routes(
      {"transpose", "matrix_transpose", "swapaxes", "moveaxis", "broadcast_to", "flip", "diagonal"});
  for (Route& r : movement::view_or_copy_routes({"as_strided"})) all.push_back(std::move(r));
  return all;
}

}  // namespace plumb
