// Elements read and written by position: rows along the innermost axis, whose places are computed some at a time.
#pragma once

#include "core/route.h"
#include "optimized/array/index/kernels.h"
#include "optimized/element_of.h"
#include "plans/array/index/plan.h"

namespace plumb {

namespace cpu {

// Throws Error(domain) for the first entry of an index array that is no position.
void check_positions(const Call&, const index::Plan&);

// The rows of a plan: its last axis where nothing but a step moves along it, else single elements.
class MovedRows {
 public:
  MovedRows(const Call&, index::Plan);  // keeps a reference to the call

  std::int64_t count() const { return count_; }
  const index::Axis& row() const { return row_; }
  bool collides() const { return plan_.collides(); }  // whether two rows may be the same
  // Where rows [begin, end) begin in the indexed array and, unless null, in the updates.
  void places(std::int64_t begin, std::int64_t end, std::int64_t* at, std::int64_t* update) const;

 private:
  void run(const std::vector<std::int64_t>& index, std::int64_t n, std::int64_t* at, std::int64_t* update) const;

  const Call& call_;
  index::Plan plan_;  // of the axes before the row
  index::Axis row_;
  std::int64_t count_ = 1;
};

// Row after row of an array, as they come; elements of so many bytes.
void read_rows(const MovedRows&, const std::byte* a, std::int64_t bytes, std::byte* out);

// The elements of a tensor in row-major order.
void copy_elements(const Tensor& from, std::byte* to);

// Rows of updates into a dense array of `size` elements, in order where they meet. The element type counts where
// they are combined.
void write_rows(const MovedRows&, Combine, Element, std::int64_t bytes, std::byte* out, std::int64_t size,
                const std::byte* updates);

// The array that a call indexes, one line where it has no axis; and how its index arrays lie.
Tensor indexed(const Call&);
std::vector<index::Strided> index_arrays(const Call&);

// out = a, then every row of the updates combined with it.
void update(const Call&, std::vector<Tensor>& out, Combine);

}  // namespace cpu
}  // namespace plumb
