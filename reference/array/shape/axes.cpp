// The same elements in another order that strides can say: axes exchanged, repeated, reversed, and diagonals.
#include <algorithm>
#include <numeric>

#include "reference/array/shape/movement.h"

namespace plumb {
namespace {

using namespace reference;
using Axes = std::vector<std::int64_t>;

// ---- Axes in another order: p[d] is the axis of a that is axis d of the result ----

Axes axes_of_transpose(const Request& r) {
  Axes p(static_cast<std::size_t>(r.rank(0)));
  std::iota(p.rbegin(), p.rend(), 0);
  if (r.none("axes")) return p;
  const Axes given = r.list("axes");
  if (given.size() != p.size())
    r.fail(Reason::axis, std::to_string(given.size()) + " axes for rank " + std::to_string(p.size()));
  return normal(r, given, r.rank(0));
}

Axes axes_in_order(const Request& r) {
  Axes p(static_cast<std::size_t>(r.rank(0)));
  std::iota(p.begin(), p.end(), 0);
  return p;
}

Axes axes_of_swapaxes(const Request& r) {
  Axes p = axes_in_order(r);
  std::swap(p[static_cast<std::size_t>(r.axis("axis1"))], p[static_cast<std::size_t>(r.axis("axis2"))]);
  return p;
}

Axes axes_of_moveaxis(const Request& r) {
  Axes p = axes_in_order(r);
  const std::int64_t from = r.axis("source"), to = r.axis("destination");
  p.erase(p.begin() + from);
  p.insert(p.begin() + to, from);
  return p;
}

Axes axes_of_matrix_transpose(const Request& r) {
  Axes p = axes_in_order(r);
  std::swap(p.end()[-1], p.end()[-2]);
  return p;
}

template <Axes (*axes)(const Request&)>
std::vector<Spec> infer_permuted(const Request& r) {
  Shape out;
  for (const std::int64_t axis : axes(r)) out.push_back(r.shape(0)[static_cast<std::size_t>(axis)]);
  return of_shape(r, out);
}

// out[i] = a[j], j_(p[d]) = i_d
template <Axes (*axes)(const Request&)>
std::vector<Wide> permuted(const Call& c) {
  const Axes p = axes(c);
  return moved(c, [&](const Index& i) {
    Index j(i.size());
    for (std::size_t d = 0; d < i.size(); ++d) j[static_cast<std::size_t>(p[d])] = i[d];
    return j;
  });
}

// ---- Repeated, reversed and picked elements ----

std::vector<Spec> infer_broadcast_to(const Request& r) {
  const Shape out = r.list("shape"), &s = r.shape(0);
  for (const std::int64_t n : out)
    if (n < 0) r.fail(Reason::attribute, "a size of " + std::to_string(n));
  if (broadcast(r.op->name, s, out) != out)
    r.fail(Reason::shape, to_string(s) + " does not broadcast to " + to_string(out));
  return of_shape(r, out);
}

// out[i] = a[j], j_d = 0 where a has size 1, else i_d, axes aligned at the last
std::vector<Wide> broadcast_to(const Call& c) {
  const Shape& s = c.shape(0);
  return moved(c, [&](const Index& i) {
    Index j(i.end() - static_cast<std::ptrdiff_t>(s.size()), i.end());
    for (std::size_t d = 0; d < s.size(); ++d)
      if (s[d] == 1) j[d] = 0;
    return j;
  });
}

std::vector<Spec> infer_flip(const Request& r) {
  (void)r.axes();
  return of_shape(r, r.shape(0));
}

// out[i] = a[j], j_d = n_d - 1 - i_d on the axes, else i_d
std::vector<Wide> flip(const Call& c) {
  const Axes axes = c.axes();
  return moved(c, [&](Index i) {
    for (const std::int64_t a : axes) {
      const auto d = static_cast<std::size_t>(a);
      i[d] = c.shape(0)[d] - 1 - i[d];
    }
    return i;
  });
}

struct Strided {
  Shape shape;
  Strides strides;
  std::int64_t offset;
};

Strided strided(const Request& r) {
  Strided s;
  s.shape = r.none("shape") ? r.shape(0) : r.list("shape");
  s.strides = r.none("strides") ? row_major(s.shape) : r.list("strides");
  s.offset = r.integer("offset");
  return s;
}

std::vector<Spec> infer_as_strided(const Request& r) {
  const Strided s = strided(r);
  if (s.shape.size() != s.strides.size())
    r.fail(Reason::attribute, std::to_string(s.strides.size()) + " strides for " + to_string(s.shape));
  for (const std::int64_t n : s.shape)
    if (n < 0) r.fail(Reason::attribute, "a size of " + std::to_string(n));
  if (count(s.shape) == 0) return of_shape(r, s.shape);
  std::int64_t low = s.offset, high = s.offset;
  for (std::size_t d = 0; d < s.shape.size(); ++d) {
    std::int64_t& end = s.strides[d] < 0 ? low : high;
    end = sum(r, end, product(r, s.shape[d] - 1, s.strides[d]));
  }
  const std::int64_t n = count(r.shape(0));
  if (low < 0 || high >= n)
    r.fail(Reason::shape, "places " + std::to_string(low) + " to " + std::to_string(high) + " of " + std::to_string(n));
  return of_shape(r, s.shape);
}

// out[i] = the element of a at place offset + sum of i_d strides_d of its row-major order
std::vector<Wide> as_strided(const Call& c) {
  const Strided s = strided(c);
  return moved(c, [&](const Index& i) {
    std::int64_t place = s.offset;
    for (std::size_t d = 0; d < i.size(); ++d) place += i[d] * s.strides[d];
    return index_at(place, c.shape(0));
  });
}

// ---- Diagonals ----

struct Planes {
  std::size_t rows, columns;  // axes
  std::int64_t offset;
};

Planes planes(const Request& r) {
  return {static_cast<std::size_t>(r.axis("axis1")), static_cast<std::size_t>(r.axis("axis2")), r.integer("offset")};
}

std::vector<Spec> infer_diagonal(const Request& r) {
  if (r.rank(0) < 2) r.fail(Reason::rank, to_string(r.shape(0)) + " has no two axes");
  const Planes p = planes(r);
  if (p.rows == p.columns) r.fail(Reason::axis, std::to_string(p.rows) + " is named twice");
  const Shape& s = r.shape(0);
  Shape out;
  for (std::size_t d = 0; d < s.size(); ++d)
    if (d != p.rows && d != p.columns) out.push_back(s[d]);
  out.push_back(diagonal_length(s[p.rows], s[p.columns], p.offset));
  return of_shape(r, out);
}

// out[i.., k] = a[i.., r, r + offset], r = k + max(0, -offset), on axis1 and axis2
std::vector<Wide> diagonal(const Call& c) {
  const Planes p = planes(c);
  return moved(c, [&](const Index& i) {
    Index j(i.size() + 1);
    std::size_t next = 0;
    const std::int64_t row = i.back() + std::max<std::int64_t>(0, -p.offset);
    for (std::size_t d = 0; d < j.size(); ++d) j[d] = d == p.rows ? row : d == p.columns ? row + p.offset : i[next++];
    return j;
  });
}

// ---- Cases ----

constexpr const char* kTranspose = R"(
  call   {t}.{s}.{l}.{x}/axes={p}
  from   t=f32 l=row x=ramp s=3x4x5 p=1:2:0
  smoke  p={,0:1:2,2:0:1,1:0:2,1:0:-1}
  smoke  s,p={s :, s -, 7 0:, 0x3 1:0, 4x5 -}
  ci     s=2x1x3x1x2x1x3x2 p={,7:0:5:1:6:3:4:2} l={@layouts} x=bits
  ci     s=67x129 p=1:0 t={u8,f16,f32,f64}
)";
constexpr const char* kTransposeRejects = R"(
  call   f32.{s}.row.ramp/axes={p}
  from   s=2x3
  axis   p=0:0         # one axis twice
  axis   p=0:-2        # one axis twice, once from the end
  axis   p=0:          # one of two
  axis   p=0:2         # beyond the rank
  axis   p=0:1:2       # three of two
)";

