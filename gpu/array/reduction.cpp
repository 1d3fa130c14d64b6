// OpenCL routes of sum and softmax: one geometry, read by kernels/reduction.cl, covers every choice of axes and
// every stride. How a line is cut depends on shapes and strides alone, so results repeat to the bit.
#include <algorithm>
#include <bit>
#include <cstdlib>

#include "gpu/runtime.h"

namespace plumb {
namespace {

constexpr std::int64_t kGroup = 256;                                // work-items of a group, as in kernels/reduction.cl
constexpr Limit kManyGroups{"gpu.reduction.many_groups", 1024, 8};  // enough to fill a large device
constexpr Limit kMostLanes{"gpu.reduction.lanes", kGroup, 8};       // work-items that share a line
constexpr Limit kEnough{"gpu.reduction.enough", 16, 2};             // elements of a lane from which lines are cut
constexpr Limit kMostSplits{"gpu.reduction.splits", 32, 4};         // of a line of a softmax
constexpr std::int64_t kWorthDevice = 1 << 16;                      // elements
constexpr std::size_t kMostAxes = 8;                                // after merging; of either kind

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
std::int64_t power_above(std::int64_t n) {
  return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(std::max<std::int64_t>(1, n))));
}
std::int64_t power_below(std::int64_t n) {
  return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(std::max<std::int64_t>(1, n))));
}

struct Axis {
  std::int64_t size, in, out;
};

// Innermost first; unit axes dropped, neighbours that continue each other merged.
void append(std::vector<Axis>& axes, Axis a) {
  if (a.size == 1) return;
  if (!axes.empty() && a.in == axes.back().in * axes.back().size && a.out == axes.back().out * axes.back().size)
    axes.back().size *= a.size;
  else axes.push_back(a);
}

struct Lines {
  std::vector<Axis> kept, reduced;
  std::int64_t n = 1, count = 1;  // elements of a line, lines
};

// `out`: the strides of the output along the input's axes, 0 along those that a sum removes.
Lines lines_of(const Tensor& x, const std::vector<std::int64_t>& axes, const Strides& out) {
  Lines l;
  for (std::size_t d = x.shape().size(); d-- > 0;) {
    const bool reduced = std::binary_search(axes.begin(), axes.end(), static_cast<std::int64_t>(d));
    append(reduced ? l.reduced : l.kept, {x.shape()[d], x.strides()[d], out[d]});
    (reduced ? l.n : l.count) *= x.shape()[d];
  }
  return l;
}

Strides sum_strides(const Call& c) {
  Strides s(c.shape(0).size(), 0);
  const std::vector<std::int64_t> axes = c.axes();
  std::int64_t step = 1;
  for (std::size_t d = s.size(); d-- > 0;) {
    if (std::binary_search(axes.begin(), axes.end(), static_cast<std::int64_t>(d))) continue;
    s[d] = step;
    step *= std::max<std::int64_t>(1, c.shape(0)[d]);
  }
  return s;
}

Lines sum_lines(const Call& c) { return lines_of(c[0], c.axes(), sum_strides(c)); }
Lines softmax_lines(const Call& c) { return lines_of(c[0], c.axes(), row_major(c.shape(0))); }

// How work-groups share the lines.
struct Plan {
  Axis column{1, 0, 0};
  std::vector<std::int64_t> geometry;
  bool columns_first = false;
  std::int64_t lanes = 1, splits = 1, tiles_and_rest = 1;  // groups per split
  std::size_t items() const { return static_cast<std::size_t>(tiles_and_rest * splits * kGroup); }
};

// `serial`: how many elements of a line a lane should take before the line gets more lanes.
Plan plan(Lines l, std::int64_t serial) {
  Plan p;
  const auto dense = [](const Axis& a, const Axis& b) { return std::abs(a.in) < std::abs(b.in); };
  const auto column = std::min_element(l.kept.begin(), l.kept.end(), dense);
  if (column != l.kept.end()) {
    p.column = *column;
    l.kept.erase(column);
  }
  p.columns_first = p.column.size > 1 && !l.reduced.empty() && std::abs(p.column.in) < std::abs(l.reduced[0].in);
  const std::int64_t most = p.columns_first ? std::max<std::int64_t>(8, kGroup / power_above(p.column.size)) : kGroup;
  const std::int64_t wanted = power_above(ceil_div(l.n, serial));
  p.lanes = std::min({most, kMostLanes.of(wanted), wanted});
  p.tiles_and_rest = ceil_div(p.column.size, kGroup / p.lanes);
  for (const Axis& a : l.kept) p.tiles_and_rest *= a.size;
  if (l.reduced.empty()) l.reduced.push_back({1, 0, 0});
  p.geometry = {p.column.size, p.column.in, p.column.out, static_cast<std::int64_t>(l.kept.size()),
                static_cast<std::int64_t>(l.reduced.size())};
  for (const auto* axes : {&l.kept, &l.reduced})
    for (const Axis& a : *axes) p.geometry.insert(p.geometry.end(), {a.size, a.in, a.out});
  return p;
}

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

