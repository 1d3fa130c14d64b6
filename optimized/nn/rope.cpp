// Rotary position embedding on the CPU: the angles of a position are computed in binary64, once for all lines that
// share it; lines are shared out among threads.
#include <algorithm>
#include <cmath>

#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/functions_ulps.h"
#include "optimized/nn/rows.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void angles_of(double position, const double* rate, std::int64_t n, double* cosine, double* sine))
PLUMB_DECLARE_SIMD(void turn_floats(float* x, std::int64_t h, bool traditional, const float* cosine, const float* sine))
PLUMB_DECLARE_SIMD(void turn_doubles(double* x, std::int64_t h, bool traditional, const double* cosine,
                                     const double* sine))

namespace {

constexpr std::int64_t kGrain = 1 << 14;  // elements worth a thread

std::vector<double> numbers_of(const Tensor& t) {
  const Tensor d = narrow(widen(t), Dtype::f64);
  return {d.read<double>(), d.read<double>() + d.size()};
}

// By how much the angle of a pair grows from one position to the next.
std::vector<double> rates_of(const Call& c) {
  const std::int64_t h = c.integer("dims") / 2;
  const double scale = static_cast<double>(to_float(c.number("scale")));
  std::vector<double> rates;
  if (c.has("freqs"))
    for (const double f : numbers_of(c["freqs"])) rates.push_back(scale / f);
  else
    for (std::int64_t i = 0; i < h; ++i)
      rates.push_back(scale * std::pow(static_cast<double>(to_float(c.number("base"))),
                                       -static_cast<double>(i) / static_cast<double>(h)));
  return rates;
}

// Of each of the batch, or one for all.
std::vector<double> offsets_of(const Call& c) {
  if (c.has("offset")) return numbers_of(c["offset"]);
  return {c.none("offset") ? 0 : static_cast<double>(c.integer("offset"))};
}

// Cosines and sines: for each offset, position and pair, in that order.
template <class A>
struct Tables {
  std::vector<A> cosine, sine;
};

template <class A>
Tables<A> tables_of(const Call& c, const std::vector<double>& offsets, std::int64_t positions) {
  const std::vector<double> rates = rates_of(c);
  const auto h = static_cast<std::int64_t>(rates.size()), rows = static_cast<std::int64_t>(offsets.size()) * positions;
  Tables<A> t{std::vector<A>(static_cast<std::size_t>(rows * h)), std::vector<A>(static_cast<std::size_t>(rows * h))};
  parallel_for(rows, std::max<std::int64_t>(1, kGrain / 16 / h), [&](std::int64_t begin, std::int64_t end) {
    const RawRoom<double> cosine(h), sine(h);
    for (std::int64_t r = begin; r < end; ++r) {
      const double position = static_cast<double>(r % positions) + offsets[static_cast<std::size_t>(r / positions)];
      PLUMB_DISPATCH(angles_of)(position, rates.data(), h, cosine.get(), sine.get());
      std::copy_n(cosine.get(), h, t.cosine.begin() + r * h);
      std::copy_n(sine.get(), h, t.sine.begin() + r * h);
    }
  });
  return t;
}

void turn(float* x, std::int64_t h, bool traditional, const float* cosine, const float* sine) {
  PLUMB_DISPATCH(turn_floats)(x, h, traditional, cosine, sine);
}
void turn(double* x, std::int64_t h, bool traditional, const double* cosine, const double* sine) {
  PLUMB_DISPATCH(turn_doubles)(x, h, traditional, cosine, sine);
}

template <class A>
void turn_all(const Call& c, const Tensor& out) {
  const nn::Lines x(c[0]);
  const std::int64_t L = out.dim(-2), h = c.integer("dims") / 2, of_batch = x.count / out.dim(0);
  const bool traditional = c.flag("traditional");
  const std::vector<double> offsets = offsets_of(c);
  const Tables<A> t = tables_of<A>(c, offsets, L);
  auto* y = out.write<std::byte>();
  parallel_for(x.count, std::max<std::int64_t>(1, kGrain / x.n), [&](std::int64_t begin, std::int64_t end) {
    const RawRoom<A> line(x.n);
    for (std::int64_t l = begin; l < end; ++l) {
      const std::int64_t row = (offsets.size() == 1 ? 0 : l / of_batch * L) + l % L;
      nn::read(x.type, x.line(l), x.step, x.n, line.get());
      turn(line.get(), h, traditional, t.cosine.data() + row * h, t.sine.data() + row * h);
      nn::write(x.type, line.get(), x.n, y + l * x.n * x.bytes);
    }
  });
}

void rope(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  c.dtype(0) == Dtype::f64 ? turn_all<double>(c, out[0]) : turn_all<float>(c, out[0]);
}

// Cosines and sines of doubles, rounded once more where floats are turned by them.
Order order(const Call& c) {
  constexpr double of_doubles = function_ulps("sin").ulps64;
  Order o;
  o.accumulator = c.dtype(0) == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.function_ulps = c.dtype(0) == Dtype::f64 ? of_doubles : 0.51;
  return o;
}

}  // namespace

std::vector<Route> rope_cpu_routes() {
  return {{.op = "rope", .name = "cpu.lines", .supports = {}, .prefers = {}, .order = order, .prepare = host<rope>}};
}

}  // namespace plumb
