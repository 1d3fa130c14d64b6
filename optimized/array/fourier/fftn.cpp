// Transforms of several axes: passes over the lines of one axis after the other, in place where an axis keeps its size.
#include "plans/array/fourier/fftn.h"

#include <algorithm>
#include <atomic>

#include "core/pool.h"
#include "core/route.h"
#include "optimized/array/fft_range.h"
#include "optimized/array/fourier/lines.h"

namespace plumb {
namespace {

using fft::Passes;
using fft::Problem;

constexpr double kTwiddleError = 0x1p-24;
constexpr std::int64_t kGrain = 1 << 15;  // numbers worth a thread
constexpr float kDown = 0x1p-64f;         // of a block that is large

bool any_large(const float* x, std::int64_t n) {
  std::atomic<bool> found{false};
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    if (fft::largest_bits(x + begin, end - begin) >= fft::kLarge) found = true;
  });
  return found;
}

using Large = std::vector<char>;  // 1 for each block that is

Large large_blocks(const Passes& all, const float* x, std::int64_t size) {
  Large large(static_cast<std::size_t>(all.blocks), 0);
  for (std::int64_t i = 0; i < size; ++i)
    if (fft::largest_bits(x + 2 * i, 2) >= fft::kLarge) large[static_cast<std::size_t>(fft::block_of(all.in, i))] = 1;
  return large;
}

// Elements of so many floats each: those of large blocks times `by`.
void scale(const std::vector<fft::BlockAxis>& axes, const Large& large, float by, const float* x, std::int64_t size,
           int floats, float* y) {
  parallel_for(size, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float factor = large[static_cast<std::size_t>(fft::block_of(axes, i))] != 0 ? by : 1;
      for (std::int64_t f = i * floats; f < (i + 1) * floats; ++f) y[f] = x[f] * factor;
    }
  });
}

// Whether later passes leave the size as it is behind pass k, so that its result may lie where theirs will.
bool lasts(const std::vector<Problem>& passes, std::size_t k) {
  return std::all_of(passes.begin() + static_cast<std::ptrdiff_t>(k) + 1, passes.end(),
                     [](const Problem& p) { return !p.real_out && p.size == p.out; });
}

// The first pass reads x. Each writes into what it reads where it may and the size stays; else into the result, if that
// is of its size, or into fresh memory.
void run(const std::vector<Problem>& passes, Tensor x, float* out) {
  const float* from = x.read<float>();
  float* own = nullptr;
  for (std::size_t k = 0; k < passes.size(); ++k) {
    const Problem& p = passes[k];
    if (p.real_out) return fft::transform_to_real(p, from, out);
    const Tensor before = x;  // until the pass has read it
    if (!own || p.size != p.out) {
      if (!lasts(passes, k)) x = Tensor(Spec{Dtype::c64, {p.outer, p.out, p.inner}});
      own = lasts(passes, k) ? out : x.write<float>();
    }
    fft::transform_lines(p, from, own);
    from = own;
  }
}

void transform(const Call& c, std::vector<Tensor>& out) {
  const std::int64_t size = out[0].size();
  if (size == 0) return;
  const Passes all = fft::passes(c);
  Tensor x = fft::complex_input(c[0], all.passes.front().real_in);
  float* y = out[0].write<float>();
  if (!any_large(x.read<float>(), 2 * x.size())) return run(all.passes, x, y);
  const Large large = large_blocks(all, x.read<float>(), x.size());
  const Tensor scaled(x.spec());
  scale(all.in, large, kDown, x.read<float>(), x.size(), 2, scaled.write<float>());
  run(all.passes, scaled, y);
  scale(all.out, large, 1 / kDown, y, size, all.passes.back().real_out ? 1 : 2, y);
}

Order order(const Call& c) { return fft::order_of(fft::passes(c), fft::growth, kTwiddleError); }

}  // namespace

std::vector<Route> fftn_cpu_routes() {
  std::vector<Route> routes;
  for (const char* op : {"fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn"})
    routes.push_back(
        {.op = op, .name = "cpu.axes", .supports = {}, .prefers = {}, .order = order, .prepare = host<transform>});
  return routes;
}

}  // namespace plumb
