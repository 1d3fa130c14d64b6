// Stable argsort on the device: see kernels/sort.cl.
#include <algorithm>
#include <bit>

#include "gpu/array/sort.h"

namespace plumb {
namespace {

constexpr std::int64_t kGroup = 256, kDigits = 256;  // as in kernels/sort.cl
// Also there: elements of a work-item of a tile, and sums that a work-group makes at once.
constexpr Limit kItems{"gpu.sort.items", 8, 1}, kStep{"gpu.sort.step", kGroup, 2};
constexpr Limit kFewTiles{"gpu.sort.few_tiles", 64, 1};  // sums that one work-item makes alone
constexpr std::int64_t kMostPoints = 512;
constexpr std::int64_t kWorthLaunch = 1 << 15;  // elements

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

// Lines lie `inner` apart in a dense array; axis none is one line.
struct Lines {
  std::int64_t n, inner, lines;
  std::int64_t total() const { return n * lines; }
};

Lines lines_of(const Call& c) {
  const Shape& s = c.shape(0);
  if (c.none("axis")) return {count(s), 1, 1};
  const auto axis = size(c.axis());
  const std::int64_t inner = count(Shape(s.begin() + static_cast<std::ptrdiff_t>(axis) + 1, s.end()));
  return {s[axis], inner, inner * count(Shape(s.begin(), s.begin() + static_cast<std::ptrdiff_t>(axis)))};
}

Job prepare_network(const Call& c, const std::vector<Spec>& specs) {
  const Lines l = lines_of(c);
  const std::int64_t points = l.n <= 32 ? 32 : l.n <= 256 ? 256 : kMostPoints;
  const std::int64_t together = std::max<std::int64_t>(1, kGroup / points), group = together * points / 2;
  std::vector<Tensor> out = gpu::outputs(specs);
  const bool wide = info(c.dtype(0)).bytes == 8;
  gpu::Kernel kernel("sort", "network", {{"POINTS", points}, {"LINES", together}, {"WIDE", wide}});
  kernel.arg(gpu::dense(c[0])).arg(gpu::output(out[0])).arg(c.dtype(0));
  kernel.arg(l.n).arg(l.inner).arg(l.lines);
  const std::int64_t groups = l.n == 0 ? 0 : (l.lines + together - 1) / together;
  return gpu::job(out, [=] { kernel.run({size(groups * group)}, {size(group)}); });
}

struct Pass {
  gpu::Kernel count, scan, scatter;
};

// What enqueues the passes over the lines of x; none is empty.
std::function<void()> radix_passes(const gpu::BufferPtr& x, const gpu::BufferPtr& result, const Lines& l, Dtype type) {
  const gpu::SortTiles cut(l.n);
  const std::int64_t total = l.total(), tiles = cut.tiles, groups = tiles * l.lines;
  const std::int64_t rows = l.lines * kDigits;
  const bool few = cut.few;
  const gpu::BufferPtr counts = gpu::scratch(size(groups * kDigits * 4)), totals = gpu::scratch(size(rows * 4));
  gpu::BufferPtr key[2], index[2];
  for (int i = 0; i < 2; ++i) {
    key[i] = gpu::scratch(size(total * 4));
    index[i] = gpu::scratch(size(total * 4));
  }
  const auto on_all = [&](const char* name, const gpu::BufferPtr& k, const gpu::BufferPtr& i) {
    gpu::Kernel kernel("sort", name, cut.options);
    kernel.arg(x).arg(k).arg(i).arg(type).arg(l.n).arg(l.inner).arg(total);
    return kernel;
  };
  const gpu::Kernel low = on_all("keys", key[0], index[0]);
  std::vector<Pass> passes;
  for (int p = 0; p < info(type).bytes; ++p) {
    const int from = p % 2, to = 1 - from;
    const std::int32_t shift = 8 * (p % 4), last = p + 1 == info(type).bytes;
    Pass pass{gpu::Kernel("sort", "count", cut.options), gpu::Kernel("sort", few ? "scan_few" : "scan", cut.options),
              gpu::Kernel("sort", "scatter", cut.options)};
    const auto columns = static_cast<std::int32_t>(tiles);
    pass.count.arg(key[from]).arg(counts).arg(l.n).arg(columns).arg(shift);
    pass.scan.arg(counts).arg(totals).arg(columns);
    if (few) pass.scan.arg(rows);
    pass.scatter.arg(key[from]).arg(index[from]).arg(key[to]).arg(last ? result : index[to]);
    pass.scatter.arg(counts).arg(totals).arg(l.n).arg(columns).arg(shift).arg(last).arg(l.inner);
    passes.push_back(std::move(pass));
  }
  const gpu::Kernel high = on_all("high_keys", key[0], index[0]);
  return [=] {
    low.run({size(total)});
    for (std::size_t p = 0; p < passes.size(); ++p) {
      if (p == 4) high.run({size(total)});
      passes[p].count.run({size(groups * kGroup)}, {size(kGroup)});
      passes[p].scan.run({size(few ? rows : rows * kGroup)}, {size(kGroup)});
      passes[p].scatter.run({size(groups * kGroup)}, {size(kGroup)});
    }
  };
}

Job prepare_radix(const Call& c, const std::vector<Spec>& specs) {
  const Lines l = lines_of(c);
  std::vector<Tensor> out = gpu::outputs(specs);
  if (l.total() == 0) return gpu::job(out, [] {});
  const gpu::BufferPtr x = gpu::dense(c[0]), result = gpu::output(out[0]);
  return gpu::job(out, radix_passes(x, result, l, c.dtype(0)));
}

const Condition kLarge{Stage::shape_dtype, "under 32768 elements: a launch costs more",
                       [](const Call& c, const Device&) { return c[0].size() >= kWorthLaunch; }};

}  // namespace

gpu::SortTiles::SortTiles(std::int64_t n) : options{{"ITEMS", kItems}, {"STEP", kStep}} {
  const std::int64_t tile = kGroup * kItems.of((n + kGroup - 1) / kGroup);
  tiles = (n + tile - 1) / tile;
  few = tiles <= kFewTiles.of(tiles);
  if (!few) (void)kStep.of(tiles);
}

std::function<void()> gpu::radix_argsort(const BufferPtr& keys, std::int64_t n, const BufferPtr& order) {
  if (n == 0) return [] {};
  return radix_passes(keys, order, {n, 1, 1}, Dtype::i64);
}

std::vector<Route> sort_gpu_routes() {
  return {
      {
          .op = "argsort",
          .name = "gpu.network",
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = {{Stage::device, "work-groups are smaller than 256",
                        [](const Call&, const Device& d) { return d.facts.max_work_group >= kMostPoints / 2; }},
                       {Stage::shape_dtype, "a line is longer than 512",
                        [](const Call& c, const Device&) { return lines_of(c).n <= kMostPoints; }}},
          .prefers = {gpu::kNotHost, kLarge},
          .prepare = prepare_network,
      },
      {
          .op = "argsort",
          .name = "gpu.radix",
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = {{Stage::device, "work-groups are smaller than 256",
                        [](const Call&, const Device& d) { return d.facts.max_work_group >= kGroup; }}},
          .prefers = {gpu::kNotHost, kLarge},
          .prepare = prepare_radix,
      },
  };
}

}  // namespace plumb
