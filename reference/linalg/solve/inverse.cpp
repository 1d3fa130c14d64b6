// Inverses: of a matrix, of a triangle, and of a matrix by its Cholesky factor.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/op.h"
#include "reference/linalg/solve/judge.h"

namespace plumb {
namespace {

using namespace reference;

template <class T>
void put(Array<T>& to, std::int64_t t, const Square<T>& s) {
  std::copy(s.data.begin(), s.data.end(), to.data.begin() + t * s.rows * s.columns);
}

template <class T>
Square<T> triangle_of(const Array<T>& a, std::int64_t t, bool upper) {
  const std::int64_t n = columns_of(a.shape);
  return beyond_cleared(copy_of(a, t, n, n), upper);
}

// x = inverse(t, a) for every matrix t of a batch.
template <class F>
std::vector<Wide> each_inverse(const Call& c, F&& inverse) {
  return with_reals(c[0], [&]<class T>(const Array<T>& a) -> std::vector<Wide> {
    Array<T> out(a.shape);
    for (std::int64_t t = 0; t < matrices_of(a.shape); ++t) put(out, t, inverse(a, t));
    return {out};
  });
}

// P A = L U, X = U^-1 L^-1 P
std::vector<Wide> inv(const Call& c) {
  return each_inverse(c, [&]<class T>(const Array<T>& a, std::int64_t t) {
    const std::int64_t n = columns_of(a.shape);
    Square<T> lu = copy_of(a, t, n, n), x = identity<T>(n);
    exchange(eliminate(lu), x);
    if (zero_pivot(lu) < n) singular(c, t, zero_pivot(lu));
    substitute(lu, false, true, x);
    substitute(lu, true, false, x);
    return x;
  });
}

// T X = I
template <class T>
Square<T> triangle_inverse(const Call& c, const Array<T>& a, std::int64_t t) {
  const bool upper = c.flag("upper");
  const Square<T> triangle = triangle_of(a, t, upper);
  if (zero_pivot(triangle) < triangle.rows) singular(c, t, zero_pivot(triangle));
  Square<T> x = identity<T>(triangle.rows);
  substitute(triangle, upper, false, x);
  return beyond_cleared(std::move(x), upper);
}

std::vector<Wide> tri_inv(const Call& c) {
  return each_inverse(c, [&]<class T>(const Array<T>& a, std::int64_t t) { return triangle_inverse(c, a, t); });
}

// s_ij = sum_k x_ki x_kj
template <class T>
Square<T> gram(const Square<T>& x, bool rows) {
  Square<T> s(x.rows, x.rows);
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t j = 0; j < x.rows; ++j)
      for (std::int64_t k = 0; k < x.rows; ++k)
        s.at()(i, j) += rows ? x.at()(i, k) * x.at()(j, k) : x.at()(k, i) * x.at()(k, j);
  return s;
}

// lower: X = T^T T with T = L^-1; upper: X = T T^T with T = U^-1
std::vector<Wide> cholesky_inv(const Call& c) {
  return each_inverse(
      c, [&]<class T>(const Array<T>& a, std::int64_t t) { return gram(triangle_inverse(c, a, t), c.flag("upper")); });
}

// ---- Judges ----

// The least of the ratios of A X - I and X A - I: what is small of one need not be of the other (Higham 2002, section
// 14.1), and either makes X an inverse. So what is allowed is the larger of the two.
template <class T, class Ratio>
void judge_either(Verdict& v, const Square<T>& a, const Square<T>& x, Ratio&& ratio) {
  const Square<T> one = identity<T>(a.rows);
  Verdict right, left;
  ratio(right, residual(a, x, one), true);
  if (right.worst.ratio > 1 || right.worst.unbounded > 0) {
    ratio(left, residual(x, a, one), false);
    const double allowed = std::max(left.worst.allowed, right.worst.allowed);
    const bool fewer = left.worst.ratio <= 1 && left.worst.unbounded < right.worst.unbounded;
    if (right.worst.ratio > 1 ? left.worst.ratio < right.worst.ratio : fewer) right = left;
    right.worst.allowed = allowed;
  }
  const std::int64_t unbounded = v.worst.unbounded + right.worst.unbounded;
  if (right.worst.ratio > v.worst.ratio) v.worst = right.worst;
  v.worst.unbounded = unbounded;
}

// The least, over the rows of a, of the greatest magnitude in it: a move of one element of x by d moves x a by d times
// that or more, in the 1-norm.
template <class T>
double least_row(const Square<T>& a) {
  double least = std::numeric_limits<double>::infinity();
  for (std::int64_t i = 0; i < a.rows; ++i) {
    double most = 0;
    for (std::int64_t j = 0; j < a.columns; ++j) most = std::max(most, magnitude_of(a.at()(i, j)));
    least = std::min(least, most);
  }
  return least;
}

// ||A X - I||_1 <= 30 n u ||A||_1 ||X||_1, and what underflows. Elements of X whose column of A (from the left: row) is
// below twice what the bound grows by when they do are not seen.
template <class T>
void judge_norm(Verdict& v, const Square<T>& a, const Square<T>& x, const DtypeInfo& type) {
  const auto n = static_cast<double>(a.rows);
  if (a.rows == 0) return;
  const double norms = norm1(a) * norm1(x), eta = n * n * type.min_subnormal * (1 + norm1(a) + norm1(x));
  const double relative = kLapackRatio * n * type.unit_roundoff();
  const double grows = relative * norm1(a) + n * n * type.min_subnormal;
  judge_either(v, a, x, [&](Verdict& to, const Residual<T>& r, bool right) {
    const double unit = right ? least_column(a) : least_row(a), allowed = relative * norms + eta;
    if (!std::isfinite(allowed) || unit < 2 * grows) to.worst.unbounded += a.rows;
    to.norm(norm1(r.r), allowed, unit);
  });
}

// |T X - I| <= gamma_h |T| |X| elementwise, h the depth of n terms: Higham 2002, section 14.2.
template <class T>
void judge_triangle(Verdict& v, const Square<T>& a, const Square<T>& x, const Order& order, const DtypeInfo& type,
                    double wide) {
  const std::int64_t n = a.rows;
  const double relative = sums(order, n, type) + gamma(static_cast<double>(n) + 2, wide);
  const double eta = static_cast<double>(n) * type.min_subnormal * (1 + greatest(a) + greatest(x));
  judge_either(v, a, x, [&](Verdict& to, const Residual<T>& r, bool right) {
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < n; ++j) {
        const double want = i == j, error = magnitude_of(r.r.at()(i, j));
        const double unit = right ? least_of_row(a, i) : least_of_column(a, j);
        to.see(error, relative * r.g.at()(i, j) + eta, i * n + j, want, want + static_cast<double>(r.r.at()(i, j)), 0,
               unit);
      }
  });
}

