// Arrays put together along an axis, and taken apart.
#include <algorithm>

#include "reference/array/shape/movement.h"

namespace plumb {
namespace {

using namespace reference;
using Axes = std::vector<std::int64_t>;

constexpr std::size_t kPieces = 8;  // names of outputs

struct Cut {
  std::int64_t from, size;
};

// A negative cut point counts from the end; beyond the axis is its end.
std::vector<Cut> cuts(const Request& r) {
  const std::int64_t n = r.shape(0)[static_cast<std::size_t>(r.axis())];
  std::vector<Cut> all;
  if (const auto* parts = r.attrs.find("sections")->get<std::int64_t>()) {
    if (*parts <= 0) r.fail(Reason::attribute, std::to_string(*parts) + " parts");
    if (n % *parts != 0) r.fail(Reason::shape, std::to_string(n) + " is not in " + std::to_string(*parts) + " parts");
    if (*parts > static_cast<std::int64_t>(kPieces)) r.fail(Reason::attribute, "more than 8 parts");
    for (std::int64_t k = 0; k < *parts; ++k) all.push_back({k * (n / *parts), n / *parts});
    return all;
  }
  std::vector<std::int64_t> points = r.list("sections");
  points.push_back(n);
  std::int64_t from = 0;
  for (const std::int64_t point : points) {
    const std::int64_t to = std::clamp<std::int64_t>(point < 0 ? point + n : point, 0, n);
    all.push_back({from, std::max<std::int64_t>(to - from, 0)});
    from = to;
  }
  return all;
}

std::vector<Spec> infer_split(const Request& r) {
  const std::vector<Cut> all = cuts(r);
  if (all.size() > kPieces) r.fail(Reason::attribute, "more than 8 parts");
  std::vector<Spec> out;
  for (const Cut& cut : all) {
    out.push_back({r.dtype(0), r.shape(0)});
    out.back().shape[static_cast<std::size_t>(r.axis())] = cut.size;
  }
  return out;
}

// out_k[i] = a[j], j = i but for the axis, where j = i + from_k
std::vector<Wide> split(const Call& c) {
  const auto axis = static_cast<std::size_t>(c.axis());
  const std::vector<Cut> all = cuts(c);
  std::vector<Wide> out;
  for (const Cut& cut : all) {
    Shape shape = c.shape(0);
    shape[axis] = cut.size;
    const From from = [&](Index i) {
      i[axis] += cut.from;
      return Source{i};
    };
    out.push_back(moved({widen(c[0])}, shape, from, constant(0, c.dtype(0))));
  }
  return out;
}

std::vector<Spec> infer_unstack(const Request& r) {
  Shape shape = r.shape(0);
  const std::int64_t n = shape[static_cast<std::size_t>(r.axis())];
  if (n > static_cast<std::int64_t>(kPieces)) r.fail(Reason::shape, "more than 8 pieces");
  shape.erase(shape.begin() + r.axis());
  return std::vector<Spec>(static_cast<std::size_t>(n), Spec{r.dtype(0), shape});
}

// out_k[i] = a[j], j = i with k put in on the axis
std::vector<Wide> unstack(const Call& c) {
  std::vector<Wide> out;
  for (const Spec& s : output_specs(c)) {
    const auto k = static_cast<std::int64_t>(out.size());
    const From from = [&](Index i) {
      i.insert(i.begin() + c.axis(), k);
      return Source{i};
    };
    out.push_back(moved({widen(c[0])}, s.shape, from, constant(0, c.dtype(0))));
  }
  return out;
}

// ---- Put together ----

// The operands that are given, in the dtype of the result.
std::vector<Wide> operands(const Call& c, Dtype dtype) {
  std::vector<Wide> all;
  for (const Tensor& t : c.in)
    if (t.defined()) all.push_back(widen_as(t, dtype));
  return all;
}

std::vector<Shape> shapes(const Request& r) {
  std::vector<Shape> all;
  for (std::size_t k = 0; k < r.specs.size(); ++k)
    if (r.has(k)) all.push_back(r.none("axis") ? Shape{count(r.shape(k))} : r.shape(k));
  return all;
}

Dtype promoted(const Request& r) {
  Dtype t = r.dtype(0);
  for (std::size_t k = 1; k < r.specs.size(); ++k)
    if (r.has(k)) t = promote(t, r.dtype(k));
  return t;
}

std::size_t axis_of_concatenate(const Request& r) {
  return r.none("axis") ? 0 : static_cast<std::size_t>(normal(r, r.integer("axis"), r.rank(0)));
}

std::vector<Spec> infer_concatenate(const Request& r) {
  const std::vector<Shape> all = shapes(r);
  const std::size_t axis = axis_of_concatenate(r);
  Shape out = all[0];
  for (std::size_t k = 1; k < all.size(); ++k) {
    Shape rest = all[k];
    if (rest.size() != out.size()) r.fail(Reason::rank, to_string(rest) + " beside " + to_string(all[0]));
    const std::int64_t size = sum(r, out[axis], rest[axis]);
    rest[axis] = out[axis];
    if (rest != out) r.fail(Reason::shape, to_string(all[k]) + " beside " + to_string(all[0]));
    out[axis] = size;
  }
  (void)count(out);
  return {{promoted(r), out}};
}

// out[i] = a_k[j], j = i but for the axis, where j = i - the sizes of those before a_k
std::vector<Wide> concatenate(const Call& c) {
  const Spec out = output_specs(c)[0];
  std::vector<Wide> a = operands(c, out.dtype);
  const std::vector<Shape> shape = shapes(c);
  const std::size_t axis = axis_of_concatenate(c);
  for (std::size_t k = 0; k < a.size(); ++k) std::visit([&](auto& x) { x.shape = shape[k]; }, a[k]);
  const From from = [&](Index i) {
    std::size_t k = 0;
    while (i[axis] >= shape[k][axis]) i[axis] -= shape[k++][axis];
    return Source{i, k};
  };
  return {moved(a, out.shape, from, constant(0, out.dtype))};
}

std::vector<Spec> infer_stack(const Request& r) {
  std::int64_t n = 0;
  for (std::size_t k = 0; k < r.specs.size(); ++k) {
    if (r.has(k) && r.shape(k) != r.shape(0))
      r.fail(Reason::shape, to_string(r.shape(k)) + " beside " + to_string(r.shape(0)));
    n += r.has(k);
  }
  Shape out = r.shape(0);
  out.insert(out.begin() + normal(r, r.integer("axis"), r.rank(0) + 1), n);
  (void)count(out);
  return {{promoted(r), out}};
}

// out[i] = a_k[j], k = i on the axis, j = i without it
std::vector<Wide> stack(const Call& c) {
  const Spec out = output_specs(c)[0];
  const std::int64_t axis = normal(c, c.integer("axis"), c.rank(0) + 1);
  const From from = [&](Index i) {
    const auto k = static_cast<std::size_t>(i[static_cast<std::size_t>(axis)]);
    i.erase(i.begin() + axis);
    return Source{i, k};
  };
  return {moved(operands(c, out.dtype), out.shape, from, constant(0, out.dtype))};
}

// ---- Cases ----

constexpr const char* kSplit = R"(
  call   {t}.{s}.{l}.{x}/sections={n},axis={axis}
  from   t=f32 l=row x=ramp s=4x6x5 n=2 axis=0
  smoke  n={1,4,2:,1:3,2:2,-1:,3:1,3:9,-9:9,:}
  smoke  axis,n={1 3, -1 5, 2 1:2:4, -2 6}
  smoke  s={0x3,4x0}
  ci     s=2x1x3x1x2x1x8x2 axis=6 n={8,1:2:3:4:5:6:7,3:} l={@layouts} x=bits
  ci     s=8x67x65 n=8 t={u8,f16,f32,f64}
)";
constexpr const char* kSplitRejects = R"(
  call   f32.{s}.row.ramp/sections={n},axis={axis}
  from   s=6x4 axis=0
  shape  n=4          # six are not in four parts
  attribute n=0       # no parts
  attribute n=-2      # fewer than none
  attribute n=        # not given
  axis   n=2 axis=2   # beyond the rank
  axis   s=s n=1      # a scalar has no axis
  attribute s=18 n=9  # more parts than outputs have names
  attribute n=1:2:3:4:5:5:5:5  # nine of them
)";

