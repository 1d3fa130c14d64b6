// The judges of eigenvalues and eigenvectors, which are no more unique than their order and phases: properties in wide
// arithmetic (docs/bounds.md, "Eigenvalues").
#pragma once

#include <vector>

#include "core/op.h"

namespace plumb::reference {

// The Hermitian matrix that a triangle of matrix m stands for: a_ij = conj(a_ji), the diagonal real.
template <class S>
void fill_from_triangle(S& a, bool upper) {
  for (std::int64_t i = 0; i < a.n; ++i) {
    a(i, i).im = {};
    for (std::int64_t j = 0; j < i; ++j)
      if (upper) a(i, j) = conjugate(a(j, i));
      else a(j, i) = conjugate(a(i, j));
  }
}

Deviation judge_hermitian(const Call&, const std::vector<Tensor>& got, const Order&);
// The input of eig and eigvals as Complexes: exact.
Wide widen_general(const Tensor&);
Deviation judge_general(const Call&, const std::vector<Tensor>& got, const Order&);

}  // namespace plumb::reference
