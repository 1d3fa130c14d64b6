// OpenCL route of logsumexp: see kernels/array/reduce/logsumexp.cl.
#include <memory>

#include "gpu/array/reduce/lines.h"

namespace plumb {
namespace {

using namespace gpu;

constexpr double kFunctionUlps = 3;  // OpenCL 1.2, section 7.4: exp and log in the full profile, either precision

std::int32_t narrow_int(std::int64_t v) { return static_cast<std::int32_t>(v); }
Dtype wide_of(Dtype t) { return t == Dtype::f64 ? Dtype::f64 : Dtype::f32; }

Job logsumexp(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = outputs(specs);
  const std::int64_t count = out[0].size();
  if (count == 0) return job(std::move(out), [] {});
  const Lines l = lines_of(c);
  const LinePlan p = plan_runs(l);
  const Dtype wide = wide_of(c.dtype(0));
  const Options options{{"X", wide}};
  const auto bytes = static_cast<std::size_t>(count * p.splits * info(wide).bytes);
  const BufferPtr maxima = scratch(bytes), sums = scratch(bytes);
  const auto pass = [&](const char* name) {
    auto k = std::make_shared<Kernel>("logsumexp", name, options);
    k->arg(input(c[0])).arg(c.dtype(0)).arg(element_offset(c[0])).arg(constants(p.geometry)).arg(l.n).arg(p.part);
    k->arg(narrow_int(p.lanes)).arg(narrow_int(p.splits)).arg(std::int32_t{p.columns_first}).arg(maxima);
    return k;
  };
  const auto greatest = pass("greatest_lines"), exponentials = pass("exponential_lines");
  exponentials->arg(sums);
  const auto logarithms = std::make_shared<Kernel>("logsumexp", "logarithms", options);
  logarithms->arg(maxima).arg(sums).arg(narrow_int(p.splits)).arg(count).arg(output(out[0])).arg(specs[0].dtype);
  return job(std::move(out), [=, items = p.items()] {
    const auto group = static_cast<std::size_t>(kLineGroup);
    greatest->run({items}, {group});
    exponentials->run({items}, {group});
    logarithms->run({static_cast<std::size_t>(count)});
  });
}

Order order(const Call& c) {
  const LinePlan p = plan_runs(lines_of(c));
  Order o;
  o.shape = Order::Shape::lanes;
  o.lanes = p.lanes;
  o.split = p.splits;
  o.accumulator = wide_of(c.dtype(0));
  o.function_ulps = kFunctionUlps;
  return o;
}

}  // namespace

std::vector<Route> logsumexp_gpu_routes() {
  Route r;
  r.op = "logsumexp";
  r.name = "gpu.lanes";
  r.tier = r.needs = Tier::gpu;
  r.supports = {kFewLineAxes, kHasFp64};
  r.prefers = {kNotHost, kWorthLines};
  r.order = order;
  r.prepare = logsumexp;
  return {r};
}

}  // namespace plumb
