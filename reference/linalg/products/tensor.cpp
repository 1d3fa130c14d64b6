// Products of whole tensors: outer, Kronecker, inner, over lists of axes, of vectors side by side.
#include <algorithm>
#include <string>

#include "reference/array/scalar/scalar.h"
#include "reference/linalg/products/labelled.h"

namespace plumb {
namespace {

using namespace reference;

Dtype promoted(const Request& r) { return promote(r.dtype(0), r.dtype(1)); }

void inexact(const Request& r) {
  if (!is_inexact(promoted(r)))
    r.fail(Reason::dtype, "the result would be " + std::string(name(promoted(r))) + ": a sum of products is inexact");
}

Shape joined(const Shape& a, const Shape& b) {
  Shape all = a;
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

std::vector<Wide> operands(const Call& c, Dtype t) { return {widen_as(c[0], t), widen_as(c[1], t)}; }

std::int64_t product(const Request& r, std::int64_t a, std::int64_t b) {
  std::int64_t all = 0;
  if (__builtin_mul_overflow(a, b, &all))
    r.fail(Reason::memory, std::to_string(a) + " times " + std::to_string(b) + " elements");
  return all;
}

// ---- Without a sum ----

std::vector<Spec> infer_outer(const Request& r) {
  Spec out{promoted(r), {count(r.shape(0)), count(r.shape(1))}};
  (void)product(r, out.shape[0], out.shape[1]);
  return {out};
}

// c_ij = a_i b_j, both flattened
std::vector<Wide> outer(const Call& c) {
  const Spec out = output_specs(c)[0];
  const std::vector<Wide> x = operands(c, out.dtype);
  return {sum_of_products({with_shape(x[0], {out.shape[0]}), with_shape(x[1], {out.shape[1]})}, {{0}, {1}}, {0, 1},
                          out.shape)};
}

Shape with_leading_ones(const Shape& s, std::size_t rank) {
  Shape all(rank - s.size(), 1);
  return joined(all, s);
}

std::vector<Spec> infer_kron(const Request& r) {
  const std::size_t rank = std::max(r.shape(0).size(), r.shape(1).size());
  const Shape a = with_leading_ones(r.shape(0), rank), b = with_leading_ones(r.shape(1), rank);
  for (std::size_t k = 0; k < 2; ++k)
    if (count(r.shape(k)) == 0) r.fail(Reason::shape, "operand " + to_string(r.shape(k)) + " is empty");
  Spec out{promoted(r), {}};
  for (std::size_t d = 0; d < rank; ++d) out.shape.push_back(product(r, a[d], b[d]));
  (void)count(out.shape);
  return {out};
}

// c_k = a_i b_j, k_d = i_d n_d + j_d, n the shape of b
std::vector<Wide> kron(const Call& c) {
  const Spec out = output_specs(c)[0];
  const std::size_t rank = out.shape.size();
  const std::vector<Wide> x = operands(c, out.dtype);
  const Shape a = with_leading_ones(c.shape(0), rank), b = with_leading_ones(c.shape(1), rank);
  Labels of_a, of_b;
  Shape sizes;
  for (std::size_t d = 0; d < rank; ++d) {
    of_a.push_back(sizes.size());
    sizes.push_back(a[d]);
    of_b.push_back(sizes.size());
    sizes.push_back(b[d]);
  }
  const Wide all =
      sum_of_products({with_shape(x[0], a), with_shape(x[1], b)}, {of_a, of_b}, upwards(0, sizes.size()), sizes);
  return {with_shape(all, out.shape)};
}

// ---- With a sum ----

struct Contracted {
  std::vector<std::int64_t> a, b;  // axes that meet, pair by pair
};

std::vector<std::int64_t> list_in(const Request& r, const std::string& text) try {
  const Attr list = parse_attr(text);
  if (const auto* numbers = list.get<std::vector<std::int64_t>>()) return *numbers;
  r.fail(Reason::attribute, "'axes' holds " + text);
} catch (const Error& e) {
  r.fail(Reason::attribute, "'axes' holds " + text);
}

// "[[0, 2], [1, 0]]" holds the same numbers as 0:2:1:0.
std::vector<std::int64_t> axis_list(const Request& r) {
  const std::string* text = r.attrs.find("axes")->get<std::string>();
  if (!text) return r.list("axes");
  const auto wrong = [&] {
    r.fail(Reason::attribute, "'axes' must be a number or two lists of one length, got " + *text);
  };
  std::vector<std::int64_t> all;
  std::vector<std::size_t> lengths;
  for (std::size_t from = text->find_first_not_of("[ "); from != std::string::npos && from > 0;) {
    const std::size_t to = text->find(']', from);
    if (to == std::string::npos) wrong();
    std::string flat = text->substr(from, to - from) + ":";
    std::replace(flat.begin(), flat.end(), ',', ':');
    std::erase(flat, ' ');
    const std::vector<std::int64_t> numbers = list_in(r, flat);
    all.insert(all.end(), numbers.begin(), numbers.end());
    lengths.push_back(numbers.size());
    const std::size_t next = text->find('[', to);
    from = next == std::string::npos ? next : next + 1;
  }
  if (lengths.size() != 2 || lengths[0] != lengths[1]) wrong();
  return all;
}

std::int64_t axis_of(const Request& r, std::size_t k, std::int64_t axis, const std::vector<std::int64_t>& before) {
  const std::int64_t rank = r.rank(k), i = axis < 0 ? axis + rank : axis;
  if (i < 0 || i >= rank)
    r.fail(Reason::axis, std::to_string(axis) + " is out of range for rank " + std::to_string(rank));
  if (std::find(before.begin(), before.end(), i) != before.end())
    r.fail(Reason::axis, std::to_string(axis) + " stands twice");
  return i;
}

Contracted contracted(const Request& r) {
  Contracted m;
  if (const auto* n = r.attrs.find("axes")->get<std::int64_t>()) {
    if (*n < 0) r.fail(Reason::attribute, std::to_string(*n) + " axes");
    if (*n > std::min(r.rank(0), r.rank(1)))
      r.fail(Reason::attribute,
             std::to_string(*n) + " axes of " + to_string(r.shape(0)) + " and " + to_string(r.shape(1)));
    for (std::int64_t i = 0; i < *n; ++i) m.a.push_back(r.rank(0) - *n + i), m.b.push_back(i);
    return m;
  }
  const std::vector<std::int64_t> all = axis_list(r);
  if (all.size() % 2 != 0) r.fail(Reason::attribute, "two lists of different lengths");
  for (std::size_t i = 0; i < all.size() / 2; ++i) {
    m.a.push_back(axis_of(r, 0, all[i], m.a));
    m.b.push_back(axis_of(r, 1, all[all.size() / 2 + i], m.b));
  }
  return m;
}

std::int64_t size(const Request& r, std::size_t k, std::int64_t axis) {
  return r.shape(k)[static_cast<std::size_t>(axis)];
}

bool named(std::size_t axis, const std::vector<std::int64_t>& axes) {
  return std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(axis)) != axes.end();
}

std::vector<Spec> infer_contraction(const Request& r, const Contracted& m) {
  inexact(r);
  for (std::size_t i = 0; i < m.a.size(); ++i)
    if (size(r, 0, m.a[i]) != size(r, 1, m.b[i]))
      r.fail(Reason::shape, "axis " + std::to_string(m.a[i]) + " of " + to_string(r.shape(0)) + " meets axis " +
                                std::to_string(m.b[i]) + " of " + to_string(r.shape(1)));
  Spec out{promoted(r), {}};
  for (std::size_t d = 0; d < r.shape(0).size(); ++d)
    if (!named(d, m.a)) out.shape.push_back(r.shape(0)[d]);
  for (std::size_t d = 0; d < r.shape(1).size(); ++d)
    if (!named(d, m.b)) out.shape.push_back(r.shape(1)[d]);
  (void)count(out.shape);
  return {out};
}

// c_fg = sum over s of a_fs b_sg: s the axes that meet, f the others of a, g the others of b
std::vector<Wide> contraction(const Call& c, const Contracted& m) {
  const Labels of_a = upwards(0, c.shape(0).size());
  Labels of_b = upwards(of_a.size(), c.shape(1).size()), result;
  for (std::size_t i = 0; i < m.a.size(); ++i)
    of_b[static_cast<std::size_t>(m.b[i])] = static_cast<std::size_t>(m.a[i]);
  for (std::size_t d = 0; d < c.shape(0).size(); ++d)
    if (!named(d, m.a)) result.push_back(d);
  for (std::size_t d = 0; d < c.shape(1).size(); ++d)
    if (!named(d, m.b)) result.push_back(of_b[d]);
  Shape sizes = joined(c.shape(0), c.shape(1));
  for (std::size_t i = 0; i < m.b.size(); ++i) sizes[of_a.size() + static_cast<std::size_t>(m.b[i])] = 1;  // no label
  return {sum_of_products(operands(c, output_specs(c)[0].dtype), {of_a, of_b}, result, sizes)};
}

std::int64_t terms(const Call& c, const Contracted& m) {
  std::int64_t n = 1;
  for (const std::int64_t axis : m.a) n *= size(c, 0, axis);
  return real_terms(n, promoted(c));
}

std::vector<Spec> infer_tensordot(const Request& r) { return infer_contraction(r, contracted(r)); }
std::vector<Wide> tensordot(const Call& c) { return contraction(c, contracted(c)); }
std::int64_t tensordot_terms(const Call& c) { return terms(c, contracted(c)); }

// The last axes; nothing where either is a scalar.
Contracted last(const Request& r) {
  if (r.rank(0) == 0 || r.rank(1) == 0) return {};
  return {{r.rank(0) - 1}, {r.rank(1) - 1}};
}
std::vector<Spec> infer_inner(const Request& r) {
  if (r.rank(0) == 0 || r.rank(1) == 0) return {{promoted(r), joined(r.shape(0), r.shape(1))}};
  return infer_contraction(r, last(r));
}
std::vector<Wide> inner(const Call& c) { return contraction(c, last(c)); }
std::int64_t inner_terms(const Call& c) { return terms(c, last(c)); }

// ---- Vectors side by side ----

Dtype summed(Dtype t) {
  if (is_inexact(t) || info(t).bytes == 8) return t;
  return t == Dtype::u8 || t == Dtype::u16 || t == Dtype::u32 ? Dtype::u32 : Dtype::i32;
}

// The axis of each operand, counted from the last: 1 is the last.
std::size_t dotted_axis(const Request& r) {
  const auto rank = static_cast<std::int64_t>(std::max(r.rank(0), r.rank(1)));
  const std::int64_t axis = r.integer("axis"), i = axis < 0 ? axis + rank : axis;
  const std::int64_t back = rank - i, least = std::min(r.rank(0), r.rank(1));
  if (i < 0 || i >= rank || back > least)
    r.fail(Reason::axis,
           std::to_string(axis) + " is not an axis of both " + to_string(r.shape(0)) + " and " + to_string(r.shape(1)));
  return static_cast<std::size_t>(back);
}

std::vector<Spec> infer_vecdot(const Request& r) {
  const std::size_t back = dotted_axis(r);
  Shape a = r.shape(0), b = r.shape(1);
  if (a[a.size() - back] != b[b.size() - back])
    r.fail(Reason::shape, "vectors of " + std::to_string(a[a.size() - back]) + " and " +
                              std::to_string(b[b.size() - back]) + " elements");
  a.erase(a.end() - static_cast<std::ptrdiff_t>(back));
  b.erase(b.end() - static_cast<std::ptrdiff_t>(back));
  return {{summed(promoted(r)), broadcast(r.op->name, a, b)}};
}

// c_i = sum over s of conj(a_is) b_is
std::vector<Wide> vecdot(const Call& c) {
  const Spec out = output_specs(c)[0];
  std::vector<Wide> x = operands(c, out.dtype);
  if (out.dtype == Dtype::c64)
    for (Complex& z : std::get<Complexes>(x[0]).data) z = {z.real(), -z.imag()};
  const std::size_t rank = std::max(c.shape(0).size(), c.shape(1).size()), s = rank - dotted_axis(c);
  Shape sizes = out.shape;
  sizes.insert(sizes.begin() + static_cast<std::ptrdiff_t>(s), c.shape(0)[s + c.shape(0).size() - rank]);
  Labels result = upwards(0, rank);
  result.erase(result.begin() + static_cast<std::ptrdiff_t>(s));
  return {sum_of_products(
      x, {upwards(rank - c.shape(0).size(), c.shape(0).size()), upwards(rank - c.shape(1).size(), c.shape(1).size())},
      result, sizes)};
}

std::int64_t vecdot_terms(const Call& c) {
  return real_terms(c.shape(0)[c.shape(0).size() - dotted_axis(c)], promoted(c));
}

// ---- Cost ----

Cost cost(const Call& c) {
  const Spec out = output_specs(c)[0];
  const auto terms = static_cast<double>(c.op->tolerance.terms ? c.op->tolerance.terms(c) : 1);
  return {(c.op->tolerance.terms ? 2 : 1) * terms * static_cast<double>(count(out.shape)),
          input_bytes(c) + output_bytes(c)};
}

// ---- Cases ----

constexpr const char* kOuter = R"(
  call   {t}.{a}.{l}.{x}+{u}.{b}.{k}.{y}/-
  from   t=f32 u={t} a=3x4 b=5 l=row k=row x=uniform y={x}
  smoke  a,b={3 5, s s, s 7, 1 6, 2x3 4x5, 0 5, 3x0 2, 2x1x3 s}
  smoke  x={special,wide-60,int-3}
  smoke  t={@all} x=bits
  smoke  t,u={i32 f16, bool f32, f16 bf16, f32 f64, f64 c64, u8 i8, u64 i8, i8 u32} x=bits
  smoke  l={@layouts} k={row,transposed} b=5x2
  # eight axes of each operand, which do not merge
  ci     a=2x1x3x2x1x2x3x2 b=2x3x1x2x2x1x2x3 l={@layouts} k={row,stepped}
  ci     t={@all} x={whole,order} a=65x3 b=129
  ci     a=2x3x2x2x2x2x2x2x2 b=3 l=transposed    # more than a kernel walks
  ci     a=70 b=1031 t={u8,f16,f32,c64} x={uniform,lanes-35}   # as many elements as are shared among threads
)";

constexpr const char* kKron = R"(
  call   {t}.{a}.{l}.{x}+{u}.{b}.{k}.{y}/-
  from   t=f32 u={t} a=3x4 b=5x2 l=row k=row x=uniform y={x}
  smoke  a,b={3 5, s s, s 7, 7 s, 1 6, 2x3 4, 4 2x3, 2x3x4 3x1x2, 2x1x3 5x2}
  smoke  x={special,wide-60,int-3}
  smoke  t={@all} x=bits
  smoke  t,u={i32 f16, bool f32, f16 bf16, f32 f64, f64 c64, u8 i8, u64 i8, i8 u32} x=bits
  smoke  l={@layouts} k={row,transposed}
  ci     a=2x1x3x2x1x2x3x2 b=2x3x1x2x2x1x2x3 l={@layouts} k={row,stepped}
  ci     t={@all} x={whole,order} a=13x7 b=9x11
  ci     a=17x15 b=16x18 t={u8,f16,f32,c64} x={uniform,lanes-35}
)";

