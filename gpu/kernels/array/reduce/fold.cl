// Folds of lines: with PRODUCT products in X (u32, u64, f32, f64, c64, this one with PAIRS), else extremes and counts,
// of any dtype by 64-bit words.
#ifdef PRODUCT
#define ANY 1
#include "array/reduce/any.cl"
#else
#include "array/reduce/keys.cl"
#endif
#include "array/reduce/lines.cl"

#ifdef PRODUCT
#ifdef PAIRS
#define TIMES(a, b) ((float2)((a).x * (b).x - (a).y * (b).y, (a).x * (b).y + (a).y * (b).x))
#define ONE ((float2)(1.0f, 0.0f))
#else
#define TIMES(a, b) ((a) * (b))
#define ONE ((X_t)1)
#endif
DEFINE_JOIN(X_t, join_product, TIMES)

// out = the product of the line, or of one of its `splits` parts.
LINE_KERNEL product_lines(global const void* x, int from, long first, global void* y, int to, constant const long* g,
                          long n, int lanes, int splits, int columns_first) {
  local X_t joined[GROUP];
  const Place p = place(g, lanes, splits, columns_first);
  X_t product[4] = {ONE, ONE, ONE, ONE};
  if (p.valid) {
    const long step = (long)lanes * splits;
    long r = (long)p.split * lanes + p.lane;
    for (int k = 0; r < n; r += step, k = (k + 1) & 3) {
      const X_t v = fetch(x, from, first + p.in + along(g, r, 1));
      product[k] = TIMES(product[k], v);
    }
  }
  const X_t ab = TIMES(product[0], product[1]), cd = TIMES(product[2], product[3]);
  const X_t total = join_product(joined, TIMES(ab, cd), lanes, columns_first);
  if (p.valid && p.lane == 0) put(y, to, p.out * splits + p.split, total);
}
#else

enum { GREATEST, LEAST, NONZERO, ZERO, SUM };                      // what is folded
enum { PARTIAL, GREATEST_VALUE, LEAST_VALUE, COUNT, NONE, SOME };  // what is written

static inline ulong nonzero(global const void* x, int type, long i) {
  if (type == c64) {
    const uint2 z = ((global const uint2*)x)[i];
    return ((z.x | z.y) & 0x7FFFFFFFu) != 0;
  }
  const ulong zero = type < i8 ? 0 : 1ul << (type <= i64 || type == f64 ? 63 : type == f32 ? 31 : 15);
  return ascending_key(x, type, i, 1) != zero;
}

static inline ulong term(global const void* x, int type, long i, int fold) {
  switch (fold) {
    case SUM: return ((global const ulong*)x)[i];
    case NONZERO: return nonzero(x, type, i);
    case ZERO: return !nonzero(x, type, i);
  }
  return key_at(x, type, i, fold == LEAST, 0);
}

#define LARGER(a, b) max(a, b)
#define PLUS(a, b) ((a) + (b))
DEFINE_JOIN(ulong, join_greatest, LARGER)
DEFINE_JOIN(ulong, join_sum, PLUS)

LINE_KERNEL fold_lines(global const void* x, int from, long first, global void* y, int to, constant const long* g,
                       long n, int lanes, int splits, int columns_first, int fold, int write) {
  local ulong joined[GROUP];
  const Place p = place(g, lanes, splits, columns_first);
  const int counts = fold >= NONZERO;
  ulong v = 0;
  if (p.valid) {
    const long step = (long)lanes * splits;
    for (long r = (long)p.split * lanes + p.lane; r < n; r += step) {
      const ulong t = term(x, from, first + p.in + along(g, r, 1), fold);
      v = counts ? v + t : max(v, t);
    }
  }
  v = counts ? join_sum(joined, v, lanes, columns_first) : join_greatest(joined, v, lanes, columns_first);
  if (!p.valid || p.lane != 0) return;
  const long at = p.out * splits + p.split;
  switch (write) {
    case PARTIAL: ((global ulong*)y)[at] = v; break;
    case GREATEST_VALUE:
    case LEAST_VALUE: put_key(y, to, at, v, write == LEAST_VALUE); break;
    case COUNT: ((global int*)y)[at] = (int)v; break;
    case NONE: ((global uchar*)y)[at] = v == 0; break;
    case SOME: ((global uchar*)y)[at] = v != 0; break;
  }
}
#endif
