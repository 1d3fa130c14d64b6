#include "reference/array/reduce/cut.h"

#include <algorithm>

namespace plumb::reference {

Cut cut(const Shape& shape, const std::vector<std::int64_t>& axes) {
  Cut c;
  std::vector<std::int64_t> step(shape.size(), 0);  // what one step along an axis adds to the line's number
  for (std::size_t d = shape.size(); d-- > 0;) {
    if (std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) != axes.end()) {
      c.length *= shape[d];
    } else {
      step[d] = c.lines;
      c.lines *= shape[d];
    }
  }
  const std::int64_t n = count(shape);
  for (std::int64_t i = 0; i < n; ++i) {
    std::int64_t rest = i, line = 0;
    for (std::size_t d = shape.size(); d-- > 0; rest /= shape[d]) line += rest % shape[d] * step[d];
    c.line_of.push_back(line);
  }
  return c;
}

Cut cut(const Call& c) { return cut(c.shape(0), c.axes()); }

std::int64_t line_length(const Call& c) {
  std::int64_t n = 1;
  for (const std::int64_t d : c.axes()) n *= c.shape(0)[static_cast<std::size_t>(d)];
  return n;
}

void refuse_empty_lines(const Request& r, std::string_view what) {
  for (const std::int64_t d : r.axes())
    if (r.shape(0)[static_cast<std::size_t>(d)] == 0)
      r.fail(Reason::shape, "axis " + std::to_string(d) + " of " + to_string(r.shape(0)) + " is empty: no " +
                                std::string(what) + " of nothing");
}

Cost line_cost(const Call& c) { return {static_cast<double>(c[0].size()), input_bytes(c) + output_bytes(c)}; }

const char* const kLineCases = R"(
  from   t=f32 l=row axis= keep=
  smoke  t={types} s=4x9 x=[{x1},bits] axis=[none,0,1] keep=[false,true]
  # every dtype in every layout, on each axis and on two
  ci     t={types} l={@layouts} s=5x4x70 axis=[-1,0,1,0:2] x=[{x1},{x2},{x3}]
  # nothing kept, a scalar, no axis
  ci     t={types} s,axis={0x3 1, 3x0 0} x=int-3
  smoke  t={types} s=s x=int-3
  ci     t={types} s=3x2 x={x1} axis=:
  smoke  s=65x2 l=reversed x={x1} axis=1
  # every subset of the axes, in the layouts that hide unit axes best
  from   four={,0:}{,1:}{,2:}{,3:} five={four}{,4:}
  smoke  s=2x1x3x1x4 x={x1} axis={five==''?':':five}
  ci     s=2x1x3x1x4 x={x1} axis={five==''?':':five} l={transposed,padded}
  ci     s=3x17x5x19 x={x2} axis={four==''?':':four} l=[row,transposed,padded]
  # every other axis: none can be merged with its neighbour; of many, and of as many as a kernel walks
  smoke  s=2x3x2x3x2x3x2x3 x={x2} axis=0:2:4:6
  ci     s=2x2x2x2x2x2x2x2x2x2x2x2x2x2x2x2x2x2 x={x2} axis=0:2:4:6:8:10:12:14:16
  # around vectors, blocks and the parts of a line
  from   n={1,2,3,15,16,17,31,33,63,64,65,127,129,255,257,511,513,1023,1025,4095,4097}
  ci     t=[f32,f64,bf16] s,axis={3x{n} -1, {n}x5 0} x=[{x2},{x1}]
  ci     n={63,65,129,1025} s={n}x{w} axis=0 x=[{x2},{x1}] w={1,2,3,7,31,65,127,255,257,1025}
  # each special value in every lane, ends of the range
  ci     t={types} s=69x68 x=[lanes-69,lanes-69,huge,subnormal] axis={0:,1:}
  ci     s=7x1001 x={special,{x2}} axis={1,0:1}
  # lines that several threads or work-groups share
  ci     s={65537,300001} x={x2} axis=none
  ci     s=65537x2 x={x2} axis=0
  nightly s,axis={5000x300 0, 3x1048576 1} x={x2}
)";

const char* const kAxisRejects = R"(
  call   {a}/axis={axis},{more}
  from   a=f32.2x3.row.uniform axis= more=
  axis   axis=2           # axis 2 of rank 2
  axis   axis=-3          # axis -3 of rank 2
  axis   axis=0:5         # one of two axes is out of range
  axis   axis=0:0         # an axis is named twice
  axis   axis=1:-1        # an axis is named twice, once from the end
  axis   a=f32.s.row.uniform axis=0  # a scalar has no axis
  attribute axis=last     # the axis is not a number
)";

}  // namespace plumb::reference
