// Running sums, products, maxima, minima and sums of exponentials along an axis.
#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/array/order.h"
#include "reference/array/scan/scan.h"

namespace plumb {
namespace {

using namespace reference;

constexpr double kInf = std::numeric_limits<double>::infinity();

Shape shape_of_scan(const Request& r) {
  if (r.none("axis")) return {count(r.shape(0))};
  (void)r.axis();
  return r.shape(0);
}

// The dtype that a running sum or product is of: `dtype`, to which elements are cast first, else that of the elements.
Dtype scanned_as(const Request& r) { return r.dtype_attr("dtype").value_or(r.dtype(0)); }
Dtype summed_as(const Request& r) {
  const Dtype t = scanned_as(r);
  return t == Dtype::boolean ? Dtype::i32 : t;
}

std::vector<Spec> infer_sum(const Request& r) { return {{summed_as(r), shape_of_scan(r)}}; }
std::vector<Spec> infer_prod(const Request& r) { return {{scanned_as(r), shape_of_scan(r)}}; }
std::vector<Spec> infer_extreme(const Request& r) { return {{r.dtype(0), shape_of_scan(r)}}; }
std::vector<Spec> infer_log(const Request& r) { return {{at_least_float(r.dtype(0)), shape_of_scan(r)}}; }

// ---- y_k = x_0 + .. + x_k

std::int64_t plus(std::int64_t a, std::int64_t b) {  // modulo 2^64
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
template <class T>
T plus(T a, T b) {
  return a + b;
}

template <class T>
struct Sum {
  T s{};
  void add(T x) { s = plus(s, x); }
  T value() const { return s; }
};

std::vector<Wide> cumsum(const Call& c) {
  return std::visit(
      [&]<class T>(const Array<T>& x) -> std::vector<Wide> {
        Array<T> y(output_specs(c)[0].shape);
        scan(c, x, Sum<T>{}, y);
        return {y};
      },
      widen(narrow(widen_as(c[0], scanned_as(c)), summed_as(c))));
}

std::int64_t sum_terms(const Call& c) { return scanned(c).size; }

double size_of(double x) { return std::isfinite(x) ? std::abs(x) : 0; }
double size_of(Double2 x) { return size_of(x.hi); }
double size_of(Complex z) { return std::hypot(size_of(z.real()), size_of(z.imag())); }

// Of elements once they are cast: the least whole number of a type has no magnitude in it.
std::vector<Wide> sum_magnitude(const Call& c) {
  Reals g(output_specs(c)[0].shape);
  std::visit(
      [&]<class T>(const Array<T>& x) {
        if constexpr (!std::is_integral_v<T>) {
          Reals size(x.shape);
          std::transform(x.data.begin(), x.data.end(), size.data.begin(), [](T v) { return size_of(v); });
          scan(c, size, Sum<double>{}, g);
        }
      },
      widen_as(c[0], summed_as(c)));
  return {g};
}

// ---- y_k = x_0 x_1 .. x_k, as m 2^e with m beside 1, so that nothing on the way leaves the range

double modulus(double x) { return std::abs(x); }
double modulus(Double2 x) { return std::abs(x.hi); }
double modulus(Complex z) { return std::max(std::abs(z.real()), std::abs(z.imag())); }

double scaled(double x, std::int64_t e) {
  return std::ldexp(x, static_cast<int>(std::clamp<std::int64_t>(e, -9999, 9999)));
}
Double2 scaled(Double2 x, std::int64_t e) {
  const double hi = scaled(x.hi, e);
  return {hi, std::isfinite(hi) ? scaled(x.lo, e) : 0.0};
}
Complex scaled(Complex z, std::int64_t e) { return {scaled(z.real(), e), scaled(z.imag(), e)}; }

double times(double a, double b) { return a * b; }
Double2 times(Double2 a, Double2 b) { return a * b; }
Complex times(Complex a, Complex b) {  // (a + b i)(c + d i) = (ac - bd) + (ad + bc) i
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

double factor(double x) { return x; }
Double2 factor(Double2 x) { return x; }
Complex factor(Complex z) {  // one that is not finite leaves nothing of a product
  const double nan = std::numeric_limits<double>::quiet_NaN();
  return std::isfinite(z.real()) && std::isfinite(z.imag()) ? z : Complex(nan, nan);
}

template <class T>
struct Product {
  T m = T(1.0);
  std::int64_t e = 0;
  void add(T x) {
    x = normal(factor(x));
    m = normal(times(m, x));
  }
  T value() const { return scaled(m, e); }

 private:
  T normal(T x) {
    const double size = modulus(x);
    if (size == 0 || !std::isfinite(size)) return x;
    const int k = std::ilogb(size);
    e += k;
    return scaled(x, -k);
  }
};

std::int64_t product(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}
std::uint64_t product(std::uint64_t a, std::uint64_t b) { return a * b; }

template <std::integral T>
struct Product<T> {
  T m = 1;
  void add(T x) { m = product(m, x); }
  T value() const { return m; }
};

std::vector<Wide> cumprod(const Call& c) {
  return std::visit(
      [&]<class T>(const Array<T>& x) -> std::vector<Wide> {
        Array<T> y(output_specs(c)[0].shape);
        scan(c, x, Product<T>{}, y);
        return {y};
      },
      widen_as(c[0], scanned_as(c)));
}

// What is known of the products of neighbouring factors among x_0 .. x_k, whatever the order in which they are formed:
// log2 of the largest and of the least that is made of finite numbers other than 0, and how many factors there are.
struct Range {
  double high = 0, low = 0, high_ending = 0, low_ending = 0;  // ending: of products that end with x_k
  std::int64_t factors = 0;
  template <class T>
  void add(T x) {
    ++factors;
    const double size = modulus(factor(x));
    if (size == 0 || !std::isfinite(size)) {
      high_ending = low_ending = 0;
      return;
    }
    const double log = std::log2(size);
    // Half a bit more for a complex number, whose modulus is up to sqrt 2 times its larger part.
    high_ending = std::max(0.0, high_ending + log + (std::is_same_v<T, Complex> ? 0.5 : 0));
    low_ending = std::min(0.0, low_ending + log);
    high = std::max(high, high_ending), low = std::min(low, low_ending);
  }
  Range value() const { return *this; }
};

// A product of n numbers is rounded n - 1 times, in any order, each by u of its result (complex: 3 u of its modulus,
// which is above 2 sqrt 2), so that it errs by gamma_n of itself. One that falls below the least normal number errs by
// eta/2 besides, and is multiplied by what stands on its left and on its right: products of neighbours, at most M each,
// and together the whole over it, at most |y| over the least product of neighbours.
// One that passes the largest number makes infinity, and NaN beside 0; one that vanishes beside infinity NaN.
Allowed product_bound(double c, const Range& r, const Order& order, Dtype out, double roundings, double own) {
  const DtypeInfo &wide = info(is_complex(order.accumulator) ? Dtype::f32 : order.accumulator),
                  &narrow = info(is_complex(out) ? Dtype::f32 : out);
  const double n = static_cast<double>(r.factors),
               beside = std::min(2 * r.high, std::log2(std::max(c, wide.min_subnormal)) - r.low);
  Allowed a;
  a.error = c * (gamma(roundings * n, order.accumulator_roundoff()) + gamma(roundings * n, own));
  const bool vanishes = r.low < std::log2(wide.min_normal) + 1;
  if (vanishes) a.error += std::exp2(std::log2(roundings * n * wide.min_subnormal / 2) + beside);
  if (narrow.precision < wide.precision) a.error += narrow.unit_roundoff() * (c + a.error) + narrow.min_subnormal / 2;
  a.overflow = r.high > std::log2(wide.max) - 1 || (!std::isfinite(c) && vanishes);
  return a;
}

std::vector<Allowances> cumprod_bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const Dtype out = scanned_as(c);
  if (!is_inexact(out)) return {Allowances()};
  const double roundings = is_complex(out) ? 3 : 1, own = out == Dtype::f64 ? kDouble2Roundoff : 0x1p-53;
  Array<Range> ranges(output_specs(c)[0].shape);
  Allowances bound(ranges.shape);
  std::visit(
      [&]<class T>(const Array<T>& x) {
        if constexpr (!std::is_integral_v<T>) {
          scan(c, x, Range{}, ranges);
          const auto& y = std::get<Array<T>>(want[0]);
          for (std::int64_t i = 0; i < y.size(); ++i)
            bound[i] = product_bound(modulus(y[i]) * (roundings > 1 ? 1.5 : 1), ranges[i], order, out, roundings, own);
        }
      },
      widen_as(c[0], out));
  return {bound};
}

// ---- y_k = max of x_0 .. x_k, and min: a NaN stays, and of equal values the last

template <class T, bool kLargest>
struct Extreme {
  T m;
  void add(T x) {
    if (unordered(m)) return;
    if (unordered(x) || !(kLargest ? below(x, m) : below(m, x))) m = x;
  }
  T value() const { return m; }
};

// What lies below, or above, every element of a dtype.
template <class T>
T end_of(Dtype t, bool lowest) {
  const int bits = t == Dtype::boolean ? 1 : 8 * info(t).bytes;
  if constexpr (std::is_same_v<T, std::uint64_t>) return lowest ? 0 : ~std::uint64_t{0} >> (64 - bits);
  else if constexpr (std::is_same_v<T, std::int64_t>) {
    const std::int64_t top = std::numeric_limits<std::int64_t>::max() >> (64 - bits);
    return lowest ? -top - 1 : top;
  } else if constexpr (std::is_same_v<T, Complex>) return lowest ? Complex(-kInf, -kInf) : Complex(kInf, kInf);
  else return lowest ? -kInf : kInf;
}

template <bool kLargest>
std::vector<Wide> extremes(const Call& c) {
  return std::visit(
      [&]<class T>(const Array<T>& x) -> std::vector<Wide> {
        Array<T> y(output_specs(c)[0].shape);
        scan(c, x, Extreme<T, kLargest>{end_of<T>(c.dtype(0), kLargest)}, y);
        return {y};
      },
      widen(c[0]));
}

// ---- y_k = log(e^x_0 + .. + e^x_k) = m + log s, m the largest of them

bool finite(double x) { return std::isfinite(x); }
bool finite(Double2 x) { return isfinite(x); }

template <class T>
struct Exponentials {
  T m = T(-kInf), s{};
  void add(T x) {
    using std::exp;
    if (unordered(m) || unordered(x)) {
      m = unordered(m) ? m : x;
    } else if (m < x) {
      s = (finite(m) ? s * exp(m - x) : T(0.0)) + T(1.0);
      m = x;
    } else if (finite(m)) {
      s += exp(x - m);
    }
  }
  T value() const {
    using std::log;
    return finite(m) ? m + log(s) : m;
  }
};

std::vector<Wide> logcumsumexp(const Call& c) {
  return std::visit(
      [&]<class T>(const Array<T>& x) -> std::vector<Wide> {
        if constexpr (std::is_same_v<T, double> || std::is_same_v<T, Double2>) {
          Array<T> y(output_specs(c)[0].shape);
          scan(c, x, Exponentials<T>{}, y);
          return {y};
        } else {
          throw std::logic_error("logcumsumexp is asked for a type that it does not define");
        }
      },
      widen_as(c[0], at_least_float(c.dtype(0))));
}

// Two parts of a sum, (m, s) and (n, t), are joined as s e^(m-h) + t e^(n-h), h the larger of m and n. A term e^x_j
// passes at most h(depth) of these on its way. Each loses a function (k ulps, 2 k u), a product and a sum, and an
// argument that is rounded by u of itself; these arguments add up to m - x_j. So s errs relatively by
//
//   R = depth (2 k + 2) u + u sum_j e^(x_j - m) (m - x_j) / s,  r = R / (1 - R)
//
// log s then by r / (1 - r) and 2 k u of itself, and the last sum by u. Powers that are subnormal err by eta.
struct Spread {
  double m = -kInf, s = 0, d = 0;  // d: the sum of e^(x_j - m) (m - x_j)
  std::int64_t n = 0;
  void add(double x) {
    ++n;
    if (std::isnan(x) || std::isnan(m)) {
      m += x;
    } else if (x > m) {
      const double by = x - m, shrink = std::exp(-by);
      d = std::isfinite(by) ? (d + s * by) * shrink : 0;
      s = (std::isfinite(by) ? s * shrink : 0) + 1;
      m = x;
    } else if (std::isfinite(m)) {
      const double e = std::exp(x - m);
      s += e;
      if (e > 0) d += e * (m - x);
    }
  }
  Spread value() const { return *this; }

  double error(double y, double depth, double u, double k, double eta) const {
    if (!std::isfinite(m) || s == 0) return 0;
    const double first = depth * (2 * k + 2) * u + u * d / s + depth * (k + 1) * eta;
    if (first > 0.25) return kInf;
    const double r = first / (1 - first), log = r / (1 - r);
    const double rest = log + 2 * k * u * (std::log(s) + log);
    return rest + u * (std::abs(y) + rest);
  }
};

std::vector<Allowances> log_bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const Dtype out = at_least_float(c.dtype(0));
  const bool wide = out == Dtype::f64;
  const DtypeInfo &sums = info(order.accumulator), &narrow = info(out);
  const double own = wide ? 0x1p-98 : 0x1p-53, depth = static_cast<double>(order.depth(scanned(c).size));
  Array<Spread> spreads(output_specs(c)[0].shape);
  Allowances bound(spreads.shape);
  std::visit(
      [&]<class T>(const Array<T>& x) {
        if constexpr (std::is_same_v<T, double> || std::is_same_v<T, Double2>) {
          Reals plain(x.shape);
          std::transform(x.data.begin(), x.data.end(), plain.data.begin(), [](T v) { return static_cast<double>(v); });
          scan(c, plain, Spread{}, spreads);
          const auto& y = std::get<Array<T>>(want[0]);
          for (std::int64_t i = 0; i < y.size(); ++i) {
            const Spread& s = spreads[i];
            const double value = static_cast<double>(y[i]);
            double& error = bound[i].error;
            error = s.error(value, depth, order.accumulator_roundoff(), order.function_ulps, sums.min_subnormal) +
                    s.error(value, static_cast<double>(s.n), own, 1, 0);
            if (narrow.precision < sums.precision)
              error += narrow.unit_roundoff() * (std::abs(value) + error) + narrow.min_subnormal / 2;
          }
        }
      },
      widen_as(c[0], out));
  return {bound};
}

// ---- cases

// Parameters: types, those of the operation; large, those whose oracle has room for the largest of them; plain, a fill
// whose running values stay in the range.
constexpr const char* kScanCases = R"(
  smoke  t={types} s=4x9 x=int-3 axis={0,1} r,i={true false, false true}
  smoke  t={types} s=5x7 x=bits axis=1 r,i={false false, true true}
  smoke  s={s,3x5,0,2x0} x=int-3 axis=                   # flattened, a scalar too
  smoke  s=34 x=special-5 axis=0 r,i={false true, true false}
  smoke  s,axis={131 0, 40x2 0, 7x67 0, 3x4099 1} x={plain} r,i=[false true, true false]
  # every dtype in every layout, on each axis
  ci     t={types} l={@layouts} s=4x5x37 axis,r,i={0 false true, 1 true false, 2 false false, 2 true true} x={plain}
  ci     t={types} l={@layouts,!row} s=3x35 axis= x=int-3
  ci     t={types} s={0x3,3x0,2x0x3} axis={0,-1} x=int-3  # nothing to scan, and nothing to scan along
  ci     s=2x1x3x1x2x2x1x5 axis={0..7} x={plain} l={row,padded,transposed}
  # SC01: an axis of one element, rows further apart than they are long
  smoke  s=1x10 l={stepped,padded,offset} axis=0 x=uniform
  ci     s=1x10 l={@layouts} axis={0,1} x=uniform t={types}
  # B17, SC02, SC09, SC12: around vectors, work-groups and blocks, first, middle and last axis
  from   n={1,2,3,7,8,9,15,16,17,31,32,33,63,64,65,127,128,129,255,256,257,511,513,1023,1024,1025,2047,2048,2049,4097}
         f={false,true}
  ci     s={n} axis=0 x={plain} r,i={false {f}, true {f}}
  ci     n={31,33,1023,1024,1025,2049} s,axis={3x{n} 1, {n}x3 0, 2x{n}x5 1} x={plain}
  # B18, SC04, SC07: NaN and infinities in every lane and at every edge
  ci     t={types} s=34x67 axis={0,1} x={lanes-5,special-40,tiny,subnormal} r,i=[false true, true false]
  ci     t={large} s=34x67 axis={0,1} x=huge r,i=[false true, true false]
  ci     s=40x67 axis={0,1} x={nan_rows,masked-7,lanes-1024}
  ci     s=3x2049 axis=1 x={lanes-1024,lanes-1023} r={false,true}
  ci     s=2500x40 axis=0 x={plain}
  ci     s=70001 axis=0 x={plain} r,i={false true, true false}
  ci     s=2x70001 axis={0,1} x={plain}
  ci     s=530001 axis=0 x=int-3   # more parts than a work-group has items
  nightly s={1048577,3x524289} axis=0 x={plain} t={f32,bf16,i32}
  nightly s=1000003x2 axis=0 x={plain}
)";

constexpr const char* kRejects = R"(
  call   {a}/axis={axis},reverse={r},inclusive={i}
  from   a=f32.2x3.row.uniform axis=0 r=false i=true
  axis   axis=2           # axis 2 of rank 2
  axis   axis=-3          # axis -3 of rank 2
  axis   a=f32.s.row.uniform  # a scalar has no axis
  attribute axis=last     # the axis is not a number
)";

