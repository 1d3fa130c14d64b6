// Singular values on the processor, for the norms that are made of them.
#pragma once

#include <cstdint>
#include <vector>

#include "core/room.h"

namespace plumb::norms {

// A matrix of `rows` >= `columns` by columns, of real numbers or with the imaginary parts behind the real ones: column
// j is x[j * parts * rows, ..) with parts 1 or 2. Its singular values, descending: false where they do not converge.
bool singular_values(double* x, std::int64_t rows, std::int64_t columns, int parts, double* values);

}  // namespace plumb::norms
