// Activations of neural networks: operations of one number, a line each.
#include <cmath>

#include "reference/array/scalar/scalar.h"

namespace plumb {
namespace {

using namespace reference;

// max(x, 0), NaN kept.
template <class T>
T positive(T x) {
  return x > T(0) ? x : x < T(0) ? T(0) : x;
}
template <class T>
T at_most(T x, T most) {
  return x > most ? most : x;
}
template <Real T>
T between(T x, T low, T high) {
  return x < low ? low : x > high ? high : x;
}

template <Real T>
T softplus(T x) {
  return std::fmax(x, T(0)) + std::log1p(std::exp(-std::abs(x))) + (std::isnan(x) ? x : T(0));
}
template <Real T>
T elu(T x, T alpha) {
  return x > 0 ? x : alpha * std::expm1(x);
}
template <Real T>
T celu(T x, T alpha) {
  return x > 0 ? x : alpha * std::expm1(x / alpha);
}
template <Real T>
T leaky(T x, T slope) {
  return slope * x > x ? slope * x : x;
}
template <Real T>
T softshrink(T x, T by) {
  return x > by ? x - by : x < -by ? x + by : std::isnan(x) ? x : T(0);
}
template <Real T>
T hard_shrink(T x, T by) {
  return std::abs(x) > by || std::isnan(x) ? x : T(0);
}

// The root of 2 / pi, and what gelu_approx is a sigmoid of: (1 + tanh t) / 2 = 1 / (1 + e^(-2 t)).
template <Real T>
T tanh_argument(T x) {
  return static_cast<T>(std::sqrt(2 / std::acos(-1.0L))) * (x + T(0.044715L) * x * x * x);
}

// ---- what gelu may err by, in units u of the arithmetic, k the ulps of its function, an ulp at most 2 u
//
// c = x (1 + erf(x / sqrt 2)) / 2: the argument errs by 2 u of itself, which moves erf by at most 2 u max |t erf'(t)| =
// 0.97 u; erf itself by 2 k u; the sum by 2 u; two products by u |c| each. tanh the same way, its argument by 6 u and
// |t tanh'(t)| <= 0.448: 2.7 u.
struct Moved {
  double value, relative;  // of |x| / 2, and of |c|
};
template <Moved (*moved)(double x, double k)>
std::vector<Allowances> gelu_bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const Dtype out = c.outputs()[0].dtype;
  const double u = order.accumulator_roundoff();
  const DtypeInfo& to = info(out);
  const Wide in = widen_as(c[0], out);
  const auto at = [](const Wide& w, std::int64_t i) {
    const auto* wide = std::get_if<Reals2>(&w);
    return wide ? (*wide)[i].hi : std::get<Reals>(w)[i];
  };
  Allowances all(shape_of(want[0]));
  for (std::int64_t i = 0; i < all.size(); ++i) {
    const double value = std::abs(at(want[0], i)), x = at(in, i);
    const Moved m = moved(x, order.function_ulps);
    const double finite = std::isfinite(x) ? std::abs(x) : 0, own = out == Dtype::f64 ? 0x1p-58 : 0x1p-48;
    const double computed = 1.01 * (m.value * (u * finite) / 2 + m.relative * (u * value)) +
                            (2 + finite) * info(order.accumulator).min_subnormal;
    const bool narrower = to.precision < info(order.accumulator).precision;
    const double rounding = narrower ? to.unit_roundoff() * (value + computed) + to.min_subnormal / 2 : 0;
    all[i] = {computed + rounding + own * value, false};
  }
  return {all};
}

Moved of_erf(double, double k) { return {0.97 + 2 * k + 2, 2}; }
Moved of_tanh(double, double k) { return {2.7 + 2 * k + 2, 2}; }
// c = x / (1 + e^-t), t = 1.702 x: t errs by 2 u of itself, which moves c by t / (1 + e^t) of that; a sigmoid of k ulps
// and a product.
Moved of_sigmoid(double x, double k) {
  const double t = std::abs(1.702 * x);
  return {0, 2 * (x < 0 && std::isfinite(t) ? t : 0.28) + 2 * k + 1};
}

constexpr std::string_view kReal = "bool integers floats", kNumbers = "integers floats";
constexpr Result kFloat{"F", "F = float(T)"};

template <Moved (*moved)(double x, double k)>
Op gelu_row(Op op) {
  op.tolerance = {};
  op.tolerance.kind = Tolerance::Class::inherited, op.tolerance.bound = gelu_bound<moved>;
  return op;
}

// clang-format off
std::vector<Op> exact_rows() {
  return {
    rounded<[](Ordered auto x) { return positive(x); }>(
        {"relu", kNumbers, "T", "out_i = max(x_i, 0)", "uniform-3,wide-60"}),
    rounded<[](Ordered auto x) { return at_most(positive(x), decltype(x)(6)); }>(
        {"relu6", kNumbers, "T", "out_i = min(max(x_i, 0), 6)", "uniform-9,wide-60"}),
    rounded<[](Ordered auto x) { return times(positive(x), positive(x)); }>(
        {"relu2", kNumbers, "T", "out_i = max(x_i, 0)^2", "wide-62,wide-80", "integers wrap"}),
    rounded<[](Real auto x, Given g) { return leaky<double>(x, g("negative_slope")); }>(
        {"leaky_relu", kReal, kFloat, "out_i = max(negative_slope x_i, x_i)", "uniform-3,wide-60",
         "the slope is a number of the type of x", {{"negative_slope", 0.01}}, "negative_slope={0.3,2}"}),
    rounded<[](Real auto x, Given g) { return between<double>(x, g("min_val"), g("max_val")); }>(
        {"hard_tanh", kReal, kFloat, "out_i = min(max(x_i, min_val), max_val)", "uniform-3,wide-30", "",
         {{"min_val", -1.0}, {"max_val", 1.0}}, "min_val=-0.3,max_val=2"}),
    rounded<[](Real auto x, Given g) { return hard_shrink<double>(x, g("lambd")); }>(
        {"hard_shrink", kReal, kFloat, "out_i = x_i where |x_i| > lambd, else 0", "uniform-3,wide-30", "",
         {{"lambd", 0.5}}, "lambd={0.1,2}"}),
    rounded<[](Real auto x, Given g) { return softshrink<double>(x, g("lambd")); }>(
        {"softshrink", kReal, kFloat, "out_i = x_i - sign(x_i) lambd where |x_i| > lambd, else 0", "uniform-3,wide-30",
         "", {{"lambd", 0.5}}, "lambd={0.1,2}"}),
  };
}

std::vector<Op> function_rows() {
  return {
    function<[](Real auto x) { return x / (1 + std::abs(x)); }>(
        {"softsign", kReal, kFloat, "out_i = x_i / (1 + |x_i|)", "uniform-3,wide-60"}),
    function<[](Real auto x) { return x * (between<decltype(x)>(x + 3, 0, 6) / 6); }>(
        {"hardswish", kReal, kFloat, "out_i = x_i min(max(x_i + 3, 0), 6) / 6", "uniform-5,wide-60"}),
    function<[](Real auto x) { return x / (1 + std::exp(-x)); }>(
        {"silu", kReal, kFloat, "out_i = x_i / (1 + e^-x_i)", "uniform-110,wide-7"}),
    function<[](Real auto x) { return softplus(x); }>(
        {"softplus", kReal, kFloat, "out_i = log (1 + e^x_i)", "uniform-110,wide-7"}),
    function<[](Real auto x) { return -softplus(-x); }>(
        {"log_sigmoid", kReal, kFloat, "out_i = -log (1 + e^-x_i)", "uniform-110,wide-7"}),
    function<[](Real auto x) { return x * std::tanh(softplus(x)); }>(
        {"mish", kReal, kFloat, "out_i = x_i tanh(log (1 + e^x_i))", "uniform-110,wide-7"}),
    function<[](Real auto x, Given g) { return elu<decltype(x)>(x, g("alpha")); }>(
        {"elu", kReal, kFloat, "out_i = x_i where x_i > 0, else alpha (e^x_i - 1)", "uniform-20,wide-60",
         "alpha is a number of the type of x", {{"alpha", 1.0}}, "alpha={0.3,-1.5}"}),
    function<[](Real auto x, Given g) { return celu<decltype(x)>(x, g("alpha")); }>(
        {"celu", kReal, kFloat, "out_i = x_i where x_i > 0, else alpha (e^(x_i / alpha) - 1)", "uniform-20,wide-60",
         "alpha is a number of the type of x", {{"alpha", 1.0}}, "alpha={0.3,1.5}"}),
    function<[](Real auto x, Dtype t) {
      return static_cast<decltype(x)>(number_of(t, 1.0507)) * elu<decltype(x)>(x, number_of(t, 1.67326));
    }>(
        {"selu", kReal, kFloat, "out_i = 1.0507 x_i where x_i > 0, else 1.0507 1.67326 (e^x_i - 1)",
         "uniform-20,wide-60", "with the constants as MLX writes them, as numbers of the type of x"}),
    gelu_row<of_erf>(function<[](Real auto x) {
      return x * (std::erfc(-x * static_cast<decltype(x)>(std::sqrt(0.5L))) / 2);
    }>(
        {"gelu", kReal, kFloat, "out_i = x_i (1 + erf(x_i / sqrt 2)) / 2", "uniform-6,wide-30",
         "judged by the error of the sum 1 + erf, which loses digits below 0"})),
    gelu_row<of_tanh>(function<[](Real auto x) { return x / (1 + std::exp(-2 * tanh_argument(x))); }>(
        {"gelu_approx", kReal, kFloat, "out_i = x_i (1 + tanh(sqrt(2 / pi) (x_i + 0.044715 x_i^3))) / 2",
         "uniform-6,wide-30", "judged by the error of the sum 1 + tanh, which loses digits below 0"})),
    gelu_row<of_sigmoid>(function<[](Real auto x) { return x / (1 + std::exp(-decltype(x)(1.702L) * x)); }>(
        {"gelu_fast_approx", kReal, kFloat, "out_i = x_i / (1 + e^(-1.702 x_i))", "uniform-20,wide-30"})),
  };
}
// clang-format on

}  // namespace

std::vector<Op> activation_ops() {
  std::vector<Op> all = exact_rows();
  for (Op& op : function_rows()) all.push_back(std::move(op));
  return all;
}

}  // namespace plumb
