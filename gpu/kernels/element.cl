// Elements of the 14 dtypes: how they lie in memory, what they are read as, and one rounding where they are written.
// Included by kernels; nothing that a kernel does not use costs it anything.
//
// A kernel built with {"X", Dtype::f16} (gpu/runtime.h) reads and writes elements of that dtype by
//   X              the enumerator below; X == f16 is a constant expression, but none of #if
//   X_t            how one lies in memory: global const X_t* x
//   X_v            what one is read as: ulong (bool, u8 .. u64), long (i8 .. i64), float (f16, bf16, f32), double,
//   float2 at_x(p, i)     element i of p, exactly, as X_v put_x(p, i, v) element i of p becomes the X_v v: floats
//   rounded to nearest even, whole numbers modulo 2^bits,
//                  bool v != 0
//   round_x(v)     the float that is put for the float v (f16, bf16, f32)
//   at4_x, put4_x, at8_x, put8_x   as many elements from the i-th on, where they lie aligned (f16, bf16, f32; at4_x, of
//                  type X_v4, also f64)
// and of a second one by Y. Without options, type_f16, value_f16, at_f16, put_f16, .. are the same.
//
// Other types of value are first made one that the dtype holds, rounded once:
//   bf16_from_u64(v), .. TO_from_FROM; TO: every dtype, FROM: u64, i64; TO: f16, bf16, f32, f64, FROM: also f32, f64
//
// Where a dtype is an argument of the kernel, element i of p as what the promoted dtype `to` computes in, rounded once:
//   whole_at(p, type, i)         a long, of bool and whole numbers; those of u64 wrap
//   float_at(p, type, to, i)     to: f16, bf16, f32, or c64, of which it is the real part
//   double_at(p, type, i)        of every dtype but c64; only with PLUMB_FP64, as all that concerns f64
//   complex_at(p, type, i)
//   real_at(p, type, i)          a float, of f16, bf16 and f32 alone
//   float_rounded(to, v)         what a float becomes as f16, bf16 or f32
// and written, rounded once, as dtype `type`, which computes in that:
//   put_whole(p, type, i, v), put_float(p, type, i, v); put_f64(p, i, v) and put_c64(p, i, v) as above

enum { boolean, u8, u16, u32, u64, i8, i16, i32, i64, f16, bf16, f32, f64, c64 };  // the order of Dtype (core/dtype.h)

// ---- words of 16 bits, and the floats that they stand for

static inline float f16_value(ushort w) { return vload_half(0, (const half*)&w); }
static inline ushort f16_word(float v) {
  ushort w;
  vstore_half_rte(v, 0, (half*)&w);
  return w;
}
static inline float bf16_value(ushort w) { return as_float((uint)w << 16); }
static inline ushort bf16_word(float v) {  // to nearest even; a NaN stays one
  const uint b = as_uint(v);
  return (ushort)((b & 0x7FFFFFFFu) > 0x7F800000u ? b >> 16 | 0x40u : (b + 0x7FFFu + (b >> 16 & 1u)) >> 16);
}

// ---- rounding to odd: to the 24 bits of a float, the last one set if anything was lost. What is rounded from there to
// fewer bits is rounded as from the number itself.

static inline float odd_from_u64(ulong v) {
  const int drop = max(0, 40 - (int)clz(v));
  const ulong lost = v & ((1ul << drop) - 1);
  return (float)(uint)(v >> drop | (lost != 0 ? 1 : 0)) * as_float((uint)(127 + drop) << 23);
}
static inline float odd_from_i64(long v) { return v < 0 ? -odd_from_u64(0ul - (ulong)v) : odd_from_u64((ulong)v); }
#ifdef PLUMB_FP64
static inline float odd_from_f64(double v) {
  const float nearest = (float)v;
  if ((double)nearest == v) return nearest;
  return as_float((as_uint(nearest) - (fabs((double)nearest) > fabs(v) ? 1u : 0u)) | 1u);
}
#endif

// ---- every dtype: memory, value, conversions

#define DEFINE_WHOLE(T, TYPE, VALUE, CONVERTED)                             \
  typedef TYPE type_##T;                                                    \
  typedef VALUE value_##T;                                                  \
  static inline VALUE T##_from_u64(ulong v) { return (TYPE)(CONVERTED); }   \
  static inline VALUE T##_from_i64(long v) { return (TYPE)(CONVERTED); }    \
  static inline VALUE at_##T(global const TYPE* p, long i) { return p[i]; } \
  static inline void put_##T(global TYPE* p, long i, VALUE v) { p[i] = (TYPE)(CONVERTED); }

