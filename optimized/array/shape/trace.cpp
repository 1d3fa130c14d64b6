// Sums of diagonals: the diagonal is a view, whose last axis is summed.
#include "core/route.h"
#include "optimized/array/operand.h"
#include "optimized/array/reduce/sum.h"
#include "plans/array/shape/movement.h"

namespace plumb {
namespace {

Tensor diagonal(const Call& c) {
  const movement::View v = movement::diagonal_view(c[0], c.axis("axis1"), c.axis("axis2"), c.integer("offset"));
  return c[0].view(v.shape, v.strides, v.offset);
}

Dtype summed_as(const Call& c) { return c.dtype_attr("dtype").value_or(c.dtype(0)); }

void trace(const Call& c, std::vector<Tensor>& out) {
  const Tensor d = as_dtype(diagonal(c), summed_as(c));
  reduction::sum_along(d, {d.rank() - 1}, out[0]);
}

Order order(const Call& c) {
  const Shape s = diagonal(c).shape();
  return reduction::sum_order({summed_as(c), s}, {static_cast<std::int64_t>(s.size()) - 1});
}

}  // namespace

std::vector<Route> trace_cpu_routes() {
  return {
      {.op = "trace", .name = "cpu.diagonal", .supports = {}, .prefers = {}, .order = order, .prepare = host<trace>}};
}

}  // namespace plumb
