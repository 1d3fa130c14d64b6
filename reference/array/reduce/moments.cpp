// Mean, variance and standard deviation along axes.
#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/array/reduce/cut.h"

namespace plumb {
namespace {

using namespace reference;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double magnitude(double x) { return std::abs(x); }
double magnitude(Double2 x) { return std::abs(x.hi); }
double magnitude(Complex z) { return std::abs(z); }

// A line as real or complex numbers; whole numbers are exact as pairs.
template <class T>
struct Number {
  typedef T type;
};
template <>
struct Number<std::uint64_t> {
  typedef Double2 type;
};
template <>
struct Number<std::int64_t> {
  typedef Double2 type;
};
template <class T>
using NumberOf = typename Number<T>::type;

template <class T>
Double2 pair_of(T v) {  // 64 bits in two numbers of 53
  const auto high = static_cast<double>(v >> 32) * 0x1p32, low = static_cast<double>(v & 0xFFFFFFFF);
  return Double2(high) + Double2(low);
}

template <class T>
std::vector<NumberOf<T>> numbers(const std::vector<T>& x) {
  if constexpr (std::is_integral_v<T>) {
    std::vector<Double2> y;
    for (const T v : x) y.push_back(pair_of(v));
    return y;
  } else {
    return x;
  }
}

// The least power of two above all finite values, so that what is divided by it has sums and squares in range.
template <class T>
double scale_of(const std::vector<T>& x) {
  double most = 0;
  for (const T& v : x)
    if (std::isfinite(magnitude(v))) most = std::max(most, magnitude(v));
  return most > 0 ? std::ldexp(1.0, std::clamp(std::ilogb(most) + 1, -1000, 1000)) : 1;
}

template <class T>
T times(T x, double s) {
  return x * T(s);
}
Complex times(Complex z, double s) { return {z.real() * s, z.imag() * s}; }

// m = (sum of x_i) / n, of x divided by a power of two that the caller multiplies by
template <class T>
T mean_of(const std::vector<T>& x, double scale) {
  T sum(0);
  for (const T& v : x) sum = sum + times(v, 1 / scale);
  if constexpr (std::is_same_v<T, Complex>) return times(sum, 1 / static_cast<double>(x.size()));
  else return sum / T(static_cast<double>(x.size()));
}

double square(double d) { return d * d; }
Double2 square(Double2 d) { return d * d; }
double square(Complex d) { return d.real() * d.real() + d.imag() * d.imag(); }

// sum of |x_i - m|^2, m the mean, of x divided by a power of two
template <class T>
auto squares_of(const std::vector<T>& x, double scale) {
  const T m = mean_of(x, scale);
  decltype(square(m)) sum(0);
  for (const T& v : x) sum = sum + square(times(v, 1 / scale) - m);
  return sum;
}

// What is subtracted from n.
std::int64_t correction(const Request& r) { return r.integer(r.none("correction") ? "ddof" : "correction"); }

// ---- oracles

// y_l = f(x), x the elements of line l
template <class F>
std::vector<Wide> of_lines(const Call& c, F f) {
  const Shape out = c.outputs()[0].shape;
  return std::visit(
      [&]<class T>(const Array<T>& a) -> std::vector<Wide> {
        Array<decltype(f(std::vector<NumberOf<T>>()))> y(out);
        for_lines(a, cut(c), [&](std::int64_t l, const std::vector<T>& x) { y[l] = f(numbers(x)); });
        return {y};
      },
      widen(c[0]));
}

template <class T>
T nothing(T) {
  return T(kNaN);
}
Complex nothing(Complex) { return {kNaN, kNaN}; }

// m_l = (sum of a_i over line l) / n
std::vector<Wide> mean(const Call& c) {
  return of_lines(c, []<class T>(const std::vector<T>& x) -> T {
    if (x.empty()) return nothing(T());
    const double scale = scale_of(x);
    return times(mean_of(x, scale), scale);
  });
}

// v_l = (sum of |a_i - m_l|^2 over line l) / (n - c)
template <class T>
auto variance_of(const std::vector<T>& x, std::int64_t c, double scale) {
  using V = decltype(squares_of(x, scale));
  if (x.empty()) return V(kNaN);
  const V s = squares_of(x, scale);
  const double n = static_cast<double>(x.size()) - static_cast<double>(c);
  return n > 0 ? s / V(n) : s == V(0) ? V(kNaN) : s + V(kInf);
}

std::vector<Wide> var(const Call& c) {
  const std::int64_t k = correction(c);
  return of_lines(c, [k](const auto& x) {
    const double scale = scale_of(x);
    return times(times(variance_of(x, k, scale), scale), scale);
  });
}

std::vector<Wide> std_deviation(const Call& c) {
  const std::int64_t k = correction(c);
  return of_lines(c, [k](const auto& x) {
    using std::sqrt;
    const double scale = scale_of(x);
    return times(sqrt(variance_of(x, k, scale)), scale);
  });
}

// ---- bounds

// What a line is made of: the largest finite magnitude, the mean one.
struct Size {
  double most = 0, mean = 0;
};
template <class T>
Size size_of(const std::vector<T>& x) {
  Size s;
  for (const T& v : x)
    if (const double m = magnitude(v); std::isfinite(m))
      s.most = std::max(s.most, m), s.mean += m / static_cast<double>(x.size());
  return s;
}

double own_roundoff(const Call& c) { return c.dtype(0) == Dtype::f64 ? kDouble2Roundoff : 0x1p-53; }

std::vector<Allowances> mean_bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const Spec out = c.outputs()[0];
  const Dtype part = is_complex(out.dtype) ? Dtype::f32 : out.dtype;
  Order sum = order;
  sum.epilogue += 1;  // the quotient
  Allowances bound(out.shape);
  std::visit(
      [&]<class T>(const Array<T>& a) {
        for_lines(a, cut(c), [&](std::int64_t l, const std::vector<T>& x) {
          const Size s = size_of(numbers(x));
          const auto n = static_cast<std::int64_t>(x.size());
          bound[l].error = accumulate_bound(s.mean, s.mean, n, sum, part, own_roundoff(c));
          bound[l].overflow = may_overflow(s.mean * static_cast<double>(n), n, sum);
        });
      },
      widen(c[0]));
  (void)want;
  return {bound};
}

// How far a variance v = M / n and what follows from it stray: see docs/bounds.md. With h the depth of the sums, X the
// largest magnitude of the line, u the roundoff, j = 1 where moments are taken by blocks and joined, else 0:
//
//   e = gamma_((1 + 4 j) h + 2) X                                  the mean of a block or of all
//   |dv| <= gamma_((1 + 6 j) h + 6) (v + e^2) + e^2 + j (4 e sqrt(v h / 2) + 2 h e^2) + 4 eta
struct Variance {
  double error = 0;
  bool overflow = false;
};
// All of it of a line divided by `scale`.
Variance variance_error(double v, double most, double n, double scale, const Order& order, double own) {
  if (n == 1) return {};  // the mean is the element itself, however it is computed
  const bool exact = order.shape == Order::Shape::exact;
  const double u = order.accumulator_roundoff(),
               eta = exact ? 0 : info(order.accumulator).min_subnormal / scale / scale;
  const double h = static_cast<double>(order.depth(static_cast<std::int64_t>(n))), j = order.tree ? 1 : 0;
  const double e = (gamma(exact ? 0 : (1 + 4 * j) * h + 2, u) + gamma(n + 2, own)) * most;
  const double g = gamma(exact ? 0 : (1 + 6 * j) * h + 6, u) + gamma(n + 6, own);
  Variance r;
  const double a = exact ? 0 : gamma(order.prologue, u) * most;
  r.error = 2 * a * std::sqrt(v) + a * a + g * (v + e * e) + e * e +
            j * (4 * e * std::sqrt(v * h / 2) + 2 * h * e * e) + 4 * eta;
  const double largest = info(order.accumulator).max / scale;
  r.overflow = !exact && (n * most * (1 + g) > largest || 2 * n * (v + e * e) * (1 + g) > largest / scale);
  return r;
}

// Of a result y that is v n / (n - c), or with `root` the square root of that.
Allowed allowed(double y, double most, std::int64_t n, std::int64_t c, const Order& order, Dtype out, double own,
                bool root) {
  if (n <= c || !std::isfinite(y)) return {0, order.shape != Order::Shape::exact && std::isinf(y) && n > c};
  const double terms = static_cast<double>(n), ratio = terms / static_cast<double>(n - c);
  const double scale = root && most > 1 ? std::ldexp(1.0, std::ilogb(most)) : 1;  // squares stay in range
  const double z = y / scale, v = root ? z * z : z, u = order.accumulator_roundoff();
  const Variance of = variance_error(v / ratio, most / scale, terms, scale, order, own);
  double error = of.error * ratio + gamma(2, u + own) * (v + of.error * ratio);
  if (root) {
    const double high = std::sqrt(v + error) - z, low = z - std::sqrt(std::max(0.0, v - error));
    error = std::max(high, low) + 2 * std::max(0.5, order.function_ulps) * (u + own) * (z + std::max(high, low));
  }
  error *= scale;
  const DtypeInfo &to = info(out), &acc = info(order.accumulator);
  if (to.precision < acc.precision || order.shape == Order::Shape::exact)
    error += to.unit_roundoff() * (y + error) + to.min_subnormal / 2;
  return {error, of.overflow};
}

double value(double x) { return x; }
double value(Double2 x) { return x.hi; }
template <class T>
double value(T) {
  return 0;
}

template <bool Root>
std::vector<Allowances> deviation_bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const Spec out = c.outputs()[0];
  Allowances bound(out.shape);
  std::visit(
      [&]<class T, class W>(const Array<T>& a, const Array<W>& y) {
        for_lines(a, cut(c), [&](std::int64_t l, const std::vector<T>& x) {
          bound[l] = allowed(value(y[l]), size_of(numbers(x)).most, static_cast<std::int64_t>(x.size()), correction(c),
                             order, out.dtype, own_roundoff(c), Root);
        });
      },
      widen(c[0]), want[0]);
  return {bound};
}

