// Systems of linear equations on the processor.
#include "optimized/array/operand.h"
#include "optimized/linalg/solve/batch.h"
#include "plans/linalg/solve/meeting.h"

namespace plumb {
namespace {

using namespace solve;

template <class T>
using Solve = void (*)(const Systems<T>&, FirstZero&);

template <class T, Solve<T> S>
void solution_of(const Call& c, Form form, std::vector<Tensor>& out) {
  const Dtype type = out[0].dtype();
  const Tensor a = contiguous(as_dtype(c[0], type)), b = contiguous(as_dtype(c[1], type));
  Meeting m = meeting(c);
  if (m.n == 0 || m.matrices == 0) return;
  FirstZero zero;
  S({form, m.n, m.k, m.matrices, m.distinct, a.read<T>(), b.read<T>(), std::move(m.a_of), std::move(m.b_of),
     out[0].write<T>()},
    zero);
  zero.raise(c);
}

Form whole(const Call&) { return Form::general; }
Form triangle(const Call& c) { return c.flag("upper") ? Form::upper : Form::lower; }

template <Form (*K)(const Call&)>
void interleaved(const Call& c, std::vector<Tensor>& out) {
  out[0].dtype() == Dtype::f32 ? solution_of<float, solve_interleaved>(c, K(c), out)
                               : solution_of<double, solve_interleaved>(c, K(c), out);
}
template <Form (*K)(const Call&)>
void blocked(const Call& c, std::vector<Tensor>& out) {
  out[0].dtype() == Dtype::f32 ? solution_of<float, solve_blocked>(c, K(c), out)
                               : solution_of<double, solve_blocked>(c, K(c), out);
}

bool small(const Call& c, const Device&) {
  return columns(c) <= kSmall && (c.rank(1) < 2 || c.shape(1).back() <= kSmall);
}

}  // namespace

std::vector<Route> systems_cpu_routes() {
  std::vector<Route> all = both_routes("solve", small, host<interleaved<whole>>, host<blocked<whole>>);
  for (Route& r : both_routes("solve_triangular", small, host<interleaved<triangle>>, host<blocked<triangle>>))
    all.push_back(std::move(r));
  return all;
}

}  // namespace plumb
