// CPU routes of mean, variance and standard deviation, all in double: sums by blocks; moments by blocks about each
// block's own mean, in one reading, joined pair by pair.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/array/reduce/lines.h"
#include "optimized/array/reduce/moments.h"
#include "optimized/dispatch.h"
#include "optimized/element_of.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void fold_doubles(Element, const void* x, const FoldCall&))
PLUMB_DECLARE_SIMD(void fold_moments(Element, const void* x, const FoldCall&))

namespace {

using namespace reduction;

// Complex numbers are pairs of floats, columns of their own.
std::int64_t scalars(Dtype t) { return is_complex(t) ? 2 : 1; }

struct Input {
  Tensor x;
  Plan plan;
  Element type;
  std::int64_t bytes;
};
Input input_of(const Call& c) {
  const std::vector<std::int64_t> axes = c.axes();
  const Lines l = lines_of(c.shape(0), axes);
  const std::int64_t parts = scalars(c.dtype(0));
  return {dense_lines(c[0], axes, l), plan_of(l, parts, 2), element_of(c.dtype(0)), info(c.dtype(0)).bytes / parts};
}

// One rounding, of what is computed in double.
void put(const Tensor& out, std::int64_t i, double v) {
  switch (out.dtype()) {
    case Dtype::f16: out.write<std::uint16_t>()[i] = to_half(v); break;
    case Dtype::bf16: out.write<std::uint16_t>()[i] = to_bf16(v); break;
    case Dtype::f64: out.write<double>()[i] = v; break;
    default: out.write<float>()[i] = static_cast<float>(v); break;  // c64: a part
  }
}

void add(std::byte* into, const std::byte* from, std::int64_t n) {
  auto* a = reinterpret_cast<double*>(into);
  const auto* b = reinterpret_cast<const double*>(from);
  for (std::int64_t j = 0; j < n; ++j) a[j] += b[j];
}

void mean(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  const Input in = input_of(c);
  Folding f{in.bytes, sizeof(double), nullptr, add, nullptr};
  f.kernel = [t = in.type](const std::byte* x, const FoldCall& k) { PLUMB_DISPATCH(fold_doubles)(t, x, k); };
  f.clear = [](std::byte* to, std::int64_t n) { std::fill_n(reinterpret_cast<double*>(to), n, 0.0); };
  Room<double> sums(static_cast<std::size_t>(in.plan.outer * in.plan.width));
  fold(in.plan, f, in.x.read<std::byte>(), reinterpret_cast<std::byte*>(sums.data()));
  for (std::size_t i = 0; i < sums.size(); ++i)
    put(out[0], static_cast<std::int64_t>(i), sums[i] / static_cast<double>(in.plan.n));
}

// Chan, Golub and LeVeque 1979: the moments of two parts together.
Moments joined(const Moments& a, const Moments& b) {
  if (b.n == 0) return a;
  if (a.n == 0) return b;
  const double n = a.n + b.n, d = b.mean - a.mean;
  return {n, a.mean + d * (b.n / n), a.squares + b.squares + d * d * (a.n * b.n / n)};
}

std::int64_t correction(const Call& c) { return c.integer(c.none("correction") ? "ddof" : "correction"); }

// What all values of a line say where none is left to divide by: NaN if they are equal or not all finite, else
// infinity.
double beyond(const Input& in, std::int64_t line) {
  const std::int64_t inner = in.plan.width / scalars(in.x.dtype());
  const Wide x = widen(in.x.view({in.plan.n}, {inner}, line / inner * in.plan.n * inner + line % inner));
  bool differ = false, finite = true;
  std::visit(
      [&]<class T>(const Array<T>& a) {
        for (std::int64_t i = 0; i < a.size(); ++i) {
          differ |= !(a[i] == a[0]);
          if constexpr (std::is_same_v<T, Complex>) finite &= std::isfinite(a[i].real()) && std::isfinite(a[i].imag());
          else if constexpr (std::is_same_v<T, double>) finite &= std::isfinite(a[i]);
          else if constexpr (std::is_same_v<T, Double2>) finite &= isfinite(a[i]);
        }
      },
      x);
  return differ && finite ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
}

template <bool Root>
void deviation(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  const Input in = input_of(c);
  const std::int64_t parts = scalars(c.dtype(0)), left = in.plan.n - correction(c);
  if (in.plan.n == 0 || left <= 0) {
    for (std::int64_t i = 0; i < out[0].size(); ++i)
      put(out[0], i, in.plan.n == 0 ? std::numeric_limits<double>::quiet_NaN() : beyond(in, i));
    return;
  }
  Folding f{in.bytes, sizeof(Moments), nullptr, nullptr, nullptr};
  f.kernel = [t = in.type](const std::byte* x, const FoldCall& k) { PLUMB_DISPATCH(fold_moments)(t, x, k); };
  f.join = [](std::byte* into, const std::byte* from, std::int64_t n) {
    auto* a = reinterpret_cast<Moments*>(into);
    const auto* b = reinterpret_cast<const Moments*>(from);
    for (std::int64_t j = 0; j < n; ++j) a[j] = joined(a[j], b[j]);
  };
  f.clear = [](std::byte* to, std::int64_t n) { std::fill_n(reinterpret_cast<Moments*>(to), n, Moments()); };
  Room<Moments> moments(static_cast<std::size_t>(in.plan.outer * in.plan.width));
  fold(in.plan, f, in.x.read<std::byte>(), reinterpret_cast<std::byte*>(moments.data()));
  for (std::int64_t i = 0; i < out[0].size(); ++i) {
    double squares = 0;
    for (std::int64_t p = 0; p < parts; ++p) squares += moments[static_cast<std::size_t>(i * parts + p)].squares;
    const double v = squares / static_cast<double>(left);
    put(out[0], i, Root ? std::sqrt(v) : v);
  }
}

// In double whatever the input; 64-bit integers are rounded on their way there.
Order order(const Call& c) {
  Order o = order_of(plan_of(lines_of(c.shape(0), c.axes()), scalars(c.dtype(0)), 2), 8);
  if (c.dtype(0) == Dtype::i64 || c.dtype(0) == Dtype::u64) o.prologue = 1;
  return o;
}

}  // namespace

std::vector<Route> moments_cpu_routes() {
  const auto route = [](std::string_view op, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
    Route r;
    r.op = op;
    r.name = "cpu.blocked";
    r.order = order;
    r.prepare = prepare;
    return r;
  };
  return {route("mean", host<mean>), route("var", host<deviation<false>>), route("std", host<deviation<true>>)};
}

}  // namespace plumb
