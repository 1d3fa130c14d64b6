// Arrays taken apart are views; what is put together is copied.
#include "optimized/array/shape/copy.h"

namespace plumb {

std::vector<Route> pieces_cpu_routes() {
  std::vector<Route> all = movement::view_routes({"split", "unstack"});
  for (Route& r : movement::copy_routes({"concatenate", "stack"})) all.push_back(std::move(r));
  return all;
}

}  // namespace plumb
