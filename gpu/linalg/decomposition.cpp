// Cholesky factorisation on the device: see kernels/decomposition.cl.
#include <algorithm>

#include "gpu/linalg/tiled.h"
#include "gpu/runtime.h"

namespace plumb {
namespace {

constexpr std::int64_t kBlock = 64, kRows = 64, kSide = 16, kGroup = 256;  // as in kernels/decomposition.cl
constexpr std::int64_t kWorthLaunch = 1 << 14;                             // elements

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }
std::int64_t extent(const Call& c) { return c.shape(0).back(); }
std::int64_t batch(const Call& c) { return count(Shape(c.shape(0).begin(), c.shape(0).end() - 2)); }

gpu::Kernel kernel(const Call& c, const char* name) { return gpu::Kernel("decomposition", name, {{"X", c.dtype(0)}}); }

void raise(const Call& c, const gpu::BufferPtr& flags, std::int64_t matrices) {
  std::vector<std::int32_t> failed(size(matrices));
  flags->download(reinterpret_cast<std::byte*>(failed.data()));
  const auto first = std::find_if(failed.begin(), failed.end(), [](std::int32_t f) { return f >= 0; });
  if (first == failed.end()) return;
  c.fail(Reason::domain, "matrix " + std::to_string(first - failed.begin()) + " is not positive definite at pivot " +
                             std::to_string(*first));
}

// A job whose wait raises what the kernels found. Flags start as -1.
Job checked(const Call& c, const std::vector<Tensor>& out, const gpu::BufferPtr& flags, std::function<void()> enqueue) {
  Job job = gpu::job(out, [flags, enqueue = std::move(enqueue)] {
    gpu::fill_byte(flags, 0xFF);
    enqueue();
  });
  job.wait = [c, flags, matrices = batch(c), done = job.wait] {
    done();
    raise(c, flags, matrices);
  };
  return job;
}

Job prepare_small(const Call& c, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t n = extent(c), matrices = n == 0 ? 0 : batch(c);
  if (matrices == 0) return gpu::job(out, [] {});
  const gpu::BufferPtr flags = gpu::scratch(size(4 * matrices));
  gpu::Kernel small = kernel(c, "small");
  small.arg(gpu::dense(c[0])).arg(gpu::output(out[0])).arg(flags);
  small.arg(static_cast<std::int32_t>(n)).arg(std::int32_t{c.flag("upper")});
  return checked(c, out, flags, [=] { small.run({size(matrices * kBlock)}, {size(kBlock)}); });
}

// The kernels of one block of columns, and how many work-groups each takes.
struct Step {
  gpu::Kernel panel, trailing;
  std::int64_t panels, tiles;
};

std::vector<Step> steps(const Call& c, const gpu::BufferPtr& w, const gpu::BufferPtr& flags) {
  const std::int64_t n = extent(c), tile = c.dtype(0) == Dtype::f64 ? 64 : 128;
  std::vector<Step> all;
  for (std::int64_t k = 0; k + kBlock < n; k += kBlock) {
    const std::int64_t rest = n - k - kBlock, side = (rest + tile - 1) / tile;
    Step s{kernel(c, "panel"), kernel(c, "trailing"), (rest + kRows - 1) / kRows, side * (side + 1) / 2};
    s.panel.arg(w).arg(n).arg(k);
    s.trailing.arg(w).arg(flags).arg(n).arg(k);
    all.push_back(std::move(s));
  }
  return all;
}

Job prepare_blocked(const Call& c, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t n = extent(c), matrices = n == 0 ? 0 : batch(c), total = matrices * n * n;
  if (matrices == 0) return gpu::job(out, [] {});
  const bool upper = c.flag("upper");
  const gpu::BufferPtr result = gpu::output(out[0]), flags = gpu::scratch(size(4 * matrices));
  const gpu::BufferPtr w = upper ? gpu::scratch(size(total * info(c.dtype(0)).bytes)) : result;
  gpu::Kernel load = kernel(c, "load_lower"), first = kernel(c, "diagonal"), transpose = kernel(c, "transpose");
  load.arg(gpu::dense(c[0])).arg(w).arg(n).arg(std::int32_t{upper}).arg(total);
  first.arg(w).arg(flags).arg(n);
  transpose.arg(w).arg(result).arg(n);
  return checked(c, out, flags, [=, all = steps(c, w, flags)] {
    load.run({size(total)});
    first.run({size(matrices * kGroup)}, {size(kGroup)});
    for (const Step& s : all) {
      s.panel.run({size(s.panels * kRows), size(matrices)}, {size(kRows), 1});
      s.trailing.run({size(s.tiles * kGroup), size(matrices)}, {size(kGroup), 1});
    }
    if (upper) transpose.run({size(n), size(n), size(matrices)}, {size(kSide), size(kSide), 1});
  });
}

// Blocks of 64 columns, each summed in sequence; block sums are subtracted one after another.
Order by_blocks(const Call& c) {
  Order o;
  o.accumulator = c.dtype(0);
  o.block = kBlock;
  o.fma = true;
  return o;
}

const Condition kDoubles{Stage::device, "the device has no binary64",
                         [](const Call& c, const Device& d) { return c.dtype(0) == Dtype::f32 || d.fp64; }};
const Condition kGroups{Stage::device, "work-groups are smaller than 256",
                        [](const Call&, const Device& d) { return d.facts.max_work_group >= 256; }};
const Condition kLarge{Stage::shape_dtype, "under 16384 elements: a launch costs more",
                       [](const Call& c, const Device&) { return c[0].size() >= kWorthLaunch; }};

}  // namespace

std::vector<Route> decomposition_gpu_routes() {
  return {
      {
          .op = "cholesky",
          .name = "gpu.small",
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = {kDoubles,
                       kGroups,
                       {Stage::shape_dtype, "n is above 64",
                        [](const Call& c, const Device&) { return extent(c) <= kBlock; }}},
          .prefers = {gpu::kNotHost, kLarge},
          .order = by_blocks,
          .prepare = prepare_small,
      },
      {
          .op = "cholesky",
          .name = "gpu.blocked",
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = {kDoubles, kGroups},
          .prefers = {gpu::kNotHost, kLarge},
          .order = by_blocks,
          .prepare = prepare_blocked,
      },
      gpu::tiled_cholesky_gpu_route(),
  };
}

}  // namespace plumb
