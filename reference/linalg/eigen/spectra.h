// Fills of matrices whose eigenvalues are known: each matrix of the last two axes its own.
#pragma once

#include <vector>

#include "core/fill.h"

namespace plumb::reference {

std::vector<Fill> spectra();

}  // namespace plumb::reference
