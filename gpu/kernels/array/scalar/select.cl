// Operations that choose among numbers, a line each for the lanes that have them: see scalar.cl.
#include "array/scalar/scalar.cl"

kernel void each_where(OPERAND(a), OPERAND(b), OPERAND(c), RESULT) {
  ITEM const number b = OPERAND_AT(b, 1), c = OPERAND_AT(c, 2);
  const number chosen = truth_at(a_from, a_type, a_first + place(k, geometry, 0, dense)) ? b : c;
  PUT(chosen);
}

#ifndef LANE_C64
// NaN beside any, the second of equals.
#define LARGER(a, b) (a != a ? a : b != b ? b : a > b ? a : b)
#define SMALLER(a, b) (a != a ? a : b != b ? b : a < b ? a : b)
// p0, p1: which bounds are given.
static inline number between(number a, number low, number high, real p0, real p1) {
  const number y = p0 != 0 ? LARGER(a, low) : a;
  return p1 != 0 ? SMALLER(y, high) : y;
}
EACH3_GIVEN(clip, between(a, b, c, p0, p1))
#endif
