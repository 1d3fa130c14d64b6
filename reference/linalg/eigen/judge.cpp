#include "reference/linalg/eigen/judge.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/linalg/eigen/scalar.h"

namespace plumb::reference {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kHermitianRatio = 60;  // the threshold of LAPACK's own tests

// What an error is one of: a value of an output, or a norm; times 2^exponent in the unit of its elements.
struct Where {
  int output;
  int exponent = 0;
  std::int64_t at = -1;
  double value = 0;
};

void keep(Deviation& worst, double error, double allowed, const Where& where) {
  const double ratio = error == 0 ? 0 : !(error <= 1e300) ? kInf : error / allowed;
  if (ratio <= worst.ratio) return;
  worst.ratio = ratio, worst.output = where.output, worst.at = where.at;
  worst.allowed = std::scalbn(allowed, where.exponent);
  worst.want = where.value, worst.got = where.at < 0 ? std::scalbn(error, where.exponent) : where.value;
}

void refuse(Deviation& worst, const std::string& what, int output) {
  worst.what = what, worst.output = output, worst.ratio = kInf;
}

template <class T>
double norm1(const NumberMatrix<T>& a) {  // the largest sum of a column
  double largest = 0;
  for (std::int64_t j = 0; j < a.n; ++j) {
    double s = 0;
    for (std::int64_t i = 0; i < a.n; ++i) s += leading(modulus(a(i, j)));
    largest = std::max(largest, s);
  }
  return largest;
}

template <class T>
NumberMatrix<T> product(const NumberMatrix<T>& a, const NumberMatrix<T>& b) {
  NumberMatrix<T> c(a.n);
  for (std::int64_t i = 0; i < a.n; ++i)
    for (std::int64_t k = 0; k < a.n; ++k)
      for (std::int64_t j = 0; j < a.n; ++j) c(i, j) = c(i, j) + a(i, k) * b(k, j);
  return c;
}

template <class T>
NumberMatrix<T> adjoint(const NumberMatrix<T>& a) {
  NumberMatrix<T> b(a.n);
  for (std::int64_t i = 0; i < a.n; ++i)
    for (std::int64_t j = 0; j < a.n; ++j) b(i, j) = conjugate(a(j, i));
  return b;
}

// ---- Hermitian matrices ----

// d_i and |e_i|^2 of the tridiagonal matrix that reflections H = I - 2 v v^H / v^H v make of A.
template <class T>
struct Tridiagonal {
  std::vector<T> d, squares;

