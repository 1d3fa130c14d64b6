// Singular values, with and without their vectors, and the pseudo-inverse, by rotations of rows.
#include <limits>

#include "core/op.h"
#include "reference/linalg/orthogonal/jacobi.h"
#include "reference/linalg/orthogonal/ratios.h"

namespace plumb {
namespace {

using namespace reference;

// Of the numbers that a complex element consists of.
const DtypeInfo& parts(const Request& r) { return info(r.dtype(0) == Dtype::f64 ? Dtype::f64 : Dtype::f32); }

std::int64_t fewer(const Request& r) { return std::min(r.size('M'), r.size('N')); }

std::vector<Spec> infer(const Request& r) { return r.outputs({{'K', fewer(r)}}); }

template <class T>
Decomposition<T> decompose(const Call& c, const Array<T>& a, std::int64_t m) {
  const Dense<T> x = matrix(a, m);
  if (!all_finite(x)) c.fail(Reason::domain, "matrix " + std::to_string(m) + " has an element that is not finite");
  Decomposition<T> d = reference::decompose(x);
  if (!d.rows.converged)
    c.fail(Reason::domain,
           "matrix " + std::to_string(m) + " has not converged in " + std::to_string(kSweeps) + " sweeps");
  return d;
}

// v_c = what is left of the unit vector e_i without its part along v_0 .. v_(c-1), twice; i where most is left.
template <class T>
void complete(Dense<T>& v, std::int64_t c) {
  using std::sqrt;
  std::int64_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::int64_t i = 0; i < v.columns; ++i) {
    double along = 0;
    for (std::int64_t k = 0; k < c; ++k) along += static_cast<double>(real(product(v(k, i), v(k, i))));
    if (along < least) least = along, best = i;
  }
  v(c, best) = T(1.0);
  for (int pass = 0; pass < 2; ++pass) {
    for (std::int64_t k = 0; k < c; ++k) {
      const T h = inner(v, c, k);
      for (std::int64_t i = 0; i < v.columns; ++i) v(c, i) -= h * v(k, i);
    }
  }
  const auto norm = sqrt(real(inner(v, c, c)));
  for (std::int64_t i = 0; i < v.columns; ++i) v(c, i) = v(c, i) / T(norm);
}

// The rows of W over their norms, and rows that complete them: l x l.
template <class T>
Dense<T> unit_rows(const Rotated<T>& x) {
  const std::int64_t k = x.w.rows, l = x.w.columns;
  Dense<T> v(l, l);
  for (std::int64_t r = 0; r < l; ++r) {
    const bool null = r >= k || static_cast<double>(x.norms[static_cast<std::size_t>(r)]) < std::sqrt(kNull);
    if (null) complete(v, r);
    for (std::int64_t i = 0; i < l && !null; ++i) v(r, i) = x.w(r, i) / T(x.norms[static_cast<std::size_t>(r)]);
  }
  return v;
}

// J A = W = S V: A = J^H S V, or A = V^H S J where J works on A^H.
template <class T>
std::vector<Wide> svd_all(const Call& c, const Array<T>& a) {
  const std::vector<Spec> specs = output_specs(c);
  Array<T> u(specs[0].shape), vt(specs[2].shape);
  Array<RealOf<T>> s(specs[1].shape);
  for (std::int64_t m = 0; m < matrices(a.shape); ++m) {
    const Decomposition<T> d = decompose(c, a, m);
    const Dense<T> v = unit_rows(d.rows);
    put(u, m, transposed_conjugate(d.tall ? v : d.rows.j).data);
    put(vt, m, d.tall ? d.rows.j.data : v.data);
    std::vector<RealOf<T>> norms;
    for (const auto& x : d.rows.norms) norms.push_back(times_power(x, d.exponent));
    put(s, m, norms);
  }
  return {u, s, vt};
}

template <class T>
std::vector<Wide> values_all(const Call& c, const Array<T>& a) {
  Array<RealOf<T>> s(output_specs(c)[0].shape);
  for (std::int64_t m = 0; m < matrices(a.shape); ++m) {
    const Decomposition<T> d = decompose(c, a, m);
    std::vector<RealOf<T>> norms;
    for (const auto& x : d.rows.norms) norms.push_back(times_power(x, d.exponent));
    put(s, m, norms);
  }
  return {s};
}

// What upstream takes for 0, relative to the largest: 10 max(M, N) eps.
double cutoff(const Call& c) {
  return 10 * static_cast<double>(std::max(c.size('M'), c.size('N'))) * 2 * info(c.dtype(0)).unit_roundoff();
}

// A^+ = sum_k v_k u_k^H / s_k over s_k > cutoff s_0
template <class T>
std::vector<Wide> pinv_all(const Call& c, const Array<T>& a) {
  Array<T> x(output_specs(c)[0].shape);
  for (std::int64_t m = 0; m < matrices(a.shape); ++m) {
    const Decomposition<T> d = decompose(c, a, m);
    Dense<T> p(c.size('N'), c.size('M'));
    for (std::int64_t k = 0; k < d.rows.w.rows; ++k) {
      const T s = d.rows.norms[static_cast<std::size_t>(k)];
      if (!(s > T(cutoff(c)) * d.rows.norms[0])) continue;
      for (std::int64_t i = 0; i < p.rows; ++i)
        for (std::int64_t j = 0; j < p.columns; ++j)
          p(i, j) += (d.tall ? d.rows.j(k, i) * d.rows.w(k, j) : d.rows.w(k, i) * d.rows.j(k, j)) / s / s;
    }
    for (T& e : p.data) e = times_power(e, -d.exponent);
    put(x, m, p.data);
  }
  return {x};
}

template <class F>
auto visit_matrices(const Call& c, F&& f) {
  const Wide a = widen(c[0]);
  if (const Reals* x = std::get_if<Reals>(&a)) return f(*x);
  if (const Complexes* x = std::get_if<Complexes>(&a)) return f(*x);
  return f(std::get<Reals2>(a));
}

std::vector<Wide> svd(const Call& c) {
  return visit_matrices(c, [&](const auto& a) { return svd_all(c, a); });
}
std::vector<Wide> svdvals(const Call& c) {
  return visit_matrices(c, [&](const auto& a) { return values_all(c, a); });
}
std::vector<Wide> pinv(const Call& c) {
  const Wide a = widen(c[0]);
  if (const Reals* x = std::get_if<Reals>(&a)) return pinv_all(c, *x);
  return pinv_all(c, std::get<Reals2>(a));
}

// ---- The judge of U, S and V^H ----

template <class T>
void judge_values(Ratios& ratios, const std::vector<RealOf<T>>& s) {
  for (std::size_t k = 0; k < s.size(); ++k) {
    const double x = static_cast<double>(s[k]);
    if (std::isnan(x)) ratios.refuse(1, "not a number");
    if (x < 0) ratios.refuse(1, "negative");
    if (k > 0 && s[k] > s[k - 1]) ratios.refuse(1, "not in descending order");
  }
}

template <class T>
void judge_identity(Ratios& ratios, int output, const Dense<T>& x) {
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t j = 0; j < x.columns; ++j)
      if (!(x(i, j) == T(i == j ? 1.0 : 0.0))) ratios.refuse(output, "not I for a matrix without elements");
}

