// Writing by position, alone and combined with what is there: rows and oracles.
#include <algorithm>
#include <utility>

#include "core/with_last.h"
#include "reference/array/index/index.h"

namespace plumb {
namespace {

using namespace reference;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// ---- scatter, scatter_add, scatter_prod, scatter_max, scatter_min

constexpr std::size_t kFirst = 2;  // index array

std::vector<Spec> infer_scatter(const Request& r) {
  const Shape &a = r.shape(0), &updates = r.shape(1), each = index_shape(r, kFirst);
  const auto axes = r.list("axes");
  if (index_arrays(r, kFirst) != axes.size())
    r.fail(Reason::arity,
           std::to_string(index_arrays(r, kFirst)) + " index arrays for " + std::to_string(axes.size()) + " axes");
  for (std::size_t k = 0; k < axes.size(); ++k) {
    if (axes[k] < 0 || axes[k] >= std::ssize(a))
      r.fail(Reason::axis, std::to_string(axes[k]) + " is not in [0, " + std::to_string(a.size()) + ")");
    if (std::count(axes.begin(), axes.end(), axes[k]) > 1)
      r.fail(Reason::axis, std::to_string(axes[k]) + " is named twice");
  }
  if (updates.size() != each.size() + a.size())
    r.fail(Reason::rank, "updates " + to_string(updates) + " are not of rank " + std::to_string(each.size()) + " + " +
                             std::to_string(a.size()));
  if (part(updates, 0, each.size()) != each)
    r.fail(Reason::shape,
           "updates " + to_string(updates) + " do not begin with the shape of the indices " + to_string(each));
  for (std::size_t d = 0; d < a.size(); ++d)
    if (updates[each.size() + d] > a[d])
      r.fail(Reason::shape, "updates " + to_string(updates) + " have windows larger than a " + to_string(a));
  return {{r.dtype(0), a}};
}

// out[base(p) + q] = out[base(p) + q] OP updates[p, q], out = a at first, over all p, q in row-major order;
// base(p) on axis axes[k]: indices_k[p], else 0
Moves scatter_moves(const Call& c) {
  const Shape &a = c.shape(0), &updates = c.shape(1);
  const auto axes = c.list("axes");
  const std::size_t rank = updates.size() - a.size();
  std::vector<Integers> position;
  for (std::size_t k = 0; k < axes.size(); ++k)
    position.push_back(positions(c, kFirst + k, a[at(axes[k])], updates[rank + at(axes[k])]));
  Moves moves;
  for (std::int64_t u = 0; u < count(updates); ++u) {
    const Index x = unravel(u, updates), p = part(x, 0, rank);
    Index q = part(x, rank, x.size());
    for (std::size_t k = 0; k < axes.size(); ++k)
      q[at(axes[k])] += position[k][ravel(broadcast_from(p, position[k].shape), position[k].shape)];
    moves.push_back({ravel(q, a), u});
  }
  return moves;
}

// ---- put_along_axis, scatter_add_axis

// values without leading axes of size 1 beyond the rank
Shape values_shape(const Request& r, std::size_t rank) {
  Shape v = r.shape(2);
  while (v.size() > rank && v[0] == 1) v.erase(v.begin());
  return v;
}

// Shapes of the result and of the updates, which differ along the axis alone.
struct Along {
  Shape out, updates, values;
  std::size_t axis;
};
Along along(const Request& r) {
  const Shape a = flattened(r, r.shape(0)), &i = r.shape(1);
  Along s{a, {}, values_shape(r, a.size()), at(axis_of(r))};
  if (i.size() != a.size())
    r.fail(Reason::rank, "indices " + to_string(i) + " are not of rank " + std::to_string(a.size()));
  if (s.values.size() > a.size()) r.fail(Reason::rank, "values " + to_string(r.shape(2)) + " have more axes than a");
  s.updates = broadcast(r.op->name, i, s.values);
  Shape ours = s.updates;
  const std::int64_t n = std::exchange(s.out[s.axis], 1), length = std::exchange(ours[s.axis], 1);
  s.out = s.updates = broadcast(r.op->name, s.out, ours);
  s.out[s.axis] = n, s.updates[s.axis] = length;
  return s;
}

std::vector<Spec> infer_along(const Request& r) {
  const Along s = along(r);
  if (s.out[s.axis] == 0 && count(r.shape(1)) != 0) r.fail(Reason::shape, "an axis of 0 elements has no position");
  return {{r.dtype(0), r.none("axis") ? r.shape(0) : s.out}};
}

// out[.., position[.., j, ..], ..] = out[..] OP values[.., j, ..], out = a at first, j ascending
Moves along_moves(const Call& c) {
  const Along s = along(c);
  const Integers position = positions(c, 1, s.out[s.axis]);
  Moves moves;
  for (std::int64_t u = 0; u < count(s.updates); ++u) {
    Index x = unravel(u, s.updates);
    const std::int64_t from = ravel(broadcast_from(x, s.values), s.values);
    x[s.axis] = position[ravel(broadcast_from(x, position.shape), position.shape)];
    moves.push_back({ravel(x, s.out), from});
  }
  return moves;
}

// a, repeated to the shape of the result
Wide repeated(const Call& c) {
  const Shape out = infer_along(c)[0].shape;
  std::vector<std::int64_t> from;
  for (std::int64_t o = 0; o < count(out); ++o)
    from.push_back(ravel(broadcast_from(unravel(o, out), c.shape(0)), c.shape(0)));
  return taken(c[0], from, out);
}

// ---- masked_scatter

std::vector<Spec> infer_masked(const Request& r) {
  const Shape &a = r.shape(0), &mask = r.shape(1), &v = r.shape(2);
  if (mask.size() > a.size()) r.fail(Reason::rank, "mask " + to_string(mask) + " has more axes than a " + to_string(a));
  if (part(a, 0, mask.size()) != mask)
    r.fail(Reason::shape, "mask " + to_string(mask) + " is not what a " + to_string(a) + " begins with");
  const Shape row = part(a, mask.size(), a.size());
  if (v.size() > row.size() + 1)
    r.fail(Reason::rank, "values " + to_string(v) + " have more axes than rows and their number");
  bool fits = true;
  for (std::size_t d = 0; d < std::min(v.size(), row.size()); ++d) {
    const std::int64_t n = row[row.size() - 1 - d], given = v[v.size() - 1 - d];
    fits = fits && (given == n || (v.size() <= row.size() && given == 1));
  }
  if (!fits) r.fail(Reason::shape, "values " + to_string(v) + " are not rows " + to_string(row));
  return {{r.dtype(0), a}};
}

// out[i] = values[number of true mask[j], j < i] where mask[i], else a[i]; values of fewer axes repeat
Moves masked_moves(const Call& c) {
  const Wide mask = widen(c[1]);
  const Shape &a = c.shape(0), &v = c.shape(2), row = part(a, c.shape(1).size(), a.size());
  const bool supply = v.size() > row.size();
  Moves moves;
  std::int64_t taken_rows = 0;
  for (std::int64_t i = 0; i < unsigneds(mask).size(); ++i) {
    if (unsigneds(mask)[i] == 0) continue;
    for (std::int64_t q = 0; q < count(row); ++q) {
      const Index x = unravel(q, row);
      moves.push_back({i * count(row) + q, supply ? taken_rows * count(row) + q : ravel(broadcast_from(x, v), v)});
    }
    ++taken_rows;
  }
  if (supply && taken_rows > v[0])
    c.fail(Reason::domain, std::to_string(v[0]) + " values for " + std::to_string(taken_rows) + " places");
  return moves;
}

// ---- What they have in common

using MovesOf = Moves (*)(const Call&);

std::size_t update_input(const Call& c) {
  return c.op->name.starts_with("scatter") && !c.op->name.ends_with("axis") ? 1 : 2;
}
Wide before(const Call& c) { return c.op->name.ends_with("_axis") ? repeated(c) : widen(c[0]); }

std::vector<Wide> combined(const Call& c, MovesOf moves, Update how) {
  return {updated(before(c), widen_as(c[update_input(c)], c.dtype(0)), moves(c), how)};
}

std::vector<Allowances> bound(const Call& c, const std::vector<Wide>&, const Order& o, MovesOf moves, Update how) {
  return {running_bound(before(c), widen_as(c[update_input(c)], c.dtype(0)), moves(c), how, c.dtype(0), o)};
}
constexpr auto sums_bound = [](const Call& c, const std::vector<Wide>& w, const Order& o) {
  return bound(c, w, o, scatter_moves, Update::add);
};
constexpr auto products_bound = [](const Call& c, const std::vector<Wide>& w, const Order& o) {
  return bound(c, w, o, scatter_moves, Update::prod);
};
constexpr auto differences_bound = [](const Call& c, const std::vector<Wide>& w, const Order& o) {
  return bound(c, w, o, scatter_moves, Update::subtract);
};
constexpr auto quotients_bound = [](const Call& c, const std::vector<Wide>& w, const Order& o) {
  return bound(c, w, o, scatter_moves, Update::divide);
};
constexpr auto axis_bound = [](const Call& c, const std::vector<Wide>& w, const Order& o) {
  return bound(c, w, o, along_moves, Update::add);
};

// ---- Cases. @X: values, @T: pairs of the dtypes of a and the updates, @V: further values

constexpr const char* kScatterCases = R"(
  call   {t}.{s}.{l}.{x}+{u}.{r}.{n}.{x}+{i}.{k}.{m}.{y}/axes={axes}
  from   t,u={@T} l=row n=row m=row x=@X s=4x3 r={k}x1x3 i=i32 k=6 axes=0: y=positions-4
  smoke  s=4x3
  from   t=f32 u=f32
  smoke  i={@integers}
  smoke  x={@V}
  smoke  s=5 k,r={3 3x1, s 1, 0 0x1, 2x3 2x3x1} y=positions-5
  smoke  r=6x1x{0,1,2,3}                               # windows of a part of the rows
  smoke  r=6x2x3 y=index-3                             # windows that overlap
  smoke  s=2x4 axes=1: r=6x{1,2}x{1,3} y=index-2       # along the last axis
  smoke  s=2x1x3x1x2x1x5x2 axes=6: k=2 r=2x1x1x3x1x2x1x3x2 y=index-3
  smoke  s=0x3 k=0 r=0x0x3 y=const-0
  smoke  s=9x32 k=20 r=20x1x32 y=positions-9           # rows of whole cache lines
  smoke  t,u={i32 f32, u8 f64, f16 f32, f32 i64}
  # two cells side by side, each met often
  smoke  t,u={u8 u8, bf16 bf16, f16 f16, i16 i16, i64 i64} s=2 k=700 r=700x1 y=index-2 x=@C
  ci     t,u={u8 u8, u16 u16, f16 f16, bf16 bf16, i32 i32, f64 f64} s=2 k=5003 r=5003x1 y=index-2 x=@C
  nightly t,u={u8 u8, i8 i8, u16 u16, f16 f16, bf16 bf16, i32 i32, f32 f32, i64 i64, f64 f64} s=2 k=100003 r=100003x1
         y=index-2 x=@C
  ci     t,u={u8 u8, f16 f16, f32 f32, @W} s=5x6x7 r=4x1x6x7 k=4 y=positions-5 l={@layouts}
  ci     s=5x6x7 r=4x5x1x7 k=4 axes=1: y=positions-6 n={@layouts}
  ci     s=33 r=4x5x1 k=4x5 y=positions-33 m={@layouts}
  ci     s=3x3x3x3x3x3x3x3x3 k=2 r=2x1x2x2x2x2x2x2x2x2 y=index-3  # nine axes, of which none continues another one
  # around the offsets that are made at once, and rows that several threads share
  ci     s=65x{1,3,16,63,64,65} r={k}x1x{s=='65x1'?1:s=='65x3'?3:16} k={511,512,513,1031} y=positions-65
  ci     t,u={u8 u8, u16 u16, f32 f32, f64 f64} s=1025x33 k=701 r=701x1x33 y=positions-1025
  ci     s=70001 k=20011 r=20011x1 y=positions-70001
  ci     s=20011 k=20011 r=20011x1 y=index-300 x={@V}
  nightly s=100003x64 k=60007 r=60007x1x64 y=positions-100003
  call   {t}.{s}.{l}.{x}+{t}.{r}.{n}.{x}/axes={axes}
  from   t=f32 l=row n=row x=@X s=3x4 r=2x3 axes=-
  smoke  r={2x3,3x4,0x4}                                # no index array: one window at the origin
  smoke  s=s r=s
  call   {t}.{s}.row.{x}+{t}.{r}.row.{x}+{i}.{k}.row.{y}+{j}.{h}.row.{z}/axes={axes}
  from   t=f32 s=5x4 r=2x3x1x1 i=i32 k=2x3 y=positions-5 j=u16 h=3 z=index-4 axes=0:1 x=@X
  smoke  h={3,1,s,2x1}
  smoke  s=5x4x3 r=2x3x1x1x3
  smoke  s=3x3 r=1x2x2 i=i64 k=1 y=index-2 j=i8 h=1 z=index-2
  smoke  s=4x3x5 r=2x3x1x2x1 axes=2:0 j=i64
  ci     s=33x65 r=70x30x1x1 y=positions-33 z=index-65 k=70x1 h=30
  call   f32.2x2x3x2x2x2x1x2.row.{x}+f32.3x1x1x1x1x1x1x1x1.row.{x}+{p}+{q}/axes={axes}
  from   axes=0:1:2:3:4:5:6:7 x=@X
         p=i8.3.row.positions-2+i16.3.row.positions-2+i32.3.row.positions-3+i64.3.row.positions-2
         q=u8.3.row.index-2+u16.1.row.index-2+u32.s.row.index-1+u64.3.row.index-2
  smoke  axes=0:1:2:3:4:5:6:7                            # every axis
)";

constexpr const char* kScatterRejects = R"(
  call   f32.4x3.row.order+f32.{r}.row.order+{i}{j}/axes={axes}
  from   i=i32.5.row.const-0 j= axes=0: r=5x1x3
  axis   axes=-1:                     # none before the first
  axis   axes=2:                      # beyond the rank
  axis   j=+i32.5.row.const-0 axes=0:0   # an axis twice
  arity  axes=0:1                     # an array for each axis
  arity  i=none j=+i32.5.row.const-0 axes=0:  # a gap
  rank   r=5x3                        # a window without an axis
  shape  r=4x1x3                      # fewer windows than indices
  shape  r=5x5x3                      # windows larger than a
  domain i=i32.5.row.const-4          # the first behind the axis
  domain i=i32.5.row.const--5         # the first before it
  domain i=i32.5.row.const-3 r=5x2x3  # no room for a window
  domain i=i32.5.row.const--1 r=5x2x3 # nor from the end
  domain i=u8.5.row.const-255         # not -1
  domain i=i64.5.row.const-4294967296 # 0 in 32 bits
  domain j=+u8.5.row.const-3 axes=0:1 r=5x1x1  # the second array
)";

