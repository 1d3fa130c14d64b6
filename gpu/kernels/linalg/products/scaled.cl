// What is done to the sums of a product, element by element. Option: X, what they are in: f32, f64 or c64.
// geometry: 8 sizes, innermost first, then 8 strides of an operand.
#include "element.cl"

#include "array/place.cl"

static inline float load_f32(global const void* p, int type, long i) { return real_at(p, type, i); }
static inline void give_f32(global void* p, int type, long i, float v) { put_float(p, type, i, v); }
static inline float2 load_c64(global const void* p, int type, long i) { return complex_at(p, type, i); }
static inline void give_c64(global void* p, int type, long i, float2 v) { put_c64((global float2*)p, i, v); }
#ifdef PLUMB_FP64
static inline double load_f64(global const void* p, int type, long i) { return double_at(p, type, i); }
static inline void give_f64(global void* p, int type, long i, double v) { put_f64((global double*)p, i, v); }
#endif
#define load PASTED(load_, X)
#define give PASTED(give_, X)

// out = alpha sums + beta c, c repeated to the result; c is not read where beta is 0.
kernel void scale_add(global const X_t* sums, global const void* c, int type_c, long c0, constant const long* geometry,
                      int dense, float alpha, float beta, global void* out, int type, long n) {
  const long e = get_global_id(0);
  if (e >= n) return;
  X_v v = at_x(sums, e) * alpha;
  if (beta != 0) {
    const X_v added = load(c, type_c, c0 + place(e, geometry, 0, dense)) * beta;
    v = v + added;
  }
  give(out, type, e, v);
}

#ifdef MASK
// out = x in blocks of block x block, each times its element of the mask, or 0 where a bool mask is false. geometry: of
// the batch axes, for x and for the mask.
kernel void mask_blocks(global const void* x, int type_x, long x0, long x_row, long x_column, global const void* mask,
                        int type_m, long m0, long m_row, long m_column, constant const long* geometry, long rows,
                        long columns, int block, global void* out, int type, long n) {
  const long e = get_global_id(0);
  if (e >= n) return;
  const long t = e / (rows * columns), i = e / columns % rows, j = e % columns;
  const long m = m0 + place(t, geometry, 1, 0) + i / block * m_row + j / block * m_column;
  const X_v v = load(x, type_x, x0 + place(t, geometry, 0, 0) + i * x_row + j * x_column);
  if (type_m == boolean) give(out, type, e, ((global const uchar*)mask)[m] ? v : (X_v)0);
  else give(out, type, e, v * load(mask, type_m, m));
}
#endif
