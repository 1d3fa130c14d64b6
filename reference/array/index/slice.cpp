// Windows of an array read and written, at places that the call or an input states: rows and oracles.
#include <algorithm>

#include "core/with_last.h"
#include "reference/array/index/index.h"

namespace plumb {
namespace {

using namespace reference;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// ---- Reading

std::vector<Spec> infer_slice(const Request& r) { return {{r.dtype(0), window(r).length}}; }

// out[x] = a[start + x stride]
std::vector<Wide> slice(const Call& c) {
  const Window w = window(c);
  std::vector<std::int64_t> from;
  for (std::int64_t o = 0; o < count(w.length); ++o) {
    Index x = unravel(o, w.length);
    for (std::size_t d = 0; d < x.size(); ++d) x[d] = w.start[d] + x[d] * w.step[d];
    from.push_back(ravel(x, c.shape(0)));
  }
  return {taken(c[0], from, w.length)};
}

// The axes that starts are for; Error(axis), and Error(shape) for another number of starts.
void check_starts(const Request& r) {
  Index axes = r.list("axes");
  for (std::int64_t& x : axes) {
    if (x < -r.rank(0) || x >= r.rank(0))
      r.fail(Reason::axis, std::to_string(x) + " is out of range for rank " + std::to_string(r.rank(0)));
    if (x < 0) x += r.rank(0);
    if (std::count(axes.begin(), axes.end(), x) > 1) r.fail(Reason::axis, std::to_string(x) + " is named twice");
  }
  const std::int64_t given = count(r.shape(r.index("start")));
  if (given != std::ssize(axes))
    r.fail(Reason::shape, std::to_string(given) + " starts for " + std::to_string(axes.size()) + " axes");
}

std::vector<Spec> infer_dynamic(const Request& r) {
  check_starts(r);
  const Shape &a = r.shape(0), size = r.list("slice_size");
  if (size.size() != a.size()) r.fail(Reason::attribute, "slice_size is not one for each axis");
  for (std::size_t d = 0; d < a.size(); ++d)
    if (size[d] < 0 || size[d] > a[d])
      r.fail(Reason::attribute, "a window of " + std::to_string(size[d]) + " on an axis of " + std::to_string(a[d]));
  return {{r.dtype(0), size}};
}

// out[x] = a[start + x], start 0 on axes that are not listed
std::vector<Wide> slice_dynamic(const Call& c) {
  const Shape size = c.list("slice_size");
  const Index start = starts(c, size);
  std::vector<std::int64_t> from;
  for (std::int64_t o = 0; o < count(size); ++o) {
    Index x = unravel(o, size);
    for (std::size_t d = 0; d < x.size(); ++d) x[d] += start[d];
    from.push_back(ravel(x, c.shape(0)));
  }
  return {taken(c[0], from, size)};
}

// ---- Writing

void check_broadcast(const Request& r, const Shape& update, const Shape& to) {
  bool fits = update.size() <= to.size();
  for (std::size_t d = 0; fits && d < update.size(); ++d) {
    const std::int64_t n = to[d + to.size() - update.size()];
    fits = update[d] == n || update[d] == 1;
  }
  if (!fits) r.fail(Reason::shape, "update " + to_string(update) + " does not broadcast to " + to_string(to));
}

std::vector<Spec> infer_update(const Request& r) {
  check_broadcast(r, r.shape(1), window(r).length);
  return {{r.dtype(0), r.shape(0)}};
}

// out[start + x stride] = out[..] OP update[x], out = a at first
Moves static_moves(const Call& c) {
  const Window w = window(c);
  Moves moves;
  for (std::int64_t o = 0; o < count(w.length); ++o) {
    Index x = unravel(o, w.length);
    const std::int64_t from = ravel(broadcast_from(x, c.shape(1)), c.shape(1));
    for (std::size_t d = 0; d < x.size(); ++d) x[d] = w.start[d] + x[d] * w.step[d];
    moves.push_back({ravel(x, c.shape(0)), from});
  }
  return moves;
}

// What a dynamic update covers: its own axes at the end, before them 1 for a listed axis and all of another one.
Shape covered(const Request& r) {
  const Shape &a = r.shape(0), &update = r.shape(1);
  if (update.size() > a.size()) r.fail(Reason::rank, "update " + to_string(update) + " has more axes than a");
  Shape s = a;
  for (const std::int64_t x : r.list("axes")) s[at(x < 0 ? x + r.rank(0) : x)] = 1;
  for (std::size_t d = 0; d < update.size(); ++d) s[d + s.size() - update.size()] = update[d];
  return s;
}

std::vector<Spec> infer_dynamic_update(const Request& r) {
  check_starts(r);
  const Shape s = covered(r), &a = r.shape(0);
  for (std::size_t d = 0; d < a.size(); ++d)
    if (s[d] > a[d]) r.fail(Reason::shape, "update " + to_string(r.shape(1)) + " is larger than a " + to_string(a));
  return {{r.dtype(0), a}};
}

// out[start + x] = update[x], start 0 on axes that are not listed, out = a elsewhere
Moves dynamic_moves(const Call& c) {
  const Shape size = covered(c);
  const Index start = starts(c, size);
  Moves moves;
  for (std::int64_t o = 0; o < count(size); ++o) {
    Index x = unravel(o, size);
    const std::int64_t from = ravel(broadcast_from(x, c.shape(1)), c.shape(1));
    for (std::size_t d = 0; d < x.size(); ++d) x[d] += start[d];
    moves.push_back({ravel(x, c.shape(0)), from});
  }
  return moves;
}

std::vector<Wide> update(const Call& c, Moves (*moves)(const Call&), Update how) {
  return {updated(widen(c[0]), widen_as(c[1], c.dtype(0)), moves(c), how)};
}

// One operation, rounded once; of complex products, whose parts are sums, within the ulps that a route declares.
Tolerance::Class rounded_reals(const Call& c) {
  return is_complex(c.dtype(0)) ? Tolerance::Class::function : Tolerance::Class::rounded;
}

// ---- Cases

constexpr const char* kSliceCases = R"(
  call   {t}.{s}.{l}.{x}/start={b},stop={e},strides={d}
  from   t=f32 l=row x=order s=5 b=1: e=4: d=1:
  smoke  t={@all}
  # bounds beyond either end are clamped; through element 0 by a stop below -n
  smoke  b,e,d={0: 5: 1:, 0: 5: 2:, -3: -1: 1:, 0: 100: 1:, 3: 1: 1:, 4: -6: -2:, 10: -6: -1:, -10: 2: 1:, 4: 0: -1:,
                -100: -100: -1:, 4: -1: -1:, 0: 5: 9223372036854775807:, 4: -9: -9223372036854775807:, 2: 3: -7:}
  smoke  s=0 b,e,d={0: 0: 1:, -1: -5: -1:, 5: 9: 2:}
  smoke  s=s b=- e=- d={-,none}
  smoke  s=5 d=none
  smoke  s=4x5 b,e,d={1:-1 3:-5 1:-2, 0:0 4:0 1:1, 0:0 4:5 1:1, -1:-1 -9:-9 -1:-1, 1:2 4:3 3:3}
  smoke  s=2x3x2x1x2x3x2x2 b=0:2:0:0:1:0:0:1 e=2:-4:2:1:2:3:1:2 d=1:-2:1:1:1:2:1:1
  ci     t={u8,f16,f32,c64} s=7x6x5 l={@layouts} b,e,d={1:0:0 6:6:5 2:1:1, 6:5:4 -9:-9:-9 -1:-2:-1, 0:1:2 7:4:5 1:1:1}
  # around the runs that several threads share
  ci     t={u8,u16,f32,f64} s=65x{31,32,33,64,65,513} b,e,d={1:1 64:30 1:1, 0:0 65:31 2:3, 64:30 -66:-66 -1:-1}
  ci     s=200003 b,e,d={1: 200002: 1:, 0: 200003: 2:, -1: -300000: -1:, 3: 200000: 64:}
  ci     s=517x301 b,e,d={0:3 517:300 1:1, 516:0 -600:301 -1:1, 0:300 517:-302 2:-1}
  nightly s=3001x2003 b,e,d={1:1 3000:2002 1:1, 0:2002 3001:-2004 3:-2}
)";

constexpr const char* kSliceRejects = R"(
  call   f32.{s}.row.order/start={b},stop={e},strides={d}
  from   s=4x3 b=0:0 e=4:3 d=1:1
  attribute b=0:                # a start for each axis
  attribute e=4:3:2             # a stop for each axis
  attribute d=1:                # a stride for each axis
  attribute d=1:0               # a stride of 0
)";

