// Scalar operations: how operands of any dtype and strides become numbers of a lane, and where results go. Included by
// unary.cl, binary.cl, select.cl and given.cl, whose lines are the operations; each is a kernel of its own.
//
// Built for a lane, in which the promoted dtype `via` computes: -DLANE_F32 (f16, bf16, f32), -DLANE_F64, -DLANE_C64
// (complex numbers in double), -DLANE_I64 and -DLANE_U64 (whole numbers by their sign, bool with the latter).
//
// geometry: 8 sizes, innermost first, then 8 strides for each operand. The output is dense.
#include "element.cl"

#include "array/place.cl"

// Of functions.cl, the forms for the lane.
#ifdef LANE_F64
#define FP64
#define IN_LANE(function) function##_double
#else
#define IN_LANE(function) function##_float
#endif
#include "array/functions.cl"

#if defined(LANE_F32)
typedef float number;
#define NUMBER(p, type, i) float_at(p, type, via, i)
#define PUT(v) put_float(out, to, k, v)
#elif defined(LANE_F64)
typedef double number;
#define NUMBER(p, type, i) double_at(p, type, i)
#define PUT(v) put_f64((global double*)out, k, v)
#elif defined(LANE_C64)
typedef double2 number;
static inline double2 pair_at(global const void* p, int type, long i) {
  const float2 z = complex_at(p, type, i);
  return (double2)(z.x, z.y);
}
#define NUMBER(p, type, i) pair_at(p, type, i)
#define PUT(v) put_c64((global float2*)out, k, convert_float2_rte(v))
#elif defined(LANE_I64)
typedef long number;
#define NUMBER(p, type, i) whole_at(p, type, i)
#define PUT(v) put_whole(out, to, k, (long)(v))
#else
typedef ulong number;
#define NUMBER(p, type, i) (ulong) whole_at(p, type, i)
#define PUT(v) put_whole(out, to, k, to == boolean ? (long)((v)&1) : (long)(v))
#endif

// A flag, and the real part of a complex result.
#define PUT_FLAG(v) ((global uchar*)out)[k] = (v) ? 1 : 0
#define PUT_PART(v) ((global float*)out)[k] = convert_float_rte(v)

#if defined(LANE_F32)
typedef float real;
#elif defined(LANE_F64) || defined(LANE_C64)
typedef double real;
#else
typedef ulong real;
#endif

#define OPERAND(p) global const uchar *p##_from, int p##_type, long p##_first
#define RESULT global uchar *out, int via, int to, constant const long *geometry, int dense, long n
#define OPERAND_AT(p, which) NUMBER(p##_from, p##_type, p##_first + place(k, geometry, which, dense))
#define ITEM                       \
  const long k = get_global_id(0); \
  if (k >= n) return;

#define KERNEL1(name, put, body)            \
  kernel void name(OPERAND(x), RESULT) {    \
    ITEM const number x = OPERAND_AT(x, 0); \
    put(body);                              \
  }
#define KERNEL2(name, put, body)                                  \
  kernel void name(OPERAND(a), OPERAND(b), RESULT) {              \
    ITEM const number a = OPERAND_AT(a, 0), b = OPERAND_AT(b, 1); \
    put(body);                                                    \
  }
// With numbers that attributes give.
#define KERNEL1_GIVEN(name, put, body)                              \
  kernel void name(OPERAND(x), RESULT, real p0, real p1, real p2) { \
    ITEM const number x = OPERAND_AT(x, 0);                         \
    put(body);                                                      \
  }
#define KERNEL2_GIVEN(name, put, body)                                          \
  kernel void name(OPERAND(a), OPERAND(b), RESULT, real p0, real p1, real p2) { \
    ITEM const number a = OPERAND_AT(a, 0), b = OPERAND_AT(b, 1);               \
    put(body);                                                                  \
  }
#define KERNEL3_GIVEN(name, put, body)                                                      \
  kernel void name(OPERAND(a), OPERAND(b), OPERAND(c), RESULT, real p0, real p1, real p2) { \
    ITEM const number a = OPERAND_AT(a, 0), b = OPERAND_AT(b, 1), c = OPERAND_AT(c, 2);     \
    put(body);                                                                              \
  }

// Pasted here, since names like abs may be macros of the compiler's.
#define EACH(name, body) KERNEL1(each_##name, PUT, body)
#define FLAG(name, body) KERNEL1(each_##name, PUT_FLAG, body)
#define PART(name, body) KERNEL1(each_##name, PUT_PART, body)
#define EACH2(name, body) KERNEL2(each_##name, PUT, body)
#define FLAG2(name, body) KERNEL2(each_##name, PUT_FLAG, body)
#define EACH_GIVEN(name, body) KERNEL1_GIVEN(each_##name, PUT, body)
#define FLAG2_GIVEN(name, body) KERNEL2_GIVEN(each_##name, PUT_FLAG, body)
#define EACH3_GIVEN(name, body) KERNEL3_GIVEN(each_##name, PUT, body)
