// Operations with numbers that attributes give, a line each: see lanes.h.
#include "optimized/array/scalar/comparison.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

// p: 10^|decimals|, and whether it divides first.
template <class V>
static inline V decimal(V x, Given p, double most) {
  const V s = all<V>(p[0]);
  if (p[1] != 0) return round_even_of(x / s) * s;
  const V scaled = x * s, size = choose((Mask<V>)(scaled < V{}), -scaled, scaled);
  return choose((Mask<V>)(size < all<V>(most)), round_even_of(scaled) / s, x);
}
static inline F32 rounded(F32 x, Given p) { return decimal(x, p, 0x1p23); }
static inline F64 rounded(F64 x, Given p) { return decimal(x, p, 0x1p52); }
static inline Pair rounded(Pair z, Given p) { return {rounded(z.re, p), rounded(z.im, p)}; }

// The nearest multiple of 10^-decimals, the even one of two; 0 where that is beyond every number.
static inline std::uint64_t multiple(std::uint64_t x, double power) {
  if (power > 1e19) return 0;
  const auto s = static_cast<std::uint64_t>(power);
  const std::uint64_t q = x / s, r = x - q * s;
  return (q + (r > s - r || (r == s - r && q % 2 != 0))) * s;
}
static inline U64 rounded(U64 x, Given p) {
  if (p[1] == 0) return x;
  for (int i = 0; i < kF64; ++i) x[i] = multiple(x[i], p[0]);
  return x;
}
static inline I64 rounded(I64 x, Given p) {
  const I64 sign = x < 0;
  return (I64)((rounded(((U64)x ^ (U64)sign) - (U64)sign, p) ^ (U64)sign) - (U64)sign);
}

template <class V>
static inline V replaced(V x, Given p) {
  const V inf = all<V>(__builtin_inf());
  x = choose((Mask<V>)(x == inf), all<V>(p[1]), choose((Mask<V>)(x == -inf), all<V>(p[2]), x));
  return choose((Mask<V>)(x != x), all<V>(p[0]), x);
}
static inline F32 numbered(F32 x, Given p) { return replaced(x, p); }
static inline F64 numbered(F64 x, Given p) { return replaced(x, p); }
static inline I64 numbered(I64 x, Given) { return x; }
static inline U64 numbered(U64 x, Given) { return x; }

template <class V>
static inline Mask<V> is_finite(V x) {
  return (Mask<V>)(abs_of(x) < all<V>(__builtin_inf()));
}
// p: rtol, atol, whether NaN is close to NaN. A NaN is not finite, and equal to nothing.
template <class V>
static inline Mask<V> near(V a, V b, Given p) {
  const V allowed = all<V>(p[1]) + all<V>(p[0]) * abs_of(b);
  const Mask<V> nans = is_nan(a) & is_nan(b) & (Mask<V>)(p[2] != 0 ? V{} == V{} : V{} != V{});
  return is_equal(a, b) | (is_finite(a) & is_finite(b) & (Mask<V>)(abs_of(a - b) <= allowed)) | nans;
}
static inline I32 close(F32 a, F32 b, Given p) { return near(a, b, p); }
static inline I64 close(F64 a, F64 b, Given p) { return near(a, b, p); }
static inline F64 modulus(Pair z) { return sqrt_of(z.re * z.re + z.im * z.im); }
static inline I64 close(Pair a, Pair b, Given p) {
  const F64 allowed = all<F64>(p[1]) + all<F64>(p[0]) * modulus(b);
  const I64 finite = is_finite(a.re) & is_finite(a.im) & is_finite(b.re) & is_finite(b.im);
  const I64 nans = (is_nan(a.re) | is_nan(a.im)) & (is_nan(b.re) | is_nan(b.im));
  return is_equal(a, b) | (finite & (I64)(modulus(a - b) <= allowed)) | (nans & (p[2] != 0 ? I64{} == I64{} : I64{}));
}

extern const ScalarKernel given_kernels[];
const ScalarKernel given_kernels[] = {
    EACH_GIVEN(round, rounded(x, p)),
    EACH_GIVEN(nan_to_num, numbered(x, p)),
    EACH2_GIVEN(isclose, close(a, b, p)),
    {nullptr, {}},
};

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
