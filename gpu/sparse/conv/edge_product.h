// Sums over the edges of a relation on the device, in two steps: the product of every edge, by kernel row, and then
// the sum of each destination's products in a fixed order. See kernels/edge_product.cl.
#pragma once

#include <string>
#include <vector>

#include "gpu/sparse/sites/relation.h"

namespace plumb::gpu {

// The edges of a call that names its inputs as convolutions do, by kernel row; built on the device at once.
struct KernelEdges {
  Geometry geometry;
  Rows inputs;
  std::int64_t edges = 0, outputs = 0;
  std::vector<std::int32_t> offsets;  // of the edges of each kernel row
  BufferPtr device_offsets, in, out;  // rows of each edge
  BufferPtr rank;                     // by edge number (by output, kernel row, input): its place here
  Edges numbered;                     // by edge number
  BufferPtr position;                 // as add_edges gives it
  BufferPtr coords, counts;           // outputs 0 and 2 of rows that have a convolution's outputs

  KernelEdges(const Call&, RelationKind base);
};

// Edges of each destination: places in KernelEdges, in the order of edge numbers.
struct Destinations {
  std::int64_t rows = 0;
  BufferPtr offsets, place, kernel;
};
Destinations by_output(const KernelEdges&);
Destinations by_input(const KernelEdges&);

// Element (k, a, n) of a weight lies at k * kernel + a * channel + n * column.
struct WeightStrides {
  std::int64_t kernel, channel, column;
};
WeightStrides weight_strides(const Request&);  // channel: input channels, column: output channels

// X (rows, channels) and its weight; several of them add up in one product.
struct Factor {
  BufferPtr rows, weight;
  WeightStrides strides;
};

// Appends Y[d] = bias + sum over edges of the factors' products, for all destinations. `source` says which row of X
// an edge meets. With `norms` (kernels, columns), sums are divided by the root of the sum of norms[k] plus eps.
struct Sum {
  BufferPtr source;
  std::vector<Factor> factors;
  std::int64_t channels = 0, columns = 0;
  Dtype dtype = Dtype::f32;
  BufferPtr y, bias, norms;  // bias and norms may be absent
  float eps = 0;
  bool matrix = false;  // f16 on matrix units: edge_product_mma.cl
};
void add_sums(Steps&, const KernelEdges&, const Destinations&, const Sum&);

// For a convolution's outputs (coordinates, features, counts): appends copies to the first and the last, and gives
// the sum that makes the other, but for its factors.
Sum begin_outputs(Steps&, const Call&, const KernelEdges&, const std::vector<Tensor>& out);

// Z[k] = sum over edges of kernel row k of X[x_row]^T G[g_row], in parts whose number follows from the sizes; without
// x_rows and g_rows, edges are the rows themselves.
struct RowProducts {
  BufferPtr x, g, x_rows, g_rows, offsets;
  std::int64_t kernels = 1, longest = 0, rows = 0,
               columns = 0;  // longest: edges of a kernel row; rows x columns of Z[k]
  Dtype dtype = Dtype::f32;
  bool matrix = false;
};
void add_row_products(Steps&, const RowProducts&, const WeightStrides& to, const Tensor& out);

// out[c] = sum over all rows of g
void add_column_sums(Steps&, const BufferPtr& g, std::int64_t rows, Dtype dtype, const Tensor& out);

}  // namespace plumb::gpu
