// Windows of sparse pooling on the device, for the routes of pooling and of its derivatives: see kernels/pooling.cl.
#pragma once

#include <string>
#include <vector>

#include "gpu/relation.h"

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

std::vector<Condition> pooling_preferences();
Order pooling_order(Pooling);

}  // namespace plumb::gpu
