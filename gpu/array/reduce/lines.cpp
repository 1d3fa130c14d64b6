#include "gpu/array/reduce/lines.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

namespace plumb::gpu {
namespace {

constexpr Limit kMostLanes{"gpu.reduction.lanes", kLineGroup, 8};  // work-items that share a line
constexpr Limit kEnough{"gpu.reduction.enough", 16, 2};            // elements of a lane from which lines are cut
constexpr Limit kMostSplits{"gpu.reduction.splits", 32, 4};        // runs of a line
constexpr std::int64_t kWorthDevice = 1 << 16;                     // elements

std::int64_t power_above(std::int64_t n) {
  return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(std::max<std::int64_t>(1, n))));
}

// Innermost first; unit axes dropped, neighbours that continue each other merged.
void append(std::vector<LineAxis>& axes, LineAxis a) {
  if (a.size == 1) return;
  if (!axes.empty() && a.in == axes.back().in * axes.back().size && a.out == axes.back().out * axes.back().size)
    axes.back().size *= a.size;
  else axes.push_back(a);
}

Strides strides_of_lines(const Call& c) {
  Strides s(c.shape(0).size(), 0);
  const std::vector<std::int64_t> axes = c.axes();
  std::int64_t step = 1;
  for (std::size_t d = s.size(); d-- > 0;) {
    if (std::binary_search(axes.begin(), axes.end(), static_cast<std::int64_t>(d))) continue;
    s[d] = step;
    step *= std::max<std::int64_t>(1, c.shape(0)[d]);
  }
  return s;
}

}  // namespace

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
std::int64_t power_below(std::int64_t n) {
  return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(std::max<std::int64_t>(1, n))));
}

Lines lines_of(const Tensor& x, const std::vector<std::int64_t>& axes, const Strides& out) {
  Lines l;
  for (std::size_t d = x.shape().size(); d-- > 0;) {
    const bool reduced = std::binary_search(axes.begin(), axes.end(), static_cast<std::int64_t>(d));
    append(reduced ? l.reduced : l.kept, {x.shape()[d], x.strides()[d], out[d]});
    (reduced ? l.n : l.count) *= x.shape()[d];
  }
  return l;
}

Lines lines_of(const Call& c) { return lines_of(c[0], c.axes(), strides_of_lines(c)); }

Lines together(std::int64_t lines, std::int64_t n) { return {{{lines, n, 1}}, {{n, 1, 0}}, n, lines}; }

LinePlan plan_lines(Lines l, std::int64_t serial) {
  LinePlan p;
  const auto dense = [](const LineAxis& a, const LineAxis& b) { return std::abs(a.in) < std::abs(b.in); };
  const auto column = std::min_element(l.kept.begin(), l.kept.end(), dense);
  if (column != l.kept.end()) {
    p.column = *column;
    l.kept.erase(column);
  }
  p.columns_first = p.column.size > 1 && !l.reduced.empty() && std::abs(p.column.in) < std::abs(l.reduced[0].in);
  const std::int64_t most =
      p.columns_first ? std::max<std::int64_t>(8, kLineGroup / power_above(p.column.size)) : kLineGroup;
  const std::int64_t wanted = power_above(ceil_div(l.n, serial));
  p.lanes = std::min({most, kMostLanes.of(wanted), wanted});
  p.tiles_and_rest = ceil_div(p.column.size, kLineGroup / p.lanes);
  for (const LineAxis& a : l.kept) p.tiles_and_rest *= a.size;
  if (l.reduced.empty()) l.reduced.push_back({1, 0, 0});
  p.geometry = {p.column.size, p.column.in, p.column.out, static_cast<std::int64_t>(l.kept.size()),
                static_cast<std::int64_t>(l.reduced.size())};
  for (const auto* axes : {&l.kept, &l.reduced})
    for (const LineAxis& a : *axes) p.geometry.insert(p.geometry.end(), {a.size, a.in, a.out});
  return p;
}

LinePlan plan_splits(const Lines& l, std::int64_t serial) {
  LinePlan p = plan_lines(l, serial);
  const std::int64_t wanted = power_below(l.n / (p.lanes * kEnough.of(l.n / p.lanes)));
  const std::int64_t groups = kManyGroups.of(wanted * p.tiles_and_rest);
  p.splits = std::min({groups, power_below(groups / std::max<std::int64_t>(1, p.tiles_and_rest)), wanted});
  return p;
}

LinePlan plan_runs(const Lines& l) {
  LinePlan p = plan_lines(l, kRunSerial);
  const std::int64_t wanted = power_below(l.n / (p.lanes * kRunSerial));
  const std::int64_t groups = kManyGroups.of(wanted * p.tiles_and_rest);
  p.splits =
      std::min({kMostSplits.of(wanted), power_below(groups / std::max<std::int64_t>(1, p.tiles_and_rest)), wanted});
  p.part = ceil_div(l.n, p.splits);
  return p;
}

bool few_axes(const Lines& l) { return l.kept.size() <= kMostLineAxes && l.reduced.size() <= kMostLineAxes; }
bool few_line_axes(const Call& c, const Device&) { return few_axes(lines_of(c)); }
bool has_fp64(const Call& c, const Device& d) { return d.fp64 || c.dtype(0) != Dtype::f64; }
bool worth_lines(const Call& c, const Device&) { return c[0].size() >= kWorthDevice; }

}  // namespace plumb::gpu
