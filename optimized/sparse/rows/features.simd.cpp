// Biases, activations and dropout on runs of features. Activations are computed in binary64, two registers for each
// register of floats, so that one rounding to the output is all that shows.
#include "optimized/activation.h"
#include "optimized/element.h"
#include "optimized/exp.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

static inline f64v magnitude(f64v x) { return (f64v)((i64v)x & 0x7FFFFFFFFFFFFFFF); }
static inline f64v with_sign_of(f64v magnitude_, f64v x) {
  return (f64v)((i64v)magnitude_ | ((i64v)x & ~0x7FFFFFFFFFFFFFFF));
}

// 1 / (1 + e^-w) from e^-|w|, which never overflows
static inline f64v logistic(f64v w) {
  const f64v e = exp_nonpositive(-magnitude(w)), one = splat(1.0);
  return (w < 0.0 ? e : one) / (one + e);
}

// (1 - e^-2|x|) / (1 + e^-2|x|); near 0, where that cancels, the first terms of the series
static inline f64v tangent(f64v x) {
  const f64v a = magnitude(x), e = exp_nonpositive(-2.0 * a), x2 = x * x;
  f64v q = splat(62.0 / 2835);
  q = fma(q, x2, splat(-17.0 / 315));
  q = fma(q, x2, splat(2.0 / 15));
  q = fma(q, x2, splat(-1.0 / 3));
  q = fma(q, x2, splat(1.0));
  return a < 0x1p-6 ? x * q : with_sign_of((1.0 - e) / (1.0 + e), x);
}

// 1/2 erfc(-x / sqrt 2). With z = |x| / sqrt 2 and t = (z - 15/4) / (z + 15/4) (Shepherd & Laframboise 1981),
// (1 + 2 z) e^(z^2) erfc(z) is a polynomial in t, interpolated at Chebyshev's points; z^2 = x^2 / 2 is exact.
static inline f64v normal_below(f64v x) {
  f64v z = magnitude(x) * 0x1.6a09e667f3bcdp-1;
  z = z > 1e4 ? splat(1e4) : z;  // e^(-z^2) is 0 long before
  const f64v t = (z - 3.75) / (z + 3.75);
  f64v p = splat(0x1.38cf6cbfb5e2ep-26);
  p = fma(p, t, splat(0x1.244b99ea9fb24p-27));
  p = fma(p, t, splat(-0x1.d346b6e1176cbp-23));
  p = fma(p, t, splat(-0x1.db252f5fcc528p-26));
  p = fma(p, t, splat(0x1.c924d0c129d1fp-20));
  p = fma(p, t, splat(-0x1.0eb9b1a0f4a0cp-20));
  p = fma(p, t, splat(-0x1.7ec9cc7ce1183p-17));
  p = fma(p, t, splat(0x1.77fb2c16e9ae4p-16));
  p = fma(p, t, splat(0x1.b11ea9cb53c2cp-15));
  p = fma(p, t, splat(-0x1.3042f54c4b0fbp-12));
  p = fma(p, t, splat(0x1.33fc8c69f49ddp-12));
  p = fma(p, t, splat(0x1.cc3a4e35d032fp-10));
  p = fma(p, t, splat(-0x1.3f603e3d0cde6p-7));
  p = fma(p, t, splat(0x1.d0b002c407c62p-6));
  p = fma(p, t, splat(-0x1.e0d0fa60f7ef8p-5));
  p = fma(p, t, splat(0x1.7a14188f3f508p-4));
  p = fma(p, t, splat(-0x1.bda9309a7557bp-4));
  p = fma(p, t, splat(0x1.510169d05fb8ap-4));
  p = fma(p, t, splat(0x1.d5f294817b41bp-9));
  p = fma(p, t, splat(-0x1.1f367683f83b0p-3));
  p = fma(p, t, splat(0x1.3ccda0b5d5dc2p+0));
  const f64v tail = 0.5 * p / (1.0 + 2.0 * z) * exp_nonpositive(-0.5 * (x * x));
  return x < 0.0 ? tail : 1.0 - tail;
}

// log(1 + e) = 2 artanh(e / (2 + e)) for 0 <= e <= 1, by its series
static inline f64v log_one_plus(f64v e) {
  const f64v s = e / (2.0 + e), s2 = s * s;
  f64v q = splat(1.0 / 31);
  q = fma(q, s2, splat(1.0 / 29));
  q = fma(q, s2, splat(1.0 / 27));
  q = fma(q, s2, splat(1.0 / 25));
  q = fma(q, s2, splat(1.0 / 23));
  q = fma(q, s2, splat(1.0 / 21));
  q = fma(q, s2, splat(1.0 / 19));
  q = fma(q, s2, splat(1.0 / 17));
  q = fma(q, s2, splat(1.0 / 15));
  q = fma(q, s2, splat(1.0 / 13));
  q = fma(q, s2, splat(1.0 / 11));
  q = fma(q, s2, splat(1.0 / 9));
  q = fma(q, s2, splat(1.0 / 7));
  q = fma(q, s2, splat(1.0 / 5));
  q = fma(q, s2, splat(1.0 / 3));
  q = fma(q, s2, splat(1.0 / 1));
  return 2.0 * s * q;
}

