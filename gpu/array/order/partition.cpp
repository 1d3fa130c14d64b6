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

// kPart: the greatest, and all of them in the order that they have.
template <Ordered kOrder, bool kPart>
Job values(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const SortLines l(c);
  if (out[0].size() == 0) return gpu::job(out, [] {});
  const std::int64_t kept = out[0].size() / l.lines;
  const gpu::BufferPtr x = gpu::dense(c[0]), to = gpu::output(out[0]);
  if (kPart && kept == l.n) return gpu::job(out, gpu::take_all(x, c.dtype(0), l, to));
  const gpu::BufferPtr order = gpu::scratch(static_cast<std::size_t>(l.total()) * 4);
  const auto sort = kOrder(x, c.dtype(0), l, order);
  const auto take = gpu::take_ordered(x, c.dtype(0), l, order, kept, to);
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
  all.push_back(network("partition", values<gpu::network_order, false>));
  all.push_back(radix("partition", values<gpu::radix_order, false>));
  all.push_back(network("topk", values<gpu::network_order, true>));
  all.push_back(radix("topk", values<gpu::radix_order, true>));
  all.push_back(network("argpartition", indices<gpu::network_order>));
  all.push_back(radix("argpartition", indices<gpu::radix_order>));
  return all;
}

}  // namespace plumb
