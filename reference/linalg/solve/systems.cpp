// Systems of linear equations: with a general matrix, and with a triangle of one.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/op.h"
#include "reference/linalg/solve/judge.h"

namespace plumb {
namespace {

using namespace reference;

// b is a vector, or has columns in its last axis.
std::int64_t rows_of_b(const Shape& b) { return b.size() < 2 ? b[0] : rows_of(b); }
std::int64_t columns_of_b(const Shape& b) { return b.size() < 2 ? 1 : columns_of(b); }
Shape batch_of_b(const Shape& b) { return b.size() < 2 ? Shape{} : batch_of(b); }

// With as many axes as a, or none but n: a b of one axis less could be a vector for each matrix or the columns of one
// matrix, and is refused with the shape that says which.
std::vector<Spec> infer_solve(const Request& r) {
  const Shape &a = r.shape(0), &b = r.shape(1);
  const std::int64_t n = r.size('N');
  Shape columns = b;
  columns.push_back(1);
  if (b.size() != a.size() && !(b.size() == 1 && a.size() == 2))
    r.fail(Reason::rank, "b " + to_string(b) + " has " + std::to_string(b.size()) + " axes, a " + to_string(a) +
                             " has " + std::to_string(a.size()) + ": for one column for each matrix give b as " +
                             to_string(columns));
  if (rows_of_b(b) != n)
    r.fail(Reason::shape, "b " + to_string(b) + ": " + std::to_string(rows_of_b(b)) + " rows, a " + to_string(a) +
                              " has " + std::to_string(n));
  Shape x = broadcast(r.op->name, batch_of(a), batch_of_b(b));
  x.push_back(n);
  if (b.size() > 1) x.push_back(columns_of(b));
  return {{promote(r.dtype(0), r.dtype(1)), x}};
}

// Both operands in the promoted type, and which of their matrices meet.
template <class T>
struct Systems {
  Array<T> a, b;
  std::int64_t n, k, matrices;
  Shape batch;
  Square<T> matrix(std::int64_t t) const { return copy_of(a, broadcast_index(t, batch, batch_of(a.shape)), n, n); }
  Square<T> right(std::int64_t t) const { return copy_of(b, broadcast_index(t, batch, batch_of_b(b.shape)), n, k); }
};

template <class T>
Systems<T> systems(const Array<T>& a, const Array<T>& b) {
  const Shape batch = broadcast("solve", batch_of(a.shape), batch_of_b(b.shape));
  return {a, b, columns_of(a.shape), columns_of_b(b.shape), count(batch), batch};
}

template <class F>
auto with_systems(const Call& c, F&& f) {
  const Dtype type = output_specs(c)[0].dtype;
  const Wide a = widen_as(c[0], type), b = widen_as(c[1], type);
  if (type == Dtype::f64) return f(systems(std::get<Reals2>(a), std::get<Reals2>(b)));
  return f(systems(reals(a), reals(b)));
}

template <class F>
std::vector<Wide> each_solution(const Call& c, F&& solution) {
  return with_systems(c, [&]<class T>(const Systems<T>& s) -> std::vector<Wide> {
    Array<T> out(output_specs(c)[0].shape);
    for (std::int64_t t = 0; t < s.matrices; ++t) {
      const Square<T> x = solution(s.matrix(t), s.right(t), broadcast_index(t, s.batch, batch_of(s.a.shape)));
      std::copy(x.data.begin(), x.data.end(), out.data.begin() + t * s.n * s.k);
    }
    return {out};
  });
}

// 2^-64 for every column near the end of the range, else 1: (A D) (D^-1 x) = b, in which no intermediate overflows.
template <class T>
std::vector<double> scales_of(const Square<T>& a) {
  std::vector<double> d(static_cast<std::size_t>(a.columns), 1);
  for (std::int64_t j = 0; j < a.columns; ++j)
    for (std::int64_t i = 0; i < a.rows; ++i)
      if (magnitude_of(a.at()(i, j)) > 0x1p900) d[static_cast<std::size_t>(j)] = 0x1p-64;
  return d;
}
template <class T>
void scale_columns(Square<T>& a, const std::vector<double>& d) {
  for (std::size_t i = 0; i < a.data.size(); ++i) a.data[i] *= T(d[i % d.size()]);
}

// P A D = L U, L y = P b, U z = y, x = D z
template <class T>
Square<T> solution_of(Square<T>& a, Square<T> x) {
  const std::vector<double> d = scales_of(a);
  scale_columns(a, d);
  exchange(eliminate(a), x);
  substitute(a, false, true, x);
  substitute(a, true, false, x);
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t c = 0; c < x.columns; ++c) x.at()(i, c) *= T(d[static_cast<std::size_t>(i)]);
  return x;
}

std::vector<Wide> solve(const Call& c) {
  return each_solution(c, [&]<class T>(Square<T> a, const Square<T>& b, std::int64_t matrix) {
    Square<T> x = solution_of(a, b);
    if (zero_pivot(a) < a.rows) singular(c, matrix, zero_pivot(a));
    return x;
  });
}

// T x = b
std::vector<Wide> solve_triangular(const Call& c) {
  const bool upper = c.flag("upper");
  return each_solution(c, [&]<class T>(const Square<T>& a, Square<T> x, std::int64_t matrix) {
    if (zero_pivot(a) < a.rows) singular(c, matrix, zero_pivot(a));
    substitute(a, upper, false, x);
    return x;
  });
}

// ---- Judges ----

template <class T>
Square<T> column_of(const Square<T>& s, std::int64_t j) {
  Square<T> x(s.rows, 1);
  for (std::int64_t i = 0; i < s.rows; ++i) x.at()(i, 0) = s.at()(i, j);
  return x;
}

// Every column of every system on its own: judge(v, a, b, x).
template <class F>
Deviation each_judged(const Call& c, const std::vector<Tensor>& got, F&& judge) {
  Verdict v;
  const Wide wide = widen(got[0]);
  with_systems(c, [&]<class T>(const Systems<T>& s) {
    for (std::int64_t t = 0; t < s.matrices && !v.failed(); ++t) {
      const Square<T> a = s.matrix(t), b = s.right(t), x = copy_of(std::get<Array<T>>(wide), t, s.n, s.k);
      for (std::int64_t j = 0; j < s.k; ++j) judge(v, t, a, column_of(b, j), column_of(x, j));
    }
    return 0;
  });
  v.worst.compared = elements_of(got);
  return v.worst;
}

// ||b - A x||_1 <= 30 u sum_j ||A e_j||_1 |x_j|, for every column, and what underflows. That is LAPACK's ratio of the
// system (A D) (D^-1 x) = b whose columns all have the norm 1: powers of two in D change neither pivots nor roundings.
// A column whose products may underflow counts as one of normal numbers, and none as more than ||A||.
template <class T>
void judge_norm(Verdict& v, const Square<T>& a, const Square<T>& b, const Square<T>& x, const DtypeInfo& type) {
  if (a.rows == 0) return;
  constexpr double kMost = std::numeric_limits<double>::max();
  const std::vector<double> d = scales_of(a);
  Square<T> ad = a, z = x;
  scale_columns(ad, d);
  for (std::size_t j = 0; j < d.size(); ++j) z.data[j] *= T(1 / d[j]);
  const double n = static_cast<double>(a.rows), u = type.unit_roundoff(), most = std::min(norm1(a), kMost);
  const double least = std::min(most, n * type.min_normal), unit = std::min(least_column(a), kMost);
  double size = 0;
  for (std::int64_t j = 0; j < a.columns; ++j)
    size += std::max(least, norm1(column_of(ad, j))) * magnitude_of(z.at()(j, 0));
  const double allowed = kLapackRatio * u * size + n * n * type.min_subnormal * (1 + most);
  // Past the range nothing is refused, and never a move of an element whose column is that small.
  if (!std::isfinite(allowed) || unit < 2 * kLapackRatio * u * least) ++v.worst.unbounded;
  else v.norm(norm1(residual(ad, z, b).r), allowed, unit);
}

// What a right side that is not finite makes certain: every element of x follows from every one of b.
template <class T>
bool all_nan(const Square<T>& s) {
  using std::isnan;
  return std::all_of(s.data.begin(), s.data.end(), [](const T& x) { return isnan(x); });
}
template <class T>
bool none_finite(const Square<T>& s) {
  using std::isfinite;
  return std::none_of(s.data.begin(), s.data.end(), [](const T& x) { return isfinite(x); });
}

template <class T>
double reach_of(Square<T> a, const Square<T>& b) {
  const double steps =
      std::ldexp(std::max(greatest(a), greatest(b)), static_cast<int>(std::min<std::int64_t>(a.rows, 2000)));
  const Square<T> x = solution_of(a, b);
  return std::max({steps, greatest(x), static_cast<double>(a.rows) * greatest(a) * greatest(x)});
}

Deviation solves(const Call& c, const std::vector<Tensor>& got, const Order&) {
  const DtypeInfo& type = info(got[0].dtype());
  return each_judged(c, got, [&](Verdict& v, std::int64_t t, const auto& a, const auto& b, const auto& x) {
    const bool nan = any_nan(a) || any_nan(b), finite = all_finite(a);
    if (nan || (finite && !all_finite(b))) {
      if (nan ? !all_nan(x) : !none_finite(x)) v.fail((nan ? "NaN is lost" : "an infinity is lost") + in_matrix(t));
      return;
    }
    const double reach = finite && !all_finite(x) ? reach_of(a, b) : 0;
    if (judged(v, false, finite, x, reach, type, in_matrix(t))) judge_norm(v, a, b, x, type);
  });
}

// |b - T x| <= gamma_h |T| |x| elementwise, h the depth of n terms: Higham 2002, Theorem 8.5.
template <class T>
void judge_triangle(Verdict& v, const Square<T>& a, const Square<T>& b, const Square<T>& x, const Order& order,
                    const DtypeInfo& type) {
  const std::int64_t n = a.rows;
  const double wide = roundoff_of(Array<T>());
  const double relative = sums(order, n, type) + gamma(static_cast<double>(n) + 2, wide);
  const Residual<T> r = residual(a, x, b);
  for (std::int64_t i = 0; i < n; ++i) {
    const double eta = (static_cast<double>(n) + magnitude_of(a.at()(i, i))) * type.min_subnormal;
    const double want = static_cast<double>(b.at()(i, 0)), error = magnitude_of(r.r.at()(i, 0));
    v.see(error, relative * r.g.at()(i, 0) + eta, i, want, want + static_cast<double>(r.r.at()(i, 0)), 0,
          least_of_row(a, i));
  }
}

// The first row, in the order of substitution, where the triangle or b is as asked; n: none.
template <class T, class F>
std::int64_t first_row(const Square<T>& a, const Square<T>& b, bool upper, F&& asked) {
  const std::int64_t n = a.rows;
  for (std::int64_t step = 0; step < n; ++step) {
    const std::int64_t i = upper ? n - 1 - step : step;
    if (asked(b.at()(i, 0))) return step;
    for (std::int64_t j = 0; j < n; ++j)
      if (asked(a.at()(i, j))) return step;
  }
  return n;
}

template <class T>
Square<T> block_of(const Square<T>& s, std::int64_t top, std::int64_t left, std::int64_t rows, std::int64_t columns) {
  Square<T> out(rows, columns);
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) out.at()(i, j) = s.at()(top + i, left + j);
  return out;
}

