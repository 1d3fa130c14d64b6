// Sums of diagonals on the device: the diagonal is a view, whose last axis is summed once it is of the right dtype.
#include "gpu/array/operand.h"
#include "gpu/array/reduce/sum.h"
#include "plans/array/shape/movement.h"

namespace plumb {
namespace {

constexpr std::int64_t kWorthDevice = 1 << 16;  // elements that are added

Tensor diagonal(const Call& c) {
  const movement::View v = movement::diagonal_view(c[0], c.axis("axis1"), c.axis("axis2"), c.integer("offset"));
  return c[0].view(v.shape, v.strides, v.offset);
}

Dtype summed_as(const Call& c) { return c.dtype_attr("dtype").value_or(c.dtype(0)); }
bool casts(const Call& c) { return summed_as(c) != c.dtype(0); }

// Lines along the last axis of a view, one output each.
gpu::Lines lines_of_view(const Tensor& d) {
  Shape kept(d.shape().begin(), d.shape().end() - 1);
  Strides out = row_major(kept);
  out.push_back(0);
  return gpu::lines_of(d, {d.rank() - 1}, out);
}

gpu::Lines lines(const Call& c) {
  const Tensor d = diagonal(c);
  if (!casts(c)) return lines_of_view(d);
  const std::int64_t n = d.dim(-1);
  return gpu::together(n == 0 ? 0 : d.size() / n, n);
}

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  if (out[0].size() == 0) return gpu::job(std::move(out), [] {});
  const Tensor d = diagonal(c);
  const Dtype from = summed_as(c);
  if (!casts(c) || d.size() == 0) {
    auto launch = gpu::sum_launch(lines_of_view(d), gpu::input(d), from, gpu::element_offset(d), out[0]);
    return gpu::job(std::move(out), std::move(launch));
  }
  const std::int64_t n = d.size();
  const gpu::BufferPtr cast = gpu::scratch(static_cast<std::size_t>(n * info(from).bytes));
  gpu::Kernel k("convert", "astype");
  k.arg(gpu::input(d)).arg(d.dtype()).arg(gpu::element_offset(d)).arg(cast).arg(from);
  k.arg(gpu::geometry(gpu::operand_axes({d}, d.shape()), 1)).arg(std::int32_t{0}).arg(n);
  auto sum = gpu::sum_launch(lines(c), cast, from, 0, out[0]);
  return gpu::job(std::move(out), [k, n, sum] { k.run({static_cast<std::size_t>(n)}, {256}), sum(); });
}

Order order(const Call& c) { return gpu::sum_order(lines(c), summed_as(c)); }

bool few_axes(const Call& c, const Device&) {
  const Tensor d = diagonal(c);
  return gpu::few_axes(lines_of_view(d)) && gpu::operand_axes({d}, d.shape()).size() <= gpu::kOperandAxes;
}
bool has_fp64(const Call& c, const Device& d) {
  return d.fp64 || (c.dtype(0) != Dtype::f64 && summed_as(c) != Dtype::f64);
}
bool large(const Call& c, const Device&) { return diagonal(c).size() >= kWorthDevice; }

}  // namespace

std::vector<Route> trace_gpu_routes() {
  return {{.op = "trace",
           .name = "gpu.diagonal",
           .tier = Tier::gpu,
           .needs = Tier::gpu,
           .supports = {{Stage::storage, "more than 8 axes that cannot be merged", few_axes},
                        {Stage::capability, "the device has no f64 arithmetic", has_fp64}},
           .prefers = {gpu::kNotHost, {Stage::shape_dtype, "under 65536 elements", large}},
           .order = order,
           .prepare = prepare}};
}

}  // namespace plumb
