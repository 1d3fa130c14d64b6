// Norms of vectors and of matrices along axes.
#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/linalg/norms/singular.h"

#include "reference/array/reduce/cut.h"

namespace plumb {
namespace {

using namespace reference;

constexpr double kInf = std::numeric_limits<double>::infinity();

// What order and axes mean: one number of each line along `lines`; of matrices the extreme over `outer` afterwards.
struct Meaning {
  enum class Kind : std::uint8_t { count, sum, two, greatest, least, power, spectral, smallest, nuclear } kind;
  double p = 2;
  std::vector<std::int64_t> lines;  // ascending
  std::int64_t outer = -1;
  bool outer_least = false;
  bool singular() const { return kind == Kind::spectral || kind == Kind::smallest || kind == Kind::nuclear; }
};
using Kind = Meaning::Kind;

// The axes in the order given: rows, then columns.
std::vector<std::int64_t> axes_as_given(const Request& r) {
  (void)r.axes();  // out of range, or named twice
  std::vector<std::int64_t> axes;
  if (r.none("axis"))
    for (std::int64_t d = 0; d < r.rank(0); ++d) axes.push_back(d);
  else
    for (const std::int64_t d : r.list("axis")) axes.push_back(d < 0 ? d + r.rank(0) : d);
  return axes;
}

std::vector<std::int64_t> ascending(std::vector<std::int64_t> axes) {
  std::sort(axes.begin(), axes.end());
  return axes;
}

Meaning of_vector(double p, const std::vector<std::int64_t>& axes) {
  const Kind kind = p == 0       ? Kind::count
                    : p == 1     ? Kind::sum
                    : p == 2     ? Kind::two
                    : p == kInf  ? Kind::greatest
                    : p == -kInf ? Kind::least
                                 : Kind::power;
  return {kind, p, axes, -1, false};
}

Meaning of_matrix(const Request& r, double p, const std::vector<std::int64_t>& axes) {
  if (p == 2) return {Kind::spectral, p, ascending(axes), -1, false};
  if (p == -2) return {Kind::smallest, p, ascending(axes), -1, false};
  if (p == 1 || p == -1) return {Kind::sum, 1, {axes[0]}, axes[1], p < 0};
  if (std::isinf(p)) return {Kind::sum, 1, {axes[1]}, axes[0], p < 0};
  r.fail(Reason::attribute, "no norm of a matrix has the order " + to_string(Attr(p)));
}

Meaning meaning(const Request& r) {
  const std::vector<std::int64_t> axes = axes_as_given(r);
  const std::string many = std::to_string(axes.size()) + " axes";
  if (r.none("ord")) {
    if (!r.none("axis") && axes.size() > 2) r.fail(Reason::axis, many + ": at most two");
    return {Kind::two, 2, ascending(axes), -1, false};
  }
  const std::string* word = r.attrs.find("ord")->get<std::string>();
  double p = 0;
  if (word && (*word == "inf" || *word == "-inf")) p = *word == "inf" ? kInf : -kInf;
  else if (word && *word != "fro" && *word != "f" && *word != "nuc") r.fail(Reason::attribute, "no order " + *word);
  else if (word) {
    if (axes.size() != 2) r.fail(Reason::axis, many + ": order " + *word + " is one of matrices");
    return {*word == "nuc" ? Kind::nuclear : Kind::two, 2, ascending(axes), -1, false};
  } else {
    p = r.number("ord");
  }
  if (axes.size() == 1) return of_vector(p, axes);
  if (axes.size() == 2) return of_matrix(r, p, axes);
  r.fail(Reason::axis, many + ": an order is one of vectors or of matrices");
}

Dtype result_type(Dtype t, const Meaning& m) {
  if (t != Dtype::c64) return at_least_float(t);
  return m.kind == Kind::nuclear || (m.kind == Kind::two && m.outer < 0) ? Dtype::f32 : Dtype::c64;
}

std::vector<Spec> infer(const Request& r) {
  const Meaning m = meaning(r);
  const Shape& s = r.shape(0);
  const auto extent = [&](std::int64_t d) { return s[static_cast<std::size_t>(d)]; };
  const Dtype t = r.dtype(0);
  if (m.singular() && t != Dtype::f32 && t != Dtype::f64 && t != Dtype::c64)
    r.fail(Reason::dtype, "a " + std::string(name(t)) + ": singular values are those of f32, f64 or c64");
  const bool extreme =
      m.kind == Kind::greatest || m.kind == Kind::least || m.kind == Kind::spectral || m.kind == Kind::smallest;
  for (const std::int64_t d : m.lines)
    if (extreme && extent(d) == 0)
      r.fail(Reason::shape, "axis " + std::to_string(d) + " is empty: no extreme of nothing");
  if (m.outer >= 0 && extent(m.outer) == 0)
    r.fail(Reason::shape, "axis " + std::to_string(m.outer) + " is empty: no extreme of nothing");
  Shape out;
  for (std::int64_t d = 0; d < r.rank(0); ++d) {
    const bool kept = d != m.outer && !std::binary_search(m.lines.begin(), m.lines.end(), d);
    if (kept) out.push_back(extent(d));
    else if (r.flag("keepdims")) out.push_back(1);
  }
  return {{result_type(t, m), out}};
}

// ---- The norms ----

double modulus(std::uint64_t x) { return static_cast<double>(x); }
double modulus(std::int64_t x) { return std::abs(static_cast<double>(x)); }
double modulus(double x) { return std::abs(x); }
Double2 modulus(Double2 x) { return abs(x); }
double modulus(Complex z) {
  return std::isnan(z.real()) || std::isnan(z.imag()) ? std::nan("") : std::hypot(z.real(), z.imag());
}

// The logarithm by that of a multiple whose reciprocal is in range.
Double2 logarithm(Double2 r) {
  const int e = std::abs(std::ilogb(r.hi)) > 500 ? std::ilogb(r.hi) : 0;
  const Double2 near(std::scalbn(r.hi, -e), std::scalbn(r.lo, -e));
  return log(near) + Double2(e) * log(Double2(2));
}

double over(double x, double m) { return x / m; }
// A product within a quotient of pairs may pass the largest number where the quotient does not.
Double2 over(Double2 x, Double2 m) { return x.hi > 0x1p1000 ? x * Double2(0x1p-8) / m * Double2(0x1p8) : x / m; }

double power(double r, double p) { return std::pow(r, p); }
Double2 power(Double2 r, double p) {
  if (r == Double2(0)) return p > 0 ? 0.0 : kInf;
  return isinf(r) ? Double2(p > 0 ? kInf : 0.0) : exp(Double2(p) * logarithm(r));
}
double root(double s, double p) { return std::pow(s, 1 / p); }
Double2 root(Double2 s, double p) {
  if (s == Double2(0)) return p > 0 ? 0.0 : kInf;
  return exp(log(s) / Double2(p));
}

template <class T>
T extreme(const std::vector<T>& x, bool least) {
  T m(least ? kInf : 0);
  for (const T& v : x) {
    using std::isnan;
    if (isnan(v)) return v;
    if (least ? v < m : m < v) m = v;
  }
  return m;
}

// |x|_p = m (sum of (x_i / m)^p)^(1/p), m the greatest x_i, for p < 0 the least: neither large nor small x_i hurt.
template <class T>
T power_norm(const std::vector<T>& x, double p) {
  using std::isnan, std::isinf;
  const T m = extreme(x, p < 0);
  if (std::isnan(p) || isnan(m)) return T(std::nan(""));
  if (m == T(0) || isinf(m)) return m;
  T s(0);
  for (const T& v : x) s += power(over(v, m), p);
  return m * root(s, p);
}

template <class T>
T two_norm(const std::vector<T>& x) {
  using std::isnan, std::isinf, std::sqrt;
  const T m = extreme(x, false);
  if (m == T(0) || isinf(m) || isnan(m)) return m;
  T s(0);
  for (const T& v : x) s += over(v, m) * over(v, m);
  return m * sqrt(s);
}

template <class T>
T norm_of(const std::vector<T>& x, const Meaning& m) {
  T s(0);
  switch (m.kind) {
    case Kind::count:
      return T(static_cast<double>(std::count_if(x.begin(), x.end(), [](T v) { return !(v == T(0)); })));
    case Kind::greatest: return extreme(x, false);
    case Kind::least: return extreme(x, true);
    case Kind::two: return two_norm(x);
    case Kind::power: return power_norm(x, m.p);
    default: break;
  }
  for (const T& v : x) s += v;
  return s;
}

// A number for each line; then, of matrices, the greatest or least along the outer axis.
template <class T>
Array<T> of_lines(const Array<T>& moduli, const Meaning& m) {
  Shape kept;
  std::int64_t outer = -1;
  for (std::int64_t d = 0; d < static_cast<std::int64_t>(moduli.shape.size()); ++d) {
    if (std::binary_search(m.lines.begin(), m.lines.end(), d)) continue;
    if (d == m.outer) outer = static_cast<std::int64_t>(kept.size());
    kept.push_back(moduli.shape[static_cast<std::size_t>(d)]);
  }
  Array<T> norms(kept);
  for_lines(moduli, cut(moduli.shape, m.lines),
            [&](std::int64_t l, const std::vector<T>& x) { norms[l] = norm_of(x, m); });
  if (outer < 0) return norms;
  const Cut across = cut(kept, {outer});
  kept.erase(kept.begin() + outer);
  Array<T> out(kept);
  for_lines(norms, across, [&](std::int64_t l, const std::vector<T>& x) { out[l] = extreme(x, m.outer_least); });
  return out;
}

// S_1 >= S_2 >= .. of each matrix: |A|_2 = S_1, the order -2 S_K, nuclear the sum of all K = min(M, N).
template <class S>
auto of_singular(const Call& c, const Array<S>& a, const Meaning& m) {
  using T = decltype(modulus(S()));
  const Cut matrices = cut(a.shape, m.lines);
  Array<T> out(Shape{matrices.lines});
  const std::int64_t columns = a.shape[static_cast<std::size_t>(m.lines[1])];
  for_lines(a, matrices, [&](std::int64_t l, const std::vector<S>& x) {
    if (x.empty()) return;
    const std::vector<T> s = singular_values(c, x, columns, l);
    if (m.kind == Kind::spectral) out[l] = s.front();
    else if (m.kind == Kind::smallest) out[l] = s.back();
    else
      for (const T& v : s) out[l] += v;
  });
  return out;
}

template <class S>
auto norms_of(const Call& c, const Array<S>& a, const Meaning& m) {
  if constexpr (std::is_floating_point_v<S> || std::is_same_v<S, Double2> || std::is_same_v<S, Complex>)
    if (m.singular()) return of_singular(c, a, m);
  Array<decltype(modulus(S()))> moduli(a.shape);
  for (std::int64_t i = 0; i < a.size(); ++i) moduli[i] = modulus(a[i]);
  return of_lines(moduli, m);
}

std::vector<Wide> norm(const Call& c) {
  const Spec out = output_specs(c)[0];
  return std::visit(
      [&](const auto& a) -> std::vector<Wide> {
        auto n = norms_of(c, a, meaning(c));
        n.shape = out.shape;
        if (out.dtype != Dtype::c64) return {n};
        Complexes z(out.shape);
        for (std::int64_t i = 0; i < z.size(); ++i) z[i] = static_cast<double>(n[i]);
        return {z};
      },
      widen(c[0]));
}

// ---- The bound: docs/bounds.md, "A norm" ----

// Relative, of a norm of lines of n moduli.
double relative(const Meaning& m, double n, const Order& order, double own) {
  const bool exact = order.shape == Order::Shape::exact;
  const double u = exact ? 0 : order.accumulator_roundoff(), k = exact ? 0 : order.function_ulps;
  const double h = exact ? 0 : static_cast<double>(order.depth(static_cast<std::int64_t>(n)));
  const double before = exact ? 0 : order.prologue, p = std::abs(m.p);
  own *= 64 * (n + 1) * (1 + (m.kind == Kind::power ? p + 1 / p : 0));
  switch (m.kind) {
    case Kind::count: return 0;
    case Kind::sum: return gamma(h + before, u) + own;
    case Kind::two: {
      const double d = gamma(h + 1 + 2 * before, u);
      return d / 2 + d * d + 2 * k * u + own;
    }
    case Kind::power: {
      const double ratios = std::expm1(p * std::log1p(gamma(before + 5, u)));
      const double d = (1 + ratios) * (1 + 2 * k * u) * (1 + gamma(h, u)) - 1 +
                       (exact ? 0 : n * info(order.accumulator).min_subnormal);
      if (!(d < 0.5)) return kInf;
      const double from_sum = -std::expm1(std::log1p(-d) / p),
                   from_exponent = std::expm1(1.01 * u * std::log(n + 1) / p);
      return (1 + from_sum) * (1 + from_exponent) * (1 + 2 * k * u) * (1 + u) - 1 + own;
    }
    default: return gamma(before, u) + own;
  }
}

constexpr double kLapackRatio = 50;  // |S_i - s_i| <= 50 max(M, N) ulp ||A||, the threshold of LAPACK's own tests

// Absolute, of each matrix.
template <class S>
std::vector<double> singular_error(const Array<S>& a, const Meaning& m, const Order& order, double own) {
  const Cut matrices = cut(a.shape, m.lines);
  std::vector<double> error;
  const double M = static_cast<double>(a.shape[static_cast<std::size_t>(m.lines[0])]);
  const double N = static_cast<double>(a.shape[static_cast<std::size_t>(m.lines[1])]);
  const double u = order.shape == Order::Shape::exact ? 0 : order.accumulator_roundoff();
  const double each = kLapackRatio * std::max(M, N) * 2 * (u + own) * (m.kind == Kind::nuclear ? std::min(M, N) : 1);
  for_lines(a, matrices, [&](std::int64_t, const std::vector<S>& x) {
    double largest = 0, s = 0;
    for (const S& v : x) largest = std::max(largest, static_cast<double>(modulus(v)));
    for (const S& v : x) s += largest > 0 ? std::pow(static_cast<double>(modulus(v)) / largest, 2) : 0;
    error.push_back(each * largest * std::sqrt(s));
  });
  return error;
}

double value_at(const Wide& w, std::int64_t i) {
  if (const auto* z = std::get_if<Complexes>(&w)) return (*z)[i].real();
  if (const auto* x = std::get_if<Reals2>(&w)) return (*x)[i].hi;
  return reals(w)[i];
}

std::vector<Allowances> bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const Meaning m = meaning(c);
  const Spec out = output_specs(c)[0];
  const DtypeInfo& to = info(out.dtype);
  const double own = c.dtype(0) == Dtype::f64 ? 0x1p-98 : 0x1p-53;
  const bool rounds = order.shape == Order::Shape::exact || to.precision < info(order.accumulator).precision;
  double n = 1;
  for (const std::int64_t d : m.lines) n *= static_cast<double>(c.shape(0)[static_cast<std::size_t>(d)]);
  std::vector<double> errors;
  if (m.singular())
    errors = std::visit([&]<class S>(const Array<S>& a) { return singular_error(a, m, order, own); }, widen(c[0]));
  const double r = m.singular() ? 0 : relative(m, n, order, own);
  Allowances all(out.shape);
  for (std::int64_t i = 0; i < all.size(); ++i) {
    const double y = std::abs(value_at(want[0], i));
    if (!std::isfinite(y)) continue;
    double e = m.singular() ? errors[static_cast<std::size_t>(i)] : y * r;
    e += info(order.accumulator).min_subnormal;
    if (rounds) e += to.unit_roundoff() * (y + e) + to.min_subnormal / 2;
    all[i].error = e;
  }
  return {all};
}

// ---- Cases ----

constexpr const char* kCases = R"(
  call   {t}.{s}.{l}.{x}/ord={ord},axis={axis},keepdims={keep}
  from   t=f32 l=row x=uniform-3 ord= axis= keep= orders={none,0,1,2,3,0.5,-1,-2.5,inf,-inf}
         pairs={none,fro,1,-1,inf,-inf}
  # every order of vectors and of matrices, every pair of axes either way round
  smoke  s=4x9 axis={0:,-1:} ord={orders} keep=[false,true]
  smoke  s=3x5x4 axis={0:2,2:0,-1:0,1:2} ord={none,fro,1,-1,inf,-inf,2,-2,nuc}
  smoke  s=7 ord={orders}
  smoke  s=4x5 ord={1,inf,f,nuc,2}
  smoke  s={s,5,3x4x2} keep={false,true}
  smoke  s=3x2 axis=:                                         # no axis: moduli
  smoke  t={@all} s=4x9 axis={0:,1:} ord=[none,0,1,inf,3] x=[int-3,bits]
  smoke  t={c64,f64,f32} s,axis={3x4x5 0:2, 6x4 0:1, 1x7 1:0, 7x1 0:1} ord={2,-2,nuc}
  # nothing: sums of nothing are 0, and -1 of nothing infinite as 0^-1 is
  smoke  s=0 ord={none,0,1,3,-1}
  smoke  s=0x3 axis=0:1 ord={1,fro,nuc}
  smoke  s,axis={0x3 1:, 3x0x2 0:2} ord={1,inf}
  # B21: values whose squares leave the range either way, NaN and infinities
  smoke  t={@floats,f64,c64} s=6x40 axis={0:,1:} x={huge-4,tiny,subnormal,apart,special-20} ord={none,3}
  smoke  t={f32,f64} s=3x3 axis=0:1 x={subnormal,pow2-100} ord={2,-2,nuc}
  ci     t={@all} s=5x4x70 l={@layouts} axis=[2:,0:,0:2,2:0,none] ord=[none,none,fro,-inf,none] x=[uniform-3,special]
  ci     t={@all} s=69x68 axis={0:,1:} x=[lanes-69,whole] ord=[none,1,-inf]
  ci     t={f16,f32,f64,c64} s=3x4x17 axis={0:,2:} ord={orders} x=[uniform-3,special-9,uniform-3]
  ci     t={f16,i32,f64,c64} s=3x17x5 axis={0:2,2:1} ord={pairs} x=[uniform-3,special-30]
  ci     s=2x2x2x2x2x2x2x2x2x2x2x2x2x2x2x2x2x2 axis=none
  ci     s=2x2x2x2x2x2x2x2x2x2x2x2x2x2x2x2x2x2 axis={4:,4:9} l=[row,transposed]
  # around vectors, blocks and the parts of a line
  from   n={1,2,3,15,16,17,31,33,63,64,65,127,129,255,257,511,513,1023,1025,4095,4097}
  ci     t=[f32,f64,bf16] s,axis={3x{n} 1:, {n}x5 0:} ord=[none,1,inf,-1,0]
  ci     t={f64,f32} s={65537,300001} ord={none,2.5} x=wide
  ci     t=f64 s,axis={4097x3 0:, 2x4097 1:} x={huge,tiny}
  ci     s,axis={200x300 0:1, 3x65x33 1:2} ord={1,-inf}
  # singular values: rank one, repeated, scaled to the ends, of every shape
  ci     t={f32,f64,c64} n,m={1 1, 2 3, 3 2, 8 8, 9 17, 33 16} s={n}x{m} ord=[2,nuc,-2] x=[uniform,const-2,int-1,ramp]
  ci     t={f32,f64,c64} s=7x6 ord=[2,nuc,-2] x={huge-8,subnormal,pow2-100}
  ci     t={f32,c64} s=5x4x6x3 l={@layouts} axis=[1:2,3:0] ord=[2,nuc,-2]
  nightly t=[f32,f64,c64] s=65x70 ord={2,-2,nuc}
)";