constexpr const char* kKronRejects = R"(
  call   f32.{a}.row.int-3+f32.{b}.row.int-3/-
  shape  a=0 b=3      # nothing on the left: upstream refuses it too
  shape  a=3 b=2x0    # nothing on the right
)";

constexpr const char* kInner = R"(
  call   {t}.{a}.{l}.{x}+{u}.{b}.{k}.{y}/-
  from   t=f32 u={t} a=3x7 b=4x7 l=row k=row x=uniform y={x} floats={f16,bf16,f32,f64,c64}
  smoke  t={floats} x={int-3,uniform,special}
  smoke  a,b={7 7, s 7, 7 s, s s, 2x3x7 7, 7 4x7, 2x3x5 4x2x5, 3x0 4x0, 0x5 4x5, 3x1 4x1}
  smoke  t=i32 x=int-9 a,b={s 3, 2x3 s}      # a scalar multiplies, whole numbers too
  smoke  t,u={i32 f16, bool f32, f16 bf16, f32 f64, f64 c64, bf16 u8}
  smoke  l={@layouts} k={row,transposed}
  ci     t={floats} l={@layouts} k={row,stepped} a=2x5x17 b=3x2x17
  ci     a=1x2x1x1x1x1x1x3x5 b=4x5               # more axes than a kernel walks
  ci     t={floats} a,b={33x65 47x65, 129 129, 1x97 64x97, 70x40 130x40} x={uniform,int-3}
  ci     t={f16,bf16} a=2x8192 b=3x8192 x=const-1     # MM06, B21: f16 and bf16 are summed in f32
  ci     t={floats} x={wide,tiny,huge,subnormal,whole,cancel} a=5x13 b=6x13
  ci     t={f32,f16} a=1x2x1x3x2x1x2x5 b=2x1x3x1x2x2x1x5 l={@layouts} k=transposed
)";
constexpr const char* kInnerRejects = R"(
  call   {t}.{a}.row.int-3+{t}.{b}.row.int-3/-
  from   t=f32 a=2x3 b=4x3
  shape  b=4x2          # last axes of 3 and 2
  shape  b=4x1          # an axis of 1 does not broadcast
  dtype  t={i32,bool,u8}    # whole numbers have no sum of products here
)";