// ---- rows

constexpr const char* kMeanCall = R"(
  call   {t}.{s}.{l}.{x}/axis={axis},keepdims={keep}
)";
constexpr const char* kDeviationCall = R"(
  call   {t}.{s}.{l}.{x}/axis={axis},keepdims={keep},ddof={ddof},correction={less}
  from   ddof= less=
)";
constexpr const char* kTypes = R"(
  from   types={@all} x1=int-3 x2=uniform x3=int-100
)";
constexpr const char* kMore = R"(
  # nothing: NaN
  ci     t={@all} s={0,0x3,3x0,2x0x3} x=int-3 keep={false,true} axis={0,-1}
  smoke  t={@floats,f64,c64} s=5x40 x={special,positive,wide-6} axis={0,1}
  # far from 0, all alike, sums that leave a half type or its precision
  ci     t={@floats,f64,c64} s={33x70,70x33} x={near-1000,near--3,const-7} axis={0,1,0:1}
  ci     t,x={f16 const-60000, bf16 const-1, f16 near-30000} s={7001,70x9}
  ci     t={f32,f64} s=9x300 x={tiny,huge,huge-30,wide-40} axis={0,1}
  ci     t={u8,i8,u32,i64,u64} s=3x300 x=whole axis={0,1}
  # parts of lines that are taken by themselves and joined
  ci     t={f32,f64} s={4095,4097,8193,20000} x={uniform,near-100}
  ci     t={f32,f64} s={65,129,300,4100}x{2,3,70} x={uniform,near-100} axis=0
)";
constexpr const char* kCorrections = R"(
  # what is subtracted from n, up to n and beyond it
  smoke  t={f32,f16,i32,c64} s=5x3 ddof={0,1,2,-1} less={none,0,1} axis={0,1} x=uniform
  ci     t={@floats,f64,c64,i8} s={1,2,3,4}x7 ddof={0,1,3,5} axis=0 x={int-1,const-0.1,special}
)";
constexpr const char* kRejectCorrections = R"(
  attribute more=ddof=0.5       # half a value
  attribute more=correction=0.5 # half a value
)";
constexpr const char* kBench = R"(
  call   {t}.{s}.row.uniform/axis={axis}
  ci     t=f32 s=16777216 axis=
  ci     t,s,axis={f32 4096x4096 1, f32 4096x4096 0, f16 4096x4096 1}
)";

