// A sparse convolutional network of two levels, down and up again, over the voxels of a surface. Only voxels that are
// there are computed; library/sparse.h keeps account of which coordinates two tensors share.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/families.h"
#include "core/fill.h"
#include "library/sparse.h"

using namespace plumb;
using namespace plumb::lattice;

namespace {

constexpr KernelSpec kHalve{.size = {2, 2, 2}, .stride = {2, 2, 2}};

// Weights as if they were trained: uniform in [-scale, scale). The key chooses the numbers.
Tensor weight(Shape shape, double scale, std::uint64_t key) {
  Wide w = widen(fill({Dtype::f32, std::move(shape)}, "uniform", key));
  for (double& v : std::get<Reals>(w).data) v *= scale;
  return narrow(w, Dtype::f32);
}

// A 3 x 3 x 3 convolution whose outputs lie where its inputs do, then max(0, x). Weights are (27, in, out).
SparseTensor block(const SparseTensor& x, std::int64_t out, std::uint64_t key, const Runner& run) {
  const Tensor w = weight({27, x.channels(), out}, 0.12, key), bias = weight({out}, 0.1, key + 1);
  return activation(subm_conv3d(x, w, bias, {3, 3, 3}, {1, 1, 1}, run), "relu", run);
}

std::string size(const SparseTensor& x) {
  return std::to_string(x.active_count()) + " voxels of " + std::to_string(x.channels()) + " channels";
}

SparseTensor network(const SparseTensor& x, const Runner& run) {
  const SparseTensor fine = block(x, 8, 1, run);
  // Down: each group of 2 x 2 x 2 voxels becomes one, with twice the channels.
  const SparseTensor coarse = block(conv3d(fine, weight({8, 8, 16}, 0.2, 3), {}, kHalve, {}, run), 16, 4, run);
  // Up again to the very voxels of `fine`, which are given as the target, and beside them as a skip connection.
  const SparseTensor up = conv_transpose3d(coarse, weight({8, 16, 8}, 0.2, 6), {}, kHalve, fine, run);
  const SparseTensor both = sparse_cat(up, fine, lattice::Kind::inner, run);
  std::printf("  %s, %s, %s\n", size(fine).c_str(), size(coarse).c_str(), size(both).c_str());
  return linear(both, weight({3, both.channels()}, 0.2, 7), weight({3}, 0.1, 8), run);
}

}  // namespace

int main() {
  install_families();

  // Coordinates are rows (batch, x, y, z) of i32, shape (N, 4); features are (N, C).
  const std::int64_t n = 2000;
  const SparseTensor x(fill({Dtype::i32, {n, 4}}, "sites_surface", 1), fill({Dtype::f32, {n, 4}}, "uniform", 2));

  std::printf("on the routes that this machine prefers\n");
  const SparseTensor y = network(x, naturally);
  std::printf("by the reference\n");
  const SparseTensor want = network(x, on_route("reference"));

  // Rows correspond if coordinates are the same set, by identity and not by comparing values.
  std::printf("the result lies where the input does: %s\n", y.same_coords(x) ? "yes" : "no");
  double difference = 0, largest = 0;
  for (std::int64_t i = 0; i < y.feats().size(); ++i) {
    const double a = y.feats().read<float>()[i], b = want.feats().read<float>()[i];
    difference = std::max(difference, std::abs(a - b)), largest = std::max(largest, std::abs(b));
  }
  std::printf("largest value %.3g, largest difference %.1e\n", largest, difference);
  return y.same_coords(x) && largest > 0.1 && difference < 1e-5 * largest ? 0 : 1;
}
