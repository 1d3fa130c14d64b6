// Distinct values on the device: see kernels/array/order/unique.cl.
#include <cstring>

#include "gpu/array/sort.h"

namespace plumb {
namespace {

using gpu::BufferPtr;

constexpr std::int64_t kGroup = 256;  // as in kernels/array/sort.cl

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }
BufferPtr words(std::int64_t n) { return gpu::scratch(size(4 * n)); }

// The fill as one element of the input's dtype; some element where there is none.
BufferPtr fill_element(const Call& c) {
  Wide value = Reals({1}, 0.0);
  if (!c.none("fill_value")) {
    const auto* whole = c.attrs.find("fill_value")->get<std::int64_t>();
    if (whole) value = Integers({1}, *whole);
    else value = Reals({1}, c.number("fill_value"));
  }
  return gpu::input(narrow(value, c.dtype(0)));
}

struct Result {
  BufferPtr values, indices, inverse, counts;
};

// What enqueues groups and their places; totals: how many groups there are. Nothing is empty.
std::function<void()> place_groups(const BufferPtr& x, Dtype type, std::int64_t n, const BufferPtr& order,
                                   const Result& to, std::int64_t shown, const BufferPtr& starts,
                                   const BufferPtr& totals) {
  const gpu::SortTiles cut(n);
  const BufferPtr counts = words(cut.tiles);
  const auto tiles = static_cast<std::int32_t>(cut.tiles);
  gpu::Kernel count("unique", "count_groups", cut.options);
  count.arg(x).arg(type).arg(order).arg(counts).arg(n);
  gpu::Kernel scan("sort", cut.few ? "scan_few" : "scan", cut.options);
  scan.arg(counts).arg(totals).arg(tiles);
  if (cut.few) scan.arg(std::int64_t{1});
  gpu::Kernel place("unique", "place_groups", cut.options);
  place.arg(x).arg(type).arg(info(type).bytes).arg(order).arg(counts);
  place.arg(to.values).arg(to.indices).arg(to.inverse).arg(starts).arg(shown).arg(n);
  const std::size_t all = size(cut.tiles * kGroup), scanned = size(cut.few ? 1 : kGroup);
  const bool few = cut.few;
  return [=] {
    count.run({all}, {size(kGroup)});
    if (few) scan.run({scanned});
    else scan.run({scanned}, {size(kGroup)});
    place.run({all}, {size(kGroup)});
  };
}

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t n = c[0].size(), shown = c.integer("size");
  const Dtype type = c.dtype(0);
  const BufferPtr x = gpu::dense(c[0]), order = words(n), starts = words(shown + 1), totals = words(1);
  const Result to{gpu::output(out[0]), gpu::output(out[1]), gpu::output(out[2]), gpu::output(out[3])};
  const gpu::SortLines line(n, 1, 1);
  const auto sort = gpu::radix_order(x, type, line, order);
  const auto place = n > 0 ? place_groups(x, type, n, order, to, shown, starts, totals) : [] {};
  gpu::Kernel finish("unique", "finish_groups", gpu::SortTiles(n).options);
  const std::int32_t filled = !c.none("fill_value");
  finish.arg(x).arg(info(type).bytes).arg(order).arg(totals).arg(starts).arg(fill_element(c)).arg(filled);
  finish.arg(to.values).arg(to.indices).arg(to.counts).arg(shown).arg(n);
  return gpu::job(out, [=] {
    gpu::fill_zero(totals);
    sort();
    place();
    finish.run({size(shown)});
  });
}

}  // namespace

std::vector<Route> unique_gpu_routes() {
  return {{
      .op = "unique",
      .name = "gpu.groups",
      .tier = Tier::gpu,
      .needs = Tier::gpu,
      .supports = {gpu::kSortGroups},
      .prefers = {gpu::kNotHost, gpu::kWorthSort},
      .prepare = prepare,
  }};
}

}  // namespace plumb