constexpr const char* kBench = R"(
  call   {t}.{s}.row.uniform/axis={axis},reverse={r}
  from   t=f32 r=false
  ci     s=16777216 axis=0 r={false,true}
  ci     s={4096x4096,65536x128} axis={0,1}
  ci     t={f16,i32,f64} s=4096x4096 axis=1
)";

Cost cost_of(const Call& c) {
  const Spec out = output_specs(c)[0];
  const double n = static_cast<double>(c[0].size());
  return {n, n * (info(c.dtype(0)).bytes + info(out.dtype).bytes)};
}

std::string cases_of(const char* head, const char* more) { return std::string(head) + kScanCases + more; }

Op scan_row(std::string_view name, const char* head, const char* more) {
  Op op;
  op.name = name;
  op.types = "T: all";
  op.attrs = {{"axis", kNone}, {"reverse", false}, {"inclusive", true}};
  op.cases = cases_of(head, more);
  op.rejects = kRejects;
  op.bench = kBench;
  op.cost = cost_of;
  return op;
}

constexpr const char* kAxis =
    "an axis of none flattens, to one axis if there is none; reverse goes from the end; inclusive=false leaves x_k "
    "out, "
    "so that the first is the identity; an empty axis gives an empty result; ";

Op sum_row() {
  Op op = scan_row("cumsum", R"(
  call   {t}.{s}.{l}.{x}/axis={axis},reverse={r},inclusive={i},dtype={d}
  from   t=f32 l=row r=false i=true d= types={@all} large={@all,!f64} plain=uniform)",
                   R"(
  # SC06: what a sum in the half type loses; SC11: cast first, then summed
  smoke  t,s={f16 5000, bf16 600} x=const-1 axis=0
  ci     t,s={f16 60000, bf16 70000} x=const-1 axis=0
  ci     s=40x67 axis={0,1} x={cancel,wide,whole} t={f32,f64,f16,c64}
  smoke  t=i8 s=3 x=const-100 axis=0 d={,i32,i64,f32,u8}
  ci     t={@all} d={@all} s=3x11 axis=1 x={int-3,order}
  ci     t=f32 d={bool,u8,i16,f16,bf16,i64} s=3x1030 axis={0,1} x=wide-5
)");
  op.signature = "a T[*A] -> out S[*B]";
  op.types = "T: all; S: all";
  static const std::string meaning =
      std::string(kAxis) +
      "the sum is of the type of the elements (bool: i32), or of `dtype`, to which they are cast first (real to "
      "integer "
      "truncates and saturates, NaN gives 0); integers wrap; halves are summed in f32 and each result is rounded once, "
      "where upstream keeps sums in the half type";
  op.attrs = {{"axis", kNone}, {"reverse", false}, {"inclusive", true}, {"dtype", kNone}};
  op.equation = "y_k = x_0 + .. + x_k along the axis, x the elements of a line in the order of the scan";
  op.meaning = meaning;
  op.infer = infer_sum;
  op.oracle = cumsum;
  op.tolerance.kind = Tolerance::Class::accumulate;
  op.tolerance.terms = sum_terms;
  op.tolerance.magnitude = sum_magnitude;
  return op;
}

