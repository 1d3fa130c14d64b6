// Operations of two numbers, a line each: see lanes.h.
#include "optimized/array/scalar/comparison.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

static inline F32 floor_quotient(F32 a, F32 b) { return floor_of(a / b); }
static inline F64 floor_quotient(F64 a, F64 b) { return floor_of(a / b); }
// Processors divide whole numbers one by one.
static inline I64 floor_quotient(I64 a, I64 b) {
  I64 q = {};
  for (int i = 0; i < kF64; ++i) {
    if (b[i] == 0) continue;
    if (b[i] == -1) q[i] = (std::int64_t)(0 - (std::uint64_t)a[i]);
    else q[i] = a[i] / b[i] - (a[i] % b[i] != 0 && (a[i] < 0) != (b[i] < 0));
  }
  return q;
}
static inline U64 floor_quotient(U64 a, U64 b) {
  U64 q = {};
  for (int i = 0; i < kF64; ++i) q[i] = b[i] == 0 ? 0 : a[i] / b[i];
  return q;
}

template <class V>
static inline V float_remainder(V a, V b) {
  const V r = fmod_of(a, b), zero = {};
  return choose(((r < zero) != (b < zero)) & (r != zero), r + b, r);
}
static inline F32 remainder_of(F32 a, F32 b) { return float_remainder(a, b); }
static inline F64 remainder_of(F64 a, F64 b) { return float_remainder(a, b); }
static inline I64 remainder_of(I64 a, I64 b) { return (I64)((U64)a - (U64)floor_quotient(a, b) * (U64)b); }
static inline U64 remainder_of(U64 a, U64 b) { return a - floor_quotient(a, b) * b; }

// a^n modulo 2^64, by squares.
static inline U64 power_of(U64 a, U64 n) {
  U64 product = all<U64>(1);
  for (int bit = 0; bit < 64; ++bit) {
    const U64 odd = (U64)((n & 1) != 0);
    product = choose(odd, product * a, product);
    a *= a, n >>= 1;
    std::uint64_t left = 0;
    for (int i = 0; i < kF64; ++i) left |= n[i];
    if (left == 0) break;
  }
  return product;
}
static inline I64 power_of(I64 a, I64 n) {
  const I64 y = (I64)power_of((U64)a, (U64)n);
  return choose(n < 0, I64{}, y);
}

template <class V>
static inline V counted(V n, Element t) {
  const bool wide = t == Element::i64 || t == Element::u64;
  return n & all<V>(wide ? 63 : 31);
}
static inline I64 shifted_left(I64 a, I64 n, Element t) { return (I64)((U64)a << (U64)counted(n, t)); }
static inline U64 shifted_left(U64 a, U64 n, Element t) { return a << counted(n, t); }
static inline I64 shifted_right(I64 a, I64 n, Element t) { return a >> counted(n, t); }
static inline U64 shifted_right(U64 a, U64 n, Element t) { return a >> counted(n, t); }

extern const ScalarKernel binary_kernels[];
const ScalarKernel binary_kernels[] = {
    EACH2_WRAPPING(subtract, a - b),
    EACH2_WRAPPING(multiply, a* b),
    EACH2(divide, a / b),
    EACH2(maximum, larger_of(a, b)),
    EACH2(minimum, smaller_of(a, b)),
    EACH2(floor_divide, floor_quotient(a, b)),
    EACH2(remainder, remainder_of(a, b)),
    EACH2(power, power_of(a, b)),
    EACH2(logaddexp, logaddexp_of(a, b)),
    EACH2(arctan2, arctan2_of(a, b)),
    EACH2(equal, is_equal(a, b)),
    EACH2(not_equal, ~is_equal(a, b)),
    EACH2(less, is_less(a, b)),
    EACH2(less_equal, is_less(a, b) | is_equal(a, b)),
    EACH2(greater, is_less(b, a)),
    EACH2(greater_equal, is_less(b, a) | is_equal(a, b)),
    EACH2(logical_and, is_true(a) & is_true(b)),
    EACH2(logical_or, is_true(a) | is_true(b)),
    EACH2(logical_xor, is_true(a) ^ is_true(b)),
    EACH2(bitwise_and, a& b),
    EACH2(bitwise_or, a | b),
    EACH2(bitwise_xor, a ^ b),
    EACH_WORDS(left_shift, shifted_left(a, b, t)),
    EACH_WORDS(right_shift, shifted_right(a, b, t)),
    {nullptr, {}},
};

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
