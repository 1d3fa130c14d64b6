// CPU route of cross products: runs along the longest axis of the result, operands read where they lie.
#include <algorithm>

#include "core/limits.h"
#include "core/pool.h"
#include "core/route.h"
#include "optimized/array/operand.h"
#include "optimized/dispatch.h"
#include "optimized/element_of.h"
#include "optimized/linalg/norms/cross_run.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void cross_run(Element, const CrossRun&))

namespace {

constexpr Limit kPiece{"cross.piece", 4096, 8};  // products of a run that a thread takes at once

// An operand or the result: strides along the axes of the products, and along the components.
struct Laid {
  Strides steps;
  std::int64_t component = 0;
  bool three = false;
};

Laid laid(const Tensor& t, const Shape& products, std::int64_t axis) {
  Laid l;
  const auto at = static_cast<std::size_t>(t.rank() + axis);
  l.component = t.strides()[at];
  l.three = t.shape()[at] == 3;
  Shape shape = t.shape();
  shape[at] = 1;
  l.steps = broadcast_strides(t.view(shape, t.strides()), products);
  return l;
}

std::int64_t offset(std::int64_t i, const Shape& s, const Strides& steps, std::size_t skip) {
  std::int64_t at = 0;
  for (std::size_t d = s.size(); d-- > 0;) {
    if (d == skip) continue;
    at += i % s[d] * steps[d];
    i /= s[d];
  }
  return at;
}

void cross(const Call& c, std::vector<Tensor>& out) {
  const Tensor& to = out[0];
  if (to.size() == 0) return;
  const Dtype t = to.dtype();
  const std::int64_t axis = c.axis() - c.rank(0), bytes = info(t).bytes;
  const Tensor a = as_dtype(c[0], t), b = as_dtype(c[1], t);
  Shape products = to.shape();
  products[static_cast<std::size_t>(to.rank() + axis)] = 1;
  const Laid x = laid(a, products, axis), y = laid(b, products, axis), z = laid(to, products, axis);
  const auto along = static_cast<std::size_t>(std::max_element(products.begin(), products.end()) - products.begin());
  const std::int64_t n = products[along], piece = kPiece.of(n), pieces = (n + piece - 1) / piece;
  const auto *from = a.read<std::byte>(), *with = b.read<std::byte>();
  auto* result = to.write<std::byte>();
  parallel_for(count(products) / n * pieces, std::max<std::int64_t>(1, (1 << 14) / std::min(n, piece)),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t task = begin; task < end; ++task) {
                   const std::int64_t run = task / pieces, first = task % pieces * piece;
                   const auto place = [&](const Laid& l) {
                     return (offset(run, products, l.steps, along) + first * l.steps[along]) * bytes;
                   };
                   const CrossRun r{{from + place(x), x.steps[along], x.component, x.three},
                                    {with + place(y), y.steps[along], y.component, y.three},
                                    result + place(z),
                                    z.steps[along],
                                    z.component,
                                    std::min(piece, n - first)};
                   PLUMB_DISPATCH(cross_run)(element_of(t), r);
                 }
               });
}

Order order(const Call& c) {
  Order o;
  o.accumulator = promote(c.dtype(0), c.dtype(1)) == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  return o;
}

}  // namespace

std::vector<Route> cross_cpu_routes() {
  Route r;
  r.op = "cross", r.name = "cpu.runs";
  r.order = order, r.prepare = host<cross>;
  return {r};
}

}  // namespace plumb