constexpr const char* kScatterBench = R"(
  ci     f32.262144x64.row.uniform+f32.262144x1x64.row.uniform+i32.262144.row.index-262144/axes=0:
  ci     f32.1048576.row.uniform+f32.1048576x1.row.uniform+i32.1048576.row.index-1048576/axes=0:
)";

constexpr const char* kAxisCases = R"(
  call   {t}.{s}.{l}.{x}+{i}.{k}.{m}.{y}+{u}.{v}.{n}.{x}/axis={axis}
  from   t,u={@T} l=row m=row n=row x=@X i=i32 s=3x5 k=3x4 v={k} axis=1 y=positions-5
  smoke  s=3x5
  from   t=f32 u=f32
  smoke  i={@integers}
  smoke  x={@V}
  smoke  v={s,1,4,1x4,3x1,1x1x3x4}
  smoke  s,k,v,axis={5x3 2x3 2x3 0, 5x3 2x1 2x1 0, 3x5x2 3x7x2 3x7x2 1, 3x5x2 1x7x1 3x1x2 -2,
              3x5 12 12 none, 5 9 s 0, 1x5 3x2 3x2 1, 3x5 1x2 3x2 1}
  smoke  s,k,v={3x5 3x0 s, 0x5 0x2 s, 3x0 3x0 1, 3x5 3x1 3x4}
  smoke  s=2x1x3x1x2x1x5x2 k=2x1x3x1x2x1x3x2 axis=6
  smoke  t,u={i32 f32, f32 i32, f16 f32, bf16 f64}
  smoke  t,u={u8 u8, bf16 bf16, i16 i16} s=2 k=700 axis=0 y=index-2 x=@C
  ci     t,u={u8 u8, f16 f16, f32 f32, @W} s=4x5x6 k=4x7x6 l={@layouts}
  ci     s=4x5x6 k=4x7x6 m={@layouts} n={row,stepped,broadcast}
  # nine axes, of which none continues another one
  ci     s=2x2x2x2x2x2x2x2x2 k=2x1x2x1x2x1x2x1x3 v=2x2x2x2x2x2x2x2x3 axis=8 y=index-2
  ci     s=65x33 k=65x{31,32,33,64,65} y=positions-33
  ci     s=33x65 k={31,64,513}x65 axis=0 y=positions-33
  ci     t,u={u8 u8, f64 f64} s=3x20011 k=3x5003 y=positions-20011
  ci     s=70001 k=20011 axis=0 y={positions-70001,index-300}
  nightly s=1031x1033x7 k=1031x997x7 y=positions-1033
)";

