// Vectors side by side, each pair one sum of products.
#pragma once

#include "core/route.h"

namespace plumb {

Route vecdot_cpu_route();

}  // namespace plumb