constexpr const char* kRejects = R"(
  call   {a}/ord={ord},axis={axis}
  from   a=f32.2x3.row.uniform ord= axis=
  axis   axis=2                                      # axis 2 of rank 2
  axis   axis=0:-2                                   # an axis is named twice
  axis   a=f32.2x3x4.row.uniform axis=0:1:2          # more than two axes
  axis   a=f32.2x3x4.row.uniform ord=1               # an order of three axes
  axis   a=f32.s.row.uniform ord=2                   # an order of none
  axis   ord=2 axis=:                                # an order of none
  axis   ord=fro axis=0:                             # an order of matrices for a vector
  axis   ord=nuc axis=1:                             # nor singular values of one
  attribute ord={abc,FRO,true} axis=0:1              # no such order
  attribute ord={0,3,0.5,-3} axis=0:1                # no such order of matrices
  shape  a=f32.0.row.uniform ord={inf,-inf}          # no extreme of nothing
  shape  a=f32.3x0.row.uniform ord={1,-1} axis=0:1   # nor among no columns
  shape  a=f32.0x3.row.uniform ord={inf,2,-2}        # nor among no rows, nor singular values
  dtype  a={f16,bf16,i32,bool}.2x3.row.uniform ord={2,-2,nuc}   # singular values are those of f32, f64 and c64
  domain a={f32,f64,c64}.5x4.row.special-3 ord={2,nuc}          # NaN and infinities have no singular values
)";

