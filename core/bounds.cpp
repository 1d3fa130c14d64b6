// The formulas behind tolerance.h: what an order of arithmetic allows. docs/bounds.md derives each.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/op.h"
#include "core/sum_bound.h"

namespace plumb {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

// The largest number that every stage of a declared sum can hold.
double largest(const Order& o) {
  double most = info(o.accumulator).max;
  if (o.partial) most = std::min(most, info(*o.partial).max);
  return most;
}

// What rounding below the smallest normal number adds: each product, fused or not, each further rounding of a term, of
// the sum, and each partial sum that is stored errs by half the smallest number at most. Sums of such numbers are
// exact.
double underflow(std::int64_t n, const Order& o) {
  if (o.shape == Order::Shape::exact) return 0;
  const auto terms = static_cast<double>(n);
  double error = (terms * (1 + o.prologue) + o.epilogue) * info(o.accumulator).min_subnormal / 2;
  if (o.partial) error += terms * info(*o.partial).min_subnormal / 2;
  return error;
}

// |x|; of complex numbers the modulus, which may pass the largest float, in binary64. A part that is not finite counts
// nothing, but the other part does: its products may overflow beside the infinity.
Tensor without_signs(const Tensor& t) {
  Wide w = widen(t);
  if (is_complex(t.dtype())) {
    Reals moduli(t.shape());
    for (std::int64_t i = 0; i < moduli.size(); ++i) {
      const auto part = [](double x) { return std::isfinite(x) ? x : 0; };
      moduli[i] = std::hypot(part(complexes(w)[i].real()), part(complexes(w)[i].imag()));
    }
    return narrow(moduli, Dtype::f64);
  }
  std::visit(
      []<class T>(Array<T>& a) {
        using std::abs;
        using std::isfinite;
        if constexpr (std::is_same_v<T, double> || std::is_same_v<T, Double2>)
          for (T& x : a.data) x = isfinite(x) ? abs(x) : T(0.0);
      },
      w);
  return narrow(w, t.dtype());
}

// |x| of whole numbers, in the unsigned type of the same width, where the least of all has its opposite.
Tensor unsigned_values(const Tensor& t) {
  const Wide w = widen(t);
  const Integers& x = integers(w);
  Unsigneds u(x.shape);
  for (std::int64_t i = 0; i < x.size(); ++i)
    u[i] = x[i] < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(x[i]) : static_cast<std::uint64_t>(x[i]);
  constexpr Dtype same_width[] = {Dtype::u8, Dtype::u16, Dtype::u32, Dtype::u64};
  return narrow(u, same_width[std::countr_zero(static_cast<unsigned>(info(t.dtype()).bytes))]);
}

}  // namespace

double gamma(double h, double u) { return h * u < 0.5 ? h * u / (1 - h * u) : kInf; }

SumBound::SumBound(std::int64_t n, const Order& order, Dtype out, double oracle)
    : terms_(static_cast<double>(n)), exact_(order.shape == Order::Shape::exact) {
  const double g = gamma(static_cast<double>(order.depth(n)), order.accumulator_roundoff());
  relative_ = g;
  if (order.partial) relative_ += info(*order.partial).unit_roundoff() * (1 + relative_);
  if (order.input_rounding) {
    const double u = info(*order.input_rounding).unit_roundoff();
    relative_ += (2 * u + u * u) * (1 + g);
  }
  oracle_ = gamma(terms_ + 1, oracle);
  underflow_ = underflow(n, order) * (1 + g);
  least_ = terms_ * std::numeric_limits<double>::denorm_min();
  growth_ = 1 + g;
  largest_ = largest(order);
  rounded_ = exact_ || info(out).precision < info(order.accumulator).precision;
  roundoff_ = info(out).unit_roundoff();
  half_ = info(out).min_subnormal / 2;
}

double SumBound::error(double c, double G) const {
  if (std::isinf(relative_)) return kInf;
  // A term beyond twice the largest number overflows in every order, so where the result is finite G <= 2 n max.
  const bool beyond = std::isinf(G);
  const double times = beyond ? 2 * terms_ : 1, size = beyond ? std::numeric_limits<double>::max() : G;
  double bound = relative_ * times * size + underflow_;
  if (rounded_) bound += roundoff_ * (std::abs(c) + bound) + half_;
  return bound + oracle_ * times * size + least_;
}

bool SumBound::may_overflow(double G) const { return !exact_ && G * growth_ > largest_; }

bool may_overflow(double G, std::int64_t n, const Order& order) {
  return SumBound(n, order, order.accumulator, 0).may_overflow(G);
}

double accumulate_bound(double c, double G, std::int64_t n, const Order& order, Dtype out, double oracle) {
  return SumBound(n, order, out, oracle).error(c, G);
}

double normwise_bound(const Order& o) {
  const double u = o.accumulator_roundoff(), mu = o.twiddle_error;
  const double e = mu + gamma(4, u) * (std::sqrt(2.0) + mu);
  const double growth = o.levels * e;
  return growth < 1 ? o.amplification * growth / (1 - growth) : kInf;
}

double function_bound(double modulus, const Order& order, Dtype out, double oracle) {
  const DtypeInfo &acc = info(order.accumulator), &to = info(out);
  // The distance of numbers of the accumulator at the exact value: of subnormal ones, the smallest number.
  const double step = modulus < acc.min_normal || !std::isfinite(modulus)
                          ? acc.min_subnormal
                          : std::ldexp(1.0, std::ilogb(modulus) + 1 - acc.precision);
  double bound = order.function_ulps * step;
  if (to.precision < acc.precision) bound += to.unit_roundoff() * (modulus + bound) + to.min_subnormal / 2;
  return bound + 2 * oracle * modulus;
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

Call absolute(const Call& call) {
  Call out = call;
  const bool mixed =
      call.op->tolerance.signed_values &&
      std::any_of(call.in.begin(), call.in.end(), [](const Tensor& t) { return t.defined() && is_inexact(t.dtype()); });
  for (std::size_t i = 0; i < out.in.size(); ++i) {
    Tensor& t = out.in[i];
    if (!t.defined()) continue;
    if (is_inexact(t.dtype())) t = without_signs(t);
    else if (mixed && info(t.dtype()).kind == Kind::signed_integer) t = unsigned_values(t);
    out.specs[i] = t.spec();
  }
  return out;
}

std::vector<Wide> magnitude(const Call& call) {
  const Tolerance& t = call.op->tolerance;
  if (t.kind != Tolerance::Class::accumulate) return {};
  return t.magnitude ? t.magnitude(call) : call.op->oracle(absolute(call));
}

}  // namespace plumb
