// CPU routes of the gradients of dense pooling: each input element gathers from the windows that hold it, so that no
// two threads write to one place.
#include "core/pool.h"
#include "optimized/array/conv/conv_operands.h"
#include "optimized/array/pool/pool_plan.h"

namespace plumb {
namespace cpu {
namespace {

using conv::Geometry;

// The windows that hold an element: their cotangents, what they took, and which tap of theirs the element is.
template <class T>
struct Holders {
  Room<const T*> cotangents;
  Room<const Tap<T>*> taken;
  Room<std::int64_t> taps;
  std::int64_t count = 0;
  explicit Holders(std::int64_t most)
      : cotangents(static_cast<std::size_t>(most)), taken(cotangents.size()), taps(cotangents.size()) {}

  // back: the adjoint geometry, whose taps come in reverse.
  void find(const Geometry& back, std::int64_t b, const TapRun (&runs)[3], const T* g, const Tap<T>* took) {
    count = 0;
    for_taps(back, runs, [&](std::int64_t i, std::int64_t j, std::int64_t k, std::int64_t tap) {
      const auto n = static_cast<std::size_t>(count++);
      const std::int64_t place = (((b * back.n[0] + i) * back.n[1] + j) * back.n[2] + k) * back.groups;
      cotangents[n] = g + place, taken[n] = took ? took + place : nullptr;
      taps[n] = back.taps() - 1 - tap;
    });
  }
};

template <class T>
void gather(const Geometry& back, const T* g, const Tap<T>* taken, const Tensor& out) {
  const std::int64_t lines = back.batch * back.m[0] * back.m[1], channels = back.groups;
  const std::int64_t cost = std::max<std::int64_t>(1, back.m[2] * channels * back.taps());
  (void)out.write<std::byte>();
  const Room<TapRun> last = tap_runs(back, 2);
  parallel_for(lines, std::max<std::int64_t>(1, (1 << 15) / cost), [&](std::int64_t begin, std::int64_t end) {
    Holders<T> holders(back.taps());
    Room<T> sums(static_cast<std::size_t>(channels));
    PoolReturn<T> r;
    r.channels = channels, r.taps = taken ? 0 : back.taps(), r.sums = sums.data();
    for (std::int64_t l = begin; l < end; ++l) {
      TapRun runs[3] = {tap_run(back, 0, l / back.m[1] % back.m[0]), tap_run(back, 1, l % back.m[1]), {}};
      for (std::int64_t i = 0; i < back.m[2]; ++i) {
        const std::int64_t at = (l * back.m[2] + i) * channels;
        runs[2] = last[static_cast<std::size_t>(i)];
        holders.find(back, l / (back.m[0] * back.m[1]), runs, g, taken);
        r.cotangents = holders.cotangents.data(), r.tap = holders.taps.data(), r.count = holders.count;
        r.taken = taken ? holders.taken.data() : nullptr;
        r.sums = place_of(out, at, sums.data());
        run(r);
        put_row(r.sums, channels, out, at);
      }
    }
  });
}

template <class T>
void gradient(const Call& c, const Tensor& out, bool max) {
  const Geometry g = conv::pool_geometry(c);
  const RawRoom<T> cotangent = converted<T>(c[1], c.dtype(1));
  RawRoom<Tap<T>> taken;
  if (max) {
    taken = RawRoom<Tap<T>>(std::max<std::int64_t>(1, c[1].size()));
    for_windows<T>(g, PoolInput<T>(c[0]), true, taken.get(), nullptr);
  }
  gather<T>(g.adjoint(), cotangent.get(), taken.get(), out);
}

template <bool max>
void pool_vjp(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  if (c.dtype(0) == Dtype::f64) gradient<double>(c, out[0], max);
  else gradient<float>(c, out[0], max);
}

Order order_of(const Call& c, int epilogue) {
  Order o;
  o.accumulator = c.dtype(0) == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.epilogue = epilogue;
  return o;
}
Order sum_order(const Call& c) { return order_of(c, 0); }
Order mean_order(const Call& c) { return order_of(c, 1); }

}  // namespace
}  // namespace cpu

std::vector<Route> dense_pool_gradient_cpu_routes() {
  std::vector<Route> routes;
  for (const char* op : {"dense_max_pool1d_vjp", "dense_max_pool2d_vjp", "dense_max_pool3d_vjp", "dense_avg_pool1d_vjp",
                         "dense_avg_pool2d_vjp", "dense_avg_pool3d_vjp"}) {
    Route& r = routes.emplace_back();
    const bool max = std::string_view(op).starts_with("dense_max");
    r.op = op;
    r.name = "cpu.gather";
    r.order = max ? cpu::sum_order : cpu::mean_order;
    r.prepare = max ? host<cpu::pool_vjp<true>> : host<cpu::pool_vjp<false>>;
  }
  return routes;
}

}  // namespace plumb
