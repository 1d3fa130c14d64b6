// OpenCL route of cross products: see kernels/linalg/norms/cross.cl.
#include "gpu/array/operand.h"
#include "gpu/runtime.h"

namespace plumb {
namespace {

Tensor first_component(const Tensor& t, std::int64_t axis) {
  Shape s = t.shape();
  s[static_cast<std::size_t>(t.rank() + axis)] = 1;
  return t.view(s, t.strides());
}

std::int64_t along(const Tensor& t, std::int64_t axis) {
  return t.strides()[static_cast<std::size_t>(t.rank() + axis)];
}
bool three(const Tensor& t, std::int64_t axis) { return t.shape()[static_cast<std::size_t>(t.rank() + axis)] == 3; }

std::vector<gpu::OperandAxis> axes_of(const Call& c, const Tensor& out) {
  const std::int64_t axis = c.axis() - c.rank(0);
  const Tensor z = first_component(out, axis);
  return gpu::operand_axes({first_component(c[0], axis), first_component(c[1], axis), z}, z.shape());
}

Dtype promoted(const Call& c) { return promote(c.dtype(0), c.dtype(1)); }

const char* lane(Dtype t) {
  if (t == Dtype::c64) return "VIA_COMPLEX";
  if (t == Dtype::f64) return "VIA_DOUBLE";
  return is_real(t) ? "VIA_FLOAT" : "VIA_WHOLE";
}

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t products = out[0].size() / 3, axis = c.axis() - c.rank(0);
  if (products == 0) return gpu::job(std::move(out), [] {});
  gpu::Kernel k("cross", "cross_products", {{lane(promoted(c))}});
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}})
    k.arg(gpu::input(c[i]))
        .arg(c.dtype(i))
        .arg(gpu::element_offset(c[i]))
        .arg(along(c[i], axis))
        .arg(std::int32_t{three(c[i], axis)});
  k.arg(gpu::output(out[0])).arg(promoted(c)).arg(along(out[0], axis));
  k.arg(gpu::geometry(axes_of(c, out[0]), 3)).arg(products);
  return gpu::job(std::move(out), [k, products] { k.run({static_cast<std::size_t>(products)}); });
}

Order order(const Call& c) {
  Order o;
  o.accumulator = promoted(c) == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  return o;
}

const Condition kFewAxes{Stage::storage, "more than 8 axes that cannot be merged", [](const Call& c, const Device&) {
                           const Tensor out(output_specs(c)[0]);
                           return axes_of(c, out).size() <= gpu::kOperandAxes;
                         }};
const Condition kDoubles{Stage::capability, "the device has no f64 arithmetic",
                         [](const Call& c, const Device& d) { return d.fp64 || promoted(c) != Dtype::f64; }};
const Condition kLarge{Stage::shape_dtype, "under 65536 elements: a launch costs more",
                       [](const Call& c, const Device&) { return c[0].size() >= 65536; }};

}  // namespace

std::vector<Route> cross_gpu_routes() {
  Route r;
  r.op = "cross", r.name = "gpu.each";
  r.tier = r.needs = Tier::gpu;
  r.supports = {kDoubles, kFewAxes};
  r.prefers = {gpu::kNotHost, kLarge};
  r.order = order, r.prepare = prepare;
  return {r};
}

}  // namespace plumb
