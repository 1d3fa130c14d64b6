// Words as numbers between 0 and 1 of f16, bf16 or f32, and where an operand that broadcasts lies.
#include "element.cl"

#pragma OPENCL FP_CONTRACT OFF

static inline float unit_of(int type, uint word) {
  const float most = type == f16 ? 1 - 0x1p-11f : type == bf16 ? 1 - 0x1p-8f : 1 - 0x1p-24f;
  return float_rounded(type, fmin((float)word * 0x1p-32f, most));
}

// u (high - low) + low, each operation rounded to the dtype.
static inline float between(int type, float u, float low, float high) {
  return float_rounded(type, float_rounded(type, u * float_rounded(type, high - low)) + low);
}

// geometry: how many axes, 8 sizes, innermost first, then 8 strides for each operand.
static inline long place(long i, constant const long* geometry, int operand) {
  long at = 0;
  for (long axis = 1; axis <= geometry[0]; ++axis) {
    const long size = geometry[axis];
    at += i % size * geometry[8 * (1 + operand) + axis];
    i /= size;
  }
  return at;
}