bool few_axes(const Call& c, const Device&) {
  const Lines l = softmax_lines(c);
  return l.kept.size() <= kMostAxes && l.reduced.size() <= kMostAxes;
}
bool has_fp64(const Call& c, const Device& d) { return d.fp64 || c.dtype(0) != Dtype::f64; }
bool large(const Call& c, const Device&) { return c[0].size() >= kWorthDevice; }

// ---- sum

constexpr std::int64_t kSums = 4;  // running sums of a lane

Plan sum_plan(const Lines& l) {
  Plan p = plan(l, kSums);
  const std::int64_t wanted = power_below(l.n / (p.lanes * kEnough.of(l.n / p.lanes)));
  const std::int64_t groups = kManyGroups.of(wanted * p.tiles_and_rest);
  p.splits = std::min({groups, power_below(groups / std::max<std::int64_t>(1, p.tiles_and_rest)), wanted});
  return p;
}

Order sum_order(const Call& c) {
  const Plan p = sum_plan(sum_lines(c));
  Order o;
  o.shape = Order::Shape::lanes;
  o.lanes = kSums * p.lanes * p.splits;
  o.accumulator = c.dtype(0) == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  return o;
}

// The type of partial sums.
Dtype wide_of(Dtype out) { return out == Dtype::f16 || out == Dtype::bf16 ? Dtype::f32 : out; }

KernelPtr sum_kernel(Dtype from, Dtype to, const gpu::BufferPtr& x, std::int64_t first, const gpu::BufferPtr& y,
                     const Plan& p, std::int64_t n) {
  KernelPtr k = kernel("sum_lines", types("SUM", from, wide_of(to), to));
  k->arg(x).arg(from).arg(first).arg(y).arg(to).arg(gpu::constants(p.geometry)).arg(n);
  k->arg(narrow_int(p.lanes)).arg(narrow_int(p.splits)).arg(std::int32_t{p.columns_first});
  return k;
}

Job sum(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t count = out[0].size();
  if (count == 0) return gpu::job(std::move(out), [] {});
  const Lines l = sum_lines(c);
  const Plan p = sum_plan(l);
  const Dtype to = specs[0].dtype, wide = wide_of(to);
  const gpu::BufferPtr x = gpu::input(c[0]), y = gpu::output(out[0]);
  const std::int64_t first = gpu::element_offset(c[0]);
  if (p.splits == 1) {
    const KernelPtr whole = sum_kernel(c.dtype(0), to, x, first, y, p, l.n);
    return gpu::job(std::move(out), [whole, items = p.items()] { whole->run({items}, {kGroup}); });
  }
  const gpu::BufferPtr parts = gpu::scratch(static_cast<std::size_t>(count * p.splits * info(wide).bytes));
  const KernelPtr split = sum_kernel(c.dtype(0), wide, x, first, parts, p, l.n);
  const Plan rest = plan({{{count, p.splits, 1}}, {{p.splits, 1, 0}}, p.splits, count}, kSums);
  const KernelPtr join = sum_kernel(wide, to, parts, 0, y, rest, p.splits);
  return gpu::job(std::move(out), [split, join, items = p.items(), more = rest.items()] {
    split->run({items}, {kGroup});
    join->run({more}, {kGroup});
  });
}

// ---- softmax

constexpr double kExpUlps = 3;         // OpenCL 1.2, section 7.4: exp in the full profile, either precision
constexpr int kQuotientRoundings = 4;  // 2.5 ulps of a quotient are 5 roundings, one of which is counted anyway

struct SoftmaxPlan : Plan {
  std::int64_t held = 0;  // elements that a lane keeps, or 0: three passes
  std::int64_t part = 0;  // elements of one split
};

// How many elements a lane may keep: sizes that the kernel is built for.
std::vector<std::int64_t> held_sizes(Dtype from) {
  if (from == Dtype::f32) return {8, 32};
  if (from == Dtype::f64) return {8};
  return {16};
}

SoftmaxPlan softmax_plan(const Lines& l, Dtype from) {
  SoftmaxPlan p{plan(l, 8)};
  for (const std::int64_t held : held_sizes(from))
    if (l.n <= held * p.lanes) {
      p.held = held;
      return p;
    }
  const std::int64_t wanted = power_below(l.n / (p.lanes * 8)), groups = kManyGroups.of(wanted * p.tiles_and_rest);
  p.splits =
      std::min({kMostSplits.of(wanted), power_below(groups / std::max<std::int64_t>(1, p.tiles_and_rest)), wanted});
  p.part = ceil_div(l.n, p.splits);
  return p;
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

std::vector<Route> reduction_gpu_routes() {
  Route sum_route;
  sum_route.op = "sum";
  sum_route.name = "gpu.lanes";
  sum_route.tier = sum_route.needs = Tier::gpu;
  sum_route.supports = {{Stage::storage, "more than 8 axes that cannot be merged", few_axes},
                        {Stage::capability, "the device has no f64 arithmetic", has_fp64}};
  sum_route.prefers = {gpu::kNotHost, {Stage::shape_dtype, "under 65536 elements", large}};
  sum_route.order = sum_order;
  sum_route.prepare = sum;
  Route softmax_route = sum_route;
  softmax_route.op = "softmax";
  softmax_route.order = softmax_order;
  softmax_route.prepare = softmax;
  return {sum_route, softmax_route};
}

}  // namespace plumb
