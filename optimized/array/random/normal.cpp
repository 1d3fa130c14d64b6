// Numbers of other distributions on the processor: made of blocks of words while these are in the cache.
#include <cmath>
#include <complex>
#include <limits>
#include <memory>

#include "core/pool.h"
#include "core/route.h"
#include "optimized/array/random/draws.h"
#include "optimized/floats.h"
#include "optimized/functions_ulps.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void normal_block(const std::uint32_t* w, std::int64_t n, float* z);
                   void laplace_block(const std::uint32_t* w, std::int64_t n, float* z);
                   void gumbel_block(const std::uint32_t* w, std::int64_t n, Element t, float* g);
                   void move_block(const float* z, const float* S, const float* L, std::int64_t n, Element t,
                                   float* out);
                   void truncated_block(const std::uint32_t* w, const float* lower, const float* upper, std::int64_t n,
                                        Element t, float* v, float* out))

namespace {

using cpu::Spread;
using Block = void (*)(const std::uint32_t* w, std::int64_t n, float* z);
using Pair = std::complex<float>;

void normal_numbers(const std::uint32_t* w, std::int64_t n, float* z) { PLUMB_DISPATCH(normal_block)(w, n, z); }
void laplace_numbers(const std::uint32_t* w, std::int64_t n, float* z) { PLUMB_DISPATCH(laplace_block)(w, n, z); }

// ---- z S + L; no L is undefined

struct Affine {
  Tensor scale, shift;
};

template <class T>
struct Readers {
  typename Spread<T>::Reader scale, shift;
};

void small_floats(const Call& c, Block numbers, const Affine& f, const Tensor& out) {
  const Dtype t = out.dtype();
  const bool shifted = f.shift.defined();
  const Spread<float> scale = cpu::floats_of(f.scale, t, out.shape());
  const Spread<float> shift = cpu::floats_of(shifted ? f.shift : f.scale, t, out.shape());
  auto* to = out.write<std::byte>();
  cpu::draw(c["key"], out.size(), [&](std::int64_t block) -> cpu::Sink {
    auto r = std::make_shared<Readers<float>>(Readers<float>{scale.reader(block), shift.reader(block)});
    return [=](std::uint32_t* w, std::int64_t first, std::int64_t n) {
      auto* z = reinterpret_cast<float*>(w);
      numbers(w, n, z);
      const float* L = shifted ? r->shift(first, n) : nullptr;
      PLUMB_DISPATCH(move_block)(z, r->scale(first, n), L, n, element_of(t), z);
      PLUMB_DISPATCH(from_floats)(z, n, element_of(t), to + first * info(t).bytes);
    };
  });
}

void doubles(const Call& c, Block numbers, const Affine& f, const Tensor& out) {
  const Spread<double> scale(f.scale, out.shape());
  const Spread<double> shift(f.shift.defined() ? f.shift : cpu::scalar(0, Dtype::f64), out.shape());
  auto* to = out.write<double>();
  cpu::draw(c["key"], out.size(), [&](std::int64_t block) -> cpu::Sink {
    auto r = std::make_shared<Readers<double>>(Readers<double>{scale.reader(block), shift.reader(block)});
    return [=](std::uint32_t* w, std::int64_t first, std::int64_t n) {
      auto* z = reinterpret_cast<float*>(w);
      numbers(w, n, z);
      const double *S = r->scale(first, n), *L = r->shift(first, n);
      for (std::int64_t i = 0; i < n; ++i) to[first + i] = z[i] * S[i] + L[i];
    };
  });
}

// A block of words may begin between the parts of a number, so that all parts are there before they are moved.
void pairs(const Call& c, const Tensor& out) {
  auto* parts = out.write<float>();
  cpu::draw(c["key"], 2 * out.size(), [&](std::int64_t) -> cpu::Sink {
    return [parts](std::uint32_t* w, std::int64_t first, std::int64_t n) {
      auto* z = reinterpret_cast<float*>(w);
      normal_numbers(w, n, z);
      std::memcpy(parts + first, z, static_cast<std::size_t>(n) * sizeof(float));
    };
  });
  if (!c.has("scale") && !c.has("loc")) return;
  const auto operand = [&](const char* input, double fallback) {
    const Tensor t = c.has(input) ? c[input] : cpu::scalar(fallback, Dtype::c64);
    return Spread<Pair>(as_dtype(t, Dtype::c64), out.shape());
  };
  const Spread<Pair> scale = operand("scale", 1), shift = operand("loc", 0);
  auto* to = reinterpret_cast<Pair*>(parts);
  parallel_for(out.size(), 1 << 14, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t room = cpu::draw_block(end - begin), block = room - cpu::kDrawPadding;
    auto scales = scale.reader(room), shifts = shift.reader(room);
    for (std::int64_t i = begin; i < end; i += block) {
      const std::int64_t n = std::min(block, end - i);
      const Pair *S = scales(i, n), *L = shifts(i, n);
      for (std::int64_t j = 0; j < n; ++j) {
        const float re = to[i + j].real(), im = to[i + j].imag(), a = S[j].real(), b = S[j].imag();
        to[i + j] = {re * a - im * b + L[j].real(), re * b + im * a + L[j].imag()};
      }
    }
  });
}

