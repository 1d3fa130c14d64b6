// Writing by position: each thread makes the updates of a part of the output, in their order.
#include <algorithm>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "optimized/array/index/moves.h"
#include "optimized/array/operand.h"

namespace plumb {
namespace {

template <Combine how>
void write(const Call& c, std::vector<Tensor>& out) {
  cpu::update(c, out, how);
}

// In the order of the updates, one after the other: halves in f32, complex numbers as they are.
Order in_order(const Call& c) {
  Order o;
  o.accumulator = c.dtype(0) == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  return o;
}

// ---- masked_scatter

constexpr Limit kBlock{"index.mask_block", 4096, 4};  // of the mask, counted at once

// How many true entries of the mask lie before each block, and in all.
Room<std::int64_t> places_before(const std::uint8_t* mask, std::int64_t n, std::int64_t block) {
  const std::int64_t blocks = (n + block - 1) / block;
  Room<std::int64_t> before(static_cast<std::size_t>(blocks + 1));
  parallel_for(blocks, 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      std::int64_t found = 0;
      for (std::int64_t i = b * block; i < std::min(n, (b + 1) * block); ++i) found += mask[i] != 0 ? 1 : 0;
      before[static_cast<std::size_t>(b + 1)] = found;
    }
  });
  for (std::int64_t b = 0; b < blocks; ++b)
    before[static_cast<std::size_t>(b + 1)] += before[static_cast<std::size_t>(b)];
  return before;
}

// Values as rows, repeated where they have no axis for them.
Tensor supply(const Call& c, const Shape& row, std::int64_t places) {
  const Tensor v = as_dtype(c[2], c.dtype(0));
  if (v.shape().size() > row.size()) return contiguous(v);
  Shape shape{places};
  shape.insert(shape.end(), row.begin(), row.end());
  Strides strides(shape.size(), 0);
  for (std::size_t d = 0; d < v.shape().size(); ++d)
    if (v.shape()[d] != 1) strides[strides.size() - v.shape().size() + d] = v.strides()[d];
  Tensor all(Spec{v.dtype(), shape});
  cpu::copy_elements(v.view(shape, strides), all.write<std::byte>());
  return all;
}

void masked_scatter(const Call& c, std::vector<Tensor>& out) {
  const Tensor mask = contiguous(c[1]);
  const std::int64_t n = mask.size(), block = kBlock.of(n);
  const auto* chosen = mask.read<std::uint8_t>();
  const Room<std::int64_t> before = places_before(chosen, n, block);
  const Shape row(c.shape(0).begin() + mask.rank(), c.shape(0).end());
  if (c.shape(2).size() > row.size() && before.back() > c.shape(2)[0])
    c.fail(Reason::domain, std::to_string(c.shape(2)[0]) + " values for " + std::to_string(before.back()) + " places");
  auto* to = out[0].write<std::byte>();
  cpu::copy_elements(c[0], to);
  const Tensor values = supply(c, row, before.back());
  const std::int64_t size = count(row), bytes = info(c.dtype(0)).bytes;
  const std::int64_t grain = std::max<std::int64_t>(1, (1 << 14) / (block * std::max<std::int64_t>(size, 1)));
  const auto* source = values.read<std::byte>();
  parallel_for(std::ssize(before) - 1, grain, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int64_t> at, from;
    for (std::int64_t b = begin; b < end; ++b) {
      at.clear(), from.clear();
      const std::int64_t first = before[static_cast<std::size_t>(b)];
      for (std::int64_t i = b * block; i < std::min(n, (b + 1) * block); ++i)
        if (chosen[i] != 0) from.push_back((first + std::ssize(at)) * size), at.push_back(i * size);
      PLUMB_DISPATCH(scatter_rows)(bytes, source, from.data(), at.data(), std::ssize(at), {size, 1, 1}, to);
    }
  });
}

Route route(std::string_view op, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  Route r;
  r.op = op;
  r.name = "cpu.owned";
  r.order = in_order;
  r.prepare = prepare;
  return r;
}

}  // namespace

std::vector<Route> scatter_cpu_routes() {
  Route masked = route("masked_scatter", host<masked_scatter>);
  masked.name = "cpu.counted";
  return {route("put_along_axis", host<write<Combine::set>>),
          route("scatter_add_axis", host<write<Combine::add>>),
          masked,
          route("scatter", host<write<Combine::set>>),
          route("scatter_add", host<write<Combine::add>>),
          route("scatter_prod", host<write<Combine::prod>>),
          route("scatter_subtract", host<write<Combine::subtract>>),
          route("scatter_divide", host<write<Combine::divide>>),
          route("scatter_max", host<write<Combine::max>>),
          route("scatter_min", host<write<Combine::min>>)};
}

}  // namespace plumb
