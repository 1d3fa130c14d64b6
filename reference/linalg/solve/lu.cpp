// LU factorisation with partial pivoting: the factors apart, or packed with their row exchanges.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/op.h"
#include "reference/linalg/solve/judge.h"
#include "reference/linalg/solve/solve_fills.h"

namespace plumb {
namespace {

using namespace reference;

std::vector<Spec> infer_lu(const Request& r) { return r.outputs({{'K', std::min(r.size('M'), r.size('N'))}}); }

// ---- Oracles ----

// A = L[p, :] U: the exchanges, last one first, carry the rows of L back to where those of A lie.
std::vector<std::uint64_t> rows_back(const Pivots& pivots, std::int64_t m) {
  std::vector<std::uint64_t> p(static_cast<std::size_t>(m));
  std::iota(p.begin(), p.end(), std::uint64_t{0});
  for (std::size_t j = pivots.size(); j-- > 0;) std::swap(p[j], p[static_cast<std::size_t>(pivots[j])]);
  return p;
}

template <class T>
std::vector<Wide> lu_of(const Call& c, const Array<T>& a) {
  const std::vector<Spec> out = output_specs(c);
  Unsigneds p(out[0].shape);
  Array<T> l(out[1].shape), u(out[2].shape);
  const std::int64_t m = rows_of(a.shape), n = columns_of(a.shape), k = std::min(m, n);
  for (std::int64_t t = 0; t < matrices_of(a.shape); ++t) {
    Square<T> s = copy_of(a, t, m, n);
    const auto back = rows_back(eliminate(s), m);
    std::copy(back.begin(), back.end(), p.data.begin() + t * m);
    const auto lt = matrix(l, t, m, k), ut = matrix(u, t, k, n);
    for (std::int64_t i = 0; i < m; ++i)
      for (std::int64_t j = 0; j < k; ++j) lt(i, j) = j < i ? s.at()(i, j) : T(i == j ? 1 : 0);
    for (std::int64_t i = 0; i < k; ++i)
      for (std::int64_t j = i; j < n; ++j) ut(i, j) = s.at()(i, j);
  }
  return {p, l, u};
}

template <class T>
std::vector<Wide> lu_factor_of(const Call& c, const Array<T>& a) {
  const std::vector<Spec> out = output_specs(c);
  Array<T> lu(out[0].shape);
  Unsigneds pivots(out[1].shape);
  const std::int64_t m = rows_of(a.shape), n = columns_of(a.shape), k = std::min(m, n);
  for (std::int64_t t = 0; t < matrices_of(a.shape); ++t) {
    Square<T> s = copy_of(a, t, m, n);
    const Pivots p = eliminate(s);
    std::copy(s.data.begin(), s.data.end(), lu.data.begin() + t * m * n);
    std::copy(p.begin(), p.end(), pivots.data.begin() + t * k);
  }
  return {lu, pivots};
}

std::vector<Wide> lu(const Call& c) {
  return with_reals(c[0], [&](const auto& a) { return lu_of(c, a); });
}
std::vector<Wide> lu_factor(const Call& c) {
  return with_reals(c[0], [&](const auto& a) { return lu_factor_of(c, a); });
}

// ---- The judge: P A = L U rebuilt, |L| <= 1 ----

template <class T>
struct Factors {
  Square<T> a, l, u;  // a: its rows where those of L lie
};

// Times 2^-64, so that what sums to more than the largest number of the wide type can be judged.
template <class T>
Square<T> down(Square<T> s) {
  for (T& x : s.data) x *= T(0x1p-64);
  return s;
}

// L U - P A, from the sum that defines each element: of the terms up to the diagonal of L or of U, the others being 0.
template <class T>
Residual<T> defining(const Factors<T>& f) {
  const std::int64_t m = f.a.rows, n = f.a.columns;
  Residual<T> out{Square<T>(m, n), Square<double>(m, n)};
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      T sum = -f.a.at()(i, j);
      double g = 0;
      for (std::int64_t k = 0; k < std::min({i + 1, j + 1, f.l.columns}); ++k) {
        const T term = f.l.at()(i, k) * f.u.at()(k, j);
        if (term == T(0)) continue;
        sum += term;
        g += magnitude_of(term);
      }
      out.r.at()(i, j) = sum;
      out.g.at()(i, j) = g;
    }
  return out;
}
template <class T>
Residual<T> defining_down(const Factors<T>& f) {
  return defining(Factors<T>{down(f.a), f.l, down(f.u)});
}

// A move by d of an element of a factor moves L U by d times that or more, in the 1-norm: the greatest of each row of
// U, and the 1 on the diagonal of L.
template <class T>
double least_telling(const Square<T>& u) {
  double least = 1;
  for (std::int64_t i = 0; i < u.rows; ++i) {
    double most = 0;
    for (std::int64_t j = 0; j < u.columns; ++j) most = std::max(most, magnitude_of(u.at()(i, j)));
    if (most > 0) least = std::min(least, most);
  }
  return least;
}

// Which elements of the factors are numbers: the elimination of P A with its own pivots, in IEEE arithmetic and scaled
// so that nothing but an infinity or NaN of A makes one. Where a pivot came out as 0 nothing is eliminated.
template <class T>
Square<double> numbers(const Factors<T>& f) {
  const std::int64_t m = f.a.rows, n = f.a.columns;
  Square<double> s(m, n);
  for (std::size_t i = 0; i < s.data.size(); ++i) s.data[i] = std::ldexp(static_cast<double>(f.a.data[i]), -64);
  const auto at = s.at();
  for (std::int64_t k = 0; k < std::min(m, n); ++k) {
    if (f.u.at()(k, k) == T(0)) continue;
    for (std::int64_t i = k + 1; i < m; ++i) {
      at(i, k) /= at(k, k);
      for (std::int64_t j = k + 1; j < n; ++j) at(i, j) -= at(i, k) * at(k, j);
    }
  }
  return s;
}

template <class T>
struct Product {
  const Factors<T>& f;
  double relative;
  const DtypeInfo& type;
  Residual<T> r, low;  // low: times 2^-64

