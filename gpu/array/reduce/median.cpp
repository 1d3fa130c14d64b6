// OpenCL routes of median: see kernels/array/reduce/median.cl.
#include <algorithm>
#include <bit>
#include <memory>

#include "gpu/array/reduce/lines.h"

namespace plumb {
namespace {

using namespace gpu;

constexpr Limit kPart{"gpu.median.part", 16384, 512};  // elements of a line that one work-group goes through
constexpr std::int64_t kManyLines = 1 << 20;           // of long lines, for each of which there is room for counts

std::int32_t narrow_int(std::int64_t v) { return static_cast<std::int32_t>(v); }
std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

// With a line's work-items side by side.
LinePlan plan_of(const Lines& l, std::int64_t lanes) {
  LinePlan p = plan_lines(l, 1);
  p.lanes = lanes;
  p.tiles_and_rest = ceil_div(p.column.size, kLineGroup / p.lanes);
  for (std::int64_t k = 0; k < p.geometry[3]; ++k) p.tiles_and_rest *= p.geometry[size(5 + 3 * k)];
  return p;
}

Job by_ranks(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = outputs(specs);
  if (out[0].size() == 0) return job(std::move(out), [] {});
  const Lines l = lines_of(c);
  const LinePlan p = plan_of(l, static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(l.n))));
  auto k = std::make_shared<Kernel>("median", "median_by_ranks");
  k->arg(input(c[0])).arg(c.dtype(0)).arg(element_offset(c[0])).arg(output(out[0])).arg(specs[0].dtype);
  k->arg(constants(p.geometry)).arg(narrow_int(l.n)).arg(narrow_int(p.lanes)).arg(std::int32_t{p.columns_first});
  return job(std::move(out), [k, items = p.items()] { k->run({items}, {size(kLineGroup)}); });
}

// How many digits of 8 bits a key has: those of whole numbers are as wide as 64 bits.
std::int32_t digits(Dtype t) { return is_integer(t) && info(t).kind == Kind::signed_integer ? 8 : info(t).bytes; }

Job by_digits(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = outputs(specs);
  const std::int64_t lines = out[0].size();
  if (lines == 0) return job(std::move(out), [] {});
  const Lines l = lines_of(c);
  LinePlan p = plan_of(l, kLineGroup);
  p.splits = ceil_div(l.n, kPart.of(l.n));
  const BufferPtr middles = scratch(size(16 * lines)), ranks = scratch(size(16 * lines)),
                  counts = scratch(size(2048 * lines)), nans = scratch(size(4 * lines));
  const auto kernel = [](const char* name) { return std::make_shared<Kernel>("median", name); };
  const auto begin = kernel("median_begin"), end = kernel("median_end");
  begin->arg(middles).arg(ranks).arg(counts).arg(nans).arg(lines).arg(l.n);
  end->arg(middles).arg(nans).arg(lines).arg(c.dtype(0)).arg(output(out[0])).arg(specs[0].dtype);
  std::vector<std::shared_ptr<Kernel>> count, choose;
  for (std::int32_t d = digits(c.dtype(0)); d-- > 0;) {
    count.push_back(kernel("median_count"));
    count.back()->arg(input(c[0])).arg(c.dtype(0)).arg(element_offset(c[0])).arg(constants(p.geometry)).arg(l.n);
    count.back()->arg(narrow_int(p.splits)).arg(std::int32_t{8 * d}).arg(middles).arg(counts).arg(nans);
    choose.push_back(kernel("median_choose"));
    choose.back()->arg(middles).arg(ranks).arg(counts).arg(2 * lines).arg(std::int32_t{8 * d});
  }
  return job(std::move(out), [=, items = p.items()] {
    begin->run({size(2 * lines)});
    for (std::size_t d = 0; d < count.size(); ++d) {
      count[d]->run({items}, {size(kLineGroup)});
      choose[d]->run({size(2 * lines)});
    }
    end->run({size(lines)});
  });
}

bool short_lines(const Call& c, const Device&) { return lines_of(c).n <= kLineGroup; }
bool long_lines(const Call& c, const Device&) { return lines_of(c).n > kLineGroup; }
bool lines_with_room(const Call& c, const Device&) {
  const Lines l = lines_of(c);
  return l.count <= kManyLines && l.n < (std::int64_t{1} << 32);
}

}  // namespace

std::vector<Route> median_gpu_routes() {
  Route ranks;
  ranks.op = "median";
  ranks.name = "gpu.ranks";
  ranks.tier = ranks.needs = Tier::gpu;
  ranks.supports = {kFewLineAxes, {Stage::shape_dtype, "lines are longer than 256", short_lines}, kHasFp64};
  ranks.prefers = {kNotHost, kWorthLines};
  ranks.prepare = by_ranks;
  Route select = ranks;
  select.name = "gpu.digits";
  select.supports = {kFewLineAxes,
                     {Stage::shape_dtype, "lines of 256 or fewer: ranks are found at once", long_lines},
                     {Stage::shape_dtype, "over 2^20 lines, or 2^32 elements in one", lines_with_room},
                     kHasFp64};
  select.prepare = by_digits;
  return {ranks, select};
}

}  // namespace plumb
