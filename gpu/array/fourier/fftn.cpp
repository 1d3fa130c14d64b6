// Transforms of several axes on the device: passes over the lines of one axis after the other, and the range of blocks
// (kernels/array/fourier/fourier.cl).
#include "plans/array/fourier/fftn.h"

#include <algorithm>

#include "gpu/array/fft_lines.h"

namespace plumb {
namespace {

using fft::Passes;
using fft::Problem;
using gpu::BufferPtr;
using gpu::Steps;

constexpr double kTwiddleError = 0x1p-24;
constexpr std::int64_t kWorthLaunch = 1 << 15;  // elements from which the device is the better choice
constexpr float kDown = 0x1p-64F;               // of a block that is large

BufferPtr floats(std::int64_t n) { return gpu::scratch(4 * static_cast<std::size_t>(std::max<std::int64_t>(1, n))); }

// A size and a step for each axis, innermost first.
BufferPtr table(const std::vector<fft::BlockAxis>& axes) {
  std::vector<std::int64_t> numbers;
  for (const fft::BlockAxis& a : axes) numbers.insert(numbers.end(), {a.size, a.step});
  return gpu::constants(numbers);
}

void add_each(Steps& steps, gpu::Kernel kernel, std::int64_t n) {
  steps.emplace_back([kernel = std::move(kernel), n] { kernel.run({static_cast<std::size_t>(n)}); });
}

// What a job has beside its passes.
struct Blocks {
  const Passes& all;
  BufferPtr large;  // a flag for each block

  void add_find(Steps& steps, const BufferPtr& x, std::int64_t size) const {
    steps.emplace_back([flags = large] { gpu::fill_zero(flags); });
    gpu::Kernel find("fourier", "find_large");
    find.arg(x).arg(size).arg(large).arg(table(all.in)).arg(static_cast<std::int32_t>(all.in.size()));
    add_each(steps, std::move(find), size);
  }
  void add_scaled(Steps& steps, const BufferPtr& x, std::int64_t size, const BufferPtr& y) const {
    gpu::Kernel down("fourier", "scaled");
    down.arg(x).arg(y).arg(size).arg(large).arg(table(all.in)).arg(static_cast<std::int32_t>(all.in.size()));
    add_each(steps, std::move(down.arg(kDown)), size);
  }
  // In place, floats to an element: a block that is not large is not touched.
  void add_scale_back(Steps& steps, const BufferPtr& y, std::int64_t size, int floats_each) const {
    gpu::Kernel up("fourier", "scale_back");
    up.arg(y).arg(size * floats_each).arg(std::int32_t{floats_each}).arg(large).arg(table(all.out));
    add_each(steps, std::move(up.arg(static_cast<std::int32_t>(all.out.size())).arg(1 / kDown)), size * floats_each);
  }
};

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t total = out[0].size(), given = c[0].size();
  if (total == 0) return gpu::job(out, [] {});
  const Passes all = fft::passes(c);
  const BufferPtr result = gpu::output(out[0]);
  const Blocks blocks{all, floats(all.blocks)};
  Steps steps;
  BufferPtr x = floats(2 * given);
  if (given > 0) {
    const BufferPtr source = gpu::add_complex(steps, c[0], all.passes.front().real_in);
    blocks.add_find(steps, source, given);
    blocks.add_scaled(steps, source, given, x);
  }
  for (const Problem& p : all.passes) {
    const bool last = &p == &all.passes.back();
    const BufferPtr to = last ? result : floats(2 * p.lines * p.out);
    gpu::add_lines(steps, p, x, to);
    x = to;
  }
  if (given > 0) blocks.add_scale_back(steps, result, total, all.passes.back().real_out ? 1 : 2);
  return gpu::job(out, [steps = std::move(steps)] {
    for (const auto& step : steps) step();
  });
}

Order order(const Call& c) { return fft::order_of(fft::passes(c), gpu::growth, kTwiddleError); }

constexpr Condition kLocalMemory{Stage::device, "under 36 KiB of local memory", gpu::has_local_memory};
constexpr Condition kDouble{Stage::storage, "f64 input, and the device has no fp64",
                            [](const Call& c, const Device& d) { return c[0].dtype() != Dtype::f64 || d.fp64; }};
constexpr Condition kLines{Stage::shape_dtype, "lines of an axis that no kernel of one axis takes",
                           [](const Call& c, const Device&) {
                             const Passes all = fft::passes(c);
                             return std::all_of(all.passes.begin(), all.passes.end(), gpu::takes_lines);
                           }};
constexpr Condition kLarge{
    Stage::shape_dtype, "under 32768 elements: a launch costs more",
    [](const Call& c, const Device&) { return count(output_specs(c)[0].shape) >= kWorthLaunch; }};

}  // namespace

std::vector<Route> fftn_gpu_routes() {
  std::vector<Route> routes;
  for (const char* op : {"fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn"})
    routes.push_back({.op = op,
                      .name = "gpu.axes",
                      .tier = Tier::gpu,
                      .needs = Tier::gpu,
                      .supports = {kLocalMemory, kDouble, kLines},
                      .prefers = {gpu::kNotHost, kLarge},
                      .order = order,
                      .prepare = prepare});
  return routes;
}

}  // namespace plumb
