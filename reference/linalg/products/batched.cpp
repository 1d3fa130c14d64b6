// Products of pairs of matrices that indices name, over ranges of terms, and of matrices with masked blocks.
#include <algorithm>
#include <string>

#include "reference/linalg/products/labelled.h"
#include "reference/linalg/products/matrices.h"

namespace plumb {
namespace {

using namespace reference;

Dtype promoted(const Request& r) { return promote(r.dtype(0), r.dtype(1)); }

void floating(const Request& r) {
  if (promoted(r) == Dtype::c64) r.fail(Reason::dtype, "the result would be c64: not f16, bf16, f32 or f64");
}

struct Extents {
  std::int64_t m, k, n;
  Shape a, b;  // batch axes
  bool row, column;
};

// Throws Error(rank) for a scalar, Error(shape) where the terms differ.
Extents extents(const Request& r) {
  for (std::size_t i = 0; i < 2; ++i)
    if (r.rank(i) == 0) r.fail(Reason::rank, std::string(i == 0 ? "a" : "b") + " [] is no matrix");
  const Shape a = as_matrices(r.shape(0), true), b = as_matrices(r.shape(1), false);
  if (a.back() != b[b.size() - 2])
    r.fail(Reason::shape, to_string(r.shape(0)) + " and " + to_string(r.shape(1)) + ": " + std::to_string(a.back()) +
                              " terms and " + std::to_string(b[b.size() - 2]));
  return {a[a.size() - 2], a.back(), b.back(), batch_axes(a), batch_axes(b), r.rank(0) == 1, r.rank(1) == 1};
}

std::vector<Spec> result(const Request& r, const Extents& e, Shape batch) {
  if (!e.row) batch.push_back(e.m);
  if (!e.column) batch.push_back(e.n);
  (void)count(batch);
  return {{promoted(r), batch}};
}

std::int64_t terms(const Call& c) { return real_terms(c.shape(0).back(), promoted(c)); }

Cost product_cost(const Call& c, std::int64_t k) {
  const Spec out = output_specs(c)[0];
  return {2 * static_cast<double>(count(out.shape)) * static_cast<double>(k), input_bytes(c) + output_bytes(c)};
}
Cost cost_of_all(const Call& c) { return product_cost(c, c.shape(0).back()); }

// f(x, y) of two wide arrays of one type.
template <class F>
Wide both(const Wide& a, const Wide& b, F&& f) {
  return std::visit([&]<class T>(const Array<T>& x) -> Wide { return f(x, std::get<Array<T>>(b)); }, a);
}

// ---- By index ----

enum : std::size_t { kLeft = 2, kRight = 3 };

bool indexed(const Request& r) { return r.has(kLeft) || r.has(kRight); }

std::vector<Spec> infer_gather(const Request& r) {
  const Extents e = extents(r);
  if (!indexed(r)) return result(r, e, broadcast(r.op->name, e.a, e.b));
  floating(r);
  const Shape left = r.has(kLeft) ? r.shape(kLeft) : e.a, right = r.has(kRight) ? r.shape(kRight) : e.b;
  return result(r, e, broadcast(r.op->name, left, right));
}

// The matrices of a batch that an index array names in turn, or all of them.
Integers places(const Call& c, std::size_t input, const Shape& batch) {
  if (c.has(input)) return as_integers(widen(c[input]));
  Integers all(batch);
  for (std::int64_t i = 0; i < all.size(); ++i) all[i] = i;
  return all;
}

std::int64_t checked(const Call& c, std::size_t input, std::int64_t place, std::int64_t matrices) {
  if (place < 0 || place >= matrices)
    c.fail(Reason::domain, std::string(input_name(c.op->inputs[input])) + " holds " + std::to_string(place) + " of " +
                               std::to_string(matrices) + " matrices");
  return place;
}

// c_tij = sum_p a_lip b_rpj, l the t-th of lhs_indices, r that of rhs_indices, both flat positions of a batch
std::vector<Wide> gather(const Call& c) {
  const Spec out = output_specs(c)[0];
  const Wide wide_a = widen_as(c[0], out.dtype), wide_b = widen_as(c[1], out.dtype);
  if (!indexed(c)) return {matrix_product(wide_a, wide_b, out.shape)};
  const Extents e = extents(c);
  const Integers left = places(c, kLeft, e.a), right = places(c, kRight, e.b);
  const Shape batch = broadcast(c.op->name, left.shape, right.shape);
  for (std::int64_t i = 0; i < left.size(); ++i) (void)checked(c, kLeft, left[i], count(e.a));
  for (std::int64_t i = 0; i < right.size(); ++i) (void)checked(c, kRight, right[i], count(e.b));
  return {both(wide_a, wide_b, [&]<class T>(const Array<T>& a, const Array<T>& b) {
    Array<T> all(out.shape);
    for (std::int64_t t = 0; t < count(batch); ++t) {
      const auto at = matrix(a, left[broadcast_index(t, batch, left.shape)], e.m, e.k);
      const auto bt = matrix(b, right[broadcast_index(t, batch, right.shape)], e.k, e.n);
      const auto ct = matrix(all, t, e.m, e.n);
      for (std::int64_t i = 0; i < e.m; ++i)
        for (std::int64_t j = 0; j < e.n; ++j)
          for (std::int64_t p = 0; p < e.k; ++p) ct(i, j) += at(i, p) * bt(p, j);
    }
    return all;
  })};
}

// ---- Over ranges of terms ----

struct Range {
  std::int64_t begin, end;
};

std::vector<Range> ranges(const Call& c) {
  const Integers s = as_integers(widen(c[2]));
  const std::int64_t K = c.shape(0)[1];
  std::vector<Range> all;
  for (std::int64_t i = 0; i < s.size(); i += 2) {
    if (s[i] < 0 || s[i + 1] < 0 || s[i + 1] > K)
      c.fail(Reason::domain, "segments hold " + std::to_string(s[i]) + " to " + std::to_string(s[i + 1]) + " of " +
                                 std::to_string(K) + " terms");
    all.push_back({s[i], s[i + 1]});
  }
  return all;
}

// c_tij = sum of a_ip b_pj over the p from begin_t to end_t - 1
std::vector<Wide> segmented(const Call& c) {
  const Spec out = output_specs(c)[0];
  const std::int64_t M = c.shape(0)[0], K = c.shape(0)[1], N = c.shape(1)[1];
  const std::vector<Range> all = ranges(c);
  return {
      both(widen_as(c[0], out.dtype), widen_as(c[1], out.dtype), [&]<class T>(const Array<T>& a, const Array<T>& b) {
        Array<T> sums(out.shape);
        const auto am = matrix(a, 0, M, K);
        const auto bm = matrix(b, 0, K, N);
        for (std::int64_t t = 0; t < static_cast<std::int64_t>(all.size()); ++t) {
          const auto ct = matrix(sums, t, M, N);
          const Range r = all[static_cast<std::size_t>(t)];
          for (std::int64_t i = 0; i < M; ++i)
            for (std::int64_t j = 0; j < N; ++j)
              for (std::int64_t p = r.begin; p < r.end; ++p) ct(i, j) += am(i, p) * bm(p, j);
        }
        return sums;
      })};
}

std::int64_t longest(const Call& c) {
  std::int64_t most = 1;
  for (const Range r : ranges(c)) most = std::max(most, r.end - r.begin);
  return most;
}
Cost segmented_cost(const Call& c) {
  const std::int64_t parts = std::max<std::int64_t>(1, c.shape(2).size() > 1 ? count(c.shape(2)) / 2 : 1);
  return product_cost(c, (c.shape(0)[1] + parts - 1) / parts);
}

// ---- Masked blocks ----

enum : std::size_t { kOut = 2, kLhs = 3, kRhs = 4 };

bool masked(const Request& r) { return r.has(kOut) || r.has(kLhs) || r.has(kRhs); }

// A mask has no axis where a vector operand has none.
Shape mask_shape(const Request& r, std::size_t input, const Extents& e) {
  Shape s = r.shape(input);
  if (s.empty()) return s;
  if (e.row && input != kRhs) s.insert(s.end() - (input == kOut && e.column ? 0 : 1), 1);
  if (e.column && input != kLhs) s.push_back(1);
  return s;
}

// The batch, and how many blocks a mask has along rows and columns.
Shape blocks(const Shape& batch, std::int64_t rows, std::int64_t columns, std::int64_t size) {
  Shape s = batch;
  s.insert(s.end(), {(rows + size - 1) / size, (columns + size - 1) / size});
  return s;
}

struct Mask {
  std::size_t input;
  Shape blocks;
};

std::vector<Mask> masks(const Request& r, const Extents& e) {
  const std::int64_t size = r.integer("block_size");
  const Shape batch = broadcast(r.op->name, e.a, e.b);
  std::vector<Mask> all;
  for (const Mask& m : {Mask{kOut, blocks(batch, e.m, e.n, size)}, Mask{kLhs, blocks(batch, e.m, e.k, size)},
                        Mask{kRhs, blocks(batch, e.k, e.n, size)}})
    if (r.has(m.input)) all.push_back(m);
  return all;
}

std::vector<Spec> infer_masked(const Request& r) {
  const Extents e = extents(r);
  const std::vector<Spec> out = result(r, e, broadcast(r.op->name, e.a, e.b));
  if (!masked(r)) return out;
  floating(r);
  const std::int64_t size = r.integer("block_size");
  if (size != 32 && size != 64) r.fail(Reason::attribute, "a block size of " + std::to_string(size) + ": not 32 or 64");
  for (const Mask& m : masks(r, e))
    if (const Shape own = mask_shape(r, m.input, e); broadcast(r.op->name, own, m.blocks) != m.blocks)
      r.fail(Reason::shape, std::string(input_name(r.op->inputs[m.input])) + " " + to_string(r.shape(m.input)) +
                                " does not broadcast to " + to_string(m.blocks));
  return out;
}

// x_ij m_IJ, or 0 where a bool mask is false, (I, J) the block of (i, j)
template <class T>
Array<T> with_mask(const Array<T>& x, const Wide& mask, bool clears, const Shape& own, std::int64_t size) {
  const std::int64_t rows = x.shape[x.shape.size() - 2], columns = x.shape.back();
  const Shape all = blocks(batch_axes(x.shape), rows, columns, size);
  const std::int64_t across = all.back(), down = all[all.size() - 2];
  Array<T> y(x.shape);
  for (std::int64_t e = 0; e < x.size(); ++e) {
    const std::int64_t t = e / (rows * columns), i = e / columns % rows, j = e % columns;
    const std::int64_t m = broadcast_index((t * down + i / size) * across + j / size, all, own);
    if (clears) y[e] = std::get<Unsigneds>(mask)[m] != 0 ? x[e] : T(0.0);
    else y[e] = x[e] * std::get<Array<T>>(mask)[m];
  }
  return y;
}

Wide repeated(const Wide& x, const Shape& to) {
  return std::visit(
      [&]<class T>(const Array<T>& a) -> Wide {
        Array<T> all(to);
        for (std::int64_t i = 0; i < all.size(); ++i) all[i] = a[broadcast_index(i, to, a.shape)];
        return all;
      },
      x);
}

// c_ij = o_IJ sum_p (l_IP a_ip) (r_PJ b_pj), capital letters the blocks of the small ones
std::vector<Wide> block_masked(const Call& c) {
  const Spec out = output_specs(c)[0];
  const Extents e = extents(c);
  const std::int64_t size = c.integer("block_size");
  const Shape batch = broadcast(c.op->name, e.a, e.b);
  const auto is_bool = [&](std::size_t i) { return !c.has(i) || c.dtype(i) == Dtype::boolean; };
  const auto apply = [&](const Wide& x, std::size_t input, bool clears) -> Wide {
    if (!c.has(input)) return x;
    const Wide mask = clears ? widen(c[input]) : widen_as(c[input], out.dtype);
    return std::visit(
        [&]<class T>(const Array<T>& a) -> Wide {
          if constexpr (std::is_same_v<T, double> || std::is_same_v<T, Double2>)
            return with_mask(a, mask, clears, mask_shape(c, input, e), size);
          else return a;  // of no other type
        },
        x);
  };
  const auto operand = [&](std::size_t i, std::int64_t rows, std::int64_t columns) {
    Shape all = batch;
    all.insert(all.end(), {rows, columns});
    const Wide x = with_shape(widen_as(c[i], out.dtype), as_matrices(c.shape(i), i == 0));
    return masked(c) ? apply(repeated(x, all), i == 0 ? kLhs : kRhs, is_bool(kLhs) && is_bool(kRhs)) : x;
  };
  Shape all = batch;
  all.insert(all.end(), {e.m, e.n});
  const Wide product = matrix_product(operand(0, e.m, e.k), operand(1, e.k, e.n), all);
  return {with_shape(apply(product, kOut, is_bool(kOut)), out.shape)};
}

// ---- Cases ----

constexpr const char* kGather = R"(
  call   {t}.{a}.{l}.{x}+{u}.{b}.{k}.{x}+{i}+{j}/sorted_indices={sorted}
  from   t=f32 u={t} a=4x3x5 b=3x5x4 l=row k=row x=uniform i=u32.6.row.index-4 j=u32.6.row.index-3 sorted=false
         floats={f16,bf16,f32,f64}
  smoke  t={floats} x={int-3,uniform,special}
  # a missing array is all positions in turn, of the shape of the batch
  smoke  a,b,i,j={4x3x5 3x5x4 none u32.4.row.index-3, 4x3x5 3x5x4 u32.3.row.index-4 none, 2x2x3x5 3x5x4 none
                  u32.2.row.index-3, 3x5 3x5x4 none u32.7.row.index-3, 4x3x5 5x4 u32.7.row.index-4 none, 4x3x5 4x5x4
                  none none, 3x5 5x4 none none, 5 3x5x4 none u8.4.row.index-3, 4x3x5 5 i16.4.row.index-4 none,
                  5 5 u32.2x3.row.const-0 u32.3.row.const-0, 4x3x5 3x5x4 u32.s.row.index-4 u32.2x3.row.index-3,
                  4x3x5 3x5x4 u32.2x1.row.index-4 u32.3.row.index-3, 4x3x5 3x5x4 u32.0.row.const-0 u32.0.row.const-0,
                  4x3x0 3x0x4 u32.2.row.index-4 u32.2.row.index-3, 4x0x5 3x5x4 u32.2.row.index-4 u32.2.row.index-3,
                  2x3x3x5 3x2x5x4 u64.5.row.index-6 i64.5.row.index-6}
  smoke  t=c64 a=2x3x5 b=5x4 i=none j=none
  smoke  t,u={i32 f16, f16 bf16, f32 f64, bool f32, bf16 f32}
  # GM01, GM02, B10: sorted or not, rows cut out of larger ones, one row for each index, experts without a row
  smoke  a,b,i,j={11x1x5 3x5x4 none u32.11.row.const-1, 7x1x33 4x33x9 none u32.7.stepped.const-2, 5x2x5 3x5x4 none
                  u32.5.row.const-0, 4x1x5 2x5x4 i32.8.row.const-3 u32.8.row.const-1} sorted={true,false}
         l={row,stepped,transposed,reversed} k={row,padded,transposed}
  smoke  l={@layouts} k={row,transposed}
  ci     t={f32,f16} l={@layouts} k=[row,stepped] a=4x7x9 b=3x9x5
  # MM03, GM03: around the tiles; terms that no tile divides
  ci     t={floats} a,b={4x33x17 3x17x47, 4x129x33 3x33x47, 4x1x97 3x97x129, 4x65x31 3x31x1} x=[int-3,uniform]
  ci     t={f16,bf16} a=2x2x8192 b=2x8192x1 x=const-1 i=u32.3.row.index-2 j=u32.3.row.index-2     # MM06, B21
  ci     a=1x2x1x1x1x1x2x3x5                      # more axes than a kernel walks
  ci     t={f32,f16} a,b={80x1x32 3x32x64, 80x1x96 3x96x35, 80x1x1056 2x1056x33} i=none j=u32.80.row.const-1 sorted=true
  ci     t={floats} x={wide,tiny,subnormal,huge,cancel} a=4x6x13 b=3x13x7
  nightly t=f16 a=32833x1x4 b=2x4x3 i=none j=u32.32833.row.index-2                            # GM04, MM05, B06
)";

constexpr const char* kGatherRejects = R"(
  call   {t}.{a}.row.int-3+{t}.{b}.row.int-3+{i}+{j}/-
  from   t=f32 a=4x3x5 b=3x5x4 i=u32.6.row.index-4 j=u32.6.row.index-3
  shape  a=4x3x1                       # one term for five
  shape  i=u32.5.row.const-0           # 5 beside 6
  shape  i=none                        # all 4 beside 6
  dtype  t=c64                         # complex matrices are not gathered
  dtype  t=i32                         # whole numbers have no sum of products here
  domain i=i32.6.row.const-4           # behind the last
  domain j=u32.6.row.const-3           # of the other operand
  domain i=i32.6.row.const--1          # not from the end
  domain i=i64.6.row.const-4294967296  # 0 in 32 bits
  domain j=u64.6.row.whole             # beyond signed numbers
  rank   a=s                           # no matrix
)";

