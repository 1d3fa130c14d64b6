// Sums of two tensors, reciprocals of one.
//
// add_flat   both operands dense and of the output's type, whole vectors and a ragged end. Built for one type:
//            -DADD_<dtype>
// add_any    any two dtypes, any strides: every element through the type that the promoted dtype adds in.
//            Built for one of those: -DVIA_WHOLE, -DVIA_FLOAT, -DVIA_DOUBLE, -DVIA_COMPLEX
// reciprocal a dense operand of any dtype, with -DVIA_DOUBLE: the quotient in double, rounded again, is the
//            quotient rounded once; of a complex number, where squares are exact in double, nearly so
#include "element.cl"

#if !defined(VIA_WHOLE) && !defined(VIA_FLOAT) && !defined(VIA_DOUBLE) && !defined(VIA_COMPLEX)
#if defined(ADD_bool)
typedef uchar one;
typedef uchar16 many;
#define SUM(a, b) ((a) | (b))
#elif defined(ADD_8)
typedef uchar one;
typedef uchar16 many;
#elif defined(ADD_16)
typedef ushort one;
typedef ushort8 many;
#elif defined(ADD_32)
typedef uint one;
typedef uint4 many;
#elif defined(ADD_64)
typedef ulong one;
typedef ulong2 many;
#elif defined(ADD_f32)
typedef float one;
typedef float4 many;
#elif defined(ADD_f64)
typedef double one;
typedef double2 many;
#else
typedef ushort one;
typedef ushort8 many;
#define HALVES
#endif
#ifndef SUM
#define SUM(a, b) ((a) + (b))
#endif

#if defined(ADD_f16)
#define SUM_ONE(out, a, b, i) \
  vstore_half_rte(vload_half(i, (global const half*)a) + vload_half(i, (global const half*)b), i, (global half*)out)
#define SUM_MANY(out, a, b, i) \
  vstore_half8_rte(vload_half8(i, (global const half*)a) + vload_half8(i, (global const half*)b), i, (global half*)out)
#elif defined(ADD_bf16)
#define SUM_ONE(out, a, b, i) put_bf16(out, i, at_bf16(a, i) + at_bf16(b, i))
ushort8 bf16_sum(ushort8 a, ushort8 b) {
  const uint8 s = as_uint8(as_float8(convert_uint8(a) << 16) + as_float8(convert_uint8(b) << 16));
  const uint8 rounded = (s + 0x7FFFu + (s >> 16 & 1u)) >> 16, quiet = s >> 16 | 0x40u;
  return convert_ushort8(select(rounded, quiet, (s & 0x7FFFFFFFu) > 0x7F800000u));
}
#define SUM_MANY(out, a, b, i) ((global many*)out)[i] = bf16_sum(((global const many*)a)[i], ((global const many*)b)[i])
#else
#define SUM_ONE(out, a, b, i) out[i] = (one)SUM(a[i], b[i])
#define SUM_MANY(out, a, b, i) ((global many*)out)[i] = SUM(((global const many*)a)[i], ((global const many*)b)[i])
#endif

// The first `vectors` items take a whole vector each, the next ones an element each of what is left.
kernel void add_flat(global const one* a, global const one* b, global one* out, long n) {
  const long i = get_global_id(0), width = sizeof(many) / sizeof(one), vectors = n / width;
  const long element = vectors * width + (i - vectors);
  if (i < vectors) {
    SUM_MANY(out, a, b, i);
  } else if (element < n) {
    SUM_ONE(out, a, b, element);
  }
}

#else
void add_element(global const uchar* a, int ta, long i, global const uchar* b, int tb, long j, global uchar* out,
                 int to, long k) {
#if defined(VIA_WHOLE)
  put_whole(out, to, k, (long)((ulong)whole_at(a, ta, i) + (ulong)whole_at(b, tb, j)));
#elif defined(VIA_FLOAT)
  put_float(out, to, k, float_at(a, ta, to, i) + float_at(b, tb, to, j));
#elif defined(VIA_DOUBLE)
  put_f64((global double*)out, k, double_at(a, ta, i) + double_at(b, tb, j));
#else
  put_c64((global float2*)out, k, complex_at(a, ta, i) + complex_at(b, tb, j));
#endif
}

// geometry: 8 sizes, 8 strides of a, 8 strides of b, each from the innermost axis outwards. The output is dense.
kernel void add_any(global const uchar* a, int ta, long a_first, global const uchar* b, int tb, long b_first,
                    global uchar* out, int to, constant const long* geometry, long n) {
  const long k = get_global_id(0);
  if (k >= n) return;
  long i = a_first, j = b_first;
  ulong rest = k;
  for (int axis = 0; axis < 8 && rest != 0; ++axis) {
    const ulong size = geometry[axis];
    const ulong index = (rest | size) >> 32 ? rest % size : (uint)rest % (uint)size;
    rest = (rest | size) >> 32 ? rest / size : (uint)rest / (uint)size;
    i += (long)index * geometry[8 + axis];
    j += (long)index * geometry[16 + axis];
  }
  add_element(a, ta, i, b, tb, j, out, to, k);
}

#ifdef VIA_DOUBLE
// 1 / (c + d i) = (c - d i) / (c^2 + d^2); an infinite part gives zeros with the signs of c and -d, + for a NaN; 0
// gives inf with the sign of c, and NaN.
float2 complex_reciprocal(float c, float d) {
  const double square = (double)c * c + (double)d * d;
  if (isinf(c) || isinf(d)) return (float2)(isnan(c) ? 0.0f : copysign(0.0f, c), isnan(d) ? 0.0f : copysign(0.0f, -d));
  if (square == 0.0) return (float2)(copysign(INFINITY, c), NAN);
  return (float2)(convert_float_rte(c / square), convert_float_rte(-d / square));
}

kernel void reciprocal(global const uchar* x, int type, global uchar* out, int to, long n) {
  const long i = get_global_id(0);
  if (i >= n) return;
  if (to == f64) {
    ((global double*)out)[i] = 1.0 / double_at(x, type, i);
    return;
  }
  if (to == c64) {
    const float2 z = ((global const float2*)x)[i];
    ((global float2*)out)[i] = complex_reciprocal(z.x, z.y);
    return;
  }
  const float q = convert_float_rte(1.0 / (double)float_at(x, type, to, i));
  put_float(out, to, i, q);
}
#endif
#endif
