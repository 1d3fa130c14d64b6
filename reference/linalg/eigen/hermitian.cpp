// Eigenvalues and eigenvectors of symmetric and Hermitian matrices.
#include <algorithm>
#include <numeric>

#include "reference/linalg/eigen/judge.h"
#include "reference/linalg/eigen/scalar.h"
#include "reference/linalg/eigen/spectra.h"

namespace plumb {
namespace {

using namespace reference;

constexpr int kSweeps = 60;  // convergence is quadratic: a dozen are many

bool upper(const Request& r) { return r.text("uplo") == "U"; }

std::vector<Spec> infer(const Request& r) {
  if (r.text("uplo") != "L" && r.text("uplo") != "U")
    r.fail(Reason::attribute, "uplo " + r.text("uplo") + ": not L or U");
  return r.outputs();
}

template <class T>
struct Pairs {
  std::vector<T> w;   // ascending
  NumberMatrix<T> v;  // column i belongs to w_i
};

// Turns a_pq to 0: z = (a_qq - a_pp) / 2|a_pq|, t = sign(z) / (|z| + sqrt(1 + z^2)), c = 1 / sqrt(1 + t^2), s = c t,
// f = conj(a_pq / |a_pq|); columns p and q of A and V become c x - s f y and s x + c f y, rows of A those of conj(f).
template <class T>
bool rotate(NumberMatrix<T>& a, NumberMatrix<T>& v, std::int64_t p, std::int64_t q, double tiny) {
  using std::sqrt;
  const T size = modulus(a(p, q));
  if (leading(size) <= tiny) return false;
  const T z = (a(q, q).re - a(p, p).re) / (T(2) * size);
  const T t = (z < T(0) ? T(-1) : T(1)) / (magnitude(z) + sqrt(T(1) + z * z)), c = T(1) / sqrt(T(1) + t * t);
  const Number<T> f{a(p, q).re / size, -a(p, q).im / size};
  const auto turn = [&](Number<T>& x, Number<T>& y, Number<T> by) {
    const Number<T> u = x, w = by * y;
    x = times(c, u) - times(c * t, w);
    y = times(c * t, u) + times(c, w);
  };
  for (std::int64_t k = 0; k < a.n; ++k) turn(a(k, p), a(k, q), f), turn(v(k, p), v(k, q), f);
  for (std::int64_t k = 0; k < a.n; ++k) turn(a(p, k), a(q, k), conjugate(f));
  a(p, q) = a(q, p) = {};
  a(p, p).im = a(q, q).im = T(0);
  return true;
}

// V^H A V = diag(w) by cyclic Jacobi rotations.
template <class T>
Pairs<T> eigenpairs(const Call& c, NumberMatrix<T> a, std::int64_t m) {
  const std::int64_t n = a.n;
  if (!finite(a)) c.fail(Reason::domain, "matrix " + std::to_string(m) + " holds a value that is not finite");
  const int e = exponent(a);
  scale(a, -e);
  NumberMatrix<T> v(n);
  for (std::int64_t i = 0; i < n; ++i) v(i, i) = T(1);
  const double tiny = std::is_same_v<T, double> ? 0x1p-60 : 0x1p-112;
  bool changed = true;
  for (int sweep = 0; changed; ++sweep) {
    if (sweep == kSweeps) c.fail(Reason::domain, "matrix " + std::to_string(m) + " does not converge");
    changed = false;
    for (std::int64_t p = 0; p < n; ++p)
      for (std::int64_t q = p + 1; q < n; ++q) changed |= rotate(a, v, p, q, tiny);
  }
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t i, std::int64_t j) { return a(i, i).re < a(j, j).re; });
  Pairs<T> pairs{{}, NumberMatrix<T>(n)};
  for (std::int64_t j = 0; j < n; ++j) {
    const std::int64_t from = order[static_cast<std::size_t>(j)];
    pairs.w.push_back(power_of_two(a(from, from).re, e));
    for (std::int64_t i = 0; i < n; ++i) pairs.v(i, j) = v(i, from);
  }
  return pairs;
}

void store(Reals& to, std::int64_t i, Number<double> v) { to[i] = v.re; }
void store(Reals2& to, std::int64_t i, Number<Double2> v) { to[i] = v.re; }
void store(Complexes& to, std::int64_t i, Number<double> v) { to[i] = {v.re, v.im}; }

std::vector<Wide> eigh(const Call& c) {
  return with_numbers(widen(c[0]), [&]<class A>(const A& a) -> std::vector<Wide> {
    using T = decltype(number(a, 0).re);
    const std::int64_t n = a.shape.back();
    Shape values = a.shape;
    values.pop_back();
    Array<T> w(values);
    A v(a.shape);
    for (std::int64_t m = 0; n > 0 && m < a.size() / (n * n); ++m) {
      NumberMatrix<T> s = square_of(a, m);
      fill_from_triangle(s, upper(c));
      const Pairs<T> pairs = eigenpairs(c, s, m);
      for (std::int64_t i = 0; i < n; ++i) w[m * n + i] = pairs.w[static_cast<std::size_t>(i)];
      for (std::int64_t i = 0; i < n * n; ++i) store(v, m * n * n + i, pairs.v.x[static_cast<std::size_t>(i)]);
    }
    return {w, v};
  });
}

