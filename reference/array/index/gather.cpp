// Reading by position: rows and oracles. Nothing is computed, so every route must agree bit for bit.
#include <algorithm>
#include <stdexcept>

#include "reference/array/index/index.h"

namespace plumb {
namespace {

using namespace reference;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// ---- take

// Axes of `a` before the axis, axes that replace it, axes behind.
Shape replaced(const Shape& a, std::int64_t axis, const Shape& by) {
  return joined(part(a, 0, at(axis)), by, part(a, at(axis) + 1, a.size()));
}

std::vector<Spec> infer_take(const Request& r) {
  const Shape a = flattened(r, r.shape(0));
  const std::int64_t axis = axis_of(r);
  if (a[at(axis)] == 0 && count(r.shape(1)) != 0) r.fail(Reason::shape, "an axis of 0 elements has no position");
  return {{r.dtype(0), replaced(a, axis, r.shape(1))}};
}

// out[p, i, q] = a[p, position[i], q]
std::vector<std::int64_t> lines_of(const Shape& a, std::int64_t axis, const Integers& position) {
  const Shape out = replaced(a, axis, position.shape);
  const std::size_t before = at(axis), behind = before + position.shape.size();
  std::vector<std::int64_t> from;
  for (std::int64_t o = 0; o < count(out); ++o) {
    const Index x = unravel(o, out);
    const Index p = part(x, 0, before), i = part(x, before, behind), q = part(x, behind, x.size());
    from.push_back(ravel(joined(p, {position[ravel(i, position.shape)]}, q), a));
  }
  return from;
}

std::vector<Wide> take(const Call& c) {
  const Shape a = flattened(c, c.shape(0));
  const Integers position = positions(c, 1, a[at(axis_of(c))]);
  return {taken(c[0], lines_of(a, axis_of(c), position), infer_take(c)[0].shape)};
}

// ---- take_scalar

std::vector<Spec> infer_take_scalar(const Request& r) {
  const Shape a = flattened(r, r.shape(0));
  const std::int64_t axis = axis_of(r), n = a[at(axis)], i = r.integer("index");
  if (i < -n || i >= n)
    r.fail(Reason::attribute, "index " + std::to_string(i) + " is outside an axis of " + std::to_string(n));
  return {{r.dtype(0), replaced(a, axis, {})}};
}

// out[p, q] = a[p, index, q]
std::vector<Wide> take_scalar(const Call& c) {
  const Shape a = flattened(c, c.shape(0));
  const std::int64_t axis = axis_of(c), i = c.integer("index");
  Integers position{Shape{}};
  position[0] = i < 0 ? i + a[at(axis)] : i;
  return {taken(c[0], lines_of(a, axis, position), infer_take_scalar(c)[0].shape)};
}

// ---- take_along_axis

std::vector<Spec> infer_along(const Request& r) {
  Shape a = flattened(r, r.shape(0)), i = r.shape(1);
  if (a.size() != i.size())
    r.fail(Reason::rank, "indices " + to_string(i) + " are not of rank " + std::to_string(a.size()));
  const std::size_t axis = at(axis_of(r));
  if (a[axis] == 0 && i[axis] != 0 && count(i) != 0) r.fail(Reason::shape, "an axis of 0 elements has no position");
  const std::int64_t n = i[axis];
  a[axis] = i[axis] = 1;
  Shape out = broadcast(r.op->name, a, i);
  out[axis] = n;
  return {{r.dtype(0), out}};
}

// out[.., j, ..] = a[.., position[.., j, ..], ..]
std::vector<Wide> take_along_axis(const Call& c) {
  const Shape a = flattened(c, c.shape(0)), out = infer_along(c)[0].shape;
  const std::size_t axis = at(axis_of(c));
  const Integers position = positions(c, 1, a[axis]);
  std::vector<std::int64_t> from;
  for (std::int64_t o = 0; o < count(out); ++o) {
    Index x = unravel(o, out);
    const std::int64_t i = position[ravel(broadcast_from(x, position.shape), position.shape)];
    x[axis] = 0;
    x = broadcast_from(x, a);
    x[axis] = i;
    from.push_back(ravel(x, a));
  }
  return {taken(c[0], from, out)};
}

// ---- gather

std::vector<Spec> infer_gather(const Request& r) {
  const Shape &a = r.shape(0), size = r.list("slice_sizes");
  const auto axes = r.list("axes");
  if (index_arrays(r, 1) != axes.size())
    r.fail(Reason::arity,
           std::to_string(index_arrays(r, 1)) + " index arrays for " + std::to_string(axes.size()) + " axes");
  for (std::size_t k = 0; k < axes.size(); ++k) {
    if (axes[k] < 0 || axes[k] >= std::ssize(a))
      r.fail(Reason::axis, std::to_string(axes[k]) + " is not in [0, " + std::to_string(a.size()) + ")");
    if (std::count(axes.begin(), axes.end(), axes[k]) > 1)
      r.fail(Reason::axis, std::to_string(axes[k]) + " is named twice");
  }
  if (size.size() != a.size()) r.fail(Reason::attribute, "slice_sizes are not one for each axis");
  for (std::size_t d = 0; d < a.size(); ++d)
    if (size[d] < 0 || size[d] > a[d])
      r.fail(Reason::attribute, "a window of " + std::to_string(size[d]) + " on an axis of " + std::to_string(a[d]));
  return {{r.dtype(0), joined(index_shape(r, 1), size)}};
}

// out[p, q] = a[base(p) + q], base(p) on axis axes[k]: indices_k[p], else 0
std::vector<Wide> gather(const Call& c) {
  const Shape &a = c.shape(0), size = c.list("slice_sizes"), out = infer_gather(c)[0].shape;
  const auto axes = c.list("axes");
  std::vector<Integers> position;
  for (std::size_t k = 0; k < axes.size(); ++k)
    position.push_back(positions(c, 1 + k, a[at(axes[k])], size[at(axes[k])]));
  std::vector<std::int64_t> from;
  for (std::int64_t o = 0; o < count(out); ++o) {
    const Index x = unravel(o, out), p = part(x, 0, x.size() - a.size());
    Index q = part(x, x.size() - a.size(), x.size());
    for (std::size_t k = 0; k < axes.size(); ++k)
      q[at(axes[k])] += position[k][ravel(broadcast_from(p, position[k].shape), position[k].shape)];
    from.push_back(ravel(q, a));
  }
  return {taken(c[0], from, out)};
}

// ---- Cases

constexpr const char* kTakeCases = R"(
  call   {t}.{s}.{l}.{x}+{i}.{k}.{m}.{y}/axis={axis}
  from   t=f32 l=row x=order i=i32 m=row y=positions-{n} n=5 axis=0 k=7 s=5x3
  # every dtype: what is moved is bits; every index dtype; an axis that is first, middle, last, or all of it
  smoke  t={@all} s=5x3
  smoke  i={@integers} n=5
  ci     i={@integers} s=128x2 n=128 k=33
  smoke  s,axis,n={3x4x5 0 3, 3x4x5 1 4, 3x4x5 2 5, 3x4x5 -2 4, 3x4x5 none 60} k=2x3
  smoke  k={s,1,0,0x3,2x1x2}
  smoke  s,n={0x5 1, 5x0 5} k={0,2x0}
  smoke  s=5x0 k=3
  smoke  s=2x1x3x1x2x1x2x1 axis=2 n=3 k=4         # eight axes
  smoke  s=9x{16,32} n=9 k=20                     # rows of whole cache lines
  # an index beyond 127 of u8, and beyond those of i16: no arithmetic in the type of the index
  smoke  s=300 i=u8 k=64 y=const-200
  ci     s=70000 i=i16 k=64 y=const-30000
  smoke  t=u8 s=3x64 axis=1 n=64 y={const--64,const-63,const-0,const--1}
  # every layout of both
  ci     t={u8,f16,f32,c64} s=9x5x7 axis={0,1,2} n=5 l={@layouts} k=4x3
  ci     s=9x5 n=9 k=4x6 m={@layouts} axis={0,none}
  ci     s=40x30 axis=none n=1200 l={@layouts} k=50
  ci     s=2x2x2x2x2x2x2x2x2 l=transposed axis=4 n=2 k=3  # nine axes, of which none continues another one
  # around runs of offsets and rows that several threads share
  ci     s=64x{1,2,3,4,7,16,64,65} n=64 k={511,512,513,1025}
  ci     t={u8,u16,f32,f64} s=4097x33 n=4097 k=4099
  ci     s=3x70001x2 axis=1 n=70001 k=5003
  nightly s=100003x64 n=100003 k=200003
)";

constexpr const char* kTakeRejects = R"(
  call   f32.{s}.row.order+{i}/axis={axis}
  from   s=4x3 axis=0 i=i32.5.row.const-0
  axis   axis=2                     # beyond the rank
  axis   axis=-3                    # before the first
  axis   s=s                        # no axis
  shape  s=4x0 axis=1               # a position on an axis of 0
  shape  s=0x3                      # a position on an axis of 0
  domain i=i32.5.row.const-4        # the first behind the axis
  domain i=i32.5.row.const--5       # the first before it
  domain i=i32.2x3.transposed.ramp  # the last but one of some
  domain i=u8.5.row.const-255       # not -1
  domain i=u64.5.row.whole          # beyond signed numbers
  domain i=i64.70000.row.ramp       # late
  domain s=4x3 axis=none i=i32.1.row.const-12   # behind the flattened array
  domain s=4x3 axis=none i=i32.1.row.const--13  # before it
  domain s=4x3 i=i64.1.row.const-4294967296  # 0 in 32 bits
)";