DEFINE_WHOLE(boolean, uchar, ulong, v != 0)
DEFINE_WHOLE(u8, uchar, ulong, v)
DEFINE_WHOLE(u16, ushort, ulong, v)
DEFINE_WHOLE(u32, uint, ulong, v)
DEFINE_WHOLE(u64, ulong, ulong, v)
DEFINE_WHOLE(i8, char, long, v)
DEFINE_WHOLE(i16, short, long, v)
DEFINE_WHOLE(i32, int, long, v)
DEFINE_WHOLE(i64, long, long, v)

typedef ushort type_f16;
typedef float value_f16;
typedef float4 value4_f16;
// By bits: below the least normal half, adding 0.5 makes the ulp of a float that of a subnormal half.
static inline float f16_from_f32(float v) {
  const uint sign = as_uint(v) & 0x80000000u, a = as_uint(v) & 0x7FFFFFFFu;
  uint r = (a + 0xFFFu + (a >> 13 & 1u)) & 0xFFFFE000u;
  if (a < 0x38800000u) r = as_uint((as_float(a) + 0.5f) - 0.5f);
  else if (a > 0x7F800000u) r = a;
  else if (r >= 0x47800000u) r = 0x7F800000u;
  return as_float(r | sign);
}
// What a float does not hold exactly is beyond all halves.
static inline float f16_from_u64(ulong v) { return f16_from_f32((float)v); }
static inline float f16_from_i64(long v) { return f16_from_f32((float)v); }
static inline float at_f16(global const ushort* p, long i) { return vload_half(i, (global const half*)p); }
static inline void put_f16(global ushort* p, long i, float v) { vstore_half_rte(v, i, (global half*)p); }
static inline float4 at4_f16(global const ushort* p, long i) { return vloada_half4(0, (global const half*)(p + i)); }
static inline float8 at8_f16(global const ushort* p, long i) { return vloada_half8(0, (global const half*)(p + i)); }
static inline void put4_f16(global ushort* p, long i, float4 v) { vstorea_half4_rte(v, 0, (global half*)(p + i)); }
static inline void put8_f16(global ushort* p, long i, float8 v) { vstorea_half8_rte(v, 0, (global half*)(p + i)); }

typedef ushort type_bf16;
typedef float value_bf16;
typedef float4 value4_bf16;
static inline float bf16_from_f32(float v) { return bf16_value(bf16_word(v)); }
static inline float bf16_from_u64(ulong v) { return bf16_from_f32(odd_from_u64(v)); }
static inline float bf16_from_i64(long v) { return bf16_from_f32(odd_from_i64(v)); }
static inline float at_bf16(global const ushort* p, long i) { return bf16_value(p[i]); }
static inline void put_bf16(global ushort* p, long i, float v) { p[i] = bf16_word(v); }
static inline float4 at4_bf16(global const ushort* p, long i) {
  return as_float4(convert_uint4(*(global const ushort4*)(p + i)) << 16);
}
static inline float8 at8_bf16(global const ushort* p, long i) {
  return as_float8(convert_uint8(*(global const ushort8*)(p + i)) << 16);
}
static inline void put4_bf16(global ushort* p, long i, float4 v) {
  *(global ushort4*)(p + i) = (ushort4)(bf16_word(v.s0), bf16_word(v.s1), bf16_word(v.s2), bf16_word(v.s3));
}
static inline void put8_bf16(global ushort* p, long i, float8 v) {
  *(global ushort8*)(p + i) = (ushort8)(bf16_word(v.s0), bf16_word(v.s1), bf16_word(v.s2), bf16_word(v.s3),
                                        bf16_word(v.s4), bf16_word(v.s5), bf16_word(v.s6), bf16_word(v.s7));
}

typedef float type_f32;
typedef float value_f32;
typedef float4 value4_f32;
static inline float f32_from_u64(ulong v) { return (float)v; }
static inline float f32_from_i64(long v) { return (float)v; }
static inline float f32_from_f32(float v) { return v; }
static inline float at_f32(global const float* p, long i) { return p[i]; }
static inline void put_f32(global float* p, long i, float v) { p[i] = v; }
static inline float4 at4_f32(global const float* p, long i) { return *(global const float4*)(p + i); }
static inline float8 at8_f32(global const float* p, long i) { return *(global const float8*)(p + i); }
static inline void put4_f32(global float* p, long i, float4 v) { *(global float4*)(p + i) = v; }
static inline void put8_f32(global float* p, long i, float8 v) { *(global float8*)(p + i) = v; }

typedef float2 type_c64;
typedef float2 value_c64;
static inline float2 c64_from_u64(ulong v) { return (float2)((float)v, 0.0f); }
static inline float2 c64_from_i64(long v) { return (float2)((float)v, 0.0f); }
static inline float2 at_c64(global const float2* p, long i) { return p[i]; }
static inline void put_c64(global float2* p, long i, float2 v) { p[i] = v; }

