// Fills whose values depend on the place in a matrix: the last two axes, each matrix of a batch its own.
#pragma once

#include <vector>

#include "core/fill.h"

namespace plumb::reference {

std::vector<Fill> decomposition_fills();

}  // namespace plumb::reference
