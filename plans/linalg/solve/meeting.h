// Which matrices of two operands meet in a system of equations, where their leading axes broadcast.
#pragma once

#include <vector>

#include "core/op.h"

namespace plumb {

struct Meeting {
  std::int64_t n = 0, k = 0;                       // unknowns, and right sides of each matrix: 1 for a vector
  std::int64_t matrices = 0, distinct = 0;         // of x, and of a
  std::vector<std::int64_t> a_of = {}, b_of = {};  // for each matrix of x
};
Meeting meeting(const Call&);  // of a [*,N,N] and b [N] or [*,N,K]

}  // namespace plumb
