// Threefry-2x32-20. One work-item per counter (i, i + gap); its words belong to places i and i + gap.
//
//   words   0 .. h-1 | h (odd only) | h+odd .. W-1
//           first words   alone        second words      gap = h + odd

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

// The words of counter i, of which the middle one of an odd number has one alone.
uint2 words_of(global const uint* key, const long i, const long h, const long gap) {
  return threefry(key[0], key[1], (uint2)((uint)i, i == h ? 0u : (uint)(i + gap)));
}

// Word i of all.
uint word_of(global const uint* key, const long i, const long h, const long gap) {
  return i < gap ? words_of(key, i, h, gap).x : words_of(key, i - gap, h, gap).y;
}
