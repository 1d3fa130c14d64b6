#include "plans/linalg/products/pipeline.h"

#include <algorithm>
#include <stdexcept>

#include "core/gate.h"

namespace plumb::products {
namespace {

// Matrix units add with truncation, which a route must declare of itself.
constexpr std::string_view kTruncating = "gpu.mma";

bool preferred(const Route& r, const Call& call) {
  const Device& device = device_of(r);
  return refusal(r, call, device).empty() &&
         std::all_of(r.prefers.begin(), r.prefers.end(), [&](const Condition& c) { return c.holds(call, device); });
}

const Route& route_of(const Call& call, Side side) {
  for (const Route& r : routes(*call.op)) {
    if (side == Side::cpu && r.name.starts_with("cpu.") && preferred(r, call)) return r;
    if (side == Side::device && r.name.starts_with("gpu.") && r.name != kTruncating) return r;
  }
  throw std::logic_error(std::string(call.op->name) + " has no route on that side");
}

}  // namespace

Tensor Pipeline::run(std::string_view op, std::vector<Tensor> in, Attrs attrs) {
  const Call call = make_call(op, std::move(in), std::move(attrs));
  const std::vector<Spec> specs = output_specs(call);
  const Route& route = route_of(call, side_);
  calls_.emplace_back(&route, call);
  if (planned_) return Tensor(specs[0]);
  jobs_.push_back(route.prepare(call, specs));
  return jobs_.back().fetch()[0];
}

Tensor Pipeline::dense(const Tensor& t, Dtype to) { return run("astype", {t}, {{"dtype", std::string(name(to))}}); }

Job Pipeline::job(const Tensor& result, const Spec& spec) const {
  const Tensor out = reshaped(result, spec.shape);
  return {[jobs = jobs_] {
            for (const Job& j : jobs) j.launch();
          },
          [jobs = jobs_] {
            for (const Job& j : jobs) j.wait();
          },
          [out] { return std::vector<Tensor>{out}; }};
}

Order order_of_product(const Pipeline& p) {
  for (const auto& [route, call] : p.calls())
    if (call.op->name == "matmul" || call.op->name == "multiply") return route->order(call);
  return {};
}

Tensor reshaped(const Tensor& t, Shape shape) {
  const Strides strides = row_major(shape);
  return t.view(std::move(shape), strides);
}

}  // namespace plumb::products
