// Other shapes of the same elements in the same order, and the same bits as another dtype.
#include <algorithm>
#include <cstring>

#include "reference/array/shape/movement.h"

namespace plumb {
namespace {

using namespace reference;
using Axes = std::vector<std::int64_t>;

// Sizes that hold n elements together; one of them may be -1.
Shape completed(const Request& r, Shape shape, std::int64_t n) {
  std::int64_t known = 1, open = -1;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] < -1) r.fail(Reason::attribute, "a size of " + std::to_string(shape[d]));
    if (shape[d] == -1 && open >= 0) r.fail(Reason::attribute, "-1 stands twice in " + to_string(shape));
    if (shape[d] == -1) open = static_cast<std::int64_t>(d);
    else known = product(r, known, shape[d]);
  }
  if (open >= 0 && known == 0) r.fail(Reason::shape, to_string(shape) + " does not say what -1 is");
  if (open >= 0 && n % known == 0) shape[static_cast<std::size_t>(open)] = n / known, known = n;
  if (known != n) r.fail(Reason::shape, std::to_string(n) + " elements do not fit " + to_string(shape));
  return shape;
}

std::vector<Spec> infer_reshape(const Request& r) {
  return of_shape(r, completed(r, r.list("shape"), count(r.shape(0))));
}

std::vector<Spec> infer_flatten(const Request& r) {
  const Shape& s = r.shape(0);
  const std::int64_t rank = r.rank(0);
  if (rank == 0) return of_shape(r, {1});
  const auto wrapped = [&](std::int64_t a) { return a < 0 ? a + rank : a; };
  const std::int64_t from = std::max<std::int64_t>(wrapped(r.integer("start_axis")), 0);
  const std::int64_t to = std::min(wrapped(r.integer("end_axis")), rank - 1);
  if (from > to) r.fail(Reason::axis, "axis " + std::to_string(from) + " is behind axis " + std::to_string(to));
  Shape out(s.begin(), s.begin() + from);
  out.push_back(count(Shape(s.begin() + from, s.begin() + to + 1)));
  out.insert(out.end(), s.begin() + to + 1, s.end());
  return of_shape(r, out);
}

std::vector<Spec> infer_unflatten(const Request& r) {
  const std::int64_t axis = r.axis();
  const Shape given = r.list("shape");
  if (given.empty()) r.fail(Reason::attribute, "no sizes for axis " + std::to_string(axis));
  Shape out = r.shape(0);
  const Shape parts = completed(r, given, out[static_cast<std::size_t>(axis)]);
  const auto at = out.erase(out.begin() + axis);
  out.insert(at, parts.begin(), parts.end());
  return of_shape(r, out);
}

std::vector<Spec> infer_squeeze(const Request& r) {
  const Shape& s = r.shape(0);
  const Axes axes = r.axes();
  Shape out;
  for (std::int64_t d = 0; d < r.rank(0); ++d) {
    const std::int64_t n = s[static_cast<std::size_t>(d)];
    const bool named = std::find(axes.begin(), axes.end(), d) != axes.end();
    if (named && n != 1 && !r.none("axis"))
      r.fail(Reason::shape, "axis " + std::to_string(d) + " of " + to_string(s) + " is not 1");
    if (!named || n != 1) out.push_back(n);
  }
  return of_shape(r, out);
}

std::vector<Spec> infer_expand_dims(const Request& r) {
  const Axes given = r.list("axis");
  const auto rank = static_cast<std::int64_t>(given.size()) + r.rank(0);
  Axes axes = normal(r, given, rank);
  std::sort(axes.begin(), axes.end());
  Shape out = r.shape(0);
  for (const std::int64_t a : axes) out.insert(out.begin() + a, 1);
  return of_shape(r, out);
}

// At least so many axes: of a vector the sizes 1, n, then n, 1 at the third; a matrix gets its third axis last.
template <std::size_t axes>
std::vector<Spec> infer_atleast(const Request& r) {
  Shape s = r.shape(0);
  if (s.empty()) s = {1};
  if (axes > 1 && s.size() == 1) s.insert(s.begin(), 1);
  if (axes > 2 && s.size() == 2) s.push_back(1);
  return of_shape(r, s);
}

// out[i] = a[j], i and j at the same place of the row-major order
std::vector<Wide> in_order(const Call& c) {
  const Shape out = output_specs(c)[0].shape;
  return moved(c, [&](const Index& i) { return index_at(position(i, out), c.shape(0)); });
}

// ---- Memory ----

