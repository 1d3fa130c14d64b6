// Functions of uniform numbers over blocks of words. Every array has room for whole vectors behind its n elements.
#include "optimized/array/random/units.h"
#include "optimized/functions/log.h"
#include "optimized/functions/special.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

// Between -(1 - 2^-24) and 1, whose distance rounds to 2.
inline f32v symmetric(const std::uint32_t* w) { return unit_of<float>(load_words(w)) * 2.0F - (1 - 0x1p-24F); }

inline f32v absolute(f32v x) { return (f32v)((u32v)x & 0x7FFFFFFFU); }

}  // namespace

// erf z = u
void normal_block(const std::uint32_t* w, std::int64_t n, float* z) {
  for (std::int64_t i = 0; i < n; i += kF32) store(z + i, erfinv_of(symmetric(w + i)));
}

// z = sign(u) log(1 - |u|)
void laplace_block(const std::uint32_t* w, std::int64_t n, float* z) {
  for (std::int64_t i = 0; i < n; i += kF32) {
    const f32v u = symmetric(w + i), log = log1p_of(-absolute(u));
    store(z + i, (f32v)((u32v)log ^ ((u32v)u & 0x80000000U)));
  }
}

// -log(-log u), u of the dtype
void gumbel_block(const std::uint32_t* w, std::int64_t n, Element t, float* g) {
  with_small_float(t, [&](auto s) {
    using S = decltype(s);
    for (std::int64_t i = 0; i < n; i += kF32) store(g + i, -log_of(-log_of(unit_of<S>(load_words(w + i)))));
  });
}

// z S + L, each operation rounded to the dtype; no L is null.
void move_block(const float* z, const float* S, const float* L, std::int64_t n, Element t, float* out) {
  with_small_float(t, [&](auto s) {
    using T = decltype(s);
    for (std::int64_t i = 0; i < n; i += kF32) {
      f32v y = nearest_of<T>(nearest_of<T>(load(z + i)) * load(S + i));
      if (L) y = nearest_of<T>(y + load(L + i));
      store(out + i, y);
    }
  });
}

// The share v, of the dtype, and the number before which it lies between lower and upper; NaN where binary64 does not
// hold the share beyond it well, or there is no such number.
void truncated_block(const std::uint32_t* w, const float* lower, const float* upper, std::int64_t n, Element t,
                     float* v, float* out) {
  with_small_float(t, [&](auto s) {
    using S = decltype(s);
    const auto quantile = [](f64v a, f64v b, f64v share) {
      const f64v from = erf_of(a * 0x1.6a09e667f3bcdp-1), to = erf_of(b * 0x1.6a09e667f3bcdp-1);
      const f64v u = from + (to - from) * share, z = erfinv_of(u) * 0x1.6a09e667f3bcdp0;
      const i64v good = (a < b) & (magnitude(u) < 1 - 0x1p-20) & (share > 0.0);
      return choose(good, smaller(b, larger(a, z)), nan_f64());
    };
    for (std::int64_t i = 0; i < n; i += kF32) {
      const f32v share = unit_of<S>(load_words(w + i));
      store(v + i, share);
      const Halves a = widen(load(lower + i)), b = widen(load(upper + i)), x = widen(share);
      store(out + i, narrow(quantile(a.low, b.low, x.low), quantile(a.high, b.high, x.high)));
    }
  });
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