template <class T>
void judge_leading(Verdict& v, std::int64_t t, const Square<T>& a, const Square<T>& b, const Square<T>& x, bool upper,
                   const Order& order, const DtypeInfo& type) {
  double reach = 0;
  if (!all_finite(x)) {
    Square<T> exact = b;
    substitute(a, upper, false, exact);
    reach = greatest(exact) * std::max(1.0, static_cast<double>(a.rows) * greatest(a));
  }
  if (judged(v, false, true, x, reach, type, in_matrix(t))) judge_triangle(v, a, b, x, order, type);
}

// Each element follows from those before it: up to the first row that is not finite all is judged; from an infinity
// of b on none is finite, from a NaN on all are NaN. What an infinity of the triangle does is left to IEEE arithmetic.
Deviation solves_triangle(const Call& c, const std::vector<Tensor>& got, const Order& order) {
  using std::isfinite;
  using std::isnan;
  const DtypeInfo& type = info(got[0].dtype());
  const bool upper = c.flag("upper");
  return each_judged(
      c, got, [&]<class T>(Verdict& v, std::int64_t t, const Square<T>& whole, const Square<T>& b, const Square<T>& x) {
        const Square<T> a = beyond_cleared(whole, upper);
        const std::int64_t n = a.rows;
        const std::int64_t odd = first_row(a, b, upper, [](const T& y) { return !isfinite(y); });
        const std::int64_t nan = first_row(a, b, upper, [](const T& y) { return isnan(y); });
        const std::int64_t from = upper ? n - odd : 0;  // what comes before is a system of its own
        judge_leading(v, t, block_of(a, from, from, odd, odd), block_of(b, from, 0, odd, 1),
                      block_of(x, from, 0, odd, 1), upper, order, type);
        for (std::int64_t step = odd; step < n; ++step) {
          const T y = x.at()(upper ? n - 1 - step : step, 0);
          if (step >= nan && !isnan(y)) v.fail("NaN is lost" + in_matrix(t));
          else if (step < nan && !all_finite(a)) ++v.worst.unbounded;
          else if (isfinite(y)) v.fail("an infinity is lost" + in_matrix(t));
        }
      });
}