// u_k^H A v_k, what s_k has to be of these vectors.
template <class T>
T quotient(const Dense<T>& a, const Dense<T>& u, const Dense<T>& vt, std::int64_t k) {
  T sum(0.0);
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j < a.columns; ++j) sum += product(product(a(i, j), u(i, k)), vt(k, j));
  return T(real(sum));
}

// ||A - U S V^H||_1
template <class T>
double distance(const Dense<T>& a, const Dense<T>& u, const std::vector<T>& s, const Dense<T>& vt) {
  Dense<T> d = a;
  double most = 0;
  for (std::int64_t j = 0; j < a.columns; ++j) {
    for (std::int64_t i = 0; i < a.rows; ++i)
      for (std::size_t k = 0; k < s.size(); ++k)
        d(i, j) -= u(i, static_cast<std::int64_t>(k)) * s[k] * vt(static_cast<std::int64_t>(k), j);
    most = std::max(most, column_sum(d, j));
  }
  return most;
}

// ||A - U S V^H||_1 <= 30 max(M, N) u ||A||_1, all of it times 2^-e, and eta for values below the normal numbers.
// A share of sqrt(N): d of s_k alone is a matrix of ||d||_2 = |d| <= sqrt(N) ||d||_1, and d of an element of u_k or v_k
// brings no more than d ||A v_k||_1 <= d sqrt(N) ||A||_1; sqrt(2) more where parts of complex numbers are compared.
template <class T>
void judge_product(Ratios& ratios, const Dense<T>& own, const Dense<T>& u, const std::vector<RealOf<T>>& s,
                   const Dense<T>& vt, const DtypeInfo& type) {
  const int e = exponent(own.data);
  Dense<T> a = own;
  for (T& x : a.data) x = times_power(x, -e);
  double norm = 0;
  for (std::int64_t j = 0; j < a.columns; ++j) norm = std::max(norm, column_sum(a, j));
  const double size = static_cast<double>(std::max(a.rows, a.columns));
  const double allowed = kLapackRatio * size * (type.unit_roundoff() * norm + std::ldexp(type.min_subnormal, -e));
  const double share = std::sqrt((std::is_same_v<T, Complex> ? 2.0 : 1.0) * static_cast<double>(a.columns));
  std::vector<T> values;
  for (std::size_t k = 0; k < s.size(); ++k) {
    const bool finite = std::isfinite(static_cast<double>(s[k]));
    values.push_back(finite ? T(times_power(s[k], -e)) : quotient(a, u, vt, static_cast<std::int64_t>(k)));
    if (!finite && static_cast<double>(real(values[k])) + share * allowed < std::ldexp(type.max, -e))
      return ratios.refuse(1, "not finite");
  }
  ratios.judge_common(1, share * distance(a, u, values, vt), share * allowed, e, share);
}

