// Random orders: words as the keys of a sort, and elements moved by an order.
#include "array/random/threefry.cl"

// As signed numbers of 64 bits, whose order is that of the words.
kernel void word_keys(global const uint* key, long h, long gap, global long* keys) {
  const long i = get_global_id(0);
  if (i >= gap) return;
  const uint2 w = words_of(key, i, h, gap);
  keys[i] = w.x;
  if (i != h) keys[i + gap] = w.y;
}

#define MOVE(T) ((global T*)out)[e] = ((global const T*)a)[from]

// Elements of 1, 2, 4 or 8 bytes, `inner` together; lines of n such.
kernel void reorder(global const void* a, global const uint* order, long n, long inner, int bytes, long total,
                    global void* out) {
  const long e = get_global_id(0);
  if (e >= total) return;
  const long at = e / inner, line = at / n, from = (line * n + order[at % n]) * inner + e % inner;
  switch (bytes) {
    case 1: MOVE(uchar); break;
    case 2: MOVE(ushort); break;
    case 4: MOVE(uint); break;
    default: MOVE(ulong);
  }
}
