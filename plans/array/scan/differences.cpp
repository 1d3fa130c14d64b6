#include "plans/array/scan/differences.h"

#include <memory>

namespace plumb {
namespace {

Tensor shorter(const Tensor& x, std::size_t axis, std::int64_t from) {
  Shape shape = x.shape();
  --shape[axis];
  return x.view(shape, x.strides(), from * x.strides()[axis]);
}

}  // namespace

Job differences(const Call& c, const std::vector<Spec>& out, std::string_view route) {
  if (count(out[0].shape) == 0) return {[] {}, [] {}, [t = std::vector<Tensor>{Tensor(out[0])}] { return t; }};
  const Route& subtract = find_route(find_op("subtract"), route);
  const std::int64_t n = c.integer("n");
  const auto axis = static_cast<std::size_t>(c.axis());
  const Dtype t = out[0].dtype, between = t == Dtype::f16 || t == Dtype::bf16 ? Dtype::f32 : t;
  auto jobs = std::make_shared<std::vector<Job>>();
  const auto less = [&](const Tensor& a, const Tensor& b, Dtype to) {
    jobs->push_back(subtract.prepare(make_call("subtract", {a, b}), {{to, a.shape()}}));
    return jobs->back().fetch()[0];
  };
  if (n == 0) less(c[0], tensor(t, {}, {0.0}), t);
  Tensor x = c[0];
  for (std::int64_t m = 1; m <= n; ++m) x = less(shorter(x, axis, 1), shorter(x, axis, 0), m < n ? between : t);
  const auto launch = [jobs] {
    for (const Job& j : *jobs) j.launch();
  };
  return {launch, jobs->back().wait, jobs->back().fetch};
}

}  // namespace plumb