// ---- Cases ----

constexpr const char* kCases = R"(
  call   {t}.{a}.{l}.{x}+{u}.{b}.{k}.{y}/-
  from   t={f32,f64} u={t} l=row k=row x=uniform y=uniform a={n}x{n} b={n}x{r}
  # LA02: no rows, no columns, no matrices
  smoke  t=f32 a,b={0x0 0, 0x0 0x3, 2x0x0 2x0x1, 3x3 3x0, 0x3x3 0x3x2, 0x3x3 1x3x2}
  smoke  n,r={1 1, 2 3, 3 2, 5 1, 10 4} x={uniform,spectrum-10000}
  # vectors, and batches that broadcast
  smoke  t=f32 a,b={4x4 4, 1x3x3 4x3x2, 4x3x3 1x3x2, 2x1x3x3 1x5x3x2, 8x4x4 8x4x1}
  # b of any real type is converted first, and a too where b is f64
  smoke  t,u={f32 f64, f64 f32} n=5 r=3
  # beside a matrix of a kind: at the ends of the range an elimination overflows, and nothing could be asked
  smoke  t,u={f32 i32, f64 u8, f32 bool, f32 f16, f64 bf16, f32 u64} n=5 r=3 x=spectrum-100
  # a permutation of one cycle, which must not be taken for its inverse
  smoke  n,r={3 2, 4 1, 7 3} x={cycle,cycle-2} y=int-3
  smoke  t=f32 a=3x6x6 b=3x6x2 x,y={nonfinite uniform, uniform nonfinite, cluster-1000 uniform}
  smoke  t=f32 n,r={33 5, 70 35} x=spectrum-1000    # B01: more than a block of rows, and of columns
  # B32: nearly singular, graded, and at the ends of the range
  ci     n,r={8 3, 24 5} t,x={f32 spectrum-1000000, f64 spectrum-100000000000000, f32 hilbert, f64 hilbert,
         f32 scaled--100, f32 scaled-100, f64 scaled--900, f64 scaled-900}
  ci     n,r={9 1, 16 31, 17 2, 31 32, 32 33, 33 1, 63 64, 64 65, 65 8} t={n%2?'f32':'f64'} x={uniform,spectrum-100}
  # LA07, B02: batches on both sides of the vectors' width
  ci     batch={1,4,8,9,16,17} n,r={1 1, 3 2, 6 1, 17 5} a={batch}x{n}x{n} b={batch}x{n}x{r} t={batch%2?'f32':'f64'}
  ci     a=2x3x13x13 b=2x3x13x4 x=spectrum-100
  ci     t=f64 a=3x14x14 b=3x14x5 l={@layouts,!broadcast} k={l} x=spectrum-100    # B04
  ci     t=f32 a=40x40 b=40x9 l=row k={@layouts}
  ci     t=f32 a=11x100x100 b=11x100x2    # LA07
  ci     t=f32 n,r={129 7, 200 150} x=spectrum-1000
  nightly t,n,r={f32 1025 3, f64 200 200} x=spectrum-1000
)";