  // |P A - L U|_ij against gamma_h (|L| |U|)_ij, in units of the factors: what one of the multipliers l_ik or elements
  // u_kj may be moved by. The multipliers' own 1 is among the elements of L.
  void see(Verdict& v, std::int64_t i, std::int64_t j) const {
    const bool huge = !std::isfinite(r.g.at()(i, j));
    const Residual<T>& q = huge ? low : r;
    const std::int64_t k = f.l.columns;
    const double pivot = j < i && j < k ? magnitude_of(f.u.at()(j, j)) : 0;
    const double eta = (static_cast<double>(k) + pivot) * type.min_subnormal;
    const double want = static_cast<double>(f.a.at()(i, j)), got = want + static_cast<double>(r.r.at()(i, j));
    const double unit = std::min(least_of_row(f.l, i), least_of_column(f.u, j));
    v.see(magnitude_of(q.r.at()(i, j)), relative * q.g.at()(i, j) + (huge ? eta * 0x1p-64 : eta), i * f.a.columns + j,
          want, got, 0, std::isfinite(unit) ? huge ? unit * 0x1p-64 : unit : 1);
  }
};

// |P A - L U| <= gamma_h |L| |U| elementwise, h the depth of min(m, n) terms: Higham 2002, Theorem 9.3. What underflows
// adds eta for each term, and once more times the pivot that a quotient was divided by. And, as LAPACK's tests do,
// ||P A - L U||_1 <= 30 n u ||A||_1, which a bad choice of pivots fails.
template <class T>
void judge_product(Verdict& v, const Factors<T>& f, const Product<T>& p) {
  const std::int64_t k = f.l.columns, n = f.u.columns;
  for (std::int64_t i = 0; i < f.a.rows; ++i)
    for (std::int64_t j = 0; j < n; ++j) p.see(v, i, j);
  const bool huge = !std::isfinite(norm1(f.a)) || !std::isfinite(norm1(p.r.r));
  const double a = norm1(huge ? down(f.a) : f.a);
  const double eta = static_cast<double>(f.a.rows * (k + 1)) * p.type.min_subnormal * (huge ? a : 1 + a);
  v.norm(norm1(huge ? p.low.r : p.r.r),
         kLapackRatio * static_cast<double>(std::max(k, n)) * p.type.unit_roundoff() * a + eta,
         huge ? 0x1p-64 * least_telling(f.u) : least_telling(f.u));
}

// Of what is not finite: every element that is no number for certain must be none, a multiplier of an infinite pivot is
// 0, and every other element is judged by the sum that defines it.
template <class T>
void judge_numbers(Verdict& v, const Factors<T>& f, const Product<T>& p, double reach, const std::string& where) {
  using std::isfinite;
  const Square<double> want = numbers(f);
  const std::int64_t k = f.l.columns;
  for (std::int64_t i = 0; i < f.a.rows; ++i)
    for (std::int64_t j = 0; j < f.a.columns; ++j) {
      const bool multiplier = j < i && j < k, none = !isfinite(want.at()(i, j));
      const T got = multiplier ? f.l.at()(i, j) : f.u.at()(i, j);
      if (none) {
        if (isfinite(got)) v.fail("finite where A is not" + where);
      } else if (!isfinite(got)) {
        if (reach >= p.type.max / 4) ++v.worst.unbounded;
        else v.fail("not finite" + where);
      } else if (!multiplier || isfinite(want.at()(j, j))) p.see(v, i, j);
      else if (got != T(0)) v.fail("a multiplier of an infinite pivot is not 0" + where);
    }
}

// No multiplier is above 1 but for the rounding of its quotient; the other triangles are as their names say.
template <class T>
std::string malformed(const Factors<T>& f, double u) {
  for (std::int64_t i = 0; i < f.l.rows; ++i)
    for (std::int64_t j = 0; j < f.l.columns; ++j) {
      const T x = f.l.at()(i, j);
      if (i == j && !(x == T(1))) return "the diagonal of L is not 1";
      if (i < j && !(x == T(0))) return "L is not lower";
      if (magnitude_of(x) > 1 + 4 * u) return "a multiplier is above 1";
    }
  for (std::int64_t i = 0; i < f.u.rows; ++i)
    for (std::int64_t j = 0; j < i && j < f.u.columns; ++j)
      if (!(f.u.at()(i, j) == T(0))) return "U is not upper";
  return "";
}

// Whether a NaN reaches L: from its column on down, and to all rows below where it stands among the pivots.
template <class T>
bool nan_in_multipliers(const Square<T>& a) {
  for (std::int64_t j = 0; j < a.columns && j + 1 < a.rows; ++j)
    for (std::int64_t i = 0; i < a.rows; ++i)
      if (const double m = magnitude_of(a.at()(i, j)); std::isnan(m)) return true;
  return false;
}

template <class T>
void judge_factors(Verdict& v, Factors<T> f, const Order& order, const DtypeInfo& type, double wide, std::int64_t t) {
  Square<T> both(f.l.rows + f.u.rows, 0);
  both.data = f.l.data;
  both.data.insert(both.data.end(), f.u.data.begin(), f.u.data.end());
  const std::string wrong = malformed(f, type.unit_roundoff()), where = in_matrix(t);
  if (!wrong.empty()) return v.fail(wrong + where);
  const std::int64_t k = f.l.columns;
  const double relative = sums(order, k, type) + gamma(static_cast<double>(k) + 2, wide);
  const Product<T> p{f, relative, type, defining(f), defining_down(f)};
  // Each step may double the largest element.
  const double reach = std::ldexp(greatest_number(f.a), static_cast<int>(std::min<std::int64_t>(k, 2000)));
  if (any_nan(f.a) && !any_nan(both)) v.fail("NaN is lost" + where);
  if (nan_in_multipliers(f.a) && !any_nan(f.l)) v.fail("NaN is lost from L" + where);
  if (!all_finite(f.a)) judge_numbers(v, f, p, reach, where);
  else if (judged(v, false, true, both, reach, type, where)) judge_product(v, f, p);
}

// Row i of the result is row order[i] of s; false if that is no permutation.
template <class T>
bool permuted(Square<T>& s, const std::vector<std::int64_t>& order) {
  std::vector<bool> seen(order.size(), false);
  const Square<T> from = s;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::int64_t row = order[i];
    if (row < 0 || row >= s.rows || seen[static_cast<std::size_t>(row)]) return false;
    seen[static_cast<std::size_t>(row)] = true;
    std::copy_n(from.data.begin() + row * s.columns, s.columns,
                s.data.begin() + static_cast<std::int64_t>(i) * s.columns);
  }
  return true;
}

