// OpenCL routes of the elementwise operations.
#include <algorithm>

#include "gpu/array/operand.h"

namespace plumb {
namespace {

constexpr std::int64_t kWorthDevice = 1 << 16;  // elements

Shape out_shape(const Call& c) { return broadcast(c.op->name, c.shape(0), c.shape(1)); }

bool few_axes(const Call& c, const Device&) {
  return gpu::operand_axes(c.in, out_shape(c)).size() <= gpu::kOperandAxes;
}
bool has_fp64(const Call& c, const Device& d) {
  return d.fp64 || (c.dtype(0) != Dtype::f64 && c.dtype(1) != Dtype::f64);
}
bool same_form(const Call& c, const Device&) { return c.dtype(0) == c.dtype(1) && c.shape(0) == c.shape(1); }
bool both_dense(const Call& c, const Device&) {
  const auto aligned = [](const Tensor& t) { return t.is_row_major() && t.offset_bytes() % 16 == 0; };
  return aligned(c[0]) && aligned(c[1]);
}
bool large(const Call& c, const Device&) { return count(out_shape(c)) >= kWorthDevice; }

// ---- dense operands of one dtype

gpu::Options flat_options(Dtype t) {
  switch (t) {
    case Dtype::boolean: return {{"ADD_bool"}};
    case Dtype::f16: return {{"ADD_f16"}};
    case Dtype::bf16: return {{"ADD_bf16"}};
    case Dtype::f32:
    case Dtype::c64: return {{"ADD_f32"}};
    case Dtype::f64: return {{"ADD_f64"}};
    default: break;
  }
  switch (info(t).bytes) {
    case 1: return {{"ADD_8"}};
    case 2: return {{"ADD_16"}};
    case 4: return {{"ADD_32"}};
    default: return {{"ADD_64"}};
  }
}

gpu::BufferPtr dense_part(const Tensor& t) { return t.offset_bytes() == 0 ? gpu::input(t) : gpu::dense(t); }

Job add_flat(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t n = out[0].size() * (specs[0].dtype == Dtype::c64 ? 2 : 1);
  if (n == 0) return gpu::job(std::move(out), [] {});
  const std::int64_t scalar = specs[0].dtype == Dtype::c64 ? 4 : info(specs[0].dtype).bytes, width = 16 / scalar;
  auto k = std::make_shared<gpu::Kernel>("elementwise", "add_flat", flat_options(specs[0].dtype));
  k->arg(dense_part(c[0])).arg(dense_part(c[1])).arg(gpu::output(out[0])).arg(n);
  const auto items = static_cast<std::size_t>(n / width + n % width);
  return gpu::job(std::move(out), [k, items] { k->run({items}, {256}); });
}

// ---- any operands

const char* through(Dtype to) {
  if (to == Dtype::c64) return "VIA_COMPLEX";
  if (to == Dtype::f64) return "VIA_DOUBLE";
  return is_inexact(to) ? "VIA_FLOAT" : "VIA_WHOLE";
}

Job add_any(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t n = out[0].size();
  if (n == 0) return gpu::job(std::move(out), [] {});
  const auto geometry = gpu::geometry(gpu::operand_axes(c.in, specs[0].shape), 2);
  auto k = std::make_shared<gpu::Kernel>("elementwise", "add_any", gpu::Options{{through(specs[0].dtype)}});
  k->arg(gpu::input(c[0])).arg(static_cast<std::int32_t>(c.dtype(0))).arg(gpu::element_offset(c[0]));
  k->arg(gpu::input(c[1])).arg(static_cast<std::int32_t>(c.dtype(1))).arg(gpu::element_offset(c[1]));
  k->arg(gpu::output(out[0])).arg(static_cast<std::int32_t>(specs[0].dtype)).arg(geometry).arg(n);
  return gpu::job(std::move(out), [k, n] { k->run({static_cast<std::size_t>(n)}, {256}); });
}

// ---- reciprocal

Job reciprocal(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t n = out[0].size();
  if (n == 0) return gpu::job(std::move(out), [] {});
  auto k = std::make_shared<gpu::Kernel>("elementwise", "reciprocal", gpu::Options{{"VIA_DOUBLE"}});
  k->arg(gpu::dense(c[0])).arg(static_cast<std::int32_t>(c.dtype(0)));
  k->arg(gpu::output(out[0])).arg(static_cast<std::int32_t>(specs[0].dtype)).arg(n);
  return gpu::job(std::move(out), [k, n] { k->run({static_cast<std::size_t>(n)}, {256}); });
}

Order in_double(const Call&) {
  Order o;
  o.accumulator = Dtype::f64;
  return o;
}

}  // namespace

std::vector<Route> elementwise_gpu_routes() {
  const Condition wide{Stage::capability, "the device has no f64 arithmetic", has_fp64};
  const std::vector<Condition> prefers = {gpu::kNotHost, {Stage::shape_dtype, "under 65536 elements", large}};
  Route flat;
  flat.op = "add";
  flat.name = "gpu.flat";
  flat.tier = flat.needs = Tier::gpu;
  flat.supports = {{Stage::relation, "the operands differ in dtype or shape", same_form},
                   {Stage::storage, "an operand is not row-major, or begins off a 16-byte boundary", both_dense},
                   wide};
  flat.prefers = prefers;
  flat.prepare = add_flat;
  Route strided = flat;
  strided.name = "gpu.strided";
  strided.supports = {{Stage::storage, "more than 8 axes that cannot be merged", few_axes}, wide};
  strided.prepare = add_any;
  Route each = flat;
  each.op = "reciprocal";
  each.name = "gpu.each";
  each.supports = {{Stage::capability, "the device has no f64 arithmetic, in which the quotient is taken",
                    [](const Call&, const Device& d) { return d.fp64; }}};
  each.prefers[1].holds = [](const Call& c, const Device&) { return c[0].size() >= kWorthDevice; };
  each.order = in_double;
  each.prepare = reciprocal;
  return {flat, strided, each};
}

}  // namespace plumb
