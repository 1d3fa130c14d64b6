#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/linalg/eigen/judge.h"
#include "reference/linalg/eigen/scalar.h"

namespace plumb::reference {
namespace {

using Z = Number<double>;
using Matrix = NumberMatrix<double>;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kLapackRatio = 20;  // ||A v - w v|| <= 20 ulp ||A|| ||v||, the threshold of LAPACK's own tests
constexpr double kUlp = 0x1p-23;     // of c64
constexpr double kLeast = 0x1p-149, kMost = 0x1.fffffep127;
constexpr std::int64_t kPowers = 12;

// error <= allowed; what is reported is in units of elements, none of which may stray by more than `most`.
void keep(Deviation& worst, double error, double allowed, int output, std::int64_t at, double most) {
  const double ratio = error == 0 ? 0 : !(error <= 1e300) ? kInf : error / allowed;
  if (ratio <= worst.ratio) return;
  worst.ratio = ratio, worst.output = output, worst.at = at;
  worst.want = 0, worst.got = ratio * most, worst.allowed = most;
}

void refuse(Deviation& worst, const std::string& what, int output) {
  worst.what = what, worst.output = output, worst.ratio = kInf;
}

double frobenius(const Matrix& a) {
  double s = 0;
  for (const Z& v : a.x) s += v.re * v.re + v.im * v.im;
  return std::sqrt(s);
}

// Whether column j of v is real.
bool real_column(const Matrix& v, std::int64_t j) {
  for (std::int64_t i = 0; i < v.n; ++i)
    if (v(i, j).im != 0) return false;
  return true;
}

// Whether the eigenvalues of a real matrix are real with real vectors, or pairs of conjugates, the positive imaginary
// part first. Imaginary parts below the least c64 are 0, and their vectors still a pair.
bool paired(const std::vector<Z>& w, const Matrix* v) {
  for (std::size_t j = 0; j < w.size(); ++j) {
    const auto column = static_cast<std::int64_t>(j);
    if (w[j].im == 0 && (!v || real_column(*v, column))) continue;
    if (j + 1 == w.size() || w[j].im < 0 || w[j + 1].re != w[j].re || w[j + 1].im != -w[j].im) return false;
    for (std::int64_t i = 0; v && i < v->n; ++i)
      if ((*v)(i, column + 1).re != (*v)(i, column).re || (*v)(i, column + 1).im != -(*v)(i, column).im) return false;
    ++j;
  }
  return true;
}

// The sums of powers of all eigenvalues at once: if w are those of A + E with ||E||_F <= e ||A||_F = e, then
// |sum w^k - tr A^k| <= n ((1 + e)^k - 1), however ill-conditioned each of them is. Here ||A||_F = 1. By k = 1 none may
// stray by more than n e, `most` in the units of w.
void judge_powers(const Matrix& a, const std::vector<Z>& w, double e, double most, Deviation& worst) {
  const std::int64_t n = a.n;
  Matrix power = a;
  std::vector<Z> own = w;
  for (std::int64_t k = 1; k <= std::min(n, kPowers); ++k) {
    Z sum;
    for (std::size_t i = 0; i < w.size(); ++i) {
      sum = sum + own[i] - power(static_cast<std::int64_t>(i), static_cast<std::int64_t>(i));
      own[i] = own[i] * w[i];
    }
    keep(worst, modulus(sum), static_cast<double>(n) * std::expm1(static_cast<double>(k) * std::log1p(e)), 0, -1, most);
    Matrix next(n);
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t p = 0; p < n; ++p)
        for (std::int64_t j = 0; j < n; ++j) next(i, j) = next(i, j) + power(i, p) * a(p, j);
    power = next;
  }
}

// A - w I = P L U in place, pivots no smaller than negligible; rows as they were exchanged.
std::vector<std::int64_t> factor(Matrix& a) {
  std::vector<std::int64_t> rows;
  for (std::int64_t k = 0; k < a.n; ++k) {
    std::int64_t best = k;
    for (std::int64_t i = k; i < a.n; ++i)
      if (modulus(a(i, k)) > modulus(a(best, k))) best = i;
    rows.push_back(best);
    for (std::int64_t j = 0; j < a.n; ++j) std::swap(a(k, j), a(best, j));
    if (modulus(a(k, k)) < 1e-18) a(k, k) = 1e-18;
    for (std::int64_t i = k + 1; i < a.n; ++i) {
      a(i, k) = a(i, k) / a(k, k);
      for (std::int64_t j = k + 1; j < a.n; ++j) a(i, j) = a(i, j) - a(i, k) * a(k, j);
    }
  }
  return rows;
}

void normalize(std::vector<Z>& x) {
  double largest = 0, s = 0;
  for (const Z& v : x) largest = std::max(largest, modulus(v));
  for (Z& v : x) v = times(1 / largest, v), s += v.re * v.re + v.im * v.im;
  for (Z& v : x) v = times(1 / std::sqrt(s), v);
}

// x as a multiple that stays in range.
void restrain(std::vector<Z>& x, std::int64_t i) {
  if (modulus(x[static_cast<std::size_t>(i)]) < 0x1p400) return;
  for (Z& v : x) v = times(0x1p-400, v);
}

// (A - w I)^-H and then (A - w I)^-1 of x.
void iterate(const Matrix& lu, const std::vector<std::int64_t>& rows, std::vector<Z>& x) {
  const std::int64_t n = lu.n;
  const auto at = [&](std::int64_t i) -> Z& { return x[static_cast<std::size_t>(i)]; };
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t k = 0; k < i; ++k) at(i) = at(i) - conjugate(lu(k, i)) * at(k);
    at(i) = at(i) / conjugate(lu(i, i));
    restrain(x, i);
  }
  for (std::int64_t i = n - 1; i >= 0; --i)
    for (std::int64_t k = i + 1; k < n; ++k) at(i) = at(i) - conjugate(lu(k, i)) * at(k);
  for (std::int64_t i = n - 1; i >= 0; --i) std::swap(at(i), at(rows[static_cast<std::size_t>(i)]));
  normalize(x);
  for (std::int64_t i = 0; i < n; ++i) std::swap(at(i), at(rows[static_cast<std::size_t>(i)]));
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t k = 0; k < i; ++k) at(i) = at(i) - lu(i, k) * at(k);
  for (std::int64_t i = n - 1; i >= 0; --i) {
    for (std::int64_t k = i + 1; k < n; ++k) at(i) = at(i) - lu(i, k) * at(k);
    at(i) = at(i) / lu(i, i);
    restrain(x, i);
  }
  normalize(x);
}

