// Arrays that are filled: with values, with a diagonal or a triangle of ones, with coordinates.
#include <algorithm>

#include "core/op.h"
#include "reference/index.h"

namespace plumb {
namespace {

using namespace reference;

Shape shape_attr(const Request& r) {
  Shape shape = r.list("shape");
  for (const std::int64_t extent : shape)
    if (extent < 0) r.fail(Reason::shape, "negative extent in " + to_string(shape));
  return shape;
}

// ---- full

std::vector<Spec> infer_full(const Request& r) {
  const Shape shape = shape_attr(r);
  if (broadcast(r.op->name, shape, r.shape(0)) != shape)
    r.fail(Reason::shape, to_string(r.shape(0)) + " does not broadcast to " + to_string(shape));
  return {{r.dtype(0), shape}};
}

// out_i = vals_i, broadcast to the shape
std::vector<Wide> full(const Call& c) {
  return std::visit(
      [&]<class T>(const Array<T>& vals) -> std::vector<Wide> {
        Array<T> y(c.list("shape"));
        for (std::int64_t i = 0; i < y.size(); ++i) y[i] = vals[broadcast_index(i, y.shape, vals.shape)];
        return {y};
      },
      widen(c[0]));
}

// ---- eye, identity, tri

std::int64_t size_attr(const Request& r, std::string_view name) {
  const std::int64_t n = r.integer(name);
  if (n < 0) r.fail(Reason::attribute, std::string(name) + " is negative: " + std::to_string(n));
  return n;
}
Dtype dtype_of(const Request& r) { return r.dtype_attr("dtype").value_or(Dtype::f32); }

std::vector<Spec> infer_matrix(const Request& r) {
  const std::int64_t n = size_attr(r, "n");
  (void)r.integer("k");
  return {{dtype_of(r), {n, r.none("m") ? n : size_attr(r, "m")}}};
}
std::vector<Spec> infer_identity(const Request& r) {
  const std::int64_t n = size_attr(r, "n");
  return {{dtype_of(r), {n, n}}};
}

// out_ij = 1 where f(j - i), else 0
template <class F>
std::vector<Wide> ones_where(const Call& c, F f) {
  Integers y(output_specs(c)[0].shape);
  for (std::int64_t i = 0; i < y.shape[0]; ++i)
    for (std::int64_t j = 0; j < y.shape[1]; ++j) y(i, j) = f(j - i) ? 1 : 0;
  return {widen(narrow(y, dtype_of(c)))};
}
std::vector<Wide> eye(const Call& c) {
  return ones_where(c, [&](std::int64_t d) { return d == c.integer("k"); });
}
std::vector<Wide> identity(const Call& c) {
  return ones_where(c, [](std::int64_t d) { return d == 0; });
}
std::vector<Wide> tri(const Call& c) {
  return ones_where(c, [&](std::int64_t d) { return d <= c.integer("k"); });
}

// ---- meshgrid

std::vector<Spec> infer_meshgrid(const Request& r) {
  const std::string& indexing = r.text("indexing");
  if (indexing != "xy" && indexing != "ij") r.fail(Reason::attribute, "indexing is " + indexing + ", not xy or ij");
  const std::int64_t n = count(r.shape(0)), m = count(r.shape(1));
  const bool xy = indexing == "xy", sparse = r.flag("sparse");
  const Shape all = xy ? Shape{m, n} : Shape{n, m};
  const Shape first = xy ? Shape{1, n} : Shape{n, 1}, second = xy ? Shape{m, 1} : Shape{1, m};
  return {{r.dtype(0), sparse ? first : all}, {r.dtype(1), sparse ? second : all}};
}

// ij: out 0 (i, j) = a_i, out 1 (i, j) = b_j; xy: out 0 (j, i) = a_i, out 1 (j, i) = b_j
std::vector<Wide> meshgrid(const Call& c) {
  const bool xy = c.text("indexing") == "xy";
  std::vector<Wide> grids;
  for (std::size_t k = 0; k < 2; ++k)
    grids.push_back(std::visit(
        [&]<class T>(const Array<T>& x) -> Wide {
          Array<T> y(output_specs(c)[k].shape);
          const bool rows = xy == (k == 1);
          for (std::int64_t i = 0; i < y.shape[0]; ++i)
            for (std::int64_t j = 0; j < y.shape[1]; ++j) y(i, j) = x[rows ? i : j];
          return y;
        },
        widen(c[k])));
  return grids;
}

// ---- rows

constexpr const char* kFullCases = R"(
  call   {t}.{s}.{l}.{x}/shape={to}
  from   t=f32 s=s l=row x=bits to=3:5
  smoke  t={@all} s={s,5,3x1,3x5,1x1}
  smoke  to={:,0:,2:0:3}
  ci     t={@all} s=4x1x7 to=4:3:7 l={@layouts}
  ci     t={@all} s=3x70 to=2:3:70 x=order l={row,stepped}
  ci     s={s,1x1x1x1x5,2x1x3x1x2x1x1x5} to=2:1:3:2:2:1:4:5
  ci     s=2x1x2x1x2x1x2x1x2x1 to=2:3:2:3:2:3:2:3:2:3   # more axes than a kernel takes
  ci     t={u8,f16,f32,f64} to={1023:,1025:,3:2049} s={s,1}
  ci     t={u8,i16,f32,c64} s={1x1025,3x1} to=3:1025
)";
constexpr const char* kFullRejects = R"(
  call   {s}/shape={to}
  from   s=f32.3.row.uniform to=2:3
  shape  to=2:            # three values into two places
  shape  to=:             # three values into one place
  shape  to=2:-1          # a negative extent
  shape  s=f32.2x2x3.row.uniform  # more axes than there are
)";