constexpr const char* kAxisRejects = R"(
  call   f32.{s}.row.order+{i}+f32.{v}.row.order/axis={axis}
  from   s=4x3 axis=1 i=i32.4x2.row.const-0 v=4x2
  axis   axis=2                     # beyond the rank
  rank   i=i32.4.row.const-0        # one axis for two
  rank   axis=none                  # of a line, indices are a line
  rank   v=2x4x2                    # more axes than a
  shape  i=i32.3x2.row.const-0 v=3x2  # neither equal nor 1
  shape  v=4x3                      # values that do not broadcast
  shape  s=4x0 v=s                  # a position on an axis of 0
  domain i=i32.4x2.row.const-3      # the first behind the axis
  domain i=i32.4x2.row.const--4     # the first before it
  domain i=u16.4x2.row.const-65535  # not -1
)";

constexpr const char* kAxisBench = R"(
  ci     f32.1024x1024.row.uniform+i32.1024x1024.row.index-1024+f32.1024x1024.row.uniform/axis={0,1}
)";

constexpr const char* kMaskedCases = R"(
  call   {t}.{s}.{l}.{x}+bool.{k}.{m}.{y}+{u}.{v}.{n}.{x}/-
  from   t,u={@T} l=row m=row n=row x=order s=3x4 k=3x4 v=12 y=int-1
  smoke  s=3x4
  from   t=f32 u=f32
  smoke  s,k,v={7 7 9, 7 7 s, 7 7 7, 3x4 3 3x4, 3x4 3 5x4, 3x4 3 4, 3x4 3 1, 3x4 3 s, 3x4x2 3x4 12x2, 3x4 s s}
  smoke  s=3x4 k=s v={1x3x4,3x4,4} y={const-1,const-0}
  smoke  y=const-0 v={0,1,12}
  smoke  y=const-1 v={12,13}
  smoke  s,k,v={0 0 0, 0 0 3, 3x0 3 3x0, 0x4 0 2x4, s s 1, s s s}
  smoke  s=2x1x3x1x2x1x5x2 k=2x1x3x1 v=6x2x1x5x2
  smoke  t,u={i32 f32, f16 f32, bool i8}
  ci     t,u={u8 u8, f16 f16, f32 f32, c64 c64} s=4x5x6 k=4x5 v=20x6 l={@layouts}
  ci     s=4x5x6 k=4x5 v=20x6 m={@layouts} n={row,stepped,transposed}
  # around the blocks that are counted at once
  ci     s={255,256,257,511,513,4095,4097} k={s} v={s}
  ci     t,u={u8 u8, f64 f64} s=70001 k=70001 v=70001
  ci     s=4099x33 k=4099 v=4099x33
  nightly s=1048583 k=1048583 v=1048583
)";

