// Numbers of other distributions on the device: see kernels/array/random/normal.cl and truncated.cl.
#include "gpu/array/random/draws.h"

namespace plumb {
namespace {

enum : std::int32_t { kNormal, kLaplace };  // as in the kernels

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

Job moved(const Call& c, const std::vector<Spec>& specs, std::int32_t kind, const Tensor& scale, const Tensor& shift,
          bool shifted) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const gpu::Pairs p(out[0].size());
  gpu::Kernel kernel("normal", "moved");
  kernel.arg(gpu::dense(c["key"])).arg(gpu::dense(scale)).arg(scale.dtype()).arg(gpu::dense(shift)).arg(shift.dtype());
  kernel.arg(std::int32_t{shifted}).arg(gpu::spread(out[0].shape(), {scale, shift})).arg(p.h).arg(p.gap);
  kernel.arg(kind).arg(specs[0].dtype).arg(gpu::output(out[0]));
  return gpu::job(out, [kernel, p] { kernel.run({size(p.gap)}, {gpu::kDrawGroup}); });
}

Job pairs(const Call& c, const std::vector<Spec>& specs, const Tensor& scale, const Tensor& shift) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t n = out[0].size();
  gpu::Kernel kernel("normal", "normal_pairs");
  kernel.arg(gpu::dense(c["key"])).arg(gpu::dense(scale)).arg(scale.dtype()).arg(gpu::dense(shift)).arg(shift.dtype());
  kernel.arg(gpu::spread(out[0].shape(), {scale, shift})).arg(n).arg(n).arg(gpu::output(out[0]));
  return gpu::job(out, [kernel, n] { kernel.run({size(n)}, {gpu::kDrawGroup}); });
}

Job prepare_normal(const Call& c, const std::vector<Spec>& specs) {
  const auto operand = [&](const char* input, double fallback) {
    return c.has(input) ? c[input] : tensor(Dtype::f32, {}, {fallback});
  };
  const Tensor scale = operand("scale", 1), shift = operand("loc", 0);
  if (specs[0].dtype == Dtype::c64) return pairs(c, specs, scale, shift);
  return moved(c, specs, kNormal, scale, shift, c.has("loc"));
}

Job prepare_laplace(const Call& c, const std::vector<Spec>& specs) {
  const auto number = [&](const char* attr) { return tensor(specs[0].dtype, {}, {c.number(attr)}); };
  return moved(c, specs, kLaplace, number("scale"), number("loc"), c.number("loc") != 0);
}

Job prepare_gumbel(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const gpu::Pairs p(out[0].size());
  gpu::Kernel kernel("normal", "gumbel");
  kernel.arg(gpu::dense(c["key"])).arg(p.h).arg(p.gap).arg(specs[0].dtype).arg(gpu::output(out[0]));
  return gpu::job(out, [kernel, p] { kernel.run({size(p.gap)}, {gpu::kDrawGroup}); });
}

Job prepare_truncated(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const gpu::Pairs p(out[0].size());
  const Tensor &lower = c["lower"], &upper = c["upper"];
  gpu::Kernel kernel("truncated", "truncated");
  kernel.arg(gpu::dense(c["key"])).arg(gpu::dense(lower)).arg(lower.dtype()).arg(gpu::dense(upper)).arg(upper.dtype());
  kernel.arg(gpu::spread(out[0].shape(), {lower, upper})).arg(p.h).arg(p.gap).arg(specs[0].dtype);
  kernel.arg(gpu::output(out[0]));
  return gpu::job(out, [kernel, p] { kernel.run({size(p.gap)}, {gpu::kDrawGroup}); });
}

// Those of the specification (OpenCL C 3.0, table 42), erfinv: kernels/array/functions.cl.
template <int quarters>
Order order(const Call& c) {
  Order o;
  if (output_specs(c)[0].dtype == Dtype::f64) o.accumulator = Dtype::f64;  // of z S + L; z is a float
  o.function_ulps = quarters / 4.0;
  return o;
}
constexpr int kErfinv = 64, kLog1p = 8, kLog = 12;
// Rounded once of a number in double: a share of 2^-21 that two erf of 16 ulps leave known to 2^-48 moves it by 2^-27
// over its density.
constexpr int kTruncated = 3;

Route truncated_route() {
  Route r = gpu::drawing("truncated_normal", "gpu.words", prepare_truncated, {}, order<kTruncated>);
  r.supports.back() = gpu::kHasFp64;
  return r;
}

}  // namespace

std::vector<Route> normal_gpu_routes() {
  return {gpu::drawing("normal", "gpu.words", prepare_normal, {}, order<kErfinv>),
          gpu::drawing("laplace", "gpu.words", prepare_laplace, {.axes = false}, order<kLog1p>),
          gpu::drawing("gumbel", "gpu.words", prepare_gumbel, {.axes = false, .wide = false}, order<kLog>),
          truncated_route()};
}

}  // namespace plumb