// One matrix of the operand, its inverse, and what both are to be held against.
template <class T, class F>
Deviation each_judged(const Array<T>& a, const std::vector<Tensor>& got, F&& judge) {
  Verdict v;
  const Wide x = widen(got[0]);
  const std::int64_t n = columns_of(a.shape);
  for (std::int64_t t = 0; t < matrices_of(a.shape) && !v.failed(); ++t)
    judge(v, t, copy_of(std::get<Array<T>>(x), t, n, n));
  v.worst.compared = elements_of(got);
  return v.worst;
}

// How large an intermediate of the inverse may become, from exact factors: rows of U times columns of X.
template <class T>
double reach_of(Square<T> lu) {
  Square<T> x = identity<T>(lu.rows);
  const double steps = std::ldexp(greatest(lu), static_cast<int>(std::min<std::int64_t>(lu.rows, 2000)));
  exchange(eliminate(lu), x);
  substitute(lu, false, true, x);
  substitute(lu, true, false, x);
  const auto n = static_cast<double>(lu.rows);
  return std::max({steps, n * greatest(lu) * greatest(x), greatest(x)});
}

Deviation inverts(const Call& c, const std::vector<Tensor>& got, const Order&) {
  return with_reals(c[0], [&]<class T>(const Array<T>& a) {
    return each_judged(a, got, [&](Verdict& v, std::int64_t t, const Square<T>& x) {
      const Square<T> s = copy_of(a, t, x.rows, x.rows);
      const double reach = all_finite(s) && !all_finite(x) ? reach_of(s) : 0;
      if (judged(v, any_nan(s), all_finite(s), x, reach, info(c.dtype(0)), in_matrix(t)))
        judge_norm(v, s, x, info(c.dtype(0)));
    });
  });
}