constexpr const char* kMatrixTranspose = R"(
  call   {t}.{s}.{l}.{x}/-
  from   t=f32 l=row x=ramp s=3x4x5
  smoke  s={4x5,0x3,3x0,1x1,2x3x0x2}
  ci     s=2x1x3x1x2x1x3x2 l={@layouts} x=bits
  ci     s=67x129 t={u8,f16,f32,f64}
)";

constexpr const char* kSwap = R"(
  call   {t}.{s}.{l}.{x}/axis1={i},axis2={j}
  from   t=f32 l=row x=ramp s=3x4x5 i=0 j=2
  smoke  i,j={0 1, 1 -1, -1 0, 1 1}
  smoke  s,i,j={7 0 0, 0x3 0 1}
  ci     s=2x1x3x1x2x1x3x2 i=1 j=6 l={@layouts} x=bits
  ci     s=67x129x2 t={u8,f16,f32,f64}
)";
constexpr const char* kSwapRejects = R"(
  call   f32.{s}.row.ramp/axis1={i},axis2={j}
  from   s=2x3x4
  axis   i=3 j=0       # beyond the rank
  axis   i=0 j=-4      # before the first
  axis   s=s i=0 j=0   # a scalar has no axes
  attribute i= j=1     # one is not named
)";

constexpr const char* kMove = R"(
  call   {t}.{s}.{l}.{x}/source={i},destination={j}
  from   t=f32 l=row x=ramp s=3x4x5 i=0 j=2
  smoke  i,j={0 1, 2 0, 1 -1, -1 0, 1 1}
  smoke  s,i,j={7 0 0, 0x3 0 1}
  ci     s=2x1x3x1x2x1x3x2 i,j={1 6, 7 2} l={@layouts} x=bits
  ci     s=67x129x2 t={u8,f16,f32,f64}
)";
constexpr const char* kMoveRejects = R"(
  call   f32.{s}.row.ramp/source={i},destination={j}
  from   s=2x3x4
  axis   i=3 j=0       # beyond the rank
  axis   i=0 j=-4      # before the first
  axis   s=s i=0 j=0   # a scalar has no axes
  attribute i= j=1     # one is not named
)";