constexpr const char* kTakeBench = R"(
  ci     f32.262144x64.row.uniform+i32.262144.row.index-262144/axis=0
  ci     f32.1048576.row.uniform+i32.1048576.row.index-1048576/axis=0
  ci     f32.4096x1024.row.uniform+i32.512.row.index-1024/axis=1
)";

constexpr const char* kScalarCases = R"(
  call   {t}.{s}.{l}.{x}/axis={axis},index={i}
  from   t=f32 l=row x=order s=3x4x5 axis=1 i=2
  smoke  t={@all}
  smoke  axis,i={0 0, 0 -1, 0 2, 0 -3, 1 3, 2 4, 2 -5, none 0, none -1, none 59, -1 1}
  smoke  s,axis,i={1 0 0, 7 0 -7, 5x0 0 4, s none 0, 1x1x2x1x3x1x1x2 4 2}
  smoke  t={i8,c64} s=37x65 axis=0 i=17
  ci     t={u8,f16,f32,f64} l={@layouts} axis,i={0 1, 1 3, 2 -2, none 31}
  ci     s=300x301 axis={0,1} i=299
  ci     s=2x131073 axis,i={0 1, 1 131072}
)";

constexpr const char* kScalarRejects = R"(
  call   f32.{s}.row.order/axis={axis},index={i}
  from   s=3x4 axis=1 i=0
  axis      axis=2     # beyond the rank
  axis      s=s        # no axis
  attribute i=4        # behind the axis
  attribute i=-5       # before it
  attribute i=last     # not a number
  attribute s=0x4 axis=0   # an axis of 0 has no position
)";

