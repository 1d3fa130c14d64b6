// Keys: unsigned numbers whose order is that in which a reduction prefers elements of any dtype. Included by kernels.
//
// A greater key is a preferred element: greater, or with `least` smaller. Any NaN has the greatest key, of complex
// numbers one with a NaN in either part. -0 is below +0, or equal to it if zeros are; always so in complex numbers,
// which order by the real, then the imaginary part.
#include "element.cl"

#define NAN_KEY 0xFFFFFFFFFFFFFFFFul

static inline ulong ones(int bits) { return NAN_KEY >> (64 - bits); }

// Of the word w of a float, whose infinity is `infinity`.
static inline ulong float_key(ulong w, int bits, ulong infinity, int equal_zeros) {
  const ulong sign = 1ul << (bits - 1), a = w & (sign - 1);
  if (a > infinity) return NAN_KEY;
  if (a == 0 && equal_zeros) w = 0;
  return w & sign ? ~w & ones(bits) : w | sign;
}
static inline ulong float_word(ulong key, int bits) {
  const ulong sign = 1ul << (bits - 1);
  return key & sign ? key ^ sign : ~key & ones(bits);
}

#define HALF_INFINITY 0x7C00ul
#define BF16_INFINITY 0x7F80ul
#define F32_INFINITY 0x7F800000ul
#define F64_INFINITY 0x7FF0000000000000ul

static inline ulong ascending_key(global const void* p, int type, long i, int equal_zeros) {
  switch (type) {
    case f16: return float_key(((global const ushort*)p)[i], 16, HALF_INFINITY, equal_zeros);
    case bf16: return float_key(((global const ushort*)p)[i], 16, BF16_INFINITY, equal_zeros);
    case f32: return float_key(((global const uint*)p)[i], 32, F32_INFINITY, equal_zeros);
    case f64: return float_key(((global const ulong*)p)[i], 64, F64_INFINITY, equal_zeros);
    case c64: {
      const uint2 z = ((global const uint2*)p)[i];
      const ulong re = float_key(z.x, 32, F32_INFINITY, 1), im = float_key(z.y, 32, F32_INFINITY, 1);
      return re == NAN_KEY || im == NAN_KEY ? NAN_KEY : re << 32 | im;
    }
  }
  const ulong v = (ulong)whole_at(p, type, i);
  return type >= i8 ? v ^ 1ul << 63 : v;
}

static inline int is_float(int type) { return type >= f16; }

static inline ulong key_at(global const void* p, int type, long i, int least, int equal_zeros) {
  const ulong k = ascending_key(p, type, i, equal_zeros);
  return !least || (is_float(type) && k == NAN_KEY) ? k : ~k;
}

// Writes the element that has this key.
static inline void put_key(global void* p, int type, long i, ulong k, int least) {
  const int nan = is_float(type) && k == NAN_KEY;
  if (least) k = ~k;
  switch (type) {
    case f16: ((global ushort*)p)[i] = nan ? 0x7E00 : (ushort)float_word(k, 16); return;
    case bf16: ((global ushort*)p)[i] = nan ? 0x7FC0 : (ushort)float_word(k, 16); return;
    case f32: ((global uint*)p)[i] = nan ? 0x7FC00000u : (uint)float_word(k, 32); return;
    case f64: ((global ulong*)p)[i] = nan ? 0x7FF8000000000000ul : float_word(k, 64); return;
    case c64:
      ((global uint2*)p)[i] = nan ? (uint2)(0x7FC00000u, 0x7FC00000u)
                                  : (uint2)((uint)float_word(k >> 32, 32), (uint)float_word(k & ones(32), 32));
      return;
  }
  put_whole(p, type, i, (long)(type >= i8 ? k ^ 1ul << 63 : k));
}