constexpr const char* kSegmented = R"(
  call   {t}.{a}.{l}.{x}+{u}.{b}.{k}.{x}+{i}/-
  from   t=f32 u={t} a=3x9 b=9x4 l=row k=row x=uniform i=u32.5x2.row.index-10 floats={f16,bf16,f32,f64}
  smoke  t={floats} x={int-3,uniform,special}
  # GM08, GM09, B11, T20: empty ones everywhere, ends before beginnings, none at all, all of it
  smoke  i={u32.2x2.row.const-0,u32.0x2.row.const-0,i32.2x3x2.row.index-10,u8.7x2.row.index-10,i64.4x2.row.const-9,
            u32.3x2.transposed.index-10,u16.2.row.index-10,i32.9x2.row.ramp-10,u64.6x2.stepped.index-10}
  smoke  a,b,i={3x0 0x4 u32.2x2.row.const-0, 0x9 9x4 u32.2x2.row.index-10, 3x9 9x0 u32.2x2.row.index-10}
  smoke  t,u={i32 f16, f16 bf16, f32 f64, bool f32}
  smoke  l={@layouts} k={row,transposed}
  ci     t={f32,f16} l={@layouts} k=[row,stepped] a=7x21 b=21x5 i=u32.4x2.row.index-22
  # MM03: around the tiles, GM03: terms that no tile divides
  ci     t={floats} a,b={33x47 47x17, 129x33 33x47, 1x97 97x129, 65x31 31x1} x=[int-3,uniform] i=u32.3x2.row.index-32
  ci     t={f16,bf16} a=2x8192 b=8192x3 x=const-1 i=u32.6x2.row.ramp-8191     # MM06, B21
  ci     t={f32,f64} a=5x1031 b=1031x9 i=u32.5x2.row.index-1032
  ci     t={floats} x={wide,tiny,subnormal,huge,cancel} a=6x13 b=13x7 i=u32.6x2.row.index-14
)";

