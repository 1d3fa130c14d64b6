// Sums of products over labelled axes, two operands at a time: matrices of [batch, rows, columns] where something is
// summed, elements side by side where nothing is.
#pragma once

#include "plans/linalg/products/pipeline.h"

namespace plumb::products {

using Labels = std::vector<int>;

// A tensor whose axes have labels. Equal labels have equal sizes, in every term; none stands twice.
struct Term {
  Tensor data;
  Labels labels;
};

// A label that stands twice is the diagonal of its axes; an axis of size 1 is repeated to the size of its label.
Term term(const Tensor&, const Labels&, const Shape& sizes);

// Sums over the labels that are not among `keep`.
Term summed(Pipeline&, const Term&, const Labels& keep);

// sum a b over the labels of both that are not among `keep`; others of one alone are not to be there. The labels of
// the result are in the order of `keep`, but that those of `a` stand together and those of `b`.
Term contracted(Pipeline&, const Term& a, const Term& b, const Labels& keep);

// Row-major, axes in that order.
Tensor arranged(Pipeline&, const Term&, const Labels& order, Dtype);

}  // namespace plumb::products
