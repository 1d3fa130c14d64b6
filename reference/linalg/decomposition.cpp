// Factorisations of dense matrices. A result is judged by how well it rebuilds the matrix.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/op.h"
#include "reference/linalg/decomposition_fills.h"

namespace plumb {
namespace {

// ---- Cholesky ----

// A matrix of an array as the lower factor is written, x(i, j) with i >= j: itself, or its transpose if U is asked for.
struct Triangle {
  std::int64_t n;
  bool upper;

  // Where element (i, j) of matrix m lies.
  std::int64_t at(std::int64_t m, std::int64_t i, std::int64_t j) const {
    return m * n * n + (upper ? j * n + i : i * n + j);
  }

  template <class Array>
  auto matrix(Array& x, std::int64_t m) const {
    return [&x, m, self = *this ](std::int64_t i, std::int64_t j) -> auto& { return x[self.at(m, i, j)]; };
  }
};

template <class T>
bool positive(T pivot) {
  using std::isfinite;
  return pivot > T(0) && isfinite(pivot);
}

// l_jj = sqrt(a_jj - sum_(p<j) l_jp^2), l_ij = (a_ij - sum_(p<j) l_ip l_jp) / l_jj for i > j, else 0.
// Returns the first j whose pivot is not positive, or n.
template <class T>
std::int64_t factor(const Array<T>& matrices, Array<T>& factors, std::int64_t m, const Triangle& lower) {
  using std::sqrt;
  const auto a = lower.matrix(matrices, m);
  const auto l = lower.matrix(factors, m);
  for (std::int64_t j = 0; j < lower.n; ++j)
    for (std::int64_t i = j; i < lower.n; ++i) {
      T s = a(i, j);
      for (std::int64_t p = 0; p < j; ++p) s -= l(i, p) * l(j, p);
      if (i == j && !positive(s)) return j;
      l(i, j) = i == j ? sqrt(s) : s / l(j, j);
    }
  return lower.n;
}

std::int64_t matrices(const Shape& s) { return count(Shape(s.begin(), s.end() - 2)); }

template <class T>
Array<T> factor_all(const Call& c, const Array<T>& a) {
  const Triangle at{a.shape.back(), c.flag("upper")};
  Array<T> l(a.shape, T(0));
  for (std::int64_t m = 0; m < matrices(a.shape); ++m) {
    const std::int64_t j = factor(a, l, m, at);
    if (j < at.n) {
      c.fail(Reason::domain, "matrix " + std::to_string(m) + " is not positive definite at pivot " + std::to_string(j));
    }
  }
  return l;
}

std::vector<Wide> cholesky(const Call& c) {
  const Wide a = widen(c[0]);
  if (const Reals* x = std::get_if<Reals>(&a)) return {factor_all(c, *x)};
  return {factor_all(c, std::get<Reals2>(a))};
}

// ---- The judge of a factor ----

constexpr double kLapackRatio = 30;  // ||A - L L^T||_1 <= 30 n u ||A||_1, the threshold of LAPACK's own tests

// What one matrix is judged with: its triangle and the factor's, both as dense lower matrices.
template <class T>
struct Pair {
  std::int64_t n;
  std::vector<T> a, l;
  const T* a_row(std::int64_t i) const { return a.data() + i * n; }
  const T* l_row(std::int64_t i) const { return l.data() + i * n; }
};

template <class T>
Pair<T> lower(const Array<T>& a, const Array<T>& l, std::int64_t matrix, const Triangle& at) {
  Pair<T> p{at.n, std::vector<T>(static_cast<std::size_t>(at.n * at.n)), {}};
  p.l = p.a;
  for (std::int64_t i = 0; i < at.n; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      const auto to = static_cast<std::size_t>(i * at.n + j);
      p.a[to] = at.matrix(a, matrix)(i, j);
      p.l[to] = at.matrix(l, matrix)(i, j);
    }
  }
  return p;
}

// "" if every element is finite, the diagonal positive and the other triangle exactly zero.
template <class T>
std::string malformed(const Array<T>& l, std::int64_t matrix, const Triangle& at) {
  using std::isfinite;
  for (std::int64_t i = 0; i < at.n; ++i) {
    for (std::int64_t j = 0; j < at.n; ++j) {
      const T x = at.matrix(l, matrix)(i, j);
      const std::string where = " at " + to_string(Shape{matrix, i, j}) + " of the lower factor";
      if (!isfinite(x)) return "not finite" + where;
      if (i < j && !(x == T(0))) return "not zero" + where;
      if (i == j && !(x > T(0))) return "diagonal not positive" + where;
    }
  }
  return "";
}

template <class T>
double magnitude(T x) {
  return std::abs(static_cast<double>(x));
}

double roundoff(const Array<double>&) { return 0x1p-53; }
double roundoff(const Array<Double2>&) { return kDouble2Roundoff; }

// |A - L L^T|_ij <= (gamma_(h-1)(u_acc) + gamma_2(u)) (|L| |L|^T)_ij: Higham 2002, Theorem 10.3, where h = n, with
// the depth h of the declared order in its place; the last two roundings are those of the root or quotient that
// is stored, three where the quotient is a product with a reciprocal. Underflow adds eta per operation.
template <class T>
void judge_elements(const Pair<T>& p, double relative, double eta, std::int64_t base, const Triangle& at,
                    Deviation& worst, std::vector<double>& column_sums) {
  for (std::int64_t i = 0; i < p.n; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      T product(0);
      double g = 0;
      for (std::int64_t k = 0; k <= j; ++k) {
        const T term = p.l_row(i)[k] * p.l_row(j)[k];
        product += term;
        g += magnitude(term);
      }
      const double error = magnitude(p.a_row(i)[j] - product);
      const double allowed = relative * g + static_cast<double>(p.n + 1) * eta * (1 + magnitude(p.l_row(j)[j]));
      const double ratio = error == 0 ? 0 : error / allowed;
      column_sums[static_cast<std::size_t>(j)] += error;
      if (i != j) column_sums[static_cast<std::size_t>(i)] += error;
      if (ratio <= worst.ratio) continue;
      worst.ratio = ratio;
      worst.at = at.at(base, i, j);
      worst.want = static_cast<double>(p.a_row(i)[j]);
      worst.got = static_cast<double>(product);
      worst.allowed = allowed;
    }
  }
}

