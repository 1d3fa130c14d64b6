#include "reference/linalg/products/labelled.h"

#include <numeric>

namespace plumb::reference {
namespace {

// Not operator* of complex numbers: C++ recovers infinities from NaN, the sum of products does not.
template <class T>
T times(T a, T b) {
  return a * b;
}
Double2 times(Double2 a, Double2 b) {
  const double zero = a.hi * b.hi;  // with its sign
  return zero == 0 ? Double2(zero, zero) : a * b;
}
Complex times(Complex a, Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

// Of each label, how far apart the elements of an operand are along its axes: a diagonal moves along all of them.
Strides steps(const Shape& shape, const Labels& labels, std::size_t count) {
  Strides s(count, 0);
  const Strides own = row_major(shape);
  for (std::size_t d = 0; d < labels.size(); ++d)
    if (shape[d] != 1) s[labels[d]] += own[d];
  return s;
}

// The next index of the labels given, the last one fastest; false behind the last.
bool advance(Shape& index, const Labels& labels, const Shape& sizes) {
  for (std::size_t d = labels.size(); d-- > 0;) {
    if (++index[labels[d]] < sizes[labels[d]]) return true;
    index[labels[d]] = 0;
  }
  return false;
}

std::int64_t place(const Shape& index, const Strides& step) {
  return std::inner_product(index.begin(), index.end(), step.begin(), std::int64_t{0});
}

template <class T>
Wide sums(const std::vector<Wide>& operands, const std::vector<Labels>& labels, const Labels& result,
          const Shape& sizes) {
  Shape shape;
  Labels rest;
  std::vector<bool> kept(sizes.size(), false);
  for (const std::size_t label : result) shape.push_back(sizes[label]), kept[label] = true;
  bool some = true;
  for (std::size_t label = 0; label < sizes.size(); ++label)
    if (!kept[label]) rest.push_back(label), some &= sizes[label] > 0;
  std::vector<Strides> step;
  for (std::size_t k = 0; k < operands.size(); ++k)
    step.push_back(steps(std::get<Array<T>>(operands[k]).shape, labels[k], sizes.size()));
  Array<T> out(shape);
  Shape index(sizes.size(), 0);
  for (std::int64_t i = 0; i < out.size() && some; ++i, advance(index, result, sizes)) do {
      T product = std::get<Array<T>>(operands[0])[place(index, step[0])];
      for (std::size_t k = 1; k < operands.size(); ++k)
        product = times(product, std::get<Array<T>>(operands[k])[place(index, step[k])]);
      out[i] = rest.empty() ? product : out[i] + product;  // a single -0 keeps its sign
    } while (advance(index, rest, sizes));
  return out;
}

}  // namespace

Wide sum_of_products(const std::vector<Wide>& operands, const std::vector<Labels>& labels, const Labels& result,
                     const Shape& sizes) {
  return std::visit([&]<class T>(const Array<T>&) { return sums<T>(operands, labels, result, sizes); }, operands[0]);
}

Labels upwards(std::size_t first, std::size_t n) {
  Labels labels(n);
  std::iota(labels.begin(), labels.end(), first);
  return labels;
}

std::int64_t real_terms(std::int64_t n, Dtype t) { return t == Dtype::c64 ? 2 * n : n; }

Wide with_shape(Wide w, const Shape& shape) {
  std::visit([&](auto& a) { a.shape = shape; }, w);
  return w;
}

}  // namespace plumb::reference
