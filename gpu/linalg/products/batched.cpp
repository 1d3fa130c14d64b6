// OpenCL routes of gather_mm, segmented_mm and block_masked_mm: the tiles of matmul over places that indices name, and
// over operands whose blocks have been masked: see kernels/linalg/products/scaled.cl.
#include "plans/linalg/products/batched.h"

#include "gpu/array/operand.h"
#include "gpu/linalg/pairs.h"
#include "gpu/linalg/products/products.h"

namespace plumb {
namespace {

using namespace products;

// In the dtype of the result, with rows or columns that tiles can read.
MatrixOperand operand(Pipeline& p, const Tensor& t, bool left, Dtype out) {
  const MatrixOperand o(p.as(t, out), left);
  if (gpu::fits_tiles(o.rows, o.columns, o.row, o.column)) return o;
  return {p.dense(t, out), left};
}

Job of_pairs(Pipeline& p, const MatrixOperand& a, const MatrixOperand& b, const Pairs& pairs, const Spec& spec) {
  const Tensor out(spec);
  gpu::MatrixPairs all{
      gpu::input(a.data), gpu::input(b.data), a.rows, b.columns,       a.columns, a.row, a.column, b.row,
      b.column,           spec.dtype,         {},     !pairs.k.empty()};
  const std::int64_t at_a = gpu::element_offset(a.data), at_b = gpu::element_offset(b.data);
  for (std::size_t i = 0; i < pairs.a.size(); ++i) {
    all.offsets.push_back(at_a + pairs.a[i]);
    all.offsets.push_back(at_b + pairs.b[i]);
    if (all.ranges) all.offsets.push_back(pairs.k[i]);
  }
  p.then(gpu::tiled_products({out}, all));
  return p.job(out, spec);
}

template <auto pairs>
Job prepare(const Call& c, const std::vector<Spec>& specs) {
  Pipeline p(Side::device);
  const Dtype t = specs[0].dtype;
  const MatrixOperand a = operand(p, c[0], true, t), b = operand(p, c[1], false, t);
  return of_pairs(p, a, b, pairs(c, a, b), specs[0]);
}

Job gather(const Call& c, const std::vector<Spec>& specs) {
  if (c.has("lhs_indices") || c.has("rhs_indices")) return prepare<gathered>(c, specs);
  Pipeline p(Side::device);
  const Tensor out = p.run("matmul", {p.as(c[0], specs[0].dtype), p.as(c[1], specs[0].dtype)});
  return p.job(out, specs[0]);
}

// The matrices of x, each block by its element of the mask, over the batch axes of both.
Tensor masked(Pipeline& p, const MatrixOperand& x, const Tensor& mask, std::int64_t block, Dtype to) {
  const Tensor out(Spec{to, masked_shape(x, mask)});
  const std::int64_t n = out.size();
  if (n == 0) return out;
  const auto stride = [&](int axis) {
    return mask.rank() + axis < 0 || mask.dim(axis) == 1 ? 0 : mask.strides().end()[axis];
  };
  const Shape own = batch_of(mask.shape());
  const Strides steps(mask.strides().begin(), mask.strides().begin() + static_cast<std::ptrdiff_t>(own.size()));
  const auto axes = gpu::operand_axes({x.data.view(x.batch, x.step), mask.view(own, steps)}, batch_of(out.shape()));
  auto k = std::make_shared<gpu::Kernel>("scaled", "mask_blocks", gpu::scaled_options(accumulator_of(to)));
  k->arg(gpu::input(x.data)).arg(x.data.dtype()).arg(gpu::element_offset(x.data)).arg(x.row).arg(x.column);
  k->arg(gpu::input(mask)).arg(mask.dtype()).arg(gpu::element_offset(mask)).arg(stride(-2)).arg(stride(-1));
  k->arg(gpu::geometry(axes, 2)).arg(x.rows).arg(x.columns).arg(static_cast<std::int32_t>(block));
  k->arg(gpu::output(out)).arg(to).arg(n);
  p.then(gpu::job({out}, [k, n] { k->run({static_cast<std::size_t>(n)}, {64}); }));
  return out;
}

Job prepare_masked(const Call& c, const std::vector<Spec>& specs) {
  Pipeline p(Side::device);
  const auto mask_blocks = [&](const MatrixOperand& x, const Tensor& mask, Dtype to) {
    return masked(p, x, mask, c.integer("block_size"), to);
  };
  const Tensor out = block_masked(p, c, mask_blocks);
  return p.job(out, specs[0]);
}

Order chain(const Call& c) {
  Order o;
  o.accumulator = output_specs(c)[0].dtype == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.fma = true;
  if (c.op->name == "block_masked_mm") o.prologue = 2, o.epilogue = 1;
  return o;
}

bool few_axes(const Call& c, const Device&) { return c.rank(0) <= 8 && c.rank(1) <= 8; }

Route route(std::string_view op, std::string_view name, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  Route r;
  r.op = op, r.name = name;
  r.tier = r.needs = Tier::gpu;
  r.supports = {{Stage::storage, "an operand has more than 8 axes", few_axes}, gpu::kExtentsFitInt, gpu::kWideProducts};
  r.prefers = {gpu::kNotHost, gpu::kManyProducts};
  r.order = chain;
  r.prepare = prepare;
  return r;
}

}  // namespace

std::vector<Route> batched_gpu_routes() {
  Route by_index = route("gather_mm", "gpu.tiled", gather),
        by_range = route("segmented_mm", "gpu.tiled", prepare<segments>);
  by_range.supports.erase(by_range.supports.begin());  // of matrices alone
  by_index.prepares = by_range.prepares = "where the matrices begin";
  return {by_index, by_range, route("block_masked_mm", "gpu.masked", prepare_masked)};
}

}  // namespace plumb
