// Inverses on the processor: systems whose right side is the identity.
#include <numeric>

#include "optimized/linalg/solve/batch.h"

namespace plumb {
namespace {

using namespace solve;

template <class T>
using Solve = void (*)(const Systems<T>&, FirstZero&);

template <class T, Solve<T> S>
void inverse_of(const Call& c, Form form, std::vector<Tensor>& out) {
  const Tensor dense = contiguous(c[0]);
  Systems<T> s{.form = form, .n = columns(c), .k = columns(c), .matrices = matrices(c), .distinct = matrices(c)};
  if (out[0].size() == 0) return;
  s.a = dense.read<T>();
  s.a_of.resize(static_cast<std::size_t>(s.matrices));
  std::iota(s.a_of.begin(), s.a_of.end(), std::int64_t{0});
  s.x = out[0].write<T>();
  FirstZero zero;
  S(s, zero);
  zero.raise(c);
}

Form whole(const Call&) { return Form::general; }
Form triangle(const Call& c) { return c.flag("upper") ? Form::upper : Form::lower; }
Form product(const Call& c) { return c.flag("upper") ? Form::upper_gram : Form::lower_gram; }

template <Form (*K)(const Call&)>
void interleaved(const Call& c, std::vector<Tensor>& out) {
  c.dtype(0) == Dtype::f32 ? inverse_of<float, solve_interleaved>(c, K(c), out)
                           : inverse_of<double, solve_interleaved>(c, K(c), out);
}
template <Form (*K)(const Call&)>
void blocked(const Call& c, std::vector<Tensor>& out) {
  c.dtype(0) == Dtype::f32 ? inverse_of<float, solve_blocked>(c, K(c), out)
                           : inverse_of<double, solve_blocked>(c, K(c), out);
}

bool small(const Call& c, const Device&) { return columns(c) <= kSmall; }

template <Form (*K)(const Call&)>
void add(std::vector<Route>& all, std::string_view op) {
  for (Route& r : both_routes(op, small, host<interleaved<K>>, host<blocked<K>>)) all.push_back(std::move(r));
}

}  // namespace

std::vector<Route> inverse_cpu_routes() {
  std::vector<Route> all;
  add<whole>(all, "inv");
  add<triangle>(all, "tri_inv");
  add<product>(all, "cholesky_inv");
  return all;
}

}  // namespace plumb