constexpr const char* kScalarBench = R"(
  ci     f32.64x262144.row.uniform/axis=0,index=17
  ci     f32.262144x64.row.uniform/axis=1,index=17
)";

constexpr const char* kAlongCases = R"(
  call   {t}.{s}.{l}.{x}+{i}.{k}.{m}.{y}/axis={axis}
  from   t=f32 l=row x=order i=i32 m=row y=positions-{n} n=5 axis=-1 s=3x5 k=3x4
  smoke  t={@all}
  smoke  i={@integers}
  smoke  s,k,axis,n={5x3 2x3 0 5, 3x5x2 3x7x2 1 5, 3x5 12 none 15, 5 9 0 5, 1x5 3x2 1 5, 3x5 1x2 1 5, 2x5x1 1x3x4 1 5}
  smoke  s,k,axis={0x5 0x3 1, 3x5 3x0 1, 3x0 3x0 1, 1x5 0x2 1}
  smoke  s=2x1x3x1x2x1x5x2 k=2x2x3x1x2x1x3x2 axis=6
  smoke  s=3x300 k=3x9 i=u8 y=const-200
  ci     t={u8,f16,f32,c64} s=4x5x6 k=4x7x6 axis=1 l={@layouts}
  ci     s=4x6x5 k=4x6x7 axis=2 m={@layouts}
  ci     s=2x2x2x2x2x2x2x2x2 l=transposed k=2x2x2x2x2x2x2x2x3 n=2  # nine axes, of which none continues another one
  ci     s=7x9 k=20 n=63 axis=none l={@layouts}
  ci     s=65x33 k=65x{31,32,33,64,65} n=33
  ci     s=33x65 k={31,64,513}x65 n=33 axis=0
  ci     t={u8,f64} s=3x70001 k=3x40003 n=70001
  ci     s=2049x130 k=1500x130 n=2049 axis=0
  nightly s=1031x1033x7 k=1031x997x7 n=1033 axis=1
)";

