// Dense convolutions on the device: see kernels/array/conv/dense_conv.cl.
#include "gpu/array/conv/conv_job.h"

namespace plumb {
namespace gpu {

using conv::Geometry;

namespace {

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace

ConvOperand::ConvOperand(const Tensor& t) : data(input(t)), type(t.dtype()) {
  const conv::Strided s = conv::strided(t);
  lies = constants(std::vector<std::int64_t>{s.batch, s.axis[0], s.axis[1], s.axis[2], s.channel, element_offset(t)});
}

BufferPtr conv_geometry(const Geometry& g) {
  std::vector<std::int64_t> all;
  for (const conv::Triple* t : {&g.n, &g.k, &g.m, &g.stride, &g.dilation, &g.spread, &g.low})
    all.insert(all.end(), t->begin(), t->end());
  for (const std::int64_t v : {g.in, g.out, g.groups, g.pixels(), std::int64_t{g.flip}}) all.push_back(v);
  return constants(all);
}

Kernel conv_kernel(std::string_view name, Dtype out) {
  return Kernel("dense_conv", name, {{"WIDE", out == Dtype::f64}});
}

Job conv_job(const Geometry& g, const Tensor& x, const Tensor& weight, const conv::WeightStrides& s,
             std::vector<Tensor> out, bool tiled) {
  if (out[0].size() == 0) return job(std::move(out), [] {});
  const Dtype type = out[0].dtype();
  const BufferPtr geometry = conv_geometry(g), infinite = scratch(4);
  const std::int64_t weights = g.groups * g.taps() * g.in * g.out;
  const BufferPtr packed =
      scratch(static_cast<std::size_t>(std::max<std::int64_t>(1, weights) * (type == Dtype::f64 ? 8 : 4)));
  const ConvOperand input(x);
  Kernel pack = conv_kernel("pack_weight", type), sums = conv_kernel(tiled ? "tiles" : "each", type);
  pack.arg(gpu::input(weight)).arg(weight.dtype()).arg(type).arg(geometry);
  pack.arg(constants(
      std::vector<std::int64_t>{s.group, s.out, s.in, s.axis[0], s.axis[1], s.axis[2], element_offset(weight)}));
  pack.arg(packed).arg(infinite).arg(weights);
  sums.arg(input.data).arg(input.type).arg(geometry).arg(input.lies).arg(packed);
  if (tiled) sums.arg(infinite);
  sums.arg(output(out[0])).arg(type);
  const std::int64_t wide = ceil_div(g.out, kConvTile), total = out[0].size();
  sums.arg(tiled ? wide : total);
  const std::int64_t items = tiled ? wide * g.groups * ceil_div(g.pixels(), kConvTile) * kConvItems : total;
  return job(std::move(out), [=] {
    fill_zero(infinite);
    pack.run({static_cast<std::size_t>(weights)});
    if (tiled) sums.run({static_cast<std::size_t>(items)}, {static_cast<std::size_t>(kConvItems)});
    else sums.run({static_cast<std::size_t>(items)});
  });
}

Order conv_order(Dtype out) {
  Order o;
  o.accumulator = out == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.fma = true;
  return o;
}

namespace {

template <bool tiled>
Job prepare(const Call& c, const std::vector<Spec>& specs) {
  const Geometry g = conv::geometry(c);
  const bool swap = conv::swaps(c);
  return conv_job(g, c[swap], c[!swap], conv::weight_strides(g, c[!swap]), outputs(specs), tiled);
}

Order one_chain(const Call& c) { return conv_order(output_specs(c)[0].dtype); }

constexpr Condition kWide{Stage::shape_dtype, "under 16 output channels of a group: most of a tile would be idle",
                          [](const Call& c, const Device&) { return conv::geometry(c).out >= 16; }};
constexpr Condition kLarge{Stage::shape_dtype, "under 2^20 products: a launch costs more",
                           [](const Call& c, const Device&) { return cost(c).flops >= 1 << 21; }};

Route route(std::string_view op, bool tiled) {
  Route r;
  r.op = op;
  r.name = tiled ? "gpu.tiles" : "gpu.each";
  r.tier = r.needs = Tier::gpu;
  r.supports = {kConvDoubles};
  r.prefers = {kNotHost, kLarge};
  if (tiled) r.supports.push_back(kConvGroups), r.prefers.push_back(kWide);
  r.order = one_chain;
  r.prepare = tiled ? prepare<true> : prepare<false>;
  return r;
}

}  // namespace
}  // namespace gpu

std::vector<Route> dense_conv_gpu_routes() {
  std::vector<Route> routes;
  for (const char* op : {"dense_conv1d", "dense_conv2d", "dense_conv3d", "dense_conv_general", "dense_conv_transpose1d",
                         "dense_conv_transpose2d", "dense_conv_transpose3d"})
    for (const bool tiled : {true, false}) routes.push_back(gpu::route(op, tiled));
  routes.push_back(gpu::route("convolve", false));
  return routes;
}

}  // namespace plumb
