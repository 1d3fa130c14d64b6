// Relations on the device, shared by the routes of relations and of convolutions: see kernels/relation.cl.
#pragma once

#include <functional>
#include <vector>

#include "gpu/runtime.h"

namespace plumb::gpu {

enum class RelationKind { forward, submanifold, target, transposed, generative, target_transposed };

struct Geometry {
  RelationKind kind = RelationKind::forward;
  std::vector<std::int64_t> values;  // size, stride, padding, dilation, centre
  std::int64_t kernels = 1;

  Geometry(const Request&, RelationKind);
  bool scatters() const { return kind == RelationKind::transposed || kind == RelationKind::generative; }
  bool identity() const;  // the outputs are the inputs
  bool merges() const;    // a scattering kind whose outputs may meet
};

// Coordinates on the device, and how many rows of them are active.
struct Rows {
  BufferPtr data;
  std::int32_t wide = 0;
  std::int64_t active = 0, capacity = 0;
  Rows() = default;
  Rows(const Tensor& coords, const Tensor& count);
};

// What a launch enqueues, in order.
class Steps {
 public:
  void add(std::function<void()> step) { steps_.push_back(std::move(step)); }
  void run(Kernel kernel, std::int64_t items);  // one work-item each
  void run(Kernel kernel, std::int64_t x, std::int64_t y);
  void fill(const BufferPtr&, std::uint8_t byte);
  // out[i] = in[0] + ... + in[i-1] for i in [0, n]; with `present`, of 1 for each element that is not negative
  void scan(const BufferPtr& in, bool present, std::int64_t n, const BufferPtr& out);
  void enqueue() const {
    for (const auto& step : steps_) step();
  }

 private:
  std::vector<std::function<void()>> steps_;
};

BufferPtr ints(std::int64_t n);  // scratch for n of them
Kernel relation_kernel(std::string_view name);

// Edges per work-item of a counting sort by kernel row: runs of `edges` of them.
std::int64_t runs_of(std::int64_t edges);

// Output rows ordered so that neighbours meet the same kernel rows. begin_order prepares what add_map or
// bucket_outputs fills, end_order gives the rows in order; more than 32 kernel rows are left as they are.
struct Ordering {
  BufferPtr histogram, place;
  std::int32_t bits = 0;  // of the buckets' numbers; 0: no order
};
Ordering begin_order(Steps&, const Geometry&, std::int64_t rows);
void bucket_outputs(Steps&, const Geometry&, const Ordering&, const BufferPtr& map, bool spread, std::int64_t rows);
BufferPtr end_order(Steps&, const Ordering&, std::int64_t rows);

// Finds the lowest row of a site: see kernels/sites.cl. At most half full.
struct Table {
  BufferPtr slots;
  std::uint32_t mask = 0;
};
Table add_table(Steps&, const BufferPtr& rows, std::int32_t wide, std::int64_t n);

// For the gathering kinds: fills out_coords (which may be those of `in` where the outputs are the inputs) and
// counts[1], and gives map (out_capacity, K): the input row or -1. With an ordering, also adds the edges to counts[0].
BufferPtr add_map(Steps&, const Geometry&, const Rows& in, const Rows& targets, std::int64_t out_capacity,
                  const BufferPtr& out_coords, const BufferPtr& counts, const Ordering* ordering = nullptr);

// Edge columns by output row, then kernel row, then input row; offsets (out_capacity + 1).
struct Edges {
  BufferPtr in, out, kernel, counts, offsets, out_coords;
};
// position: for the scattering kinds, the edge of each (input, kernel row); else empty.
BufferPtr add_edges(Steps&, const Geometry&, const Rows& in, const Rows& targets, std::int64_t out_capacity,
                    const Edges&);

// Edge ids by input row, ascending: offsets (in.capacity + 1), ids (edge_capacity). position is what add_edges gave.
void add_input_groups(Steps&, const Geometry&, const Rows& in, std::int64_t edge_capacity, const Edges&,
                      const BufferPtr& position, const BufferPtr& offsets, const BufferPtr& ids);

}  // namespace plumb::gpu
