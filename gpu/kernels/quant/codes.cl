// Codes of a row are one stream of fields, least significant bit first; 32 codes of n bits fill n words, so a stream
// position is a multiple of 8 codes wherever a kernel starts. Elements and scales that are bytes, or halves of them.

// Eight codes from position 8 unit of a stream: their bits in the low end, never a word beyond them.
static inline ulong eight_codes(global const uint* stream, long unit, int bits) {
  const long at = unit * 8 * bits;
  const int shift = (int)(at & 31);
  global const uint* word = stream + (at >> 5);
  ulong v = word[0];
  if (shift + 8 * bits > 32) v |= (ulong)word[1] << 32;
  return v >> shift;
}

// Code i of eight as a number: an integer below 2^23 under the exponent of 2^23 is that integer plus 2^23.
static inline float code_value(ulong v, int i, int bits) {
  return as_float(((uint)(v >> (i * bits)) & ((1u << bits) - 1)) | 0x4B000000u) - 8388608.0f;
}

static inline float e4m3(uint code) {
  const uint m = code & 0x7Fu;
  const float v = m < 8 ? (float)m * 0x1p-9f : m == 0x7F ? NAN : as_float((m << 20) + (120u << 23));
  return as_float(as_uint(v) | (code & 0x80u) << 24);
}
static inline float e2m1(uint code) {
  const uint m = code & 7u, e = m >> 1;
  const float v = e == 0 ? 0.5f * (float)m : as_float((e + 126) << 23 | (m & 1u) << 22);
  return as_float(as_uint(v) | (code & 8u) << 28);
}
// A power of two; 255 is infinity, 0 the subnormal 2^-127.
static inline float e8m0(uint code) { return as_float(code == 0 ? 0x400000u : code << 23); }

// Modes: how scales and elements are coded.
enum { affine_mode, mxfp4, mxfp8, nvfp4 };

static inline float element_of(ulong v, int i, int bits) {
  const uint code = (uint)(v >> (i * bits));
  return bits == 8 ? e4m3(code & 0xFFu) : e2m1(code & 0xFu);
}
static inline float scale_byte(global const uchar* s, long g, int mode) {
  return mode == nvfp4 ? e4m3(s[g]) : e8m0(s[g]);
}
