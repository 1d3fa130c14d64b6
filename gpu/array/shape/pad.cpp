// Arrays that grow are copied; the diagonal of a matrix is a view.
#include "gpu/array/shape/copy.h"

namespace plumb {

std::vector<Route> pad_gpu_routes() {
  std::vector<Route> all = gpu::copy_routes({"repeat", "tile", "roll", "pad", "tril", "triu"});
  for (Route& r : gpu::view_or_copy_routes({"diag"})) all.push_back(std::move(r));
  return all;
}

}  // namespace plumb