std::vector<Wide> eigvalsh(const Call& c) { return {eigh(c)[0]}; }

constexpr const char* kCases = R"(
  call   {t}.{s}.{l}.{x}/uplo={up}
  # LA01: the triangle that is not named holds NaN, so that a route that reads it is seen; or other values
  from   t={f32,f64} l=row up={L,U} s={n}x{n} x=spd_{up=='U'?'upper':'lower'}-1000
  smoke  n={1,2,3,5,10}
  smoke  t={f32,f64,c64} n={0,2,3,5,16} x=uniform
  smoke  t={f32,f64,c64} s={2x0x0,0x3x3,3x4x4,2x3x2x2,19x3x3} x=uniform-3                              # LA02
  # B32: spectra repeated, clustered, graded, of rank one, of both signs; whole numbers, zero, one
  smoke  t={f32,f64,c64} n=9 x=[hermitian-0,hermitian-1,hermitian-2,hermitian-3,hermitian-4] up=[L,U]
  smoke  t={f32,c64} s=3x6x6 x=[int-1,const-1,const-0,ramp,impulse]
  # the ends of the range, where squares leave it
  smoke  t={f32,f64,c64} n=7 x={huge-8,tiny,subnormal,pow2-60} up=[L,U]
  from   t=[f32,f64,c64] l=row up=[L,U] s={n}x{n}
  ci     n={1,2,3,4,6,7,8,11,12,13,15,16,17,18,24,31,32,33} x=[uniform,hermitian-1,wide-20]
  ci     t=[f32,c64] n={40,47,48,63,64,65} x=[uniform,hermitian-1,wide-20]
  ci     t={f32,f64,c64} n=33 x={hermitian-0,hermitian-2,hermitian-3,hermitian-4,ramp,const-2,int-1}
  ci     batch={1,3,4,5,7,8,9,15,16,17,33} n={2,3,6} s={batch}x{n}x{n} x=uniform
  ci     t={f32,f64,c64} s=2x3x5x5 l={@layouts} x=uniform
  ci     t={f32,f64,c64} s=5x9x9 x={huge-8,subnormal,tiny,pow2-100,apart}
  ci     t=f32 n=97
  nightly t={f32,f64,c64} n=257 x=[uniform,hermitian-1,hermitian-2]
)";

constexpr const char* kRejects = R"(
  call   {t}.{s}.row.{x}/uplo={up}
  from   t=f32 s=4x4 x=uniform up=L
  attribute up={l,u,X,lower,true}                 # neither L nor U: upstream takes all for U
  shape  s={2x3,4x4x5}                            # not square
  dtype  t={i32,f16,bool}                         # no eigenvalues of whole numbers and halves
  # NaN and infinities in the named triangle, alone and in a batch
  domain t={f32,f64,c64} s={1x1,3x3} x=const-nan
  domain t={f32,f64,c64} s=3x5x5 x=special-3
  domain t={f32,f64} s=9x9 x=spd_{up=='U'?'lower':'upper'} up={L,U}
)";

constexpr const char* kBench = R"(
  call   {t}.{s}.row.uniform/uplo=L
  ci     t,s={f32 256x256, f64 512x512, f32 4096x8x8, f64 512x32x32, c64 128x128}
)";

// 4/3 n^3 for the values, 9 n^3 with the vectors (Golub & Van Loan, 8.3); four times as many of complex numbers.
Cost flops(const Call& c, double cubes) {
  const double n = static_cast<double>(c.shape(0).back());
  const double each = c.dtype(0) == Dtype::c64 ? 4 : 1;
  return {each * cubes * n * static_cast<double>(count(c.shape(0))), input_bytes(c) + output_bytes(c)};
}
Cost cost_of_pairs(const Call& c) { return flops(c, 9); }
Cost cost_of_values(const Call& c) { return flops(c, 4.0 / 3); }

Op row(bool vectors) {
  Op op;
  op.name = vectors ? "eigh" : "eigvalsh";
  op.signature = vectors ? "a T[*B,N,N] -> w R[*B,N], v T[*B,N,N]" : "a T[*B,N,N] -> w R[*B,N]";
  op.types = "T: f32 f64 c64; R = part(T)";
  op.attrs = {{"uplo", "L"}};
  op.equation = vectors ? "A V = V diag(w), V^H V = I, w ascending, A = A^H of the triangle uplo"
                        : "the eigenvalues w of A = A^H of the triangle uplo, ascending";
  op.meaning =
      "only the named triangle is read, L or U and nothing else (upstream takes whatever is not L for U), and of the "
      "diagonal the real part; NaN and infinities in it: domain, with the first such matrix (upstream may return "
      "finite "
      "numbers); signs, phases and bases of equal eigenvalues are free";
  op.infer = infer;
  op.oracle = vectors ? eigh : eigvalsh;
  op.cases = kCases;
  op.rejects = kRejects;
  op.bench = kBench;
  op.cost = vectors ? cost_of_pairs : cost_of_values;
  op.tolerance.kind = Tolerance::Class::residual;
  op.tolerance.residual = judge_hermitian;
  return op;
}

}  // namespace

std::vector<Op> hermitian_ops() {
  std::vector<Op> ops{row(true), row(false)};
  ops[0].fills = spectra;
  return ops;
}

}  // namespace plumb
