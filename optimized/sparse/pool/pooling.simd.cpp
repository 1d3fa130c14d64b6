// Pooling over the edges of each row, vectorised along channels.
#include "optimized/element.h"

#include "optimized/sparse/pool/pooling_kernels.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

// A step is one register of channels or, at the end of a row, one channel: V is f32v or float.
inline f32v get(const float* p, f32v) { return load(p); }
inline f32v get(const Half* p, f32v) { return load_half(&p->bits); }
inline float get(const float* p, float) { return *p; }
inline float get(const Half* p, float) { return half_to_f32(p->bits); }
inline void put(float* p, f32v v) { store(p, v); }
inline void put(Half* p, f32v v) { store_half(&p->bits, v); }
inline void put(float* p, float v) { *p = v; }
inline void put(Half* p, float v) { p->bits = f32_to_half(v); }
inline f32v all(float v, f32v) { return splat(v); }
inline float all(float v, float) { return v; }
inline f32v multiply_add(f32v a, f32v b, f32v c) { return fma(a, b, c); }
inline float multiply_add(float a, float b, float c) {
#if defined(__FMA__)
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}

// s / d so that rounding it to a half rounds the quotient once: an inexact quotient is cut to an odd last bit.
inline float odd_quotient(float s, float d) {
  const double q = static_cast<double>(s) / static_cast<double>(d);
  const float f = static_cast<float>(q), magnitude = f < 0 ? -f : f;
  if (!(magnitude <= 0x1.fffffep127f) || static_cast<double>(f) == q) return f;
  const std::uint32_t away = (q < 0 ? -q : q) < static_cast<double>(magnitude);
  return from_bits((to_bits(f) - away) | 1U);
}
inline float quotient(float s, float d, const float*) { return s / d; }
inline float quotient(float s, float d, const Half*) { return odd_quotient(s, d); }
inline f32v quotient(f32v s, float d, const float*) { return s / splat(d); }
inline f32v quotient(f32v s, float d, const Half*) {
#if defined(__FMA__)
  // What the rounded quotient leaves of s is exact, and its sign says to which side was rounded.
  const f32v q = s / splat(d), rest = fma(-q, splat(d), s);
  const i32v inexact = (rest != 0.0F) & (q - q == 0.0F), away = inexact & ((rest < 0.0F) ^ (s < 0.0F));
  return (f32v)(((i32v)q + away) | (inexact & 1));
#else
  f32v q;
  for (int i = 0; i < kF32; ++i) q[i] = odd_quotient(s[i], d);
  return q;
#endif
}

// f(channel, zero): in whole registers, then one by one.
template <class F>
inline void each_step(std::int64_t channels, F&& f) {
  std::int64_t c = 0;
  for (; c + kF32 <= channels; c += kF32) f(c, f32v{});
  for (; c < channels; ++c) f(c, 0.0F);
}

inline float weight_of(const PoolEdges& g, std::int64_t e) { return g.weight[g.kernel ? g.kernel[e] : e]; }

template <class S>
const S* rows(const PoolRows& r) {
  return static_cast<const S*>(r.data);
}
template <class S>
S* written(const PoolRows& r) {
  return const_cast<S*>(static_cast<const S*>(r.data));
}

// The inputs of the row after next few are on their way while this one is reduced; halves come fast enough. GCC drops
// calls of a function that only prefetches, unless it is inlined early.
template <class X>
__attribute__((always_inline)) inline void prefetch_inputs(const PoolJob& j, std::int64_t r) {
  constexpr std::int64_t kAhead = 6, kLine = 64 / static_cast<std::int64_t>(sizeof(X));
  if (sizeof(X) == 2) return;
  if (r + kAhead >= j.end) return;
  for (std::int64_t e = j.edges.offsets[r + kAhead]; e < j.edges.offsets[r + kAhead + 1]; ++e)
    for (std::int64_t c = 0; c < j.channels; c += kLine)
      __builtin_prefetch(rows<X>(j.x) + j.edges.row[e] * j.channels + c);
}

inline bool finite(float v) { return v - v == 0; }
inline bool finite(f32v v) {
#if defined(__AVX512F__)
  return _mm512_cmp_ps_mask((__m512)(v - v), _mm512_setzero_ps(), _CMP_NEQ_UQ) == 0;
#elif defined(__AVX2__)
  return _mm256_movemask_ps(_mm256_cmp_ps((__m256)(v - v), _mm256_setzero_ps(), _CMP_NEQ_UQ)) == 0;
#else
  bool all_finite = true;
  for (int i = 0; i < kF32; ++i) all_finite &= finite(v[i]);
  return all_finite;
#endif
}