#ifdef PLUMB_FP64
typedef double type_f64;
typedef double value_f64;
typedef double4 value4_f64;
static inline double f64_from_u64(ulong v) { return (double)v; }
static inline double f64_from_i64(long v) { return (double)v; }
static inline double f64_from_f32(float v) { return v; }
static inline double f64_from_f64(double v) { return v; }
static inline float f32_from_f64(double v) { return (float)v; }
static inline float f16_from_f64(double v) { return f16_from_f32(odd_from_f64(v)); }
static inline float bf16_from_f64(double v) { return bf16_from_f32(odd_from_f64(v)); }
static inline double at_f64(global const double* p, long i) { return p[i]; }
static inline double4 at4_f64(global const double* p, long i) { return *(global const double4*)(p + i); }
static inline void put_f64(global double* p, long i, double v) { p[i] = v; }
#endif

// ---- what the options name

#define PASTED_(a, b) a##b
#define PASTED(a, b) PASTED_(a, b)

#ifdef X
typedef PASTED(type_, X) X_t;
typedef PASTED(value_, X) X_v;
#define X_v4 PASTED(value4_, X)
#define round_x PASTED(X, _from_f32)
#define at_x PASTED(at_, X)
#define at4_x PASTED(at4_, X)
#define at8_x PASTED(at8_, X)
#define put_x PASTED(put_, X)
#define put4_x PASTED(put4_, X)
#define put8_x PASTED(put8_, X)
#endif

#ifdef Y
typedef PASTED(type_, Y) Y_t;
typedef PASTED(value_, Y) Y_v;
#define Y_v4 PASTED(value4_, Y)
#define round_y PASTED(Y, _from_f32)
#define at_y PASTED(at_, Y)
#define at4_y PASTED(at4_, Y)
#define at8_y PASTED(at8_, Y)
#define put_y PASTED(put_, Y)
#define put4_y PASTED(put4_, Y)
#define put8_y PASTED(put8_, Y)
#endif

// ---- dtypes that are known at run time

#define ELEMENT(T) at_##T((global const type_##T*)p, i)
#define EACH_WHOLE(DO) DO(boolean) DO(u8) DO(u16) DO(u32) DO(u64) DO(i8) DO(i16) DO(i32) DO(i64)

#define CASE_WHOLE(T) \
  case T: return (long)ELEMENT(T);
static inline long whole_at(global const void* p, int type, long i) {
  switch (type) { EACH_WHOLE(CASE_WHOLE) }
  return 0;
}

// Rounded to f32 once, c64 to its real part.
#define CASE_F32(T) \
  case T: return (float)((global const type_##T*)p)[i];
static inline float f32_at(global const void* p, int type, long i) {
  switch (type) {
    EACH_WHOLE(CASE_F32)
    case f16: return ELEMENT(f16);
    case bf16: return ELEMENT(bf16);
#ifdef PLUMB_FP64
    case f64: return f32_from_f64(ELEMENT(f64));
#endif
    case c64: return ELEMENT(c64).x;
  }
  return ELEMENT(f32);
}

// The same with what was lost in the last bit.
static inline float odd_at(global const void* p, int type, long i) {
  if (type == u64) return odd_from_u64(ELEMENT(u64));
  if (type < f16) return odd_from_i64(whole_at(p, type, i));
#ifdef PLUMB_FP64
  if (type == f64) return odd_from_f64(ELEMENT(f64));
#endif
  return f32_at(p, type, i);
}

static inline float float_at(global const void* p, int type, int to, long i) {
  if (to == type) return f32_at(p, type, i);
  if (to == f16) return f16_from_f32(odd_at(p, type, i));
  if (to == bf16) return bf16_from_f32(odd_at(p, type, i));
  return f32_at(p, type, i);
}

#ifdef PLUMB_FP64
static inline double double_at(global const void* p, int type, long i) {
  if (type == f64) return ELEMENT(f64);
  if (type > i64) return f32_at(p, type, i);
  return type == u64 ? (double)ELEMENT(u64) : (double)whole_at(p, type, i);
}
#endif

static inline float2 complex_at(global const void* p, int type, long i) {
  return type == c64 ? ELEMENT(c64) : (float2)(f32_at(p, type, i), 0.0f);
}

static inline float float_rounded(int to, float v) {
  return to == f16 ? f16_from_f32(v) : to == bf16 ? bf16_from_f32(v) : v;
}

static inline float real_at(global const void* p, int type, long i) {
  return type == f16 ? ELEMENT(f16) : type == bf16 ? ELEMENT(bf16) : ELEMENT(f32);
}

#define CASE_PUT(T) \
  case T: put_##T((global type_##T*)p, i, (value_##T)v); break;
static inline void put_whole(global void* p, int type, long i, long v) {
  switch (type) { EACH_WHOLE(CASE_PUT) }
}

static inline void put_float(global void* p, int type, long i, float v) {
  switch (type) {
    CASE_PUT(f16)
    CASE_PUT(bf16)
    CASE_PUT(f32)
  }
}
