// Where the matrices of a batch lie, and powers of two that bring them to about 1.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/tensor.h"

namespace plumb {

// The last two axes of any strides; element (i, j) of matrix k lies at base(k) + i row + j column.
struct Source {
  std::int64_t m, n, matrices, row, column;
  Shape shape;  // of the batch
  Strides strides;

  std::int64_t base(std::int64_t k) const {
    std::int64_t offset = 0;
    for (std::size_t i = shape.size(); i-- > 0; k /= shape[i]) offset += k % shape[i] * strides[i];
    return offset;
  }
};

inline Source source(const Tensor& a) {
  const Shape& s = a.shape();
  const Strides& d = a.strides();
  const std::size_t r = s.size();
  Source out{s[r - 2], s[r - 1], 0, d[r - 2], d[r - 1], Shape(s.begin(), s.end() - 2), Strides(d.begin(), d.end() - 2)};
  out.matrices = count(out.shape);
  return out;
}

// The exponent of x, held where 2^e and 2^-e are normal numbers; 0 of 0.
template <class T>
int exponent_of(T x) {
  constexpr int kMost = sizeof(T) == 4 ? 125 : 1021;
  return x > 0 ? std::min(kMost, std::max(-kMost, std::ilogb(x))) : 0;
}
template <class T>
std::vector<int> exponents_of(const std::vector<T>& x) {
  std::vector<int> e;
  for (const T v : x) e.push_back(exponent_of(v));
  return e;
}
template <class T>
std::vector<T> powers_of(const std::vector<int>& exponents, int sign) {
  std::vector<T> p;
  for (const int e : exponents) p.push_back(std::ldexp(T(1), sign * e));
  return p;
}

}  // namespace plumb