Op prod_row() {
  Op op = scan_row("cumprod", R"(
  call   {t}.{s}.{l}.{x}/axis={axis},reverse={r},inclusive={i},dtype={d}
  from   t=f32 l=row r=false i=true d= types={@all} large={@all} plain=wide-1)",
                   R"(
  ci     s=40x67 axis={0,1} x={wide-1,pow2-1,uniform,wide-12} t={f32,f64,f16,c64}
  ci     t={f32,f64,c64} s=2100 axis=0 x={pow2-20,tiny,huge,apart}   # the product returns into the range
  smoke  t=i8 s=3 x=const-100 axis=0 d={,i32,i64,f32,u8}
  ci     t={@all} d={@all} s=3x11 axis=1 x={int-3,order}
  ci     t=f32 d={bool,u8,i16,f16,bf16,i64} s=3x1030 axis={0,1} x=wide-5
)");
  op.signature = "a T[*A] -> out S[*B]";
  op.types = "T: all; S: all";
  static const std::string meaning =
      std::string(kAxis) +
      "the product is of the type of the elements, or of `dtype`, to which they are cast first (as in cumsum); "
      "integers "
      "wrap, bool counts whether all are true; halves are multiplied in f32 and each result is rounded once, where "
      "upstream keeps products in the half type; a complex factor that is not finite makes both parts NaN from there "
      "on";
  op.attrs = {{"axis", kNone}, {"reverse", false}, {"inclusive", true}, {"dtype", kNone}};
  op.equation = "y_k = x_0 x_1 .. x_k along the axis, x the elements of a line in the order of the scan";
  op.meaning = meaning;
  op.infer = infer_prod;
  op.oracle = cumprod;
  op.tolerance.kind = Tolerance::Class::inherited;
  op.tolerance.bound = cumprod_bound;
  return op;
}