constexpr const char* kAlongRejects = R"(
  call   f32.{s}.row.order+{i}/axis={axis}
  from   s=4x3 axis=1 i=i32.4x2.row.const-0
  axis   axis=2                    # beyond the rank
  rank   i=i32.4.row.const-0       # one axis for two
  rank   axis=none                 # of a line, indices are a line
  shape  i=i32.3x2.row.const-0     # neither equal nor 1
  shape  s=4x0                     # a position on an axis of 0
  domain i=i32.4x2.row.const-3     # the first behind the axis
  domain i=i32.4x2.row.const--4    # the first before it
  domain i=u16.4x2.row.const-65535 # not -1
  domain i=i32.1x2.row.const-3     # repeated
)";

constexpr const char* kAlongBench = R"(
  ci     f32.1024x1024.row.uniform+i32.1024x1024.row.index-1024/axis={0,1}
)";

constexpr const char* kGatherCases = R"(
  call   {t}.{s}.{l}.{x}+{i}.{k}.{m}.{y}/axes={axes},slice_sizes={w}
  from   t=f32 l=row x=order i=i32 m=row s=5x4 k=3 axes=0: w=1:4 y=positions-5
  smoke  t={@all}
  smoke  i={@integers}
  smoke  k={s,0,2x3,1x1x2}
  smoke  w={1:2,1:1,1:0,0:4}
  smoke  w=2:{2,4} y=index-4                     # windows that overlap
  smoke  axes=1: w={5:2,2:2,1:2} y=index-3
  smoke  s=2x1x3x1x2x1x5x2 axes=6: w=1:1:2:1:2:1:3:2 y=index-3
  smoke  s=0x4 w=0:{4,2} y=const-0               # the one place on an axis of 0
  ci     t={u8,f16,f32,c64} s=6x5x7 axes,w,y={0: 1:5:7 index-6, 1: 2:3:1 index-3, 2: 2:3:1 index-7} k=2x3 l={@layouts}
  ci     s=3x3x3x3x3x3x3x3x3 w=1:2:2:2:2:2:2:2:2 k=2 y=index-3  # nine axes, of which none continues another one
  ci     s=40x64 w=1:{1,16,63,64} y=positions-40 k={31,512,513}
  ci     s=1000x33 w=3:{33,20} y=index-998 k=2049
  call   {t}.{s}.{l}.{x}/axes={axes},slice_sizes={w}
  from   t=f32 l=row x=order s=5x4 axes=- w=2:3
  smoke  axes=- w={2:3,5:4,0:1}                   # no index array: one window at the origin
  smoke  s=s axes=- w=-
  call   {t}.{s}.row.order+{i}.{k}.{m}.{y}+{j}.{h}.row.{z}/axes={axes},slice_sizes={w}
  from   t=f32 s=5x4 i=i32 k=2x3 m=row y=positions-5 j=u16 h=3 z=index-4 axes=0:1 w=1:1
  smoke  h={3,1,s,2x1}
  smoke  k=2x1x3x1x2 h=1x2x1x3x1                 # five axes, each of one array alone
  smoke  t=c64 s=5x4x3 w=1:1:3
  smoke  s=4x3x5 axes=2:0 w=1:2:1 i=i8 j=i64
  ci     m={@layouts} h={2x3,2x1}
  ci     s=33x65 y=positions-33 z=index-65 k=70x30 h=30
  call   f32.2x2x3x2x2x2x1x2.row.order+{p}+{q}/axes={axes},slice_sizes=1:1:1:1:1:1:1:1
  from   axes=0:1:2:3:4:5:6:7
         p=i8.3.row.positions-2+i16.3.row.positions-2+i32.3.row.positions-3+i64.3.row.positions-2
         q=u8.3.row.index-2+u16.1.row.index-2+u32.s.row.index-1+u64.3.row.index-2
  smoke  axes=0:1:2:3:4:5:6:7                      # every axis
)";

