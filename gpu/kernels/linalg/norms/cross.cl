// Cross products along an axis, one work-item for each. VIA_WHOLE, VIA_FLOAT, VIA_DOUBLE or VIA_COMPLEX: what is
// computed in. `geometry`: 8 sizes of the axes of the products, then 8 strides of a, of b and of the result.
#include "element.cl"

#if defined(VIA_WHOLE)
typedef long V;
#define AT(p, type, to, i) whole_at(p, type, i)
#define PUT put_whole
#define TIMES(a, b) (long)((ulong)(a) * (ulong)(b))
#define MINUS(a, b) (long)((ulong)(a) - (ulong)(b))
#elif defined(VIA_DOUBLE)
typedef double V;
#define AT(p, type, to, i) double_at(p, type, i)
#define PUT(p, type, i, v) put_f64(p, i, v)
#elif defined(VIA_COMPLEX)
typedef float2 V;
#define AT(p, type, to, i) complex_at(p, type, i)
#define PUT(p, type, i, v) put_c64(p, i, v)
#define TIMES(a, b) complex_product(a, b)
static inline float2 complex_product(float2 a, float2 b) {
  return (float2)(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}
#else
typedef float V;
#define AT float_at
#define PUT put_float
#endif
#ifndef TIMES
#define TIMES(a, b) ((a) * (b))
#endif
#ifndef MINUS
#define MINUS(a, b) ((a) - (b))
#endif

#define AXES 8

kernel void cross_products(global const void* a, int of_a, long first_a, long component_a, int three_a,
                           global const void* b, int of_b, long first_b, long component_b, int three_b,
                           global void* out, int to, long component, constant const long* geometry, long products) {
  const long e = get_global_id(0);
  if (e >= products) return;
  long rest = e, x = first_a, y = first_b, z = 0;
  for (int d = 0; d < AXES; ++d) {
    const long i = rest % geometry[d];
    rest /= geometry[d];
    x += i * geometry[AXES + d];
    y += i * geometry[2 * AXES + d];
    z += i * geometry[3 * AXES + d];
  }
  const V none = (V)(0);
  const V a0 = AT(a, of_a, to, x), a1 = AT(a, of_a, to, x + component_a);
  const V b0 = AT(b, of_b, to, y), b1 = AT(b, of_b, to, y + component_b);
  const V a2 = three_a ? AT(a, of_a, to, x + 2 * component_a) : none;
  const V b2 = three_b ? AT(b, of_b, to, y + 2 * component_b) : none;
  PUT(out, to, z, MINUS(three_b ? TIMES(a1, b2) : none, three_a ? TIMES(a2, b1) : none));
  PUT(out, to, z + component, MINUS(three_a ? TIMES(a2, b0) : none, three_b ? TIMES(a0, b2) : none));
  PUT(out, to, z + 2 * component, MINUS(TIMES(a0, b1), TIMES(a1, b0)));
}
