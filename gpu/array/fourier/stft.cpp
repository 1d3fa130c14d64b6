// Transforms of frames on the device: frames side by side, transforms of columns, and frames added up again
// (kernels/array/fourier/fourier.cl).
#include "plans/array/fourier/stft.h"

#include <algorithm>

#include "gpu/array/fft_lines.h"

namespace plumb {
namespace {

using fft::Frames;
using fft::Problem;
using gpu::BufferPtr;
using gpu::Steps;

constexpr double kTwiddleError = 0x1p-24;
constexpr std::int64_t kWorthLaunch = 1 << 15;  // elements from which the device is the better choice

BufferPtr floats(std::int64_t n) { return gpu::scratch(4 * static_cast<std::size_t>(std::max<std::int64_t>(1, n))); }

void add_each(Steps& steps, gpu::Kernel kernel, std::int64_t n) {
  steps.emplace_back([kernel = std::move(kernel), n] { kernel.run({static_cast<std::size_t>(n)}); });
}

// The window as complex numbers, whether there is one, and where it lies.
void add_window(Steps& steps, gpu::Kernel& kernel, const Call& c, const Frames& t) {
  const bool given = c.has(1) && t.window > 0;
  kernel.arg(given ? gpu::add_complex(steps, c[1], true) : floats(2)).arg(std::int32_t{given});
  kernel.arg(t.front).arg(t.window).arg(t.n).arg(t.hop).arg(t.pad).arg(t.samples).arg(t.frames);
}

Job done(std::vector<Tensor> out, Steps steps) {
  return gpu::job(std::move(out), [steps = std::move(steps)] {
    for (const auto& step : steps) step();
  });
}

Job stft(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  if (out[0].size() == 0) return gpu::job(std::move(out), [] {});
  const Frames t = fft::frames_of_stft(c);
  const std::int64_t total = t.batch * t.n * t.frames;
  Steps steps;
  const BufferPtr framed = floats(2 * total);
  gpu::Kernel kernel("fourier", "frames");
  kernel.arg(c[0].size() > 0 ? gpu::add_complex(steps, c[0], false) : floats(2)).arg(framed).arg(total);
  add_window(steps, kernel, c, t);
  add_each(steps, std::move(kernel.arg(static_cast<std::int32_t>(t.beyond))), total);
  gpu::add_lines(steps, fft::problem_of(t, false, t.batch, t.frames), framed, gpu::output(out[0]));
  return done(std::move(out), std::move(steps));
}

Job istft(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t total = out[0].size();
  if (total == 0) return gpu::job(std::move(out), [] {});
  const Frames t = fft::frames_of_istft(c);
  const Problem p = fft::problem_of(t, true, t.batch, t.frames);
  const std::int64_t parts = t.half ? 1 : 2;
  Steps steps;
  const BufferPtr y = floats(p.lines * t.n * parts);
  gpu::add_lines(steps, p, c[0].size() > 0 ? gpu::add_complex(steps, c[0], false) : floats(2), y);
  gpu::Kernel kernel("fourier", "add_up");
  kernel.arg(y).arg(gpu::output(out[0])).arg(total);
  add_window(steps, kernel, c, t);
  add_each(steps, std::move(kernel.arg(parts)), total);
  return done(std::move(out), std::move(steps));
}

Order stft_order(const Call& c) { return fft::order_of(fft::frames_of_stft(c), false, gpu::growth, kTwiddleError); }
Order istft_order(const Call& c) { return fft::order_of(fft::frames_of_istft(c), true, gpu::growth, kTwiddleError); }

bool inverse(const Call& c) { return c.op->name == "istft"; }
Frames frames_of(const Call& c) { return inverse(c) ? fft::frames_of_istft(c) : fft::frames_of_stft(c); }

constexpr Condition kLocalMemory{Stage::device, "under 36 KiB of local memory", gpu::has_local_memory};
constexpr Condition kDouble{Stage::storage, "f64 input, and the device has no fp64",
                            [](const Call& c, const Device& d) {
                              return d.fp64 || (c.dtype(0) != Dtype::f64 && !(c.has(1) && c.dtype(1) == Dtype::f64));
                            }};
constexpr Condition kLines{Stage::shape_dtype, "frames that no kernel of one axis takes",
                           [](const Call& c, const Device&) {
                             const Frames t = frames_of(c);
                             return gpu::takes_lines(fft::problem_of(t, inverse(c), t.batch, t.frames));
                           }};
constexpr Condition kLarge{Stage::shape_dtype, "under 32768 elements of frames: a launch costs more",
                           [](const Call& c, const Device&) {
                             const Frames t = frames_of(c);
                             return t.batch * t.frames * t.n >= kWorthLaunch;
                           }};

}  // namespace

std::vector<Route> stft_gpu_routes() {
  Route forward, back;
  forward.op = "stft";
  forward.order = stft_order;
  forward.prepare = stft;
  back.op = "istft";
  back.order = istft_order;
  back.prepare = istft;
  for (Route* r : {&forward, &back}) {
    r->name = "gpu.frames";
    r->tier = r->needs = Tier::gpu;
    r->supports = {kLocalMemory, kDouble, kLines};
    r->prefers = {gpu::kNotHost, kLarge};
  }
  return {forward, back};
}

}  // namespace plumb