constexpr const char* kSliceBench = R"(
  ci     f32.4096x4096.row.uniform/start=1:1,stop=4095:4095,strides=1:1
  ci     f32.4096x4096.row.uniform/start=0:4095,stop=4096:-4097,strides=2:-1
)";

constexpr const char* kDynamicCases = R"(
  call   {t}.{s}.{l}.{x}+{i}.{k}.{m}.{y}/axes={axes},slice_size={w}
  from   t=f32 l=row x=order i=i32 k=2 m=row s=4x5 axes=0:1 w=2:3 y=const-1
  smoke  t={@all}
  smoke  i={@integers}
  smoke  y={const-0,ramp,index-3}
  smoke  k=s axes={0:,-1:} w={1:3,4:1} y=const-0
  smoke  k,axes,w,y={1 1: 4:2 index-4, 1 -2: 3:5 index-2, 2 1:0 2:2 ramp, 2 0:1 4:5 const-0,
              2 0:1 0:3 const-2, 0 - 2:2 ramp}
  smoke  s=5x6x7x8 k=4 axes=0:1:2:3 w=2:2:2:2 y=ramp     # a window copied by the size of its source
  smoke  s=2x1x3x1x2x1x5x2 axes=6:2 w=1:1:1:1:2:1:2:2 y=const-2
  smoke  s=s k=0 axes=- w=-
  ci     t={u8,f16,f32,c64} s=7x6x5 axes=0:2 w=3:6:2 y=const-3 l={@layouts}
  ci     k=2 m={@layouts} y=index-3
  ci     s=130x257 w,y={1:257 const-0, 127:1 ramp, 128:255 ramp}
  ci     s=513x300 k=1 axes=0: w=512:{3,64,299} y=index-2
)";