constexpr const char* kTensordot = R"(
  call   {t}.{a}.{l}.{x}+{u}.{b}.{k}.{y}/axes={axes}
  from   t=f32 u={t} a=3x4x5 b=4x5x6 l=row k=row x=uniform y={x} axes=2 floats={f16,bf16,f32,f64,c64}
  smoke  t={floats} x={int-3,uniform,special}
  smoke  a,b,axes={5 5 1, 5 4 0, s s 0, s 4 0, 3x4 4x5 1, 2x3x4 3x4 2, 2x3 2x3 2, 3x0 0x4 1, 0x4 4x3 1, 2x0 3 0}
  # lists of axes: in any order, from the end, none at all
  smoke  a,b,axes={3x4x5 5x4x2 1:2:1:0, 3x4x5 5x4x2 -2:-1:1:0, 3x4x5 4x3x2 0:1:1:0, 4x3 2x3 1:1, 2x3 4x5 :,
                   3x4x5 5x3x4 0:1:2:1:2:0, 2x3x4 4x2x3x5 1:2:2:0, 5x3x4 6x4x5 0:2}
  smoke  t,u={i32 f16, bool f32, f16 bf16, f32 f64, f64 c64, bf16 u8}
  smoke  l={@layouts} k={row,transposed}
  ci     t={floats} l={@layouts} k={row,transposed} a=5x7x3 b=3x6x7 axes=1:2:2:0
  ci     a=1x2x1x1x1x1x1x3x5 b=5x4 axes=1        # more axes than a kernel walks
  ci     t={floats} a,b,axes={33x5x13 13x5x47 2:1:0:1, 65x33 33x17 1, 17x15 9x11 0, 64x65x3 3x65x129 1:2:1:0}
  ci     t={f16,bf16} a=1x64x64 b=64x64x2 axes=2 x=const-1      # MM06, B21: 4096 ones are 4096
  ci     t={floats} x={wide,tiny,huge,subnormal,whole,cancel} a=3x5x7 b=7x5x4 axes=1:2:1:0
  ci     t={f32,f16} a=1x2x3x2x1x5x2x2 b=2x3x1x2x5x1x2x4 axes=2:5:1:4 l={@layouts} k={row,transposed}
)";
constexpr const char* kTensordotRejects = R"(
  call      {t}.{a}.row.int-3+{t}.{b}.row.int-3/axes={axes}
  from      t=f32 a=2x3 b=3x2 axes=1
  attribute axes=-1          # fewer than none
  attribute axes=3           # more than there are
  attribute axes=0:1:0       # lists of two and one
  attribute axes=none        # neither a number nor lists
  attribute axes=first       # a word
  axis      axes=2:0         # beyond the rank
  axis      axes=1:-3        # before it
  axis      axes=0:0:1:1     # an axis twice
  shape     b=2x3            # 3 meets 2
  shape     b=1x2            # an axis of 1 does not broadcast
  dtype     t={i32,bool}     # whole numbers have no sum of products here
)";

