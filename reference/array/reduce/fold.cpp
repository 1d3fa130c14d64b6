// Products, extremes and tests for zero along axes.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/fill.h"
#include "reference/array/reduce/cut.h"

namespace plumb {
namespace {

using namespace reference;

constexpr double kInf = std::numeric_limits<double>::infinity();

// ---- products

std::uint64_t times(std::uint64_t a, std::uint64_t b) { return a * b; }
std::int64_t times(std::int64_t a, std::int64_t b) {  // modulo 2^64
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}
double times(double a, double b) { return a * b; }
Double2 times(Double2 a, Double2 b) { return a * b; }
Complex times(Complex a, Complex b) {  // (a + b i)(c + d i) = (ac - bd) + (ad + bc) i
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

bool is_nan(Complex z) { return std::isnan(z.real()) || std::isnan(z.imag()); }
bool is_infinite(Complex z) { return std::isinf(z.real()) || std::isinf(z.imag()); }

// Beside an infinite factor a part is an infinity or NaN, which one depends on the order: the bound lets it be either.
template <class T>
T of_any_order(T p, const std::vector<T>&) {
  return p;
}
Complex of_any_order(Complex p, const std::vector<Complex>& x) {
  if (std::none_of(x.begin(), x.end(), is_infinite) || std::any_of(x.begin(), x.end(), is_nan)) return p;
  return {std::isnan(p.real()) ? kInf : p.real(), std::isnan(p.imag()) ? kInf : p.imag()};
}

double magnitude(double x) { return std::abs(x); }
double magnitude(Double2 x) { return std::abs(x.hi); }
double magnitude(Complex z) { return std::abs(z); }
template <class T>
double magnitude(T) {
  return 0;  // whole numbers: their products are judged exactly
}

// A product whose range has no end: x 2^e, x in [1, 2) by its larger part.
double scaled(double x, int e) { return std::ldexp(x, e); }
Double2 scaled(Double2 x, int e) { return {std::ldexp(x.hi, e), std::ldexp(x.lo, e)}; }
Complex scaled(Complex z, int e) { return {std::ldexp(z.real(), e), std::ldexp(z.imag(), e)}; }

template <class T>
T product_of(const std::vector<T>& x) {
  T p(1);
  if constexpr (std::is_integral_v<T>) {
    for (const T& v : x) p = times(p, v);
    return p;
  } else {
    int e = 0;
    const auto normalise = [&e](T v) {
      const double m = magnitude(v);
      const int k = m > 0 && std::isfinite(m) ? std::ilogb(m) : 0;
      e += k;
      return scaled(v, -k);
    };
    if (!x.empty()) p = normalise(x[0]);
    for (std::size_t i = 1; i < x.size(); ++i) p = normalise(times(p, normalise(x[i])));
    return scaled(p, e);
  }
}

// p_l = product of a_i over the elements i of line l
std::vector<Wide> prod(const Call& c) {
  const Cut lines = cut(c);
  const Shape out = c.outputs()[0].shape;
  return std::visit(
      [&]<class T>(const Array<T>& a) -> std::vector<Wide> {
        Array<T> p(out);
        for_lines(a, lines, [&](std::int64_t l, const std::vector<T>& x) { p[l] = of_any_order(product_of(x), x); });
        return {p};
      },
      widen(c[0]));
}

// Every order of n factors multiplies n - 1 times, and each product is rounded: by 1 + u, complex ones by 1 + 3 u of
// their modulus (sqrt 2 gamma_2 <= 3 u). So with c the modulus of the product
//
//   |d| <= gamma_(n-1) c + (n - 1) (eta / 2) M       M the product of the moduli above 1, a part of a complex product
//                                                    that underflows errs by four halves of eta
//
// A partial product is at most M; where M passes the largest number some order may overflow. One that underflows to 0
// makes NaN beside an infinity.
template <class T>
Allowed product_allowed(const std::vector<T>& x, double c, const Order& order, Dtype out, double own) {
  const bool complex = std::is_same_v<T, Complex>;
  const DtypeInfo &acc = info(order.accumulator), &to = info(complex ? Dtype::f32 : out);
  const double n = static_cast<double>(x.size()), u = order.accumulator_roundoff();
  double above = 1, below = 1;
  bool infinite = false;
  for (const T& v : x) {
    const double m = magnitude(v);
    if (!std::isfinite(m)) infinite = true;
    else if (m > 1) above *= m;
    else if (m > 0) below *= m;
  }
  Allowed a;
  a.overflow = order.shape != Order::Shape::exact &&
               (2 * above * (1 + gamma(3 * n, u)) > acc.max || (infinite && (complex || below < acc.min_normal)));
  if (!std::isfinite(c)) return a;
  const double each = complex ? 3 : 1;
  const double steps = order.shape == Order::Shape::exact ? 0 : n;
  a.error = gamma(each * steps, u) * c + gamma(each * n, own) * c;
  if (below < acc.min_normal)
    a.error += steps * (complex ? 2 : 0.5) * acc.min_subnormal * above * (1 + gamma(3 * n, u));
  if (to.precision < acc.precision || order.shape == Order::Shape::exact)
    a.error += to.unit_roundoff() * (c + a.error) + to.min_subnormal / 2;
  return a;
}

std::vector<Allowances> product_bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const Spec out = c.outputs()[0];
  const double own = out.dtype == Dtype::f64 ? kDouble2Roundoff : 0x1p-53;
  Allowances bound(out.shape);
  std::visit(
      [&]<class T>(const Array<T>& a) {
        for_lines(a, cut(c), [&](std::int64_t l, const std::vector<T>& x) {
          bound[l] = product_allowed(x, magnitude(std::get<Array<T>>(want[0])[l]), order, out.dtype, own);
        });
      },
      widen(c[0]));
  return {bound};
}

// Factors of which many can be multiplied: signs and magnitudes from 2^(-1/p) to 2^(1/p), alike for every dtype.
Wide factors(const Spec& s, std::uint64_t key, double p) {
  const auto value = [&](std::int64_t i) {
    const auto k = static_cast<std::uint64_t>(i);
    const double m = std::exp2((2 * unit(key, 2 * k) - 1) / p);
    return draw(key, 2 * k + 1) % 2 ? -m : m;
  };
  if (is_complex(s.dtype)) {
    Complexes z(s.shape);
    for (std::int64_t i = 0; i < z.size(); ++i) z[i] = std::polar(std::abs(value(2 * i)), 4 * value(2 * i + 1));
    return z;
  }
  Reals x(s.shape);
  for (std::int64_t i = 0; i < x.size(); ++i) x[i] = is_inexact(s.dtype) ? value(i) : value(i) < 0 ? 3 : 1;
  return x;
}

std::vector<Fill> product_fills() {
  return {{"factors",
           "signs with magnitudes of 2^-1/p to 2^1/p: many can be multiplied; integers 1, 3",
           64,
           {1, 1e9},
           factors}};
}

// ---- extremes

bool is_nan(std::uint64_t) { return false; }
bool is_nan(std::int64_t) { return false; }
bool is_nan(double x) { return std::isnan(x); }
bool is_nan(Double2 x) { return isnan(x); }

template <class T>
bool below(T a, T b) {
  return a < b;
}
bool below(double a, double b) { return a < b || (a == b && std::signbit(a) && !std::signbit(b)); }
bool below(Double2 a, Double2 b) { return a < b || (a == b && signbit(a) && !signbit(b)); }
bool below(Complex a, Complex b) { return a.real() < b.real() || (a.real() == b.real() && a.imag() < b.imag()); }

// What is given for an extreme: of complex ones a zero part as +0.
template <class T>
T given(T x) {
  return x;
}
Complex given(Complex z) {
  if (is_nan(z)) return {std::nan(""), std::nan("")};
  return {z.real() + 0.0, z.imag() + 0.0};
}

// m_l = the a_i of line l that no other is above, or with `least` below; a NaN if there is one
template <class T>
Array<T> extremes(const Array<T>& a, const Cut& lines, const Shape& out, bool least) {
  Array<T> m(out);
  for_lines(a, lines, [&](std::int64_t l, const std::vector<T>& x) {
    T best = x.front();
    for (const T& v : x)
      if (!is_nan(best) && (is_nan(v) || (least ? below(v, best) : below(best, v)))) best = v;
    m[l] = given(best);
  });
  return m;
}

template <bool... Least>
std::vector<Wide> extreme(const Call& c) {
  const Cut lines = cut(c);
  const Shape out = c.outputs()[0].shape;
  return std::visit([&](const auto& a) -> std::vector<Wide> { return {extremes(a, lines, out, Least)...}; },
                    widen(c[0]));
}

std::vector<Spec> infer_extreme(const Request& r) {
  refuse_empty_lines(r, "extreme");
  return r.outputs();
}

// ---- zero or not

bool nonzero(std::uint64_t x) { return x != 0; }
bool nonzero(std::int64_t x) { return x != 0; }
bool nonzero(double x) { return x != 0; }
bool nonzero(Double2 x) { return !(x == Double2(0)); }
bool nonzero(Complex z) { return z.real() != 0 || z.imag() != 0; }

// n_l = how many a_i of line l are not 0; all: n_l is the length of the line, any: n_l > 0
enum class Test { count, all, any };
template <Test test>
std::vector<Wide> tested(const Call& c) {
  const Cut lines = cut(c);
  Unsigneds y(c.outputs()[0].shape);
  std::visit(
      [&]<class T>(const Array<T>& a) {
        for_lines(a, lines, [&](std::int64_t l, const std::vector<T>& x) {
          const auto n =
              static_cast<std::uint64_t>(std::count_if(x.begin(), x.end(), [](const T& v) { return nonzero(v); }));
          y[l] = test == Test::count ? n : test == Test::all ? n == x.size() : n > 0;
        });
      },
      widen(c[0]));
  if (test == Test::count) return {as_integers(y)};
  return {y};
}

std::vector<Spec> infer_count(const Request& r) {
  std::int64_t n = 1;
  for (const std::int64_t d : r.axes()) n *= r.shape(0)[static_cast<std::size_t>(d)];
  if (n > std::numeric_limits<std::int32_t>::max())
    r.fail(Reason::unsupported, "a line of " + std::to_string(n) + " elements passes counts of 32 bits");
  return r.outputs();
}

// ---- rows

constexpr const char* kCall = R"(
  call   {t}.{s}.{l}.{x}/axis={axis},keepdims={keep}
)";

constexpr const char* kProductCases = R"(
  from   types={@all} x1=pow2-1 x2=factors x3=special
)";
constexpr const char* kMoreProducts = R"(
  # products that leave the type, and a line of nothing
  smoke  t={bool,@integers} s=35x3 x=whole axis={0:,0:1}
  ci     t={@all} s={0,0x3,3x0,2x0x3} x=int-3 keep={false,true} axis={0,-1}
  smoke  t={f16,bf16} s=3x{7,257} x=factors-9 axis=1   # a half type would lose most of it
  ci     t={f16,bf16} s=300x7 x=factors-5 axis=0
  smoke  t,x={u8 const-200, i8 const--100} s=3         # beyond the input's own range
  ci     t={f32,f64,c64} s=33x35 x={tiny,pow2-30,whole-7} axis={0,1}
)";

