// Determinants, and the logarithms of their magnitudes.
#include <algorithm>
#include <limits>

#include "core/op.h"
#include "reference/linalg/solve/judge.h"

namespace plumb {
namespace {

using namespace reference;

constexpr double kInf = std::numeric_limits<double>::infinity();

Dtype computed(const Call& c) { return c.dtype(0) == Dtype::f64 ? Dtype::f64 : Dtype::f32; }

// f on the matrices in the type that the determinant is computed in.
template <class F>
auto with_matrices(const Call& c, F&& f) {
  const Wide a = widen_as(c[0], output_specs(c)[0].dtype);
  if (computed(c) == Dtype::f64) return f(std::get<Reals2>(a));
  return f(reals(a));
}

// m 2^e with magnitude of m in [1/2, 1), or m zero or not finite: no product of pivots leaves the range.
template <class T>
struct Scaled {
  T m{1};
  std::int64_t e = 0;

  void times(T x) {
    m *= x;
    const double high = static_cast<double>(m);
    if (high == 0 || !std::isfinite(high)) return;
    int shift = 0;
    (void)std::frexp(high, &shift);
    m *= T(std::ldexp(1.0, -shift));
    e += shift;
  }
  int exponent() const { return static_cast<int>(std::clamp<std::int64_t>(e, -100000, 100000)); }
};

// det A = (-1)^s u_11 u_22 .., s the exchanges of rows
template <class T>
Scaled<T> determinant(Square<T> s) {
  const Pivots p = eliminate(s);
  Scaled<T> d;
  for (std::size_t j = 0; j < p.size(); ++j) {
    const auto i = static_cast<std::int64_t>(j);
    d.times(s.at()(i, i));
    if (p[j] != i) d.m = -d.m;
  }
  return d;
}

double scale(double m, int e) { return std::ldexp(m, e); }
Double2 scale(Double2 m, int e) {
  const int half = e / 2;
  return m * Double2(std::ldexp(1.0, half)) * Double2(std::ldexp(1.0, e - half));
}

template <class T>
T log_of(const Scaled<T>& d) {
  using std::abs;
  using std::log;
  if (d.m == T(0)) return T(-kInf);
  if (!std::isfinite(static_cast<double>(d.m))) return abs(d.m);
  return log(abs(d.m)) + T(static_cast<double>(d.e)) * log(T(2));
}

template <class T>
double sign_of(const Scaled<T>& d) {
  const auto m = static_cast<double>(d.m);
  return std::isnan(m) ? m : m > 0 ? 1 : m < 0 ? -1 : 0;
}

std::vector<Wide> det(const Call& c) {
  return with_matrices(c, [&]<class T>(const Array<T>& a) -> std::vector<Wide> {
    Array<T> out(output_specs(c)[0].shape);
    for (std::int64_t t = 0; t < out.size(); ++t) {
      const Scaled<T> d = determinant(copy_of(a, t, rows_of(a.shape), rows_of(a.shape)));
      out[t] = scale(d.m, d.exponent());
    }
    return {out};
  });
}

std::vector<Wide> slogdet(const Call& c) {
  return with_matrices(c, [&]<class T>(const Array<T>& a) -> std::vector<Wide> {
    Array<T> sign(output_specs(c)[0].shape), log(sign.shape);
    for (std::int64_t t = 0; t < sign.size(); ++t) {
      const Scaled<T> d = determinant(copy_of(a, t, rows_of(a.shape), rows_of(a.shape)));
      sign[t] = T(sign_of(d));
      log[t] = log_of(d);
    }
    return {sign, log};
  });
}

// ---- The judge ----

// Whether no operation of the elimination rounds in p bits, in whatever order its sums are made: whole multiples of a
// power of two that stay below 2^p of it, quotients too.
template <class T>
bool exact(const Square<T>& a, int p) {
  Square<T> s = a;
  eliminate(s);
  double least = kInf, most = 0;
  const auto see = [&](double x) {
    int e = 0;
    if (x == 0) return;
    const double m = std::ldexp(std::frexp(x, &e), 53);
    least = std::min(least, std::ldexp(1.0, e - 53 + __builtin_ctzll(static_cast<std::uint64_t>(std::abs(m)))));
    most = std::max(most, std::abs(x));
  };
  for (const Square<T>* each : {&a, static_cast<const Square<T>*>(&s)})
    for (const T& x : each->data) {
      if (!(x == T(static_cast<double>(x)))) return false;
      see(static_cast<double>(x));
    }
  // A product of a multiplier and an element is a multiple of the square of the least unit.
  return most == 0 || most * most * static_cast<double>(a.rows) <= std::ldexp(least * least, p);
}

// A column of zeros stays one, and is an exact 0 among the pivots.
template <class T>
bool empty_column(const Square<T>& a) {
  for (std::int64_t j = 0; j < a.columns; ++j) {
    std::int64_t zeros = 0;
    for (std::int64_t i = 0; i < a.rows; ++i) zeros += a.at()(i, j) == T(0);
    if (zeros == a.rows) return true;
  }
  return false;
}

// How far the determinant may stray, relative to itself: A + E with |E|_ij <= gamma_n n c_j, c_j the largest magnitude
// in column j of A and U, has |det (I + A^-1 E) - 1| <= (1 + b)^n - 1, b the norm of |A^-1| E; and the product of n
// pivots rounds as often.
template <class T>
double relative_error(const Square<T>& a, double u) {
  const std::int64_t n = a.rows;
  Square<T> lu = a, x = identity<T>(n);
  exchange(eliminate(lu), x);
  if (zero_pivot(lu) < n) return kInf;
  substitute(lu, false, true, x);
  substitute(lu, true, false, x);
  double columns = 0;  // sum over j of c_j: every row of |A^-1| E sums to at most its own norm times that
  for (std::int64_t j = 0; j < n; ++j) {
    double c = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      c = std::max(c, magnitude_of(a.at()(i, j)));
      if (i <= j) c = std::max(c, magnitude_of(lu.at()(i, j)));
    }
    columns += c;
  }
  double norm = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    double sum = 0;
    for (std::int64_t j = 0; j < n; ++j) sum += magnitude_of(x.at()(i, j));
    norm = std::max(norm, sum);
  }
  const auto k = static_cast<double>(n);
  const double b = gamma(k, u) * k * norm * columns;
  const double moved = std::expm1(k * std::log1p(b)), rounded = gamma(k, u);
  return moved < 1 ? moved * (1 + rounded) + rounded : kInf;
}

