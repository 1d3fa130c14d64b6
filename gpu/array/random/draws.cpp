#include "gpu/array/random/draws.h"

#include <algorithm>

namespace plumb::gpu {
namespace {

bool axes_fit(const Call& c, const Device&) { return output_specs(c)[0].shape.size() <= kDrawAxes; }

std::vector<std::int64_t> sizes(const Shape& shape, std::size_t operands) {
  std::vector<std::int64_t> g(1 + kDrawAxes * (1 + operands));
  g[0] = static_cast<std::int64_t>(shape.size());
  std::reverse_copy(shape.begin(), shape.end(), g.begin() + 1);
  return g;
}

// The strides of operand k, which broadcasts.
void put_strides(std::vector<std::int64_t>& g, std::size_t k, const Shape& own, const Strides& strides) {
  for (std::size_t d = 0; d < own.size(); ++d) {  // innermost first
    const std::size_t axis = own.size() - 1 - d;
    if (own[axis] != 1) g[1 + kDrawAxes * (1 + k) + d] = strides[axis];
  }
}

}  // namespace

BufferPtr spread(const Shape& shape, const std::vector<Tensor>& operands) {
  const bool single = std::all_of(operands.begin(), operands.end(), [](const Tensor& t) { return t.size() == 1; });
  std::vector<std::int64_t> g = sizes(single ? Shape() : shape, operands.size());
  for (std::size_t k = 0; k < operands.size(); ++k)
    put_strides(g, k, operands[k].shape(), row_major(operands[k].shape()));
  return constants(g);
}

BufferPtr spread(const Shape& shape, const Shape& operand, const Strides& strides) {
  std::vector<std::int64_t> g = sizes(shape, 1);
  put_strides(g, 0, operand, strides);
  return constants(g);
}

bool drawn_large(const Call& c, const Device&) { return count(output_specs(c)[0].shape) >= kWorthLaunch; }

bool has_wide(const Call& c, const Device& d) {
  const auto wide = [](Dtype t) { return t == Dtype::f64; };
  const bool asked = std::any_of(c.specs.begin(), c.specs.end(), [&](const auto& s) { return s && wide(s->dtype); });
  return d.fp64 || !(asked || wide(output_specs(c)[0].dtype));
}

Route drawing(std::string_view op, std::string_view name, Job (*prepare)(const Call&, const std::vector<Spec>&),
              Stops stops, Order (*order)(const Call&)) {
  Route r;
  r.op = op, r.name = name;
  r.tier = r.needs = Tier::gpu;
  if (stops.axes) r.supports.push_back({Stage::shape_dtype, "more than 8 axes", axes_fit});
  if (stops.wide) r.supports.push_back({Stage::capability, "the device has no f64 arithmetic", has_wide});
  r.prefers = {kNotHost, {Stage::shape_dtype, "under 65536 elements: a launch costs more", drawn_large}};
  r.order = order;
  r.prepare = prepare;
  return r;
}

}  // namespace plumb::gpu
