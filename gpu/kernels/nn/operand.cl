// What the kernels of this wing share: elements read as X_v, in which they compute, and written, rounded once. X is f32
// or f64; elements are of that type, or of f16 or bf16 beside f32.
#include "element.cl"

static inline X_v fetch(global const void* x, int type, long i) {
#ifdef PLUMB_FP64
  if (X == f64) return ((global const X_t*)x)[i];
#endif
  return real_at(x, type, i);
}
static inline void put(global void* y, int type, long i, X_v v) {
  if (X == f64) put_x((global X_t*)y, i, v);
  else put_float(y, type, i, (float)v);
}