// What one matrix allows.
template <class T>
struct Expected {
  Scaled<T> d;
  double relative;
  bool finite, nan, whole;  // whole: nothing rounds
};
template <class T>
Expected<T> expected(const Call& c, const Array<T>& a, std::int64_t t) {
  const Square<T> s = copy_of(a, t, rows_of(a.shape), rows_of(a.shape));
  const DtypeInfo& type = info(computed(c));
  Expected<T> e{determinant(s), 0, all_finite(s), any_nan(s), false};
  if (!e.finite) return e;
  e.whole = empty_column(s) || exact(s, type.precision);
  const double u = type.unit_roundoff();
  // Each step may double the largest element.
  if (std::ldexp(greatest(s), static_cast<int>(std::min<std::int64_t>(s.rows, 2000))) > type.max) e.relative = kInf;
  else if (s.rows > 1) e.relative = e.whole ? gamma(static_cast<double>(s.rows), u) : relative_error(s, u);
  return e;
}

// An element of the output; an infinity where the exact value rounds to one.
void see(Verdict& v, double want, double got, double error, std::int64_t t, int output, const DtypeInfo& type) {
  if (std::isinf(want) || std::abs(want) + error > type.max) {
    if (std::isinf(got) && std::signbit(got) == std::signbit(want)) return;
    if (std::abs(want) - error > type.max * (1 + type.unit_roundoff())) return v.fail("finite where it overflows");
  }
  if (std::isnan(got)) return v.fail("NaN" + in_matrix(t));
  const double allowed = error + type.unit_roundoff() * (std::abs(want) + error) + type.min_subnormal;
  v.see(std::abs(got - want), allowed, t, want, got, output);
}

// Of a matrix that holds NaN the determinant is NaN; of one with an infinity it is what IEEE arithmetic makes of it.
template <class T>
bool apart(Verdict& v, const Expected<T>& e, double got, std::int64_t t) {
  if (e.nan && !std::isnan(got)) v.fail("NaN is lost" + in_matrix(t));
  return !e.finite;
}

std::vector<double> values_of(const Tensor& x) {
  return with_reals(x, [](const auto& a) {
    std::vector<double> out;
    for (const auto& v : a.data) out.push_back(static_cast<double>(v));
    return out;
  });
}

Deviation judge_det(const Call& c, const std::vector<Tensor>& got, const Order&) {
  Verdict v;
  const std::vector<double> dets = values_of(got[0]);
  with_matrices(c, [&]<class T>(const Array<T>& a) {
    for (std::int64_t t = 0; t < got[0].size() && !v.failed(); ++t) {
      const Expected<T> e = expected(c, a, t);
      const double value = dets[static_cast<std::size_t>(t)];
      if (apart(v, e, value, t)) continue;
      const auto want = static_cast<double>(scale(e.d.m, e.d.exponent()));
      if (std::isinf(e.relative)) ++v.worst.unbounded;
      else see(v, want, value, std::abs(want) * e.relative, t, 0, info(got[0].dtype()));
    }
    return 0;
  });
  v.worst.compared = elements_of(got);
  return v.worst;
}

