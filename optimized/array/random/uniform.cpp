// Uniform numbers, whole numbers and truths on the processor: made of blocks of words while these are in the cache.
#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>

#include "core/route.h"
#include "optimized/array/random/draws.h"
#include "optimized/floats.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void uniform_block(const std::uint32_t* w, const float* low, const float* high, std::int64_t n,
                                      Element t, float* out);
                   void uniform_floor_block(const std::uint32_t* w, const float* low, const float* high, std::int64_t n,
                                            float* out);
                   void bernoulli_block(const std::uint32_t* w, const float* p, std::int64_t n, std::uint8_t* out))

namespace {

using cpu::Spread;

void uniform(const Call& c, std::vector<Tensor>& out) {
  const Dtype t = out[0].dtype();
  const Shape& shape = out[0].shape();
  const auto bound = [&](const char* input, double fallback) {
    return cpu::floats_of(c.has(input) ? c[input] : cpu::scalar(fallback, t), t, shape);
  };
  const Spread<float> low = bound("low", 0), high = bound("high", 1);
  auto* to = out[0].write<std::byte>();
  const std::int64_t bytes = info(t).bytes;
  cpu::draw(c["key"], out[0].size(), [&](std::int64_t block) -> cpu::Sink {
    return [=, lows = std::make_shared<Spread<float>::Reader>(low.reader(block)),
            highs = std::make_shared<Spread<float>::Reader>(high.reader(block))](std::uint32_t* w, std::int64_t first,
                                                                                 std::int64_t n) {
      auto* x = reinterpret_cast<float*>(w);
      PLUMB_DISPATCH(uniform_block)(w, (*lows)(first, n), (*highs)(first, n), n, element_of(t), x);
      PLUMB_DISPATCH(from_floats)(x, n, element_of(t), to + first * bytes);
    };
  });
}

// p of f64: words are exact there, and the product is rounded to it.
void bernoulli_wide(const Call& c, const Tensor& out) {
  const Spread<double> p(c["p"], out.shape());
  auto* to = out.write<std::uint8_t>();
  cpu::draw(c["key"], out.size(), [&](std::int64_t block) -> cpu::Sink {
    return [to, ps = std::make_shared<Spread<double>::Reader>(p.reader(block))](const std::uint32_t* w,
                                                                                std::int64_t first, std::int64_t n) {
      const double* x = (*ps)(first, n);
      for (std::int64_t i = 0; i < n; ++i) to[first + i] = w[i] < x[i] * 4294967808.0;
    };
  });
}

void bernoulli(const Call& c, std::vector<Tensor>& out) {
  if (c.dtype(0) == Dtype::f64) return bernoulli_wide(c, out[0]);
  const Spread<float> p = cpu::floats_of(c["p"], Dtype::f32, out[0].shape());
  auto* to = out[0].write<std::uint8_t>();
  cpu::draw(c["key"], out[0].size(), [&](std::int64_t block) -> cpu::Sink {
    return [to, ps = std::make_shared<Spread<float>::Reader>(p.reader(block))](std::uint32_t* w, std::int64_t first,
                                                                               std::int64_t n) {
      auto* truths = reinterpret_cast<std::uint8_t*>(w);  // behind the words that are still to be read
      PLUMB_DISPATCH(bernoulli_block)(w, (*ps)(first, n), n, truths);
      std::memcpy(to + first, truths, static_cast<std::size_t>(n));
    };
  });
}

// A whole number of binary32 as W, or the end of W that it is beyond.
template <class W>
W saturated(float x) {
  constexpr W most = std::numeric_limits<W>::max();
  return x < static_cast<float>(most) ? static_cast<W>(x) : most;
}

// Whole numbers of at most 64 bits, computed in W and stored as T.
template <class W, class T>
void randint_as(const Call& c, const Tensor& out) {
  constexpr Dtype wide = std::is_signed_v<W> ? Dtype::i64 : Dtype::u64;
  const Spread<W> low(as_dtype(c["low"], wide), out.shape()), high(as_dtype(c["high"], wide), out.shape());
  T* to = out.write<T>();
  const bool truth = out.dtype() == Dtype::boolean;
  struct State {
    typename Spread<W>::Reader low, high;
    RawRoom<float> low_float, high_float;
  };
  cpu::draw(c["key"], out.size(), [&](std::int64_t block) -> cpu::Sink {
    auto state = std::make_shared<State>(
        State{low.reader(block), high.reader(block), RawRoom<float>(block), RawRoom<float>(block)});
    return [=](std::uint32_t* w, std::int64_t first, std::int64_t n) {
      const W *a = state->low(first, n), *b = state->high(first, n);
      for (std::int64_t i = 0; i < n; ++i) {
        state->low_float[i] = static_cast<float>(a[i]);
        state->high_float[i] = static_cast<float>(b[i]);
      }
      auto* x = reinterpret_cast<float*>(w);
      PLUMB_DISPATCH(uniform_floor_block)(w, state->low_float.get(), state->high_float.get(), n, x);
      for (std::int64_t i = 0; i < n; ++i) {
        const W v = b[i] <= a[i] ? a[i] : std::clamp(saturated<W>(x[i]), a[i], static_cast<W>(b[i] - 1));
        to[first + i] = truth ? static_cast<T>(v != 0) : static_cast<T>(v);
      }
    };
  });
}

template <class W>
void randint_in(const Call& c, const Tensor& out) {
  switch (info(out.dtype()).bytes) {
    case 1: return randint_as<W, std::uint8_t>(c, out);
    case 2: return randint_as<W, std::uint16_t>(c, out);
    case 4: return randint_as<W, std::uint32_t>(c, out);
    default: return randint_as<W, std::uint64_t>(c, out);
  }
}

void randint(const Call& c, std::vector<Tensor>& out) {
  if (c.dtype(0) == Dtype::u64) randint_in<std::uint64_t>(c, out[0]);
  else randint_in<std::int64_t>(c, out[0]);
}

Route route(std::string_view op, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  return {.op = op, .name = "cpu.blocks", .supports = {}, .prefers = {}, .prepare = prepare};
}

}  // namespace

std::vector<Route> uniform_cpu_routes() {
  return {route("uniform", host<uniform>), route("bernoulli", host<bernoulli>), route("randint", host<randint>)};
}

}  // namespace plumb
