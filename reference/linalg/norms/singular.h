// Singular values for the oracle of norms.
#pragma once

#include <vector>

#include "core/op.h"

namespace plumb::reference {

// Of one matrix in row-major order, descending; `which` names it in errors of domain: for what is not finite.
std::vector<double> singular_values(const Call&, const std::vector<double>& a, std::int64_t columns,
                                    std::int64_t which);
std::vector<Double2> singular_values(const Call&, const std::vector<Double2>& a, std::int64_t columns,
                                     std::int64_t which);
std::vector<double> singular_values(const Call&, const std::vector<Complex>& a, std::int64_t columns,
                                    std::int64_t which);

}  // namespace plumb::reference
