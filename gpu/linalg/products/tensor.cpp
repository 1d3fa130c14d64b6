// OpenCL routes of the products of whole tensors: views, given to the routes of matmul and multiply.
#include "plans/linalg/products/tensor.h"

#include "gpu/array/operand.h"

namespace plumb {
namespace {

using namespace products;

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  Pipeline p(Side::device);
  const Tensor out = tensor_product(p, c);
  return p.job(out, specs[0]);
}

Order order(const Call& c) {
  Pipeline p(Side::device, true);
  (void)tensor_product(p, c);
  return order_of_product(p);
}

// ---- Vectors side by side: kernels/linalg/products/vecdot.cl ----

struct Dots {
  Tensor a, b;  // the axes of the result, without the last one: the vectors
  std::int64_t k, a_step, b_step;

  explicit Dots(const Call& c, const Tensor& x, const Tensor& y) {
    const auto [u, v] = dotted(c, x, y);
    k = u.dim(-1), a_step = u.strides().back(), b_step = v.strides().back();
    a = first(u), b = first(v);
  }
  std::vector<gpu::OperandAxis> axes(const Shape& out) const { return gpu::operand_axes({a, b}, out); }
  // Neighbours read neighbours: along the vectors, or across them.
  int lanes() const { return k < 8 || (a_step != 1 && b_step != 1) ? 1 : 32; }

 private:
  static Tensor first(const Tensor& t) {
    if (t.size() == 0) return Tensor(Spec{t.dtype(), Shape(t.shape().begin(), t.shape().end() - 1)});
    return t.view(Shape(t.shape().begin(), t.shape().end() - 1), Strides(t.strides().begin(), t.strides().end() - 1));
  }
};

Dtype lane_of(Dtype t) {
  if (!is_inexact(t)) return Dtype::u64;
  return t == Dtype::f64 || t == Dtype::c64 ? t : Dtype::f32;
}

Job lanes(const Call& c, const std::vector<Spec>& specs) {
  Pipeline p(Side::device);
  std::vector<Tensor> out = gpu::outputs(specs);
  const Dtype t = specs[0].dtype;
  const std::int64_t n = out[0].size();
  if (n == 0) return gpu::job(std::move(out), [] {});
  const Dots d(c, is_inexact(t) ? p.as(c[0], t) : c[0], is_inexact(t) ? p.as(c[1], t) : c[1]);
  auto kernel = std::make_shared<gpu::Kernel>("vecdot", "vecdot", gpu::Options{{"X", lane_of(t)}});
  kernel->arg(gpu::input(d.a)).arg(d.a.dtype()).arg(gpu::element_offset(d.a)).arg(d.a_step);
  kernel->arg(gpu::input(d.b)).arg(d.b.dtype()).arg(gpu::element_offset(d.b)).arg(d.b_step);
  kernel->arg(gpu::output(out[0])).arg(t).arg(gpu::geometry(d.axes(specs[0].shape), 2)).arg(d.k).arg(n);
  kernel->arg(std::int32_t{d.lanes()});
  const auto items = static_cast<std::size_t>(n * d.lanes());
  p.then(gpu::job({out[0]}, [kernel, items] { kernel->run({items}, {64}); }));
  return p.job(out[0], specs[0]);
}

Order lanes_order(const Call& c) {
  const Dtype t = output_specs(c)[0].dtype;
  Order o;
  o.accumulator = t == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.fma = true;
  const int lanes = Dots(c, c[0], c[1]).lanes();
  if (lanes > 1) o.shape = Order::Shape::lanes, o.lanes = lanes;
  return o;
}

bool few_batch_axes(const Call& c, const Device&) {
  return c.rank(0) <= 9 && c.rank(1) <= 9 &&
         Dots(c, c[0], c[1]).axes(output_specs(c)[0].shape).size() <= gpu::kOperandAxes;
}

bool elementwise(const Call& c) {
  return c.op->name == "outer" || c.op->name == "kron" || c.rank(0) == 0 || c.rank(1) == 0;
}

// Of the call that multiplies, and of the copies that come before a contraction.
bool few_axes(const Call& c, const Device&) {
  if (!elementwise(c)) return c.rank(0) <= 8 && c.rank(1) <= 8;
  const auto [a, b] = side_by_side(c);
  Shape out = broadcast(c.op->name, a.shape(), b.shape());
  return gpu::operand_axes({a, b}, out).size() <= gpu::kOperandAxes;
}
bool has_fp64(const Call& c, const Device& d) {
  return d.fp64 || (c.dtype(0) != Dtype::f64 && c.dtype(1) != Dtype::f64);
}
bool fits(const Call& c, const Device&) {
  const Spec out = output_specs(c)[0];
  return count(c.shape(0)) < 1LL << 30 && count(c.shape(1)) < 1LL << 30 && count(out.shape) < 1LL << 40;
}
bool large(const Call& c, const Device&) { return count(output_specs(c)[0].shape) >= 1 << 16; }

Route route(std::string_view op) {
  Route r;
  r.op = op, r.name = "gpu.views";
  r.tier = r.needs = Tier::gpu;
  r.supports = {{Stage::storage, "more than 8 axes that cannot be merged", few_axes},
                {Stage::shape_dtype, "2^30 elements or more", fits},
                {Stage::capability, "the device has no binary64", has_fp64}};
  r.prefers = {gpu::kNotHost, {Stage::shape_dtype, "under 65536 elements of the result", large}};
  r.order = order;
  r.prepare = prepare;
  return r;
}

}  // namespace

std::vector<Route> tensor_gpu_routes() {
  Route dots = route("vecdot");
  dots.name = "gpu.lanes";
  dots.supports[0].holds = few_batch_axes;
  dots.prefers[1] = {Stage::shape_dtype, "under 65536 elements of the operands",
                     [](const Call& c, const Device&) { return c[0].size() + c[1].size() >= 1 << 16; }};
  dots.order = lanes_order;
  dots.prepare = lanes;
  return {route("outer"), route("kron"), route("inner"), route("tensordot"), dots};
}

}  // namespace plumb