constexpr const char* kExtremeCases = R"(
  from   types={@all} x1=int-3 x2=uniform x3=order
)";
constexpr const char* kMoreExtremes = R"(
  smoke  t={@floats,f64,c64} s=5x7 x=special axis={0,1}   # NaN and both zeros
  ci     t={f16,bf16,f32} s={3x4097,4097x3} x,axis={ramp-7 1, masked-7 0, const--3 none}
  ci     t={u8,i8,u64,i64} s=3x300 x=whole axis={0,1}
)";

constexpr const char* kTestCases = R"(
  from   types={@all} x1=int-1 x2=int-1 x3=order
)";
constexpr const char* kMoreTests = R"(
  ci     t={@all} s={0,0x3,3x0,2x0x3} x=int-3 keep={false,true} axis={0,-1}
  ci     t={@all} s=5x300 x={impulse,const-0,const--0,const-2} axis={0,1}  # a line with one that differs, and without
)";

constexpr const char* kRejectEmpty = R"(
  shape  a=f32.0x2.row.uniform axis=0        # no extreme of nothing
  shape  a=f32.3x0x2.row.uniform axis=1      # nor of nothing in the middle
  shape  a=f32.0x0.row.uniform axis=0        # even if nothing is asked for
)";

constexpr const char* kBench = R"(
  call   {t}.{s}.row.uniform/axis={axis}
  ci     t=f32 s=16777216 axis=
  ci     t,s,axis={f32 4096x4096 1, f32 4096x4096 0, f16 4096x4096 1}
)";

