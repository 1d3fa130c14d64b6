// Windows of sparse pooling on the device, for the routes of pooling and of its derivatives: see kernels/pooling.cl.
#pragma once

#include <string>
#include <vector>

#include "gpu/sparse/sites/relation.h"

namespace plumb::gpu {

enum class Pooling { sum, max, avg, transposed, trilinear };

Geometry pooling_geometry(const Request&, Pooling);

// The relation, on the device; how many edges and output rows it has, read back once.
struct Windows {
  Edges edges;
  std::int64_t edge_count = 0, rows = 0, inputs = 0;
  bool weighted = false, divided = false;
  BufferPtr weight, divisor;             // of each kernel row, of each output row
  BufferPtr input_offsets, input_edges;  // edges by input row, if asked for

  Windows(const Call&, Pooling, std::int64_t out_capacity, bool by_input);
};

// A kernel of pooling.cl for rows of this dtype, its first two arguments set: work-items, each a step of channels of
// a row, and channels.
struct RowKernel {
  Kernel kernel;
  std::int64_t items;
  RowKernel(std::string_view name, Dtype, std::int64_t rows, std::int64_t channels);
};

void add_copy(Steps&, const BufferPtr& from, const Tensor& to, std::int64_t bytes);

// The kernel rows, weights and divisors of the edges, as arguments.
void bind_scale(Kernel&, const Windows&);

// The scaled sums of the values in each window, rounded to the dtype of out.
void add_sums(Steps&, const Windows&, const Tensor& values, const Tensor& out);

Order pooling_order(Pooling);

// A maximum is exact, and so is its tangent.
template <Pooling kind>
inline constexpr Order (*kForwardOrder)(const Call&) = kind == Pooling::max ? nullptr : +[](const Call&) {
  return pooling_order(kind);
};

Route pooling_route(std::string_view op, Job (*prepare)(const Call&, const std::vector<Spec>&),
                    Order (*order)(const Call&));

}  // namespace plumb::gpu
