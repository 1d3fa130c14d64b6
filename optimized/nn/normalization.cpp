// Normalisations on the CPU: lines are shared out among threads, each is computed in binary64 and rounded once.
#include <algorithm>

#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/nn/rows.h"

namespace plumb {

PLUMB_DECLARE_SIMD(int normalise_lanes())
PLUMB_DECLARE_SIMD(void normalise_line(double* x, std::int64_t n, bool wide, bool centred, double eps,
                                       const double* weight, const double* bias))

namespace {

constexpr std::int64_t kGrain = 1 << 14;  // elements worth a thread

const Tensor* given(const Call& c, std::string_view input) { return c.has(input) ? &c[input] : nullptr; }

void normalise(const Call& c, std::vector<Tensor>& out, bool centred) {
  const Dtype t = out[0].dtype();
  if (out[0].size() == 0) return;
  const nn::Lines x(nn::operand(c[0], t));
  const std::vector<double> weight = nn::vector_or(given(c, "weight"), t, x.n, 1),
                            bias = nn::vector_or(centred ? given(c, "bias") : nullptr, t, x.n, 0);
  const double eps = static_cast<double>(to_float(c.number("eps")));
  auto* y = out[0].write<std::byte>();
  const std::int64_t bytes = x.n * info(t).bytes;
  parallel_for(x.count, std::max<std::int64_t>(1, kGrain / x.n), [&](std::int64_t begin, std::int64_t end) {
    const RawRoom<double> line(x.n);
    for (std::int64_t l = begin; l < end; ++l) {
      nn::read(x.type, x.line(l), x.step, x.n, line.get());
      PLUMB_DISPATCH(normalise_line)
      (line.get(), x.n, t == Dtype::f64, centred, eps, weight.data(), bias.data());
      nn::write(element_of(t), line.get(), x.n, y + l * bytes);
    }
  });
}

void rms_norm(const Call& c, std::vector<Tensor>& out) { normalise(c, out, false); }
void layer_norm(const Call& c, std::vector<Tensor>& out) { normalise(c, out, true); }

Order order(const Call&) {
  Order o;
  o.shape = Order::Shape::lanes;
  o.lanes = PLUMB_DISPATCH(normalise_lanes)();
  o.accumulator = Dtype::f64;
  o.function_ulps = 1;  // a root and a quotient, each rounded once
  o.epilogue = 1;       // the quotient by n
  return o;
}

}  // namespace

std::vector<Route> normalization_cpu_routes() {
  return {
      {.op = "rms_norm", .name = "cpu.rows", .supports = {}, .prefers = {}, .order = order, .prepare = host<rms_norm>},
      {.op = "layer_norm",
       .name = "cpu.rows",
       .supports = {},
       .prefers = {},
       .order = order,
       .prepare = host<layer_norm>}};
}

}  // namespace plumb