constexpr const char* kDynamicRejects = R"(
  call   f32.4x5.row.order+{i}/axes={axes},slice_size={w}
  from   i=i32.2.row.const-0 axes=0:1 w=2:3
  axis      axes=0:2                    # beyond the rank
  axis      axes=0:-2                   # an axis twice
  shape     i=i32.1.row.const-0         # a start for each axis
  shape     i=i32.s.row.const-0         # one start for two axes
  attribute w=5:3                       # a window beyond its axis
  attribute w=2:-1                      # a negative window
  attribute w=2:                        # a size for each axis
  domain    i=i32.2.row.const--1        # starts are not from the end
  domain    i=i32.2.row.const-3         # no room: starts are not clamped
  domain    i=u64.2.row.const-3         # nor unsigned ones
  domain    i=i64.2.row.const-4294967296  # 0 in 32 bits
)";

constexpr const char* kDynamicBench = R"(
  ci     f32.4096x4096.row.uniform+i32.2.row.const-100/axes=0:1,slice_size=2048:3000
)";

constexpr const char* kUpdateCases = R"(
  call   {t}.{s}.{l}.{x}+{u}.{r}.{m}.{x}/start={b},stop={e},strides={d}
  from   t,u={@T} l=row m=row x=@X s=5 r=3 b=1: e=4: d=1:
  smoke  s=5
  from   t=f32 u=f32
  smoke  b,e,d,r={0: 5: 2: 3, 4: -6: -2: 3, 0: 5: 1: s, 0: 5: 1: 1, 3: 1: 1: 0, 3: 1: 1: 1, 0: 100: 1: 5, -100: 2: 1: 2}
  smoke  s=s r=s b=- e=- d={-,none}
  smoke  s=0 r={0,1,s} b=0: e=0:
  smoke  s=4x5 b,e,d,r={1:-1 3:-5 1:-2 2x2, 0:0 4:5 1:1 4x5, 0:0 4:5 1:1 5, 0:0 4:5 1:1 4x1,
              2:4 -5:0 -1:-2 3x1, 1:2 4:3 3:3 s}
  smoke  s=2x3x2x1x2x3x2x2 r=2x2x2x1x1x2x1x1 b=0:2:0:0:1:0:0:1 e=2:-4:2:1:2:3:1:2 d=1:-2:1:1:1:2:1:1
  # what is written is first made an element of a
  smoke  t,u={i32 f32, u8 f32, i8 f64, bool f32, f16 f64, bf16 i64, f32 i32, f32 c64, c64 f16, u64 f32,
              bool i8, f64 u64, f32 bool, bool c64}
  ci     t,u={i64 f64, u16 bf16, i16 f16, f16 u64, bf16 f64, f32 f64, i8 i64, u32 i8, f64 i64,
              @W} s=40 r=38 b=1: e=39: x=special
  # a pitch that is not the window's: corners that are not square
  ci     s=32x32 r={16x15,16x18} b=0:0 e=16:{r=='16x15'?15:18} d=1:1
  ci     t,u={u8 u8, f16 f16, f32 f32, @W} s=7x6x5 r=3x6x5 b=1:0:0 e=6:6:5 d=2:1:1 l={@layouts}
  ci     s=7x6x5 r=3x6x5 b=1:0:0 e=6:6:5 d=2:1:1 m={@layouts}
  ci     t,u={u16 u16, bf16 bf16, f32 f32, f64 f64} s=65x{31,33,64,65,513} r=63x29 b=1:1 e=64:30 d=1:1
  ci     s=200003 r={200001,s} b=1: e=200002: d=1:
  ci     s=200003 r=100002 b=0: e=200003: d=2:
  ci     s=33x70 r=33x70 b=32:69 e=-34:-71 d=-1:-1 x={@S}
)";

