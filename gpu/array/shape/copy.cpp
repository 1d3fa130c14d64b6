#include "gpu/array/shape/copy.h"

#include <algorithm>
#include <utility>

#include "gpu/copy.h"
#include "gpu/runtime.h"
#include "plans/array/shape/movement.h"
#include "plans/array/shape/routes.h"

namespace plumb::gpu {
namespace {

using movement::Piece;
using movement::Plan;
using Step = std::function<void()>;  // enqueues

constexpr std::int64_t kWorthLaunch = 1 << 16;  // elements
constexpr std::size_t kGroup = 64;              // named, so that a kernel is compiled once and not for each size

std::string width_of(Dtype t) { return std::to_string(info(t).bytes); }

// Axes from the innermost one, then their runs: as kernels/array/shape/move.cl reads them.
std::vector<std::int64_t> geometry_of(const Piece& p) {
  std::vector<std::int64_t> axes, runs;
  for (std::size_t d = p.axes.size(); d-- > 0;) {
    const movement::LoopAxis& a = p.axes[d];
    const auto first = static_cast<std::int64_t>(runs.size() / 3);
    axes.insert(axes.end(), {a.size, a.to, first, static_cast<std::int64_t>(a.runs.size())});
    std::int64_t begin = 0;
    for (const movement::Run& r : a.runs) {
      runs.insert(runs.end(), {begin, r.first, r.step});
      begin += r.size;
    }
  }
  axes.insert(axes.end(), runs.begin(), runs.end());
  return axes;
}

std::int64_t size_of(const Piece& p) {
  std::int64_t n = 1;
  for (const movement::LoopAxis& a : p.axes) n *= a.size;
  return n;
}

// What a piece reads: a buffer, and where in it the first element of its input lies.
struct Source {
  BufferPtr buffer;
  std::int64_t first = 0;
};

// A piece that fills the whole output from axes that lie the other way round, through tiles in local memory.
std::optional<Step> tiled(const Piece& p, const Source& x, const BufferPtr& y, const std::string& width) {
  std::vector<CopyAxis> axes;
  std::int64_t dense = 1;
  for (std::size_t d = p.axes.size(); d-- > 0; dense *= p.axes[d].size) {
    const movement::LoopAxis& a = p.axes[d];
    if (a.runs.size() > 1 || a.runs[0].first != 0 || a.to != dense) return std::nullopt;
    axes.push_back({a.size, a.runs[0].step});
  }
  if (p.to != 0 || !is_transposed(axes)) return std::nullopt;
  const CopyAxis batch = axes.size() == 3 ? axes[2] : CopyAxis{1, 0};
  Kernel kernel("copy", "transpose" + width);
  kernel.arg(x.buffer).arg(y).arg(x.first + p.from).arg(batch.stride).arg(axes[1].stride).arg(axes[0].stride);
  kernel.arg(static_cast<std::int32_t>(axes[1].size)).arg(static_cast<std::int32_t>(axes[0].size));
  const auto extent = [](const CopyAxis& a) { return static_cast<std::size_t>(a.size); };
  return [=] { kernel.run({extent(axes[1]), extent(axes[0]), extent(batch)}, {16, 16, 1}); };
}

Step moved(const Piece& p, const Source& x, const BufferPtr& y, const std::string& width, const Plan& plan) {
  const std::int64_t n = size_of(p);
  const movement::Band band = plan.band.value_or(movement::Band{0, 0, 0, 0});
  Kernel kernel("move", "move" + width);
  kernel.arg(x.buffer).arg(y).arg(constants(geometry_of(p))).arg(static_cast<std::int32_t>(p.axes.size()));
  kernel.arg(x.first + p.from).arg(p.to).arg(n);
  kernel.arg(plan.constant.defined() ? input(plan.constant) : x.buffer);
  kernel.arg(band.rows).arg(band.columns).arg(band.lowest).arg(band.highest);
  return [=] { kernel.run({static_cast<std::size_t>(n)}, {kGroup}); };
}

const char* conversion_to(Dtype t) {
  if (t == Dtype::c64) return "to_complex";
  if (t == Dtype::f64) return "to_double";
  return is_real(t) ? "to_float" : "to_whole";
}

Source dense_source(const Tensor& t, Dtype dtype, std::vector<Step>& steps) {
  const BufferPtr x = dense(t);
  if (t.dtype() == dtype) return {x};
  const BufferPtr y = scratch(static_cast<std::size_t>(t.size() * info(dtype).bytes));
  Kernel kernel("copy", conversion_to(dtype));
  kernel.arg(x).arg(t.dtype()).arg(y).arg(dtype).arg(t.size());
  steps.emplace_back([kernel, n = static_cast<std::size_t>(t.size())] { kernel.run({n}); });
  return {y};
}

Job copy(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = outputs(specs);
  if (out[0].size() == 0) return job(out, [] {});
  const Plan plan = movement::plan(c, specs);
  const BufferPtr y = output(out[0]);
  std::vector<Step> steps;
  if (plan.zeroed) steps.emplace_back([y] { fill_zero(y); });
  for (const Piece& piece : plan.pieces) {
    const Tensor& t = c[piece.input];
    if (t.size() == 0 && !plan.constant.defined()) continue;
    const Source x = piece.dense ? dense_source(t, out[0].dtype(), steps) : Source{input(t), element_offset(t)};
    const Piece p = movement::merged(piece);
    const std::string width = width_of(piece.dense ? out[0].dtype() : t.dtype());
    const auto tiles = plan.band ? std::nullopt : tiled(p, x, y, width);
    steps.push_back(tiles ? *tiles : moved(p, x, y, width, plan));
  }
  return job(out, [steps] {
    for (const Step& enqueue : steps) enqueue();
  });
}

// No kernel runs: the outputs are the input's memory on the device, under other shapes and strides.
Job view(const Call& c, const std::vector<Spec>&) {
  if (c[0].size() > 0) (void)input(c[0]);
  return job(movement::see(c), [] {});
}

const Condition kLarge{Stage::shape_dtype, "under 65536 elements: a launch costs more",
                       [](const Call& c, const Device&) { return count(output_specs(c)[0].shape) >= kWorthLaunch; }};

bool mixes_f64(const Call& c) {
  const Dtype to = output_specs(c)[0].dtype;
  return std::any_of(c.specs.begin(), c.specs.end(), [&](const auto& s) {
    return s && s->dtype != to && (s->dtype == Dtype::f64 || to == Dtype::f64);
  });
}
const Condition kConverts{Stage::capability, "f64 meets another type, and the device has no binary64",
                          [](const Call& c, const Device& d) { return d.fp64 || !mixes_f64(c); }};

Route view_route(std::string_view op) {
  return {.op = op,
          .name = "gpu.view",
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = {},
          .prefers = {kNotHost},
          .prepare = view};
}

Route copy_route(std::string_view op) {
  return {.op = op,
          .name = "gpu.copy",
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = {},
          .prefers = {kNotHost, kLarge},
          .prepare = copy};
}

}  // namespace

std::vector<Route> view_routes(const std::vector<std::string_view>& ops) { return movement::one_each(ops, view_route); }
std::vector<Route> copy_routes(const std::vector<std::string_view>& ops) { return movement::one_each(ops, copy_route); }
std::vector<Route> view_or_copy_routes(const std::vector<std::string_view>& ops) {
  return movement::view_or_copy(ops, view_route, copy_route);
}

std::vector<Route> promoting_copy_routes(const std::vector<std::string_view>& ops) {
  std::vector<Route> all = copy_routes(ops);
  for (Route& r : all) r.supports = {kConverts};
  return all;
}

}  // namespace plumb::gpu
