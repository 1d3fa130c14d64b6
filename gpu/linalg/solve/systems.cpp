// Systems of linear equations on the device.
#include <algorithm>

#include "gpu/linalg/solve/dense.h"
#include "plans/linalg/solve/meeting.h"

namespace plumb {
namespace {

using namespace gpu::solve;

// Both operands as the type that is computed in: a where it can be factored, b where x is to be.
struct Operands {
  Meeting m;
  gpu::BufferPtr a, x, a_of;
};
Operands operands(Work& w, const Call& c, const Tensor& out) {
  Operands o{meeting(c), nullptr, gpu::output(out), nullptr};
  const Meeting& m = o.m;
  o.a = w.room(m.distinct * m.n * m.n);
  o.a_of = gpu::constants(m.a_of);
  w.load(c[0], each_in_turn(m.distinct), m.n * m.n, o.a, m.distinct * m.n * m.n);
  if (out.size() > 0) w.load(c[1], gpu::constants(m.b_of), m.n * m.k, o.x, out.size());
  return o;
}

bool nothing(const Call& c, const Tensor& out) { return c[0].size() == 0 || (out.size() == 0 && meeting(c).k > 0); }

Job general(const Call& c, const std::vector<Spec>& specs, bool small) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  if (nothing(c, out[0])) return gpu::job(out, [] {});
  Work w{out[0].dtype()};
  const Operands o = operands(w, c, out[0]);
  const Meeting& m = o.m;
  const gpu::BufferPtr pivots = gpu::scratch(static_cast<std::size_t>(4 * m.distinct * m.n));
  w.factor(o.a, pivots, m.distinct, m.n, m.n, small);
  if (m.k > 0) {
    const std::int64_t columns = m.matrices * m.k;
    w.steps.add(w.kernel("exchange"), columns).arg(o.x).arg(pivots).arg(o.a_of).arg(m.n).arg(m.k).arg(columns);
    w.substitute(o.a, o.a_of, false, true, o.x, m.matrices, m.n, m.k);
    w.substitute(o.a, o.a_of, true, false, o.x, m.matrices, m.n, m.k);
  }
  return w.checked(c, out, o.a, m.distinct, m.n);
}

Job triangle(const Call& c, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  if (nothing(c, out[0])) return gpu::job(out, [] {});
  Work w{out[0].dtype()};
  const Operands o = operands(w, c, out[0]);
  if (o.m.k > 0) w.substitute(o.a, o.a_of, c.flag("upper"), false, o.x, o.m.matrices, o.m.n, o.m.k);
  return w.checked(c, out, o.a, o.m.distinct, o.m.n);
}

template <bool Small>
Job general_job(const Call& c, const std::vector<Spec>& specs) {
  return general(c, specs, Small);
}

}  // namespace

std::vector<Route> systems_gpu_routes() {
  std::vector<Route> all = {route("solve", "gpu.small", general_job<true>),
                            route("solve", "gpu.blocked", general_job<false>),
                            route("solve_triangular", "gpu.blocked", triangle)};
  all[0].supports.push_back(
      {Stage::shape_dtype, "n is above 64", [](const Call& c, const Device&) { return c.shape(0).back() <= kSmall; }});
  return all;
}

}  // namespace plumb