constexpr const char* kBench = R"(
  call   {t}.{s}.row.uniform/ord={ord},axis={axis}
  ci     t=f32 s=16777216 ord={none,1,inf,3} axis=
  ci     t,s,axis={f32 4096x4096 1:, f32 4096x4096 0:, f16 4096x4096 1:, f64 2048x4096 1:} ord=none
  ci     t=f32 s=4096x4096 ord=1 axis=0:1
  ci     t=f32 s=1000x16x16 ord=2 axis=1:2
)";

}  // namespace

std::vector<Op> norm_ops() {
  Op op;
  op.name = "norm";
  op.signature = "a T[*A] -> norm F[*S]";
  op.types = "T: all; F: floats c64";
  op.attrs = {{"ord", kNone}, {"axis", kNone}, {"keepdims", false}};
  op.equation =
      "|x|_p = (sum of |x_i|^p)^(1/p); 0 counts x_i != 0, inf and -inf the extreme |x_i|; of matrices 1 and -1 the "
      "extreme over columns of sums over rows, inf and -inf over rows, 2 and -2 the extreme singular value, nuc their "
      "sum, fro and none sqrt(sum of |a_ij|^2)";
  op.meaning =
      "axes in the order given, rows first; as if every |x_i| were in range: squares that leave it either way make no "
      "infinity and no zero, and whole numbers are not squared in their own type (upstream does all of that); any NaN "
      "part makes NaN but of order 0, which counts it; complex input gives c64 but f32 for none, 2, fro, nuc; singular "
      "values of NaN or infinities: domain";
  op.infer = infer;
  op.oracle = norm;
  op.cases = kCases;
  op.rejects = kRejects;
  op.bench = kBench;
  op.cost = line_cost;
  op.tolerance.kind = Tolerance::Class::inherited;
  op.tolerance.bound = bound;
  return {op};
}

}  // namespace plumb
