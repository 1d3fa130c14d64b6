// A = Q R by reflections. A result is judged by how well it rebuilds the matrix, and by Q^T Q.
#include "core/op.h"
#include "reference/linalg/orthogonal/matrix_fills.h"
#include "reference/linalg/orthogonal/ratios.h"

namespace plumb {
namespace {

using namespace reference;

std::vector<Spec> infer(const Request& r) { return r.outputs({{'K', std::min(r.size('M'), r.size('N'))}}); }

// H_k = I - tau v v^T with v_k = 1, v_i = x_i / (x_k - b) for i > k, b = -sign(x_k) ||x_k..||, tau = (b - x_k) / b,
// where x is column k; H_k = I if x_i = 0 for all i > k. R = H_(K-1) .. H_0 A.
template <class T>
T reflector(Dense<T>& a, std::int64_t k) {
  using std::sqrt;
  T squares(0.0);
  for (std::int64_t i = k + 1; i < a.rows; ++i) squares += a(i, k) * a(i, k);
  if (squares == T(0.0)) {
    for (std::int64_t i = k + 1; i < a.rows; ++i) a(i, k) = T(0.0);
    return T(0.0);
  }
  const T x = a(k, k), norm = sqrt(squares + x * x), b = std::signbit(static_cast<double>(x)) ? norm : -norm;
  for (std::int64_t i = k + 1; i < a.rows; ++i) a(i, k) = a(i, k) / (x - b);
  a(k, k) = b;
  return (b - x) / b;
}

// Columns [from, end) of c become H_k c; v lies below the diagonal of a.
template <class T>
void apply(const Dense<T>& a, std::int64_t k, T tau, Dense<T>& c, std::int64_t from) {
  for (std::int64_t j = from; j < c.columns; ++j) {
    T s = c(k, j);
    for (std::int64_t i = k + 1; i < a.rows; ++i) s += a(i, k) * c(i, j);
    c(k, j) -= tau * s;
    for (std::int64_t i = k + 1; i < a.rows; ++i) c(i, j) -= tau * s * a(i, k);
  }
}

template <class T>
struct Factors {
  Dense<T> q, r;
};

// Powers of 2 taken out of the columns come back into those of R: Q does not see them.
template <class T>
std::vector<int> take_exponents(Dense<T>& a) {
  std::vector<int> exponents;
  for (std::int64_t j = 0; j < a.columns; ++j) {
    std::vector<T> column;
    for (std::int64_t i = 0; i < a.rows; ++i) column.push_back(a(i, j));
    exponents.push_back(exponent(column));
    for (std::int64_t i = 0; i < a.rows; ++i) a(i, j) = times_power(a(i, j), -exponents.back());
  }
  return exponents;
}

template <class T>
Factors<T> factor(Dense<T> a) {
  const std::int64_t size = std::min(a.rows, a.columns);
  Factors<T> f{Dense<T>(a.rows, size), Dense<T>(size, a.columns)};
  const bool defined = all_finite(a);
  const std::vector<int> exponents = take_exponents(a);
  std::vector<T> tau;
  for (std::int64_t k = 0; k < size; ++k) {
    tau.push_back(reflector(a, k));
    apply(a, k, tau.back(), a, k + 1);
  }
  for (std::int64_t k = size - 1; k >= 0; --k) {
    f.q(k, k) = T(1.0);
    apply(a, k, tau[static_cast<std::size_t>(k)], f.q, k);
  }
  for (std::int64_t i = 0; i < size; ++i)
    for (std::int64_t j = i; j < a.columns; ++j)
      f.r(i, j) = defined ? times_power(a(i, j), exponents[static_cast<std::size_t>(j)]) : T(NAN);
  if (!defined) std::fill(f.q.data.begin(), f.q.data.end(), T(NAN));
  return f;
}

template <class T>
std::vector<Wide> factor_all(const Call& c, const Array<T>& a) {
  const std::vector<Spec> specs = output_specs(c);
  Array<T> q(specs[0].shape), r(specs[1].shape);
  for (std::int64_t m = 0; m < matrices(a.shape); ++m) {
    const Factors<T> f = factor(matrix(a, m));
    put(q, m, f.q.data);
    put(r, m, f.r.data);
  }
  return {q, r};
}

std::vector<Wide> qr(const Call& c) {
  const Wide a = widen(c[0]);
  if (const Reals* x = std::get_if<Reals>(&a)) return factor_all(c, *x);
  return factor_all(c, std::get<Reals2>(a));
}

// ---- The judge ----

// An infinite or undefined element of A leaves nothing defined, but the zeros of R.
template <class T>
void judge_undefined(Ratios& ratios, const Dense<T>& q, const Dense<T>& r) {
  for (const T& x : q.data)
    if (!std::isnan(static_cast<double>(x))) ratios.refuse(0, "a number where NaN belongs");
  for (std::int64_t i = 0; i < r.rows; ++i)
    for (std::int64_t j = i; j < r.columns; ++j)
      if (!std::isnan(static_cast<double>(r(i, j)))) ratios.refuse(1, "a number where NaN belongs");
}

// Of a matrix that is upper trapezoidal already every reflector is I, so Q and R are exact.
template <class T>
void judge_trapezoid(Ratios& ratios, const Dense<T>& a, const Dense<T>& q, const Dense<T>& r) {
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j < std::min(i, a.columns); ++j)
      if (!(a(i, j) == T(0.0))) return;
  for (std::int64_t i = 0; i < q.rows; ++i)
    for (std::int64_t j = 0; j < q.columns; ++j)
      if (!(q(i, j) == T(i == j ? 1.0 : 0.0))) ratios.refuse(0, "Q is not I for an upper trapezoidal matrix");
  for (std::int64_t i = 0; i < r.rows; ++i)
    for (std::int64_t j = i; j < r.columns; ++j)
      if (!(r(i, j) == a(i, j))) ratios.refuse(1, "R is not an upper trapezoidal matrix that was given");
}

// The sign of r_00 is opposite to that of a_00, of -0 too, where anything lies below it.
template <class T>
void judge_sign(Ratios& ratios, const Dense<T>& a, const Dense<T>& r) {
  double tail = 0;
  for (std::int64_t i = 1; i < a.rows; ++i) tail = std::max(tail, magnitude(a(i, 0)));
  const double x = static_cast<double>(a(0, 0)), below = std::ldexp(std::abs(x), -50);
  if (tail > below && std::signbit(static_cast<double>(r(0, 0))) == std::signbit(x))
    ratios.refuse(1, "the first diagonal element has the sign of A's");
}

// Whether an infinite r_kj may stand: |r_kj| <= ||a_j||_2, which passes the largest number 2^-e max.
template <class T>
bool may_overflow(const Dense<T>& a, std::int64_t j, int e, const DtypeInfo& type) {
  double squares = 0;
  for (std::int64_t i = 0; i < a.rows; ++i) {
    const double x = magnitude(times_power(a(i, j), -e));
    squares += x * x;
  }
  const double strays = kLapackRatio * static_cast<double>(a.rows) * type.unit_roundoff();
  return std::sqrt(squares) * (1 + strays) >= std::ldexp(type.max, -e);
}

// Column by column, ||A - Q R||_1 <= 30 m u ||A||_1: reflections are stable for each column by itself
// (Higham 2002, Theorem 19.4), and m eta for elements that lie below the normal numbers. All of it times 2^-e. As
// ||Q d||_1 >= ||Q d||_2 = ||d||_2, no element of r_j may stray by more than the whole column.
template <class T>
void judge_column(Ratios& ratios, const Dense<T>& a, const Dense<T>& q, const Dense<T>& r, std::int64_t j,
                  const DtypeInfo& type) {
  std::vector<T> column, solved;
  for (std::int64_t i = 0; i < a.rows; ++i) column.push_back(a(i, j));
  const int e = exponent(column);
  for (std::int64_t k = 0; k < std::min(j + 1, r.rows); ++k) {
    solved.push_back(times_power(r(k, j), -e));
    if (!finite(r(k, j))) return may_overflow(a, j, e, type) ? void() : ratios.refuse(1, "not finite");
  }
  double error = 0, sum = 0;
  for (std::int64_t i = 0; i < a.rows; ++i) {
    T s = times_power(column[static_cast<std::size_t>(i)], -e);
    sum += magnitude(s);
    for (std::size_t k = 0; k < solved.size(); ++k) s -= q(i, static_cast<std::int64_t>(k)) * solved[k];
    error += magnitude(s);
  }
  const double m = static_cast<double>(a.rows), eta = std::ldexp(type.min_subnormal, -e);
  ratios.judge(1, error, kLapackRatio * m * (type.unit_roundoff() * sum + eta), e);
}

template <class T>
void judge_matrix(Ratios& ratios, const Dense<T>& a, const Dense<T>& q, const Dense<T>& r, const DtypeInfo& type) {
  for (std::int64_t i = 0; i < r.rows; ++i)
    for (std::int64_t j = 0; j < std::min(i, r.columns); ++j)
      if (!(r(i, j) == T(0.0))) ratios.refuse(1, "not zero below the diagonal");
  if (!all_finite(a)) return judge_undefined(ratios, q, r);
  if (!all_finite(q)) return ratios.refuse(0, "not finite");
  if (r.rows > 0) judge_sign(ratios, a, r);
  judge_trapezoid(ratios, a, q, r);
  judge_orthonormal(ratios, 0, q, type.unit_roundoff());
  for (std::int64_t j = 0; j < a.columns; ++j) judge_column(ratios, a, q, r, j, type);
}

template <class T>
Deviation judge_all(const Array<T>& a, const Array<T>& q, const Array<T>& r, const DtypeInfo& type) {
  Ratios ratios;
  for (std::int64_t m = 0; m < matrices(a.shape) && !ratios.done(); ++m)
    judge_matrix(ratios, matrix(a, m), matrix(q, m), matrix(r, m), type);
  ratios.worst.compared = q.size() + r.size();
  return ratios.worst;
}

Deviation rebuilds(const Call& c, const std::vector<Tensor>& got, const Order&) {
  const Wide a = widen(c[0]), q = widen(got.at(0)), r = widen(got.at(1));
  const DtypeInfo& type = info(c.dtype(0));
  if (const Reals* x = std::get_if<Reals>(&a)) return judge_all(*x, std::get<Reals>(q), std::get<Reals>(r), type);
  return judge_all(std::get<Reals2>(a), std::get<Reals2>(q), std::get<Reals2>(r), type);
}

// ---- Cases ----

constexpr const char* kCases = R"(
  call   {t}.{s}.{l}.{x}/-
  from   t={f32,f64} l=row x=uniform
  smoke  s={0x0,5x0,0x3,2x0x3,0x3x2}                  # LA02: no elements
  smoke  s={1x1,2x2,3x5,5x3,8x8,1x7,7x1}
  smoke  t=f32 s=6x{4x3,3x4} x={uniform,special-40}   # NaN in some of a batch, the others do not see it
  smoke  t=f32 s={33x17,17x33,18x3x2}
  smoke  s=2x{5x4,4x5} x=trapezoid                    # Q is I
  # B32: clusters, deficient, graded, Hilbert, the ends of the range
  ci     s={13x9,9x13} x={twins,deficient-3,deficient-0,hilbert,graded-60,singular-1e12,const-1}
  ci     t=f32 s=6x5 x={magnified-120,magnified--130,graded-120}
  ci     t=f64 s=6x5 x={magnified-1015,magnified--1030,graded-1000}
  ci     s=12x12 x={pow2-30,special-150,int-3,const--2}
  # B01: around vectors, panels and tiles, extents apart
  ci     s={31,32,33,34}x{15~,33} if={t=='f32'}
  ci     s={16x35,35x16,49x64,64x49,65x66,97x70,100x1,1x100}
  # B32: batch = loop
  ci     s={3,4,7,9,16,17,33,70}x{5x3,3x5,6x6} t=f32
  ci     s={3,4,5,8,9}x7x6 t=f64
  ci     s=2x3x{9x8,34x9}
  ci     s=3x{14x11,40x37} l={@layouts} t=f32
  ci     s=130x129 t=f32
  nightly t,s={f32 {600x513,513x600}, f64 300x257}
)";