constexpr const char* kUpdateRejects = R"(
  call   f32.{s}.row.order+f32.{r}.row.order/start={b},stop={e},strides={d}
  from   s=4x3 r=2x3 b=0:0 e=2:3 d=1:1
  shape     r=3x3                # longer than the window
  shape     r=2                  # neither its size nor 1
  shape     r=1x2x3              # of more axes
  shape     e=0:3                # two rows for none
  attribute b=0:                 # a start for each axis
  attribute d=1:0                # a stride of 0
)";

constexpr const char* kUpdateBench = R"(
  ci     f32.4096x4096.row.uniform+f32.2048x4096.row.uniform/start=1024:0,stop=3072:4096,strides=1:1
)";

constexpr const char* kDynamicUpdateCases = R"(
  call   {t}.{s}.{l}.{x}+{u}.{r}.{n}.{x}+{i}.{k}.{m}.{y}/axes={axes}
  from   t,u={@T} l=row n=row x=order i=i32 k=2 m=row s=4x5 r=2x3 axes=0:1 y=const-1
  smoke  s=4x5
  from   t=f32 u=f32
  smoke  i={@integers}
  smoke  y={const-0,ramp,index-3}
  smoke  r,k,axes,y={5 1 0: index-4, 4x2 1 1: index-4, 1x5 1 -2: index-4, s 2 0:1 ramp, 4x5 2 1:0 const-0,
              4x5 0 - ramp, 0x3 2 0:1 const-2, 3 2 0:1 const-2}
  smoke  s=5x6x7x8 r=2x2x2x2 k=4 axes=0:1:2:3 y=ramp
  smoke  s=2x1x3x1x2x1x5x2 r=1x1x1x1x2x1x2x2 axes=6:2 y=const-2
  smoke  k=s r=1x3 axes=0: y=const-3
  smoke  t,u={i32 f32, u8 f64, f16 f32, f32 c64, bool i32}
  ci     t,u={u8 u8, f16 f16, f32 f32, c64 c64} s=7x6x5 r=3x6x2 axes=0:2 y=const-3 l={@layouts}
  ci     s=7x6x5 r=3x6x2 axes=0:2 y=const-3 n={@layouts} m={row,stepped,reversed}
  ci     s=130x257 r,y={1x257 const-0, 127x1 ramp, 128x255 ramp}
  ci     s=513x300 r=512x{3,64,299} k=1 axes=0: y=index-2
)";