template <class T>
Deviation judge_lu(const Call& c, const Array<T>& a, const std::vector<Tensor>& got, const Order& order) {
  Verdict v;
  const Integers p = as_integers(widen(got[0]));
  const Wide lw = widen(got[1]), uw = widen(got[2]);
  const auto &l = std::get<Array<T>>(lw), &u = std::get<Array<T>>(uw);
  const std::int64_t m = rows_of(a.shape), n = columns_of(a.shape), k = std::min(m, n);
  for (std::int64_t t = 0; t < matrices_of(a.shape) && !v.failed(); ++t) {
    Factors<T> f{copy_of(a, t, m, n), copy_of(l, t, m, k), copy_of(u, t, k, n)};
    std::vector<std::int64_t> to(static_cast<std::size_t>(m), -1);  // A's row i is L's row p_i
    for (std::int64_t i = 0; i < m; ++i)
      if (const std::int64_t row = p[t * m + i]; row >= 0 && row < m) to[static_cast<std::size_t>(row)] = i;
    if (!permuted(f.a, to)) v.fail("p is no permutation" + in_matrix(t));
    else judge_factors(v, std::move(f), order, info(c.dtype(0)), roundoff_of(a), t);
  }
  v.worst.compared = elements_of(got);
  return v.worst;
}

