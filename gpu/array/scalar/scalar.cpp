#include "gpu/array/scalar/scalar.h"

#include <algorithm>

#include "gpu/array/operand.h"
#include "plans/array/scalar/operand.h"

namespace plumb::gpu {
namespace {

constexpr std::int64_t kWorthDevice = 1 << 16;  // elements

// Of what is computed for each pair; of all of them one answer may follow.
Shape each_shape(const Call& c) {
  Shape s = c.shape(0);
  if (c.op->name == "array_equal") return s;  // of other shapes nothing is computed
  for (std::size_t i = 1; i < c.in.size(); ++i)
    if (c.has(i)) s = broadcast(c.op->name, s, c.shape(i));
  return s;
}

bool few_axes(const Call& c, const Device&) {
  return operand_axes(scalar_operands(c), each_shape(c)).size() <= kOperandAxes;
}
bool large(const Call& c, const Device&) { return count(each_shape(c)) >= kWorthDevice; }
bool has_fp64(const Call& c, const Device& d) {
  const auto wide = [](Dtype t) { return t == Dtype::f64 || t == Dtype::c64; };
  return d.fp64 || std::none_of(c.specs.begin(), c.specs.end(), [&](const auto& s) { return s && wide(s->dtype); });
}
bool divides_right(const Call&, const Device& d) { return d.facts.ieee_f32; }

const char* lane_of(Dtype t) {
  switch (info(t).kind) {
    case Kind::complex: return "LANE_C64";
    case Kind::real: return t == Dtype::f64 ? "LANE_F64" : "LANE_F32";
    case Kind::signed_integer: return "LANE_I64";
    default: return "LANE_U64";
  }
}

// Complex numbers are computed in double, where a product of parts is exact: a sum of two and a quotient by one. Their
// functions are up to twelve operations, of which functions err by 6 ulps, and each is well conditioned where it
// stands.
constexpr double kComplexUlps = 10, kComplexFunctionUlps = 128;

// Of one type: that of the lane, whole numbers modulo 2^64.
void add_parameters(Kernel& k, const ScalarParameters& p, Dtype t) {
  if (!p.any) return;
  for (const double v : p.value) {
    if (t == Dtype::f64 || t == Dtype::c64) k.arg(v);
    else if (is_inexact(t)) k.arg(static_cast<float>(v));
    else k.arg(v >= 0 && v < 0x1p64 ? static_cast<std::uint64_t>(v) : std::uint64_t{0});
  }
}

}  // namespace

std::function<void()> scalar_launch(std::string_view kernels, std::string_view name, const Call& c, const Tensor& to) {
  const std::int64_t n = to.size();
  if (n == 0) return [] {};
  const std::vector<Tensor> in = scalar_operands(c);
  const std::vector<OperandAxis> axes = operand_axes(in, to.shape());
  const auto moves_by_one = [](const OperandAxis& x) {
    return std::all_of(x.steps.begin(), x.steps.end(), [](std::int64_t step) { return step == 1; });
  };
  const bool dense = axes.size() <= 1 && std::all_of(axes.begin(), axes.end(), moves_by_one);
  const Dtype t = computed_in(c);
  auto k = std::make_shared<Kernel>(kernels, "each_" + std::string(name), Options{{lane_of(t)}});
  for (const Tensor& x : in) k->arg(input(x)).arg(static_cast<std::int32_t>(x.dtype())).arg(element_offset(x));
  k->arg(output(to)).arg(static_cast<std::int32_t>(t)).arg(static_cast<std::int32_t>(to.dtype()));
  k->arg(geometry(axes, in.size())).arg(std::int32_t{dense}).arg(n);
  add_parameters(*k, scalar_parameters(c), t);
  return [k, n] { k->run({static_cast<std::size_t>(n)}, {256}); };
}

Job prepare_scalar(std::string_view kernels, const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = outputs(specs);
  auto launch = scalar_launch(kernels, c.op->name, c, out[0]);
  return job(std::move(out), std::move(launch));
}

Order scalar_order(std::span<const ScalarFunction> functions, const Call& c) {
  const Dtype t = computed_in(c);
  const bool narrow = t != Dtype::f64 && t != Dtype::c64;
  Order o;
  o.accumulator = narrow ? Dtype::f32 : Dtype::f64;
  for (const ScalarFunction& f : functions)
    if (f.name == c.op->name) {
      const double complex = f.ulps32 > 0.5 || f.name == "sqrt" ? kComplexFunctionUlps : kComplexUlps;
      o.function_ulps = is_complex(t) ? complex : narrow ? f.ulps32 : f.ulps64;
    }
  return o;
}

std::vector<Route> scalar_routes(std::span<const ScalarFunction> functions, Order (*order)(const Call&),
                                 Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  std::vector<Route> routes;
  for (const ScalarFunction& f : functions) {
    Route& r = routes.emplace_back();
    r.op = f.name;
    r.name = "gpu.each";
    r.tier = r.needs = Tier::gpu;
    r.supports = {{Stage::storage, "more than 8 axes that cannot be merged", few_axes}};
    if (f.kind != ScalarFunction::words)
      r.supports.push_back({Stage::capability, "the device has no f64 arithmetic", has_fp64});
    if (f.kind == ScalarFunction::divides)
      r.supports.push_back({Stage::capability, "the device does not divide f32 as IEEE 754 has it", divides_right});
    r.prefers = {kNotHost, {Stage::shape_dtype, "under 65536 elements", large}};
    r.order = order;
    r.prepare = prepare;
  }
  return routes;
}

}  // namespace plumb::gpu