// A sum that is to be divided may overflow though its quotient does not: such channels are summed again, scaled.
template <class X, class V>
V divided_again(const PoolJob& j, std::int64_t r, std::int64_t c, V quotient_of) {
  constexpr float kDown = 0x1p-32F, kUp = 0x1p32F;
  const PoolEdges& g = j.edges;
  V total{};
  for (std::int64_t e = g.offsets[r]; e < g.offsets[r + 1]; ++e) {
    const V v = get(rows<X>(j.x) + g.row[e] * j.channels + c, V{}) * all(kDown, V{});
    total = g.weight ? multiply_add(all(weight_of(g, e), V{}), v, total) : total + v;
  }
  total = total / all(g.divisor[r], V{}) * all(kUp, V{});
  return quotient_of - quotient_of == V{} ? quotient_of : total;
}

// The mean that sum(j) makes of its total: within the range of its values, which rounding may leave.
template <class X, class Y, class V>
V mean(const PoolJob& j, std::int64_t r, std::int64_t c, V total, const Y* y) {
  const PoolEdges& g = j.edges;
  total = quotient(total, g.divisor[r], y);
  if (!finite(total)) total = divided_again<X>(j, r, c, total);
  V least = all(__builtin_inff(), V{}), most = all(-__builtin_inff(), V{});
  for (std::int64_t e = g.offsets[r]; e < g.offsets[r + 1]; ++e) {
    const V v = get(rows<X>(j.x) + g.row[e] * j.channels + c, V{});
    least = v < least ? v : least;
    most = v > most ? v : most;
  }
  total = total < least ? least : total;
  return total > most ? most : total;
}

template <class X, class Y>
void sum(const PoolJob& j) {
  const X* x = rows<X>(j.x);
  Y* y = written<Y>(j.y);
  const PoolEdges& g = j.edges;
  for (std::int64_t r = j.begin; r < j.end; ++r) {
    prefetch_inputs<X>(j, r);
    each_step(j.channels, [&](std::int64_t c, auto total) {
      for (std::int64_t e = g.offsets[r]; e < g.offsets[r + 1]; ++e) {
        const auto v = get(x + g.row[e] * j.channels + c, total);
        total = g.weight ? multiply_add(all(weight_of(g, e), total), v, total) : total + v;
      }
      if (g.divisor && g.divisor[r] != 0) total = mean<X>(j, r, c, total, y);
      put(y + r * j.channels + c, total);
    });
  }
}

template <class X, class Y>
void max(const PoolJob& j) {
  const X* x = rows<X>(j.x);
  Y* y = written<Y>(j.y);
  const PoolEdges& g = j.edges;
  for (std::int64_t r = j.begin; r < j.end; ++r) {
    prefetch_inputs<X>(j, r);
    each_step(j.channels, [&](std::int64_t c, auto zero) {
      auto best = all(-__builtin_inff(), zero);
      for (std::int64_t e = g.offsets[r]; e < g.offsets[r + 1]; ++e) {
        const auto v = get(x + g.row[e] * j.channels + c, zero);
        best = v > best ? v : best;
      }
      put(y + r * j.channels + c, best);
    });
  }
}

template <class X>
void scale(const PoolJob& j) {
  const X* seed = rows<X>(j.seed);
  float* y = written<float>(j.y);
  for (std::int64_t r = j.begin; r < j.end; ++r)
    each_step(j.channels, [&](std::int64_t c, auto zero) {
      const auto v = get(seed + r * j.channels + c, zero);
      put(y + r * j.channels + c, j.edges.divisor[r] != 0 ? quotient(v, j.edges.divisor[r], y) : v);
    });
}

template <class X>
void ties(const PoolJob& j) {
  const X *x = rows<X>(j.x), *seed = rows<X>(j.seed);
  float* y = written<float>(j.y);
  const PoolEdges& g = j.edges;
  for (std::int64_t r = j.begin; r < j.end; ++r)
    each_step(j.channels, [&](std::int64_t c, auto zero) {
      const auto one = all(1.0F, zero);
      auto best = all(-__builtin_inff(), zero), many = zero;
      for (std::int64_t e = g.offsets[r]; e < g.offsets[r + 1]; ++e) {
        const auto v = get(x + g.row[e] * j.channels + c, zero);
        many = v > best ? one : v == best ? many + one : many;
        best = v > best ? v : best;
      }
      put(j.best + r * j.channels + c, best);
      put(y + r * j.channels + c, get(seed + r * j.channels + c, zero) / (many == zero ? one : many));
    });
}