template <class T>
bool beyond_triangle(const Square<T>& x, bool upper) {
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t j = 0; j < x.rows; ++j)
      if ((upper ? j < i : j > i) && !(x.at()(i, j) == T(0))) return true;
  return false;
}

template <class T>
double triangle_reach(const Square<T>& triangle, bool upper) {
  Square<T> x = identity<T>(triangle.rows);
  substitute(triangle, upper, false, x);
  return greatest(x) * std::max(1.0, static_cast<double>(x.rows) * greatest(triangle));
}

Deviation inverts_triangle(const Call& c, const std::vector<Tensor>& got, const Order& order) {
  const bool upper = c.flag("upper");
  return with_reals(c[0], [&]<class T>(const Array<T>& a) {
    return each_judged(a, got, [&](Verdict& v, std::int64_t t, const Square<T>& x) {
      const Square<T> s = triangle_of(a, t, upper);
      if (beyond_triangle(x, upper)) v.fail("not zero beyond the triangle" + in_matrix(t));
      const double reach = all_finite(s) && !all_finite(x) ? triangle_reach(s, upper) : 0;
      if (judged(v, any_nan(s), all_finite(s), x, reach, info(c.dtype(0)), in_matrix(t)))
        judge_triangle(v, s, x, order, info(c.dtype(0)), roundoff_of(a));
    });
  });
}

// A = L L^T or U^T U is formed in the wide type.
Deviation inverts_product(const Call& c, const std::vector<Tensor>& got, const Order&) {
  const bool upper = c.flag("upper");
  return with_reals(c[0], [&]<class T>(const Array<T>& a) {
    return each_judged(a, got, [&](Verdict& v, std::int64_t t, const Square<T>& x) {
      const Square<T> s = triangle_of(a, t, upper);
      double reach = all_finite(s) && !all_finite(x) ? triangle_reach(s, upper) : 0;
      reach = std::max(reach, reach * reach * static_cast<double>(x.rows));
      if (judged(v, any_nan(s), all_finite(s), x, reach, info(c.dtype(0)), in_matrix(t)))
        judge_norm(v, gram(s, !upper), x, info(c.dtype(0)));
    });
  });
}

// ---- Cases ----

constexpr const char* kCases = R"(
  call   {t}.{s}.{l}.{x}/-
  from   t={f32,f64} l=row x=uniform s={n}x{n}
  # LA02: no rows, or no matrices
  smoke  t=f32 s={0x0,2x0x0,0x3x3}
  smoke  n={1,2,3,5,10} x={uniform,spectrum-10000}
  # a permutation of one cycle, whose inverse is its transpose
  smoke  n={3,4,7} x={cycle,cycle-2}
  smoke  t=f32 s,x={2x5x5 cluster-1000, 3x6x6 nonfinite}
  smoke  t=f32 n={33,70} x=spectrum-1000     # B01: more than a block of rows
  # B32: nearly singular, graded, and at the ends of the range
  ci     n={8,24} t,x={f32 spectrum-1000000, f64 spectrum-100000000000000, f32 hilbert, f64 hilbert, f32 cluster-1e7,
         f32 scaled--100, f32 scaled-100, f64 scaled--900, f64 scaled-900}
  ci     n={9,16,17,31,32,33,63,64,65} t={n%2?'f32':'f64'} x={uniform,spectrum-100}
  # LA07, B02: batches on both sides of the vectors' width
  ci     batch={1,4,8,9,16,17} n={1,3,6,17} s={batch}x{n}x{n} t={batch%2?'f32':'f64'}
  ci     s=2x3x13x13 x=spectrum-100
  ci     s={3x14x14,2x40x40} t={s=='3x14x14'?'f64':'f32'} l={@layouts,!broadcast} x=spectrum-100    # B04
  ci     t=f32 n={129,200} x=spectrum-1000
  nightly t,n={f32 513, f64 200} x=spectrum-1000
)";

constexpr const char* kRejects = R"(
  call   {t}.{s}.row.{x}/-
  from   t={f32,f64} s={n}x{n}
  domain n={1,2,3,9,33,70} x=const-0             # the first pivot
  domain n={2,9,33,70} x=const-1                 # rank one: the second pivot
  domain n={2,9,33,70} x=zero_column             # the last pivot
  domain s,x={20x5x5 zero_column-2, 3x40x40 zero_column-35}  # LA07: one singular matrix refuses the batch
)";