constexpr const char* kUnstack = R"(
  call   {t}.{s}.{l}.{x}/axis={axis}
  from   t=f32 l=row x=ramp s=4x6x5 axis=0
  smoke  axis={1,-1,-3}
  smoke  s={3,1x3,2x0}
  ci     s=2x1x3x1x2x1x8x2 axis={0,6} l={@layouts} x=bits
  ci     s=8x67x65 t={u8,f16,f32,f64}
)";
constexpr const char* kUnstackRejects = R"(
  call   f32.{s}.row.ramp/axis={axis}
  from   s=6x4 axis=0
  axis   axis=2      # beyond the rank
  axis   s=s         # a scalar has no axis
  shape  s=9x2  # more pieces than outputs have names
)";

constexpr const char* kConcatenate = R"(
  call   {t}.{s}.{l}.{x}+{u}.{r}.{m}.{y}{more}/axis={axis}
  from   t=f32 l=row x=ramp s=3x4x5 u={t} r=3x2x5 m=row y=bits axis=1 more=
  smoke  s,r,axis={3x4 2x4 0, 7 2 0, 3x4 3x5 -1, 0x3 2x3 0, 3x0 3x2 1, 2x3 5 none, s s none}
  smoke  m={@layouts}
  # eight operands, one of them alone, one left out
  smoke  s=2x3 r=1x3 axis=0 more=+f32.4x3.row.int+none+f32.2x3.row.int+f32.0x3.row.int+f32.1x3.row.int+f32.3x3.row.int
  smoke  s=2x3 r=4x3 axis=0 more=+{w}+{w}+{w}+{w}+{w}+{w} w=f32.2x3.row.bits
  smoke  {t}.{s}.{l}.{x}/axis={axis} t={f32,u8}
  # every pair of types, brought to one
  smoke  t={@all} u={f32,i64,u8} x=bits y=bits
  ci     t={@all} u={@all} s=3x1x5 l={row,stepped} x=bits y=bits
  ci     s=2x1x3x1x2x1x3x2 r=2x1x3x1x2x1x4x2 axis=6 l={@layouts} m={row,transposed} x=bits
  ci     s=67x129 r=67x31 axis=1 t={u8,f16,f32,f64} l={row,transposed}
  ci     s=129x67 r=31x67 axis=0 t={u8,f32} l={row,transposed}
)";
constexpr const char* kConcatenateRejects = R"(
  call   f32.{s}.row.ramp+f32.{r}.row.ramp/axis={axis}
  from   s=2x3 r=2x3 axis=0
  shape  r=2x4          # other axes differ
  rank   r=3            # one axis less
  axis   axis=2         # beyond the rank
  axis   s=s r=s        # scalars have no axis
)";