constexpr const char* kBroadcast = R"(
  call   {t}.{s}.{l}.{x}/shape={v}
  from   t=f32 l=row x=ramp s=3x1x5 v=2:3:4:5
  smoke  s,v={3 2:3, s :, s 2:2, 1 0:, 3x1 3:0, 3x5 3:5, 1x1x1 2:1:3}
  ci     s=2x1x3x1x2x1x3 v=2:2:5:3:4:2:1:3 l={@layouts} x=bits
  ci     s=1x67 v=129:67 t={u8,f16,f32,f64}
)";
constexpr const char* kBroadcastRejects = R"(
  call   f32.{s}.row.ramp/shape={v}
  from   s=2x3
  shape  v=3:          # fewer axes
  shape  v=2:4         # 3 is not 1
  shape  v=3:2         # axes align at the last
  shape  v=2:1         # nothing shrinks
  attribute v=2:-3     # a negative size
  memory s=1 v=4294967296:4294967296  # more than 2^63 elements
)";

constexpr const char* kFlip = R"(
  call   {t}.{s}.{l}.{x}/axis={axis}
  from   t=f32 l=row x=ramp s=3x4x5 axis=
  smoke  axis={0,1,-1,0:2,0:-1,:}
  smoke  s={s,7,0x3,1x1}
  ci     s=2x1x3x1x2x1x3x2 axis={,0:4:7,6} l={@layouts} x=bits
  ci     s=67x129 axis={0,1} t={u8,f16,f32,f64}
)";
constexpr const char* kFlipRejects = R"(
  call   f32.2x3.row.ramp/axis={axis}
  axis   axis=2        # beyond the rank
  axis   axis=0:-3     # before the first
  axis   axis=1:-1     # named twice
)";

constexpr const char* kStrided = R"(
  call   {t}.{s}.{l}.{x}/shape={v},strides={w},offset={o}
  from   t=f32 l=row x=ramp s=3x4x5 v=5:4 w=7:3 o=2
  # windows that overlap, elements that repeat, from the end, whole, none
  smoke  v,w,o={10:4 2:1 0, 3:5 0:1 1, 6: -4: 59, 60: - 0, 2:3 - 5, : : 7, 0:3 100:100 1000, 4:3:2 1:0:-1 9, - - 0}
  smoke  s,v,w,o={s 1:1 9:9 0, 1 5: 0: 0}
  ci     s=2x1x3x1x2x1x3x4 v=2:3:2:3 w=40:8:-3:1 o=6 l={@layouts} x=bits
  ci     s=67x129 v=129:67 w=1:129 o=0 l={row,transposed} t={u8,f16,f32,f64}
)";
constexpr const char* kStridedRejects = R"(
  call   f32.3x4.row.ramp/shape={v},strides={w},offset={o}
  from   o=0
  shape  v=3:5 w=4:1          # one beyond the last
  shape  v=12: w=1: o=1       # all, from the second on
  shape  v=2: w=-1:           # one before the first
  shape  v=2:2 w=1:1 o=-1     # begins before the first
  attribute v=3:4 w=4:        # a stride is missing
  attribute v=-1: w=1:        # a negative size
  memory v=3:2 w=4611686018427387904:1  # places that pass 2^63
)";

