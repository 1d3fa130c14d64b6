// Fills of matrices with prescribed spectra, permutations and triangles.
#pragma once

#include <vector>

#include "core/fill.h"

namespace plumb::reference {

std::vector<Fill> solve_fills();

}  // namespace plumb::reference