// ||A x - w x||_2 of a unit vector.
double residual(const Matrix& a, Z w, const std::vector<Z>& x) {
  double s = 0;
  for (std::int64_t i = 0; i < a.n; ++i) {
    Z r = times(-1.0, w * x[static_cast<std::size_t>(i)]);
    for (std::int64_t k = 0; k < a.n; ++k) r = r + a(i, k) * x[static_cast<std::size_t>(k)];
    s += r.re * r.re + r.im * r.im;
  }
  return std::sqrt(s);
}

// The smallest singular value of A - w I, from above: the backward error of w by itself.
double backward_error(const Matrix& a, Z w) {
  Matrix shifted = a;
  for (std::int64_t i = 0; i < a.n; ++i) shifted(i, i) = shifted(i, i) - w;
  const std::vector<std::int64_t> rows = factor(shifted);
  std::vector<Z> x(static_cast<std::size_t>(a.n));
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = {1 + 0.1 * static_cast<double>(i % 7), 0.05 * static_cast<double>(i % 3)};
  normalize(x);
  for (int step = 0; step < 3; ++step) iterate(shifted, rows, x);
  return residual(a, w, x);
}

// What the vectors of one matrix are judged with: A times `unit` is what was given, `slack` what rounding brings to the
// least numbers, `gap` = |sum w - tr A|.
struct Setting {
  double unit, slack, gap;
};

// An element that is 0 changes the length of its column by half of its square. A residual is an error of w, and no
// greater one, if it shows in the sum of all w by half at least, beyond their rounding; else it is one of v.
void judge_vector(const Matrix& a, Z w, bool infinite, const Matrix& v, std::int64_t j, const Setting& s,
                  Deviation& worst) {
  std::vector<Z> x;
  double square = 0, largest = 0, imaginary = kInf, sum = 0;
  for (std::int64_t i = 0; i < a.n; ++i) {
    x.push_back(v(i, j));
    const double size = modulus(x.back());
    square += size * size, sum += size;
    largest = std::max(largest, size);
  }
  const double allowed = kLapackRatio * static_cast<double>(a.n) * kUlp;
  const double most = a.n == 1 ? allowed : std::sqrt(2 * allowed);
  for (const Z& e : x)  // of those that are largest, up to rounding, one is real
    if (modulus(e) >= largest * (1 - kLapackRatio * kUlp)) imaginary = std::min(imaginary, std::abs(e.im));
  keep(worst, std::abs(std::sqrt(square) - 1), allowed, 1, j, most);
  keep(worst, imaginary, allowed, 1, j, allowed);
  if (infinite) return;
  const double error = residual(a, w, x), bound = kLapackRatio * kUlp * std::max(1.0, sum) + s.slack;
  const bool of_value = s.gap - static_cast<double>(a.n) * s.slack >= error / 2;
  keep(worst, error, bound, of_value ? 0 : 1, j, of_value ? bound * s.unit : most);
}

