// CPU route of logsumexp: each block of a line about its own greatest number, in one reading; blocks are brought
// together in double.
#include <algorithm>
#include <cmath>

#include "core/room.h"
#include "core/route.h"
#include "optimized/array/reduce/lines.h"
#include "optimized/array/reduce/logsumexp.h"
#include "optimized/dispatch.h"
#include "optimized/element_of.h"
#include "optimized/exp.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void fold_exponentials(Element, const void* x, const FoldCall&))

namespace {

using namespace reduction;

Exponentials joined(const Exponentials& a, const Exponentials& b) {
  if (a.greatest == b.greatest) return {a.greatest, a.sum + b.sum};
  if (a.greatest < b.greatest) return joined(b, a);
  return {a.greatest, a.sum + b.sum * std::exp(b.greatest - a.greatest)};
}

void put(const Tensor& out, std::int64_t i, double v) {  // one rounding
  switch (out.dtype()) {
    case Dtype::f16: out.write<std::uint16_t>()[i] = to_half(v); break;
    case Dtype::bf16: out.write<std::uint16_t>()[i] = to_bf16(v); break;
    case Dtype::f64: out.write<double>()[i] = v; break;
    default: out.write<float>()[i] = static_cast<float>(v); break;
  }
}

void logsumexp(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  const std::vector<std::int64_t> axes = c.axes();
  const Lines l = lines_of(c.shape(0), axes);
  const Tensor x = dense_lines(c[0], axes, l);
  Folding f{info(c.dtype(0)).bytes, sizeof(Exponentials), nullptr, nullptr, nullptr};
  f.kernel = [t = element_of(c.dtype(0))](const std::byte* from, const FoldCall& k) {
    PLUMB_DISPATCH(fold_exponentials)(t, from, k);
  };
  f.join = [](std::byte* into, const std::byte* from, std::int64_t n) {
    auto* a = reinterpret_cast<Exponentials*>(into);
    const auto* b = reinterpret_cast<const Exponentials*>(from);
    for (std::int64_t j = 0; j < n; ++j) a[j] = joined(a[j], b[j]);
  };
  f.clear = [](std::byte* to, std::int64_t n) { std::fill_n(reinterpret_cast<Exponentials*>(to), n, Exponentials()); };
  Room<Exponentials> lines(static_cast<std::size_t>(out[0].size()));
  fold(plan_of(l), f, x.read<std::byte>(), reinterpret_cast<std::byte*>(lines.data()));
  for (std::size_t i = 0; i < lines.size(); ++i)
    put(out[0], static_cast<std::int64_t>(i), lines[i].greatest + std::log(lines[i].sum));
}

Order order(const Call& c) {
  Order o = order_of(plan_of(lines_of(c.shape(0), c.axes())), c.dtype(0) == Dtype::f64 ? 8 : 4);
  o.function_ulps = kExpUlps;
  return o;
}

}  // namespace

std::vector<Route> logsumexp_cpu_routes() {
  Route r;
  r.op = "logsumexp";
  r.name = "cpu.fused";
  r.order = order;
  r.prepare = host<logsumexp>;
  return {r};
}

}  // namespace plumb
