// Scans on the device: see kernels/array/scan/cumulative.cl. How a line is cut depends on shapes and strides alone, so
// that results repeat to the bit.
#include <algorithm>
#include <bit>
#include <cstdlib>
#include <limits>

#include "gpu/runtime.h"

namespace plumb {
namespace {

constexpr std::int64_t kGroup = 256;                           // work-items of a group, as in the kernel
constexpr Limit kManyGroups{"gpu.scan.many_groups", 1024, 6};  // enough to fill a large device
constexpr Limit kColumns{"gpu.scan.columns", 32, 4};           // lines of a group that lie side by side
constexpr std::int64_t kWorthDevice = 1 << 16;                 // elements
constexpr double kFunctionUlps = 3;                            // of exp and log: OpenCL 1.2, section 7.4

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
std::int64_t power_above(std::int64_t n) {
  return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(std::max<std::int64_t>(1, n))));
}

bool is_log(const Call& c) { return c.op->name == "logcumsumexp"; }
bool is_extreme(const Call& c) { return c.op->name == "cummax" || c.op->name == "cummin"; }
// As the kernel numbers them.
enum : std::int32_t { kSum, kProd, kMax, kMin };
std::int32_t op_of(const Call& c) {
  const std::string_view name = c.op->name;
  return name == "cumprod" ? kProd : name == "cummax" ? kMax : name == "cummin" ? kMin : kSum;
}
Dtype dtype_of_result(const Call& c) { return output_specs(c)[0].dtype; }
// What elements are cast to first.
Dtype cast_of(const Call& c) {
  if (is_log(c)) return dtype_of_result(c);
  return is_extreme(c) ? c.dtype(0) : c.dtype_attr("dtype").value_or(c.dtype(0));
}

struct Axis {
  std::int64_t size, in, out;
};

struct Plan {
  std::int64_t n = 0, in = 0, out = 0, lines = 1;
  Axis column{1, 0, 0};
  std::vector<Axis> others;  // innermost first
  bool columns_first = false;
  std::int64_t lanes = 1, per = 8, parts = 1, part = 0;
  std::int64_t line_groups() const {
    return lines / std::max<std::int64_t>(1, column.size) * ceil_div(column.size, kGroup / lanes);
  }
};

// The axes but that of the scan, innermost first; unit axes dropped, neighbours that continue each other merged.
std::vector<Axis> other_axes(const Shape& shape, const Strides& in, const Strides& out, std::size_t axis) {
  std::vector<Axis> axes;
  for (std::size_t d = shape.size(); d-- > 0;) {
    if (d == axis || shape[d] == 1) continue;
    if (!axes.empty() && in[d] == axes.back().in * axes.back().size && out[d] == axes.back().out * axes.back().size)
      axes.back().size *= shape[d];
    else axes.push_back({shape[d], in[d], out[d]});
  }
  return axes;
}

Plan plan_of(const Call& c) {
  const bool flat = c.none("axis");
  const Shape shape = flat ? Shape{c[0].size()} : c.shape(0);
  const Strides in = flat ? Strides{1} : c[0].strides(), out = row_major(shape);
  const auto axis = static_cast<std::size_t>(flat ? 0 : c.axis());
  Plan p;
  p.n = shape[axis], p.in = in[axis], p.out = out[axis];
  p.others = other_axes(shape, in, out, axis);
  for (const Axis& a : p.others) p.lines *= a.size;
  if (!p.others.empty()) {
    p.column = p.others.front();
    p.others.erase(p.others.begin());
  }
  p.per = is_log(c) ? 4 : 8;
  p.columns_first = p.column.size > 1 && p.column.out < p.out;
  const std::int64_t most =
      p.columns_first ? kGroup / power_above(std::min(p.column.size, kColumns.of(p.column.size))) : kGroup;
  p.lanes = std::min(most, power_above(ceil_div(p.n, p.per)));
  const std::int64_t tiles = ceil_div(p.n, p.lanes * p.per), groups = std::max<std::int64_t>(1, p.line_groups());
  const std::int64_t wanted = ceil_div(kManyGroups.of(groups * tiles), groups);
  p.part = std::max<std::int64_t>(1, ceil_div(tiles, wanted)) * p.lanes * p.per;
  p.parts = std::max<std::int64_t>(1, ceil_div(p.n, p.part));
  return p;
}

// Steps of a lane, the lanes, tile by tile and part by part; what lies before a tile, and before a lane, is joined
// last.
Order order(const Call& c) {
  const Plan p = plan_of(c);
  Order o;
  const Dtype t = dtype_of_result(c);
  o.accumulator = t == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.shape = Order::Shape::lanes;
  o.lanes = p.lanes;
  o.block = p.lanes * p.per;
  o.split = p.parts;
  o.epilogue = static_cast<int>(2 + (p.n < o.block ? p.per : 0) + (p.parts > 1 ? p.part / o.block : 0));
  o.function_ulps = is_log(c) ? kFunctionUlps : 0;
  return o;
}