Op row(std::string_view name, Oracle oracle) {
  Op op;
  op.name = name;
  op.types = "T: all";
  op.attrs = {{"axis", kNone}, {"keepdims", false}};
  op.oracle = oracle;
  op.rejects = kAxisRejects;
  op.bench = kBench;
  op.cost = line_cost;
  return op;
}

Op product_row() {
  Op op = row("prod", prod);
  op.signature = "a T[...] -> out S[... over axis]";
  op.types = "T: all; S = accumulator(T)";
  op.equation = "p_l = product of a_i over the elements i of line l; an empty line gives 1";
  op.meaning =
      "f16 and bf16 multiply in f32 and round once; bool and signed integers up to 32 bits give i32, unsigned ones "
      "u32; "
      "integers wrap; partial products may leave the range of the accumulator; beside an infinite factor a part of a "
      "complex product is an infinity or NaN, by the order";
  op.cases = {kCall, kProductCases, kLineCases, kMoreProducts};
  op.fills = product_fills;
  op.tolerance.kind = Tolerance::Class::inherited;
  op.tolerance.bound = product_bound;
  return op;
}

Op extreme_row(std::string_view name, std::string_view equation, Oracle oracle) {
  Op op = row(name, oracle);
  op.signature = "a T[...] -> out T[... over axis]";
  op.equation = equation;
  op.meaning =
      "NaN if any is NaN, of complex numbers in either part (upstream passes over one in the imaginary part); -0 is "
      "below +0; complex by real, then imaginary part, a zero part given as +0; no extreme of an empty line: shape";
  op.infer = infer_extreme;
  op.cases = {kCall, kExtremeCases, kLineCases, kMoreExtremes};
  op.rejects = {kAxisRejects, kRejectEmpty};
  return op;
}

