#include "core/layout.h"

#include <algorithm>
#include <cstring>

namespace plumb {
namespace {

constexpr std::string_view kLayoutNames[] = {"row",      "transposed", "stepped", "offset",
                                             "reversed", "broadcast",  "padded",  "rotated"};

// Storage geometry of a layout: what to allocate, and how to look at it.
struct Geometry {
  Shape stored;
  Strides strides;
  std::int64_t offset = 0;
};

Geometry geometry(const Shape& shape, Layout layout) {
  Geometry g{shape, row_major(shape), 0};
  const std::size_t rank = shape.size();
  if (layout == Layout::offset) {
    g.stored.insert(g.stored.begin(), 2);
    g.offset = count(shape);
    return g;
  }
  if (rank == 0 || count(shape) == 0) return g;
  const auto last = rank - 1;
  switch (layout) {
    case Layout::row:
    case Layout::offset: break;
    case Layout::transposed:
      std::reverse(g.stored.begin(), g.stored.end());
      g.strides = row_major(g.stored);
      std::reverse(g.strides.begin(), g.strides.end());
      break;
    case Layout::stepped:
      g.stored[last] = 2 * shape[last] + 1;
      g.strides = row_major(g.stored);
      g.strides[last] = 2;
      g.offset = 1;
      break;
    case Layout::reversed:
      g.strides[last] = -1;
      g.offset = shape[last] - 1;
      break;
    case Layout::broadcast:
      g.stored[0] = 1;
      g.strides[0] = 0;
      break;
    case Layout::padded:
      g.stored[last] += 3;
      g.strides = row_major(g.stored);
      g.offset = 1;
      break;
    case Layout::rotated:
      std::rotate(g.stored.begin(), g.stored.begin() + 1, g.stored.end());
      g.strides = row_major(g.stored);
      std::rotate(g.strides.begin(), g.strides.end() - 1, g.strides.end());
      break;
  }
  return g;
}

// Copies dense values into a view; the gaps between its elements hold the guard pattern.
void scatter(const Tensor& values, const Tensor& view) {
  const auto bytes = static_cast<std::size_t>(info(view.dtype()).bytes);
  std::byte* base = view.storage().host_write();
  std::memset(base, kGuardByte, view.storage().bytes());
  std::byte* to = view.write<std::byte>();
  const std::byte* from = values.read<std::byte>();
  std::vector<std::int64_t> index(view.shape().size(), 0);
  for (std::int64_t i = 0, n = view.size(); i < n; ++i) {
    std::int64_t at = 0;
    for (std::size_t d = 0; d < index.size(); ++d) at += index[d] * view.strides()[d];
    std::memcpy(to + at * static_cast<std::int64_t>(bytes), from + i * static_cast<std::int64_t>(bytes), bytes);
    for (std::size_t d = index.size(); d-- > 0 && ++index[d] == view.shape()[d];) index[d] = 0;
  }
}

}  // namespace

std::string_view name(Layout l) { return kLayoutNames[static_cast<std::size_t>(l)]; }

std::optional<Layout> layout_named(std::string_view text) {
  for (const Layout l : kLayouts)
    if (name(l) == text) return l;
  return std::nullopt;
}

Tensor blank(const Spec& spec, Layout layout) {
  const Geometry g = geometry(spec.shape, layout);
  return Tensor(Spec{spec.dtype, g.stored}).view(spec.shape, g.strides, g.offset);
}

Tensor lay_out(const Tensor& values, Layout layout) {
  const Tensor dense = contiguous(values);
  if (layout == Layout::row) return dense;
  const Tensor view = blank(dense.spec(), layout);
  if (view.size() > 0) scatter(dense, view);
  return view;
}

}  // namespace plumb