std::vector<Spec> infer_contiguous(const Request& r) { return of_shape(r, r.shape(0)); }

// out[i] = a[i]
std::vector<Wide> contiguous_copy(const Call& c) {
  return moved(c, [](const Index& i) { return i; });
}

std::vector<Spec> infer_view(const Request& r) {
  const auto to = r.dtype_attr("dtype");
  if (!to) r.fail(Reason::attribute, "'dtype' must be given");
  if (*to == Dtype::boolean && r.dtype(0) != Dtype::boolean)
    r.fail(Reason::dtype, "bytes of " + std::string(name(r.dtype(0))) + " are no truth values");
  const std::int64_t old_bytes = info(r.dtype(0)).bytes, new_bytes = info(*to).bytes;
  Shape shape = r.shape(0);
  if (old_bytes == new_bytes) return {{*to, shape}};
  if (shape.empty()) r.fail(Reason::shape, "a scalar of another size");
  const std::int64_t line = product(r, shape.back(), old_bytes);
  if (line % new_bytes != 0)
    r.fail(Reason::shape,
           std::to_string(line) + " bytes of a line are not in elements of " + std::to_string(new_bytes));
  shape.back() = line / new_bytes;
  (void)count(shape);
  return {{*to, shape}};
}

// The bytes of out, line by line, are the bytes of a.
std::vector<Wide> reference_view(const Call& c) {
  const Tensor from = contiguous(c[0]), to(output_specs(c)[0]);
  const std::int64_t bytes = from.size() * info(from.dtype()).bytes;
  if (bytes > 0) std::memcpy(to.write<std::byte>(), from.read<std::byte>(), static_cast<std::size_t>(bytes));
  return {widen(to)};
}

// ---- Cases ----

constexpr const char* kReshape = R"(
  call   {t}.{s}.{l}.{x}/shape={v}
  from   t=f32 l=row x=ramp s=3x4x5 v=5:-1:4
  smoke  s,v={3x4x5 60:, 3x4x5 -1:, 3x4x5 12:5, 3x4x5 3:20, 3x4x5 2:3:10, s 1:1, s :, 1 :, 0x3 3:0, 0x3 -1:, 2x0x3 5:0}
  # axes that merge in some layouts, and in others do not
  smoke  s=6x1x4 v={24:,4:6,2:3:1:4,6:2:2} l={row,transposed,stepped,reversed,broadcast,padded}
  ci     s=2x3x2x3x2x3x2x3 v={-1:,36:36,6:6:6:6,2:3:2:3:2:3:2:3} l={row,transposed,padded}
  ci     s=67x129 v={129:67,-1:} l={row,transposed,stepped} t={u8,f16,f32,f64}
  nightly s=1025x1023 v=-1: l=transposed
)";
constexpr const char* kReshapeRejects = R"(
  call   f32.{s}.row.ramp/shape={v}
  from   s=2x3
  shape  v=4:2       # eight elements of six
  shape  v=4:-1      # six are not a multiple of four
  attribute v=-1:-1  # two sizes are open
  attribute v=-2:3   # a negative size
  attribute v=wide   # not a list
  shape  s=0 v=0:-1  # any size would do
  memory v=4294967296:4294967296  # more than 2^63 elements
)";

constexpr const char* kFlatten = R"(
  call   {t}.{s}.{l}.{x}/start_axis={from},end_axis={to}
  from   t=f32 l=row x=ramp s=3x4x5 from=0 to=-1
  smoke  from,to={0 -1, 1 2, 0 1, -2 100, -9 1, 1 1, 2 -1}
  smoke  s={s,7,0x3,2x0}
  ci     s=2x3x2x3x2x3x2x3 from=1 to={2,5,6} l={row,transposed,padded}
  ci     s=67x129 l={row,transposed,stepped}
)";
constexpr const char* kFlattenRejects = R"(
  call   f32.2x3x4.row.ramp/start_axis={from},end_axis={to}
  axis   from=2 to=1       # the first is behind the last
  axis   from=3 to=5       # beyond the rank
  attribute from=a to=1    # not a number
)";

