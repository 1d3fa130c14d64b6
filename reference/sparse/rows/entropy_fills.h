// Fills for entropy coding: cumulative tables, and streams of equal symbols. The sizes in a stream's header are the
// parameter p = rows * 65536 + symbols.
#pragma once

#include <vector>

#include "core/fill.h"

namespace plumb::reference {

std::vector<Fill> entropy_fills();

}  // namespace plumb::reference