template <class T>
double norm1(const Pair<T>& p) {
  std::vector<double> sums(static_cast<std::size_t>(p.n), 0.0);
  for (std::int64_t i = 0; i < p.n; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      sums[static_cast<std::size_t>(j)] += magnitude(p.a_row(i)[j]);
      if (i != j) sums[static_cast<std::size_t>(i)] += magnitude(p.a_row(i)[j]);
    }
  }
  return sums.empty() ? 0 : *std::max_element(sums.begin(), sums.end());
}

// Whether every operation on this matrix is exact in any order: an integer matrix with an integer factor,
// whose sums stay within the p bits of the accumulator, |(|L| |L|^T)_ij| <= max_i a_ii.
template <class T>
bool exact_regime(const Pair<T>& p, double limit) {
  for (std::int64_t i = 0; i < p.n; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      const double x = static_cast<double>(p.a_row(i)[j]);
      if (x != std::floor(x) || std::abs(x) > limit) return false;
    }
  }
  const Triangle rows{p.n, false};
  Array<T> a({p.n, p.n}), l({p.n, p.n}, T(0));
  a.data = p.a;
  if (factor(a, l, 0, rows) < p.n) return false;
  return std::all_of(l.data.begin(), l.data.end(), [](const T& x) {
    return static_cast<double>(x) == std::floor(static_cast<double>(x)) && x == T(static_cast<double>(x));
  });
}

template <class T>
Deviation judge_factor(const Call& c, const Array<T>& a, const Array<T>& l, const Order& order) {
  const Triangle at{a.shape.back(), c.flag("upper")};
  const DtypeInfo& type = info(c.dtype(0));
  const double n = static_cast<double>(at.n), u = type.unit_roundoff();
  const double h = static_cast<double>(order.depth(at.n));
  const double relative = gamma(std::max(0.0, h - 1), order.accumulator_roundoff()) +
                          gamma(order.reciprocal ? 3 : 2, u) + gamma(n + 2, roundoff(a));
  Deviation worst;
  for (std::int64_t m = 0; m < matrices(a.shape); ++m) {
    worst.what = malformed(l, m, at);
    if (!worst.what.empty()) return worst;
    const Pair<T> p = lower(a, l, m, at);
    worst.compared += at.n * at.n;
    const bool exact = !order.reciprocal && exact_regime(p, std::ldexp(1.0, type.precision));
    std::vector<double> sums(static_cast<std::size_t>(at.n), 0.0);
    judge_elements(p, exact ? 0 : relative, exact ? 0 : type.min_subnormal, m, at, worst, sums);
    const double residual = sums.empty() ? 0 : *std::max_element(sums.begin(), sums.end());
    const double ratio = residual == 0 ? 0 : residual / (n * norm1(p) * u) / kLapackRatio;
    if (ratio <= worst.ratio) continue;
    worst.ratio = ratio;
    worst.at = -1;
    worst.want = 0;
    worst.got = residual;
    worst.allowed = residual / ratio;
  }
  return worst;
}

Deviation rebuilds(const Call& c, const std::vector<Tensor>& got, const Order& order) {
  const Wide a = widen(c[0]), l = widen(got.at(0));
  if (const Reals* x = std::get_if<Reals>(&a)) return judge_factor(c, *x, std::get<Reals>(l), order);
  return judge_factor(c, std::get<Reals2>(a), std::get<Reals2>(l), order);
}

