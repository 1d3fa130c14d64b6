// Selection on the device: lines are sorted, which parts them at every place, and what is wanted is taken.
#include "gpu/array/sort.h"

namespace plumb {
namespace {

using gpu::SortLines;
using Ordered = std::function<void()> (*)(const gpu::BufferPtr&, Dtype, const SortLines&, const gpu::BufferPtr&);

template <Ordered kOrder>
Job indices(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  return gpu::job(out, kOrder(gpu::dense(c[0]), c.dtype(0), SortLines(c), gpu::output(out[0])));
}

template <Ordered kOrder>
Job values(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const SortLines l(c);
  if (out[0].size() == 0) return gpu::job(out, [] {});
  const gpu::BufferPtr x = gpu::dense(c[0]), order = gpu::scratch(static_cast<std::size_t>(l.total()) * 4);
  const auto sort = kOrder(x, c.dtype(0), l, order);
  const auto take = gpu::take_ordered(x, c.dtype(0), l, order, out[0].size() / l.lines, gpu::output(out[0]));
  return gpu::job(out, [=] { sort(), take(); });
}

Order nothing_rounded(const Call&) { return Order::oracle(); }

using Prepare = Job (*)(const Call&, const std::vector<Spec>&);

Route network(std::string_view op, Prepare prepare) {
  return {.op = op,
          .name = "gpu.network",
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = {gpu::kSortGroups, gpu::kSortPoints},
          .prefers = {gpu::kNotHost, gpu::kWorthSort},
          .order = nothing_rounded,
          .prepare = prepare};
}
Route radix(std::string_view op, Prepare prepare) {
  return {.op = op,
          .name = "gpu.radix",
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = {gpu::kSortGroups},
          .prefers = {gpu::kNotHost, gpu::kWorthSort},
          .order = nothing_rounded,
          .prepare = prepare};
}

}  // namespace

std::vector<Route> partition_gpu_routes() {
  std::vector<Route> all;
  for (const char* op : {"partition", "topk"}) {
    all.push_back(network(op, values<gpu::network_order>));
    all.push_back(radix(op, values<gpu::radix_order>));
  }
  all.push_back(network("argpartition", indices<gpu::network_order>));
  all.push_back(radix("argpartition", indices<gpu::radix_order>));
  return all;
}

}  // namespace plumb
