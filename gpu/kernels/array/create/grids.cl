// Filled arrays, an element to a work-item; elements are words of `bytes` bytes.
#include "element.cl"

static inline void put_word(global uchar* y, long k, int bytes, ulong word) {
  switch (bytes) {
    case 1: y[k] = (uchar)word; break;
    case 2: ((global ushort*)y)[k] = (ushort)word; break;
    case 4: ((global uint*)y)[k] = (uint)word; break;
    default: ((global ulong*)y)[k] = word;
  }
}
static inline ulong word_at(global const uchar* x, long i, int bytes) {
  switch (bytes) {
    case 1: return x[i];
    case 2: return ((global const ushort*)x)[i];
    case 4: return ((global const uint*)x)[i];
  }
  return ((global const ulong*)x)[i];
}

// geometry: 8 sizes, innermost first, then 8 strides
kernel void spread(global const uchar* x, long first, global uchar* y, constant const long* geometry, int bytes,
                   long n) {
  const long k = get_global_id(0);
  if (k >= n) return;
  long at = first, rest = k;
  for (int axis = 0; axis < 8 && rest != 0; ++axis) {
    at += rest % geometry[axis] * geometry[8 + axis];
    rest /= geometry[axis];
  }
  put_word(y, k, bytes, word_at(x, at, bytes));
}

// `one` where low <= j - i <= high
kernel void diagonals(global uchar* y, ulong one, long low, long high, long columns, int bytes, long n) {
  const long k = get_global_id(0);
  if (k >= n) return;
  const long d = k % columns - k / columns;
  put_word(y, k, bytes, d >= low && d <= high ? one : 0);
}