constexpr const char* kRejects = R"(
  call   {t}.{s}.row.uniform/-
  dtype  t={f16,i32,c64} s=3x3  # no conversion is made for the caller
)";

constexpr const char* kBench = R"(
  call   {t}.{s}.row.uniform/-
  from   t=f32
  ci     s={128x128,4096x16x16,4096x4x4}
  ci     t=f64 s=128x128
  nightly t,s={f32 {512x512,1024x1024}, f64 512x512}    # the oracle and the residual take longer than all else
)";

// 2 n^2 (m - n/3) multiplications and additions for R, as many again for Q; n the smaller extent.
Cost qr_cost(const Call& c) {
  const Shape& s = c.shape(0);
  const double m = static_cast<double>(std::max(s[s.size() - 2], s.back())),
               n = static_cast<double>(std::min(s[s.size() - 2], s.back()));
  return {static_cast<double>(matrices(s)) * 4 * n * n * (m - n / 3), input_bytes(c) + output_bytes(c)};
}

}  // namespace

std::vector<Op> qr_ops() {
  Op op;
  op.name = "qr";
  op.signature = "a T[*B,M,N] -> q T[*B,M,K], r T[*B,K,N]";
  op.types = "T: f32 f64";
  op.equation = "Q R = A, Q^T Q = I, R upper trapezoidal, K = min(M, N)";
  op.meaning =
      "by reflections as LAPACK's: r_kk has the sign opposite to what it replaces, of a zero too, and keeps its value "
      "where "
      "nothing lies below it, so that an upper trapezoidal A gives I and A; Q and R of a matrix with an element that "
      "is "
      "not finite are NaN";
  op.infer = infer;
  op.oracle = qr;
  op.cases = kCases;
  op.fills = orthogonal_fills;
  op.rejects = kRejects;
  op.bench = kBench;
  op.cost = qr_cost;
  op.tolerance.kind = Tolerance::Class::residual;
  op.tolerance.residual = rebuilds;
  return {op};
}

}  // namespace plumb