constexpr const char* kRejects = R"(
  call   {t}.{a}.row.{x}+{u}.{b}.row.{y}/-
  from   t=f32 u={t} a={n}x{n} b={n}x2 x=uniform y=uniform
  # a vector for each matrix wants its axis: [8,4,1]
  rank   a=8x4x4 b=8x4
  rank   a=8x4x4 b=4      # a vector has no batch
  rank   a=4x4 b=8x4x2    # a matrix has none either
  shape  n=4 b=3x4        # 3 equations for 4 unknowns
  shape  n=4 b=5          # 5 equations for 4 unknowns
  shape  a=2x4x4 b=3x4x1  # batches of 2 and 3
  domain t={f32,f64} n={1,2,3,9,33,70} x=const-0
  domain t={f32,f64} n={2,9,33,70} x={const-1,zero_column}
  domain t={f32,f64} a,b,x={20x5x5 20x5x1 zero_column-2, 3x40x40 1x40x2 zero_column-35}  # LA07
  domain a=3x3 b=3x0 x=const-0    # singular, whatever there is to solve
)";

constexpr const char* kTriangleCases = R"(
  call   {t}.{a}.{l}.{x}+{u}.{b}.{k}.{y}/upper={up}
  from   t={f32,f64} u={t} l=row k=row up={false,true} a={n}x{n} b={n}x{r} one={up=='true'?'upper':'lower'} x={one}
         y=uniform
  # LA02: no rows, no columns, no matrices
  smoke  t=f32 up=false a,b={0x0 0, 0x0 0x3, 2x0x0 2x0x1, 3x3 3x0, 0x3x3 1x3x2}
  # LA01, B32: of one triangle; the other one holds NaN, so that a route that reads it is seen
  smoke  n,r={1 1, 2 3, 3 2, 5 1, 10 4}
  smoke  t=f32 a,b={4x4 4, 3x4x4 4, 3x4x4 4x2, 4x4 3x4x2, 1x3x3 4x3x2, 4x3x3 1x3x2, 2x1x3x3 5x3x2}
  smoke  t,u={f32 i32, f32 f64, f64 f32, f64 u8, f32 bool, f32 f16, f64 bf16, f32 u64} n=5 r=3
  smoke  t=f32 n,r={33 5, 70 35, 70 1} x={one}-20
  smoke  t=f32 up=false a=3x6x6 b=3x6x2 x,y={nonfinite uniform, lower nonfinite}
  ci     n,r={9 1, 16 31, 17 2, 31 32, 32 33, 33 1, 63 64, 64 65, 65 8} t={n%2?'f32':'f64'} x={one}-50
  ci     batch={1,4,8,9,16,17} n,r={3 2, 6 1, 17 5} a={batch}x{n}x{n} b={batch}x{n}x{r} t={batch%2?'f32':'f64'}
  ci     a=2x3x13x13 b=2x3x13x4
  ci     t=f64 a=3x14x14 b=3x14x5 l={@layouts,!broadcast} k={l}    # B04
  ci     t=f32 a=40x40 b=40x9 l=row k={@layouts}
  ci     t=f32 n,r={129 7, 200 150, 300 1}
  nightly t,n,r={f32 1025 3, f64 200 200}
)";