constexpr const char* kMaskedRejects = R"(
  call   f32.{s}.row.order+bool.{k}.row.{y}+f32.{v}.row.order/-
  from   s=4x3 k=4 v=4x3 y=const-1
  rank   k=4x3x1                    # more axes than a
  shape  k=3                        # of another length
  rank   v=1x4x3                    # more axes than rows
  shape  v=4x2                      # rows of another length
  shape  v=2                        # neither a row nor 1
  domain v=3x3                      # three rows for four places
  domain v=0x3                      # none for four places
)";

constexpr const char* kMaskedBench = R"(
  ci     f32.4194304.row.uniform+bool.4194304.row.int-1+f32.4194304.row.uniform/-
)";

std::string replaced(std::string text, std::string_view word, std::string_view by) {
  for (std::size_t i = 0; (i = text.find(word, i)) != std::string::npos; i += by.size())
    text.replace(i, word.size(), by);
  return text;
}

std::string cases(const char* text, Update how) {
  const bool ordered = how == Update::max || how == Update::min;
  std::string pairs;
  for (const DtypeInfo& t : all_dtypes()) {
    pairs += (pairs.empty() ? "" : ", ") + std::string(t.name) + " " + std::string(t.name);
  }
  const bool moves = how == Update::set || ordered;
  std::string all = replaced(replaced(text, "@T", pairs), "@W", ordered ? "i64 i64" : "c64 c64");
  const bool sums = how == Update::add || how == Update::subtract;
  all = updated_cases(all, how);
  all = replaced(all, "@V",
                 moves  ? "special,int-2"
                 : sums ? "int-9,wide,special,huge,tiny"
                        : "int-3,wide-40,special,huge,tiny");
  all = replaced(all, "@C", moves ? "order" : sums ? "const-1" : "const--1");
  return replaced(all, "@X", moves ? "order" : sums ? "uniform-9" : "uniform-2");
}