constexpr const char* kGatherRejects = R"(
  call   f32.{s}.row.order+{i}{j}/axes={axes},slice_sizes={w}
  from   s=4x3 i=i32.5.row.const-0 j= axes=0: w=1:3
  axis      axes=-1:                    # none before the first
  axis      axes=2:                     # beyond the rank
  axis      j=+i32.5.row.const-0 axes=0:0   # an axis twice
  arity     axes=0:1                    # an array for each axis
  arity     i=none j=+i32.5.row.const-0 axes=0:  # a gap
  attribute w=1:4                       # a window beyond its axis
  attribute w=-1:3                      # a negative window
  attribute w=1:                        # a size for each axis
  shape     j=+i32.4.row.const-0 axes=0:1 w=1:1   # index arrays that do not broadcast
  domain    i=i32.5.row.const-4         # the first behind the axis
  domain    i=i32.5.row.const--5        # the first before it
  domain    i=i32.5.row.const-3 w=2:3   # no room for a window
  domain    i=i32.5.row.const--1 w=2:3  # nor from the end
  domain    j=+u8.5.row.const-3 axes=0:1 w=1:1  # the second array
)";

constexpr const char* kGatherBench = R"(
  ci     f32.262144x64.row.uniform+i32.262144.row.index-262144/axes=0:,slice_sizes=1:64
  ci     f32.4096x4096.row.uniform+i32.65536.row.index-4095/axes=0:,slice_sizes=2:64
)";

constexpr const char* kPolicy =
    "indices of any integer dtype, signed ones from the end where negative, are compared with the axis as they are; "
    "one "
    "outside is an error of the call, told with its place, before anything is read";

}  // namespace

std::vector<Fill> index_gather_fills() { return index_fills(); }

std::vector<Op> gather_ops() {
  Op take_row{.name = "take",
              .signature = "a T[*A], indices I[*I] -> out T[*S]",
              .types = "T: all; I: integers",
              .attrs = {{"axis", kNone}},
              .equation =
                  "out[p, i, q] = a[p, indices[i], q], i over all axes of the indices; axis none: of the "
                  "flattened array",
              .meaning = kPolicy,
              .infer = infer_take,
              .oracle = take,
              .cases = kTakeCases,
              .fills = index_gather_fills,
              .rejects = kTakeRejects,
              .bench = kTakeBench,
              .tolerance = {.kind = Tolerance::Class::exact}};
  Op scalar{.name = "take_scalar",
            .signature = "a T[*A] -> out T[*S]",
            .types = "T: all",
            .attrs = {{"axis", kNone}, {"index", 0}},
            .equation = "out[p, q] = a[p, index, q]; axis none: of the flattened array",
            .meaning = "a negative index counts from the end; one outside the axis is an error",
            .infer = infer_take_scalar,
            .oracle = take_scalar,
            .cases = kScalarCases,
            .rejects = kScalarRejects,
            .bench = kScalarBench,
            .tolerance = {.kind = Tolerance::Class::exact}};
  Op along{.name = "take_along_axis",
           .signature = "a T[*A], indices I[*I] -> out T[*S]",
           .types = "T: all; I: integers",
           .attrs = {{"axis", -1}},
           .equation =
               "out[.., j, ..] = a[.., indices[.., j, ..], ..]; other axes broadcast; axis none: of the "
               "flattened array",
           .meaning = kPolicy,
           .infer = infer_along,
           .oracle = take_along_axis,
           .cases = kAlongCases,
           .rejects = kAlongRejects,
           .bench = kAlongBench,
           .tolerance = {.kind = Tolerance::Class::exact}};
  Op windows{.name = "gather",
             .signature =
                 "a T[*A], indices0? I[*I], indices1? J[*J], indices2? K[*K], indices3? L[*L], indices4? M[*M], "
                 "indices5? N[*N], indices6? O[*O], indices7? Q[*Q] -> out T[*S]",
             .types = "T: all; I, J, K, L, M, N, O, Q: integers",
             .attrs = {{"axes", Index{}}, {"slice_sizes", Index{}}},
             .equation =
                 "out[p, q] = a[base(p) + q], q over a window of slice_sizes; base(p) is indices_k[p] on axis "
                 "axes[k] and 0 on others; index arrays broadcast",
             .meaning = kPolicy,
             .infer = infer_gather,
             .oracle = gather,
             .cases = kGatherCases,
             .rejects = kGatherRejects,
             .bench = kGatherBench,
             .tolerance = {.kind = Tolerance::Class::exact}};
  return {take_row, scalar, along, windows};
}

}  // namespace plumb