template <class T>
Deviation judge_packed(const Call& c, const Array<T>& a, const std::vector<Tensor>& got, const Order& order) {
  Verdict v;
  const Wide packed = widen(got[0]);
  const Integers pivots = as_integers(widen(got[1]));
  const std::int64_t m = rows_of(a.shape), n = columns_of(a.shape), k = std::min(m, n);
  for (std::int64_t t = 0; t < matrices_of(a.shape) && !v.failed(); ++t) {
    const Square<T> s = copy_of(std::get<Array<T>>(packed), t, m, n);
    Factors<T> f{copy_of(a, t, m, n), Square<T>(m, k), Square<T>(k, n)};
    for (std::int64_t i = 0; i < m; ++i)
      for (std::int64_t j = 0; j < n; ++j)
        if (j < i && j < k) f.l.at()(i, j) = s.at()(i, j);
        else if (i < k) f.u.at()(i, j) = s.at()(i, j);
    for (std::int64_t j = 0; j < k; ++j) {
      f.l.at()(j, j) = T(1);
      const std::int64_t to = pivots[t * k + j];
      if (to < j || to >= m) v.fail("row " + std::to_string(j) + " changes places with one above" + in_matrix(t));
      else exchange(j, to, f.a);
    }
    if (!v.failed()) judge_factors(v, std::move(f), order, info(c.dtype(0)), roundoff_of(a), t);
  }
  v.worst.compared = elements_of(got);
  return v.worst;
}

Deviation rebuilds(const Call& c, const std::vector<Tensor>& got, const Order& order) {
  return with_reals(c[0], [&](const auto& a) { return judge_lu(c, a, got, order); });
}
Deviation rebuilds_packed(const Call& c, const std::vector<Tensor>& got, const Order& order) {
  return with_reals(c[0], [&](const auto& a) { return judge_packed(c, a, got, order); });
}

// ---- Cases ----