constexpr const char* kIndexed =
    "a T[*A], updates U[*U], indices0? I[*I], indices1? J[*J], indices2? K[*K], indices3? L[*L], indices4? M[*M], "
    "indices5? N[*N], indices6? O[*O], indices7? Q[*Q] -> out T[*A]";

template <Update how>
Op scatter_row(std::string_view name, std::string_view equation, std::string_view meaning) {
  Op op;
  op.name = name;
  op.signature = kIndexed;
  op.types = "T: " + std::string(updated_types(how)) + "; U: all; I, J, K, L, M, N, O, Q: integers";
  op.attrs = {{"axes", Index{}}};
  op.equation = equation;
  op.meaning = meaning;
  op.infer = infer_scatter;
  op.oracle = with_last<combined, scatter_moves, how>;
  op.cases = cases(kScatterCases, how);
  op.rejects = kScatterRejects;
  op.bench = kScatterBench;
  return op;
}

constexpr std::string_view kSet =
    "the last of several updates of an element in row-major order; updates are first made elements of a's dtype; an "
    "index outside is an error before anything is written";
constexpr std::string_view kAssigned =
    "what x[..] = updates does, and at[..].set, an extension that MLX lacks; the last of several updates of an element "
    "in row-major order; updates are first made elements of a's dtype; an index outside is an error before anything "
    "is written";
