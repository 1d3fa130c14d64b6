// Lines of a tensor along any axes, and how they are folded to one value each: what sum, softmax and the reductions of
// this wing share. Inputs are made dense; what is left is one of
//
//   outer lines of n elements, one after the other       (inner = 1)
//   outer blocks of n rows of inner elements, folded down (inner > 1)
//
// Blocks and chunks are cut by shape alone, so results do not depend on the number of threads.
#pragma once

#include <functional>
#include <vector>

#include "core/limits.h"
#include "core/route.h"
#include "optimized/array/reduce/fold_call.h"

namespace plumb::reduction {

inline constexpr Limit kBlock{"reduction.block", 4096, 24};        // elements of a line folded at once
inline constexpr Limit kBlockRows{"reduction.block_rows", 64, 4};  // rows folded at once
inline constexpr std::int64_t kGrain = 1 << 15;                    // elements worth a thread

std::int64_t ceil_div(std::int64_t a, std::int64_t b);

struct Lines {
  std::int64_t outer = 1, n = 1, inner = 1;
  bool adjacent = true;  // the reduced axes are one run; else they are first moved to the end
};
Lines lines_of(const Shape&, const std::vector<std::int64_t>& axes);

// The axes in the order kept, then reduced.
std::vector<std::size_t> kept_first(const Shape&, const std::vector<std::int64_t>& axes);
Tensor permuted(const Tensor&, const std::vector<std::size_t>& order);
void copy(const Tensor& from, const Tensor& to);  // of one shape and dtype, whatever their strides

// An input as lines_of describes it.
Tensor dense_lines(const Tensor&, const std::vector<std::int64_t>& axes, const Lines&);

// How lines are cut. The elements are scalars: a complex number may be two of them.
struct Plan {
  std::int64_t outer = 1, n = 1, width = 1;  // n rows of width scalars, folded down, for each of outer
  std::int64_t fold = 1;                     // rows that lie side by side as one wider row
  enum class Way : std::uint8_t { in_sequence, runs, rows } way = Way::rows;
  std::int64_t block() const;  // scalars folded to one before they are joined
};
// `scalars` of an element; columns up to `period` are folded as runs, by kernels that know of a period.
Plan plan_of(const Lines&, std::int64_t scalars = 1, std::int64_t period = 1);

// Of sums: `bytes` of the accumulator.
Order order_of(const Plan&, std::int64_t bytes);

// A fold by its kernel. Partial results lie side by side, `wide` bytes each.
struct Folding {
  std::int64_t in = 1, wide = 1;  // bytes of a scalar and of a partial result, at most kWidest
  std::function<void(const std::byte* x, const FoldCall&)> kernel;
  std::function<void(std::byte* into, const std::byte* from, std::int64_t n)> join;
  std::function<void(std::byte* out, std::int64_t n)> clear;  // to what a line of nothing gives
};
inline constexpr std::int64_t kWidest = 32;

// outer * width partial results, one for each line.
void fold(const Plan&, const Folding&, const std::byte* x, std::byte* out);

}  // namespace plumb::reduction
