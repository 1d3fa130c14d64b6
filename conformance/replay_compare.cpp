// The comparison rules of recorded cases: section "Comparison" of docs/corpus.md.
#include <cmath>
#include <complex>
#include <cstdio>
#include <type_traits>

#include "conformance/replay.h"

namespace plumb {
namespace {

std::string text(double v) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.17g", v);
  return buffer;
}
std::string text(std::uint64_t v) { return std::to_string(v); }
std::string text(std::int64_t v) { return std::to_string(v); }
std::string text(Double2 v) { return text(v.hi); }
std::string text(Complex v) { return text(v.real()) + (v.imag() < 0 ? "" : "+") + text(v.imag()) + "i"; }

struct Rule {
  bool exact;
  double rtol, atol;
  bool signed_zero;
};

// error / allowed: at most 1 passes.
double ratio(double got, double want, const Rule& rule) {
  if (std::isnan(want) || std::isnan(got)) return std::isnan(want) && std::isnan(got) ? 0 : INFINITY;
  if (got == want) return rule.signed_zero && std::signbit(got) != std::signbit(want) ? INFINITY : 0;
  if (rule.exact || std::isinf(want) || std::isinf(got)) return INFINITY;
  const double allowed = rule.atol + rule.rtol * std::abs(want);
  return allowed > 0 ? std::abs(got - want) / allowed : INFINITY;
}

double ratio(Double2 got, Double2 want, const Rule& rule) { return ratio(got.hi, want.hi, rule); }

double ratio(Complex got, Complex want, const Rule& rule) {
  const bool finite = std::isfinite(want.real()) && std::isfinite(want.imag()) && std::isfinite(got.real()) &&
                      std::isfinite(got.imag());
  // Part by part, each by the rule of reals; where all is finite, the modulus of the difference in place of each.
  const Rule zeros{true, 0, 0, rule.signed_zero};
  if (rule.exact || !finite)
    return std::max(ratio(got.real(), want.real(), rule), ratio(got.imag(), want.imag(), rule));
  if (got == want) return std::max(ratio(got.real(), want.real(), zeros), ratio(got.imag(), want.imag(), zeros));
  const auto opposite = [&](double g, double w) { return g == w && ratio(g, w, zeros) > 0; };
  if (opposite(got.real(), want.real()) || opposite(got.imag(), want.imag())) return INFINITY;
  const double allowed = rule.atol + rule.rtol * std::abs(want);
  return allowed > 0 ? std::abs(got - want) / allowed : INFINITY;
}

template <class T>
double ratio(T got, T want, const Rule&) {
  return got == want ? 0 : INFINITY;
}

struct Worst {
  std::int64_t at = -1;
  double ratio = 0;
  std::int64_t beyond = 0, compared = 0;
};

template <class T>
std::string compare_values(const Array<T>& got, const Array<T>& want, const Rule& rule, std::int64_t* compared) {
  Worst worst;
  for (std::int64_t i = 0; i < want.size(); ++i) {
    const double given = ratio(got[i], want[i], rule);
    const double r = std::isnan(given) ? INFINITY : given;  // of an infinite error and an infinite tolerance
    ++worst.compared;
    if (r > 1) ++worst.beyond;
    if (r > worst.ratio) worst.ratio = r, worst.at = i;
  }
  if (compared) *compared += worst.compared;
  if (worst.compared != want.size())
    return std::to_string(worst.compared) + " of " + std::to_string(want.size()) + " elements were compared";
  if (worst.beyond == 0) return "";
  const double allowed = rule.exact ? 0 : worst.ratio;
  std::string message =
      "element " + std::to_string(worst.at) + " is " + text(got[worst.at]) + " instead of " + text(want[worst.at]);
  if (allowed > 0 && std::isfinite(allowed)) message += ", " + text(allowed) + " times the tolerance";
  return message + " (" + std::to_string(worst.beyond) + " of " + std::to_string(want.size()) + " elements are off)";
}

}  // namespace

std::string compare_recorded(const Tensor& got, const Tensor& want, bool exact, std::pair<double, double> tol,
                             bool signed_zero, std::int64_t* compared) {
  if (got.spec() != want.spec()) return to_string(got.spec()) + " instead of " + to_string(want.spec());
  const Rule rule{exact, tol.first, tol.second, signed_zero};
  const Wide expected = widen(want), actual = widen(got);
  return std::visit(
      [&](const auto& w) { return compare_values(std::get<std::decay_t<decltype(w)>>(actual), w, rule, compared); },
      expected);
}

}  // namespace plumb
