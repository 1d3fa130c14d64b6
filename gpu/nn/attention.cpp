// Attention on the device: see kernels/nn/attention.cl.
#include "gpu/nn/operand.h"

namespace plumb {
namespace {

constexpr std::int64_t kQueries = 32, kKeys = 32, kColumns = 64;  // of a work-group's tile, as in the kernel
constexpr std::size_t kGroup = 256;
constexpr double kExpUlps = 3;                  // OpenCL 1.2, section 7.4: exp in the full profile, either precision
constexpr int kQuotient = 5;                    // 2.5 ulps of a quotient
enum : std::int32_t { kNone, kHides, kAdded };  // what a mask does

struct Mask {
  std::int32_t kind = kNone;
  gpu::BufferPtr values;
  Dtype type = Dtype::boolean;
  std::int64_t steps[4] = {};  // along the axes of the scores
};

Mask mask_of(const Call& c, Dtype t) {
  Mask m;
  if (!c.has("mask")) {
    m.values = gpu::scratch(1);
    return m;
  }
  m.kind = c["mask"].dtype() == Dtype::boolean ? kHides : kAdded;
  const Tensor mask = m.kind == kHides ? c["mask"] : gpu::operand(c["mask"], t);
  m.values = gpu::dense(mask);
  m.type = mask.dtype();
  const Strides dense = row_major(mask.shape());
  for (std::size_t d = 0; d < dense.size(); ++d) m.steps[4 - dense.size() + d] = mask.shape()[d] == 1 ? 0 : dense[d];
  return m;
}

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const Dtype t = specs[0].dtype;
  if (out[0].size() == 0) return gpu::job(std::move(out), [] {});
  const std::int64_t H = c.size('H'), G = c.size('G'), L = c.size('L'), E = c.size('E'), B = c.size('B');
  gpu::Kernel k("attention", "attend", {{"X", t == Dtype::f64 ? Dtype::f64 : Dtype::f32}});
  for (std::size_t i = 0; i < 3; ++i) {
    const Tensor x = gpu::operand(c[i], t);
    k.arg(x.size() > 0 ? gpu::dense(x) : gpu::scratch(1)).arg(x.dtype());
  }
  const Mask mask = mask_of(c, t);
  k.arg(mask.values).arg(mask.type).arg(mask.kind);
  for (const std::int64_t step : mask.steps) k.arg(step);
  k.arg(gpu::vector_or(c.has("sinks") ? &c["sinks"] : nullptr, t, H, 0)).arg(std::int32_t{c.has("sinks")});
  k.arg(gpu::output(out[0])).arg(t).arg(H).arg(G).arg(L).arg(c.size('S')).arg(c.size('D')).arg(E);
  k.arg(to_float(c.number("scale"))).arg(std::int32_t{c.text("mask_mode") == "causal"});
  const auto groups = [](std::int64_t n, std::int64_t each) { return static_cast<std::size_t>((n + each - 1) / each); };
  const std::size_t tiles = groups(L * (H / G), kQueries), heads = static_cast<std::size_t>(B * G);
  return gpu::job(std::move(out), [k, tiles, heads, columns = groups(E, kColumns)] {
    k.run({tiles * kGroup, heads, columns}, {kGroup, 1, 1});
  });
}

Order order(const Call& c) {
  Order o;
  o.accumulator = output_specs(c)[0].dtype == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.block = kKeys;
  o.function_ulps = kExpUlps;
  o.epilogue = kQuotient;
  return o;
}

}  // namespace

std::vector<Route> attention_gpu_routes() {
  return {gpu::nn_route("scaled_dot_product_attention", "gpu.tiles", prepare, order)};
}

}  // namespace plumb