constexpr const char* kDiagonal = R"(
  call   {t}.{s}.{l}.{x}/offset={k},axis1={i},axis2={j}
  from   t=f32 l=row x=ramp s=4x6x5 k=0 i=0 j=1
  smoke  k={1,-1,3,5,6,-3,-4,99,-99}
  smoke  i,j={0 2, 2 0, -1 1, 1 2} k={0,2,-2}
  smoke  s={4x4,1x1,0x3,3x0,2x3x0}
  ci     s=2x4x3x1x2x1x3x5 i,j,k={1 7 1, 7 1 1, 2 6 -1} l={@layouts} x=bits
  ci     s=67x65x67 i=0 j=2 t={u8,f16,f32,f64}
)";
constexpr const char* kDiagonalRejects = R"(
  call   f32.{s}.row.ramp/offset={k},axis1={i},axis2={j}
  from   s=2x3x4 k=0 i=0 j=1
  axis   i=3             # beyond the rank
  axis   j=-4            # before the first
  axis   j=0             # one axis twice
  axis   i=-2            # one axis twice, once from the end
  rank   s=5             # no second axis
)";

constexpr const char* kBench = "ci f32.4096x4096.row.uniform/-";
constexpr const char* kTwo = "ci f32.4096x4096.row.uniform/axis1=0,axis2=1";

}  // namespace

std::vector<Op> axes_ops() {
  const Attrs two{{"axis1", kNone}, {"axis2", kNone}};
  Op transpose =
      movement("transpose", {{"axes", kNone}}, "out_i = a_j, j_(axes_d) = i_d", infer_permuted<axes_of_transpose>,
               permuted<axes_of_transpose>, {{kTranspose, kEveryInput}, kTransposeRejects, kBench});
  transpose.meaning = "axes none: all reversed";
  Op matrix = movement("matrix_transpose", {}, "out_(..,i,j) = a_(..,j,i)", nullptr, permuted<axes_of_matrix_transpose>,
                       {{kMatrixTranspose, kEveryInput}, {}, kBench});
  matrix.signature = "a T[*B,M,N] -> out T[*B,N,M]";
  Op swap = movement("swapaxes", two, "out_i = a_j, j is i with the two exchanged", infer_permuted<axes_of_swapaxes>,
                     permuted<axes_of_swapaxes>, {{kSwap, kEveryInput}, kSwapRejects, kTwo});
  Op move = movement("moveaxis", {{"source", kNone}, {"destination", kNone}},
                     "axis source of a is axis destination of out; the others keep their order",
                     infer_permuted<axes_of_moveaxis>, permuted<axes_of_moveaxis>,
                     {{kMove, kEveryInput}, kMoveRejects, "ci f32.4096x4096.row.uniform/source=0,destination=1"});
  Op repeat = movement("broadcast_to", {{"shape", kNone}}, "out_i = a_j, j_d = 0 where a has size 1, else i_d",
                       infer_broadcast_to, broadcast_to,
                       {{kBroadcast, kEveryInput}, kBroadcastRejects, "ci f32.4096.row.uniform/shape=4096:4096"});
  repeat.meaning = "axes align at the last; 1 may become 0";
  Op flipped = movement("flip", {{"axis", kNone}}, "out_i = a_j, j_d = n_d - 1 - i_d on the axes", infer_flip, flip,
                        {{kFlip, kEveryInput}, kFlipRejects, kBench});
  flipped.meaning = "axis none: all; an axis that stands twice is refused (upstream does not notice)";
  Op windows =
      movement("as_strided", {{"shape", kNone}, {"strides", kNone}, {"offset", 0}},
               "out_i = element offset + sum of i_d strides_d of a in row-major order", infer_as_strided, as_strided,
               {{kStrided, kEveryInput},
                kStridedRejects,
                "call f32.4096x4096.{l}.uniform/shape=4096:4000,strides=4096:1,offset=5\n ci l={row,transposed}"});
  windows.meaning =
      "strides count elements of the row-major order, whatever those of a are; a place that a does not "
      "have is refused (upstream reads it)";
  Op diagonals = movement("diagonal", {{"offset", 0}, {"axis1", 0}, {"axis2", 1}},
                          "out_(..,k) = a_(..,r,r+offset), r = k + max(0, -offset), on axis1 and axis2", infer_diagonal,
                          diagonal, {{kDiagonal, kEveryInput}, kDiagonalRejects, kBench});
  diagonals.meaning = "the diagonal is the last axis";
  return {transpose, matrix, swap, move, repeat, flipped, windows, diagonals};
}

}  // namespace plumb
