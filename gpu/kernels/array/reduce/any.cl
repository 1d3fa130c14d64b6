// Elements of any dtype as the type X that is computed in: u32, u64, f32, f64 or c64. ANY: 0 for tensors of that very
// type, 1 for every type that is computed in it. Included by kernels.
#include "element.cl"

// Element i as it is computed with: exact, but for whole numbers beyond 24 bits in softmax, rounded to nearest.
#define any_u32(x, type, i) (uint) whole_at(x, type, i)
#define any_u64(x, type, i) (ulong) whole_at(x, type, i)
#define any_f32 f32_at
#define any_f64 double_at
#define any_c64 complex_at
X_t fetch(global const void* x, int type, long i) { return ANY ? PASTED(any_, X)(x, type, i) : at_x(x, i); }

#define put_any_u32 put_whole
#define put_any_u64 put_whole
#define put_any_f32 put_float
#define put_any_f64(y, type, i, v) put_f64(y, i, v)
#define put_any_c64(y, type, i, v) put_c64(y, i, v)
void put(global void* y, int type, long i, X_t v) {
  if (ANY) PASTED(put_any_, X)(y, type, i, v);
  else put_x(y, i, v);
}