template <bool kLargest>
Op extreme_row() {
  Op op = scan_row(kLargest ? "cummax" : "cummin", R"(
  call   {t}.{s}.{l}.{x}/axis={axis},reverse={r},inclusive={i}
  from   t=f32 l=row r=false i=true types={@all} large={@all} plain=uniform)",
                   R"(
  # SC02: nothing but negative values, nothing but positive ones
  smoke  t={f32,f16,i8} s=33 axis=0 x={const--2,const-2} r={false,true}
  ci     t={@all} s=3x300 axis=1 x={order,whole} i={false,true}
)");
  op.signature = "a T[*A] -> out T[*B]";
  static const std::string meaning =
      std::string(kAxis) +
      "from the first NaN on in the order of the scan all is NaN, halves too (upstream turns their NaN into 0); of "
      "equal "
      "values the last one counts, -0 and 0 too; complex numbers compare by their real parts, then by their imaginary "
      "parts, and are NaN if either part is; the identity is the least (greatest) value of the type, an infinity of "
      "floats, in both parts of complex numbers";
  op.equation = kLargest ? "y_k = max(x_0, .., x_k) along the axis, x the elements of a line in the order of the scan"
                         : "y_k = min(x_0, .., x_k) along the axis, x the elements of a line in the order of the scan";
  op.meaning = meaning;
  op.infer = infer_extreme;
  op.oracle = extremes<kLargest>;
  op.tolerance.kind = Tolerance::Class::exact;
  return op;
}

