// CPU routes of dense max and average pooling: output rows are shared out among threads, a window is a list of rows of
// channels.
#include "core/pool.h"
#include "optimized/array/conv/conv_operands.h"
#include "optimized/array/pool/pool_plan.h"
#include "optimized/element_of.h"
#include "optimized/floats.h"

namespace plumb {
namespace cpu {

using conv::Geometry;

template <class T>
PoolInput<T>::PoolInput(const Tensor& t) : kept(t), type(element_of(t.dtype())), where(conv::strided(t)) {
  bytes = info(t.dtype()).bytes;
  data = t.read<std::byte>();
  if (where.channel == 1 || t.dim(-1) <= 1) return;
  copy = converted<T>(t, t.dtype());
  data = reinterpret_cast<const std::byte*>(copy.get());
  type = sizeof(T) == 8 ? Element::f64 : Element::f32, bytes = sizeof(T);
  where = conv::strided(Tensor({Dtype::boolean, t.shape()}));
}
template struct PoolInput<float>;
template struct PoolInput<double>;

namespace {

// The rows of one window, and the numbers of their taps.
struct Members {
  Room<const void*> rows;
  Room<std::int64_t> taps;
  std::int64_t count = 0;
  explicit Members(std::int64_t most) : rows(static_cast<std::size_t>(most)), taps(static_cast<std::size_t>(most)) {}
  void add(const void* row, std::int64_t tap) {
    rows[static_cast<std::size_t>(count)] = row, taps[static_cast<std::size_t>(count++)] = tap;
  }
};

template <class T>
void find(const Geometry& g, const PoolInput<T>& x, std::int64_t b, const TapRun (&runs)[3], Members& m) {
  m.count = 0;
  for_taps(g, runs, [&](std::int64_t i, std::int64_t j, std::int64_t k, std::int64_t tap) {
    m.add(x.data + (b * x.where.batch + i * x.where.axis[0] + j * x.where.axis[1] + k * x.where.axis[2]) * x.bytes,
          tap);
  });
}

}  // namespace

template <class T>
void put_row(const T* values, std::int64_t n, const Tensor& out, std::int64_t at) {
  std::byte* to = out.write<std::byte>() + at * info(out.dtype()).bytes;
  if (to == reinterpret_cast<const std::byte*>(values)) return;
  if constexpr (sizeof(T) == 8) std::copy_n(values, n, out.write<double>() + at);
  else PLUMB_DISPATCH(from_floats)(values, n, element_of(out.dtype()), to);
}

template void put_row(const float*, std::int64_t, const Tensor&, std::int64_t);
template void put_row(const double*, std::int64_t, const Tensor&, std::int64_t);

template <class T>
void for_windows(const Geometry& g, const PoolInput<T>& x, bool max, Tap<T>* taken, const Tensor* out) {
  const std::int64_t lines = g.batch * g.m[0] * g.m[1], channels = g.groups;
  const std::int64_t cost = std::max<std::int64_t>(1, g.m[2] * channels * g.taps());
  if (out) (void)out->write<std::byte>();
  const Room<TapRun> last = tap_runs(g, 2);
  parallel_for(lines, std::max<std::int64_t>(1, (1 << 15) / cost), [&](std::int64_t begin, std::int64_t end) {
    Members members(g.taps());
    Room<T> values(static_cast<std::size_t>(channels));
    PoolWindow<T> w;
    w.channels = channels, w.taps = g.taps(), w.type = x.type, w.max = max, w.values = values.data();
    for (std::int64_t l = begin; l < end; ++l) {
      TapRun runs[3] = {tap_run(g, 0, l / g.m[1] % g.m[0]), tap_run(g, 1, l % g.m[1]), {}};
      for (std::int64_t o = 0; o < g.m[2]; ++o) {
        const std::int64_t pixel = l * g.m[2] + o;
        runs[2] = last[static_cast<std::size_t>(o)];
        find(g, x, l / (g.m[0] * g.m[1]), runs, members);
        w.rows = members.rows.data(), w.tap = members.taps.data(), w.count = members.count;
        w.taken = taken ? taken + pixel * channels : nullptr;
        if (out) w.values = place_of(*out, pixel * channels, values.data());
        run(w);
        if (out) put_row(w.values, channels, *out, pixel * channels);
      }
    }
  });
}
template void for_windows(const Geometry&, const PoolInput<float>&, bool, Tap<float>*, const Tensor*);
template void for_windows(const Geometry&, const PoolInput<double>&, bool, Tap<double>*, const Tensor*);

namespace {

template <bool max>
void pool(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  const Geometry g = conv::pool_geometry(c);
  if (c.dtype(0) == Dtype::f64) for_windows<double>(g, PoolInput<double>(c[0]), max, nullptr, &out[0]);
  else for_windows<float>(g, PoolInput<float>(c[0]), max, nullptr, &out[0]);
}

Order mean_order(const Call& c) {
  Order o;
  o.accumulator = c.dtype(0) == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.epilogue = 1;
  return o;
}

}  // namespace
}  // namespace cpu

std::vector<Route> dense_pool_cpu_routes() {
  std::vector<Route> routes;
  for (const char* op : {"dense_max_pool1d", "dense_max_pool2d", "dense_max_pool3d", "dense_avg_pool1d",
                         "dense_avg_pool2d", "dense_avg_pool3d"}) {
    Route& r = routes.emplace_back();
    const bool max = std::string_view(op).starts_with("dense_max");
    r.op = op;
    r.name = "cpu.windows";
    if (!max) r.order = cpu::mean_order;
    r.prepare = max ? host<cpu::pool<true>> : host<cpu::pool<false>>;
  }
  return routes;
}

}  // namespace plumb
