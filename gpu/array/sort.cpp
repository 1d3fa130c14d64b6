// Stable argsort on the device: see kernels/sort.cl.
#include <algorithm>
#include <bit>

#include "gpu/array/sort.h"

namespace plumb {
namespace {

using gpu::SortLines;

constexpr std::int64_t kGroup = 256, kDigits = 256;  // as in kernels/sort.cl
// Also there: elements of a work-item of a tile, and sums that a work-group makes at once.
constexpr Limit kItems{"gpu.sort.items", 8, 1}, kStep{"gpu.sort.step", kGroup, 2};
constexpr Limit kFewTiles{"gpu.sort.few_tiles", 64, 1};  // sums that one work-item makes alone

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

struct Pass {
  gpu::Kernel count, scan, scatter;
};

// The passes over the lines of x; none is empty.
std::function<void()> radix_passes(const gpu::BufferPtr& x, const gpu::BufferPtr& result, const SortLines& l,
                                   Dtype type) {
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

using Order = std::function<void()> (*)(const gpu::BufferPtr&, Dtype, const SortLines&, const gpu::BufferPtr&);

template <Order kOrder>
Job indices(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  return gpu::job(out, kOrder(gpu::dense(c[0]), c.dtype(0), SortLines(c), gpu::output(out[0])));
}

template <Order kOrder>
Job values(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const SortLines l(c);
  const gpu::BufferPtr x = gpu::dense(c[0]), order = gpu::scratch(size(l.total() * 4));
  const auto sort = kOrder(x, c.dtype(0), l, order);
  const auto take = gpu::take_ordered(x, c.dtype(0), l, order, l.n, gpu::output(out[0]));
  return gpu::job(out, [=] { sort(), take(); });
}

}  // namespace

gpu::SortTiles::SortTiles(std::int64_t n) : options{{"ITEMS", kItems}, {"STEP", kStep}} {
  const std::int64_t tile = kGroup * kItems.of((n + kGroup - 1) / kGroup);
  tiles = (n + tile - 1) / tile;
  few = tiles <= kFewTiles.of(tiles);
  if (!few) (void)kStep.of(tiles);
}

gpu::SortLines::SortLines(const Call& c) : n(count(c.shape(0))), inner(1), lines(1) {
  if (c.none("axis")) return;
  const Shape& s = c.shape(0);
  const auto axis = size(c.axis());
  n = s[axis];
  inner = count(Shape(s.begin() + static_cast<std::ptrdiff_t>(axis) + 1, s.end()));
  lines = inner * count(Shape(s.begin(), s.begin() + static_cast<std::ptrdiff_t>(axis)));
}

std::function<void()> gpu::network_order(const BufferPtr& x, Dtype type, const SortLines& l, const BufferPtr& order) {
  const std::int64_t points = l.n <= 32 ? 32 : l.n <= 256 ? 256 : kMostPoints;
  const std::int64_t together = std::max<std::int64_t>(1, kGroup / points), group = together * points / 2;
  const bool wide = info(type).bytes == 8;
  Kernel kernel("sort", "network", {{"POINTS", points}, {"LINES", together}, {"WIDE", wide}});
  kernel.arg(x).arg(order).arg(type).arg(l.n).arg(l.inner).arg(l.lines);
  const std::int64_t groups = l.n == 0 ? 0 : (l.lines + together - 1) / together;
  return [=] { kernel.run({size(groups * group)}, {size(group)}); };
}

std::function<void()> gpu::radix_order(const BufferPtr& x, Dtype type, const SortLines& l, const BufferPtr& order) {
  if (l.total() == 0) return [] {};
  return radix_passes(x, order, l, type);
}

std::function<void()> gpu::take_ordered(const BufferPtr& x, Dtype type, const SortLines& l, const BufferPtr& order,
                                        std::int64_t kept, const BufferPtr& out) {
  const std::int64_t total = kept * l.lines;
  Kernel kernel("sort", "take_ordered", SortTiles(l.n).options);
  kernel.arg(x).arg(order).arg(out).arg(info(type).bytes).arg(l.n).arg(kept).arg(l.inner).arg(total);
  return [=] { kernel.run({size(total)}); };
}

std::function<void()> gpu::take_all(const BufferPtr& x, Dtype type, const SortLines& l, const BufferPtr& out) {
  Kernel kernel("sort", "take_all", SortTiles(l.n).options);
  kernel.arg(x).arg(out).arg(info(type).bytes).arg(l.total());
  return [=] { kernel.run({size(l.total())}); };
}

std::function<void()> gpu::radix_argsort(const BufferPtr& keys, std::int64_t n, const BufferPtr& order) {
  return radix_order(keys, Dtype::i64, {n, 1, 1}, order);
}

std::vector<Route> sort_gpu_routes() {
  const auto network = [](std::string_view op, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
    return Route{.op = op,
                 .name = "gpu.network",
                 .tier = Tier::gpu,
                 .needs = Tier::gpu,
                 .supports = {gpu::kSortGroups, gpu::kSortPoints},
                 .prefers = {gpu::kNotHost, gpu::kWorthSort},
                 .prepare = prepare};
  };
  const auto radix = [](std::string_view op, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
    return Route{.op = op,
                 .name = "gpu.radix",
                 .tier = Tier::gpu,
                 .needs = Tier::gpu,
                 .supports = {gpu::kSortGroups},
                 .prefers = {gpu::kNotHost, gpu::kWorthSort},
                 .prepare = prepare};
  };
  return {network("argsort", indices<gpu::network_order>), radix("argsort", indices<gpu::radix_order>),
          network("sort", values<gpu::network_order>), radix("sort", values<gpu::radix_order>)};
}

}  // namespace plumb
