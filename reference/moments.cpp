#include "reference/moments.h"

#include <algorithm>
#include <cmath>

namespace plumb::reference {

Arithmetic arithmetic_of(const Order& order, std::int64_t terms) {
  const DtypeInfo& acc = info(order.accumulator);
  const double u = order.accumulator_roundoff();
  return {u,
          2 * order.function_ulps * u,
          acc.min_subnormal,
          acc.max,
          static_cast<double>(order.depth(std::max<std::int64_t>(1, terms))),
          static_cast<double>(order.epilogue),
          acc.precision <= info(Dtype::f32).precision};
}

MomentErrors moment_errors(const Moments& s, const Arithmetic& a) {
  if (s.terms == 0) return {};
  const double v = s.variance, G = s.magnitude;
  if (!std::isfinite(v)) return {};
  MomentErrors e;
  if (s.centred) e.mean = gamma(a.h + a.q, a.u) * G;
  if (s.centred && a.corrected) {
    e.first = e.mean;
    e.mean = gamma(a.h + a.q + 1, a.u) * (s.distance + e.first);
    const double root = std::sqrt(v + e.mean * e.mean), off = 2 * a.u * (1 + a.u) * (root + e.first + e.mean);
    const double squares = (root + off) * (root + off) * (1 + gamma(a.h + a.q + 1, a.u)) - root * root;
    e.variance = e.mean * e.mean + squares * (1 + 0x1p-9) + e.mean * root / 8 + a.eta;
    return e;
  }
  const double shifted = v + e.mean * e.mean;
  e.variance = e.mean * e.mean + gamma(a.h + a.q + (s.centred ? 3 : 1), a.u) * shifted + a.eta;
  return e;
}

// Where the error of v is no small part of v + eps, no first order helps; but no value lies further from the computed
// mean than the root of the sum of all squares from it, so that |x - m^| / sqrt(v^) <= sqrt n whatever m^ and v^ are.
Allowed strayed(double x, const Moments& of, double eps, double w, double y, double n, const MomentErrors& e,
                const Arithmetic& a) {
  const double d = of.variance + eps, r = e.variance / d, t = r + a.u + r * a.u;
  const double distance = std::abs(x - of.mean), s = 1 / std::sqrt(d);
  if (!std::isfinite(d)) return {};
  const double root = t / (2 * (1 - t)), S = t < 0.5 ? root + a.f + root * a.f : 0;
  const double R = S + (1 + S) * (2 * a.u + a.u * a.u);  // (1 + S) (1 + u)^2 - 1: what u adds to 1 is no double
  const double subtracted = e.mean + (e.first > 0 ? a.u * (distance + e.first) : 0);
  const double off = subtracted + a.u * (distance + subtracted), four = (1 + a.f) * std::pow(1 + a.u, 3);
  const double product = t < 0.5 ? std::abs(w) * (s * distance * R + s * off * (1 + R))
                                 : std::abs(w) * (std::sqrt(n) * (1 + gamma(a.h + a.q, a.u)) * four + distance * s);
  const double largest = std::max({distance + off, (distance + off) * s, std::abs(w) * distance * s + product});
  return {product + a.u * (std::abs(y) + product) + a.eta * (2 + std::abs(w)), largest * (1 + S) * four > a.max};
}

double rounded_once(double c, double error, Dtype out, Dtype accumulator) {
  if (info(out).precision >= info(accumulator).precision) return error;
  return error + info(out).unit_roundoff() * (std::abs(c) + error) + info(out).min_subnormal / 2;
}

}  // namespace plumb::reference
