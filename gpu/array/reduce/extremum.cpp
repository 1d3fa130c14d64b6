// OpenCL routes of argmax and argmin: see kernels/array/reduce/extremum.cl.
#include <memory>

#include "gpu/array/reduce/lines.h"

namespace plumb {
namespace {

using namespace gpu;

constexpr std::int64_t kSerial = 4;  // elements that a lane takes before its line gets more lanes

std::int32_t narrow_int(std::int64_t v) { return static_cast<std::int32_t>(v); }

struct Buffers {
  BufferPtr keys, places, out;
};

std::shared_ptr<Kernel> bound(const BufferPtr& x, Dtype from, std::int64_t first, const Buffers& b, const LinePlan& p,
                              std::int64_t n, bool least, bool joining) {
  auto k = std::make_shared<Kernel>("extremum", "extremum_lines");
  k->arg(x).arg(from).arg(first).arg(b.keys).arg(b.places).arg(b.out).arg(constants(p.geometry)).arg(n);
  k->arg(narrow_int(p.lanes)).arg(narrow_int(p.splits)).arg(std::int32_t{p.columns_first});
  k->arg(std::int32_t{least}).arg(std::int32_t{joining}).arg(b.places);
  return k;
}

template <bool Least>
Job extremum(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = outputs(specs);
  const std::int64_t count = out[0].size();
  if (count == 0) return job(std::move(out), [] {});
  const Lines l = lines_of(c);
  const LinePlan p = plan_splits(l, kSerial);
  const auto bytes = static_cast<std::size_t>(count * p.splits * 8);
  const Buffers b{scratch(bytes), scratch(bytes), output(out[0])};
  const auto split = bound(input(c[0]), c.dtype(0), element_offset(c[0]), b, p, l.n, Least, false);
  const auto group = static_cast<std::size_t>(kLineGroup);
  if (p.splits == 1) return job(std::move(out), [split, items = p.items(), group] { split->run({items}, {group}); });
  const LinePlan rest = plan_lines(together(count, p.splits), kSerial);
  const auto join = bound(b.keys, Dtype::u64, 0, b, rest, p.splits, Least, true);
  return job(std::move(out), [split, join, items = p.items(), more = rest.items(), group] {
    split->run({items}, {group});
    join->run({more}, {group});
  });
}

}  // namespace

std::vector<Route> extremum_gpu_routes() {
  Route most;
  most.op = "argmax";
  most.name = "gpu.lanes";
  most.tier = most.needs = Tier::gpu;
  most.supports = {kFewLineAxes};
  most.prefers = {kNotHost, kWorthLines};
  most.prepare = extremum<false>;
  Route least = most;
  least.op = "argmin";
  least.prepare = extremum<true>;
  return {most, least};
}

}  // namespace plumb