constexpr const char* kStack = R"(
  call   {t}.{s}.{l}.{x}+{u}.{s}.{m}.{y}{more}/axis={axis}
  from   t=f32 l=row x=ramp s=3x4 u={t} m=row y=bits axis=1 more=
  smoke  axis={0,2,-1,-3}
  smoke  s={s,0x3} axis={0,-1}
  smoke  m={@layouts}
  smoke  s=3 axis=0 more=+f32.3.row.ramp+none+f32.3.row.bits+f32.3.row.ramp+f32.3.row.ramp+f32.3.row.bits
  smoke  s=2x3 axis=0 more=+{w}+{w}+{w}+{w}+{w}+{w} w=f32.2x3.row.bits
  smoke  {t}.{s}.{l}.{x}/axis={axis} t={f32,u8}
  smoke  t={@all} u={f32,i64,u8} x=bits y=bits
  ci     s=2x1x3x1x2x3x2 axis={0,3,7} l={@layouts} m={row,transposed} x=bits
  ci     s=67x129 axis={0,1,2} t={u8,f16,f32,f64} l={row,transposed}
)";
constexpr const char* kStackRejects = R"(
  call   f32.{s}.row.ramp+f32.{r}.row.ramp/axis={axis}
  from   s=2x3 r=2x3 axis=0
  shape  r=2x4          # another shape
  shape  r=3            # one axis less
  axis   axis=3         # beyond the rank of the result
)";

constexpr const char* kPairBench = R"(
  ci     f32.4096x2048.row.uniform+f32.4096x2048.row.uniform/axis={0,1}
  ci     f32.4096x2048.row.uniform+f16.4096x2048.row.uniform/axis=1
)";

constexpr const char* kEight = "-> 0 T[*O], 1 T[*P], 2 T[*Q], 3 T[*R], 4 T[*U], 5 T[*V], 6 T[*W], 7 T[*X]";

Op of_many(std::string_view name, std::string_view equation, Infer infer, Oracle oracle, Lists lists) {
  Op op = movement(name, {{"axis", 0}}, equation, infer, oracle, std::move(lists));
  op.signature = "a A[*A], b? B[*B], c? C[*C], d? D[*D], e? E[*E], f? F[*F], g? G[*G], h? H[*H] -> out P[*P]";
  op.types = "A, B, C, D, E, F, G, H: all; P = promote(A, B, C, D, E, F, G, H)";
  return op;
}

}  // namespace

std::vector<Op> pieces_ops() {
  Op joined = of_many("concatenate", "out_i = a_kj, j = i less the sizes of those before a_k, on the axis",
                      infer_concatenate, concatenate, {{kConcatenate, kEveryInput}, kConcatenateRejects, kPairBench});
  joined.meaning =
      "up to eight arrays, each first rounded once to the promoted dtype; axis none: each is flattened; the "
      "axis of a single one is asked too (upstream returns it unseen)";
  Op stacked = of_many("stack", "out_i = a_kj, k = i on the axis, j = i without it", infer_stack, stack,
                       {{kStack, kEveryInput}, kStackRejects, kPairBench});
  stacked.meaning = "up to eight arrays, each first rounded once to the promoted dtype; the axis is one of the result";
  Op parted =
      movement("split", {{"sections", kNone}, {"axis", 0}}, "out_ki = a_j, j = i + from_k on the axis", infer_split,
               split, {{kSplit, kEveryInput}, kSplitRejects, "ci f32.4096x4096.row.uniform/sections=4,axis=1"});
  parted.corpus_call = [](Attrs& a) { return !a.find("num"); };  // that of keys
  parted.signature = "a T[*S] " + std::string(kEight);
  parted.meaning =
      "sections: a number of equal parts, or the points where to cut, of which a negative one counts from the end, one "
      "beyond is the end, and one before its neighbour gives an empty part; up to eight parts; random_split is of keys";
  Op single = movement("unstack", {{"axis", 0}}, "out_ki = a_j, j = i with k put in on the axis", infer_unstack,
                       unstack, {{kUnstack, kEveryInput}, kUnstackRejects, "ci f32.4096x8x4096.row.uniform/axis=1"});
  single.signature = "a T[*S] " + std::string(kEight);
  single.meaning = "up to eight pieces";
  return {joined, stacked, parted, single};
}

}  // namespace plumb
