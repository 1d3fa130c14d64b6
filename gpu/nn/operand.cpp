#include "gpu/nn/operand.h"

namespace plumb::gpu {
namespace {

constexpr std::int64_t kWorthDevice = 1 << 16;  // elements

bool has_fp64(const Call& c, const Device& d) { return d.fp64 || output_specs(c)[0].dtype != Dtype::f64; }
bool large(const Call& c, const Device&) { return c[0].size() >= kWorthDevice; }

}  // namespace

Tensor operand(const Tensor& t, Dtype as) {
  if (is_real(t.dtype()) && promote(t.dtype(), as) == as && (as != Dtype::f64 || t.dtype() == as)) return t;
  return narrow(widen(t), as);
}

BufferPtr vector_or(const Tensor* t, Dtype as, std::int64_t n, double otherwise) {
  std::vector<double> v(static_cast<std::size_t>(n), otherwise);
  if (t) {
    const Wide w = widen(narrow(widen(*t), as));
    for (std::size_t i = 0; i < v.size(); ++i)
      v[i] = as == Dtype::f64 ? std::get<Reals2>(w).data[i].hi : reals(w).data[i];
  }
  if (as == Dtype::f64) return constants(v);
  return constants(std::vector<float>(v.begin(), v.end()));
}

Route nn_route(std::string_view op, std::string_view name, Job (*prepare)(const Call&, const std::vector<Spec>&),
               Order (*order)(const Call&)) {
  Route r;
  r.op = op;
  r.name = name;
  r.tier = r.needs = Tier::gpu;
  r.supports = {{Stage::capability, "the device has no f64 arithmetic", has_fp64}};
  r.prefers = {kNotHost, {Stage::shape_dtype, "under 65536 elements", large}};
  r.order = order;
  r.prepare = prepare;
  return r;
}

}  // namespace plumb::gpu