// The logarithm strays by -log(1 - r), and by its own arithmetic: a mantissa within a factor of 2 of 1 and an exponent.
Deviation judge_slogdet(const Call& c, const std::vector<Tensor>& got, const Order& order) {
  Verdict v;
  const std::vector<double> signs = values_of(got[0]), logs = values_of(got[1]);
  const double u = info(computed(c)).unit_roundoff();
  with_matrices(c, [&]<class T>(const Array<T>& a) {
    for (std::int64_t t = 0; t < got[0].size() && !v.failed(); ++t) {
      const Expected<T> e = expected(c, a, t);
      const double sign = signs[static_cast<std::size_t>(t)], log = logs[static_cast<std::size_t>(t)];
      if (apart(v, e, log, t)) {
        apart(v, e, sign, t);
        continue;
      }
      if (!(e.relative < 1)) {
        v.worst.unbounded += 2;
        continue;
      }
      const auto want = static_cast<double>(log_of(e.d));
      v.see(std::abs(sign - sign_of(e.d)), 0, t, sign_of(e.d), sign);
      const double arithmetic = (4 + 2 * order.function_ulps) * u * (std::abs(want) + 1);
      see(v, want, log, std::isinf(want) ? 0 : -std::log1p(-e.relative) + arithmetic, t, 1, info(got[1].dtype()));
    }
    return 0;
  });
  v.worst.compared = elements_of(got);
  return v.worst;
}

// ---- Cases ----

constexpr const char* kCases = R"(
  call   {t}.{s}.{l}.{x}/-
  from   t={f32,f64} l=row x=spectrum-10 s={n}x{n}
  # of no rows it is 1, of no matrices there is none: LA02
  smoke  t=f32 s={0x0,2x0x0,3x0x0,0x3x3}
  smoke  s=3x{n}x{n} n={1,2,3,4,5,10}
  smoke  t={f16,bf16,i32,u8,bool,i64,u64,i8,i16,u16,u32} s=5x{n}x{n} n={t=='f16'?5:3} x={t=='bool'?'const-1':'scaled-4'}
  # signs: cycles of 3 and more, even and odd
  smoke  n={2,3,4,5,6,7} x={cycle,cycle-2}
  # exactly singular: 0, and (0, -inf)
  smoke  s=2x{n}x{n} n={1,2,3,4,5,9} x={const-0,zero_column}
  smoke  n={2,3,5} x=const-1
  # the product of the pivots leaves the range, its logarithm does not
  smoke  t=f32 n={3,4,5} x={scaled-60,scaled--60}
  smoke  t=f32 s=6x4x4 x=nonfinite
  ci     t=f64 n={3,7} x={scaled-900,scaled--900}
  ci     n={8,16,17,24,31,32,33} t={n%2?'f32':'f64'} x=scaled
  ci     batch={1,4,8,9,16,17} n={1,3,6,11} s={batch}x{n}x{n} t={batch%2?'f32':'f64'} x=scaled    # B02
  ci     t={@floats,i32} s=3x40x40 x=scaled-3
  ci     s=3x7x7 l={@layouts,!broadcast} x=scaled    # B04
  ci     s=2x20x20 t=f32 l={@layouts,!broadcast} x=scaled
  ci     t=f64 n={65,70,100} x=scaled
  ci     t=f32 n={65,70,100} x=cycle
)";

constexpr const char* kBench = R"(
  call   {t}.{s}.row.scaled/-
  from   t=f32
  ci     s={4096x3x3,4096x4x4,4096x16x16,512x512}
)";

Cost lu_cost(const Call& c) {
  const auto n = static_cast<double>(columns_of(c.shape(0)));
  return {static_cast<double>(matrices_of(c.shape(0))) * n * n * n * 2 / 3, input_bytes(c) + output_bytes(c)};
}

}  // namespace

std::vector<Op> determinant_ops() {
  Op op{.name = "det",
        .signature = "a T[*B,N,N] -> det F[*B]",
        .types = "T: bool integers floats; F = float(T)",
        .attrs = {},
        .equation = "det A = (-1)^s u_11 u_22 .. u_NN with P A = L U, s exchanges of rows; 1 where N is 0",
        .meaning =
            "whole numbers and truth values become f32 first; f16 and bf16 are computed in f32 and rounded once, "
            "for every N (upstream refuses them from N = 4 on). No product of pivots overflows or underflows "
            "before the determinant does",
        .oracle = det,
        .cases = kCases,
        .bench = kBench,
        .cost = lu_cost,
        .tolerance = {.kind = Tolerance::Class::residual, .residual = judge_det}};
  Op log = op;
  log.name = "slogdet";
  log.signature = "a T[*B,N,N] -> sign F[*B], logabsdet F[*B]";
  log.equation = "det A = sign e^logabsdet, sign -1, 0 or 1; (0, -inf) where det A = 0, (1, 0) where N is 0";
  log.meaning =
      "from the pivots for every N (upstream takes the logarithm of the determinant up to N = 3, so that it "
      "is lost where that overflows or underflows); a NaN gives NaN twice";
  log.oracle = slogdet;
  log.tolerance.residual = judge_slogdet;
  return {op, log};
}

}  // namespace plumb