constexpr const char* kVecdot = R"(
  call   {t}.{a}.{l}.{x}+{u}.{b}.{k}.{y}/axis={axis}
  from   t=f32 u={t} a=3x7 b={a} l=row k=row x=uniform y={x} axis=-1 floats={f16,bf16,f32,f64,c64}
  smoke  t={@all} x=int-3
  smoke  t={floats} x={uniform,special}
  smoke  t={i8,u8,i16,u16,i32,u32,i64,u64} x=whole     # sums wrap modulo 2^32, or 2^64
  smoke  a,b,axis={7 7 0, 2x3x5 2x3x5 1, 2x3x5 2x3x5 0, 3x5 5 -1, 5 2x3x5 -1, 2x1x5 3x5 -1, 4x3x2 3x1 -2, 2x3x5 3x5 2,
                   2x0 2x0 -1, 0x3 0x3 1, 0x3 0x3 0, 1x1 1x1 1, 2x3x4 3x4 1}
  smoke  t,u={i32 f16, bool f32, f16 bf16, f32 f64, f64 c64, u8 i8, u64 i8, bool u16} x=int-3
  smoke  l={@layouts} k={row,transposed}
  ci     t={f16,bf16,f32,f64,c64,i16} l={@layouts} k={row,stepped} a=2x5x17 axis={1,-1}
  ci     a=1x2x1x1x1x1x1x1x3x5 b=5               # more axes than a kernel walks
  ci     t={floats} a,axis={33x65 1, 129 0, 5x1025 -1, 1025x5 0, 700x9 -1} x={uniform,int-3}
  ci     t={f16,bf16} a=2x8192 x=const-1          # B21: f16 and bf16 are summed in f32
  ci     t={floats} x={wide,tiny,huge,subnormal,whole,cancel} a=5x13
  ci     t={f32,i8} a=1x2x1x3x2x1x2x5 b=2x2x3x1x2x2x1x5 l={@layouts} k=transposed axis=-1
)";
constexpr const char* kVecdotRejects = R"(
  call   f32.{a}.row.int-3+f32.{b}.row.int-3/axis={axis}
  from   a=2x3 b={a} axis=-1
  axis   axis={2,-3}    # beyond the rank
  axis   a=s axis=-1    # scalars have none
  axis   b=3 axis=0     # not an axis of the second
  shape  b=2x1          # along it nothing broadcasts
  shape  b=4x3          # batches of 2 and 4
)";

