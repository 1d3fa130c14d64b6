// Lines of a strided tensor along any axes, and how work-groups share them: one geometry, read by
// kernels/array/reduce/lines.cl, covers every choice of axes and every stride. How a line is cut depends on shapes and
// strides alone, so results repeat to the bit.
#pragma once

#include <vector>

#include "gpu/runtime.h"

namespace plumb::gpu {

inline constexpr std::int64_t kLineGroup = 256;  // work-items of a group, as in kernels/array/reduce/lines.cl
inline constexpr Limit kManyGroups{"gpu.reduction.many_groups", 1024, 8};  // enough to fill a large device

struct LineAxis {
  std::int64_t size, in, out;
};

struct Lines {
  std::vector<LineAxis> kept, reduced;
  std::int64_t n = 1, count = 1;  // elements of a line, lines
};

// `out`: the strides of the output along the input's axes, 0 along those that are removed.
Lines lines_of(const Tensor& x, const std::vector<std::int64_t>& axes, const Strides& out);
Lines lines_of(const Call&);  // of its first input along the attribute axis, one output for each line
Lines together(std::int64_t lines, std::int64_t n);  // of so many results in turn: line l is those from l * n on

std::int64_t ceil_div(std::int64_t a, std::int64_t b);
std::int64_t power_below(std::int64_t);

struct LinePlan {
  LineAxis column{1, 0, 0};
  std::vector<std::int64_t> geometry;
  bool columns_first = false;
  std::int64_t lanes = 1, splits = 1, tiles_and_rest = 1;  // groups per split
  std::int64_t part = 0;                                   // plan_runs: elements of one split
  std::size_t items() const { return static_cast<std::size_t>(tiles_and_rest * splits * kLineGroup); }
};

// `serial`: how many elements of a line a lane should take before the line gets more lanes.
LinePlan plan_lines(Lines, std::int64_t serial);
// The same with long lines cut in parts, whose results are then lines of their own.
LinePlan plan_splits(const Lines&, std::int64_t serial);

// With long lines cut in runs of `part` elements, few enough for a lane to go through what was found of each.
inline constexpr std::int64_t kRunSerial = 8;
LinePlan plan_runs(const Lines&);

inline constexpr std::size_t kMostLineAxes = 8;  // after merging; of either kind
bool few_axes(const Lines&);
bool few_line_axes(const Call&, const Device&);
inline constexpr Condition kFewLineAxes{Stage::storage, "more than 8 axes that cannot be merged", few_line_axes};
bool has_fp64(const Call&, const Device&);
inline constexpr Condition kHasFp64{Stage::capability, "the device has no f64 arithmetic", has_fp64};
bool worth_lines(const Call&, const Device&);
inline constexpr Condition kWorthLines{Stage::shape_dtype, "under 65536 elements", worth_lines};

}  // namespace plumb::gpu
