#include "plans/array/scalar/operand.h"

#include <cmath>
#include <string>

#include "core/signature.h"

namespace plumb {
namespace {

double rounded_to(Dtype t, double x) {
  switch (t) {
    case Dtype::f16: return half_to_float(to_half(x));
    case Dtype::bf16: return bf16_to_float(to_bf16(x));
    case Dtype::f32: return static_cast<float>(x);
    default: return x;
  }
}

// 10^|decimals| as a number of the arithmetic, and whether it divides first.
ScalarParameters of_round(const Call& c) {
  const std::int64_t d = c.integer("decimals");
  const std::string power = "1e" + std::to_string(std::abs(d));
  const Dtype t = c.dtype(0);
  const bool narrow = is_real(t) && t != Dtype::f64;
  return {{narrow ? std::stof(power) : std::stod(power), d < 0 ? 1.0 : 0.0, 0}, true};
}

ScalarParameters of_nan_to_num(const Call& c) {
  const Dtype t = c.dtype(0);
  const double posinf = c.none("posinf") ? info(t).max : c.number("posinf");
  const double neginf = c.none("neginf") ? -info(t).max : c.number("neginf");
  return {{rounded_to(t, c.number("nan")), rounded_to(t, posinf), rounded_to(t, neginf)}, true};
}

ScalarParameters of_isclose(const Call& c) {
  return {{rounded_to(Dtype::f32, c.number("rtol")), rounded_to(Dtype::f32, c.number("atol")),
           c.flag("equal_nan") ? 1.0 : 0.0},
          true};
}

// Attributes that are numbers of the type of the operands, in the order in which kernels take them.
struct Numbers {
  std::string_view op;
  std::array<std::string_view, 2> attrs;
};
constexpr Numbers kNumbers[] = {
    {"leaky_relu", {"negative_slope"}},    {"hard_shrink", {"lambd"}}, {"softshrink", {"lambd"}},
    {"hard_tanh", {"min_val", "max_val"}}, {"elu", {"alpha"}},         {"celu", {"alpha"}},
};

}  // namespace

Dtype computed_in(const Call& c) {
  for (const char letter : {'F', 'P'})
    if (const Letters::Type* t = c.letters->type(letter)) return t->value;
  Dtype t = c.dtype(0);
  for (std::size_t i = 1; i < c.in.size(); ++i) t = promote(t, c.dtype(i));
  return c.op->name == "isclose" || c.op->name == "allclose" ? at_least_float(t) : t;
}

std::vector<Tensor> scalar_operands(const Call& c) {
  std::vector<Tensor> all = c.in;
  if (c.op->name == "clip") all.resize(3);
  for (Tensor& t : all)
    if (!t.defined()) t = c[0];
  return all;
}

ScalarParameters scalar_parameters(const Call& c) {
  if (c.op->name == "round") return of_round(c);
  if (c.op->name == "nan_to_num") return of_nan_to_num(c);
  if (c.op->name == "isclose" || c.op->name == "allclose") return of_isclose(c);
  if (c.op->name == "array_equal" && is_inexact(computed_in(c))) return {{0, 0, c.flag("equal_nan") ? 1.0 : 0.0}, true};
  if (c.op->name == "clip") return {{c.has("a_min") ? 1.0 : 0.0, c.has("a_max") ? 1.0 : 0.0, 0}, true};
  for (const Numbers& n : kNumbers) {
    if (n.op != c.op->name) continue;
    ScalarParameters p{{}, true};
    for (std::size_t k = 0; k < n.attrs.size(); ++k)
      if (!n.attrs[k].empty()) p.value[k] = rounded_to(computed_in(c), c.number(n.attrs[k]));
    return p;
  }
  // MLX's constants of selu.
  if (const Dtype t = computed_in(c); c.op->name == "selu")
    return {{rounded_to(t, 1.67326), rounded_to(t, 1.0507), 0}, true};
  return {};
}

}  // namespace plumb
