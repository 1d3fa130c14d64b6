// Bins in another order, and their frequencies: copies of runs, and tiles of vectors.
#include <algorithm>
#include <array>
#include <cstring>

#include "core/limits.h"
#include "core/pool.h"
#include "core/route.h"
#include "optimized/array/shape/copy.h"
#include "optimized/dispatch.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void real_range(double start, double step, std::int64_t first, std::int64_t n, bool narrow, void* y))

namespace {

constexpr std::int64_t kTileFloats = 1024;
constexpr Limit kTile{"frequencies.tile", kTileFloats, 8};  // bins computed at once
constexpr std::int64_t kGrain = 1 << 14;                    // bins worth a thread

// y_i = (first + i) step
void steps(double step, std::int64_t first, std::int64_t n, float* y) {
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    alignas(64) std::array<float, kTileFloats> tile;
    const std::int64_t most = kTile.of(n);
    for (std::int64_t i = begin; i < end; i += most) {
      const std::int64_t count = std::min(most, end - i);
      PLUMB_DISPATCH(real_range)(0, step, first + i, count, true, tile.data());
      std::memcpy(y + i, tile.data(), static_cast<std::size_t>(count) * sizeof(float));
    }
  });
}

void frequencies(const Call& c, std::vector<Tensor>& out) {
  const std::int64_t n = c.integer("n"), size = out[0].size();
  const std::int64_t rising = c.op->name == "rfftfreq" ? size : (n + 1) / 2;
  const double step = 1 / (static_cast<double>(n) * c.number("d"));
  float* y = out[0].write<float>();
  steps(step, 0, rising, y);
  steps(step, rising - n, size - rising, y + rising);
}

Order in_double(const Call&) {
  Order o;
  o.accumulator = Dtype::f64;
  return o;
}

}  // namespace

std::vector<Route> shifts_cpu_routes() {
  std::vector<Route> routes = movement::copy_routes({"fftshift", "ifftshift"});
  for (const char* op : {"fftfreq", "rfftfreq"})
    routes.push_back({.op = op,
                      .name = "cpu.each",
                      .supports = {},
                      .prefers = {},
                      .order = in_double,
                      .prepare = host<frequencies>});
  return routes;
}

}  // namespace plumb