constexpr const char* kDynamicUpdateRejects = R"(
  call   f32.4x5.row.order+f32.{r}.row.order+{i}/axes={axes}
  from   r=2x3 i=i32.2.row.const-0 axes=0:1
  axis      axes=0:2                    # beyond the rank
  axis      axes=0:-2                   # an axis twice
  shape     i=i32.1.row.const-0         # a start for each axis
  shape     r=5x3                       # larger than a
  rank      r=1x2x3                     # of more axes
  domain    i=i32.2.row.const--1        # starts are not from the end
  domain    i=i32.2.row.const-3         # no room: starts are not clamped
  domain    i=u8.2.row.const-255        # not -1
)";

constexpr const char* kDynamicUpdateBench = R"(
  ci     f32.4096x4096.row.uniform+f32.2048x3000.row.uniform+i32.2.row.const-100/axes=0:1
)";

std::string replaced(std::string text, std::string_view word, std::string_view by) {
  for (std::size_t i = 0; (i = text.find(word, i)) != std::string::npos; i += by.size())
    text.replace(i, word.size(), by);
  return text;
}

// Pairs of a dtype with itself.
std::string pairs(std::string_view types) {
  std::string all;
  for (std::size_t i = 0; i < types.size();) {
    const std::size_t end = std::min(types.find(' ', i), types.size());
    const std::string t(types.substr(i, end - i));
    all += (all.empty() ? "" : ", ") + t + " " + t;
    i = end + 1;
  }
  return all;
}

constexpr std::string_view kReal = "bool u8 u16 u32 u64 i8 i16 i32 i64 f16 bf16 f32 f64";

std::string cases(const char* text, Update how) {
  const bool ordered = how == Update::max || how == Update::min, moves = how == Update::set || ordered;
  std::string all = replaced(text, "@T", pairs(kReal) + ", c64 c64");
  all = updated_cases(replaced(all, "@W", ordered ? "i64 i64" : "c64 c64"), how);
  all = replaced(all, "{@S}", moves ? "{order,special}" : "{special,uniform,wide-60,int-9}");
  return replaced(all, "@X",
                  moves                                           ? "order"
                  : how == Update::add || how == Update::subtract ? "uniform-9"
                                                                  : "uniform-3");
}

template <Update how>
Op update_row(std::string_view name, std::string_view equation, std::string_view meaning) {
  Op op;
  op.name = name;
  op.signature = "a T[*A], update U[*U] -> out T[*A]";
  op.types = "T: " + std::string(updated_types(how)) + "; U: all";
  op.attrs = {{"start", Index{}}, {"stop", Index{}}, {"strides", kNone}};
  op.equation = equation;
  op.meaning = meaning;
  op.infer = infer_update;
  op.oracle = with_last<update, static_moves, how>;
  op.cases = cases(kUpdateCases, how);
  op.rejects = kUpdateRejects;
  op.bench = kUpdateBench;
  return op;
}

constexpr std::string_view kCast =
    "the update is first made elements of a's dtype (truncated, saturated, NaN 0), then broadcasts to the window; "
    "bounds are clamped as those of a Python slice";

constexpr std::string_view kDivided =
    "as slice_update; by division, which at[..].divide of MLX makes a product with a rounded reciprocal; whole numbers "
    "are refused";

