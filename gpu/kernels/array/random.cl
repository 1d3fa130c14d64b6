// Threefry-2x32-20. One work-item per counter (i, i + gap); its words go to places i and i + gap.
//
//   words   0 .. h-1 | h (odd only) | h+odd .. W-1
//           first words   alone        second words      gap = h + odd
//
// The last word may be cut short: only the bytes of the buffer are written.

void round4(uint2* x, const uint a, const uint b, const uint c, const uint d) {
  x->x += x->y;
  x->y = rotate(x->y, a) ^ x->x;
  x->x += x->y;
  x->y = rotate(x->y, b) ^ x->x;
  x->x += x->y;
  x->y = rotate(x->y, c) ^ x->x;
  x->x += x->y;
  x->y = rotate(x->y, d) ^ x->x;
}

uint2 threefry(const uint k0, const uint k1, uint2 x) {
  const uint k2 = k0 ^ k1 ^ 0x1BD11BDAu;
  x += (uint2)(k0, k1);
  round4(&x, 13, 15, 26, 6);
  x += (uint2)(k1, k2 + 1);
  round4(&x, 17, 29, 16, 24);
  x += (uint2)(k2, k0 + 2);
  round4(&x, 13, 15, 26, 6);
  x += (uint2)(k0, k1 + 3);
  round4(&x, 17, 29, 16, 24);
  x += (uint2)(k1, k2 + 4);
  round4(&x, 13, 15, 26, 6);
  return x + (uint2)(k2, k0 + 5);
}

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
  const bool lone = i == h;  // the middle one of an odd number of words
  const uint2 w = threefry(key[0], key[1], (uint2)((uint)i, lone ? 0u : (uint)(i + gap)));
  put(out, bytes, i, w.x);
  if (!lone) put(out, bytes, i + gap, w.y);
}
