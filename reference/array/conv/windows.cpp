#include "reference/array/conv/windows.h"

#include <cstdlib>

namespace plumb::reference {
namespace {

using List = std::vector<std::int64_t>;

constexpr std::int64_t kMost = (std::int64_t{1} << 31) - 1;

std::string listed(const List& v) { return to_string(Attr(v)); }

// Low and high padding of each axis: one value, one for each axis, or the low ones and then the high ones.
std::pair<List, List> padding_pair(const Request& r, std::size_t axes) {
  const List p = r.list("padding");
  if (p.size() != 2 * axes) {
    const List both = per_axis(r, "padding", axes, -kMost);
    return {both, both};
  }
  for (const std::int64_t v : p)
    if (v < -kMost || v > kMost) r.fail(Reason::attribute, "padding " + listed(p) + " is beyond 31 bits");
  const auto half = p.begin() + static_cast<std::ptrdiff_t>(axes);
  return {List(p.begin(), half), List(half, p.end())};
}

void check_room(const Request& r, const SpatialAxes& axis, std::size_t rank) {
  for (std::size_t d = 3 - rank; d < 3; ++d) {
    const SpatialAxis& a = axis[d];
    if (a.k < 1) r.fail(Reason::shape, "a kernel of extent 0");
    if (a.out() < 1)
      r.fail(Reason::shape, "a kernel of extent " + std::to_string(a.dilation * (a.k - 1) + 1) +
                                " is longer than the padded input of " +
                                std::to_string(a.spread * (a.n - 1) + 1 + a.lo + a.hi));
    if (a.out() > kMost) r.fail(Reason::memory, "an output of extent " + std::to_string(a.out()));
  }
}

Shape output_of(const SpatialAxes& axis, std::size_t rank, std::int64_t batch, std::int64_t channels) {
  Shape s{batch};
  for (std::size_t d = 3 - rank; d < 3; ++d) s.push_back(axis[d].out());
  s.push_back(channels);
  return s;
}

// What transposing makes of an axis: out[i * stride + k * dilation - padding] += x[i] w[k].
void transpose(const Request& r, SpatialAxes& axis, std::size_t rank) {
  const List stride = per_axis(r, "stride", rank, 1), padding = per_axis(r, "padding", rank, -kMost),
             dilation = per_axis(r, "dilation", rank, 1), more = per_axis(r, "output_padding", rank, -kMost);
  for (std::size_t d = 0; d < rank; ++d) {
    SpatialAxis& a = axis[3 - rank + d];
    a.spread = stride[d], a.dilation = dilation[d];
    a.lo = dilation[d] * (a.k - 1) - padding[d];
    a.hi = a.lo + more[d];
  }
}

void slide(const Request& r, SpatialAxes& axis, std::size_t rank, ConvKind kind) {
  const bool general = kind == ConvKind::general;
  const List ones(rank, 1), stride = per_axis(r, "stride", rank, 1),
                            dilation = per_axis(r, general ? "kernel_dilation" : "dilation", rank, 1),
                            spread = general ? per_axis(r, "input_dilation", rank, 1) : ones;
  const auto [lo, hi] = padding_pair(r, rank);
  for (std::size_t d = 0; d < rank; ++d) {
    SpatialAxis& a = axis[3 - rank + d];
    a.stride = stride[d], a.dilation = dilation[d], a.spread = spread[d];
    // Negative padding crops elements of the input, which lie `spread` apart.
    a.lo = lo[d] < 0 ? lo[d] * spread[d] : lo[d];
    a.hi = hi[d] < 0 ? hi[d] * spread[d] : hi[d];
  }
}

void check_channels(const Request& r, DenseConv& c) {
  const std::int64_t each = r.shape(1).back();
  c.groups = r.integer("groups");
  if (c.groups < 1) r.fail(Reason::attribute, "groups is " + std::to_string(c.groups));
  if (c.in % c.groups != 0 || c.out % c.groups != 0)
    r.fail(Reason::shape, "channels " + std::to_string(c.in) + " to " + std::to_string(c.out) + " in " +
                              std::to_string(c.groups) + " groups");
  if (each != c.in / c.groups)
    r.fail(Reason::shape, "weight " + to_string(r.shape(1)) + ": the last axis is not " + std::to_string(c.in) + " / " +
                              std::to_string(c.groups));
}

}  // namespace

std::int64_t SpatialAxis::out() const {
  const std::int64_t room = spread * (n - 1) + 1 + lo + hi - (dilation * (k - 1) + 1);
  return room < 0 ? 0 : room / stride + 1;
}

std::int64_t SpatialAxis::input(std::int64_t o, std::int64_t t) const {
  const std::int64_t p = o * stride + t * dilation - lo;
  return p >= 0 && p % spread == 0 && p / spread < n ? p / spread : -1;
}

std::vector<std::int64_t> per_axis(const Request& r, std::string_view attr, std::size_t axes, std::int64_t least) {
  List v = r.list(attr);
  if (v.size() == 1) v.assign(axes, v[0]);
  if (v.size() != axes)
    r.fail(Reason::attribute, std::string(attr) + " " + listed(v) + " for " + std::to_string(axes) + " axes");
  for (const std::int64_t x : v)
    if (x < least || x > kMost) r.fail(Reason::attribute, std::string(attr) + " is " + std::to_string(x));
  return v;
}

Shape DenseConv::output() const { return output_of(axis, rank, batch, out); }
Shape DensePool::output() const { return output_of(axis, rank, batch, channels); }

DenseConv dense_conv_of(const Request& r, ConvKind kind) {
  const Shape &x = r.shape(0), &w = r.shape(1);
  DenseConv c;
  c.rank = x.size() - 2;
  c.batch = x[0], c.in = x.back(), c.out = w[0];
  for (std::size_t d = 0; d < c.rank; ++d) c.axis[3 - c.rank + d].n = x[1 + d], c.axis[3 - c.rank + d].k = w[1 + d];
  if (kind == ConvKind::transposed) transpose(r, c.axis, c.rank);
  else slide(r, c.axis, c.rank, kind);
  c.flip = kind == ConvKind::transposed || (kind == ConvKind::general && r.flag("flip"));
  check_channels(r, c);
  check_room(r, c.axis, c.rank);
  return c;
}

DensePool dense_pool_of(const Request& r) {
  const Shape& x = r.shape(0);
  DensePool p;
  p.rank = x.size() - 2;
  p.batch = x[0], p.channels = x.back();
  const List kernel = per_axis(r, "kernel_size", p.rank, 1),
             stride = r.none("stride") ? kernel : per_axis(r, "stride", p.rank, 1),
             padding = per_axis(r, "padding", p.rank, 0);
  for (std::size_t d = 0; d < p.rank; ++d) {
    SpatialAxis& a = p.axis[3 - p.rank + d];
    a.n = x[1 + d], a.k = kernel[d], a.stride = stride[d], a.lo = a.hi = padding[d];
  }
  check_room(r, p.axis, p.rank);
  return p;
}

std::vector<Spec> spatial_outputs(const Request& r, const SpatialAxes& axis, std::size_t rank) {
  const std::int64_t q = axis[0].out(), s = axis[1].out(), out = axis[2].out();
  if (rank == 1) return r.outputs({{'R', out}});
  if (rank == 2) return r.outputs({{'S', s}, {'R', out}});
  return r.outputs({{'Q', q}, {'S', s}, {'R', out}});
}

}  // namespace plumb::reference
