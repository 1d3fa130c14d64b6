// Random words as bytes. The last word may be cut short: only the bytes of the buffer are written.
#include "array/random/threefry.cl"

void put(__global uchar* out, const long bytes, const long word, uint value) {
  if (4 * word + 4 <= bytes) {
    ((__global uint*)out)[word] = value;
    return;
  }
  for (long b = 4 * word; b < bytes; ++b, value >>= 8) out[b] = (uchar)value;
}

__kernel void words(__global const uint* key, __global uchar* out, const long bytes, const long h, const long gap) {
  const long i = get_global_id(0);
  if (i >= gap) return;
  const uint2 w = words_of(key, i, h, gap);
  put(out, bytes, i, w.x);
  if (i != h) put(out, bytes, i + gap, w.y);
}