template <class T>
void judge_matrix(Ratios& ratios, const Dense<T>& a, const Dense<T>& u, const std::vector<RealOf<T>>& s,
                  const Dense<T>& vt, const DtypeInfo& type) {
  if (s.empty()) judge_identity(ratios, 0, u), judge_identity(ratios, 2, vt);
  if (!all_finite(u)) ratios.refuse(0, "not finite");
  if (!all_finite(vt)) ratios.refuse(2, "not finite");
  judge_values<T>(ratios, s);
  if (ratios.done()) return;
  judge_orthonormal(ratios, 0, u, type.unit_roundoff());
  judge_orthonormal(ratios, 2, transposed_conjugate(vt), type.unit_roundoff());
  judge_product(ratios, a, u, s, vt, type);
}

template <class T>
Deviation judge_all(const Call& c, const Array<T>& a, const std::vector<Tensor>& got) {
  const Wide wide[] = {widen(got.at(0)), widen(got.at(1)), widen(got.at(2))};
  const auto& u = std::get<Array<T>>(wide[0]);
  const auto& s = std::get<Array<RealOf<T>>>(wide[1]);
  const auto& vt = std::get<Array<T>>(wide[2]);
  const auto k = static_cast<std::ptrdiff_t>(fewer(c));
  Ratios ratios;
  for (std::int64_t m = 0; m < matrices(a.shape) && !ratios.done(); ++m) {
    const std::vector<RealOf<T>> values(s.data.begin() + m * k, s.data.begin() + (m + 1) * k);
    Ratios own;
    judge_matrix(own, matrix(a, m), matrix(u, m), values, matrix(vt, m), parts(c));
    ratios.merge(own);
  }
  ratios.worst.compared = u.size() + s.size() + vt.size();
  return ratios.worst;
}

Deviation rebuilds(const Call& c, const std::vector<Tensor>& got, const Order&) {
  return visit_matrices(c, [&](const auto& a) { return judge_all(c, a, got); });
}

// ---- Bounds of values, and of the pseudo-inverse ----

double largest(const Call& c) { return static_cast<double>(std::max(c.size('M'), c.size('N'))); }

// |s - s_k| <= 30 max(M, N) u s_0: a route gives the exact values of a matrix that near (Weyl), rounded.
template <class T>
std::vector<Allowances> values_bound(const Call& c, const Array<T>& want) {
  const DtypeInfo& type = parts(c);
  Allowances allowed(want.shape);
  const std::int64_t k = std::max<std::int64_t>(1, fewer(c));
  for (std::int64_t i = 0; i < want.size(); ++i) {
    const double most = static_cast<double>(want[i / k * k]);
    allowed[i].error = kLapackRatio * largest(c) * type.unit_roundoff() * most + type.min_subnormal;
    allowed[i].overflow = most > type.max * (1 - kLapackRatio * largest(c) * type.unit_roundoff());
  }
  return {allowed};
}

std::vector<Allowances> values_near(const Call& c, const std::vector<Wide>& want, const Order&) {
  if (const Reals* s = std::get_if<Reals>(want.data())) return values_bound(c, *s);
  return values_bound(c, std::get<Reals2>(want[0]));
}

// What decides how far a pseudo-inverse may stray: the largest value, the least one above the cut-off, and how near to
// the cut-off one lies, as a share of it.
struct Spectrum {
  double most = 0, least = 0, margin = std::numeric_limits<double>::infinity();
};

