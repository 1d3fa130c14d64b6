// Which results are views of their input, and of which elements.
#include <algorithm>
#include <numeric>
#include <string_view>
#include <tuple>
#include <utility>

#include "plans/array/shape/movement.h"

namespace plumb::movement {
namespace {

using Axes = std::vector<std::int64_t>;
using Views = std::optional<std::vector<View>>;

std::size_t at(std::int64_t axis) { return static_cast<std::size_t>(axis); }

View whole(const Tensor& t) { return {t.shape(), t.strides()}; }

Views one(View v) { return std::vector<View>{std::move(v)}; }

Views same_order(const Call& c) {
  const Shape to = output_specs(c)[0].shape;
  auto strides = reshaped(c[0].shape(), c[0].strides(), to);
  if (!strides) return std::nullopt;
  return one({to, std::move(*strides)});
}

// Axis order[d] of the input becomes axis d.
Views permuted(const Call& c, const Axes& order) {
  View v;
  for (const std::int64_t axis : order) {
    v.shape.push_back(c[0].shape()[at(axis)]);
    v.strides.push_back(c[0].strides()[at(axis)]);
  }
  return one(v);
}

std::int64_t counted(std::int64_t axis, std::int64_t rank) { return axis < 0 ? axis + rank : axis; }

Axes in_order(const Call& c) {
  Axes order(c[0].shape().size());
  std::iota(order.begin(), order.end(), 0);
  return order;
}

Views transpose(const Call& c) {
  Axes order = in_order(c);
  if (c.none("axes")) std::reverse(order.begin(), order.end());
  else order = c.list("axes");
  for (std::int64_t& axis : order) axis = counted(axis, c[0].rank());
  return permuted(c, order);
}

Views exchanged(const Call& c, std::int64_t i, std::int64_t j) {
  Axes order = in_order(c);
  std::swap(order[at(i)], order[at(j)]);
  return permuted(c, order);
}

Views matrix_transpose(const Call& c) { return exchanged(c, c[0].rank() - 1, c[0].rank() - 2); }
Views swapaxes(const Call& c) { return exchanged(c, c.axis("axis1"), c.axis("axis2")); }

Views moveaxis(const Call& c) {
  Axes order = in_order(c);
  const auto from = order.begin() + c.axis("source"), to = order.begin() + c.axis("destination");
  if (from < to) std::rotate(from, from + 1, to + 1);
  else std::rotate(to, from, from + 1);
  return permuted(c, order);
}

Views broadcast_to(const Call& c) {
  View v{c.list("shape"), {}};
  const std::size_t lead = v.shape.size() - c[0].shape().size();
  v.strides.assign(v.shape.size(), 0);
  for (std::size_t d = lead; d < v.shape.size(); ++d)
    if (c[0].shape()[d - lead] != 1) v.strides[d] = c[0].strides()[d - lead];
  return one(v);
}

Views flip(const Call& c) {
  View v = whole(c[0]);
  for (const std::int64_t axis : c.axes()) {
    std::int64_t& stride = v.strides[at(axis)];
    v.offset += (v.shape[at(axis)] - 1) * stride;
    stride = -stride;
  }
  return one(v);
}

Views as_strided(const Call& c) {
  if (!c[0].is_row_major()) return std::nullopt;
  View v{output_specs(c)[0].shape, {}, c.integer("offset")};
  v.strides = c.none("strides") ? row_major(v.shape) : c.list("strides");
  return one(v);
}

Views diagonal(const Call& c) {
  return one(diagonal_view(c[0], c.axis("axis1"), c.axis("axis2"), c.integer("offset")));
}

Views diag(const Call& c) {
  if (c[0].rank() == 1) return std::nullopt;
  return one(diagonal_view(c[0], 0, 1, c.integer("k")));
}

Views split(const Call& c) {
  const std::size_t axis = at(c.axis());
  const std::int64_t n = c[0].shape()[axis], stride = c[0].strides()[axis];
  const auto* parts = c.attrs.find("sections")->get<std::int64_t>();
  const Axes points = parts ? Axes{} : c.list("sections");
  std::vector<View> all;
  std::int64_t from = 0;
  for (const Spec& s : output_specs(c)) {
    const std::size_t k = all.size();
    if (parts) from = static_cast<std::int64_t>(k) * s.shape[axis];
    else if (k > 0) from = std::clamp<std::int64_t>(counted(points[k - 1], n), 0, n);
    all.push_back({s.shape, c[0].strides(), s.shape[axis] > 0 ? from * stride : 0});
  }
  return all;
}

Views unstack(const Call& c) {
  View v = whole(c[0]);
  const std::int64_t axis = c.axis(), n = v.shape[at(axis)], step = v.strides[at(axis)];
  v.shape.erase(v.shape.begin() + axis);
  v.strides.erase(v.strides.begin() + axis);
  std::vector<View> all;
  for (; static_cast<std::int64_t>(all.size()) < n; v.offset += step) all.push_back(v);
  return all;
}

Views contiguous(const Call& c) {
  const View v = whole(c[0]);
  const Tensor reversed = c[0].view({v.shape.rbegin(), v.shape.rend()}, {v.strides.rbegin(), v.strides.rend()});
  if (c[0].is_row_major() || (c.flag("allow_col_major") && reversed.is_row_major())) return one(v);
  return std::nullopt;
}

constexpr std::pair<std::string_view, Views (*)(const Call&)> kViews[] = {
    {"reshape", same_order},
    {"flatten", same_order},
    {"unflatten", same_order},
    {"squeeze", same_order},
    {"expand_dims", same_order},
    {"atleast_1d", same_order},
    {"atleast_2d", same_order},
    {"atleast_3d", same_order},
    {"transpose", transpose},
    {"swapaxes", swapaxes},
    {"matrix_transpose", matrix_transpose},
    {"moveaxis", moveaxis},
    {"broadcast_to", broadcast_to},
    {"flip", flip},
    {"as_strided", as_strided},
    {"diagonal", diagonal},
    {"diag", diag},
    {"split", split},
    {"unstack", unstack},
    {"contiguous", contiguous},
};

}  // namespace

View diagonal_view(const Tensor& t, std::int64_t rows, std::int64_t columns, std::int64_t offset) {
  const View a = whole(t);
  View v;
  for (std::int64_t d = 0; d < t.rank(); ++d)
    if (d != rows && d != columns) v.shape.push_back(a.shape[at(d)]), v.strides.push_back(a.strides[at(d)]);
  const auto left = [](std::int64_t size, std::int64_t from) { return from < size ? size - from : 0; };
  const std::int64_t down = offset < 0 ? -offset : 0, right = offset > 0 ? offset : 0;
  v.shape.push_back(std::min(left(a.shape[at(rows)], down), left(a.shape[at(columns)], right)));
  v.strides.push_back(a.strides[at(rows)] + a.strides[at(columns)]);
  if (v.shape.back() > 0) v.offset = down * a.strides[at(rows)] + right * a.strides[at(columns)];
  return v;
}

// The axes of the input, merged where they continue each other, are used up from the last one on.
std::optional<Strides> reshaped(const Shape& shape, const Strides& strides, const Shape& to) {
  Strides out = row_major(to);
  if (count(to) == 0) return out;
  std::vector<std::pair<std::int64_t, std::int64_t>> axes;  // size, stride
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 1) continue;
    if (!axes.empty() && axes.back().second == strides[d] * shape[d])
      axes.back() = {axes.back().first * shape[d], strides[d]};
    else axes.emplace_back(shape[d], strides[d]);
  }
  std::int64_t left = 1, step = 1;
  for (std::size_t d = to.size(); d-- > 0;) {
    if (to[d] > 1 && left == 1) {
      std::tie(left, step) = axes.back();
      axes.pop_back();
    }
    if (left % to[d] != 0) return std::nullopt;
    out[d] = step;
    step *= to[d];
    left /= to[d];
  }
  return out;
}

std::optional<std::vector<View>> views(const Call& c) {
  for (const auto& [op, of] : kViews)
    if (op == c.op->name) return of(c);
  return std::nullopt;
}

std::vector<Tensor> see(const Call& c) {
  const Views all = views(c);
  std::vector<Tensor> out;
  for (const View& v : all.value()) out.push_back(c[0].view(v.shape, v.strides, v.offset));
  return out;
}

}  // namespace plumb::movement
