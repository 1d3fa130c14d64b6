// OpenBLAS as a peer: opened when something is timed beside it, by no other verb. Its library starts threads, reserves
// memory and resolves thousands of symbols as soon as it is loaded.
#pragma once

#include <string>

namespace plumb {

// The functions that are timed, by the C interface of BLAS and the Fortran interface of LAPACK.
struct OpenBlas {
  static constexpr int kRowMajor = 101, kNoTrans = 111;
  void (*sgemm)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float* a, int lda,
                const float* b, int ldb, float beta, float* c, int ldc) = nullptr;
  void (*dgemm)(int order, int trans_a, int trans_b, int m, int n, int k, double alpha, const double* a, int lda,
                const double* b, int ldb, double beta, double* c, int ldc) = nullptr;
  void (*spotrf)(const char* uplo, const int* n, float* a, const int* lda, int* info) = nullptr;
  void (*set_threads)(int) = nullptr;
  std::string missing;  // why it cannot be timed; "" if it can
};

// Loaded at the first call, if it loads in a process of its own: where memory is limited it may never come back.
const OpenBlas& openblas();

}  // namespace plumb