Spectrum spectrum(const Call& c, Dense<double> a, int e) {
  for (double& x : a.data) x = std::ldexp(x, -e);
  const Rotated<double> d = reference::decompose(a).rows;
  Spectrum s;
  if (d.norms.empty()) return s;
  s.most = d.norms[0];
  for (const double x : d.norms) {
    if (x > cutoff(c) * s.most) s.least = x;
    s.margin = std::min(s.margin, std::abs(x / (cutoff(c) * s.most) - 1));
  }
  return s;
}

// A quarter of the cut-off: a route whose own errors came near it would divide by them.
constexpr double kNoise = 5;

// ||X - A^+||_2 <= (1 + sqrt 5) / 2 ||A^+|| ||X|| ||E||, ||E|| <= 5 max(M, N) u ||A||, while the rank is the same
// (Wedin 1973), ||X|| <= 2 ||A^+|| while ||A^+|| ||E|| <= 1/2. Nothing follows where a value lies so near to the
// cut-off that E may move it across.
template <class T>
std::vector<Allowances> inverse_bound(const Call& c, const Array<T>& a, const Shape& shape) {
  const DtypeInfo& type = info(c.dtype(0));
  Allowances allowed(shape);
  const double e = kNoise * largest(c) * type.unit_roundoff();
  for (std::int64_t m = 0; m < matrices(a.shape); ++m) {
    const Dense<T> own = matrix(a, m);
    Dense<double> x(own.rows, own.columns);
    for (std::size_t i = 0; i < x.data.size(); ++i) x.data[i] = static_cast<double>(own.data[i]);
    const int power = exponent(x.data);
    const Spectrum s = spectrum(c, x, power);
    const double inverse = s.least > 0 ? 1 / s.least : 0, size = static_cast<double>(x.data.size());
    double error = 1.62 * 2 * inverse * inverse * e * s.most;
    if (s.margin <= e / cutoff(c) || inverse * e * s.most > 0.5) error = std::numeric_limits<double>::infinity();
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(size); ++i) {
      allowed[m * static_cast<std::int64_t>(size) + i] = {std::ldexp(error, -power) + type.min_subnormal,
                                                          std::ldexp(inverse + error, -power) > type.max};
    }
  }
  return {allowed};
}

std::vector<Allowances> inverse_near(const Call& c, const std::vector<Wide>& want, const Order&) {
  const Wide a = widen(c[0]);
  if (const Reals* x = std::get_if<Reals>(&a)) return inverse_bound(c, *x, shape_of(want[0]));
  return inverse_bound(c, std::get<Reals2>(a), shape_of(want[0]));
}

// ---- Cases ----

constexpr const char* kCases = R"(
  call   {t}.{s}.{l}.{x}/-
  from   t={f32,f64,c64} l=row x=uniform
  smoke  s={0x0,0x3,3x0,2x0x3,0x2x3}                    # LA02: no elements
  smoke  s={1x1,2x2,3x5,5x3,1x6,6x1}
  smoke  s=18x3x2 t=f32
  smoke  s=4x3x2
  smoke  t=f32 s=9x9 x={uniform,int-3}
  smoke  t={f32,c64} s=4x4 x={const-0,const-1,const--2} # LA03, LA04: no value, one, repeated ones
  # B32: clusters, deficient, graded, Hilbert
  ci     s={9x7,7x9} x={twins,deficient-3,hilbert,graded-30,singular-1e12,pow2-20}
  # the ends of the range
  ci     t={f32,c64} s=6x5 x={magnified-120,magnified--130,graded-100}
  ci     t=f64 s=6x5 x={magnified-1015,magnified--1030,graded-900}
  ci     t={f32,c64} s={2x2,4x3x3} x=huge               # values beyond the largest number
  ci     t={f32,c64} s={16x17,17x16,33x20,20x33,40x40}
  ci     t=f64 s={17x16,12x23}
  # B32: batch = loop
  ci     t=f32 s={3,4,8,9,16,17,35}x{4x3,3x4} x=twins-10
  ci     t=f64 s={3,5,8,9}x{4x3,5x5}
  ci     t={f32,c64} s=2x3x{6x5,5x6} l={@layouts}
  ci     t=f32 s=70x66
  nightly t=f32 s={300x257,257x300}
)";

constexpr const char* kRejects = R"(
  call   {t}.{s}.row.{x}/-
  from   t=f32 s=3x4 x=uniform
  dtype  t={f16,i32}            # no conversion is made for the caller
  domain t={f32,f64} x={const-nan,const-inf} s={3x4,5x2,2x40x33}  # an element that is not finite
  domain t=f32 s=20x3x3 x=special-20    # one matrix of several
)";

