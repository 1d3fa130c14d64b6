#include "gpu/array/random/draws.h"

#include <algorithm>

namespace plumb::gpu {
namespace {

constexpr std::int64_t kWorthLaunch = 1 << 16;  // elements

bool axes_fit(const Call& c, const Device&) { return few_axes(output_specs(c)[0].shape); }

}  // namespace

BufferPtr spread(const Shape& shape, const std::vector<Tensor>& operands) {
  std::vector<std::int64_t> g(1 + kDrawAxes * (1 + operands.size()));
  const bool single = std::all_of(operands.begin(), operands.end(), [](const Tensor& t) { return t.size() == 1; });
  if (single) return constants(g);
  g[0] = static_cast<std::int64_t>(shape.size());
  std::reverse_copy(shape.begin(), shape.end(), g.begin() + 1);
  for (std::size_t k = 0; k < operands.size(); ++k) {
    const Shape& own = operands[k].shape();
    std::int64_t step = 1;
    for (std::size_t d = 0; d < own.size(); ++d) {  // innermost first: operands are made dense
      const std::int64_t size = own[own.size() - 1 - d];
      if (size != 1) g[1 + kDrawAxes * (1 + k) + d] = step;
      step *= size;
    }
  }
  return constants(g);
}

bool few_axes(const Shape& shape) { return shape.size() <= kDrawAxes; }

bool drawn_large(const Call& c, const Device&) { return count(output_specs(c)[0].shape) >= kWorthLaunch; }

bool has_wide(const Call& c, const Device& d) {
  const auto wide = [](Dtype t) { return t == Dtype::f64; };
  const bool asked = std::any_of(c.specs.begin(), c.specs.end(), [&](const auto& s) { return s && wide(s->dtype); });
  return d.fp64 || !(asked || wide(output_specs(c)[0].dtype));
}

Route drawing(std::string_view op, std::string_view name, Job (*prepare)(const Call&, const std::vector<Spec>&),
              Order (*order)(const Call&)) {
  return {
      .op = op,
      .name = name,
      .tier = Tier::gpu,
      .needs = Tier::gpu,
      .supports = {{Stage::shape_dtype, "more than 8 axes", axes_fit},
                   {Stage::capability, "the device has no f64 arithmetic", has_wide}},
      .prefers = {kNotHost, {Stage::shape_dtype, "under 65536 elements: a launch costs more", drawn_large}},
      .order = order,
      .prepare = prepare,
  };
}

}  // namespace plumb::gpu