bool has_fp64(const Call& c, const Device& d) {
  return d.fp64 || (c.dtype(0) != Dtype::f64 && dtype_of_result(c) != Dtype::f64);
}
bool large(const Call& c, const Device&) { return c[0].size() >= kWorthDevice; }

const char* lane_of(Dtype t) {
  if (is_complex(t)) return "LANE_C64";
  return !is_inexact(t) ? "LANE_I64" : t == Dtype::f64 ? "LANE_F64" : "LANE_F32";
}
std::int64_t state_bytes(const Call& c, Dtype t) {
  return (is_inexact(t) && t != Dtype::f64 && !is_complex(t) ? 4 : 8) * (is_log(c) ? 2 : 1);
}

// The least value of a whole number's dtype, or the greatest, in the order of signed numbers.
std::int64_t end_of(Dtype t, bool lowest) {
  constexpr std::int64_t kTop = std::numeric_limits<std::int64_t>::max();
  if (is_inexact(t)) return 0;
  const int bits = t == Dtype::boolean ? 1 : 8 * info(t).bytes;
  if (bits == 64) return lowest ? -kTop - 1 : kTop;
  if (info(t).kind == Kind::signed_integer) return lowest ? -(kTop >> (64 - bits)) - 1 : kTop >> (64 - bits);
  return lowest ? 0 : (std::int64_t{1} << bits) - 1;
}

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  if (out[0].size() == 0) return gpu::job(std::move(out), [] {});
  const Plan p = plan_of(c);
  const Dtype to = specs[0].dtype;
  const bool plain_sum = c.op->name == "cumsum" && lane_of(to) == std::string_view("LANE_F32");
  const gpu::Options options{{lane_of(to)}, {is_log(c) ? "LOG" : plain_sum ? "SUM" : "ANY"}, {"PER", p.per}};
  std::vector<std::int64_t> geometry{p.column.size, p.column.in, p.column.out, std::ssize(p.others)};
  for (const Axis& a : p.others) geometry.insert(geometry.end(), {a.size, a.in, a.out});
  const bool flat = c.none("axis");
  const gpu::BufferPtr x = flat ? gpu::dense(c[0]) : gpu::input(c[0]), y = gpu::output(out[0]),
                       g = gpu::constants(geometry),
                       carries = gpu::scratch(static_cast<std::size_t>(p.lines * p.parts * state_bytes(c, to)));
  const std::int32_t op = op_of(c);
  const std::int64_t end = end_of(to, op == kMax);
  const auto pass = [&](bool total) {
    gpu::Kernel k("cumulative", "scan_lines", options);
    k.arg(x).arg(c.dtype(0)).arg(cast_of(c)).arg(flat ? std::int64_t{0} : gpu::element_offset(c[0])).arg(y).arg(to);
    k.arg(g).arg(p.n).arg(p.in).arg(p.out).arg(static_cast<std::int32_t>(p.lanes)).arg(std::int32_t{p.columns_first});
    k.arg(std::int32_t{c.flag("reverse")}).arg(std::int32_t{!c.flag("inclusive")}).arg(op).arg(end);
    k.arg(static_cast<std::int32_t>(p.parts)).arg(p.part).arg(std::int32_t{total}).arg(carries);
    return k;
  };
  const auto items = static_cast<std::size_t>(p.line_groups() * p.parts * kGroup);
  const gpu::Kernel write = pass(false);
  if (p.parts == 1) return gpu::job(std::move(out), [write, items] { write.run({items}, {kGroup}); });
  const gpu::Kernel totals = pass(true);
  gpu::Kernel join("cumulative", "scan_carries", options);
  join.arg(carries).arg(static_cast<std::int32_t>(p.parts)).arg(op).arg(end);
  const auto lines = static_cast<std::size_t>(p.lines * kGroup);
  return gpu::job(std::move(out), [=] {
    totals.run({items}, {kGroup});
    join.run({lines}, {kGroup});
    write.run({items}, {kGroup});
  });
}

}  // namespace

std::vector<Route> cumulative_gpu_routes() {
  std::vector<Route> routes;
  for (const char* op : {"cumsum", "cumprod", "cummax", "cummin", "logcumsumexp"}) {
    Route& r = routes.emplace_back();
    r.op = op;
    r.name = "gpu.scan";
    r.tier = r.needs = Tier::gpu;
    r.supports = {{Stage::capability, "the device has no f64 arithmetic", has_fp64}};
    r.prefers = {gpu::kNotHost, {Stage::shape_dtype, "under 65536 elements", large}};
    r.order = order;
    r.prepare = prepare;
  }
  return routes;
}

}  // namespace plumb
