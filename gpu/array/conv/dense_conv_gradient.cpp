// Gradients of the dense convolutions on the device: see kernels/array/conv/dense_conv.cl.
#include <algorithm>

#include "core/limits.h"
#include "gpu/array/conv/conv_job.h"

namespace plumb {
namespace gpu {
namespace {

using conv::Geometry;

constexpr Limit kPart{"gpu.conv.part", 1024, 32};    // pixels of the least part of a sum
constexpr Limit kEnough{"gpu.conv.enough", 512, 4};  // work-groups that occupy a large device

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

Job input_gradient(const Call& c, const std::vector<Spec>& specs) {
  const Geometry g = conv::geometry(c), back = g.adjoint();
  return conv_job(back, c[2], c[1], conv::adjoint_weight_strides(g, c[1]), outputs(specs), back.out >= 16);
}

// How the pixels that are summed are cut into parts, each a chain.
struct Parts {
  std::int64_t tall, wide, count, each;

  explicit Parts(const Geometry& g) : tall(ceil_div(g.taps() * g.in, kConvTile)), wide(ceil_div(g.out, kConvTile)) {
    const std::int64_t tiles = std::max<std::int64_t>(1, tall * wide * g.groups), pixels = g.pixels();
    const std::int64_t most = ceil_div(pixels, kPart.of(pixels)), wanted = ceil_div(kEnough.of(tiles), tiles);
    each = std::max<std::int64_t>(1, ceil_div(pixels, std::max<std::int64_t>(1, std::min(most, wanted))));
    count = ceil_div(pixels, each);
  }
};

Job weight_gradient(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = outputs(specs);
  const Geometry g = conv::geometry(c);
  const std::int64_t total = out[0].size(), sums = c[2].size();
  if (total == 0) return job(std::move(out), [] {});
  const Parts parts(g);
  const Dtype type = c.dtype(0);
  const ConvOperand x(c[0]), cotangent(c[2]);
  const BufferPtr geometry = conv_geometry(g), infinite = scratch(4);
  const BufferPtr held =
      scratch(static_cast<std::size_t>(std::max<std::int64_t>(1, parts.count * total) * (type == Dtype::f64 ? 8 : 4)));
  Kernel look = conv_kernel("look", type), tiles = conv_kernel("weight_tiles", type),
         join = conv_kernel("join_parts", type);
  look.arg(cotangent.data).arg(type).arg(geometry).arg(cotangent.lies).arg(infinite).arg(sums);
  tiles.arg(x.data).arg(cotangent.data).arg(type).arg(geometry).arg(x.lies).arg(cotangent.lies).arg(infinite);
  tiles.arg(held).arg(parts.each).arg(parts.tall).arg(parts.wide);
  join.arg(held).arg(geometry).arg(parts.count).arg(output(out[0])).arg(type).arg(total);
  const std::int64_t items = parts.tall * parts.wide * g.groups * parts.count * kConvItems;
  return job(std::move(out), [=] {
    fill_zero(infinite);
    look.run({static_cast<std::size_t>(sums)});
    tiles.run({static_cast<std::size_t>(items)}, {static_cast<std::size_t>(kConvItems)});
    join.run({static_cast<std::size_t>(total)});
  });
}

Order one_chain(const Call& c) { return conv_order(c.dtype(0)); }

Order by_parts(const Call& c) {
  Order o = conv_order(c.dtype(0));
  o.block = Parts(conv::geometry(c)).each;
  return o;
}

constexpr Condition kLarge{Stage::shape_dtype, "under 2^20 products: a launch costs more",
                           [](const Call& c, const Device&) { return cost(c).flops >= 1 << 21; }};

}  // namespace
}  // namespace gpu

std::vector<Route> dense_conv_gradient_gpu_routes() {
  Route input;
  input.op = "conv_input_vjp";
  input.name = "gpu.tiles";
  input.tier = input.needs = Tier::gpu;
  input.supports = {gpu::kConvDoubles, gpu::kConvGroups};
  input.prefers = {gpu::kNotHost, gpu::kLarge};
  input.order = gpu::one_chain;
  input.prepare = gpu::input_gradient;
  Route weight = input;
  weight.op = "conv_weight_vjp";
  weight.order = gpu::by_parts;
  weight.prepare = gpu::weight_gradient;
  return {input, weight};
}

}  // namespace plumb
