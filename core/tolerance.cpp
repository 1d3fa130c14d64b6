#include "core/tolerance.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <sstream>

#include "core/op.h"

namespace plumb {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

// One element on the wide side, component by component, so that real and complex share the rules.
struct Component {
  Double2 want, got;
};

double distance(Component c) { return std::abs(double(c.got - c.want)); }

Dtype component_dtype(Dtype t) { return t == Dtype::c64 ? Dtype::f32 : t; }

// error / allowed of one component. `early` says that a finite partial result may overflow.
double element_ratio(Component c, double allowed, bool early, Dtype out) {
  const double want = c.want.hi, got = c.got.hi, max = info(out).max;
  if (std::isnan(want)) return std::isnan(got) ? 0 : kInf;
  if (std::isfinite(want) && std::isfinite(got)) {
    const double error = distance(c);
    return error == 0 ? 0 : error / allowed;
  }
  if (early) return 0;
  if (std::isinf(want)) return want == got ? 0 : kInf;
  // want is finite, got is not: right only if want may round past the largest finite value.
  const bool reaches = std::abs(want) + allowed >= max * (1 + info(out).unit_roundoff());
  return std::isinf(got) && reaches && std::signbit(got) == std::signbit(want) ? 0 : kInf;
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

void keep_worse(Deviation& worst, const Deviation& d) {
  if (!worst.what.empty()) return;
  if (!d.what.empty() || !(d.ratio <= worst.ratio)) worst = d;
}

double as_number(const Tensor& one) {
  const Wide w = widen(one);
  return std::visit(
      [](const auto& a) {
        using T = std::decay_t<decltype(a.data[0])>;
        if constexpr (std::is_same_v<T, Complex>) return a.data[0].real();
        else return static_cast<double>(a.data[0]);
      },
      w);
}

// Bit for bit, but any NaN equals any NaN.
Deviation exact(const Tensor& want, const Tensor& given) {
  const Tensor got = contiguous(given);
  const auto bytes = static_cast<std::size_t>(info(want.dtype()).bytes);
  const std::byte *w = want.read<std::byte>(), *g = got.read<std::byte>();
  Deviation d;
  if (want.size() == 0 || std::memcmp(w, g, bytes * static_cast<std::size_t>(want.size())) == 0) return d;
  const auto element = [&](const Tensor& t, std::int64_t i) { return t.view({1}, {1}, i); };
  for (std::int64_t i = 0; i < want.size(); ++i) {
    const std::size_t at = static_cast<std::size_t>(i) * bytes;
    if (std::memcmp(w + at, g + at, bytes) == 0) continue;
    bool same_nans = is_inexact(want.dtype());
    if (same_nans)
      for_each_component(widen(element(want, i)), widen(element(got, i)), [&](std::int64_t, int, Component c) {
        const bool bits = std::memcmp(&c.want, &c.got, sizeof c.want) == 0;
        same_nans &= bits || (isnan(c.want) && isnan(c.got));
      });
    if (!same_nans) return {kInf, 0, i, as_number(element(want, i)), as_number(element(got, i)), 0, ""};
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

double real_at(const Wide& w, std::int64_t i) {
  return std::visit(
      [&]<class T>(const Array<T>& a) -> double {
        if constexpr (std::is_same_v<T, Complex>) return a[i].real();
        else return static_cast<double>(a[i]);
      },
      w);
}

Deviation accumulate(const Call& call, const Wide& want, const Wide& magnitude, const Order& order, const Tensor& got) {
  const std::int64_t n = call.op->tolerance.terms(call);
  const Dtype out = got.dtype(), part = component_dtype(out);
  const bool integers = std::all_of(call.in.begin(), call.in.end(),
                                    [](const Tensor& t) { return !t.defined() || integer_valued(t); });
  std::vector<Double2> rounded;  // the exact value rounded once, component by component
  if (integers) {
    const Wide once = widen(narrow(want, out));
    for_each_component(once, once, [&](std::int64_t, int, Component c) { rounded.push_back(c.want); });
  }
  const double limit = exact_limit(order), acc_max = info(order.accumulator).max;
  const double growth = 1 + gamma(static_cast<double>(order.depth(n)), order.accumulator_roundoff());
  Deviation worst;
  std::size_t k = 0;
  for_each_component(like(want, out), widen(got), [&](std::int64_t i, int, Component c) {
    const std::size_t at = k++;
    const double G = real_at(magnitude, i);
    double allowed = accumulate_bound(c.want.hi, G, n, order, part, oracle_roundoff(out));
    if (integers && G <= limit) {  // every partial sum is exact: one rounding, or none, is left
      c.want = rounded[at];
      allowed = 0;
    }
    const bool early = G * growth > acc_max;
    const double ratio = element_ratio(c, allowed, early, part);
    if (!(ratio <= worst.ratio)) worst = {ratio, 0, i, c.want.hi, c.got.hi, allowed, ""};
  });
  return worst;
}

Deviation inherited(const Wide& want, const Reals& bound, const Tensor& got) {
  const Dtype part = component_dtype(got.dtype());
  Deviation worst;
  for_each_component(like(want, got.dtype()), widen(got), [&](std::int64_t i, int, Component c) {
    const double ratio = element_ratio(c, bound[i], std::isinf(bound[i]), part);
    if (!(ratio <= worst.ratio)) worst = {ratio, 0, i, c.want.hi, c.got.hi, bound[i], ""};
  });
  return worst;
}

// Squared norms of the error and of the value along each line of one axis (-1: all one line).
struct Lines {
  std::vector<double> error, size, undefined;
};

Lines line_norms(const Wide& want, const Tensor& got, std::int64_t axis) {
  const Shape& shape = got.shape();
  std::int64_t inner = 1, length = got.size();
  if (axis >= 0) {
    for (std::size_t d = static_cast<std::size_t>(axis) + 1; d < shape.size(); ++d) inner *= shape[d];
    length = shape[static_cast<std::size_t>(axis)];
  }
  const auto lines = static_cast<std::size_t>(length > 0 ? got.size() / length : 0);
  Lines l{std::vector<double>(lines), std::vector<double>(lines), std::vector<double>(lines)};
  for_each_component(like(want, got.dtype()), widen(got), [&](std::int64_t i, int, Component c) {
    const auto line = static_cast<std::size_t>(i / (inner * length) * inner + i % inner);
    if (!std::isfinite(c.want.hi) || !std::isfinite(c.got.hi)) {
      // A line that holds NaN or inf has no norm: not finite must meet not finite.
      if (std::isfinite(c.want.hi) != std::isfinite(c.got.hi)) l.undefined[line] = kInf;
      return;
    }
    l.error[line] += distance(c) * distance(c);
    l.size[line] += c.want.hi * c.want.hi;
  });
  return l;
}

Deviation normwise(const Call& call, const Wide& want, const Order& order, const Tensor& got) {
  const std::int64_t axis = call.op->tolerance.axis ? call.op->tolerance.axis(call) : -1;
  const Lines l = line_norms(want, got, axis);
  const double eta = info(component_dtype(got.dtype())).min_subnormal;
  const double n = static_cast<double>(std::max<std::int64_t>(1, got.size()));
  const double relative = normwise_bound(order) + n * std::sqrt(n) * 0x1p-53;
  Deviation worst;
  for (std::size_t k = 0; k < l.error.size(); ++k) {
    const double allowed = relative * std::sqrt(l.size[k]) + n * eta, error = std::sqrt(l.error[k]);
    const double ratio = l.undefined[k] > 0 ? kInf : error == 0 ? 0 : error / allowed;
    if (!(ratio <= worst.ratio))
      worst = {ratio, 0, static_cast<std::int64_t>(k), std::sqrt(l.size[k]), error, allowed, ""};
  }
  return worst;
}

Deviation compare_output(const Call& call, const Wide& want, const Wide* magnitude, const Reals* bound,
                         const Order& order, const Tensor& got) {
  using Class = Tolerance::Class;
  const Class kind = is_inexact(got.dtype()) ? call.op->tolerance.kind : Class::exact;
  switch (kind) {
    case Class::exact:
    case Class::rounded: return exact(narrow(want, got.dtype()), got);
    case Class::accumulate: return accumulate(call, want, *magnitude, order, got);
    case Class::inherited: return inherited(want, *bound, got);
    case Class::normwise: return normwise(call, want, order, got);
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
  return {kInf, static_cast<int>(output), -1, 0, 0, 0, what};
}

}  // namespace

double gamma(double h, double u) { return h * u < 0.5 ? h * u / (1 - h * u) : kInf; }

std::string_view name(Tolerance::Class c) {
  constexpr std::string_view names[] = {"exact", "rounded", "accumulate", "inherited", "residual", "normwise", "index"};
  return names[static_cast<std::size_t>(c)];
}

std::string to_string(const Deviation& d) {
  std::ostringstream s;
  s.precision(9);
  if (!d.what.empty()) s << "output " << d.output << ": " << d.what;
  else if (d.ratio == 0) s << "exact";
  else {
    s << "error/allowed = " << d.ratio << " in output " << d.output;
    if (d.at >= 0) s << " at " << d.at;
    s << ": want " << d.want << ", got " << d.got << ", allowed " << d.allowed;
  }
  return s.str();
}

Call absolute(const Call& call) {
  Call out = call;
  for (Tensor& t : out.in) {
    if (!t.defined() || !is_inexact(t.dtype())) continue;
    Wide w = widen(t);
    std::visit(
        []<class T>(Array<T>& a) {
          using std::abs;
          using std::isfinite;
          if constexpr (!std::is_integral_v<T>)
            for (T& x : a.data) x = isfinite(static_cast<double>(abs(x))) ? T(abs(x)) : T(0.0);
        },
        w);
    t = narrow(w, t.dtype());
  }
  return out;
}

std::vector<Wide> magnitude(const Call& call) {
  const Tolerance& t = call.op->tolerance;
  if (t.kind != Tolerance::Class::accumulate) return {};
  return t.magnitude ? t.magnitude(call) : call.op->oracle(absolute(call));
}

double accumulate_bound(double c, double G, std::int64_t n, const Order& order, Dtype out, double oracle) {
  const double terms = static_cast<double>(n), g = gamma(static_cast<double>(order.depth(n)), order.accumulator_roundoff());
  double bound = g * G;
  if (order.partial) bound += info(*order.partial).unit_roundoff() * (G + bound);
  if (order.input_rounding) {
    const double u = info(*order.input_rounding).unit_roundoff();
    bound += (2 * u + u * u) * (1 + g) * G;
  }
  if (info(out).precision < info(order.accumulator).precision)  // one more rounding, to the output
    bound += info(out).unit_roundoff() * (std::abs(c) + bound) + info(out).min_subnormal / 2;
  if (!order.fma) bound += terms * info(order.accumulator).min_subnormal;
  return bound + gamma(terms + 1, oracle) * G;
}

double normwise_bound(const Order& o) {
  const double u = o.accumulator_roundoff(), mu = o.twiddle_error;
  const double e = mu + gamma(4, u) * (std::sqrt(2.0) + mu);
  const double growth = o.levels * e;
  return growth < 1 ? o.amplification * growth / (1 - growth) : kInf;
}

double index_ratio(const std::vector<double>& s, const std::vector<double>& b, std::size_t chosen) {
  double worst = 0;
  for (std::size_t j = 0; j < s.size(); ++j) {
    if (s[chosen] >= s[j]) continue;
    const double slack = b[chosen] + b[j];
    worst = std::max(worst, slack > 0 ? (s[j] - s[chosen]) / slack : kInf);
  }
  return worst;
}

Deviation compare(const Call& call, const std::vector<Wide>& want, const std::vector<Wide>& G, const Order& order,
                  const std::vector<Tensor>& got) {
  const std::vector<Spec> specs = call.op->infer(call);
  if (got.size() != specs.size())
    return wrong_form(0, std::to_string(got.size()) + " outputs instead of " + std::to_string(specs.size()));
  for (std::size_t i = 0; i < got.size(); ++i)
    if (got[i].spec() != specs[i])
      return wrong_form(i, to_string(got[i].spec()) + " instead of " + to_string(specs[i]));

  const std::vector<std::int64_t> rows = active_rows(call, want, specs);
  const std::vector<Tensor> part = active(call, got);
  const Tolerance& tol = call.op->tolerance;
  const std::vector<Reals> bounds = tol.bound ? tol.bound(call, want, order) : std::vector<Reals>(want.size());
  Deviation worst;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (rows[i] >= 0 && part[i].dim(0) != rows[i])
      return wrong_form(i, std::to_string(part[i].dim(0)) + " active rows instead of " + std::to_string(rows[i]));
    const Wide m = G.empty() ? Wide() : leading(G[i], rows[i]);
    Deviation d = compare_output(call, leading(want[i], rows[i]), &m, &bounds[i], order, part[i]);
    d.output = static_cast<int>(i);
    keep_worse(worst, d);
  }
  if (tol.residual) keep_worse(worst, tol.residual(call, got, order));
  return worst;
}

}  // namespace plumb