Op log_row() {
  Op op = scan_row("logcumsumexp", R"(
  call   {t}.{s}.{l}.{x}/axis={axis},reverse={r},inclusive={i}
  from   t=f32 l=row r=false i=true types={@all,!c64} large={@all,!c64} plain=uniform-10)",
                   R"(
  # SC07: -inf in front and between
  smoke  s={2,5,1x7,7x1} axis=0 x=masked-6
  ci     t={f32,f64,f16,bf16} s=40x67 axis={0,1} x={uniform-100,uniform-1000,masked-4,wide-7,ramp,const-3}
  ci     t={f16,bf16,f32} s=9000 axis=0 x=const-0         # log k
)");
  op.signature = "a T[*A] -> out F[*B]";
  op.types = "T: bool integers floats; F = float(T)";
  static const std::string meaning = std::string(kAxis) +
                                     "integers and bool give f32; halves are computed in f32 and each result is "
                                     "rounded once; -inf adds nothing, after "
                                     "+inf all is +inf, after a NaN all is NaN; complex input is refused, since the "
                                     "logarithm of a sum that cancels has "
                                     "no bound";
  op.equation = "y_k = log(e^x_0 + .. + e^x_k) along the axis, x the elements of a line in the order of the scan";
  op.meaning = meaning;
  op.infer = infer_log;
  op.oracle = logcumsumexp;
  op.tolerance.kind = Tolerance::Class::inherited;
  op.tolerance.bound = log_bound;
  return op;
}

}  // namespace

std::vector<Op> cumulative_ops() {
  return {sum_row(), prod_row(), extreme_row<true>(), extreme_row<false>(), log_row()};
}

}  // namespace plumb
