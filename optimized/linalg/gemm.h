// C = A B on the processor: packed, blocked for the caches, threaded. Shared by the CPU routes of several
// families; callers bring any strides and, for f32, any mixture of f32, f16 and bf16 operands.
//
// Order of the terms of one element: blocks of at most gemm_depth consecutive terms, each summed in sequence
// with one fma per term (with a product rounded on its own under Isa::base); block sums in sequence.
// A complex element is two such sums of 2 k terms, in blocks of twice the depth.
#pragma once

#include <complex>
#include <cstdint>

#include "core/dtype.h"
#include "core/order.h"

namespace plumb {

// Element (i, j) lies at data[i * row + j * column], counted in elements of the dtype.
struct GemmOperand {
  const void* data = nullptr;
  Dtype dtype = Dtype::f32;
  std::int64_t row = 0, column = 0;
};

// c (m x n, rows ldc apart, columns adjacent) = a b, or c += a b. c overlaps neither operand. Called from
// within a parallel loop they use the calling thread alone.
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const GemmOperand& a, const GemmOperand& b, float* c,
          std::int64_t ldc, bool accumulate = false);
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const GemmOperand& a, const GemmOperand& b, double* c,
          std::int64_t ldc, bool accumulate = false);
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const GemmOperand& a, const GemmOperand& b,
          std::complex<float>* c, std::int64_t ldc, bool accumulate = false);

std::int64_t gemm_depth(Dtype accumulator);  // f32, f64 or c64
Order gemm_order(Dtype accumulator);         // of the sums above, on the instruction set in use

}  // namespace plumb