void moved(const Call& c, Block numbers, const Affine& f, const Tensor& out) {
  if (out.dtype() == Dtype::f64) doubles(c, numbers, f, out);
  else small_floats(c, numbers, f, out);
}

// ---- normal, laplace

// sqrt 2 as a number of the dtype, times scale, rounded.
Tensor root_times(const Call& c, Dtype t) {
  Tensor root = cpu::scalar(std::sqrt(2.0), t);
  if (!c.has("scale")) return root;
  const Tensor x = contiguous(as_dtype(as_dtype(c["scale"], t), Dtype::f64));
  const double factor = as_dtype(root, Dtype::f64).read<double>()[0];
  const Tensor product({Dtype::f64, x.shape()});
  auto* p = product.write<double>();
  for (std::int64_t i = 0; i < x.size(); ++i) p[i] = factor * x.read<double>()[i];
  return as_dtype(product, t);
}

void normal(const Call& c, std::vector<Tensor>& out) {
  const Dtype t = out[0].dtype();
  if (t == Dtype::c64) return pairs(c, out[0]);
  moved(c, normal_numbers, {root_times(c, t), c.has("loc") ? as_dtype(c["loc"], t) : Tensor()}, out[0]);
}

void laplace(const Call& c, std::vector<Tensor>& out) {
  const Dtype t = out[0].dtype();
  const double loc = c.number("loc");
  const Affine f{cpu::scalar(c.number("scale"), t), loc != 0 ? cpu::scalar(loc, t) : Tensor()};
  moved(c, laplace_numbers, f, out[0]);
}

// ---- gumbel

void gumbel(const Call& c, std::vector<Tensor>& out) {
  const Dtype t = out[0].dtype();
  auto* to = out[0].write<std::byte>();
  cpu::draw(c["key"], out[0].size(), [&](std::int64_t) -> cpu::Sink {
    return [=](std::uint32_t* w, std::int64_t first, std::int64_t n) {
      auto* g = reinterpret_cast<float*>(w);
      PLUMB_DISPATCH(gumbel_block)(w, n, element_of(t), g);
      PLUMB_DISPATCH(from_floats)(g, n, element_of(t), to + first * info(t).bytes);
    };
  });
}

// ---- truncated_normal

// log Q(z), z > 0: beyond 25 by its expansion, of which the sixth term is below 2^-40 of the first.
double log_tail(double z) {
  if (z < 25) return std::log(0.5 * std::erfc(z * 0.70710678118654752));
  const double x = 1 / (z * z), series = x * (-1 + x * (3 + x * (-15 + x * (105 - x * 945))));
  return -0.5 * z * z - std::log(z * 2.5066282746310005) + std::log1p(series);
}

