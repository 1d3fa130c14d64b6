// Arrays that grow are copied; the diagonal of a matrix is a view.
#include "optimized/array/shape/copy.h"

namespace plumb {

std::vector<Route> pad_cpu_routes() {
  std::vector<Route> all = movement::copy_routes({"repeat", "tile", "roll", "pad", "tril", "triu"});
  for (Route& r : movement::view_or_copy_routes({"diag"})) all.push_back(std::move(r));
  return all;
}

}  // namespace plumb
