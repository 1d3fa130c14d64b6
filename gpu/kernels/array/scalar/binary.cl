// Operations of two numbers, a line each for the lanes that have them: see scalar.cl.
#include "array/scalar/scalar.cl"

#if defined(LANE_F32) || defined(LANE_F64)
static inline number remainder_of(number a, number b) {
  const number r = fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
EACH2(subtract, a - b)
EACH2(multiply, a* b)
EACH2(divide, a / b)
EACH2(floor_divide, floor(a / b))
EACH2(remainder, remainder_of(a, b))
EACH2(power, pow(a, b))
EACH2(logaddexp, IN_LANE(logaddexp)(a, b))
EACH2(arctan2, atan2(a, b))

#elif defined(LANE_C64)
static inline double2 times(double2 a, double2 b) { return (double2)(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x); }
static inline double2 over(double2 a, double2 b) {
  const double square = b.x * b.x + b.y * b.y;
  return (double2)((a.x * b.x + a.y * b.y) / square, (a.y * b.x - a.x * b.y) / square);
}
static inline int same(double2 a, double2 b) { return a.x == b.x && a.y == b.y; }
static inline int before(double2 a, double2 b) { return a.x < b.x || (a.x == b.x && a.y < b.y); }
static inline int truth(double2 z) { return z.x != 0 || z.y != 0; }
EACH2(subtract, a - b)
EACH2(multiply, times(a, b))
EACH2(divide, over(a, b))
static inline double2 unless_nan(double2 a, double2 b, double2 chosen) {
  const int nan = isnan(a.x) || isnan(a.y) || isnan(b.x) || isnan(b.y);
  return nan ? (double2)(NAN, NAN) : chosen;
}
EACH2(maximum, unless_nan(a, b, before(b, a) ? a : b))
EACH2(minimum, unless_nan(a, b, before(a, b) ? a : b))
FLAG2(equal, same(a, b))
FLAG2(not_equal, !same(a, b))
FLAG2(less, before(a, b))
FLAG2(less_equal, before(a, b) || same(a, b))
FLAG2(greater, before(b, a))
FLAG2(greater_equal, before(b, a) || same(a, b))
FLAG2(logical_and, truth(a) && truth(b))
FLAG2(logical_or, truth(a) || truth(b))
FLAG2(logical_xor, truth(a) != truth(b))

#else
#ifdef LANE_I64
static inline long quotient(long a, long b) {
  if (b == 0) return 0;
  if (b == -1) return (long)(0 - (ulong)a);
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}
static inline ulong power_of(long a, long n) {
#else
static inline ulong quotient(ulong a, ulong b) { return b == 0 ? 0 : a / b; }
static inline ulong power_of(ulong a, ulong n) {
#endif
  if (n < 0) return 0;
  ulong product = 1, square = a;
  for (ulong left = n; left != 0; left >>= 1, square *= square)
    if (left & 1) product *= square;
  return product;
}
#define COUNT (b & (via == i64 || via == u64 ? 63 : 31))
EACH2(subtract, (ulong)a - (ulong)b)
EACH2(multiply, (ulong)a*(ulong)b)
EACH2(floor_divide, quotient(a, b))
EACH2(remainder, (ulong)a - (ulong)quotient(a, b) * (ulong)b)
EACH2(power, power_of(a, b))
EACH2(bitwise_and, a& b)
EACH2(bitwise_or, a | b)
EACH2(bitwise_xor, a ^ b)
EACH2(left_shift, (ulong)a << COUNT)
EACH2(right_shift, a >> COUNT)
#endif

#ifndef LANE_C64
EACH2(maximum, a != a ? a : b != b ? b : a > b ? a : b)
EACH2(minimum, a != a ? a : b != b ? b : a < b ? a : b)
FLAG2(equal, a == b)
FLAG2(not_equal, !(a == b))
FLAG2(less, a < b)
FLAG2(less_equal, a <= b)
FLAG2(greater, a > b)
FLAG2(greater_equal, a >= b)
FLAG2(logical_and, a != 0 && b != 0)
FLAG2(logical_or, a != 0 || b != 0)
FLAG2(logical_xor, (a != 0) != (b != 0))
#endif