  // How many eigenvalues lie below x: the negative pivots of T - x I.
  std::int64_t below(T x) const {
    std::int64_t count = 0;
    T pivot(1);
    for (std::size_t i = 0; i < d.size(); ++i) {
      pivot = d[i] - x - (i > 0 ? squares[i - 1] / pivot : T(0));
      if (magnitude(pivot) < T(1e-290)) pivot = T(-1e-290);
      count += pivot < T(0);
    }
    return count;
  }
};

template <class T>
void reflect(NumberMatrix<T>& a, const std::vector<Number<T>>& v, T vv) {  // H A H
  const std::int64_t n = a.n;
  for (const bool rows : {true, false})
    for (std::int64_t i = 0; i < n; ++i) {
      Number<T> s;
      for (std::int64_t k = 0; k < n; ++k) {
        const Number<T>& vk = v[static_cast<std::size_t>(k)];
        s = s + (rows ? a(i, k) * vk : conjugate(vk) * a(k, i));
      }
      s = times(T(2) / vv, s);
      for (std::int64_t k = 0; k < n; ++k) {
        const Number<T>& vk = v[static_cast<std::size_t>(k)];
        if (rows) a(i, k) = a(i, k) - s * conjugate(vk);
        else a(k, i) = a(k, i) - vk * s;
      }
    }
}

template <class T>
Tridiagonal<T> tridiagonal(NumberMatrix<T> a) {
  using std::sqrt;
  Tridiagonal<T> t;
  for (std::int64_t k = 0; k < a.n; ++k) {
    T below(0);
    for (std::int64_t i = k + 1; i < a.n; ++i) below += a(i, k).re * a(i, k).re + a(i, k).im * a(i, k).im;
    const T head = k + 1 < a.n ? modulus(a(k + 1, k)) : T(0);
    if (k + 2 < a.n && head * head < below) {
      std::vector<Number<T>> v(static_cast<std::size_t>(a.n));
      for (std::int64_t i = k + 1; i < a.n; ++i) v[static_cast<std::size_t>(i)] = a(i, k);
      const Number<T> phase = head == T(0) ? Number<T>(T(1)) : Number<T>{a(k + 1, k).re / head, a(k + 1, k).im / head};
      Number<T>& first = v[static_cast<std::size_t>(k + 1)];
      first = first + times(T(sqrt(below)), phase);
      reflect(a, v, T(2) * (below + head * sqrt(below)));
    }
    t.d.push_back(a(k, k).re);
    if (k + 1 < a.n) t.squares.push_back(a(k + 1, k).re * a(k + 1, k).re + a(k + 1, k).im * a(k + 1, k).im);
  }
  return t;
}

// By how much of `unit` w_i must be moved for T to have i eigenvalues below it at most, and i + 1 at least: Weyl's
// bound without the eigenvalues themselves. In powers of two, 1/64 and less being 1/64.
template <class T>
double counted(const Tridiagonal<T>& t, T w, std::int64_t i, double unit) {
  for (double r = 0x1p-6; r < 0x1p120; r *= 2) {
    const T d(r * unit);
    if (t.below(w - d) <= i && t.below(w + d) >= i + 1) return r;
  }
  return kInf;
}

template <class T>
double two_norm(const Tridiagonal<T>& t) {  // at most thrice the 2-norm, and no less
  double largest = 0;
  for (std::size_t i = 0; i < t.d.size(); ++i) {
    double row = std::abs(leading(t.d[i]));
    if (i > 0) row += std::sqrt(leading(t.squares[i - 1]));
    if (i < t.squares.size()) row += std::sqrt(leading(t.squares[i]));
    largest = std::max(largest, row);
  }
  return largest;
}

// What was given for one matrix, with the exponent that the matrix is scaled by.
template <class T>
struct Given {
  std::vector<T> w;
  int e = 0;
};

template <class T>
std::string malformed(const std::vector<T>& w) {
  for (std::size_t i = 0; i < w.size(); ++i) {
    if (std::isnan(leading(w[i]))) return "w is NaN at " + std::to_string(i);
    if (i > 0 && w[i] < w[i - 1]) return "w is not ascending at " + std::to_string(i);
  }
  return "";
}

// ||A V - V diag(w)||_1 and ||I - V^H V||_1, an infinite w standing for v^H A v. As ||v_j||_1 >= 1, no w_j may stray by
// more than the residual; as ||(A - w_j) e_i||_1 <= 2 ||A||_1, an element of V that brings the second ratio to x brings
// the first to 2 x at most: as far as that the residual is an error of V.
template <class T>
void judge_vectors(const NumberMatrix<T>& a, const Given<T>& given, const NumberMatrix<T>& v, double unit, double u,
                   Deviation& worst) {
  const std::int64_t n = a.n;
  NumberMatrix<T> residual = product(a, v), gram = product(adjoint(v), v);
  const NumberMatrix<T> rayleigh = product(adjoint(v), residual);
  for (std::int64_t j = 0; j < n; ++j) {
    const T w = given.w[static_cast<std::size_t>(j)];
    const T scaled = std::isfinite(leading(w)) ? power_of_two(w, -given.e) : rayleigh(j, j).re;
    for (std::int64_t i = 0; i < n; ++i) residual(i, j) = residual(i, j) - times(scaled, v(i, j));
    gram(j, j) = gram(j, j) - Number<T>(T(1));
  }
  const double most = kHermitianRatio * static_cast<double>(n) * 2 * u;
  const double error = norm1(residual), allowed = most * norm1(a) + unit;
  Deviation own;
  own.compared = worst.compared;
  keep(own, norm1(gram), most, {1});
  if (error / allowed <= 2 * own.ratio) keep(own, error / allowed * most, most, {1});
  else keep(own, error, allowed, {0, given.e});
  if (own.ratio > worst.ratio) worst = own;
}

template <class T>
void judge_one(NumberMatrix<T> a, const std::vector<T>& w, const NumberMatrix<T>* v, const DtypeInfo& type,
               Deviation& worst) {
  if (const std::string what = malformed(w); !what.empty()) return refuse(worst, what, 0);
  Given<T> given{w, exponent(a)};
  scale(a, -given.e);
  const Tridiagonal<T> t = tridiagonal(a);
  const double u = type.unit_roundoff();
  const double eta = std::min(std::scalbn(type.min_subnormal, -given.e), 0x1p900);
  const double unit = kHermitianRatio * 2 * u * two_norm(t) + eta;
  const double last = std::scalbn(type.max, -given.e);  // an infinite w is at least that
  for (std::size_t i = 0; i < w.size(); ++i) {
    const double x = leading(w[i]);
    const T scaled = std::isinf(x) ? T(std::copysign(last, x)) : power_of_two(w[i], -given.e);
    const auto at = static_cast<std::int64_t>(i);
    double r = counted(t, scaled, at, unit);
    if (std::isinf(x)) r = (x > 0 ? t.below(scaled - T(unit)) <= at : t.below(scaled + T(unit)) > at) ? 0 : kInf;
    keep(worst, r * unit, unit, {0, given.e, at, x});
  }
  if (!v) return;
  if (!finite(*v)) refuse(worst, "v is not finite", 1);
  else judge_vectors(a, given, *v, eta, u, worst);
}

}  // namespace

Deviation judge_hermitian(const Call& c, const std::vector<Tensor>& got, const Order&) {
  const Wide w = widen(got[0]), v = got.size() > 1 ? widen(got[1]) : Wide();
  const bool upper = c.text("uplo") == "U";
  const DtypeInfo& type = info(got[0].dtype());
  Deviation worst;
  with_numbers(widen(c[0]), [&]<class A>(const A& a) {
    using T = decltype(number(a, 0).re);
    const std::int64_t n = a.shape.back();
    for (std::int64_t m = 0; n > 0 && m < a.size() / (n * n) && worst.what.empty(); ++m) {
      NumberMatrix<T> s = square_of(a, m);
      fill_from_triangle(s, upper);
      const T* first = std::get<Array<T>>(w).data.data() + m * n;
      const std::vector<T> own(first, first + n);
      if (got.size() == 1) {
        judge_one<T>(s, own, nullptr, type, worst);
      } else {
        const NumberMatrix<T> vectors = square_of(std::get<A>(v), m);
        judge_one<T>(s, own, &vectors, type, worst);
      }
      worst.compared += n * (got.size() > 1 ? n + 1 : 1);
    }
    return 0;
  });
  return worst;
}

}  // namespace plumb::reference