Op mean_row() {
  Op op;
  op.name = "mean";
  op.signature = "a T[...] -> out F[... over axis]";
  op.types = "T: all; F = float(T)";
  op.attrs = {{"axis", kNone}, {"keepdims", false}};
  op.equation = "m_l = (sum of a_i over the elements i of line l) / n; an empty line gives NaN";
  op.meaning =
      "bool and integers give f32, of their exact values; f16 and bf16 are summed and divided in f32 or wider and "
      "rounded "
      "once, so that the mean of 70000 ones in f16 is 1 (upstream rounds the sum first); an infinity may come where a "
      "partial sum leaves the range of the accumulator";
  op.oracle = mean;
  op.cases = {kMeanCall, kTypes, kLineCases, kMore};
  op.rejects = kAxisRejects;
  op.bench = kBench;
  op.cost = line_cost;
  op.tolerance.kind = Tolerance::Class::inherited;
  op.tolerance.bound = mean_bound;
  return op;
}

Op deviation_row(std::string_view name, std::string_view equation, Oracle oracle) {
  Op op = mean_row();
  op.name = name;
  op.signature = "a T[...] -> out P[... over axis]";
  op.types = "T: all; F = float(T); P = part(F)";
  op.attrs = {{"axis", kNone}, {"keepdims", false}, {"ddof", 0}, {"correction", kNone}};
  op.equation = equation;
  op.meaning =
      "m_l is the mean; c is correction, or ddof if that is none, and may be negative; where n <= c +inf, or NaN if "
      "all "
      "are equal; an empty line and any value that is not finite give NaN; halves compute in f32 or wider and round "
      "once "
      "(upstream rounds each step: var of f16 0..299 is inf there); squares may leave the range of the accumulator";
  op.infer = [](const Request& r) {
    (void)correction(r);
    return r.outputs();
  };
  op.oracle = oracle;
  op.cases = {kDeviationCall, kTypes, kLineCases, kMore, kCorrections};
  op.rejects = {kAxisRejects, kRejectCorrections};
  return op;
}

}  // namespace

std::vector<Op> moments_ops() {
  Op v = deviation_row("var", "v_l = (sum of |a_i - m_l|^2 over the elements i of line l) / (n - c)", var);
  v.tolerance.bound = deviation_bound<false>;
  Op s =
      deviation_row("std", "s_l = sqrt((sum of |a_i - m_l|^2 over the elements i of line l) / (n - c))", std_deviation);
  s.tolerance.bound = deviation_bound<true>;
  return {mean_row(), v, s};
}

}  // namespace plumb
