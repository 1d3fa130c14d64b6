#include "reference/linalg/products/matrices.h"

#include "reference/linalg/products/labelled.h"

namespace plumb::reference {

Shape as_matrices(const Shape& s, bool left) {
  if (s.size() != 1) return s;
  return left ? Shape{1, s[0]} : Shape{s[0], 1};
}

Shape batch_axes(const Shape& s) { return Shape(s.begin(), s.end() - 2); }

Wide matrix_product(const Wide& a, const Wide& b, const Shape& out) {
  const Shape left = as_matrices(shape_of(a), true), right = as_matrices(shape_of(b), false);
  Shape sizes = broadcast("matmul", batch_axes(left), batch_axes(right));
  const std::size_t batch = sizes.size(), i = batch, p = batch + 1, j = batch + 2;
  sizes.insert(sizes.end(), {left[left.size() - 2], left.back(), right.back()});
  Labels of_a = upwards(batch + 2 - left.size(), left.size() - 2),
         of_b = upwards(batch + 2 - right.size(), right.size() - 2);
  of_a.insert(of_a.end(), {i, p});
  of_b.insert(of_b.end(), {p, j});
  Labels result = upwards(0, batch);
  result.insert(result.end(), {i, j});
  return with_shape(sum_of_products({with_shape(a, left), with_shape(b, right)}, {of_a, of_b}, result, sizes), out);
}

}  // namespace plumb::reference