constexpr const char* kSegmentedRejects = R"(
  call   f32.{a}.row.int-3+f32.{b}.row.int-3+{i}/-
  from   a=3x9 b=9x4 i=u32.5x2.row.index-10
  domain i=u32.2x2.row.const-10          # an end behind the last term
  domain i=i32.2x2.row.const--1          # before the first
  domain i=i64.2x2.row.const-4294967296  # 0 in 32 bits
)";

constexpr const char* kMasked = R"(
  call   {t}.{a}.{l}.{x}+{u}.{b}.{k}.{x}+{o}+{p}+{q}/block_size={s}
  from   t=f32 u={t} a=33x65 b=65x35 l=row k=row x=uniform o=bool.2x2.row.int p=none q=none s=32
         floats={f16,bf16,f32,f64}
  smoke  t={floats} x={int-3,uniform} o=bool.2x2.row.int p=bool.2x3.row.int q=bool.3x2.row.int
  smoke  t={floats} o={t}.2x2.row.uniform p={t}.2x3.row.uniform q={t}.3x2.row.uniform
  # no mask at all is a product, of any block size and type; each mask alone; a bool one beside a numeric one is numeric
  smoke  o,p,q,s={none none none 32, none none none 7, none bool.2x3.row.int none 32, none none bool.3x2.row.int 32,
                  none f32.2x3.row.uniform none 32, none bool.2x3.row.int f32.3x2.row.uniform 32, i32.2x2.row.int none
                  none 32, f16.2x2.row.uniform bool.2x3.row.int none 32, bool.s.row.const-1 f32.s.row.uniform none 32,
                  bool.2.row.int bool.3.row.int none 32, bool.2x1.row.int bool.1x3.row.int none 32, bool.1x1.row.int
                  bool.1x2.row.int bool.2x1.row.int 64, f32.1x1.row.uniform none f32.2x1.row.uniform 64}
  smoke  t=c64 o=none a=3x5 b=5x4
  smoke  b=65x97 o=bool.2x4.row.int q={none,f32.3x4.row.uniform}
  # B12: what a false block hides does not leak; a numeric 0 times NaN is NaN
  smoke  x=const-nan o=bool.2x2.row.const-0 p={none,bool.2x3.row.const-0}
  smoke  x={const-inf,const-nan} o=none p=bool.2x3.row.const-0 q=bool.3x2.row.const-0
  smoke  x=const-nan o=f32.2x2.row.const-0
  smoke  x=special o=bool.2x2.row.int p=bool.2x3.row.int q=bool.3x2.row.int
  # GM05, B12: masks for each matrix of a batch that an operand does not have: upstream clears a shared copy
  smoke  a,b,o,p,q={64x64 2x64x64 none bool.2x2x2.row.int none, 2x64x64 64x64 none none bool.2x2x2.row.int,
                    3x33x35 35x40 bool.3x2x2.row.int none none, 33x35 3x35x40 bool.2x2.row.int bool.3x2x2.row.int
                    bool.3x2x2.row.int, 2x1x33x35 3x35x40 f32.2x1x2x2.row.uniform bool.2x3x2x2.row.int none,
                    4x33x35 35x40 none f32.4x2x2.row.uniform none, 3x33x35 3x35x40 bool.1x2x2.row.int none none}
  # vectors: their masks lack the axis too
  smoke  a,b,o,p,q={33 33x40 bool.2.row.int bool.2.row.int none, 40x33 33 bool.2.row.int none bool.2.row.int,
                    33 33 none bool.2.row.int bool.2.row.int, 33 2x33x40 f32.2x2.row.uniform f32.2x2.row.uniform none,
                    33 33 bool.s.row.const-1 none none}
  smoke  a,b,o,p={0x5 5x4 bool.0x1.row.int none, 3x0 0x4 bool.1x1.row.int none, 3x5 5x0 none bool.1x1.row.int, 3x0 0x4
                  f32.1x1.row.uniform none, 0x3x5 5x4 bool.0x1x1.row.int none}
  smoke  a=1x2x1x1x1x1x1x3x5 b=5x4 o=bool.1x1.row.int       # more axes than a kernel walks
  smoke  t,u,o={i32 f16 bool.2x2.row.int, f16 bf16 f32.2x2.row.uniform, f32 f64 f32.2x2.row.uniform}
  smoke  l={@layouts} k={row,transposed} p=bool.2x3.transposed.int o=f32.2x2.stepped.uniform
  ci     t={f32,f16} l={@layouts} k=[row,stepped] p=bool.2x3.transposed.int q={t}.3x2.reversed.uniform
  ci     t={floats} a,b,o,p,q={31x32 32x33 bool.1x2.row.int bool.1x1.row.int none, 65x97 97x31 bool.3x1.row.int none
         bool.4x1.row.int, 96x64 64x129 none {t}.3x2.row.uniform {t}.2x5.row.uniform} x=[int-3,uniform]
  ci     t={floats} s=64 a,b,o,p,q={63x64 64x65 bool.1x2.row.int bool.1x1.row.int none, 129x65 65x63 none
         {t}.3x2.row.int {t}.2x1.row.int} x=int-3
  ci     t={floats} x={wide,tiny,subnormal,cancel} p={t}.2x3.row.pow2 o={t}.2x2.row.pow2
  ci     t={f16,bf16} a=2x8192 b=8192x3 x=const-1 o=bool.1x1.row.const-1      # MM06, B21
)";

