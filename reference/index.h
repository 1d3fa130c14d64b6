// Indices for oracles, so that an equation and its loops use the same letters: lines along an axis, matrices of the
// last two, and operands that are broadcast. No route sees this file; routes compute addresses of their own.
#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace plumb::reference {

// Where, in row-major order, the element of an operand lies that meets the i-th element of a result: axes align at the
// last, and an axis of size 1 repeats.
std::int64_t broadcast_index(std::int64_t i, const Shape& result, const Shape& operand);

// The elements along one axis where the indices of all others stay: x(i) for i from 0 to the size of the axis.
template <class T>
class Line {
 public:
  Line(T* first, std::int64_t step) : first_(first), step_(step) {}
  T& operator()(std::int64_t i) const { return first_[i * step_]; }

 private:
  T* first_;
  std::int64_t step_;
};

// The lines of a shape along an axis, counted in row-major order of the other indices.
struct Lines {
  std::int64_t count = 1, size = 1, step = 1;

  Lines(const Shape&, std::int64_t axis);

  template <class T>
  Line<T> line(Array<T>& x, std::int64_t l) const {
    return {x.data.data() + first(l), step};
  }
  template <class T>
  Line<const T> line(const Array<T>& x, std::int64_t l) const {
    return {x.data.data() + first(l), step};
  }

 private:
  std::int64_t first(std::int64_t l) const { return l / step * size * step + l % step; }
};

// One matrix of an array whose last two axes are matrices of so many columns: x(i, j).
template <class T>
class Matrix {
 public:
  Matrix(T* first, std::int64_t columns) : first_(first), columns_(columns) {}
  T& operator()(std::int64_t i, std::int64_t j) const { return first_[i * columns_ + j]; }

 private:
  T* first_;
  std::int64_t columns_;
};

template <class T>
Matrix<T> matrix(Array<T>& x, std::int64_t m, std::int64_t rows, std::int64_t columns) {
  return {x.data.data() + m * rows * columns, columns};
}
template <class T>
Matrix<const T> matrix(const Array<T>& x, std::int64_t m, std::int64_t rows, std::int64_t columns) {
  return {x.data.data() + m * rows * columns, columns};
}

}  // namespace plumb::reference
