#include "plans/array/conv/geometry.h"

#include <algorithm>

namespace plumb::conv {
namespace {

// One value for each axis of the call, at the back of three.
Triple triple(const Call& c, std::string_view attr, std::size_t rank, std::int64_t rest, std::size_t first = 0) {
  const auto v = c.list(attr);
  Triple t{rest, rest, rest};
  for (std::size_t d = 0; d < rank; ++d) t[3 - rank + d] = v.size() == 1 ? v[0] : v[first + d];
  return t;
}

void transpose(const Call& c, Geometry& g, std::size_t rank) {
  g.spread = triple(c, "stride", rank, 1);
  g.dilation = triple(c, "dilation", rank, 1);
  const Triple padding = triple(c, "padding", rank, 0), more = triple(c, "output_padding", rank, 0);
  for (std::size_t d = 0; d < 3; ++d) {
    g.low[d] = g.dilation[d] * (g.k[d] - 1) - padding[d];
    g.m[d] = (g.n[d] - 1) * g.spread[d] - 2 * padding[d] + g.dilation[d] * (g.k[d] - 1) + 1 + more[d];
  }
  g.flip = true;
}

void slide(const Call& c, Geometry& g, std::size_t rank) {
  const bool general = c.attrs.find("kernel_dilation") != nullptr;
  g.stride = triple(c, "stride", rank, 1);
  g.dilation = triple(c, general ? "kernel_dilation" : "dilation", rank, 1);
  if (general) g.spread = triple(c, "input_dilation", rank, 1), g.flip = c.flag("flip");
  const bool both = c.list("padding").size() == 2 * rank;
  Triple high = triple(c, "padding", rank, 0, both ? rank : 0);
  g.low = triple(c, "padding", rank, 0);
  for (std::size_t d = 0; d < 3; ++d) {
    if (g.low[d] < 0) g.low[d] *= g.spread[d];  // crops elements, which lie `spread` apart
    if (high[d] < 0) high[d] *= g.spread[d];
    const std::int64_t room = (g.n[d] - 1) * g.spread[d] + g.low[d] + high[d] - g.dilation[d] * (g.k[d] - 1);
    g.m[d] = room / g.stride[d] + 1;
  }
}

Geometry of_vectors(const Call& c) {
  Geometry g;
  g.batch = g.in = g.out = 1;
  g.flip = true;
  const std::int64_t a = c[0].size(), v = c[1].size(), m = std::min(a, v);
  g.n[2] = std::max(a, v), g.k[2] = m;
  g.m[2] = output_specs(c)[0].shape[0];
  const std::string& mode = c.text("mode");
  g.low[2] = mode == "full" ? m - 1 : mode == "same" ? m - 1 - (m - 1) / 2 : 0;
  return g;
}

}  // namespace

Geometry Geometry::adjoint() const {
  Geometry a = *this;
  std::swap(a.in, a.out);
  a.n = m, a.m = n;
  a.stride = spread, a.spread = stride;
  for (std::size_t d = 0; d < 3; ++d) a.low[d] = dilation[d] * (k[d] - 1) - low[d];
  a.flip = !flip;
  return a;
}

Geometry geometry(const Call& c) {
  if (c.attrs.find("mode")) return of_vectors(c);
  Geometry g;
  const Shape &x = c.shape(0), &w = c.shape(1);
  const std::size_t rank = x.size() - 2;
  g.batch = x[0], g.groups = c.integer("groups");
  g.in = x.back() / g.groups, g.out = w[0] / g.groups;
  for (std::size_t d = 0; d < rank; ++d) g.n[3 - rank + d] = x[1 + d], g.k[3 - rank + d] = w[1 + d];
  if (c.attrs.find("output_padding")) transpose(c, g, rank);
  else slide(c, g, rank);
  return g;
}

Geometry pool_geometry(const Call& c) {
  const Shape& x = c.shape(0);
  const std::size_t rank = x.size() - 2;
  Geometry g;
  g.batch = x[0], g.groups = x.back(), g.in = g.out = 1;
  for (std::size_t d = 0; d < rank; ++d) g.n[3 - rank + d] = x[1 + d];
  g.k = triple(c, "kernel_size", rank, 1);
  g.stride = c.none("stride") ? g.k : triple(c, "stride", rank, 1);
  g.low = triple(c, "padding", rank, 0);
  for (std::size_t d = 0; d < 3; ++d) g.m[d] = (g.n[d] + 2 * g.low[d] - g.k[d]) / g.stride[d] + 1;
  return g;
}

bool swaps(const Call& c) { return c.attrs.find("mode") && c[0].size() < c[1].size(); }

Strided strided(const Tensor& t) {
  Strided s;
  const Strides& of = t.strides();
  if (t.rank() == 1) {
    s.axis[2] = of[0];
    return s;
  }
  const std::size_t rank = of.size() - 2;
  s.batch = of[0], s.channel = of.back();
  for (std::size_t d = 0; d < rank; ++d) s.axis[3 - rank + d] = of[1 + d];
  return s;
}

WeightStrides weight_strides(const Geometry& g, const Tensor& weight) {
  const Strided s = strided(weight);
  return {g.out * s.batch, s.batch, s.channel, s.axis};
}

WeightStrides adjoint_weight_strides(const Geometry& g, const Tensor& weight) {
  const Strided s = strided(weight);
  return {g.out * s.batch, s.channel, s.batch, s.axis};
}

}  // namespace plumb::conv
