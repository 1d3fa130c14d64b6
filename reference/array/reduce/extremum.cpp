// Where the greatest or least element of a line stands.
#include <cmath>
#include <limits>

#include "reference/array/order.h"
#include "reference/array/reduce/cut.h"

namespace plumb {
namespace {

using namespace reference;

// k_l = the first k with a_k of line l not below any other, or not above any; that of the first NaN if there is one
template <bool Least>
std::vector<Wide> extremum(const Call& c) {
  Unsigneds out(c.outputs()[0].shape);
  std::visit(
      [&]<class T>(const Array<T>& a) {
        for_lines(a, cut(c), [&](std::int64_t l, const std::vector<T>& x) {
          std::size_t k = 0;
          for (std::size_t i = 1; i < x.size() && !unordered(x[k]); ++i)
            if (unordered(x[i]) || (Least ? below(x[i], x[k]) : below(x[k], x[i]))) k = i;
          out[l] = k;
        });
      },
      widen(c[0]));
  return {out};
}

std::vector<Spec> infer(const Request& r) {
  if (!r.none("axis")) (void)r.axis();  // one axis, and no list of them
  refuse_empty_lines(r, "extreme");
  std::int64_t n = 1;
  for (const std::int64_t d : r.axes()) n *= r.shape(0)[static_cast<std::size_t>(d)];
  if (n > std::numeric_limits<std::uint32_t>::max())
    r.fail(Reason::unsupported, "a line of " + std::to_string(n) + " elements passes 32-bit indices");
  return r.outputs();
}

constexpr const char* kCases = R"(
  call   {t}.{s}.{l}.{x}/axis={axis},keepdims={keep}
  from   t=f32 l=row axis=none keep=
  smoke  t={@all} s=4x9 x=[int-3,bits,special] axis=[none,0,1,-1] keep=[false,true]
  # every dtype in every layout, on each axis and on none
  ci     t={@all} l={@layouts} s=5x4x70 axis=[-1,0,1,none] x=[int-3,order,uniform]
  # nothing kept, a scalar, one element on the axis
  ci     t={@all} s,axis={0x3 1, 3x0 0} x=int-3
  smoke  t={@all} s=s x=int-3
  smoke  s=3x1x4 x=uniform axis={0,1,2}
  smoke  s=65x2 l=reversed x={ramp,const} axis={0,1}
  smoke  s=2x1x3x1x4 x=int-3 axis={0,2,4,none} l={row,transposed,padded}
  ci     s=2x3x2x3x2x3x2x3x2x3 x=int-3 axis=4 l={row,transposed,padded}   # more axes than a kernel takes
  ci     s=2x3x2x3x2x3x2x3x2x3 x=int-3 axis=none l={transposed,padded}
  # ties: the first one; and NaN: the first of them
  smoke  t={@floats,f64,c64} s=7x40 x={special,const,int-1} axis={0,1}
  ci     t={@all} s=5x300 x=const axis={0,1,none}
  # around vectors, blocks and the parts of a line
  from   n={1,2,3,15,16,17,31,33,63,64,65,127,129,255,257,511,513,1023,1025,4095,4097}
  ci     t=[f32,f64,bf16,u8] s,axis={3x{n} -1, {n}x5 0} x=[uniform,int-3]
  ci     n={63,65,129,1025} s={n}x{w} axis=0 x=[uniform,int-3] w={1,2,3,7,31,65,127,255,257,1025}
  # each special value in every lane, ends of the range, a greatest element last
  ci     t={@all} s=69x68 x=[lanes-69,lanes-69,whole,subnormal] axis={0,1}
  ci     s={7x1001,1001x7} x={special,nan_rows,impulse,ramp} axis={0,1}
  ci     s,x={4200 ramp, 4200 impulse, 4200x3 ramp-4199}
  # lines that several threads or work-groups share
  ci     s={65537,300001} x=[uniform,int-3]
  ci     s=65537x2 x={uniform,int-3} axis=0
  nightly s,axis={5000x300 0, 3x1048576 1} x=uniform
)";

constexpr const char* kRejects = R"(
  call   {a}/axis={axis}
  from   a=f32.2x3.row.uniform axis=none
  axis   axis=2                          # axis 2 of rank 2
  axis   axis=-3                         # axis -3 of rank 2
  axis   a=f32.s.row.uniform axis=0      # a scalar has no axis
  attribute axis=0:1                     # one axis or none
  shape  a=f32.0x2.row.uniform axis=0    # no extreme of nothing
  shape  a=f32.0x2.row.uniform           # nor in a flattened array that is empty
)";

constexpr const char* kBench = R"(
  call   {t}.{s}.row.uniform/axis={axis}
  ci     t=f32 s=16777216 axis=none
  ci     t,s,axis={f32 4096x4096 1, f32 4096x4096 0, f16 4096x4096 1}
)";

Op row(std::string_view name, std::string_view equation, Oracle oracle) {
  Op op;
  op.name = name;
  op.signature = "a T[...] -> out u32[... over axis]";
  op.types = "T: all";
  op.attrs = {{"axis", kNone}, {"keepdims", false}};
  op.equation = equation;
  op.meaning =
      "axis none: of the flattened array; the first of equals, -0 equal to +0; the first NaN wins, of complex numbers "
      "in "
      "either part (upstream passes over one in the imaginary part); complex by real, then imaginary part; no index "
      "into "
      "an empty line: shape";
  op.infer = infer;
  op.oracle = oracle;
  op.cases = kCases;
  op.rejects = kRejects;
  op.bench = kBench;
  op.cost = line_cost;
  op.tolerance.kind = Tolerance::Class::exact;
  return op;
}

}  // namespace

std::vector<Op> extremum_ops() {
  return {row("argmax", "k_l = the first k of which no a_i of line l is above a_k", extremum<false>),
          row("argmin", "k_l = the first k of which no a_i of line l is below a_k", extremum<true>)};
}

}  // namespace plumb