// log Q(z) = t by Newton's method from either end of what is nearly a parabola; `near` is 0 or a number z > near > 0.
double tail_quantile(double t, double near) {
  const double least = -2 * (t + 0.69314718055994531);
  double z = near > 5 ? near + (log_tail(near) - t) / near : std::sqrt(std::max(0.0, least));
  for (int i = 0; i < 12; ++i) {
    const double h = log_tail(z), slope = std::exp(-0.5 * z * z - h) * 0.3989422804014327;
    const double step = (h - t) / slope;
    z = std::max(near, z + step);
    if (!(std::abs(step) > 1e-13 * z)) break;
  }
  return z;
}

double beyond(double a, double b, double v) {
  const double from = log_tail(a), to = std::isinf(b) ? -b : log_tail(b);
  return tail_quantile(from + std::log1p(v * std::expm1(to - from)), a);
}

// Where vectors gave none.
float far_out(double a, double b, double v) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<float>::quiet_NaN();
  if (!(a < b) || v == 0) return static_cast<float>(a);
  const auto tail = [](double z) { return 0.5 * std::erfc(z * 0.70710678118654752); };
  double z = 0;
  if (a > 0) {
    z = beyond(a, b, v);
  } else if (b < 0) {
    z = -beyond(-b, -a, 1 - v);
  } else {
    const double above = (1 - v) * tail(a) + v * tail(b), below = (1 - v) * tail(-a) + v * tail(-b);
    z = above < below ? tail_quantile(std::log(above), 0) : -tail_quantile(std::log(below), 0);
  }
  return static_cast<float>(std::min(b, std::max(a, z)));
}

void truncated_normal(const Call& c, std::vector<Tensor>& out) {
  const Dtype t = out[0].dtype();
  const Spread<float> lower = cpu::floats_of(c["lower"], t, out[0].shape());
  const Spread<float> upper = cpu::floats_of(c["upper"], t, out[0].shape());
  struct State {
    Spread<float>::Reader lower, upper;
    RawRoom<float> v;
  };
  auto* to = out[0].write<std::byte>();
  cpu::draw(c["key"], out[0].size(), [&](std::int64_t block) -> cpu::Sink {
    auto s = std::make_shared<State>(State{lower.reader(block), upper.reader(block), RawRoom<float>(block)});
    return [=](std::uint32_t* w, std::int64_t first, std::int64_t n) {
      const float *a = s->lower(first, n), *b = s->upper(first, n);
      auto* z = reinterpret_cast<float*>(w);
      PLUMB_DISPATCH(truncated_block)(w, a, b, n, element_of(t), s->v.get(), z);
      for (std::int64_t i = 0; i < n; ++i)
        if (std::isnan(z[i])) z[i] = far_out(a[i], b[i], s->v[i]);
      PLUMB_DISPATCH(from_floats)(z, n, element_of(t), to + first * info(t).bytes);
    };
  });
}

// ---- routes

template <double (*ulps)()>
Order order(const Call& c) {
  Order o;
  if (output_specs(c)[0].dtype == Dtype::f64) o.accumulator = Dtype::f64;  // of z S + L; z is a float
  o.function_ulps = ulps();
  return o;
}
double erfinv_ulps() { return function_ulps("erfinv").ulps32; }
double log1p_ulps() { return function_ulps("log1p").ulps32; }
double log_ulps() { return function_ulps("log").ulps32; }
// Rounded once of a number that strays by 2^-28: a share 2^-21 that is known to 2^-51 moves it by 2^-30 over its
// density.
double truncated_ulps() { return 0.55; }

Route route(std::string_view op, Job (*prepare)(const Call&, const std::vector<Spec>&), Order (*order)(const Call&)) {
  return {.op = op, .name = "cpu.blocks", .supports = {}, .prefers = {}, .order = order, .prepare = prepare};
}

}  // namespace

std::vector<Route> normal_cpu_routes() {
  return {route("normal", host<normal>, order<erfinv_ulps>), route("laplace", host<laplace>, order<log1p_ulps>),
          route("gumbel", host<gumbel>, order<log_ulps>),
          route("truncated_normal", host<truncated_normal>, order<truncated_ulps>)};
}

}  // namespace plumb
