// Products of many pairs of matrices that indices or masks name: what is computed once from shapes and indices.
#pragma once

#include <vector>

#include "plans/linalg/products/pipeline.h"

namespace plumb::products {

Dtype accumulator_of(Dtype);  // f32 of f16 and bf16, else itself

// An operand as matrices: a vector is one of a single row or a single column.
struct MatrixOperand {
  Tensor data;
  std::int64_t rows, columns, row, column;  // strides in elements
  Shape batch;
  Strides step;

  MatrixOperand(const Tensor&, bool left);
  std::int64_t place(std::int64_t t) const;  // where matrix t of the batch begins
};

// One product for each matrix of the result, row-major.
struct Pairs {
  std::vector<std::int64_t> a, b;  // where the operands begin, in elements
  std::vector<std::int64_t> k;     // how many terms there are, if that is not the same for all
};

// gather_mm and segmented_mm; the operands lie as given. Throws Error(domain) for an index that is none.
Pairs gathered(const Call&, const MatrixOperand& a, const MatrixOperand& b);
Pairs segments(const Call&, const MatrixOperand& a, const MatrixOperand& b);

// What block_masked_mm is made of: masks with an axis for each of rows and columns, bool or of the result's dtype.
struct Masks {
  Tensor out, left, right;  // undefined where there is none
};
Masks masks(Pipeline&, const Call&);

// A matrix times a matrix with the sums in f32, f64 or c64 still.
Tensor unrounded_product(Pipeline&, const Tensor& a, const Tensor& b, Dtype);

Shape batch_of(const Shape& matrices);                         // the axes before the last two
Shape masked_shape(const MatrixOperand&, const Tensor& mask);  // over the batch axes of both

// block_masked_mm, given what multiplies or clears blocks: x and the mask as one tensor of that dtype.
using MaskBlocks = std::function<Tensor(const MatrixOperand& x, const Tensor& mask, Dtype)>;
Tensor block_masked(Pipeline&, const Call&, const MaskBlocks&);

}  // namespace plumb::products
