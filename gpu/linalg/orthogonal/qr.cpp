// QR factorisation on the device: see kernels/linalg/orthogonal/qr.cl.
#include <algorithm>

#include "gpu/linalg/orthogonal/panels.h"
#include "gpu/runtime.h"

namespace plumb {
namespace {

constexpr std::int64_t kPanel = 16, kGroup = 128, kTile = 16;  // as in kernels/linalg/orthogonal/qr.cl
// Work-items of the groups of simple kernels: a size of its own for each extent would be compiled each.
constexpr std::int64_t kFlat = 64;
constexpr std::int64_t kWorthLaunch = 1 << 14;  // elements

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

struct Extents {
  std::int64_t m, n, k, matrices, panels;
  explicit Extents(const Call& c)
      : m(c.size('M')),
        n(c.size('N')),
        k(std::min(m, n)),
        matrices(count(Shape(c.shape(0).begin(), c.shape(0).end() - 2))),
        panels((k + kPanel - 1) / kPanel) {}
};

gpu::Kernel kernel(const Call& c, const char* name) { return gpu::Kernel("qr", name, {{"X", c.dtype(0)}}); }

// What lies on the device between the kernels.
struct Room {
  gpu::BufferPtr w, v, triangles, exponents, undefined;
  Room(const Extents& e, std::int64_t bytes)
      : w(gpu::scratch(size(e.matrices * e.m * e.n * bytes))),
        v(gpu::scratch(size(e.matrices * e.m * e.k * bytes))),
        triangles(gpu::scratch(size(e.matrices * e.panels * kPanel * kPanel * bytes))),
        exponents(gpu::scratch(size(e.matrices * e.n * 4))),
        undefined(gpu::scratch(size(e.matrices * 4))) {}
};

// C -= V T' V^T C on columns [from, columns).
struct Applied {
  gpu::Kernel kernel;
  std::int64_t tiles;
  void run(std::int64_t matrices) const { kernel.run({size(tiles * kGroup), size(matrices)}, {size(kGroup), 1}); }
};

Applied applied(const Call& c, const Extents& e, const Room& room, const gpu::BufferPtr& all, std::int64_t columns,
                std::int64_t from, std::int64_t first, bool transposed) {
  Applied a{kernel(c, "apply"), (columns - from + kTile - 1) / kTile};
  a.kernel.arg(all).arg(room.v).arg(room.triangles).arg(e.m).arg(e.k).arg(columns).arg(from).arg(first);
  a.kernel.arg(std::int32_t{transposed});
  return a;
}

struct Step {
  gpu::Kernel panel;
  Applied rest, back;
};

std::vector<Step> steps(const Call& c, const Extents& e, const Room& room, const gpu::BufferPtr& q) {
  std::vector<Step> all;
  for (std::int64_t k = 0; k < e.k; k += kPanel) {
    Step s{kernel(c, "panel"), applied(c, e, room, room.w, e.n, std::min(k + kPanel, e.k), k, true),
           applied(c, e, room, q, e.k, k, k, false)};
    s.panel.arg(room.w).arg(room.v).arg(room.triangles).arg(e.m).arg(e.n).arg(k);
    all.push_back(std::move(s));
  }
  return all;
}

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const Extents e(c);
  const std::int64_t in_q = e.matrices * e.m * e.k, in_r = e.matrices * e.k * e.n, columns = e.matrices * e.n;
  if (in_q == 0) return gpu::job(out, [] {});
  const Room room(e, info(c.dtype(0)).bytes);
  const gpu::BufferPtr q = gpu::output(out[0]), r = gpu::output(out[1]);
  gpu::Kernel scale = kernel(c, "scale"), identity = kernel(c, "identity");
  gpu::Kernel finish_q = kernel(c, "finish_q"), finish_r = kernel(c, "finish_r");
  scale.arg(gpu::dense(c[0])).arg(room.w).arg(room.exponents).arg(room.undefined).arg(e.m).arg(e.n).arg(columns);
  identity.arg(q).arg(e.m).arg(e.k).arg(in_q);
  finish_q.arg(q).arg(room.undefined).arg(e.m * e.k).arg(in_q);
  finish_r.arg(room.w).arg(room.exponents).arg(room.undefined).arg(r).arg(e.m).arg(e.n).arg(e.k).arg(in_r);
  return gpu::job(out, [=, all = steps(c, e, room, q)] {
    gpu::fill_zero(room.undefined);
    scale.run({size(columns)}, {size(kFlat)});
    for (const Step& s : all) {
      s.panel.run({size(e.matrices * kGroup)}, {size(kGroup)});
      s.rest.run(e.matrices);
    }
    identity.run({size(in_q)}, {size(kFlat)});
    for (std::size_t i = all.size(); i-- > 0;) all[i].back.run(e.matrices);
    finish_q.run({size(in_q)}, {size(kFlat)});
    finish_r.run({size(in_r)}, {size(kFlat)});
  });
}

}  // namespace

std::vector<Route> qr_gpu_routes() {
  return {{
              .op = "qr",
              .name = "gpu.panels",
              .tier = Tier::gpu,
              .needs = Tier::gpu,
              .supports = {{Stage::device, "the device has no binary64",
                            [](const Call& c, const Device& d) { return c.dtype(0) == Dtype::f32 || d.fp64; }},
                           {Stage::device, "work-groups are smaller than 128",
                            [](const Call&, const Device& d) { return d.facts.max_work_group >= 128; }}},
              .prefers = {gpu::kNotHost,
                          {Stage::shape_dtype, "under 16384 elements: a launch costs more",
                           [](const Call& c, const Device&) { return c[0].size() >= kWorthLaunch; }}},
              .order = gpu::own_type,
              .prepare = prepare,
          },
          gpu::panel_qr_gpu_route()};
}

}  // namespace plumb
