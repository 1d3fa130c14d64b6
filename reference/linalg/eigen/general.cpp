// Eigenvalues and right eigenvectors of general matrices. Results are c64, so that binary64 is wide for every input.
#include <algorithm>
#include <cmath>

#include "reference/linalg/eigen/judge.h"
#include "reference/linalg/eigen/scalar.h"

namespace plumb {
namespace {

using namespace reference;

using Z = Number<double>;
using Matrix = NumberMatrix<double>;

constexpr double kRoundoff = 0x1p-53;
constexpr int kSteps = 60;  // for an eigenvalue: three are many

// A = Q T Q^H: what has become of A, and Q.
struct Schur {
  Matrix t, q;
};

// Rows or columns first, first + 1, .. of T, and columns of Q, are multiplied by I - 2 v v^H / v^H v.
void reflect(Schur& s, std::int64_t first, const std::vector<Z>& v) {
  const std::int64_t n = s.t.n, m = static_cast<std::int64_t>(v.size());
  double vv = 0;
  for (const Z& x : v) vv += x.re * x.re + x.im * x.im;
  if (vv == 0) return;
  const auto at = [&](std::int64_t k) { return v[static_cast<std::size_t>(k)]; };
  for (std::int64_t j = 0; j < n; ++j) {
    Z left, vectors;
    for (std::int64_t k = 0; k < m; ++k) {
      left = left + conjugate(at(k)) * s.t(first + k, j);
      vectors = vectors + s.q(j, first + k) * at(k);
    }
    for (std::int64_t k = 0; k < m; ++k) {
      s.t(first + k, j) = s.t(first + k, j) - times(2 / vv, at(k) * left);
      s.q(j, first + k) = s.q(j, first + k) - times(2 / vv, vectors * conjugate(at(k)));
    }
  }
  for (std::int64_t i = 0; i < n; ++i) {
    Z right;
    for (std::int64_t k = 0; k < m; ++k) right = right + s.t(i, first + k) * at(k);
    for (std::int64_t k = 0; k < m; ++k)
      s.t(i, first + k) = s.t(i, first + k) - times(2 / vv, right * conjugate(at(k)));
  }
}

// v with (I - 2 v v^H / v^H v) x = -|x| (x_0 / |x_0|) e_0; nothing where x is such a multiple already.
std::vector<Z> reflector(std::vector<Z> x) {
  double square = 0;
  for (std::size_t i = 1; i < x.size(); ++i) square += x[i].re * x[i].re + x[i].im * x[i].im;
  if (square <= 0x1p-1000) return {};
  const double head = modulus(x[0]), norm = std::sqrt(square + head * head);
  x[0] = x[0] + times(norm, head > 0 ? Z(x[0].re / head, x[0].im / head) : Z(1));
  return x;
}

void to_hessenberg(Schur& s) {
  for (std::int64_t k = 0; k + 2 < s.t.n; ++k) {
    std::vector<Z> x;
    for (std::int64_t i = k + 1; i < s.t.n; ++i) x.push_back(s.t(i, k));
    reflect(s, k + 1, reflector(x));
    for (std::int64_t i = k + 2; i < s.t.n; ++i) s.t(i, k) = {};
  }
}

// The first row of the block that ends in `last`: all below it is coupled, what couples it to above is negligible
// beside its neighbours or beside A, whose largest part is about 1.
std::int64_t block_start(Matrix& t, std::int64_t last) {
  for (std::int64_t k = last; k > 0; --k) {
    const double near = modulus(t(k, k)) + modulus(t(k - 1, k - 1));
    if (modulus(t(k, k - 1)) > kRoundoff * (near + 1)) continue;
    t(k, k - 1) = {};
    return k;
  }
  return 0;
}

// A reflection by `start`, then others that make the matrix Hessenberg again within [first, last].
void chase(Schur& s, std::int64_t first, std::int64_t last, const std::vector<Z>& start) {
  const auto width = static_cast<std::int64_t>(start.size());
  reflect(s, first, reflector(start));
  for (std::int64_t k = first; k + 1 < last; ++k) {
    std::vector<Z> x;
    for (std::int64_t i = k + 1; i <= std::min(k + width, last); ++i) x.push_back(s.t(i, k));
    reflect(s, k + 1, reflector(x));
    for (std::int64_t i = k + 2; i <= std::min(k + width, last); ++i) s.t(i, k) = {};
  }
}

// A real step with both eigenvalues of the last 2 x 2 block (a b, c d) as shifts: the first column of
// (T - a I)(T - d I) - b c I, divided by t_10; differences first, lest those of close eigenvalues be lost.
void double_step(Schur& s, std::int64_t first, std::int64_t last, bool exceptional) {
  const auto t = [&](std::int64_t i, std::int64_t j) { return s.t(i, j).re; };
  const std::int64_t i = first;
  double a = t(last - 1, last - 1) - t(i, i), d = t(last, last) - t(i, i), bc = t(last, last - 1) * t(last - 1, last);
  if (exceptional) {
    const double x = std::abs(t(last, last - 1)) + std::abs(t(last - 1, last - 2));
    a = d += 0.75 * x, bc = -0.4375 * x * x;
  }
  chase(s, first, last, {t(i, i + 1) + (a * d - bc) / t(i + 1, i), t(i + 1, i + 1) - t(i, i) - a - d, t(i + 2, i + 1)});
}

// A complex step whose shift is the eigenvalue of the last 2 x 2 block that is closer to its last element.
void single_step(Schur& s, std::int64_t first, std::int64_t last, bool exceptional) {
  const Z a = s.t(last - 1, last - 1), b = s.t(last - 1, last), c = s.t(last, last - 1), d = s.t(last, last);
  const Z half = times(0.5, a - d), square = half * half + b * c;
  const std::complex<double> root = std::sqrt(std::complex<double>(square.re, square.im));
  const Z r{root.real(), root.imag()}, plus = half + r, minus = half - r;
  const Z far = modulus(plus) < modulus(minus) ? minus : plus;
  Z shift = modulus(far) > 0 ? d - b * c / far : d;
  if (exceptional) shift = d + Z(modulus(c));
  chase(s, first, last, {s.t(first, first) - shift, s.t(first + 1, first)});
}

// Turns rows and columns k, k + 1 by the unit vector u = (u_0, u_1) and the one orthogonal to it.
void turn(Schur& s, std::int64_t k, Z u, Z v) {
  for (std::int64_t j = 0; j < s.t.n; ++j) {
    const Z x = s.t(k, j), y = s.t(k + 1, j), p = s.q(j, k), q = s.q(j, k + 1);
    s.t(k, j) = conjugate(u) * x + conjugate(v) * y;
    s.t(k + 1, j) = u * y - v * x;
    s.q(j, k) = p * u + q * v;
    s.q(j, k + 1) = q * conjugate(u) - p * conjugate(v);
  }
  for (std::int64_t i = 0; i < s.t.n; ++i) {
    const Z x = s.t(i, k), y = s.t(i, k + 1);
    s.t(i, k) = x * u + y * v;
    s.t(i, k + 1) = y * conjugate(u) - x * conjugate(v);
  }
  s.t(k + 1, k) = {};
}

// A real 2 x 2 block becomes triangular: two real eigenvalues, or a pair whose second is the conjugate of the first.
void split(Schur& s, std::int64_t k) {
  const double a = s.t(k, k).re, b = s.t(k, k + 1).re, c = s.t(k + 1, k).re, d = s.t(k + 1, k + 1).re;
  const double half = (a - d) / 2, square = half * half + b * c;
  Z w;  // w - d, with (w - d, c) an eigenvector of w
  if (square >= 0) w = half + std::copysign(std::sqrt(square), half);
  else w = {half, std::sqrt(-square)};
  const double size = hypotenuse(modulus(w), c);
  turn(s, k, times(1 / size, w), c / size);
  if (square < 0) s.t(k, k) = {d + half, w.im}, s.t(k + 1, k + 1) = {d + half, -w.im};
}

// False where an eigenvalue does not come within kSteps.
bool to_triangular(Schur& s, bool real) {
  to_hessenberg(s);
  std::vector<std::int64_t> blocks;
  std::int64_t last = s.t.n - 1;
  for (int step = 0; last > 0;) {
    const std::int64_t first = block_start(s.t, last);
    if (last - first < (real ? 2 : 1)) {
      if (last > first) blocks.push_back(first);
      last = first - 1, step = 0;
      continue;
    }
    if (++step > kSteps) return false;
    real ? double_step(s, first, last, step % 10 == 0) : single_step(s, first, last, step % 10 == 0);
  }
  for (const std::int64_t k : blocks) split(s, k);
  return true;
}

void normalize(std::vector<Z>& v) {
  double square = 0;
  for (const Z& e : v) square += e.re * e.re + e.im * e.im;
  for (Z& e : v) e = times(1 / std::sqrt(square), e);
}

// (T - t_jj I) x = 0 with x_j = 1, divisors no smaller than negligible; v = Q x of length 1, its largest element real.
// Of a real A and w the real part of v is an eigenvector as good as v, which negligible divisors may have left complex.
std::vector<Z> eigenvector(const Schur& s, std::int64_t j, bool real) {
  const std::int64_t n = s.t.n;
  std::vector<Z> x(static_cast<std::size_t>(n)), v(static_cast<std::size_t>(n));
  x[static_cast<std::size_t>(j)] = 1;
  for (std::int64_t i = j - 1; i >= 0; --i) {
    Z sum;
    for (std::int64_t k = i + 1; k <= j; ++k) sum = sum + s.t(i, k) * x[static_cast<std::size_t>(k)];
    Z by = s.t(j, j) - s.t(i, i);
    if (modulus(by) < kRoundoff) by = kRoundoff;
    x[static_cast<std::size_t>(i)] = sum / by;
    if (modulus(x[static_cast<std::size_t>(i)]) > 0x1p300)
      for (Z& e : x) e = times(0x1p-300, e);
  }
  double largest = 0;
  Z head(1);
  for (std::int64_t i = 0; i < n; ++i) {
    Z& sum = v[static_cast<std::size_t>(i)];
    for (std::int64_t k = 0; k <= j; ++k) sum = sum + s.q(i, k) * x[static_cast<std::size_t>(k)];
    if (modulus(sum) > largest) largest = modulus(sum), head = sum;
  }
  for (Z& e : v) {
    e = times(1 / largest, e) * times(1 / largest, conjugate(head));
    if (real) e.im = 0;
  }
  normalize(v);
  return v;
}

struct Pairs {
  std::vector<Z> w;
  Matrix v;
};

Pairs eigenpairs(const Call& c, Matrix a, std::int64_t m, bool real) {
  const std::int64_t n = a.n;
  if (!finite(a)) c.fail(Reason::domain, "matrix " + std::to_string(m) + " holds a value that is not finite");
  const int e = exponent(a);
  scale(a, -e);
  Schur s{a, Matrix(n)};
  for (std::int64_t i = 0; i < n; ++i) s.q(i, i) = 1.0;
  if (!to_triangular(s, real)) c.fail(Reason::domain, "matrix " + std::to_string(m) + " does not converge");
  Pairs pairs{{}, Matrix(n)};
  for (std::int64_t j = 0; j < n; ++j) {
    const Z w = s.t(j, j);
    pairs.w.push_back({std::scalbn(w.re, e), std::scalbn(w.im, e)});
    const bool second = real && w.im < 0;  // the conjugate of the one before
    const std::vector<Z> v = second ? std::vector<Z>() : eigenvector(s, j, real && w.im == 0);
    for (std::int64_t i = 0; i < n; ++i) {
      Z& to = pairs.v(i, j);
      to = second ? conjugate(pairs.v(i, j - 1)) : v[static_cast<std::size_t>(i)];
    }
  }
  return pairs;
}

std::vector<Wide> eig(const Call& c) {
  const Complexes a = complexes(widen_general(c[0]));
  const std::int64_t n = a.shape.back();
  Shape values = a.shape;
  values.pop_back();
  Complexes w(values), v(a.shape);
  for (std::int64_t m = 0; n > 0 && m < a.size() / (n * n); ++m) {
    const Pairs pairs = eigenpairs(c, square_of(a, m), m, c.dtype(0) != Dtype::c64);
    for (std::int64_t i = 0; i < n; ++i) {
      const Z x = pairs.w[static_cast<std::size_t>(i)];
      w[m * n + i] = {x.re, x.im};
    }
    for (std::int64_t i = 0; i < n * n; ++i) {
      const Z x = pairs.v.x[static_cast<std::size_t>(i)];
      v[m * n * n + i] = {x.re, x.im};
    }
  }
  return {w, v};
}

std::vector<Wide> eigvals(const Call& c) { return {eig(c)[0]}; }

constexpr const char* kCases = R"(
  call   {t}.{s}.{l}.{x}/-
  from   t={f32,f64,c64} l=row x=uniform s={n}x{n}
  smoke  n={0,1,2,3,5,10}
  smoke  s={2x0x0,0x3x3,3x4x4,2x3x2x2} x=uniform-3                                # LA02
  # B32: Hermitian spectra, companions of roots of unity and of roots in a row, defective, of rank one, zero, triangular
  smoke  t={f32,c64} n=8 x={hermitian-1,hermitian-4,companion-0,companion-1,jordan-1,jordan-0.001,const-1,
         const-0,int-1,ramp}
  smoke  t={f32,f64,c64} n=6 x={huge-8,tiny,subnormal,pow2-40}                    # ends of the range
  from   l=row s={n}x{n} t=[f32,c64,f64]
  ci     n={1,2,3,4,6,7,8,9,12,15,16,17,20,24,31,32,33} x=[uniform,int-2,wide-8]
  ci     t={f32,f64,c64} n=20 x={hermitian-0,hermitian-2,hermitian-3,companion-0,companion-1,jordan-1,const-2}
  ci     batch={1,3,4,5,9,33} n={2,3,6} s={batch}x{n}x{n}
  ci     t={f32,f64,c64} s=2x3x5x5 l={@layouts}
  ci     t={f32,f64,c64} s=5x7x7 x={huge-8,subnormal,tiny,pow2-60,apart}
  nightly t={f32,c64} n=65 x=[uniform,companion-0]
)";

constexpr const char* kRejects = R"(
  call   {t}.{s}.row.{x}/-
  from   t=f32 s=4x4 x=uniform
  shape  s={2x3,4x4x5}                     # not square
  dtype  t={i32,f16,bool}                  # of whole numbers and halves
  domain t={f32,f64,c64} s={1x1,3x3} x=const-nan                     # NaN
  domain t={f32,f64,c64} s=3x5x5 x=special-3                         # NaN and infinities, in a batch
)";

