// A loop nest over several operands of one shape: unit axes dropped, axes merged where every operand allows it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/tensor.h"

namespace plumb {

template <std::size_t Operands>
struct Nest {
  Shape shape;                              // outermost first; never empty
  std::array<Strides, Operands> strides{};  // in elements
  std::int64_t size() const { return count(shape); }
};

template <std::size_t Operands>
Nest<Operands> nest(const Shape& shape, const std::array<Strides, Operands>& strides) {
  Nest<Operands> n;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 1) continue;
    bool merges = !n.shape.empty();
    for (std::size_t k = 0; k < Operands; ++k) merges = merges && n.strides[k].back() == strides[k][d] * shape[d];
    if (merges) n.shape.back() *= shape[d];
    else n.shape.push_back(shape[d]);
    for (std::size_t k = 0; k < Operands; ++k) {
      if (merges) n.strides[k].back() = strides[k][d];
      else n.strides[k].push_back(strides[k][d]);
    }
  }
  if (n.shape.empty()) {
    n.shape.push_back(1);
    for (Strides& s : n.strides) s.push_back(0);
  }
  return n;
}

// Calls f(offsets, length) for the runs along the innermost axis that make up the flat indices [begin, end):
// offsets of each operand's first element, then `length` steps of its innermost stride.
template <std::size_t Operands, class F>
void for_runs(const Nest<Operands>& n, std::int64_t begin, std::int64_t end, F&& f) {
  if (begin >= end) return;
  const std::size_t inner = n.shape.size() - 1;
  Shape index(n.shape.size());
  std::array<std::int64_t, Operands> at{};
  std::int64_t rest = begin;
  for (std::size_t d = inner + 1; d-- > 0;) {
    index[d] = rest % n.shape[d];
    rest /= n.shape[d];
    for (std::size_t k = 0; k < Operands; ++k) at[k] += index[d] * n.strides[k][d];
  }
  for (std::int64_t i = begin; i < end;) {
    const std::int64_t length = std::min(end - i, n.shape[inner] - index[inner]);
    f(at, length);
    i += length;
    for (std::size_t k = 0; k < Operands; ++k) at[k] -= index[inner] * n.strides[k][inner];
    index[inner] = 0;
    for (std::size_t d = inner; d-- > 0;) {
      for (std::size_t k = 0; k < Operands; ++k) at[k] += n.strides[k][d];
      if (++index[d] < n.shape[d]) break;
      for (std::size_t k = 0; k < Operands; ++k) at[k] -= n.shape[d] * n.strides[k][d];
      index[d] = 0;
    }
  }
}

}  // namespace plumb
