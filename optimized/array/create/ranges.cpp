// Ranges and windows on the processor: tiles of vectors, threads over ranges of them.
#include <algorithm>
#include <array>
#include <cmath>

#include "core/limits.h"
#include "core/pool.h"
#include "core/route.h"
#include "optimized/array/operand.h"
#include "optimized/array/scalar/kernels.h"
#include "optimized/dispatch.h"
#include "optimized/element_of.h"
#include "optimized/functions_ulps.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void store_tile(Lane in, Element t, const void* tile, void* to, std::int64_t n))
PLUMB_DECLARE_SIMD(void whole_range(std::uint64_t start, std::uint64_t step, std::int64_t first, std::int64_t n,
                                    std::uint64_t* y))
PLUMB_DECLARE_SIMD(void real_range(double start, double step, std::int64_t first, std::int64_t n, bool narrow, void* y))
PLUMB_DECLARE_SIMD(void even_range(double start, double stop, double divisions, std::int64_t first, std::int64_t n,
                                   bool narrow, void* y))
PLUMB_DECLARE_SIMD(void cosine_window(double a0, double a1, double a2, double last, std::int64_t first, std::int64_t n,
                                      void* y))
PLUMB_DECLARE_SIMD(void triangle_window(double last, std::int64_t first, std::int64_t n, void* y))

namespace {

constexpr Limit kTile{"create.tile", kTileElements, 8};  // elements computed at once
constexpr std::int64_t kGrain = 1 << 14;                 // elements worth a thread

// f(first, n, tile) gives n elements from the index `first` on, as lanes.
template <class F>
void in_tiles(const Tensor& y, F f) {
  const Element t = element_of(y.dtype());
  const Lane lane = lane_of(t);
  const std::int64_t bytes = info(y.dtype()).bytes;
  std::byte* to = y.write<std::byte>();
  parallel_for(y.size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    alignas(64) std::array<std::byte, kTileBytes> tile;
    const std::int64_t most = kTile.of(end - begin);
    for (std::int64_t i = begin; i < end; i += most) {
      const std::int64_t n = std::min(most, end - i);
      f(i, n, static_cast<void*>(tile.data()));
      PLUMB_DISPATCH(store_tile)(lane, t, tile.data(), to + i * bytes, n);
    }
  });
}

bool narrow(Dtype t) { return t != Dtype::f64; }

// As a whole number: what is none is truncated.
std::uint64_t whole(const Call& c, const char* name) {
  const std::int64_t* v = c.attrs.find(name)->get<std::int64_t>();
  return static_cast<std::uint64_t>(v ? *v : static_cast<std::int64_t>(c.number(name)));
}

void arange(const Call& c, std::vector<Tensor>& out) {
  const Tensor& y = out[0];
  if (y.size() == 0) return;
  const double start = c.number("start"), step = c.number("step");
  if (is_inexact(y.dtype()))
    return in_tiles(y, [&](std::int64_t first, std::int64_t n, void* tile) {
      PLUMB_DISPATCH(real_range)(start, step, first, n, narrow(y.dtype()), tile);
    });
  const auto is_whole = [&](const char* name) { return c.attrs.find(name)->get<std::int64_t>() != nullptr; };
  const std::uint64_t s = whole(c, "start");
  const std::uint64_t d = is_whole("start") && is_whole("step")
                              ? whole(c, "step")
                              : static_cast<std::uint64_t>(static_cast<std::int64_t>(start + step)) - s;
  in_tiles(y, [&](std::int64_t first, std::int64_t n, void* tile) {
    PLUMB_DISPATCH(whole_range)(s, d, first, n, static_cast<std::uint64_t*>(tile));
  });
}

// Of whole numbers, as they are defined: each operation rounded to f32, then truncated.
Tensor whole_spaced(const Call& c, const Tensor& y, double divisions) {
  const Tensor x({Dtype::f32, y.shape()});
  const auto d = static_cast<float>(divisions), start = static_cast<float>(c.number("start")),
             stop = static_cast<float>(c.number("stop"));
  auto* to = x.write<float>();
  parallel_for(y.size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float t = static_cast<float>(i) / d;
      to[i] = (1 - t) * start + t * stop;
    }
  });
  return as_dtype(x, y.dtype());
}

void linspace(const Call& c, std::vector<Tensor>& out) {
  const Tensor& y = out[0];
  const auto divisions =
      static_cast<double>(std::max<std::int64_t>(1, c.integer("num") - (c.flag("endpoint") ? 1 : 0)));
  if (!is_inexact(y.dtype())) return void(out[0] = whole_spaced(c, y, divisions));
  in_tiles(y, [&](std::int64_t first, std::int64_t n, void* tile) {
    PLUMB_DISPATCH(even_range)
    (c.number("start"), c.number("stop"), divisions, first, n, narrow(y.dtype()), tile);
  });
}

void window(const Call& c, std::vector<Tensor>& out) {
  const Tensor& y = out[0];
  if (y.size() == 1) *y.write<float>() = 1;
  if (y.size() <= 1) return;
  const auto last = static_cast<double>(y.size() - 1);
  const std::string_view name = c.op->name;
  in_tiles(y, [&](std::int64_t first, std::int64_t n, void* tile) {
    if (name == "bartlett") PLUMB_DISPATCH(triangle_window)(last, first, n, tile);
    else if (name == "hanning") PLUMB_DISPATCH(cosine_window)(0.5, 0.5, 0, last, first, n, tile);
    else if (name == "hamming") PLUMB_DISPATCH(cosine_window)(0.54, 0.46, 0, last, first, n, tile);
    else PLUMB_DISPATCH(cosine_window)(0.42, 0.5, 0.08, last, first, n, tile);
  });
}

// In double; halves pass through f32.
Order order(const Call& c) {
  const Dtype t = output_specs(c)[0].dtype;
  Order o;
  o.accumulator = t == Dtype::f16 || t == Dtype::bf16 ? Dtype::f32 : Dtype::f64;
  o.function_ulps = function_ulps("cos").ulps64;
  return o;
}

}  // namespace

std::vector<Route> ranges_cpu_routes() {
  std::vector<Route> routes;
  const auto add = [&](std::string_view op, auto prepare) {
    routes.push_back({.op = op, .name = "cpu.each", .supports = {}, .prefers = {}, .order = order, .prepare = prepare});
  };
  add("arange", host<arange>);
  add("linspace", host<linspace>);
  for (const char* op : {"bartlett", "hanning", "hamming", "blackman"}) add(op, host<window>);
  return routes;
}

}  // namespace plumb
