// Matrices for orthogonal factorisations: prescribed singular values, deficient, graded, at the ends of the range. The
// last two axes, each matrix of a batch its own; complex ones are two of them, as real and imaginary part.
#pragma once

#include <vector>

#include "core/fill.h"

namespace plumb::reference {

std::vector<Fill> orthogonal_fills();

}  // namespace plumb::reference
