// OpenCL routes of sum and softmax: see reduce/lines.h for how lines are shared, kernels/array/reduction.cl.
#include <algorithm>

#include "gpu/array/reduce/lines.h"
#include "gpu/array/reduce/sum.h"

namespace plumb {
namespace {

using namespace gpu;

constexpr std::int64_t kGroup = kLineGroup;

Lines softmax_lines(const Call& c) { return lines_of(c[0], c.axes(), row_major(c.shape(0))); }

// A build of `part` that computes in `wide`: one for tensors of that type alone, one for the others.
gpu::Options types(const char* part, Dtype from, Dtype wide, Dtype to) {
  const Dtype via = wide == Dtype::i32 ? Dtype::u32 : wide == Dtype::i64 ? Dtype::u64 : wide;
  return {{part}, {"X", via}, {"ANY", from == wide && to == wide ? 0 : 1}};
}

using KernelPtr = std::shared_ptr<gpu::Kernel>;
KernelPtr kernel(const char* name, const gpu::Options& options) {
  return std::make_shared<gpu::Kernel>("reduction", name, options);
}
std::int32_t narrow_int(std::int64_t v) { return static_cast<std::int32_t>(v); }

// ---- conditions

bool few_softmax_axes(const Call& c, const Device&) { return few_axes(softmax_lines(c)); }

// ---- sum

constexpr std::int64_t kSums = 4;  // running sums of a lane

LinePlan sum_plan(const Lines& l) { return plan_splits(l, kSums); }

Order sum_order(const Call& c) { return gpu::sum_order(lines_of(c), c.dtype(0)); }

// The type of partial sums.
Dtype wide_of(Dtype out) { return out == Dtype::f16 || out == Dtype::bf16 ? Dtype::f32 : out; }

KernelPtr sum_kernel(Dtype from, Dtype to, const gpu::BufferPtr& x, std::int64_t first, const gpu::BufferPtr& y,
                     const LinePlan& p, std::int64_t n) {
  KernelPtr k = kernel("sum_lines", types("SUM", from, wide_of(to), to));
  k->arg(x).arg(from).arg(first).arg(y).arg(to).arg(gpu::constants(p.geometry)).arg(n);
  k->arg(narrow_int(p.lanes)).arg(narrow_int(p.splits)).arg(std::int32_t{p.columns_first});
  return k;
}

Job sum(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  if (out[0].size() == 0) return gpu::job(std::move(out), [] {});
  auto launch = gpu::sum_launch(lines_of(c), gpu::input(c[0]), c.dtype(0), gpu::element_offset(c[0]), out[0]);
  return gpu::job(std::move(out), std::move(launch));
}

// ---- softmax

constexpr double kExpUlps = 3;         // OpenCL 1.2, section 7.4: exp in the full profile, either precision
constexpr int kQuotientRoundings = 4;  // 2.5 ulps of a quotient are 5 roundings, one of which is counted anyway

struct SoftmaxPlan : LinePlan {
  std::int64_t held = 0;  // elements that a lane keeps, or 0: three passes
};

// How many elements a lane may keep: sizes that the kernel is built for.
std::vector<std::int64_t> held_sizes(Dtype from) {
  if (from == Dtype::f32) return {8, 32};
  if (from == Dtype::f64) return {8};
  return {16};
}

SoftmaxPlan softmax_plan(const Lines& l, Dtype from) {
  SoftmaxPlan p{plan_lines(l, kRunSerial)};
  for (const std::int64_t held : held_sizes(from))
    if (l.n <= held * p.lanes) {
      p.held = held;
      return p;
    }
  return {plan_runs(l)};
}

Order softmax_order(const Call& c) {
  const SoftmaxPlan p = softmax_plan(softmax_lines(c), c.dtype(0));
  Order o;
  o.shape = Order::Shape::lanes;
  o.lanes = p.lanes;
  o.split = p.splits;
  o.accumulator = c.dtype(0) == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.function_ulps = kExpUlps;
  o.epilogue = kQuotientRoundings;
  return o;
}

gpu::Options softmax_options(const Call& c, const Tensor& out) {
  return types("SOFTMAX", c.dtype(0), wide_of(out.dtype()), out.dtype());
}

Job softmax_held(const Call& c, std::vector<Tensor> out, const SoftmaxPlan& p, std::int64_t n) {
  const KernelPtr k = kernel("softmax_held", softmax_options(c, out[0]).add({"PER", p.held}));
  k->arg(gpu::input(c[0])).arg(c.dtype(0)).arg(gpu::element_offset(c[0]));
  k->arg(gpu::output(out[0])).arg(out[0].dtype()).arg(gpu::constants(p.geometry)).arg(n);
  k->arg(narrow_int(p.lanes)).arg(std::int32_t{p.columns_first});
  return gpu::job(std::move(out), [k, items = p.items()] { k->run({items}, {kGroup}); });
}

Job softmax_passes(const Call& c, std::vector<Tensor> out, const SoftmaxPlan& p, const Lines& l) {
  const gpu::Options options = softmax_options(c, out[0]);
  const std::size_t bytes = static_cast<std::size_t>(l.count * p.splits * (c.dtype(0) == Dtype::f64 ? 8 : 4));
  const gpu::BufferPtr maxima = gpu::scratch(bytes), sums = gpu::scratch(bytes), geometry = gpu::constants(p.geometry);
  const auto pass = [&](const char* name) {
    KernelPtr k = kernel(name, options);
    k->arg(gpu::input(c[0])).arg(c.dtype(0)).arg(gpu::element_offset(c[0])).arg(geometry).arg(l.n).arg(p.part);
    k->arg(narrow_int(p.lanes)).arg(narrow_int(p.splits)).arg(std::int32_t{p.columns_first}).arg(maxima);
    return k;
  };
  const KernelPtr largest = pass("softmax_max"), sum = pass("softmax_sum"), write = pass("softmax_write");
  sum->arg(sums);
  write->arg(sums).arg(gpu::output(out[0])).arg(out[0].dtype());
  return gpu::job(std::move(out), [largest, sum, write, items = p.items()] {
    for (const KernelPtr& k : {largest, sum, write}) k->run({items}, {kGroup});
  });
}

Job softmax(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  if (out[0].size() == 0) return gpu::job(std::move(out), [] {});
  const Lines l = softmax_lines(c);
  const SoftmaxPlan p = softmax_plan(l, c.dtype(0));
  return p.held > 0 ? softmax_held(c, std::move(out), p, l.n) : softmax_passes(c, std::move(out), p, l);
}

}  // namespace

Order gpu::sum_order(const Lines& l, Dtype from) {
  const LinePlan p = sum_plan(l);
  Order o;
  o.shape = Order::Shape::lanes;
  o.lanes = kSums * p.lanes * p.splits;
  o.accumulator = from == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  return o;
}

std::function<void()> gpu::sum_launch(const Lines& l, const BufferPtr& x, Dtype from, std::int64_t first,
                                      const Tensor& out) {
  const LinePlan p = sum_plan(l);
  const Dtype to = out.dtype(), wide = wide_of(to);
  const BufferPtr y = output(out);
  if (p.splits == 1) {
    const KernelPtr whole = sum_kernel(from, to, x, first, y, p, l.n);
    return [whole, items = p.items()] { whole->run({items}, {kGroup}); };
  }
  const BufferPtr parts = scratch(static_cast<std::size_t>(out.size() * p.splits * info(wide).bytes));
  const KernelPtr split = sum_kernel(from, wide, x, first, parts, p, l.n);
  const LinePlan rest = plan_lines(together(out.size(), p.splits), kSums);
  const KernelPtr join = sum_kernel(wide, to, parts, 0, y, rest, p.splits);
  return [split, join, items = p.items(), more = rest.items()] {
    split->run({items}, {kGroup});
    join->run({more}, {kGroup});
  };
}

std::vector<Route> reduction_gpu_routes() {
  Route sum_route;
  sum_route.op = "sum";
  sum_route.name = "gpu.lanes";
  sum_route.tier = sum_route.needs = Tier::gpu;
  sum_route.supports = {kFewLineAxes, kHasFp64};
  sum_route.prefers = {kNotHost, kWorthLines};
  sum_route.order = sum_order;
  sum_route.prepare = sum;
  Route softmax_route = sum_route;
  softmax_route.op = "softmax";
  softmax_route.supports = {{Stage::storage, "more than 8 axes that cannot be merged", few_softmax_axes}, kHasFp64};
  softmax_route.order = softmax_order;
  softmax_route.prepare = softmax;
  return {sum_route, softmax_route};
}

}  // namespace plumb
