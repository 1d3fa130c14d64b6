// The Schur form of one general matrix on the processor, in double: A = Q T Q^H.
#pragma once

#include <complex>
#include <cstdint>

namespace plumb::eigen {

// Rows of `parts` times n numbers, the imaginary parts behind the real ones. Row j of q is column j of Q.
struct Schur {
  double* t;
  double* q;  // or null, and then T is not kept either
  std::int64_t n;
  int parts;
  double* room;  // 4 n numbers

  std::int64_t step() const { return n * parts; }
  double& re(std::int64_t i, std::int64_t j) const { return t[i * step() + j]; }
  double& im(std::int64_t i, std::int64_t j) const { return t[i * step() + n + j]; }
  std::complex<double> at(std::int64_t i, std::int64_t j) const { return {re(i, j), parts == 2 ? im(i, j) : 0}; }
};

// Of a matrix whose largest part is about 1: the eigenvalues, conjugates of a real one side by side, the positive
// imaginary part first; T is triangular but for 2 x 2 blocks of those. False where the steps do not come to an end.
bool reduce(const Schur&, std::complex<double>* w);

}  // namespace plumb::eigen
