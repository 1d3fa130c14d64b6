// One geometry for every dense convolution: up to three spatial axes, of which a call that has fewer lacks the first
// ones. Transposed convolutions, two vectors and the gradient of the input are this geometry with other numbers.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/op.h"

namespace plumb::conv {

using Triple = std::array<std::int64_t, 3>;

// Output o meets tap k at position p = o * stride + k * dilation - low, which is input element p / spread if that is a
// whole number in [0, n).
struct Geometry {
  std::int64_t batch = 0, groups = 1;
  std::int64_t in = 0, out = 0;               // channels of one group
  Triple n{1, 1, 1}, k{1, 1, 1}, m{1, 1, 1};  // extents: input, kernel, output
  Triple stride{1, 1, 1}, dilation{1, 1, 1}, spread{1, 1, 1}, low{};
  bool flip = false;  // the last tap of the weight comes first

  std::int64_t taps() const { return k[0] * k[1] * k[2]; }
  std::int64_t elements() const { return n[0] * n[1] * n[2]; }
  std::int64_t pixels() const { return batch * m[0] * m[1] * m[2]; }

  // The input element, or -1.
  std::int64_t input(std::size_t axis, std::int64_t o, std::int64_t tap) const {
    const std::int64_t p = o * stride[axis] + tap * dilation[axis] - low[axis];
    const std::int64_t i = spread[axis] == 1 ? p : p / spread[axis];  // no division where none is needed
    return p >= 0 && i < n[axis] && i * spread[axis] == p ? i : -1;
  }
  // The convolution of the output's cotangent that is the gradient of the input: in and out exchanged.
  Geometry adjoint() const;
};

// Of the rows dense_conv*, dense_conv_transpose*, convolve and the gradients; the calls are valid.
Geometry geometry(const Call&);

// Of the rows dense_*_pool* and their gradients: each channel a group of its own.
Geometry pool_geometry(const Call&);

// The two vectors of convolve: the longer one slides.
bool swaps(const Call&);

// Where operands lie: strides in elements of batch, three spatial axes and channels.
struct Strided {
  std::int64_t batch = 0, channel = 1;
  Triple axis{};
};
Strided strided(const Tensor&);  // [N, .., C] of one to three spatial axes, or a vector: one axis

// How the weight is read by the convolution: output channel j, tap t and input channel c of group g.
struct WeightStrides {
  std::int64_t group = 0, out = 0, in = 0;
  Triple axis{};
};
WeightStrides weight_strides(const Geometry&, const Tensor& weight);          // [F, .., D], or a vector
WeightStrides adjoint_weight_strides(const Geometry&, const Tensor& weight);  // of the adjoint of that geometry

}  // namespace plumb::conv
