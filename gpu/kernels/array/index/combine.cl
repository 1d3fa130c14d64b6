// Updates combined with what is there, in their order: a work-item takes one element of all rows that go to one place.
//
// Built for the numbers that a's dtype computes in: VIA_WHOLE, VIA_FLOAT (f16, bf16, f32), VIA_DOUBLE (f64),
// VIA_COMPLEX (complex numbers in double).

#include "element.cl"

enum { ADD = 1, PROD, MAX, MIN, SUBTRACT, DIVIDE };  // the order of Combine (gpu/array/index/moves.h)

#if defined(VIA_WHOLE)
typedef long number;
#define AT(p, i) whole_at(p, type, i)
#define PUT(p, i, v) put_whole(p, type, i, v)
static inline number sum(number a, number b, int type) {
  return type == boolean ? (a | b) : (long)((ulong)a + (ulong)b);
}
static inline number difference(number a, number b) { return (long)((ulong)a - (ulong)b); }
static inline number product(number a, number b) { return (long)((ulong)a * (ulong)b); }
static inline number quotient(number a, number b) { return a; }  // of whole numbers nobody asks
static inline bool above(number a, number b, int type) { return type <= u64 ? (ulong)a > (ulong)b : a > b; }
static inline bool unordered(number a) { return false; }
#elif defined(VIA_COMPLEX)
typedef double2 number;
static inline number pair_at(global const void* p, long i) {
  const float2 z = at_c64(p, i);
  return (double2)(z.x, z.y);
}
#define AT(p, i) pair_at(p, i)
#define PUT(p, i, v) put_c64(p, i, convert_float2_rte(v))
static inline number sum(number a, number b, int type) { return a + b; }
static inline number difference(number a, number b) { return a - b; }
static inline number product(number a, number b) { return (double2)(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x); }
static inline number quotient(number a, number b) {
  return (double2)(a.x * b.x + a.y * b.y, a.y * b.x - a.x * b.y) / (b.x * b.x + b.y * b.y);
}
#elif defined(VIA_DOUBLE)
typedef double number;
#define AT(p, i) at_f64(p, i)
#define PUT(p, i, v) put_f64(p, i, v)
#else
typedef float number;
#define AT(p, i) real_at(p, type, i)
#define PUT(p, i, v) put_float(p, type, i, v)
#endif

#if !defined(VIA_WHOLE) && !defined(VIA_COMPLEX)
static inline number sum(number a, number b, int type) { return a + b; }
static inline number difference(number a, number b) { return a - b; }
static inline number product(number a, number b) { return a * b; }
static inline number quotient(number a, number b) { return a / b; }
static inline bool above(number a, number b, int type) { return a > b; }
static inline bool unordered(number a) { return isnan(a); }
#endif

// NaN beside any, the second of equals.
static inline number combined(number a, number b, int how, int type) {
  if (how == ADD) return sum(a, b, type);
  if (how == PROD) return product(a, b);
  if (how == SUBTRACT) return difference(a, b);
  if (how == DIVIDE) return quotient(a, b);
#ifndef VIA_COMPLEX
  if (unordered(a)) return a;
  if (how == MAX) return above(a, b, type) ? a : b;
  return above(b, a, type) ? a : b;
#else
  return a;
#endif
}

// order: rows by place, those of one place as they come. Not ordered: no two rows meet.
kernel void combine(global const void* u, global const long* from, global const long* at, global const int* order,
                    int ordered, long size, long step, long update, long rows, int how, int type, global void* out) {
  const long e = get_global_id(0);
  if (e >= rows * size) return;
  const bool wide = (e | size) >> 32;
  const long s = wide ? e / size : (long)((uint)e / (uint)size), i = e - s * size;
  const long place = at[ordered ? order[s] : s];
  if (ordered && s > 0 && at[order[s - 1]] == place) return;
  number v = AT(out, place + i * step);
  for (long j = s; j < rows; ++j) {
    const long r = ordered ? order[j] : j;
    if (at[r] != place) break;
    v = combined(v, AT(u, from[r] + i * update), how, type);
    if (!ordered) break;
  }
  PUT(out, place + i * step, v);
}