constexpr const char* kUnflatten = R"(
  call   {t}.{s}.{l}.{x}/axis={axis},shape={v}
  from   t=f32 l=row x=ramp s=3x12x5 axis=1 v=2:-1
  smoke  axis,v={1 3:4, 1 12:, 1 2:2:3, -2 1:12:1, 0 3:1, 2 -1:5}
  smoke  s=0x4 axis,v={0 3:0, 1 2:2}
  ci     s=2x3x2x3x2x6 axis=5 v=2:1:3 l={row,transposed,padded}
  ci     s=67x128 v=2:64 l={row,transposed,stepped}
)";
constexpr const char* kUnflattenRejects = R"(
  call   f32.{s}.row.ramp/axis={axis},shape={v}
  from   s=4x6
  shape  axis=0 v=4:2      # eight of four
  attribute axis=0 v=:     # no sizes
  attribute axis=0 v=-1:-1 # two sizes are open
  axis   axis=2 v=2:2      # beyond the rank
  shape  s=0x2 axis=0 v=0:-1  # any size would do
)";

constexpr const char* kSqueeze = R"(
  call   {t}.{s}.{l}.{x}/axis={axis}
  from   t=f32 l=row x=ramp s=1x3x1x5 axis=
  smoke  axis={0,2,-2,0:2,2:0,:}
  smoke  s={s,1,1x1x1,0x1,3x5}
  ci     s=1x2x1x3x1x4x1x5 axis={,0:4,6} l={@layouts}
  ci     s=1x67x1x129 l={row,transposed}
)";
constexpr const char* kSqueezeRejects = R"(
  call   f32.1x3x1.row.ramp/axis={axis}
  shape  axis=1        # three elements
  axis   axis=3        # beyond the rank
  axis   axis=0:0      # named twice
  axis   axis=2:-1     # named twice, once from the end
)";

constexpr const char* kExpand = R"(
  call   {t}.{s}.{l}.{x}/axis={axis}
  from   t=f32 l=row x=ramp s=3x5 axis=1
  smoke  axis={0,2,-1,-3,0:2,3:1,0:-1,:}
  smoke  s={s,0} axis={0,-1,0:1}
  ci     s=2x3x2x3 axis=0:2:4:6 l={@layouts}
  ci     s=67x129 axis=1:3 l={row,transposed}
)";
constexpr const char* kExpandRejects = R"(
  call   f32.3x5.row.ramp/axis={axis}
  axis   axis=3        # beyond the rank of the result
  axis   axis=-4       # before its first
  axis   axis=0:0      # named twice
  axis   axis=0:-4     # named twice, once from the end
  attribute axis=      # none is named
)";

constexpr const char* kAtleast = R"(
  call   {t}.{s}.{l}.{x}/-
  from   t=f32 l=row x=ramp s=5
  smoke  s={s,1,0,7,3x5,0x3,2x3x4,2x3x2x3}
  ci     s={s,67,5x7} l={@layouts}
)";

constexpr const char* kContiguous = R"(
  call   {t}.{s}.{l}.{x}/allow_col_major={col}
  from   t=f32 l=row x=ramp s=3x4x5 col=
  smoke  s={s,0x3,7} l={row,offset}
  smoke  col=true l={row,transposed,stepped}
  # tiles of a transposition, on both sides of a cache line of each width
  smoke  t={u8,f16,f32,f64} s=65x67 l=transposed
  ci     t={u8,f16,f32,f64} s={7~,16~,32~,64~,129}x{31,66} l=transposed x=bits
  ci     t={u8,f16,f32,f64} s={31,66}x{7~,16~,32~,64~} l=transposed
  ci     t={u8,f16,f32,c64} s=5x33x65 l={transposed,stepped,reversed,padded}
  ci     s={2x3x2x3x2x3x2x3,3x1x65x1x67} l={@layouts}
  ci     s=3x70001 l={stepped,reversed,padded}
  nightly t={u8,f32,f64} s=2049x1023 l={transposed,padded}
)";
constexpr const char* kContiguousRejects = R"(
  call   f32.3.row.ramp/allow_col_major={col}
  attribute col=2      # not a truth value
)";
constexpr const char* kContiguousBench = R"(
  call   {t}.{s}.{l}.uniform/-
  ci     t,s,l={f32 4096x4096 transposed, f32 4096x4096 padded, f32 4096x4096 reversed, f32 4096x4096 stepped,
         u8 4096x4096 transposed, f16 4096x4096 transposed, f64 4096x4096 transposed, f32 64x64x4096 transposed}
)";