// ---- Cases ----

constexpr const char* kCases = R"(
  call   {t}.{s}.{l}.{x}/upper={up}
  # of one triangle: the other one holds NaN, so that a route that reads it is seen
  from   t={f32,f64} l=row up={false,true} s={n}x{n} one=spd_{up=='true'?'upper':'lower'}
  smoke  n={0,1,2,3,5,10} x={one}-100
  smoke  s={2x0x0,0x3x3} x=spd
  smoke  s=3x7x7 x=spd_integer-3
  # around the widths of vectors, of panels and of work-group blocks, the triangles by turns
  smoke  t=f32 n,up={49 true, 65 false, 129 true} x={one}-1000
  from   n,turn={4 false, 7 true, 8 false, 9 true, 15 false, 16 true, 17 false, 23 true, 24 false, 25 true, 31 false,
         32 true, 33 false, 47 true, 48 false, 49 true, 63 false, 64 true, 65 false, 95 true, 96 false, 97 true,
         100 false, 127 true, 128 false, 129 true, 145 false}
  ci     up={turn} x={one}-1000
  ci     up={turn=='true'?'false':'true'} x=spd_integer-2
  ci     up={turn} if={n<70} s=3x{n}x{n} x={one}-100
  ci     batch={1,2,4,7,8,9,15,16,17,31,33,70} n={1,2,3,4,6,11} s={batch}x{n}x{n} up={batch%2?'true':'false'}
         x={one}-100
  ci     s=2x3x13x13 x=spd_integer-3 up=false
  ci     n,up={11 false, 24 true, 70 false} s=5x{n}x{n} x=spd_integer-60   # pivots that a rounded reciprocal would miss
  # every layout
  ci     s=3x14x14 l={@layouts} x={one}-100
  ci     s=2x40x40 l={@layouts} x=spd_integer-2
  ci     s=70x70 l={@layouts,!broadcast} x=spd_integer-2
  # large ones and batches of them
  ci     t=f32 n={191,193,257,300,389} x={one}-100
  ci     n=200 x=spd_integer-2
  ci     t=f64 n=193 x={one}-100000
  ci     t=f32 s,up={3x150x150 false, 11x100x100 true} x={one}-100
  nightly t,n={f32 1025, f64 389} x={one}-100
)";

constexpr const char* kRejects = R"(
  call   {t}.{s}.row.{x}/upper={up}
  from   t=f32 s={n}x{n} x=spd up=false
  from   t={f32,f64} up={false,true} n={1,2,9,33,70,130}
  domain x=indefinite    # the last pivot is negative
  domain x=indefinite-0  # the first pivot is negative
  domain x=const-0       # zero
  domain x=const-1 n={2,9,33,70,130}  # rank one: the second pivot is 0
  domain x=spd_{up=='true'?'lower':'upper'}-100 n={2,9,33,70,130}  # NaN
  domain s,x={20x5x5 indefinite-3, 3x40x40 indefinite-35}  # the last of a batch
)";

constexpr const char* kBench = R"(
  call   {t}.{s}.row.spd/upper=false
  from   t=f32
  ci     s={128x128,512x512,1024x1024}
  nightly s=4096x4096    # its residual takes longer than all else
  ci     s=4096x16x16
  ci     t=f64 s=512x512
)";

// n^3/3 + n^2/2 + n/6 multiplications and additions, roots and divisions, per matrix.
Cost cholesky_cost(const Call& c) {
  const double n = static_cast<double>(c.shape(0).back()), b = static_cast<double>(matrices(c.shape(0)));
  const double bytes = info(c.dtype(0)).bytes;
  return {b * (n * n * n / 3 + n * n / 2 + n / 6), b * n * (n + 1) / 2 * bytes + b * n * n * bytes};
}

}  // namespace

std::vector<Op> decomposition_ops() {
  return {{
      .name = "cholesky",
      .signature = "a T[*B,N,N] -> factor T[*B,N,N]",
      .types = "T: f32 f64",
      .attrs = {{"upper", false}},
      .equation = "L lower, L L^T = A, l_jj > 0; upper: U^T U = A. Only the named triangle of A is read, the other "
                  "one of the result is 0",
      .meaning = "a pivot that is not positive, NaN or infinite is an error that names the matrix and the pivot "
                 "(MLX returns what LAPACK left behind, without a word)",
      .oracle = cholesky,
      .cases = kCases,
      .fills = reference::decomposition_fills,
      .rejects = kRejects,
      .bench = kBench,
      .cost = cholesky_cost,
      .tolerance = {.kind = Tolerance::Class::residual, .residual = rebuilds},
  }};
}

}  // namespace plumb
