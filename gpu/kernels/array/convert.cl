// Conversions of elements, one an item. geometry: 8 sizes, innermost first, then 8 strides of the operand.
#include "element.cl"

#include "array/place.cl"

// Towards 0, beyond the range to its end, NaN to 0.
#define CASE_SATURATED(T, TYPE) \
  case T:                       \
    return convert_##TYPE##_sat(v);
#define DEFINE_SATURATED(F)                        \
  static inline long saturated_##F(int to, F v) {  \
    if (v != v) return 0;                          \
    switch (to) {                                  \
      CASE_SATURATED(u8, uchar)                    \
      CASE_SATURATED(u16, ushort)                  \
      CASE_SATURATED(u32, uint)                    \
      CASE_SATURATED(i8, char)                     \
      CASE_SATURATED(i16, short)                   \
      CASE_SATURATED(i32, int)                     \
      CASE_SATURATED(i64, long)                    \
      case u64: return (long)convert_ulong_sat(v); \
    }                                              \
    return 0;                                      \
  }
DEFINE_SATURATED(float)
#ifdef PLUMB_FP64
DEFINE_SATURATED(double)
#endif

static inline long whole_from(global const void* p, int type, int to, long i) {
  if (to == boolean) return truth_at(p, type, i);
  if (type <= i64) return whole_at(p, type, i);
#ifdef PLUMB_FP64
  if (type == f64) return saturated_double(to, ((global const double*)p)[i]);
#endif
  return saturated_float(to, f32_at(p, type, i));
}

kernel void astype(global const uchar* a, int type, long first, global uchar* out, int to,
                   constant const long* geometry, int dense, long n) {
  const long k = get_global_id(0);
  if (k >= n) return;
  const long i = first + place(k, geometry, 0, dense);
  if (to <= i64) put_whole(out, to, k, whole_from(a, type, to, i));
  else if (to == c64) put_c64((global float2*)out, k, complex_at(a, type, i));
#ifdef PLUMB_FP64
  else if (to == f64)
    put_f64((global double*)out, k, type == c64 ? ((global const float2*)a)[i].x : double_at(a, type, i));
#endif
  else put_float(out, to, k, float_at(a, type, to, i));
}

// For |x| below 2^-6 adding 2^14 leaves multiples of 2^-9 as the last bits; above, 20 bits of the fraction go.
kernel void to_fp8(global const uchar* x, int type, long first, global uchar* out, constant const long* geometry,
                   int dense, long n) {
  const long k = get_global_id(0);
  if (k >= n) return;
  const uint bits = as_uint(real_at(x, type, first + place(k, geometry, 0, dense)));
  const uint a = bits & 0x7FFFFFFFu, small = as_uint(as_float(a) + 0x1p14f) - 0x46800000u;
  const uint normal = ((a + 0x7FFFFu + (a >> 20 & 1u)) >> 20) - (120u << 3);
  out[k] = (uchar)((a > 0x7F800000u ? 0u : bits >> 24 & 0x80u) | (a < 0x3C800000u   ? small
                                                                  : a < 0x43E00000u ? normal
                                                                                    : 0x7Eu));
}

kernel void from_fp8(global const uchar* x, long first, global uchar* out, int to, constant const long* geometry,
                     int dense, long n) {
  const long k = get_global_id(0);
  if (k >= n) return;
  const uint code = x[first + place(k, geometry, 0, dense)], e = code >> 3 & 15u, m = code & 7u;
  const float normal = as_float((e + 120u) << 23 | m << 20), small = (float)m * 0x1p-9f;
  const float size = (code & 0x7Fu) == 0x7Fu ? NAN : e == 0 ? small : normal;
  const float v = code & 0x80u ? -size : size;
#ifdef PLUMB_FP64
  if (to == f64) ((global double*)out)[k] = v;
  else
#endif
    put_float(out, to, k, v);
}
