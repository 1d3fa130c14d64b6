#include "core/tolerance.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <sstream>

#include "core/op.h"
#include "core/ratio.h"
#include "core/sum_bound.h"

namespace plumb {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

// One element on the wide side, component by component, so that real and complex share the rules.
struct Component {
  Double2 want, got;
};

double distance(Component c) { return std::abs(double(c.got - c.want)); }
bool finite(Component c) { return std::isfinite(c.want.hi) && std::isfinite(c.got.hi); }

Dtype component_dtype(Dtype t) { return t == Dtype::c64 ? Dtype::f32 : t; }

// The least real number that rounds to infinity: half a step beyond the largest one.
double rounds_to_infinity(Dtype t) {
  const double u = info(t).unit_roundoff();
  return t == Dtype::f64 ? kInf : info(t).max * (1 + u / (2 - 2 * u));
}

// Whether an infinity is the rounding of something that close to a finite value.
bool overflows(Component c, double error, Dtype out) {
  return std::isinf(c.got.hi) && std::signbit(c.got.hi) == std::signbit(c.want.hi) &&
         std::abs(c.want.hi) + error >= rounds_to_infinity(out);
}

// error / allowed of one component; no value where no finite bound says what is right.
std::optional<double> element_ratio(Component c, Allowed allowed, Dtype out) {
  const double want = c.want.hi, got = c.got.hi;
  if (std::isnan(want)) return std::isnan(got) ? 0 : kInf;
  if (std::isinf(want)) return want == got || (allowed.overflow && !std::isfinite(got)) ? 0 : kInf;
  if (finite(c) && distance(c) == 0) return 0;
  if (!std::isfinite(allowed.error)) return std::nullopt;
  if (finite(c)) return distance(c) / allowed.error;
  return allowed.overflow || overflows(c, allowed.error, out) ? 0 : kInf;
}

void keep(Deviation& worst, double ratio, std::int64_t at, double want, double got, double allowed) {
  if (ratio <= worst.ratio) return;
  worst.ratio = ratio, worst.at = at, worst.want = want, worst.got = got, worst.allowed = allowed;
}

// Keeps one component if it is the worst.
void judge(Deviation& worst, std::int64_t i, Component c, Allowed allowed, Dtype out) {
  const std::optional<double> ratio = element_ratio(c, allowed, out);
  if (ratio) keep(worst, *ratio, i, c.want.hi, c.got.hi, allowed.error);
  else ++worst.unbounded;
}

// Calls f(i, part, component) for every element of two wide arrays of the same alternative.
template <class F>
void for_each_component(const Wide& want, const Wide& got, F&& f) {
  std::visit(
      [&]<class T>(const Array<T>& w) {
        const auto& g = std::get<Array<T>>(got);
        for (std::int64_t i = 0; i < w.size(); ++i) {
          if constexpr (std::is_same_v<T, Complex>) {
            f(i, 0, Component{w[i].real(), g[i].real()});
            f(i, 1, Component{w[i].imag(), g[i].imag()});
          } else if constexpr (std::is_floating_point_v<T> || std::is_same_v<T, Double2>) {
            f(i, 0, Component{w[i], g[i]});
          }
        }
      },
      want);
}

// A wide array converted to the alternative that widen() gives for a dtype, without rounding.
Wide like(const Wide& w, Dtype dtype) {
  return std::visit(
      [&]<class T>(const Array<T>& a) -> Wide {
        if constexpr (std::is_same_v<T, double>) {
          if (dtype == Dtype::f64) {
            Reals2 r(a.shape);
            std::copy(a.data.begin(), a.data.end(), r.data.begin());
            return r;
          }
          if (dtype == Dtype::c64) {
            Complexes r(a.shape);
            std::copy(a.data.begin(), a.data.end(), r.data.begin());
            return r;
          }
        }
        if constexpr (std::is_same_v<T, Double2>) {
          if (dtype != Dtype::f64) {
            Reals r(a.shape);
            std::transform(a.data.begin(), a.data.end(), r.data.begin(), [](Double2 x) { return x.hi; });
            return r;
          }
        }
        return a;
      },
      w);
}

// The worse of two, with what both have looked at.
void keep_worse(Deviation& worst, const Deviation& d) {
  const std::int64_t compared = worst.compared + d.compared, unbounded = worst.unbounded + d.unbounded;
  if (worst.what.empty() && (!d.what.empty() || !(d.ratio <= worst.ratio))) worst = d;
  worst.compared = compared, worst.unbounded = unbounded;
}

double real_at(const Wide& w, std::int64_t i) {
  return std::visit(
      [&]<class T>(const Array<T>& a) -> double {
        if constexpr (std::is_same_v<T, Complex>) return a[i].real();
        else return static_cast<double>(a[i]);
      },
      w);
}

bool same_bits(const Double2& a, const Double2& b) {
  const auto word = [](double x) { return std::bit_cast<std::uint64_t>(x); };
  return word(a.hi) == word(b.hi) && word(a.lo) == word(b.lo);
}

// Bit for bit, but any NaN equals any NaN.
Deviation exact(const Tensor& want, const Tensor& given) {
  const Tensor got = contiguous(given);
  const auto bytes = static_cast<std::size_t>(info(want.dtype()).bytes);
  const std::byte *w = want.read<std::byte>(), *g = got.read<std::byte>();
  Deviation d;
  d.compared = want.size();
  if (d.compared == 0 || std::memcmp(w, g, bytes * static_cast<std::size_t>(d.compared)) == 0) return d;
  const auto element = [&](const Tensor& t, std::int64_t i) { return t.view({1}, {1}, i); };
  for (std::int64_t i = 0; i < d.compared; ++i) {
    const std::size_t at = static_cast<std::size_t>(i) * bytes;
    if (std::memcmp(w + at, g + at, bytes) == 0) continue;
    bool same_nans = is_inexact(want.dtype());
    if (same_nans)
      for_each_component(widen(element(want, i)), widen(element(got, i)), [&](std::int64_t, int, Component c) {
        same_nans &= same_bits(c.want, c.got) || (isnan(c.want) && isnan(c.got));
      });
    if (!same_nans) {
      d.ratio = kInf, d.at = i, d.want = real_at(widen(element(want, i)), 0),
      d.got = real_at(widen(element(got, i)), 0);
      return d;
    }
  }
  return d;
}

bool integer_valued(const Tensor& t) {
  if (!is_inexact(t.dtype())) return true;
  bool all = true;
  const Wide w = widen(t);
  for_each_component(w, w, [&](std::int64_t, int, Component c) {
    all &= std::isfinite(c.want.hi) && c.want.hi == std::trunc(c.want.hi) && c.want.lo == std::trunc(c.want.lo);
  });
  return all;
}

// The largest G for which sums of integers are exact in the declared arithmetic, whatever their order.
double exact_limit(const Order& o) {
  int bits = info(o.accumulator).precision;
  if (o.partial) bits = std::min(bits, info(*o.partial).precision);
  if (o.input_rounding) bits = std::min(bits, info(*o.input_rounding).precision);
  return std::ldexp(1.0, bits);
}

double oracle_roundoff(Dtype out) { return out == Dtype::f64 ? kDouble2Roundoff : 0x1p-53; }

// Of an elementary function: of the C library in binary64, and in its widest type where the output is f64.
double oracle_function_roundoff(Dtype out) {
  constexpr double kLibraryUlps = 8;  // beyond what its manual says of any function in use
  return kLibraryUlps * (out == Dtype::f64 ? std::ldexp(1.0, -std::numeric_limits<long double>::digits) : 0x1p-53);
}

Deviation accumulate(const Call& call, const Wide& want, const Wide& magnitude, const Order& order, const Tensor& got) {
  const std::int64_t n = call.op->tolerance.terms(call);
  const Dtype out = got.dtype(), part = component_dtype(out);
  const bool integers =
      std::all_of(call.in.begin(), call.in.end(), [](const Tensor& t) { return !t.defined() || integer_valued(t); });
  std::vector<Double2> rounded;  // the exact value rounded once, component by component
  if (integers) {
    const Wide once = widen(narrow(want, out));
    for_each_component(once, once, [&](std::int64_t, int, Component c) { rounded.push_back(c.want); });
  }
  const double limit = exact_limit(order);
  const SumBound sum(n, order, part, oracle_roundoff(out));
  Deviation worst;
  std::size_t k = 0;
  for_each_component(like(want, out), widen(got), [&](std::int64_t i, int p, Component c) {
    const std::size_t at = k++;
    worst.compared += p == 0;
    const double G = real_at(magnitude, i);
    Allowed allowed{sum.error(c.want.hi, G), sum.may_overflow(G)};
    if (integers && G <= limit) {  // every partial sum is exact: one rounding, or none, is left
      c.want = rounded[at];
      allowed = {};
    }
    // The oracle itself passed its range: like any order of these terms it has no number to give.
    if (std::isinf(G) && std::isnan(c.want.hi))
      keep(worst, std::isfinite(c.got.hi) ? kInf : 0, i, c.want.hi, c.got.hi, 0);
    else judge(worst, i, c, allowed, part);
  });
  return worst;
}

Deviation inherited(const Wide& want, const Allowances& allowed, const Tensor& got) {
  const Dtype part = component_dtype(got.dtype());
  Deviation worst;
  for_each_component(like(want, got.dtype()), widen(got), [&](std::int64_t i, int p, Component c) {
    worst.compared += p == 0;
    judge(worst, i, c, allowed[i], part);
  });
  return worst;
}

// The modulus of a complex element; beside a part that is not finite, what the other one has.
double modulus_at(const Wide& w, std::int64_t i, Component c) {
  const auto* z = std::get_if<Complexes>(&w);
  const double modulus = z ? std::abs((*z)[i]) : std::abs(c.want.hi);
  return std::isfinite(modulus) ? modulus : std::abs(c.want.hi);
}

Deviation function(const Wide& want, const Order& order, const Tensor& got) {
  const Dtype out = got.dtype(), part = component_dtype(out);
  if (order.function_ulps <= 0.5 && !is_complex(out)) return exact(narrow(want, out), got);
  const Wide wanted = like(want, out);
  Deviation worst;
  for_each_component(wanted, widen(got), [&](std::int64_t i, int p, Component c) {
    worst.compared += p == 0;
    judge(worst, i, c, {function_bound(modulus_at(wanted, i, c), order, part, oracle_function_roundoff(out))}, part);
  });
  return worst;
}

// The lines of one axis, or all elements as one line.
struct Lines {
  std::int64_t inner = 1, length = 0, number = 0;
  Lines(const Shape& shape, std::int64_t axis) : length(count(shape)) {
    const std::int64_t all = length;
    if (axis >= 0) {
      for (std::size_t d = static_cast<std::size_t>(axis) + 1; d < shape.size(); ++d) inner *= shape[d];
      length = shape[static_cast<std::size_t>(axis)];
    }
    number = length > 0 ? all / length : 0;
  }
  std::size_t of(std::int64_t i) const { return static_cast<std::size_t>(i / (inner * length) * inner + i % inner); }
};

// What is allowed of the norm of a line's error: relative to the norm of its finite values, and what underflow adds.
std::vector<double> line_bounds(const Wide& want, const Order& order, const Tensor& got, const Lines& lines) {
  std::vector<double> squares(static_cast<std::size_t>(lines.number));
  for_each_component(want, want, [&](std::int64_t i, int, Component c) {
    if (std::isfinite(c.want.hi)) squares[lines.of(i)] += c.want.hi * c.want.hi;
  });
  const DtypeInfo& out = info(component_dtype(got.dtype()));
  const double n = static_cast<double>(std::max<std::int64_t>(1, lines.length));
  double relative = normwise_bound(order);
  if (out.precision < info(order.accumulator).precision || order.shape == Order::Shape::exact)
    relative += out.unit_roundoff() * (1 + relative);  // rounded to the output
  relative += n * std::sqrt(n) * oracle_roundoff(got.dtype());
  for (double& s : squares) s = relative * std::sqrt(s) + n * out.min_subnormal;
  return squares;
}

// Values that are not finite are judged by the element, both parts together: some algorithms make NaN of one part
// only. They must meet each other; the rest is judged by the norm of the line.
Deviation normwise(const Call& call, const Wide& wide, const Order& order, const Tensor& got) {
  const Lines lines(got.shape(), call.op->tolerance.axis ? call.op->tolerance.axis(call) : -1);
  const Wide want = like(wide, got.dtype()), given = widen(got);
  const std::vector<double> allowed = line_bounds(want, order, got, lines);
  std::vector<char> undefined(static_cast<std::size_t>(got.size())), met = undefined;
  for_each_component(want, given, [&](std::int64_t i, int, Component c) {
    undefined[static_cast<std::size_t>(i)] |= !std::isfinite(c.want.hi);
    met[static_cast<std::size_t>(i)] |= !std::isfinite(c.got.hi);
  });
  Deviation worst;
  std::vector<double> squares(allowed.size());
  for_each_component(want, given, [&](std::int64_t i, int p, Component c) {
    const std::size_t line = lines.of(i), k = static_cast<std::size_t>(i);
    worst.compared += p == 0;
    if (undefined[k]) keep(worst, met[k] ? 0 : kInf, i, c.want.hi, c.got.hi, 0);
    else if (finite(c)) squares[line] += distance(c) * distance(c);
    else judge(worst, i, c, {allowed[line]}, component_dtype(got.dtype()));
  });
  for (std::size_t k = 0; k < squares.size(); ++k) {
    const double error = std::sqrt(squares[k]);
    if (error == 0) continue;
    if (std::isfinite(allowed[k])) keep(worst, error / allowed[k], -1, 0, error, allowed[k]);
    else worst.unbounded += lines.length;
  }
  return worst;
}

Deviation compare_output(const Call& call, const Wide& want, const Wide* magnitude, const Allowances* allowed,
                         const Order& order, const Tensor& got) {
  using Class = Tolerance::Class;
  const Class row = call.op->tolerance.of(call);
  const Class kind = is_inexact(got.dtype()) || row == Class::residual ? row : Class::exact;
  switch (kind) {
    case Class::exact:
    case Class::rounded: return exact(narrow(want, got.dtype()), got);
    case Class::accumulate: return accumulate(call, want, *magnitude, order, got);
    case Class::inherited: return inherited(want, *allowed, got);
    case Class::normwise: return normwise(call, want, order, got);
    case Class::function: return function(want, order, got);
    case Class::residual:
    case Class::index: break;  // judged as a whole by the row
  }
  return {};
}

// The active part of a wide array: its leading `rows`.
Wide leading(const Wide& w, std::int64_t rows) {
  if (rows < 0) return w;
  return std::visit(
      [&]<class T>(const Array<T>& a) -> Wide {
        Shape shape = a.shape;
        shape.at(0) = rows;
        Array<T> out(shape);
        std::copy_n(a.data.begin(), out.data.size(), out.data.begin());
        return out;
      },
      w);
}

std::vector<std::int64_t> active_rows(const Call& call, const std::vector<Wide>& want, const std::vector<Spec>& specs) {
  if (!call.op->active) return std::vector<std::int64_t>(want.size(), -1);
  std::vector<Tensor> narrowed;
  for (std::size_t i = 0; i < want.size(); ++i) narrowed.push_back(narrow(want[i], specs[i].dtype));
  return call.op->active(call, narrowed);
}

Deviation wrong_form(std::size_t output, const std::string& what) {
  Deviation d;
  d.ratio = kInf, d.output = static_cast<int>(output), d.what = what;
  return d;
}

}  // namespace