constexpr const char* kInverse = R"(
  call   {t}.{s}.{l}.{x}/-
  from   t={f32,f64} l=row x=uniform
  smoke  s={0x0,0x3,3x0,2x0x3}                          # LA02: no elements
  smoke  s={1x1,2x2,3x5,5x3,1x6,6x1,4x3x2}
  smoke  t=f32 s=18x3x2
  smoke  s={3x3,4x2} x={const-0,const-1,deficient-1}    # LA03: nothing is divided by a value of 0
  ci     s={9x7,7x9} x={twins,deficient-3,singular-100,int-3}
  ci     t=f32 s=6x5 x={magnified-100,magnified--100}
  ci     t=f64 s=6x5 x={magnified-1000,magnified--1000}
  ci     s={16x17,17x16,20x33} x=singular-20
  ci     t=f32 s={3,4,9,17,35}x{4x3,3x4} x=twins-10     # B32: batch = loop
  ci     t=f32 s=2x3x{6x5,5x6} l={@layouts} x=singular-20
  ci     t=f32 s=70x66 x=singular-10
)";

constexpr const char* kInverseRejects = R"(
  call   {t}.{s}.row.{x}/-
  from   t=f32 s=3x4 x=uniform
  dtype  t={f16,i32,c64}        # no conversion is made for the caller
  domain t={f32,f64} x={const-nan,const-inf} s={3x4,5x2,40x33}  # an element that is not finite
)";

constexpr const char* kBench = R"(
  call   {t}.{s}.row.uniform/-
  from   t=f32
  ci     s={64x64,4096x8x8}
  ci     t=f64 s=32x32
  nightly t,s={f32 256x256, f64 128x128}    # the oracle takes longer than all else
)";

Op row(std::string_view name, Oracle oracle) {
  Op op;
  op.name = name;
  op.types = "T: f32 f64 c64; S = part(T)";
  op.oracle = oracle;
  op.cases = kCases;
  op.rejects = kRejects;
  op.bench = kBench;
  return op;
}

}  // namespace

std::vector<Op> svd_ops() {
  Op all = row("svd", svd);
  all.signature = "a T[*B,M,N] -> u T[*B,M,M], s S[*B,K], vt T[*B,N,N]";
  all.equation = "A = U diag(s) V^H, U^H U = I, V^H V = I, s_0 >= s_1 >= .. >= 0; vt is V^H";
  all.meaning =
      "the full factors: what completes them is any orthonormal basis, and I where A has no element; an element that "
      "is "
      "not finite is an error (MLX refuses NaN alone); a decomposition that has not converged in 60 sweeps too; "
      "compute_uv=False is the row svdvals";
  all.infer = infer;
  all.tolerance.kind = Tolerance::Class::residual;
  all.tolerance.residual = rebuilds;
  all.corpus_call = [](Attrs& a) {
    const Attr* vectors = a.find("compute_uv");
    const bool own = !vectors || vectors->none() || vectors->get<bool>() == nullptr || *vectors->get<bool>();
    a.set("compute_uv", kNone);
    return own;
  };
  Op values = row("svdvals", svdvals);
  values.signature = "a T[*B,M,N] -> s S[*B,K]";
  values.equation = "the singular values of A, s_0 >= s_1 >= .. >= 0";
  values.meaning = "MLX's svd without vectors, compute_uv=False; refuses what svd refuses";
  values.infer = infer;
  values.tolerance.kind = Tolerance::Class::inherited;
  values.tolerance.bound = values_near;
  values.corpus = "svd";
  values.corpus_call = [](Attrs& a) {
    const Attr* vectors = a.find("compute_uv");
    const bool own = vectors && vectors->get<bool>() && !*vectors->get<bool>();
    a.set("compute_uv", kNone);
    return own;
  };
  Op inverse = row("pinv", pinv);
  inverse.signature = "a T[*B,M,N] -> pinv T[*B,N,M]";
  inverse.types = "T: f32 f64";
  inverse.equation = "A^+ = sum of v_k u_k^T / s_k over s_k > 10 max(M, N) eps s_0, eps = 2 u";
  inverse.meaning =
      "values at or below the cut-off count as 0, so that 0 gives 0; an element that is not finite is an error";
  inverse.cases = kInverse;
  inverse.rejects = kInverseRejects;
  inverse.tolerance.kind = Tolerance::Class::inherited;
  inverse.tolerance.bound = inverse_near;
  return {all, values, inverse};
}

}  // namespace plumb