template <class X, class Y>
void selected(const PoolJob& j) {
  const X* x = rows<X>(j.x);
  Y* y = written<Y>(j.y);
  const PoolEdges& g = j.edges;
  for (std::int64_t r = j.begin; r < j.end; ++r)
    each_step(j.channels, [&](std::int64_t c, auto total) {
      const auto zero = total, own = get(x + r * j.channels + c, total);
      for (std::int64_t e = g.offsets[r]; e < g.offsets[r + 1]; ++e) {
        const std::int64_t at = g.row[e] * j.channels + c;
        total = total + (own == get(j.bests + at, zero) ? get(j.share + at, zero) : zero);
      }
      put(y + r * j.channels + c, total);
    });
}

template <class X>
void count(const PoolJob& j) {
  const X* x = rows<X>(j.x);
  float* y = written<float>(j.y);
  for (std::int64_t r = j.begin; r < j.end; ++r)
    each_step(j.channels, [&](std::int64_t c, auto many) {
      const auto zero = many, one = all(1.0F, many), best = get(j.bests + j.edges.kernel[r] * j.channels + c, many);
      for (std::int64_t e = j.edges.offsets[r]; e < j.edges.offsets[r + 1]; ++e)
        many = many + (get(x + j.edges.row[e] * j.channels + c, zero) == best ? one : zero);
      put(y + r * j.channels + c, many);
    });
}

template <class X, class Y>
void pick(const PoolJob& j) {
  const X* x = rows<X>(j.x);
  Y* y = written<Y>(j.y);
  for (std::int64_t r = j.begin; r < j.end; ++r)
    each_step(j.channels, [&](std::int64_t c, auto zero) {
      const std::int64_t b = j.edges.row[r], at = b * j.channels + c;
      auto v = zero;
      if (b >= 0) v = get(j.share + at, zero);
      if (b >= 0 && j.bests) v = get(x + r * j.channels + c, zero) == get(j.bests + at, zero) ? v : zero;
      put(y + r * j.channels + c, v);
    });
}

template <class X, class Y>
void winners(const PoolJob& j) {
  const X *x = rows<X>(j.x), *seed = rows<X>(j.seed);
  Y* y = written<Y>(j.y);
  const PoolEdges& g = j.edges;
  for (std::int64_t r = j.begin; r < j.end; ++r)
    each_step(j.channels, [&](std::int64_t c, auto zero) {
      const auto one = all(1.0F, zero);
      auto best = all(-__builtin_inff(), zero), seen = zero, won = zero;
      for (std::int64_t e = g.offsets[r]; e < g.offsets[r + 1]; ++e) {
        const auto v = get(x + g.row[e] * j.channels + c, zero), t = get(seed + g.row[e] * j.channels + c, zero);
        const auto first = v == best ? seen == zero ? t : won : won;  // an infinity below all others wins too
        won = v > best ? t : first;
        best = v > best ? v : best;
        seen = v == v ? one : seen;
      }
      put(y + r * j.channels + c, won);
    });
}

}  // namespace

void pool_sum(const PoolJob& j) {
  if (j.x.half) return j.y.half ? sum<Half, Half>(j) : sum<Half, float>(j);
  j.y.half ? sum<float, Half>(j) : sum<float, float>(j);
}
void pool_max(const PoolJob& j) {
  if (j.x.half) return j.y.half ? max<Half, Half>(j) : max<Half, float>(j);
  j.y.half ? max<float, Half>(j) : max<float, float>(j);
}
void pool_scale(const PoolJob& j) { j.seed.half ? scale<Half>(j) : scale<float>(j); }
void pool_ties(const PoolJob& j) { j.x.half ? ties<Half>(j) : ties<float>(j); }
void pool_selected(const PoolJob& j) { j.x.half ? selected<Half, Half>(j) : selected<float, float>(j); }
void pool_count(const PoolJob& j) { j.x.half ? count<Half>(j) : count<float>(j); }
void pool_pick(const PoolJob& j) { j.x.half ? pick<Half, Half>(j) : pick<float, float>(j); }
void pool_winners(const PoolJob& j) { j.x.half ? winners<Half, Half>(j) : winners<float, float>(j); }

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