std::string_view name(Tolerance::Class c) {
  constexpr std::string_view names[] = {"exact",    "rounded",  "accumulate", "inherited",
                                        "residual", "normwise", "function",   "index"};
  return names[static_cast<std::size_t>(c)];
}

std::string to_string(const Deviation& d) {
  std::ostringstream s;
  s.precision(9);
  if (!d.what.empty()) s << "output " << d.output << ": " << d.what;
  else if (d.ratio == 0) s << "exact";
  else {
    s << "error/allowed = " << ratio_text(d.ratio, 1, 9) << " in output " << d.output;
    if (d.at >= 0) s << " at " << d.at << ": want " << d.want << ", got " << d.got << ", allowed " << d.allowed;
    else s << ": the norm of the error is " << d.got << ", allowed " << d.allowed;
  }
  return s.str();
}

Deviation compare(const Call& call, const std::vector<Wide>& want, const std::vector<Wide>& G, const Order& order,
                  const std::vector<Tensor>& got) {
  check_counts(call);
  const std::vector<Spec> specs = output_specs(call);
  if (got.size() != specs.size())
    return wrong_form(0, std::to_string(got.size()) + " outputs instead of " + std::to_string(specs.size()));
  for (std::size_t i = 0; i < got.size(); ++i)
    if (got[i].spec() != specs[i])
      return wrong_form(i, to_string(got[i].spec()) + " instead of " + to_string(specs[i]));

  const std::vector<std::int64_t> rows = active_rows(call, want, specs);
  const std::vector<Tensor> part = active(call, got);
  const Tolerance& tol = call.op->tolerance;
  const std::vector<Allowances> allowed =
      tol.bound ? tol.bound(call, want, order) : std::vector<Allowances>(want.size());
  Deviation worst;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (rows[i] >= 0 && part[i].dim(0) != rows[i])
      return wrong_form(i, std::to_string(part[i].dim(0)) + " active rows instead of " + std::to_string(rows[i]));
    const Wide m = G.empty() ? Wide() : leading(G[i], rows[i]);
    Deviation d = compare_output(call, leading(want[i], rows[i]), &m, &allowed[i], order, part[i]);
    d.output = static_cast<int>(i);
    keep_worse(worst, d);
  }
  if (tol.residual) keep_worse(worst, tol.residual(call, got, order));
  return worst;
}

}  // namespace plumb