std::vector<Op> update_rows() {
  Op set = update_row<Update::set>("slice_update", "out[start + x stride] = update[x], out = a elsewhere", kCast);
  Op add = update_row<Update::add>("slice_update_add",
                                   "out[start + x stride] = a[start + x stride] + update[x], out = a elsewhere", kCast);
  add.tolerance.kind = Tolerance::Class::rounded;
  Op prod = update_row<Update::prod>("slice_update_prod",
                                     "out[start + x stride] = a[start + x stride] update[x], out = a elsewhere", kCast);
  prod.tolerance.kind = Tolerance::Class::rounded, prod.tolerance.when = rounded_reals;
  Op minus = update_row<Update::subtract>(
      "slice_update_subtract", "out[start + x stride] = a[start + x stride] - update[x], out = a elsewhere", kCast);
  minus.tolerance.kind = Tolerance::Class::rounded;
  Op over = update_row<Update::divide>(
      "slice_update_divide", "out[start + x stride] = a[start + x stride] / update[x], out = a elsewhere", kDivided);
  over.tolerance.kind = Tolerance::Class::rounded, over.tolerance.when = rounded_reals;
  constexpr std::string_view kExtreme =
      "as slice_update; NaN beside any, the update of equals (of zeros too); complex numbers have no order here";
  Op max = update_row<Update::max>(
      "slice_update_max", "out[start + x stride] = max(a[start + x stride], update[x]), out = a elsewhere", kExtreme);
  Op min = update_row<Update::min>(
      "slice_update_min", "out[start + x stride] = min(a[start + x stride], update[x]), out = a elsewhere", kExtreme);
  return {set, add, prod, minus, over, max, min};
}

std::vector<Op> dynamic_rows() {
  Op read{.name = "slice_dynamic",
          .signature = "a T[*A], start I[L?] -> out T[*S]",
          .types = "T: all; I: integers",
          .attrs = {{"axes", Index{}}, {"slice_size", Index{}}},
          .equation = "out[x] = a[start + x], x over slice_size; start is 0 on axes that are not listed",
          .meaning = "starts are neither clamped nor counted from the end: one without room for the window is an error",
          .infer = infer_dynamic,
          .oracle = slice_dynamic,
          .cases = kDynamicCases,
          .rejects = kDynamicRejects,
          .bench = kDynamicBench,
          .tolerance = {.kind = Tolerance::Class::exact}};
  Op write{.name = "slice_update_dynamic",
           .signature = "a T[*A], update U[*U], start I[L?] -> out T[*A]",
           .types = "T, U: all; I: integers",
           .attrs = {{"axes", Index{}}},
           .equation = "out[start + x] = update[x], out = a elsewhere; start is 0 on axes that are not listed",
           .meaning =
               "an update of fewer axes repeats along unlisted axes before its own; its own sizes are the "
               "window's; starts as in slice_dynamic",
           .infer = infer_dynamic_update,
           .oracle = with_last<update, dynamic_moves, Update::set>,
           .cases = cases(kDynamicUpdateCases, Update::set),
           .rejects = kDynamicUpdateRejects,
           .bench = kDynamicUpdateBench,
           .tolerance = {.kind = Tolerance::Class::exact}};
  return {read, write};
}

}  // namespace

std::vector<Op> slice_ops() {
  Op read{.name = "slice",
          .signature = "a T[*A] -> out T[*S]",
          .types = "T: all",
          .attrs = {{"start", Index{}}, {"stop", Index{}}, {"strides", kNone}},
          .equation = "out[x] = a[start + x stride], x over what Python's slice holds",
          .meaning =
              "bounds from the end where negative, then clamped; with a negative stride a stop below -n means "
              "through element 0; a stride of 0 is an error; strides none are 1",
          .infer = infer_slice,
          .oracle = slice,
          .cases = kSliceCases,
          .rejects = kSliceRejects,
          .bench = kSliceBench,
          .tolerance = {.kind = Tolerance::Class::exact}};
  std::vector<Op> all{read};
  for (Op& op : update_rows()) all.push_back(std::move(op));
  for (Op& op : dynamic_rows()) all.push_back(std::move(op));
  return all;
}

}  // namespace plumb