constexpr const char* kMatrixCases = R"(
  call   -/n={n},m={m},k={k},dtype={t}
  from   n=3 m= k=0 t=
  smoke  n={0,1,3,5} m={,0,2,7} k={-2,0,1}
  smoke  t={@all} n=4 m=5 k={-1,1}
  ci     t={u8,f16,f32,f64,c64} n={63,64,65} m={1,127,1025} k={-64,0,3}
  ci     n=5 k={4,5,-4,-5,1000000000000,-1000000000000}
  ci     n={257,2} m=2049
)";
constexpr const char* kMatrixRejects = R"(
  call   -/n={n},m={m},k={k}
  from   n=3 m= k=0
  attribute n=-1          # less than none
  attribute m=-2          # less than none
  attribute k=none        # which diagonal
)";

constexpr const char* kIdentityCases = R"(
  call   -/n={n},dtype={t}
  from   t=
  smoke  n={0,1,2,3,17}
  smoke  n=5 t={@all}
  ci     n={63,64,65,129,513}
)";
constexpr const char* kIdentityRejects = R"(
  call   -/n={n}
  attribute n=-1          # less than none
)";

constexpr const char* kGridCases = R"(
  call   {t}.{n}.{l}.{x}+{u}.{m}.{l}.{x}/sparse={sparse},indexing={i}
  from   t=f32 u=f32 n=3 m=2 l=row x=bits sparse=false i=xy
  smoke  t={@all} u={i32,c64} i={xy,ij} sparse={false,true}
  smoke  n,m={1 1, 0 3, 3 0, 1 5, 5 1} i={xy,ij} sparse={false,true}
  ci     t,u={f16 u8, i64 f32} n=37 m=70 l={@layouts} i={xy,ij}
  ci     n,m={1025 3, 3 1025, 65 63} i={xy,ij} sparse={false,true} t={u8,f32}
)";
constexpr const char* kGridRejects = R"(
  call   f32.{s}.row.uniform+f32.2.row.uniform/indexing={i}
  from   s=3 i=xy
  attribute i=yx          # neither
)";

Op matrix_row(std::string_view name, Oracle oracle, std::string_view equation) {
  Op op;
  op.name = name;
  op.signature = "-> out T[N,M]";
  op.types = "T: all";
  op.attrs = {{"n", 0}, {"m", kNone}, {"k", 0}, {"dtype", kNone}};
  op.equation = equation;
  op.meaning = "m is n if it is none, the type f32; a diagonal outside of the matrix is no error; a size of 0 is none";
  op.infer = infer_matrix;
  op.oracle = oracle;
  op.cases = kMatrixCases;
  op.rejects = kMatrixRejects;
  op.bench = "ci -/n=4096,dtype={f32,f16}";
  return op;
}

Op identity_row() {
  Op op = matrix_row("identity", identity, "out_ij = 1 where i = j, else 0, for i, j < n");
  op.attrs = {{"n", 0}, {"dtype", kNone}};
  op.meaning = "eye(n)";
  op.infer = infer_identity;
  op.cases = kIdentityCases;
  op.rejects = kIdentityRejects;
  return op;
}

Op full_row() {
  Op op;
  op.name = "full";
  op.signature = "vals T[*A] -> out T[*S]";
  op.types = "T: all";
  op.attrs = {{"shape", Shape{}}};
  op.equation = "out = vals, broadcast to the shape";
  op.meaning = "the result has the type of vals";
  op.infer = infer_full;
  op.oracle = full;
  op.cases = kFullCases;
  op.rejects = kFullRejects;
  op.bench = "ci f32.s.row.uniform/shape={1048576:,4096:4096}";
  return op;
}

Op grid_row() {
  Op op;
  op.name = "meshgrid";
  op.signature = "a T[N], b U[M] -> 0 T[*S], 1 U[*R]";
  op.types = "T, U: all";
  op.attrs = {{"sparse", false}, {"indexing", "xy"}};
  op.equation = "ij: out 0 (i, j) = a_i, out 1 (i, j) = b_j; xy: out 0 (j, i) = a_i, out 1 (j, i) = b_j";
  op.meaning = "of two vectors; sparse grids have size 1 along the other axis";
  op.infer = infer_meshgrid;
  op.oracle = meshgrid;
  op.cases = kGridCases;
  op.rejects = kGridRejects;
  op.bench = "ci f32.4096.row.uniform+f32.4096.row.uniform/indexing={xy,ij}";
  return op;
}

}  // namespace

std::vector<Op> grids_ops() {
  return {full_row(), matrix_row("eye", eye, "out_ij = 1 where j - i = k, else 0, for i < n, j < m"), identity_row(),
          matrix_row("tri", tri, "out_ij = 1 where j - i <= k, else 0, for i < n, j < m"), grid_row()};
}

}  // namespace plumb