constexpr const char* kBench = R"(
  call   {t}.{s}.row.uniform/-
  ci     t,s={f32 128x128, c64 64x64, f32 512x8x8}
)";

// 10 n^3 for the values, 25 n^3 with the vectors (Golub & Van Loan, 7.5); four times as many of complex numbers.
Cost flops(const Call& c, double cubes) {
  const double n = static_cast<double>(c.shape(0).back());
  const double each = c.dtype(0) == Dtype::c64 ? 4 : 1;
  return {each * cubes * n * static_cast<double>(count(c.shape(0))), input_bytes(c) + output_bytes(c)};
}
Cost cost_of_pairs(const Call& c) { return flops(c, 25); }
Cost cost_of_values(const Call& c) { return flops(c, 10); }

Op row(bool vectors) {
  Op op;
  op.name = vectors ? "eig" : "eigvals";
  op.signature = vectors ? "a T[*B,N,N] -> w c64[*B,N], v c64[*B,N,N]" : "a T[*B,N,N] -> w c64[*B,N]";
  op.types = "T: f32 f64 c64";
  op.equation = vectors ? "A V = V diag(w), columns of V of length 1 with a largest element that is real"
                        : "the eigenvalues w of A";
  op.meaning =
      "right eigenvectors, of complex matrices too (upstream returns their conjugates); c64 whatever the input, "
      "eigenvalues beyond its range infinite; in no order, but conjugates of a real matrix are neighbours, to the bit, "
      "the "
      "positive imaginary part first; NaN and infinities: domain, with the first such matrix; defective matrices have "
      "vectors that are nearly parallel";
  op.oracle = vectors ? eig : eigvals;
  op.cases = kCases;
  op.rejects = kRejects;
  op.bench = kBench;
  op.cost = vectors ? cost_of_pairs : cost_of_values;
  op.tolerance.kind = Tolerance::Class::residual;
  op.tolerance.residual = judge_general;
  return op;
}

}  // namespace

std::vector<Op> general_ops() { return {row(true), row(false)}; }

}  // namespace plumb
