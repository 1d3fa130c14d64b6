// Products of pairs of matrices in tiles of local memory, for whoever knows where the matrices begin.
#pragma once

#include "gpu/runtime.h"

namespace plumb::gpu {

// Pairs of matrices in two buffers, all of one shape; strides in elements. The results follow each other, dense.
struct MatrixPairs {
  BufferPtr a, b;
  std::int64_t m, n, k, a_row, a_column, b_row, b_column;
  Dtype dtype;
  // For each pair where its a and its b begin; with `ranges`, how many terms it has, up to k.
  std::vector<std::int64_t> offsets;
  bool ranges = false;
  std::int64_t count() const { return static_cast<std::int64_t>(offsets.size()) / (ranges ? 3 : 2); }
};

// One chain of fma over the terms of each element. Rows or columns of either operand are adjacent, strides none below
// 0.
Job tiled_products(std::vector<Tensor> out, const MatrixPairs&);
// Whether they are.
bool fits_tiles(std::int64_t rows, std::int64_t columns, std::int64_t row, std::int64_t column);

}  // namespace plumb::gpu