constexpr std::string_view kRounded =
    "what at[..].add and at[..].multiply do; in row-major order of the updates, halves in f32 and rounded once; bool: "
    "or of sums, and of products; updates are first made elements of a's dtype; an index outside is an error before "
    "anything is written";
constexpr std::string_view kAlong = kRounded.substr(kRounded.find("in row-major"));
constexpr std::string_view kTakenAway =
    "what at[..].subtract of MLX is; in row-major order of the updates, halves in f32 and rounded once; whole numbers "
    "wrap; updates are first made elements of a's dtype; an index outside is an error before anything is written";
constexpr std::string_view kDivided =
    "what at[..].divide of MLX is, by division and not by a rounded reciprocal; whole numbers are refused (MLX takes "
    "reciprocals of them as whole numbers); in row-major order of the updates, halves in f32 and rounded once; updates "
    "are first made elements of a's dtype; an index outside is an error before anything is written";
constexpr std::string_view kExtreme =
    "what at[..].maximum and at[..].minimum do; NaN beside any, the later of equals (of zeros too); complex numbers "
    "have no order here; an index outside is an error before anything is written";

std::vector<Op> scatter_rows() {
  Op set =
      scatter_row<Update::set>("scatter",
                               "out[base(p) + q] = updates[p, q] in row-major order, out = a elsewhere; base(p) is "
                               "indices_k[p] on axis axes[k] and 0 on others",
                               kAssigned);
  Op add =
      scatter_row<Update::add>("scatter_add", "out = a, then out[base(p) + q] += updates[p, q] for all p, q", kRounded);
  add.tolerance.kind = Tolerance::Class::inherited, add.tolerance.bound = sums_bound;
  Op prod = scatter_row<Update::prod>("scatter_prod", "out = a, then out[base(p) + q] *= updates[p, q] for all p, q",
                                      kRounded);
  prod.tolerance.kind = Tolerance::Class::inherited, prod.tolerance.bound = products_bound;
  Op minus = scatter_row<Update::subtract>("scatter_subtract",
                                           "out = a, then out[base(p) + q] -= updates[p, q] for all p, q", kTakenAway);
  minus.tolerance.kind = Tolerance::Class::inherited, minus.tolerance.bound = differences_bound;
  Op over = scatter_row<Update::divide>("scatter_divide",
                                        "out = a, then out[base(p) + q] /= updates[p, q] for all p, q", kDivided);
  over.tolerance.kind = Tolerance::Class::inherited, over.tolerance.bound = quotients_bound;
  Op max = scatter_row<Update::max>(
      "scatter_max", "out = a, then out[base(p) + q] = max(out[base(p) + q], updates[p, q]) for all p, q", kExtreme);
  Op min = scatter_row<Update::min>(
      "scatter_min", "out = a, then out[base(p) + q] = min(out[base(p) + q], updates[p, q]) for all p, q", kExtreme);
  return {set, add, prod, minus, over, max, min};
}

