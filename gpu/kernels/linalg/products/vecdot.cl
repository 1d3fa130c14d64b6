// Products of vectors side by side: out_i = sum over s of conj(a_is) b_is. Option: X, the type to compute in: f32 for
// f16, bf16 and f32, f64, c64, or u64 for whole numbers and bool, modulo 2^64. Operands may have types of their own.
// geometry: 8 sizes of the result, innermost first, then 8 strides of a and of b.
//
// Order: `lanes` interleaved chains of fma, joined by a tree.
#include "element.cl"

#include "array/place.cl"

#define GROUP 64

static inline float load_f32(global const void* p, int type, long i) { return real_at(p, type, i); }
static inline float term_f32(float a, float b, float s) { return fma(a, b, s); }
static inline void give_f32(global void* p, int type, long i, float v) { put_float(p, type, i, v); }

static inline ulong load_u64(global const void* p, int type, long i) { return (ulong)whole_at(p, type, i); }
static inline ulong term_u64(ulong a, ulong b, ulong s) { return a * b + s; }
static inline void give_u64(global void* p, int type, long i, ulong v) { put_whole(p, type, i, (long)v); }

static inline float2 load_c64(global const void* p, int type, long i) { return complex_at(p, type, i); }
static inline float2 term_c64(float2 a, float2 b, float2 s) {
  s.x = fma(a.y, b.y, fma(a.x, b.x, s.x));
  s.y = fma(-a.y, b.x, fma(a.x, b.y, s.y));
  return s;
}
static inline void give_c64(global void* p, int type, long i, float2 v) { put_c64((global float2*)p, i, v); }

#ifdef PLUMB_FP64
static inline double load_f64(global const void* p, int type, long i) { return double_at(p, type, i); }
static inline double term_f64(double a, double b, double s) { return fma(a, b, s); }
static inline void give_f64(global void* p, int type, long i, double v) { put_f64((global double*)p, i, v); }
#endif

#define load PASTED(load_, X)
#define term PASTED(term_, X)
#define give PASTED(give_, X)

__attribute__((reqd_work_group_size(GROUP, 1, 1))) kernel void vecdot(global const void* a, int type_a, long a0,
                                                                      long a_step, global const void* b, int type_b,
                                                                      long b0, long b_step, global void* out, int type,
                                                                      constant const long* geometry, long k,
                                                                      long outputs, int lanes) {
  local X_v sums[GROUP];
  const int t = get_local_id(0), lane = t % lanes;
  const long e = get_global_id(0) / lanes;
  X_v sum = 0;
  if (e < outputs) {
    const long i = a0 + place(e, geometry, 0, 0), j = b0 + place(e, geometry, 1, 0);
    for (long p = lane; p < k; p += lanes)
      sum = term(load(a, type_a, i + p * a_step), load(b, type_b, j + p * b_step), sum);
  }
  sums[t] = sum;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int half_way = lanes / 2; half_way > 0; half_way /= 2) {
    if (lane < half_way) sums[t] += sums[t + half_way];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  if (lane == 0 && e < outputs) give(out, type, e, sums[t]);
}
