// Batches of dense matrices on the device: see kernels/linalg/solve/dense_solve.cl.
#pragma once

#include <utility>
#include <vector>

#include "gpu/runtime.h"

namespace plumb::gpu::solve {

inline constexpr std::int64_t kSmall = 64;  // largest extents of a matrix that is factored in local memory

// Kernels in the order that they are enqueued in, each with its work-items.
class Steps {
 public:
  Kernel& add(Kernel, std::int64_t items, std::int64_t group = 0);  // the kernel in its place, for its arguments
  void run() const;

 private:
  struct Step {
    Kernel kernel;
    std::size_t items, group;
  };
  std::vector<Step> steps_;
};

// What a call is computed with: its type, and the kernels that it enqueues.
struct Work {
  Dtype type;
  Steps steps = {};
  Kernel kernel(const char* name) const;
  BufferPtr room(std::int64_t elements) const;  // of that type

  // The matrices `of` of a dense tensor, `part` elements each, as that type.
  void load(const Tensor& from, const BufferPtr& of, std::int64_t part, const BufferPtr& to, std::int64_t total);
  // P A = L U in place; pivots: min(m, n) for each matrix.
  void factor(const BufferPtr& a, const BufferPtr& pivots, std::int64_t matrices, std::int64_t m, std::int64_t n,
              bool small);
  // t x = x, t n x n, x n x k.
  void substitute(const BufferPtr& t, const BufferPtr& of, bool upper, bool unit, const BufferPtr& x,
                  std::int64_t matrices, std::int64_t n, std::int64_t k);
  // s = x^T x, or x x^T.
  void gram(const BufferPtr& x, const BufferPtr& of, bool upper, const BufferPtr& s, std::int64_t matrices,
            std::int64_t n);
  // The job of these steps; its wait raises the first zero that `zeros` found on a diagonal of `matrices`.
  Job checked(const Call&, std::vector<Tensor> out, const BufferPtr& a, std::int64_t matrices, std::int64_t n);
};

BufferPtr each_in_turn(std::int64_t matrices);  // matrix t is t
std::int64_t matrices(const Call&);             // of the first input
Order in_any_order(const Call&);                // every order of n terms passes each through at most n roundings

extern const Condition kDoubles, kGroups, kLarge;
Route route(std::string_view op, std::string_view name, Job (*prepare)(const Call&, const std::vector<Spec>&));

}  // namespace plumb::gpu::solve