constexpr const char* kMaskedRejects = R"(
  call   {t}.{a}.row.int-3+{t}.{b}.row.int-3+{o}+{p}+{q}/block_size={s}
  from   t=f32 a=3x65 b=65x5 o=bool.1x1.row.int p=none q=none s=32
  attribute s={16,0,-32}                   # not 32 or 64
  shape  o=bool.3x1.row.int                # blocks that there are not
  shape  o=bool.5x1x1.row.int              # masks do not enlarge the batch
  shape  p=bool.1x2.row.int                # 65 terms have three blocks
  shape  q=f32.1x3.row.uniform             # the axes the other way round
  shape  b=64x5                            # 65 terms and 64
  dtype  t=c64                             # complex blocks are not masked
  dtype  t=i32                             # whole numbers have no sum of products here
  rank   a=s                               # no matrix
)";

Op row(std::string_view name, std::string_view equation, std::string_view meaning, Infer infer, Oracle oracle) {
  Op op;
  op.name = name;
  op.equation = equation;
  op.meaning = meaning;
  op.infer = infer;
  op.oracle = oracle;
  op.cost = cost_of_all;
  op.tolerance.kind = Tolerance::Class::accumulate;
  op.tolerance.terms = terms;
  op.tolerance.signed_values = true;
  return op;
}

}  // namespace