template <int kind>
static inline f64v applied(const Activation& f, f64v x) {
  if constexpr (kind == Activation::sigmoid) return logistic(x);
  if constexpr (kind == Activation::tanh) return tangent(x);
  if constexpr (kind == Activation::silu) return x * logistic(x);
  if constexpr (kind == Activation::gelu) return x * normal_below(x);
  if constexpr (kind == Activation::gelu_tanh) return x * logistic(2 * 0.7978845608028654 * (x + 0.044715 * x * x * x));
  if constexpr (kind == Activation::gelu_fast) return x * logistic(1.702 * x);
  if constexpr (kind == Activation::leaky_relu) return x >= 0.0 ? x : f.alpha * x;
  const f64v z = f.beta * x, y = ((z > 0.0 ? z : splat(0.0)) + log_one_plus(exp_nonpositive(-magnitude(z)))) / f.beta;
  return x > f.cut ? x : y;
}

// out[i..] = f(x[i..]) by whole registers, the last of them padded.
template <class T, class F>
static inline void each_register(const T* x, std::int64_t n, T* out, F&& f) {
  std::int64_t i = 0;
  for (; i + kF32 <= n; i += kF32) store_values(out + i, f(load_values(x + i)));
  if (i == n) return;
  T rest[kF32] = {};
  std::memcpy(rest, x + i, static_cast<std::size_t>(n - i) * sizeof(T));
  store_values(rest, f(load_values(rest)));
  std::memcpy(out + i, rest, static_cast<std::size_t>(n - i) * sizeof(T));
}

template <int kind, class T>
void activated(const Activation& f, const T* x, std::int64_t n, T* out) {
  if constexpr (kind == Activation::relu)
    return each_register(x, n, out, [](f32v v) { return v <= 0.0F ? splat(0.0F) : v; });  // NaN stays
  for (std::int64_t i = 0; i < n; i += kF32) {
    Values v = load_wide(x + i, n - i);
    for (f64v& part : v.part) part = applied<kind>(f, part);
    store_wide(out + i, v, n - i);
  }
}

template <int kind>
void activate(const Activation& f, bool half, const void* x, std::int64_t n, void* out) {
  if (half) activated<kind>(f, static_cast<const std::uint16_t*>(x), n, static_cast<std::uint16_t*>(out));
  else activated<kind>(f, static_cast<const float*>(x), n, static_cast<float*>(out));
}

template <class T>
void biased_rows(const float* sums, const float* bias, std::int64_t rows, std::int64_t channels, T* out) {
  for (std::int64_t r = 0; r < rows; ++r, sums += channels, out += channels) {
    std::int64_t c = 0;
    for (; c + kF32 <= channels; c += kF32)
      store_values(out + c, bias ? load(sums + c) + load(bias + c) : load(sums + c));
    for (; c < channels; ++c) {
      const float v = bias ? sums[c] + bias[c] : sums[c];
      if constexpr (sizeof(T) == 2) out[c] = f32_to_half(v);
      else out[c] = v;
    }
  }
}

template <class T>
void drop(const T* x, const std::uint32_t* words, std::uint32_t least, float scale, std::int64_t n, T* out) {
  const std::uint32_t* w = words;
  std::uint32_t rest[kF32] = {};
  const std::int64_t whole = n / kF32 * kF32;
  std::memcpy(rest, words + whole, static_cast<std::size_t>(n - whole) * 4);
  each_register(x, n, out, [&](f32v v) {
    u32v drawn;
    std::memcpy(&drawn, w == words + whole ? rest : w, sizeof drawn);
    w += kF32;
    return (f32v)((i32v)(drawn >= least) & (i32v)(v * scale));
  });
}

}  // namespace

// out = sums + bias, row by row; `sums` may be `out`. No bias: null.
void add_bias_rows(bool half, const float* sums, const float* bias, std::int64_t rows, std::int64_t channels,
                   void* out) {
  if (half) biased_rows(sums, bias, rows, channels, static_cast<std::uint16_t*>(out));
  else biased_rows(sums, bias, rows, channels, static_cast<float*>(out));
}

void activate_run(const Activation& f, bool half, const void* x, std::int64_t n, void* out) {
  switch (f.kind) {
    case Activation::relu: return activate<Activation::relu>(f, half, x, n, out);
    case Activation::sigmoid: return activate<Activation::sigmoid>(f, half, x, n, out);
    case Activation::tanh: return activate<Activation::tanh>(f, half, x, n, out);
    case Activation::silu: return activate<Activation::silu>(f, half, x, n, out);
    case Activation::gelu: return activate<Activation::gelu>(f, half, x, n, out);
    case Activation::leaky_relu: return activate<Activation::leaky_relu>(f, half, x, n, out);
    case Activation::softplus: return activate<Activation::softplus>(f, half, x, n, out);
    case Activation::gelu_tanh: return activate<Activation::gelu_tanh>(f, half, x, n, out);
    case Activation::gelu_fast: return activate<Activation::gelu_fast>(f, half, x, n, out);
  }
}

// out_i = x_i scale where words_i >= least, else 0; least may be 2^32.
void dropout_run(bool half, const void* x, const std::uint32_t* words, std::uint64_t least, float scale, std::int64_t n,
                 void* out) {
  if (least > 0xFFFFFFFFU) {
    std::memset(out, 0, static_cast<std::size_t>(n) * (half ? 2 : 4));
    return;
  }
  const auto from = static_cast<std::uint32_t>(least);
  if (half) drop(static_cast<const std::uint16_t*>(x), words, from, scale, n, static_cast<std::uint16_t*>(out));
  else drop(static_cast<const float*>(x), words, from, scale, n, static_cast<float*>(out));
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
