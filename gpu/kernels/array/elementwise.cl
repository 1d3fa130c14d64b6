// Sums of two tensors, reciprocals of one.
//
// add_flat   both operands dense and of the output's type, whole vectors and a ragged end. Built for one type:
//            -DADD_<dtype>
// add_any    any two dtypes, any strides: every element through the type that the promoted dtype adds in.
//            Built for one of those: -DVIA_WHOLE, -DVIA_FLOAT, -DVIA_DOUBLE, -DVIA_COMPLEX, with -DFP64 where
//            an operand is f64
// reciprocal a dense operand of any dtype, with -DVIA_DOUBLE -DFP64: the quotient in double, rounded again, is the
//            quotient rounded once; of a complex number, where squares are exact in double, nearly so
#pragma OPENCL FP_CONTRACT OFF
#ifdef FP64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif

float bf16_to_float(ushort w) { return as_float((uint)w << 16); }
ushort float_to_bf16(float x) {  // to nearest even
  const uint b = as_uint(x);
  if ((b & 0x7FFFFFFFu) > 0x7F800000u) return (ushort)(b >> 16 | 0x40u);
  return (ushort)((b + 0x7FFFu + (b >> 16 & 1u)) >> 16);
}

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
#define SUM_ONE(out, a, b, i) out[i] = float_to_bf16(bf16_to_float(a[i]) + bf16_to_float(b[i]))
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
// The order of Dtype (core/dtype.h).
enum { BOOLEAN, U8, U16, U32, U64, I8, I16, I32, I64, F16, BF16, F32, F64, C64 };

long whole_at(global const uchar* p, int type, long i) {
  switch (type) {
    case BOOLEAN:
    case U8: return p[i];
    case U16: return ((global const ushort*)p)[i];
    case U32: return ((global const uint*)p)[i];
    case I8: return ((global const char*)p)[i];
    case I16: return ((global const short*)p)[i];
    case I32: return ((global const int*)p)[i];
    default: return ((global const long*)p)[i];
  }
}

float through_half(float x) {
  ushort h;
  vstore_half_rte(x, 0, (half*)&h);
  return vload_half(0, (const half*)&h);
}

// A whole number with what does not fit into 24 bits leaving its trace in the last one, so that the float
// rounds to 8 bits as the number itself does.
float traced(ulong m) {
  const int drop = max(0, 40 - (int)clz(m));
  const ulong rest = m & ((1ul << drop) - 1);
  return (float)(uint)(m >> drop | (rest != 0 ? 1 : 0)) * as_float((uint)(127 + drop) << 23);
}

// The element rounded once to the promoted dtype `to`, which adds in float.
float float_at(global const uchar* p, int type, int to, long i) {
  switch (type) {
    case F16: return vload_half(i, (global const half*)p);
    case BF16: return bf16_to_float(((global const ushort*)p)[i]);
    case C64:
    case F32: return ((global const float*)p)[i];
#ifdef FP64
    case F64: return convert_float_rte(((global const double*)p)[i]);
#endif
  }
  const long v = whole_at(p, type, i);
  const bool negative = type != U64 && v < 0;
  if (to == BF16) {
    const float x = traced(negative ? 0ul - (ulong)v : (ulong)v);
    return bf16_to_float(float_to_bf16(negative ? -x : x));
  }
  const float x = type == U64 ? convert_float_rte((ulong)v) : convert_float_rte(v);
  return to == F16 ? through_half(x) : x;  // beyond 24 bits a half is infinite anyway
}

#ifdef VIA_DOUBLE
double double_at(global const uchar* p, int type, long i) {
  if (type == F64) return ((global const double*)p)[i];
  if (type == F16 || type == BF16 || type == F32) return float_at(p, type, F32, i);
  const long v = whole_at(p, type, i);
  return type == U64 ? convert_double_rte((ulong)v) : convert_double_rte(v);
}
#endif

void add_element(global const uchar* a, int ta, long i, global const uchar* b, int tb, long j, global uchar* out,
                 int to, long k) {
#if defined(VIA_WHOLE)
  const ulong s = (ulong)whole_at(a, ta, i) + (ulong)whole_at(b, tb, j);
  switch (to) {
    case BOOLEAN: out[k] = s != 0; break;
    case U8:
    case I8: out[k] = (uchar)s; break;
    case U16:
    case I16: ((global ushort*)out)[k] = (ushort)s; break;
    case U32:
    case I32: ((global uint*)out)[k] = (uint)s; break;
    default: ((global ulong*)out)[k] = s;
  }
#elif defined(VIA_FLOAT)
  const float s = float_at(a, ta, to, i) + float_at(b, tb, to, j);
  if (to == F16) vstore_half_rte(s, k, (global half*)out);
  else if (to == BF16) ((global ushort*)out)[k] = float_to_bf16(s);
  else ((global float*)out)[k] = s;
#elif defined(VIA_DOUBLE)
  ((global double*)out)[k] = double_at(a, ta, i) + double_at(b, tb, j);
#else
  const float2 x = ta == C64 ? ((global const float2*)a)[i] : (float2)(float_at(a, ta, C64, i), 0.0f);
  const float2 y = tb == C64 ? ((global const float2*)b)[j] : (float2)(float_at(b, tb, C64, j), 0.0f);
  ((global float2*)out)[k] = x + y;
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
  if (to == F64) {
    ((global double*)out)[i] = 1.0 / double_at(x, type, i);
    return;
  }
  if (to == C64) {
    const float2 z = ((global const float2*)x)[i];
    ((global float2*)out)[i] = complex_reciprocal(z.x, z.y);
    return;
  }
  const float q = convert_float_rte(1.0 / (double)float_at(x, type, to, i));
  if (to == F16) vstore_half_rte(q, i, (global half*)out);
  else if (to == BF16) ((global ushort*)out)[i] = float_to_bf16(q);
  else ((global float*)out)[i] = q;
}
#endif
#endif
