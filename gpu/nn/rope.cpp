// Rotary position embedding on the device: see kernels/nn/rope.cl.
#include <algorithm>
#include <cmath>

#include "gpu/nn/operand.h"

namespace plumb {
namespace {

constexpr std::size_t kGroup = 64;

std::vector<long double> numbers_of(const Tensor& t) {
  std::vector<long double> all;
  const Wide w = widen(narrow(widen(t), Dtype::f64));
  for (const Double2& v : std::get<Reals2>(w).data) all.push_back(static_cast<long double>(v.hi));
  return all;
}

// What a step of one position adds to the angle of each pair, in turns: the fraction in 64 bits, of which whole turns
// drop out. A step that is no number has `defined` NaN, of others it is 1.
struct Steps {
  std::vector<std::uint64_t> turns;
  std::vector<float> defined;
};

Steps steps_of(const Call& c) {
  const std::int64_t h = c.integer("dims") / 2;
  const auto scale = static_cast<long double>(to_float(c.number("scale")));
  std::vector<long double> divisors = c.has("freqs") ? numbers_of(c["freqs"]) : std::vector<long double>();
  for (std::int64_t i = 0; i < h && !c.has("freqs"); ++i)
    divisors.push_back(std::pow(static_cast<long double>(to_float(c.number("base"))),
                                static_cast<long double>(i) / static_cast<long double>(h)));
  constexpr long double kTurn = 6.283185307179586476925286766559005768L;
  Steps s;
  for (const long double d : divisors) {
    const long double step = scale / d / kTurn, part = step - std::floor(step);
    s.defined.push_back(std::isfinite(step) ? 1 : NAN);
    s.turns.push_back(std::isfinite(step) && part < 1 ? static_cast<std::uint64_t>(part * 0x1p64L) : 0);
  }
  return s;
}

std::vector<std::int64_t> offsets_of(const Call& c) {
  if (!c.has("offset")) return {c.none("offset") ? 0 : c.integer("offset")};
  const Tensor whole = narrow(widen(c["offset"]), Dtype::i64);
  return {whole.read<std::int64_t>(), whole.read<std::int64_t>() + whole.size()};
}

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const Dtype t = specs[0].dtype;
  if (out[0].size() == 0) return gpu::job(std::move(out), [] {});
  const std::int64_t dims = c.integer("dims"), D = out[0].dim(-1), L = out[0].dim(-2);
  const std::int64_t lines = out[0].size() / D, of_batch = lines / out[0].dim(0);
  const Steps steps = steps_of(c);
  const std::vector<std::int64_t> offsets = offsets_of(c);
  const std::int64_t each = D - dims / 2, total = lines * each;  // a work-item turns a pair, or copies one feature
  gpu::Kernel k("rope", "turn_pairs", {{"X", t == Dtype::f64 ? Dtype::f64 : Dtype::f32}});
  k.arg(gpu::dense(c[0])).arg(gpu::output(out[0])).arg(t).arg(total).arg(each).arg(D).arg(dims / 2).arg(L);
  k.arg(of_batch).arg(std::int32_t{c.flag("traditional")}).arg(gpu::constants(steps.turns));
  k.arg(gpu::constants(steps.defined)).arg(gpu::constants(offsets)).arg(std::int32_t{offsets.size() > 1});
  return gpu::job(std::move(out), [k, total] { k.run({static_cast<std::size_t>(total)}, {kGroup}); });
}

// OpenCL 1.2, section 7.4: sinpi and cospi err by 4 ulps; half a turn is rounded to the type before.
Order order(const Call& c) {
  Order o;
  o.accumulator = c.dtype(0) == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.function_ulps = 4;
  o.twiddle_error = 3.1416 * o.accumulator_roundoff();
  return o;
}

}  // namespace

std::vector<Route> rope_gpu_routes() { return {gpu::nn_route("rope", "gpu.pairs", prepare, order)}; }

}  // namespace plumb