std::vector<Op> batched_ops() {
  Op by_index = row("gather_mm", "c_tij = sum_p a_lip b_rpj, l the t-th of lhs_indices, r the t-th of rhs_indices",
                    "indices are flat positions of the batch axes and must lie in them (undefined upstream); one array "
                    "that is missing is all positions, of the shape of the batch, and broadcasts against the other; "
                    "without either it is matmul, complex too; sorted_indices promises what changes nothing",
                    infer_gather, gather);
  by_index.signature = "a T[*A], b U[*B], lhs_indices? I[*L], rhs_indices? J[*R] -> out P[*C]";
  by_index.types = "T, U: all; I, J: integers; P = promote(T, U): floats c64";
  by_index.attrs = {{"sorted_indices", false}};
  by_index.cases = kGather, by_index.rejects = kGatherRejects;
  by_index.bench =
      "ci f32.4096x1x256.row.uniform+f32.8x256x256.row.uniform+none+u32.4096.row.ascending-0/sorted_indices=true\n"
      "  ci f32.16x128x128.row.uniform+f32.16x128x128.row.uniform+u32.64.row.index-16+u32.64.row.index-16/-";
  Op by_range = row("segmented_mm", "c_tij = sum of a_ip b_pj over the p from begin_t to end_t - 1",
                    "segments are pairs (begin, end) within the terms (unchecked upstream); an end at or before its "
                    "beginning gives zeros",
                    nullptr, segmented);
  by_range.signature = "a T[M,K], b U[K,N], segments I[*S,2] -> out P[*S,M,N]";
  by_range.types = "T, U: all; I: integers; P = promote(T, U): floats";
  by_range.cases = kSegmented, by_range.rejects = kSegmentedRejects;
  by_range.cost = segmented_cost;
  by_range.tolerance.terms = longest;
  by_range.bench = "ci f32.256x4096.row.uniform+f32.4096x256.row.uniform+u32.16x2.row.index-4096/-";
  Op by_mask =
      row("block_masked_mm", "c_ij = o_IJ sum_p (l_IP a_ip) (r_PJ b_pj), capitals the blocks of the small ones",
          "masks count blocks and broadcast to the batch of the operands; a bool out mask clears blocks, any "
          "other multiplies them; operand masks are bool if both are, else numbers; masks are as many as "
          "matrices, also over an operand that is one for all (upstream clears a copy that it shares); no mask "
          "is matmul, of any block size",
          infer_masked, block_masked);
  by_mask.signature = "a T[*A], b U[*B], mask_out? V[*O], mask_lhs? W[*L], mask_rhs? X[*R] -> out P[*C]";
  by_mask.types = "T, U: all; V, W, X: all; P = promote(T, U): floats c64";
  by_mask.attrs = {{"block_size", 64}};
  by_mask.cases = kMasked, by_mask.rejects = kMaskedRejects;
  by_mask.bench = "ci f32.1024x1024.row.uniform+f32.1024x1024.row.uniform+bool.16x16.row.int+bool.16x16.row.int/-";
  return {by_index, by_range, by_mask};
}

}  // namespace plumb