double trace_gap(const Matrix& a, const std::vector<Z>& w) {
  Z sum;
  for (std::int64_t i = 0; i < a.n; ++i) sum = sum + w[static_cast<std::size_t>(i)] - a(i, i);
  return finite(sum) ? modulus(sum) : kInf;
}

// The eigenvalues of 0 are 0 to the bit, or the least number.
void judge_zero(const Matrix& a, const std::vector<Z>& w, const Matrix* v, Deviation& worst) {
  for (std::size_t j = 0; j < w.size(); ++j) {
    keep(worst, modulus(w[j]), kLeast, 0, -1, kLeast);
    const Setting s{1, kLeast, trace_gap(a, w)};
    if (v) judge_vector(a, w[j], !finite(w[j]), *v, static_cast<std::int64_t>(j), s, worst);
  }
}

void judge_one(Matrix a, const std::vector<Z>& w, const Matrix* v, bool real, Deviation& worst) {
  const double n = static_cast<double>(a.n);
  for (const Z& x : w)
    if (std::isnan(x.re) || std::isnan(x.im)) return refuse(worst, "w is NaN", 0);
  if (v && !finite(*v)) return refuse(worst, "v is not finite", 1);
  if (real && !paired(w, v)) return refuse(worst, "no pairs of conjugates", 0);
  const int e = exponent(a);
  scale(a, -e);
  const double norm = frobenius(a);
  if (norm == 0) return judge_zero(a, w, v, worst);
  for (Z& x : a.x) x = times(1 / norm, x);
  const double least = std::min(1.0, std::scalbn(kLeast / norm, -e)), most = std::scalbn(kMost / norm, -e);
  const double unit = std::scalbn(norm, e), backward = kLapackRatio * n * kUlp + n * least, stray = n * backward * unit;
  std::vector<Z> scaled;
  for (const Z& x : w) scaled.push_back({std::scalbn(x.re, -e) / norm, std::scalbn(x.im, -e) / norm});
  const Setting s{unit, least, trace_gap(a, scaled)};
  bool all = true;
  for (std::size_t j = 0; j < w.size(); ++j) {
    const bool infinite = !finite(w[j]);
    const auto column = static_cast<std::int64_t>(j);
    if (infinite && !(1 >= most * (1 - n * kUlp))) refuse(worst, "w is infinite and A is not that large", 0);
    if (!infinite && !(stray <= 4 * kMost)) ++worst.unbounded;  // no number is that far away
    all = all && !infinite;
    if (v) judge_vector(a, scaled[j], infinite, *v, column, s, worst);
    else if (!infinite) keep(worst, backward_error(a, scaled[j]), kLapackRatio * n * kUlp + least, 0, column, stray);
  }
  if (all) judge_powers(a, scaled, backward, stray, worst);
}

}  // namespace

Wide widen_general(const Tensor& a) {
  const Wide wide = widen(a);
  if (std::holds_alternative<Complexes>(wide)) return wide;
  Complexes z(a.shape());
  for (std::int64_t i = 0; i < z.size(); ++i) {
    if (const auto* pairs = std::get_if<Reals2>(&wide)) z[i] = (*pairs)[i].hi;
    else z[i] = reals(wide)[i];
  }
  return z;
}

Deviation judge_general(const Call& c, const std::vector<Tensor>& got, const Order&) {
  const Complexes a = complexes(widen_general(c[0])), w = complexes(widen(got[0]));
  const Wide v = got.size() > 1 ? widen(got[1]) : Wide();
  const std::int64_t n = a.shape.back();
  Deviation worst;
  for (std::int64_t m = 0; n > 0 && m < a.size() / (n * n) && worst.what.empty(); ++m) {
    std::vector<Z> own;
    for (std::int64_t i = 0; i < n; ++i) own.push_back(number(w, m * n + i));
    Matrix vectors(0);
    if (got.size() > 1) vectors = square_of(complexes(v), m);
    judge_one(square_of(a, m), own, got.size() > 1 ? &vectors : nullptr, c.dtype(0) != Dtype::c64, worst);
    worst.compared += n * (got.size() > 1 ? n + 1 : 1);
  }
  return worst;
}

}  // namespace plumb::reference