constexpr const char* kTriangleRejects = R"(
  call   {t}.{a}.row.{x}+{t}.{b}.row.uniform/upper={up}
  from   t={f32,f64} up={false,true} a={n}x{n} b={n}x2
  domain n={1,2,9,33,70} x=const-0     # the first zero
  domain n={2,9,33,70} x=zero_column   # the last one
  domain a=20x5x5 b=20x5x1 x=zero_column-2    # LA07: one singular matrix refuses the batch
)";

constexpr const char* kBench = R"(
  call   {t}.{a}.row.scaled+{t}.{b}.row.uniform/-
  from   t=f32 a={n}x{n} b={n}x{r}
  # beside peer.inverse: docs/guidance.md
  ci     n,r={4 1, 16 1, 64 1, 128 1, 256 1, 512 1, 1024 1, 1024 1024}
  ci     a,b={4096x3x3 4096x3x1, 4096x4x4 4096x4x1, 4096x8x8 4096x8x1, 4096x16x16 4096x16x1, 512x32x32 512x32x1}
  ci     t=f64 n=512 r=1
)";

constexpr const char* kTriangleBench = R"(
  call   {t}.{a}.row.lower+{t}.{b}.row.uniform/upper=false
  from   t=f32 a={n}x{n} b={n}x{r}
  ci     n,r={1024 1, 1024 1024}
  ci     a,b={4096x8x8 4096x8x1, 512x32x32 512x32x1}
)";

