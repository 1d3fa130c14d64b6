// The gated delta rule on the device: see kernels/nn/gated_delta.cl.
#include "gpu/nn/operand.h"

namespace plumb {
namespace {

constexpr std::size_t kLanes = 16, kRows = 4;  // work-items of a row of a state, rows of a work-group, as in the kernel
constexpr std::int64_t kMostFeatures = 1024;   // 4 rows of them in 16 KiB of local memory

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  if (out[0].size() == 0 && out[1].size() == 0) return gpu::job(std::move(out), [] {});
  const std::int64_t B = c.size('B'), H = c.size('H'), D = c.size('D'), E = c.size('E');
  const auto buffer = [&](const char* input) {
    return c.has(input) && c[input].size() > 0 ? gpu::dense(c[input]) : gpu::scratch(1);
  };
  gpu::Kernel k("gated_delta", "delta_rows", {{"X", Dtype::f32}});
  k.arg(buffer("q")).arg(buffer("k")).arg(buffer("v")).arg(c.dtype(0));
  k.arg(buffer("gamma")).arg(buffer("beta")).arg(c.dtype(3));
  k.arg(buffer("initial_state")).arg(std::int32_t{c.has("initial_state")});
  k.arg(buffer("mask")).arg(std::int32_t{c.has("mask")});
  k.arg(out[0].size() > 0 ? gpu::output(out[0]) : gpu::scratch(1));
  k.arg(out[1].size() > 0 ? gpu::output(out[1]) : gpu::scratch(1));
  k.arg(c.size('L')).arg(c.size('G')).arg(H).arg(D).arg(E);
  k.local(kRows * static_cast<std::size_t>(std::max<std::int64_t>(1, D)) * sizeof(float));
  const std::size_t rows = (static_cast<std::size_t>(E) + kRows - 1) / kRows * kRows;
  return gpu::job(std::move(out), [k, rows, heads = static_cast<std::size_t>(B * H)] {
    k.run({kLanes, rows, heads}, {kLanes, kRows, 1});
  });
}

// 16 partial sums, added one after the other, where a tree would take 4 steps.
Order order(const Call&) {
  Order o;
  o.shape = Order::Shape::lanes;
  o.lanes = kLanes;
  o.prologue = 12;
  return o;
}

bool few_features(const Call& c, const Device&) { return c.size('D') <= kMostFeatures; }

}  // namespace

std::vector<Route> gated_delta_gpu_routes() {
  Route r = gpu::nn_route("gated_delta_update", "gpu.rows", prepare, order);
  r.supports = {{Stage::shape_dtype, "more than 1024 features of a key", few_features}};
  return {r};
}

}  // namespace plumb