Op row(std::string_view name, std::string_view equation, std::string_view meaning, Infer infer, Oracle oracle) {
  Op op;
  op.name = name;
  op.signature = "a T[*A], b U[*B] -> out P[*R]";
  op.types = "T, U: all; P = promote(T, U)";
  op.equation = equation;
  op.meaning = meaning;
  op.infer = infer;
  op.oracle = oracle;
  op.cost = cost;
  return op;
}

Op elementwise(Op op, const char* cases, const char* rejects, const char* bench) {
  op.cases = cases, op.rejects = rejects, op.bench = bench;
  op.tolerance.kind = Tolerance::Class::rounded;
  op.tolerance.when = rounded_reals;
  return op;
}

Op sum(Op op, std::int64_t (*terms)(const Call&), const char* cases, const char* rejects, const char* bench) {
  op.cases = cases, op.rejects = rejects, op.bench = bench;
  op.tolerance.kind = Tolerance::Class::accumulate;
  op.tolerance.terms = terms;
  op.tolerance.signed_values = true;
  return op;
}

}  // namespace

std::vector<Op> tensor_ops() {
  Op tensordot_row = sum(
      row("tensordot", "c_fg = sum over s of a_fs b_sg: s the axes that meet, f the others of a, g of b",
          "axes: how many last axes of a meet the first of b, or two lists of one length, also as [[..],[..]]; "
          "operands are promoted first, the result is inexact; sizes that meet are equal; an axis that stands twice "
          "is refused",
          infer_tensordot, tensordot),
      tensordot_terms, kTensordot, kTensordotRejects,
      "ci f32.64x32x32.row.uniform+f32.32x32x512.row.uniform/axes=2\n"
      "  ci f32.512x64x16.row.uniform+f32.64x512x16.row.uniform/axes=1:2:0:2");
  tensordot_row.attrs = {{"axes", 2}};
  Op vecdot_row = sum(row("vecdot", "c_i = sum over s of conj(a_is) b_is",
                          "the axis counts in the operand with more axes and must be one of both, of equal sizes; "
                          "the others broadcast; whole numbers and bool are multiplied and summed in the 32 or 64 bits "
                          "of the result, modulo 2^32 or 2^64 (upstream wraps products in the narrow type first)",
                          infer_vecdot, vecdot),
                      vecdot_terms, kVecdot, kVecdotRejects,
                      "ci {t}.4096x1024.row.uniform+{t}.4096x1024.row.uniform/- t={f32,f16}");
  vecdot_row.signature = "a T[*A], b U[*B] -> out S[*R]";
  vecdot_row.types = "T, U: all; P = promote(T, U); S = accumulator(P)";
  vecdot_row.attrs = {{"axis", -1}};
  return {elementwise(row("outer", "c_ij = a_i b_j, a and b flattened", "operands are promoted first; bool is and",
                          infer_outer, outer),
                      kOuter, "", "ci {t}.2048.row.uniform+{t}.4096.row.uniform/- t={f32,f16}"),
          elementwise(row("kron", "c_k = a_i b_j, k_d = i_d n_d + j_d, n the shape of b",
                          "operands are promoted first; ranks are padded with leading axes of 1; an empty operand is "
                          "refused; bool is and",
                          infer_kron, kron),
                      kKron, kKronRejects, "ci f32.64x32.row.uniform+f32.64x64.row.uniform/-"),
          sum(row("inner", "c_fg = sum over s of a_fs b_gs, s the last axes",
                  "operands are promoted first; a scalar multiplies, whole numbers too; of a sum the result is inexact",
                  infer_inner, inner),
              inner_terms, kInner, kInnerRejects,
              "ci f32.{a}.row.uniform+f32.{b}.row.uniform/- a,b={512x512 1024x512, 4194304 4194304}"),
          tensordot_row, vecdot_row};
}

}  // namespace plumb
