// Ranges and windows on the device: see kernels/array/create/ranges.cl.
#include <algorithm>

#include "gpu/runtime.h"

namespace plumb {
namespace {

constexpr std::int64_t kWorthDevice = 1 << 16;  // elements
constexpr double kCosineUlps = 4;               // of cospi: OpenCL 1.2, section 7.4

Dtype dtype_of(const Call& c) { return output_specs(c)[0].dtype; }
bool has_fp64(const Call& c, const Device& d) { return d.fp64 || dtype_of(c) != Dtype::f64; }
bool divides_right(const Call& c, const Device& d) {
  return d.facts.ieee_f32 || is_inexact(dtype_of(c)) || c.op->name != "linspace";
}
bool large(const Call& c, const Device&) { return count(output_specs(c)[0].shape) >= kWorthDevice; }

Order order(const Call& c) {
  Order o;
  o.accumulator = dtype_of(c) == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.function_ulps = kCosineUlps;
  return o;
}

Job each(std::vector<Tensor> out, gpu::Kernel& kernel) {
  const std::int64_t n = out[0].size();
  kernel.arg(n);
  return gpu::job(std::move(out), [kernel, n] { kernel.run({static_cast<std::size_t>(n)}); });
}
gpu::Kernel named(const char* name) { return {"ranges", name}; }

bool is_whole(const Call& c, const char* name) { return c.attrs.find(name)->get<std::int64_t>() != nullptr; }

Job arange(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  if (out[0].size() == 0) return gpu::job(std::move(out), [] {});
  const Dtype t = specs[0].dtype;
  const double start = c.number("start"), step = c.number("step");
  gpu::Kernel k = named(!is_inexact(t) ? "whole_range" : t == Dtype::f64 ? "real_range_double" : "real_range");
  k.arg(gpu::output(out[0]));
  if (t == Dtype::f64) k.arg(start).arg(step);
  else if (is_inexact(t)) k.arg(t).arg(static_cast<float>(start)).arg(static_cast<float>(step));
  else {
    const std::int64_t s = is_whole(c, "start") ? c.integer("start") : static_cast<std::int64_t>(start);
    const bool both = is_whole(c, "start") && is_whole(c, "step");
    k.arg(t).arg(s).arg(both ? c.integer("step") : static_cast<std::int64_t>(start + step) - s);
  }
  return each(std::move(out), k);
}

Job linspace(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  if (out[0].size() == 0) return gpu::job(std::move(out), [] {});
  const double start = c.number("start"), stop = c.number("stop"),
               divisions =
                   static_cast<double>(std::max<std::int64_t>(1, c.integer("num") - (c.flag("endpoint") ? 1 : 0)));
  const bool wide = specs[0].dtype == Dtype::f64;
  const char* kernel = wide ? "even_range_double" : is_inexact(specs[0].dtype) ? "even_range" : "whole_even_range";
  gpu::Kernel k = named(kernel);
  k.arg(gpu::output(out[0]));
  if (wide) k.arg(start).arg(stop).arg(divisions);
  else
    k.arg(specs[0].dtype)
        .arg(static_cast<float>(start))
        .arg(static_cast<float>(stop))
        .arg(static_cast<float>(divisions));
  return each(std::move(out), k);
}

Job window(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  if (out[0].size() == 0) return gpu::job(std::move(out), [] {});
  const std::string_view name = c.op->name;
  gpu::Kernel k = named(name == "bartlett" ? "triangle_window" : "cosine_window");
  k.arg(gpu::output(out[0]));
  if (name == "hanning") k.arg(0.5F).arg(0.5F).arg(0.0F);
  if (name == "hamming") k.arg(0.54F).arg(0.46F).arg(0.0F);
  if (name == "blackman") k.arg(0.42F).arg(0.5F).arg(0.08F);
  return each(std::move(out), k);
}

}  // namespace

std::vector<Route> ranges_gpu_routes() {
  std::vector<Route> routes;
  const auto add = [&](std::string_view op, auto prepare) {
    Route& r = routes.emplace_back();
    r.op = op;
    r.name = "gpu.each";
    r.tier = r.needs = Tier::gpu;
    r.prefers = {gpu::kNotHost, {Stage::shape_dtype, "under 65536 elements", large}};
    r.order = order;
    r.prepare = prepare;
  };
  add("arange", arange);
  add("linspace", linspace);
  for (Route& r : routes) r.supports = {{Stage::capability, "the device has no f64 arithmetic", has_fp64}};
  routes.back().supports.push_back(
      {Stage::capability, "the device does not divide f32 as IEEE 754 has it", divides_right});
  for (const char* op : {"bartlett", "hanning", "hamming", "blackman"}) add(op, window);
  return routes;
}

}  // namespace plumb
