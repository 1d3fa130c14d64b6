// Writing by position on the device: rows are sorted by where they go, and those of one place are made in their order.
#include "core/with_last.h"
#include "gpu/array/index/moves.h"

namespace plumb {
namespace {

using gpu::BufferPtr, gpu::Combine, gpu::Kernel, gpu::size;

constexpr std::int64_t kGroup = 256, kBlock = 2048;  // as in kernels/array/index/index.cl

// In the order of the updates, one after the other: halves in f32, complex numbers in double.
Order in_order(const Call& c) {
  Order o;
  o.accumulator = c.dtype(0) == Dtype::f64 || is_complex(c.dtype(0)) ? Dtype::f64 : Dtype::f32;
  return o;
}

// Which row of the values each entry of the mask takes, and behind them how many there are.
BufferPtr add_ranks(gpu::MoveSteps& s, const BufferPtr& mask, std::int64_t n, const BufferPtr& counts) {
  const std::int64_t blocks = (n + kBlock - 1) / kBlock;
  const BufferPtr rank = gpu::scratch(size(8 * n));
  Kernel count = gpu::index_kernel("count_mask"), scan = gpu::index_kernel("scan_counts"),
         ranks = gpu::index_kernel("rank_mask");
  s.run(count.arg(mask).arg(n).arg(counts), blocks * kGroup);
  s.run(scan.arg(counts).arg(blocks), kGroup);
  s.run(ranks.arg(mask).arg(n).arg(counts).arg(rank), blocks * kGroup);
  return rank;
}

Job masked_scatter(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const BufferPtr result = gpu::output(out[0]);
  const Dtype t = specs[0].dtype;
  const std::int64_t n = c[1].size(), blocks = (n + kBlock - 1) / kBlock, bytes = info(t).bytes;
  const Shape row(c.shape(0).begin() + c.rank(1), c.shape(0).end());
  const bool supplied = c.shape(2).size() > row.size();
  gpu::MoveSteps s;
  gpu::add_copy(s, gpu::stored(c[0]), c.shape(0), t, result);
  if (n == 0) return s.job(std::move(out));
  const BufferPtr counts = gpu::scratch(size(8 * (blocks + 1)));
  const BufferPtr rank = add_ranks(s, gpu::dense(c[1]), n, counts);
  const gpu::Stored values = gpu::cast(s, c[2], t);
  const std::int64_t width = count(row), supply = supplied ? c.shape(2)[0] : n;
  Shape rows = row;
  if (supplied) rows.insert(rows.begin(), supply);
  const BufferPtr lines = gpu::scratch(size(std::max<std::int64_t>(1, count(rows)) * bytes));
  gpu::add_copy(s, values, rows, t, lines);
  Kernel write = gpu::index_kernel("write_masked_", bytes);
  write.arg(lines).arg(rank).arg(width).arg(supply).arg(supplied ? width : 0).arg(n * width);
  if (n * width > 0) s.run(write.arg(result), n * width);
  s.check_when_done([c, counts, blocks, supply] {
    std::vector<std::int64_t> found(size(blocks + 1));
    counts->download(reinterpret_cast<std::byte*>(found.data()));
    if (found.back() > supply)
      c.fail(Reason::domain, std::to_string(supply) + " values for " + std::to_string(found.back()) + " places");
  });
  return s.job(std::move(out));
}

Route route(std::string_view op, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  Route r;
  r.op = op;
  r.name = "gpu.sorted";
  r.tier = r.needs = Tier::gpu;
  r.supports = gpu::conditions(true);
  r.supports.push_back(gpu::kWideUpdates);
  r.supports.push_back({Stage::device, "work-groups are smaller than 256",
                        [](const Call&, const Device& d) { return d.facts.max_work_group >= kGroup; }});
  r.prefers = gpu::preferences();
  r.order = in_order;
  r.prepare = prepare;
  return r;
}

}  // namespace

std::vector<Route> scatter_gpu_routes() {
  Route masked = route("masked_scatter", masked_scatter);
  masked.name = "gpu.counted";
  masked.supports.erase(masked.supports.begin(), masked.supports.begin() + 2);  // it has no index arrays
  Route divide = route("scatter_divide", with_last<gpu::prepare_update, Combine::divide>);
  divide.supports.push_back(gpu::kDividesRight);
  return {divide,
          route("scatter_subtract", with_last<gpu::prepare_update, Combine::subtract>),
          route("put_along_axis", with_last<gpu::prepare_update, Combine::set>),
          route("scatter_add_axis", with_last<gpu::prepare_update, Combine::add>),
          masked,
          route("scatter", with_last<gpu::prepare_update, Combine::set>),
          route("scatter_add", with_last<gpu::prepare_update, Combine::add>),
          route("scatter_prod", with_last<gpu::prepare_update, Combine::prod>),
          route("scatter_max", with_last<gpu::prepare_update, Combine::max>),
          route("scatter_min", with_last<gpu::prepare_update, Combine::min>)};
}

}  // namespace plumb
