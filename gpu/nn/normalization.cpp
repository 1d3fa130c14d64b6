// Normalisations on the device: see kernels/nn/normalization.cl.
#include <algorithm>
#include <bit>

#include "core/with_last.h"
#include "gpu/nn/operand.h"

namespace plumb {
namespace {

constexpr std::int64_t kGroup = 256;                               // work-items of a group, as in the kernel
constexpr Limit kMostLanes{"gpu.normalization.lanes", kGroup, 8};  // of them that share a line
constexpr std::int64_t kEach = 4;                                  // elements of a work-item from which lines get more

std::int64_t lanes_of(std::int64_t n) {
  const auto wanted = static_cast<std::uint64_t>(std::max<std::int64_t>(1, (n + kEach - 1) / kEach));
  return std::min<std::int64_t>(static_cast<std::int64_t>(std::bit_ceil(wanted)), kMostLanes.of(n / kEach));
}

Job normalise(const Call& c, const std::vector<Spec>& specs, bool centred) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const Dtype t = specs[0].dtype;
  if (out[0].size() == 0) return gpu::job(std::move(out), [] {});
  const std::int64_t n = out[0].dim(-1), lines = out[0].size() / n, lanes = lanes_of(n);
  const auto vector = [&](const char* input, double otherwise) {
    const Tensor* given = (centred || input != std::string_view("bias")) && c.has(input) ? &c[input] : nullptr;
    return gpu::vector_or(given, t, n, otherwise);
  };
  const Tensor x = gpu::operand(c[0], t);
  gpu::Kernel k("normalization", "normalise_lines", {{"X", t == Dtype::f64 ? Dtype::f64 : Dtype::f32}});
  k.arg(gpu::dense(x)).arg(x.dtype()).arg(lines).arg(n).arg(static_cast<std::int32_t>(lanes));
  k.arg(std::int32_t{centred}).arg(to_float(c.number("eps"))).arg(vector("weight", 1)).arg(vector("bias", 0));
  k.arg(gpu::output(out[0])).arg(t);
  const std::int64_t each = kGroup / lanes, groups = (lines + each - 1) / each;
  return gpu::job(std::move(out), [k, items = static_cast<std::size_t>(groups * kGroup)] { k.run({items}, {kGroup}); });
}

// rsqrt errs by 2 ulps, a quotient by 2.5 where it is not rounded correctly.
Order order(const Call& c) {
  Order o;
  o.shape = Order::Shape::lanes;
  o.lanes = lanes_of(std::max<std::int64_t>(1, c.shape(0).back()));
  o.accumulator = output_specs(c)[0].dtype == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.function_ulps = 2;
  o.epilogue = 5;
  return o;
}

Route route(std::string_view op, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  return gpu::nn_route(op, "gpu.rows", prepare, order);
}

}  // namespace

std::vector<Route> normalization_gpu_routes() {
  return {route("rms_norm", with_last<normalise, false>), route("layer_norm", with_last<normalise, true>)};
}

}  // namespace plumb
