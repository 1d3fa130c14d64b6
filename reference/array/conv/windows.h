// Windows of dense convolutions and pooling: what their attributes say of each spatial axis, and the calls that are
// refused. Axes that a call lacks are of one element, so that every oracle has three.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "core/op.h"

namespace plumb::reference {

// Position p of the padded and spread input meets tap k of output o where p = o * stride + k * dilation; it is input
// element i where p = lo + i * spread.
struct SpatialAxis {
  std::int64_t n = 1, k = 1, stride = 1, dilation = 1, spread = 1, lo = 0, hi = 0;

  std::int64_t out() const;  // at least 1, if it was checked
  // The input element that output o meets with tap t, or -1 if there is none.
  std::int64_t input(std::int64_t o, std::int64_t t) const;
};
using SpatialAxes = std::array<SpatialAxis, 3>;

// One value for all axes, or one for each, between `least` and 2^31 - 1 in magnitude.
std::vector<std::int64_t> per_axis(const Request&, std::string_view attr, std::size_t axes, std::int64_t least);

// How the rows name the same things.
enum class ConvKind : std::uint8_t { plain, general, transposed };

struct DenseConv {
  SpatialAxes axis;
  std::size_t rank = 1;                                 // spatial axes that the call has
  std::int64_t batch = 0, in = 0, out = 0, groups = 1;  // in, out: channels
  bool flip = false;

  std::int64_t in_group() const { return in / groups; }
  std::int64_t out_group() const { return out / groups; }
  std::int64_t taps() const { return axis[0].k * axis[1].k * axis[2].k; }
  std::int64_t positions() const { return axis[0].out() * axis[1].out() * axis[2].out(); }
  Shape output() const;  // [N, .., F]
};
// From inputs 0 and 1; throws Error(attribute) or (shape).
DenseConv dense_conv_of(const Request&, ConvKind);

struct DensePool {
  SpatialAxes axis;
  std::size_t rank = 1;
  std::int64_t batch = 0, channels = 0;
  std::int64_t taps() const { return axis[0].k * axis[1].k * axis[2].k; }
  Shape output() const;
};
DensePool dense_pool_of(const Request&);

// Sizes of a signature that `infer` gives: R the last spatial axis of the output, S the one before, Q before that.
std::vector<Spec> spatial_outputs(const Request&, const SpatialAxes&, std::size_t rank);

// f(o1, o2, o3) for each output position.
template <class F>
void for_each_position(const SpatialAxes& a, F&& f) {
  for (std::int64_t i = 0; i < a[0].out(); ++i)
    for (std::int64_t j = 0; j < a[1].out(); ++j)
      for (std::int64_t k = 0; k < a[2].out(); ++k) f(std::array<std::int64_t, 3>{i, j, k});
}

// f(t, i) for each tap t, in row-major order, that meets an input element i, as flat indices of taps and elements.
template <class F>
void for_each_tap(const SpatialAxes& a, const std::array<std::int64_t, 3>& o, F&& f) {
  for (std::int64_t x = 0; x < a[0].k; ++x)
    for (std::int64_t y = 0; y < a[1].k; ++y)
      for (std::int64_t z = 0; z < a[2].k; ++z) {
        const std::int64_t i = a[0].input(o[0], x), j = a[1].input(o[1], y), k = a[2].input(o[2], z);
        if (i >= 0 && j >= 0 && k >= 0) f((x * a[1].k + y) * a[2].k + z, (i * a[1].n + j) * a[2].n + k);
      }
}

}  // namespace plumb::reference
