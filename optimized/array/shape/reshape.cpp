// Other shapes in the same order: views where strides say it, else copies.
#include "optimized/array/shape/copy.h"

namespace plumb {

std::vector<Route> reshape_cpu_routes() {
  std::vector<Route> all = movement::view_or_copy_routes({"reshape", "flatten", "contiguous"});
  for (Route& r :
       movement::view_routes({"unflatten", "squeeze", "expand_dims", "atleast_1d", "atleast_2d", "atleast_3d"}))
    all.push_back(std::move(r));
  for (Route& r : movement::copy_routes({"view"})) all.push_back(std::move(r));
  return all;
}

}  // namespace plumb
