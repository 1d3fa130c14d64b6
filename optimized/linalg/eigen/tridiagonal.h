// Eigenvalues and eigenvectors of one Hermitian matrix on the processor, in double.
#pragma once

#include <cstdint>

namespace plumb::eigen {

// Where the reduced matrix and its vectors lie: rows of `parts` times n numbers, imaginary parts behind the real ones.
struct Hermitian {
  double* a;  // n rows; overwritten
  std::int64_t n;
  int parts;            // 1: real, 2: complex
  double* w;            // n eigenvalues, ascending
  double* v = nullptr;  // row j is eigenvector j, or null
  double* room;         // 8 n numbers
};

// Reflections to a tridiagonal matrix, then implicit QL steps. False where those do not come to an end.
bool solve(const Hermitian&);

}  // namespace plumb::eigen
