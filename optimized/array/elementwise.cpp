// CPU routes of the elementwise operations: any dtypes, any strides, in runs along the innermost axis.
#include <algorithm>
#include <array>

#include "core/limits.h"
#include "core/pool.h"
#include "core/route.h"
#include "optimized/array/operand.h"
#include "optimized/dispatch.h"
#include "optimized/element.h"
#include "optimized/nest.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void add_run(Element t, const void* a, bool a_moves, const void* b, bool b_moves, void* out,
                                std::int64_t n, bool past))

PLUMB_DECLARE_SIMD(void reciprocal_run(Element t, const void* x, bool moves, void* out, std::int64_t n))

namespace {

constexpr Limit kTile{"elementwise.tile", 1024, 8};                  // elements converted at once
constexpr std::int64_t kGrain = 1 << 15;                             // elements worth a thread
constexpr Limit kPastBytes{"elementwise.past_bytes", 24 << 20, 96};  // an output of this size is not worth caching

// One operand as the kernel wants it: of the promoted dtype, and at rest or moving by single elements.
struct Operand {
  const std::byte* first;
  std::int64_t bytes, step;  // of a stored element; innermost stride
  Convert convert;           // null: usable where it lies
  bool moves;
  alignas(64) std::array<std::byte, kTile.usual * 8> tile;

  Operand(const Tensor& t, Dtype to, std::int64_t inner)
      : first(t.read<std::byte>()), bytes(info(t.dtype()).bytes), step(inner), moves(inner != 0) {
    convert = t.dtype() == to && (step == 0 || step == 1) ? nullptr : converter(t.dtype(), to);
  }
  const void* at(std::int64_t offset, std::int64_t n) {
    const std::byte* from = first + offset * bytes;
    if (!convert) return from;
    convert(from, step, tile.data(), moves ? n : 1);
    return tile.data();
  }
};

void add(const Call& c, std::vector<Tensor>& out) {
  const Tensor& z = out[0];
  if (z.size() == 0) return;
  const auto loops = nest<3>(
      z.shape(), {broadcast_strides(c[0], z.shape()), broadcast_strides(c[1], z.shape()), row_major(z.shape())});
  const Dtype t = z.dtype();
  const std::int64_t bytes = info(t).bytes;
  const bool past = z.size() * bytes >= kPastBytes.of(z.size() * bytes) && loops.shape.back() >= kTile.now();
  std::byte* to = z.write<std::byte>();
  const Operand a(c[0], t, loops.strides[0].back()), b(c[1], t, loops.strides[1].back());
  const bool tiled = a.convert || b.convert;
  const auto run = PLUMB_DISPATCH(add_run);
  parallel_for(z.size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    Operand x = a, y = b;  // each thread has its own tiles
    for_runs(loops, begin, end, [&](const std::array<std::int64_t, 3>& at, std::int64_t length) {
      const std::int64_t most = tiled ? kTile.of(length) : length;
      for (std::int64_t i = 0; i < length; i += most) {
        const std::int64_t n = std::min(most, length - i);
        run(static_cast<Element>(t), x.at(at[0] + i * x.step, n), x.moves, y.at(at[1] + i * y.step, n), y.moves,
            to + (at[2] + i) * bytes, n, past);
      }
    });
  });
}

void reciprocal(const Call& c, std::vector<Tensor>& out) {
  const Tensor& z = out[0];
  if (z.size() == 0) return;
  const auto loops = nest<2>(z.shape(), {c[0].strides(), row_major(z.shape())});
  const Dtype t = z.dtype();
  std::byte* to = z.write<std::byte>();
  const Operand whole(c[0], t, loops.strides[0].back());
  const auto run = PLUMB_DISPATCH(reciprocal_run);
  parallel_for(z.size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    Operand x = whole;  // each thread has its own tile
    for_runs(loops, begin, end, [&](const std::array<std::int64_t, 2>& at, std::int64_t length) {
      const std::int64_t most = kTile.of(length);
      for (std::int64_t i = 0; i < length; i += most) {
        const std::int64_t n = std::min(most, length - i);
        run(static_cast<Element>(t), x.at(at[0] + i * x.step, n), x.moves, to + (at[1] + i) * info(t).bytes, n);
      }
    });
  });
}

// Complex quotients are taken in double.
Order in_double(const Call&) {
  Order o;
  o.accumulator = Dtype::f64;
  return o;
}

}  // namespace

std::vector<Route> elementwise_cpu_routes() {
  Route strided;
  strided.op = "add";
  strided.name = "cpu.strided";
  strided.prepare = host<add>;
  Route each;
  each.op = "reciprocal";
  each.name = "cpu.strided";
  each.order = in_double;
  each.prepare = host<reciprocal>;
  return {strided, each};
}

}  // namespace plumb