constexpr const char* kTriangleCases = R"(
  call   {t}.{s}.{l}.{x}/upper={up}
  from   t={f32,f64} l=row up={false,true} s={n}x{n} one={up=='true'?'upper':'lower'} x={one}
  smoke  t=f32 s={0x0,2x0x0,0x3x3}               # LA02
  # LA01, B32: of one triangle; the other one holds NaN, so that a route that reads it is seen
  smoke  n={1,2,3,5,10}
  smoke  t=f32 n={33,70} x={one}-20
  smoke  t=f32 s=3x5x5 up=true x=nonfinite
  ci     n={8,16,17,32,63,64,65} t={n%2?'f32':'f64'} x={one}-50
  ci     batch={1,4,8,9,16,17} n={3,6,17} s={batch}x{n}x{n} t={batch%2?'f32':'f64'}
  ci     s=2x3x13x13
  ci     s={3x14x14,2x40x40} t={s=='3x14x14'?'f64':'f32'} l={@layouts,!broadcast}
  ci     t=f32 n={129,200}
  nightly t,n={f32 513, f64 200}
)";

constexpr const char* kTriangleRejects = R"(
  call   {t}.{s}.row.{x}/upper={up}
  from   t={f32,f64} up={false,true} s={n}x{n}
  domain n={1,2,9,33,70} x=const-0     # the first zero
  domain n={2,9,33,70} x=zero_column   # the last one
  domain s=20x5x5 x=zero_column-2      # LA07: one singular matrix refuses the batch
)";

constexpr const char* kBench = R"(
  call   {t}.{s}.row.scaled/-
  from   t=f32
  ci     s={128x128,512x512,1024x1024}
  ci     s={4096x3x3,4096x8x8,4096x16x16,512x32x32}
  ci     t=f64 s=512x512
)";

constexpr const char* kTriangleBench = R"(
  call   {t}.{s}.row.lower/upper=false
  from   t=f32
  ci     s={512x512,1024x1024,4096x8x8,512x32x32}
  ci     t=f64 s=512x512
)";

// Operations as a multiple of n^3.
template <int Numerator, int Denominator>
Cost cubic(const Call& c) {
  const auto n = static_cast<double>(columns_of(c.shape(0)));
  return {static_cast<double>(matrices_of(c.shape(0))) * n * n * n * Numerator / Denominator,
          input_bytes(c) + output_bytes(c)};
}

}  // namespace

std::vector<Op> inverse_ops() {
  Op whole{.name = "inv",
           .signature = "a T[*B,N,N] -> inv T[*B,N,N]",
           .types = "T: f32 f64",
           .attrs = {},
           .equation = "P A = L U, X = U^-1 L^-1 P, so that A X = I",
           .meaning =
               "a pivot of exactly 0 is an error that names the matrix and the pivot, and refuses the whole "
               "batch; nearly singular is none. A NaN in a matrix gives NaN. No rows give the empty result "
               "(not defined upstream)",
           .oracle = inv,
           .cases = kCases,
           .rejects = kRejects,
           .bench = kBench,
           .cost = cubic<2, 1>,
           .tolerance = {.kind = Tolerance::Class::residual, .residual = inverts}};
  Op triangle = whole;
  triangle.name = "tri_inv";
  triangle.attrs = {{"upper", false}};
  triangle.equation = "T X = I, T the named triangle of A with its diagonal; the other triangle of X is 0";
  triangle.meaning =
      "the other triangle is not read, in a batch neither (upstream, a vmap forgets the triangle and "
      "returns the full inverse); a zero on the diagonal is an error that names the matrix and the "
      "pivot";
  triangle.oracle = tri_inv;
  triangle.cases = kTriangleCases;
  triangle.rejects = kTriangleRejects;
  triangle.bench = kTriangleBench;
  triangle.cost = cubic<1, 3>;
  triangle.tolerance.residual = inverts_triangle;
  Op product = triangle;
  product.name = "cholesky_inv";
  product.equation = "X = (L L^T)^-1 of the lower factor L, or (U^T U)^-1 of the upper one; both triangles are written";
  product.meaning =
      "the input is the factor, of which the named triangle alone is read; a zero on its diagonal is an "
      "error that names the matrix and the pivot";
  product.oracle = cholesky_inv;
  product.cost = cubic<2, 3>;
  product.tolerance.residual = inverts_product;
  return {whole, triangle, product};
}

}  // namespace plumb
