// Singular values, their vectors and the pseudo-inverse on the device: see kernels/linalg/orthogonal/svd.cl.
#include <algorithm>

#include "gpu/runtime.h"

namespace plumb {
namespace {

constexpr std::int64_t kGroup = 64, kSweeps = 60;  // as in kernels/linalg/orthogonal/svd.cl
// Work-items of the groups of simple kernels: a size of its own for each extent would be compiled each.
constexpr std::int64_t kFlat = 64;
constexpr std::int64_t kWorthLaunch = 1 << 14;  // elements

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

struct Extents {
  std::int64_t m, n, k, l, matrices, bytes, parts;
  explicit Extents(const Call& c)
      : m(c.size('M')),
        n(c.size('N')),
        k(std::min(m, n)),
        l(std::max(m, n)),
        matrices(count(Shape(c.shape(0).begin(), c.shape(0).end() - 2))),
        bytes(c.dtype(0) == Dtype::f64 ? 8 : 4),
        parts(is_complex(c.dtype(0)) ? 2 : 1) {}
  bool tall() const { return m > n; }
  bool empty() const { return matrices * m * n == 0; }
};

gpu::Kernel kernel(const Call& c, const char* name) {
  const Dtype part = c.dtype(0) == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  return gpu::Kernel("svd", name, {{"X", part}, {"COMPLEX", is_complex(c.dtype(0))}});
}

// What rotate_rows leaves, and what else lies between the kernels.
struct Room {
  gpu::BufferPtr w, j, norms, order, factors, status;
  Room(const Extents& e, bool vectors)
      : w(gpu::scratch(size(e.matrices * e.k * e.l * e.parts * e.bytes))),
        j(gpu::scratch(size(vectors ? e.matrices * e.k * e.k * e.parts * e.bytes : e.bytes))),
        norms(gpu::scratch(size(2 * e.matrices * e.k * e.bytes))),
        order(gpu::scratch(size(8 * e.matrices * e.k))),
        factors(gpu::scratch(size(e.matrices * e.bytes))),
        status(gpu::scratch(size(4 * e.matrices))) {}
};

void raise(const Call& c, const gpu::BufferPtr& status, std::int64_t matrices) {
  std::vector<std::int32_t> found(size(matrices));
  status->download(reinterpret_cast<std::byte*>(found.data()));
  const auto first = std::find_if(found.begin(), found.end(), [](std::int32_t f) { return f != 0; });
  if (first == found.end()) return;
  const std::string matrix = "matrix " + std::to_string(first - found.begin());
  c.fail(Reason::domain, matrix + (*first == 1 ? std::string(" has an element that is not finite")
                                               : " has not converged in " + std::to_string(kSweeps) + " sweeps"));
}

// A job that rotates, then does the rest; its wait raises what was found.
Job rotated(const Call& c, const Extents& e, const Room& room, bool vectors, const std::vector<Tensor>& out,
            std::function<void()> rest) {
  gpu::Kernel rotate = kernel(c, "rotate_rows");
  rotate.arg(gpu::dense(c[0])).arg(room.w).arg(room.j).arg(room.norms).arg(room.order).arg(room.factors);
  rotate.arg(room.status).arg(e.m).arg(e.n).arg(std::int32_t{vectors});
  Job job = gpu::job(out, [e, rotate, rest = std::move(rest)] {
    rotate.run({size(e.matrices * kGroup)}, {size(kGroup)});
    rest();
  });
  job.wait = [c, status = room.status, matrices = e.matrices, done = job.wait] {
    done();
    raise(c, status, matrices);
  };
  return job;
}

gpu::Kernel values_kernel(const Call& c, const Extents& e, const Room& room, const gpu::BufferPtr& s) {
  gpu::Kernel values = kernel(c, "values");
  values.arg(room.norms).arg(room.factors).arg(s).arg(e.k).arg(e.matrices * e.k);
  return values;
}

Job prepare_values(const Call& c, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const Extents e(c);
  if (e.empty()) return gpu::job(out, [] {});
  const Room room(e, false);
  const gpu::Kernel values = values_kernel(c, e, room, gpu::output(out[0]));
  return rotated(c, e, room, false, out, [=] { values.run({size(e.matrices * e.k)}, {size(kFlat)}); });
}

// Rows of V, or of J in their order, as an output: themselves, or their conjugate transpose.
gpu::Kernel put_kernel(const Call& c, const Extents& e, const Room& room, const gpu::BufferPtr& rows, bool ordered,
                       const Tensor& out, bool columns) {
  const std::int64_t n = out.dim(-1);
  gpu::Kernel put = kernel(c, "put");
  put.arg(rows).arg(room.order).arg(gpu::output(out)).arg(n).arg(std::int32_t{ordered}).arg(std::int32_t{columns});
  put.arg(e.matrices * n * n);
  return put;
}

Job prepare_identities(const Call& c, const Extents& e, const std::vector<Tensor>& out) {
  gpu::Kernel u = kernel(c, "identity"), vt = kernel(c, "identity");
  const std::int64_t in_u = e.matrices * e.m * e.m, in_vt = e.matrices * e.n * e.n;
  u.arg(gpu::output(out[0])).arg(e.m).arg(in_u);
  vt.arg(gpu::output(out[2])).arg(e.n).arg(in_vt);
  return gpu::job(out, [=] {
    u.run({size(in_u)}, {size(kFlat)});
    vt.run({size(in_vt)}, {size(kFlat)});
  });
}

Job prepare_vectors(const Call& c, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const Extents e(c);
  if (e.empty()) return prepare_identities(c, e, out);
  const Room room(e, true);
  const gpu::BufferPtr v = gpu::scratch(size(e.matrices * e.l * e.l * e.parts * e.bytes));
  const gpu::BufferPtr scratch = gpu::scratch(size(3 * e.matrices * e.l * e.bytes));
  gpu::Kernel basis = kernel(c, "basis");
  basis.arg(room.w).arg(room.norms).arg(room.order).arg(v).arg(scratch).arg(e.k).arg(e.l);
  const gpu::Kernel values = values_kernel(c, e, room, gpu::output(out[1]));
  const gpu::Kernel u = put_kernel(c, e, room, e.tall() ? v : room.j, !e.tall(), out[0], true);
  const gpu::Kernel vt = put_kernel(c, e, room, e.tall() ? room.j : v, e.tall(), out[2], false);
  return rotated(c, e, room, true, out, [=] {
    basis.run({size(e.matrices * kGroup)}, {size(kGroup)});
    values.run({size(e.matrices * e.k)}, {size(kFlat)});
    u.run({size(e.matrices * e.m * e.m)}, {size(kFlat)});
    vt.run({size(e.matrices * e.n * e.n)}, {size(kFlat)});
  });
}

Job prepare_inverse(const Call& c, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const Extents e(c);
  if (e.empty()) return gpu::job(out, [] {});
  const Room room(e, true);
  const std::int64_t total = e.matrices * e.m * e.n;
  const double cutoff = 20 * static_cast<double>(e.l) * info(c.dtype(0)).unit_roundoff();
  gpu::Kernel invert = kernel(c, "invert");
  invert.arg(room.w).arg(room.j).arg(room.norms).arg(room.order).arg(room.factors).arg(gpu::output(out[0]));
  invert.arg(e.m).arg(e.n);
  if (e.bytes == 8) invert.arg(cutoff);
  else invert.arg(static_cast<float>(cutoff));
  invert.arg(total);
  return rotated(c, e, room, true, out, [=] { invert.run({size(total)}, {size(kFlat)}); });
}

Order own_type(const Call& c) {
  Order o;
  o.accumulator = c.dtype(0) == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.fma = true;
  return o;
}

Route route(std::string_view op, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  return {
      .op = op,
      .name = "gpu.rows",
      .tier = Tier::gpu,
      .needs = Tier::gpu,
      .supports = {{Stage::device, "the device has no binary64",
                    [](const Call& c, const Device& d) { return c.dtype(0) != Dtype::f64 || d.fp64; }}},
      .prefers = {gpu::kNotHost,
                  {Stage::shape_dtype, "under 16384 elements: a launch costs more",
                   [](const Call& c, const Device&) { return c[0].size() >= kWorthLaunch; }}},
      .order = own_type,
      .prepare = prepare,
  };
}

}  // namespace

std::vector<Route> svd_gpu_routes() {
  return {route("svd", prepare_vectors), route("svdvals", prepare_values), route("pinv", prepare_inverse)};
}

}  // namespace plumb
