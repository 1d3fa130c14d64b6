// Features of aligned sparse tensors. Lookups and scans are those of relation.cl; here rows are paired, copied and
// combined, one work-item per row or per feature. Built for one type of feature: X, f16 or f32.

#include "element.cl"

enum { INNER, LEFT, RIGHT, OUTER };

// flag[j] = whether active row j found no partner
kernel void flag_missing(global const int* match, long active, long n, global int* flag) {
  const long j = get_global_id(0);
  if (j < n) flag[j] = j < active && match[j] < 0;
}

// Row numbers of both sides. in_rhs[i]: the row of rhs at row i of lhs; in_lhs the other way round; position: the
// scan of what is kept of lhs (inner) or of rhs (outer).
kernel void pair_rows(int join, long lhs, long rhs, global const int* in_rhs, global const int* in_lhs,
                      global const int* position, long scanned, global int* l, global int* r, global int* active) {
  const long e = get_global_id(0);
  if (e == 0) {
    const int kept = join == INNER || join == OUTER ? position[scanned] : 0;
    active[0] = join == INNER ? kept : join == RIGHT ? (int)rhs : (int)lhs + kept;
  }
  if (join == RIGHT) {
    if (e >= rhs) return;
    l[e] = in_lhs[e];
    r[e] = (int)e;
    return;
  }
  if (e < lhs) {
    const int match = in_rhs[e];
    const long at = join == INNER ? (long)position[e] : e;
    if (join == INNER && match < 0) return;
    l[at] = (int)e;
    r[at] = match;
  } else if (join == OUTER && e < lhs + rhs && in_lhs[e - lhs] < 0) {
    const long at = lhs + position[e - lhs];
    l[at] = -1;
    r[at] = (int)(e - lhs);
  }
}

kernel void write_coords(global const int4* lhs, global const int4* rhs, global const int* l, global const int* r,
                         global const int* active, long capacity, global int4* out) {
  const long o = get_global_id(0);
  if (o >= capacity || o >= active[0]) return;
  out[o] = l[o] >= 0 ? lhs[l[o]] : rhs[r[o]];
}

enum { ADD, SUB, MUL, MAXIMUM, MINIMUM };

// IEEE 754-2019: NaN if either is, -0 < +0. Equal numbers differ at most in the sign of a zero.
float greater(float a, float b) {
  if (isnan(a)) return a;
  if (a == b) return as_float(as_uint(a) & as_uint(b));
  return a > b ? a : b;
}
float lesser(float a, float b) {
  if (isnan(a)) return a;
  if (a == b) return as_float(as_uint(a) | as_uint(b));
  return a < b ? a : b;
}

float combined(int op, float a, float b) {
  switch (op) {
    case ADD: return a + b;
    case SUB: return a - b;
    case MUL: return a * b;
    case MAXIMUM: return greater(a, b);
  }
  return lesser(a, b);
}

kernel void combine(int op, global const X_t* x, global const X_t* y, float lhs_fill, float rhs_fill,
                    global const int* l, global const int* r, global const int* active, long capacity, long channels,
                    global X_t* out) {
  const long e = get_global_id(0);
  if (e >= capacity * channels) return;
  const long o = e / channels, c = e - o * channels;
  if (o >= active[0]) return;
  const float a = l[o] >= 0 ? at_x(x, l[o] * channels + c) : lhs_fill;
  const float b = r[o] >= 0 ? at_x(y, r[o] * channels + c) : rhs_fill;
  put_x(out, e, combined(op, a, b));
}

// Channels [first, first + channels) of each row of `out`, `width` wide: row rows[o] of x, or the fill where that
// is none of its n rows. `count`: how many rows there are, or null for all of `capacity`.
kernel void select_rows(global const X_t* x, long n, global const int* rows, global const int* count, int counted,
                        long capacity, long channels, float fill, long first, long width, global X_t* out) {
  const long e = get_global_id(0);
  if (e >= capacity * channels) return;
  const long o = e / channels, c = e - o * channels;
  if (counted && o >= count[0]) return;
  const int row = rows[o];
  const long at = o * width + first + c;
  if (row >= 0 && row < n) out[at] = x[row * channels + c];
  else put_x(out, at, fill);
}