constexpr const char* kView = R"(
  call   {t}.{s}.{l}.{x}/dtype={to}
  from   t=f32 l=row x=bits s=3x8 to={t}
  # every pair of sizes
  smoke  t,to={u8 u32, u32 u8, f32 i32, i32 f32, f64 f16, bf16 f16, c64 u16, i16 i64, u64 c64,
         bool u8, bool u16, f32 f64}
  ci     t={u8,i16,f16,f32,u64,f64,c64} to={u8,i8,u16,bf16,i32,f32,i64,f64,c64} l={row,transposed,stepped}
  smoke  s=s t,to={i32 f32, f64 u64}
  smoke  s={0x8,3x0} to=u16
  ci     s=2x1x3x2x1x3x2x8 to=f64 l={row,transposed,reversed}
  ci     s=67x136 to={u8,f64} l={row,transposed}
)";
constexpr const char* kViewRejects = R"(
  call   {t}.{s}.row.const-1/dtype={to}
  from   t=u8 s=2x6
  shape  to=u32          # six bytes of a line are not whole elements
  shape  s=s to=u16      # a scalar has no line
  attribute to=          # none is named
  attribute to=f33       # no such dtype
  dtype  to=bool         # not every byte is a truth value
)";

}  // namespace

std::vector<Op> reshape_ops() {
  constexpr const char* in_row_order = "out has the elements of a in their row-major order";
  Op reshape = movement("reshape", {{"shape", kNone}}, in_row_order, infer_reshape, in_order,
                        {{kReshape, kEveryInput},
                         kReshapeRejects,
                         "call f32.4096x4096.{l}.uniform/shape={v}\n ci l,v={row 1024:-1, transposed -1:}"});
  reshape.meaning = "one size may be -1: what is left; refused where nothing is";
  Op flatten = movement("flatten", {{"start_axis", 0}, {"end_axis", -1}},
                        "axes start_axis to end_axis become one, in row-major order", infer_flatten, in_order,
                        {{kFlatten, kEveryInput}, kFlattenRejects, "ci f32.4096x4096.{row,transposed}.uniform/-"});
  flatten.meaning = "both ends are clamped to the rank; a scalar gives one element";
  Op unflatten = movement(
      "unflatten", {{"axis", kNone}, {"shape", kNone}}, "the axis becomes several, in row-major order", infer_unflatten,
      in_order, {{kUnflatten, kEveryInput}, kUnflattenRejects, "ci f32.4096x4096.row.uniform/axis=1,shape=64:-1"});
  unflatten.meaning = "one size may be -1, refused where any would do (upstream leaves that open)";
  Op squeeze = movement("squeeze", {{"axis", kNone}}, "axes of size 1 are dropped", infer_squeeze, in_order,
                        {{kSqueeze, kEveryInput}, kSqueezeRejects, "ci f32.1x4096x4096.row.uniform/-"});
  squeeze.meaning = "axis none: all of size 1; an empty list: none";
  Op expand = movement("expand_dims", {{"axis", kNone}}, "axes of size 1 are put in", infer_expand_dims, in_order,
                       {{kExpand, kEveryInput}, kExpandRejects, "ci f32.4096x4096.row.uniform/axis=1"});
  expand.meaning = "axes are counted in the result";
  const auto atleast = [](std::string_view name, std::string_view equation, Infer infer) {
    return movement(name, {}, equation, infer, in_order,
                    {{kAtleast, kEveryInput}, {}, "ci f32.4096x4096.row.uniform/-"});
  };
  Op one = atleast("atleast_1d", "a scalar becomes [1], else out is a", infer_atleast<1>);
  Op two = atleast("atleast_2d", "[] and [n] become [1,1] and [1,n], else out is a", infer_atleast<2>);
  Op three =
      atleast("atleast_3d", "[], [n] and [m,n] become [1,1,1], [1,n,1] and [m,n,1], else out is a", infer_atleast<3>);
  Op contiguous = movement("contiguous", {{"allow_col_major", false}}, "out_i = a_i", infer_contiguous, contiguous_copy,
                           {{kContiguous, kEveryInput}, kContiguousRejects, kContiguousBench});
  contiguous.meaning = "the result lies in row-major order, or as it does where that is the reverse and is allowed";
  Op view = movement(
      "view", {{"dtype", kNone}}, "the bytes of each line of out are those of the line of a", infer_view,
      reference_view,
      {{kView, kEveryInput}, kViewRejects, "call f32.4096x4096.{l}.uniform/dtype=f16\n ci l={row,transposed}"});
  view.signature = "a T[*S] -> out U[*R]", view.types = "T, U: all";
  view.meaning = "little-endian; no view as bool, of which not every byte is one";
  return {reshape, flatten, unflatten, squeeze, expand, one, two, three, contiguous, view};
}

}  // namespace plumb