constexpr const char* kCases = R"(
  call   {t}.{s}.{l}.{x}/-
  from   t={f32,f64} l=row x=uniform s={m}x{n}
  # LA02: nothing along either axis, and an empty batch
  smoke  t=f32 s={0x0,0x3,3x0,2x0x0,0x3x3,2x0x4}
  # rectangular both ways, around the widths of vectors
  smoke  m,n={1 1, 2 3, 3 2, 5 5, 7 4, 4 9, 10 10, 17 16}
  # p told apart from its inverse: one cycle through all rows; ties, and rank one (LA03, LA04)
  smoke  s={n=3,4,5}x{n} x={cycle,cycle-2}
  smoke  s=4x5x5 x={int-2,const-1}
  smoke  t=f32 s={3x6x6,40x7} x=special
  # B01, B04: around the extents of panels, tiles and blocks (8, 32, 64), never two equal
  smoke  t=f32 m,n={33 35, 66 70} x=uniform
  ci     t,m,n={f64 31 33, f32 33 31, f64 63 65, f32 65 63, f32 64 128, f32 128 64, f32 129 97, f64 40 1, f32 1 40,
         f32 97 200}
  ci     t=f32 m,n={70 70, 131 131} x={cycle,spectrum-1000,scaled--90,scaled-90}
  ci     t=f64 m=66 n=66 x={cycle,spectrum-1000}
  ci     t=f64 m=20 n=20 x={scaled--900,scaled-900,hilbert}
  # LA07, B02, B32: batches on both sides of the vectors' width
  ci     batch={1,2,4,7,8,9,15,16,17,33} n={1,3,6,11,32} s={batch}x{n}x{n} t={batch%2?'f32':'f64'}
  ci     t,s={f64 2x3x13x9, f32 11x40x40, f64 5x9x13} x={uniform,int-3}
  ci     t,s={f64 3x14x11, f32 2x40x37} l={@layouts}
  ci     t=f32 m,n={200 260, 257 257} x={uniform,zero_column-100}
  nightly t,m,n={f32 1025 1025, f32 4097 33, f64 389 400}
)";

constexpr const char* kBench = R"(
  call   {t}.{s}.row.uniform/-
  from   t=f32
  ci     s={128x128,512x512,1024x1024}
  nightly s=2048x2048
  ci     s={4096x3x3,4096x8x8,4096x16x16,512x32x32}
  ci     t=f64 s=512x512
)";

// sum over j of (m - j - 1) (1 + 2 (n - j - 1)).
Cost lu_cost(const Call& c) {
  const Shape& s = c.shape(0);
  const auto m = static_cast<double>(rows_of(s)), n = static_cast<double>(columns_of(s)), k = std::min(m, n);
  const double flops = k * (2 * m * n - (m + n) * k + 2 * k * k / 3);
  return {static_cast<double>(matrices_of(s)) * flops, input_bytes(c) + output_bytes(c)};
}

}  // namespace

std::vector<Op> lu_ops() {
  Op op{.name = "lu",
        .signature = "a T[*B,M,N] -> p u32[*B,M], l T[*B,M,K], u T[*B,K,N]",
        .types = "T: f32 f64",
        .attrs = {},
        .equation = "A = L[p, :] U, K = min(M, N), L unit lower, |L| <= 1, U upper",
        .meaning =
            "p takes the rows of L to those of A: the inverse of the permutation that is applied to A. A zero "
            "pivot stays in U, without an error; the first of equal magnitudes is the pivot, and none is made "
            "of a NaN below the diagonal. What has no rows or no columns gives the empty result",
        .infer = infer_lu,
        .oracle = lu,
        .cases = kCases,
        .fills = solve_fills,
        .bench = kBench,
        .cost = lu_cost,
        .tolerance = {.kind = Tolerance::Class::residual, .residual = rebuilds}};
  Op packed = op;
  packed.name = "lu_factor";
  packed.signature = "a T[*B,M,N] -> lu T[*B,M,N], pivots u32[*B,K]";
  packed.equation =
      "L U = P A, L below the diagonal of lu and U from there on; for j = 0, 1, .. row j changed places "
      "with row pivots_j >= j";
  packed.meaning = "pivots count from 0; a zero pivot stays in U, without an error";
  packed.fills = nullptr;
  packed.oracle = lu_factor;
  packed.tolerance.residual = rebuilds_packed;
  return {op, packed};
}

}  // namespace plumb