// The factorisation of each matrix, and both substitutions; or one of them.
Cost solve_cost(const Call& c) {
  const auto n = static_cast<double>(columns_of(c.shape(0))), k = static_cast<double>(columns_of_b(c.shape(1)));
  const auto x = static_cast<double>(count(output_specs(c)[0].shape));
  return {static_cast<double>(matrices_of(c.shape(0))) * n * n * n * 2 / 3 + (k > 0 ? 2 * n * x : 0),
          input_bytes(c) + output_bytes(c)};
}
Cost triangle_cost(const Call& c) {
  const auto n = static_cast<double>(columns_of(c.shape(0)));
  return {n * static_cast<double>(count(output_specs(c)[0].shape)), input_bytes(c) + output_bytes(c)};
}

}  // namespace

std::vector<Op> systems_ops() {
  return {{.name = "solve",
           .signature = "a T[*A,N,N], b U[*C] -> x P[*X]",
           .types = "T: f32 f64; U: bool integers floats; P = promote(T, U): f32 f64",
           .attrs = {},
           .equation = "A x = b by P A = L U, L y = P b, U x = y; b is [N] or [*C,N,K], x [N] or [*X,N,K]",
           .meaning = "b has as many axes as a, of which the leading ones broadcast, or is the vector [N] beside one "
                      "matrix; both are promoted before anything is computed (upstream factors an f32 matrix in f32 "
                      "beside a b of f64, and multiplies by inverses of L and U, which is not backward stable). A "
                      "pivot of exactly 0 is an error that names the matrix of a and the pivot, also where b has no "
                      "columns. No rows give the empty result",
           .infer = infer_solve,
           .oracle = solve,
           .cases = kCases,
           .rejects = kRejects,
           .bench = kBench,
           .cost = solve_cost,
           .tolerance = {.kind = Tolerance::Class::residual, .residual = solves}},
          {.name = "solve_triangular",
           .signature = "a T[...,N,N], b U[...,N,K?] -> x P[...,N,K?]",
           .types = "T: f32 f64; U: bool integers floats; P = promote(T, U): f32 f64",
           .attrs = {{"upper", false}},
           .equation = "T x = b, T the named triangle of A with its diagonal",
           .meaning = "b is the vector [N] for every matrix, or has columns; leading axes broadcast; the other "
                      "triangle is not read, in a batch neither; both operands are promoted before anything is "
                      "computed; a zero on the diagonal is an error that names the matrix of a and the pivot",
           .oracle = solve_triangular,
           .cases = kTriangleCases,
           .rejects = kTriangleRejects,
           .bench = kTriangleBench,
           .cost = triangle_cost,
           .tolerance = {.kind = Tolerance::Class::residual, .residual = solves_triangle}}};
}

}  // namespace plumb