template <Update how>
Op axis_row(std::string_view name, Attr axis, std::string_view equation, std::string_view meaning) {
  Op op;
  op.name = name;
  op.signature = "a T[*A], indices I[*I], values U[*V] -> out T[*S]";
  op.types = "T, U: all; I: integers";
  op.attrs = {{"axis", axis}};
  op.equation = equation;
  op.meaning = meaning;
  op.infer = infer_along;
  op.oracle = with_last<combined, along_moves, how>;
  op.cases = cases(kAxisCases, how);
  op.rejects = kAxisRejects;
  op.bench = kAxisBench;
  return op;
}

}  // namespace

std::vector<Op> scatter_ops() {
  Op put = axis_row<Update::set>(
      "put_along_axis", kNone,
      "out[.., indices[.., j, ..], ..] = values[.., j, ..], j ascending, out = a elsewhere; other axes "
      "broadcast; axis none: in the flattened array",
      kSet);
  Op add = axis_row<Update::add>(
      "scatter_add_axis", -1,
      "out = a, then out[.., indices[.., j, ..], ..] += values[.., j, ..] for all j; other axes broadcast; "
      "axis none: in the flattened array",
      kAlong);
  add.tolerance.kind = Tolerance::Class::inherited, add.tolerance.bound = axis_bound;
  Op masked{.name = "masked_scatter",
            .signature = "a T[*A], mask bool[*M], values U[*V] -> out T[*A]",
            .types = "T, U: all",
            .attrs = {},
            .equation =
                "out[i, q] = values[number of true mask[j], j < i][q] where mask[i], else a[i, q]; values "
                "without an axis for the rows repeat",
            .meaning =
                "more values than places are ignored, fewer are an error before anything is written; values are "
                "first made elements of a's dtype",
            .infer = infer_masked,
            .oracle = with_last<combined, masked_moves, Update::set>,
            .cases = cases(kMaskedCases, Update::set),
            .rejects = kMaskedRejects,
            .bench = kMaskedBench,
            .tolerance = {.kind = Tolerance::Class::exact}};
  std::vector<Op> all{put, add, masked};
  for (Op& op : scatter_rows()) all.push_back(std::move(op));
  return all;
}

}  // namespace plumb
