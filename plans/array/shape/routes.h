// Which routes the operations that move elements have, on either side.
#pragma once

#include <string_view>
#include <vector>

#include "core/route.h"
#include "plans/array/shape/movement.h"

namespace plumb::movement {

using MakeRoute = Route (*)(std::string_view op);

inline std::vector<Route> one_each(const std::vector<std::string_view>& ops, MakeRoute make) {
  std::vector<Route> all;
  for (const std::string_view op : ops) all.push_back(make(op));
  return all;
}

// A view where strides can say it, else a copy.
inline std::vector<Route> view_or_copy(const std::vector<std::string_view>& ops, MakeRoute view, MakeRoute copy) {
  std::vector<Route> all;
  for (const std::string_view op : ops) {
    all.push_back(view(op));
    all.back().supports = {{Stage::storage, "no strides say it: elements must move",
                            [](const Call& c, const Device&) { return views(c).has_value(); }}};
    all.push_back(copy(op));
  }
  return all;
}

}  // namespace plumb::movement
