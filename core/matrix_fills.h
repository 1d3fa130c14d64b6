// Fills whose values depend on the place in a matrix: the last two axes, each matrix of a batch its own.
#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace plumb {

// Symmetric positive definite, condition about `condition`; what is exact is exact in binary64.
Wide spd(const Spec&, std::uint64_t key, double condition);
Wide spd_lower(const Spec&, std::uint64_t key, double condition);  // NaN above the diagonal
Wide spd_upper(const Spec&, std::uint64_t key, double condition);  // NaN below the diagonal

// L L^T of a lower triangular L of integers up to `largest`: a factorisation without one rounding.
Wide spd_integer(const Spec&, std::uint64_t key, double largest);

// spd, but in the last matrix the diagonal element `pivot` (-1: the last) is negative.
Wide indefinite(const Spec&, std::uint64_t key, double pivot);

}  // namespace plumb