Op test_row(std::string_view name, std::string_view equation, Oracle oracle) {
  Op op = row(name, oracle);
  op.signature = "a T[...] -> out bool[... over axis]";
  op.equation = equation;
  op.meaning = "NaN is not 0, -0 is; a complex number is 0 if both parts are, on every axis";
  op.cases = {kCall, kTestCases, kLineCases, kMoreTests};
  return op;
}

}  // namespace

std::vector<Op> fold_ops() {
  Op both = extreme_row("minmax", "min_l, max_l = the least and the greatest a_i of line l", extreme<true, false>);
  both.signature = "a T[...] -> min T[... over axis], max T[... over axis]";
  Op count = test_row("count_nonzero", "n_l = how many a_i of line l are not 0", tested<Test::count>);
  count.signature = "a T[...] -> out i32[... over axis]";
  count.infer = infer_count;
  return {product_row(),
          extreme_row("max", "m_l = the greatest a_i of line l", extreme<false>),
          extreme_row("min", "m_l = the least a_i of line l", extreme<true>),
          both,
          test_row("all", "out_l = no a_i of line l is 0; true of an empty line", tested<Test::all>),
          test_row("any", "out_l = some a_i of line l is not 0; false of an empty line", tested<Test::any>),
          count};
}

}  // namespace plumb
