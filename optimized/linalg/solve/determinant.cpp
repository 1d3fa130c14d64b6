// Determinants on the processor: the product of the pivots, its exponent kept apart.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/room.h"
#include "optimized/array/operand.h"
#include "optimized/linalg/solve/batch.h"

namespace plumb {
namespace {

using namespace solve;

// mantissa 2^exponent: the exponent is taken out where a product might leave the range.
struct Scaled {
  double mantissa = 1;
  std::int64_t exponent = 0;

  void times(double x) {
    if (!tame(x)) x = taken_out(x);
    mantissa *= x;
    if (!tame(mantissa)) mantissa = taken_out(mantissa);
  }
  double value() const {
    return std::ldexp(mantissa, static_cast<int>(std::clamp<std::int64_t>(exponent, -5000, 5000)));
  }
  // Of a mantissa around 1, so that little is lost where both terms cancel.
  double logarithm() const {
    if (mantissa == 0) return -std::numeric_limits<double>::infinity();
    int e = 0;
    const double m = std::frexp(std::abs(mantissa), &e);
    const bool low = m < 0.75;
    return std::log(low ? 2 * m : m) + static_cast<double>(exponent + e - low) * M_LN2;
  }
  double sign() const { return std::isnan(mantissa) ? mantissa : mantissa > 0 ? 1 : mantissa < 0 ? -1 : 0; }

 private:
  static bool tame(double x) { return std::abs(x) > 0x1p-400 && std::abs(x) < 0x1p400; }
  double taken_out(double x) {
    int e = 0;
    x = std::frexp(x, &e);
    if (std::isfinite(x)) exponent += e;  // what frexp says of others is anything
    return x;
  }
};

template <class T>
Scaled determinant(const T* lu, const std::int32_t* pivots, std::int64_t n) {
  Scaled d;
  for (std::int64_t j = 0; j < n; ++j) {
    const auto pivot = static_cast<double>(lu[j * (n + 1)]);
    d.times(pivots[j] == j ? pivot : -pivot);
  }
  return d;
}

template <class T>
using Factor = void (*)(const Factoring<T>&);

// Values of the type that is computed in, for each output.
template <class T, Factor<T> F>
void determinants(const Call& c, Dtype type, std::vector<Tensor>& out) {
  const Tensor a = contiguous(as_dtype(c[0], type));
  const std::int64_t n = columns(c), all = matrices(c);
  const RawRoom<T, 64> lu(all * n * n);
  const RawRoom<std::int32_t> pivots(all * n);
  if (n > 0 && all > 0) F({a.read<T>(), all, n, n, lu.get(), pivots.get()});
  T* to[2] = {out[0].write<T>(), out.size() > 1 ? out[1].write<T>() : nullptr};
  for (std::int64_t t = 0; t < all; ++t) {
    const Scaled d = determinant(lu.get() + t * n * n, pivots.get() + t * n, n);
    to[0][t] = static_cast<T>(to[1] ? d.sign() : d.value());
    if (to[1]) to[1][t] = static_cast<T>(d.logarithm());
  }
}

// f16 and bf16 are computed in f32, and rounded once.
template <Factor<float> F, Factor<double> G>
void rounded(const Call& c, std::vector<Tensor>& out) {
  const Dtype type = out[0].dtype();
  if (type == Dtype::f64) return determinants<double, G>(c, type, out);
  if (type == Dtype::f32) return determinants<float, F>(c, type, out);
  std::vector<Tensor> wide;
  for (const Tensor& t : out) wide.emplace_back(Spec{Dtype::f32, t.shape()});
  determinants<float, F>(c, Dtype::f32, wide);
  for (std::size_t i = 0; i < out.size(); ++i) convert_into(wide[i], type, out[i].write<std::byte>());
}

bool small(const Call& c, const Device&) { return columns(c) <= kSmall; }

Order logarithms(const Call& c) {
  Order o = in_any_order(c);
  o.function_ulps = 1;
  return o;
}

}  // namespace

std::vector<Route> determinant_cpu_routes() {
  std::vector<Route> all;
  for (const std::string_view op : {"det", "slogdet"})
    for (Route& r : both_routes(op, small, host<rounded<factor_interleaved<float>, factor_interleaved<double>>>,
                                host<rounded<factor_blocked<float>, factor_blocked<double>>>)) {
      r.order = logarithms;
      all.push_back(std::move(r));
    }
  return all;
}

}  // namespace plumb
