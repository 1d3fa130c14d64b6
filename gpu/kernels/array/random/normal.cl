// Functions of uniform numbers of random words: see threefry.cl for which work-item has which.
#include "array/functions.cl"
#include "array/random/threefry.cl"
#include "array/random/units.cl"

enum { kNormal, kLaplace };

// Between -(1 - 2^-24) and 1.
static inline float symmetric(uint word) { return between(f32, unit_of(f32, word), -(1 - 0x1p-24f), 1.0f); }

// erf z = u, or z = sign(u) log(1 - |u|).
static inline float number_of(int kind, uint word) {
  const float u = symmetric(word);
  return kind == kNormal ? erfinv_float(u) : copysign(log1p(-fabs(u)), -u);
}

struct Affine {
  global const void *scale, *shift;
  int scale_type, shift_type, shifted;
  constant const long* geometry;
};

// z S + L, each operation rounded to the dtype; S is scale, of normal numbers sqrt 2 scale.
static inline void put_moved(global void* out, int type, int kind, long i, uint word, const struct Affine f) {
  const float z = number_of(kind, word);
  const long s = place(i, f.geometry, 0), l = place(i, f.geometry, 1);
#ifdef PLUMB_FP64
  if (type == f64) {
    const double scale = double_at(f.scale, f.scale_type, s), shift = double_at(f.shift, f.shift_type, l);
    put_f64((global double*)out, i, z * (kind == kNormal ? 1.4142135623730951 * scale : scale) + shift);
    return;
  }
#endif
  float scale = float_at(f.scale, f.scale_type, type, s);
  if (kind == kNormal) scale = float_rounded(type, float_rounded(type, 1.41421356f) * scale);
  float y = float_rounded(type, float_rounded(type, z) * scale);
  if (f.shifted) y += float_at(f.shift, f.shift_type, type, l);
  put_float(out, type, i, y);
}

kernel void moved(global const uint* key, global const void* scale, int scale_type, global const void* shift,
                  int shift_type, int shifted, constant const long* geometry, long h, long gap, int kind, int type,
                  global void* out) {
  const long i = get_global_id(0);
  if (i >= gap) return;
  const struct Affine f = {scale, shift, scale_type, shift_type, shifted, geometry};
  const uint2 w = words_of(key, i, h, gap);
  put_moved(out, type, kind, i, w.x, f);
  if (i != h) put_moved(out, type, kind, i + gap, w.y, f);
}

// Two words a number; gap of them are first in their pair, and there is no lone one.
kernel void normal_pairs(global const uint* key, global const void* scale, int scale_type, global const void* shift,
                         int shift_type, constant const long* geometry, long gap, long n, global float2* out) {
  const long i = get_global_id(0);
  if (i >= n) return;
  const float re = number_of(kNormal, word_of(key, 2 * i, gap, gap));
  const float im = number_of(kNormal, word_of(key, 2 * i + 1, gap, gap));
  const float2 s = complex_at(scale, scale_type, place(i, geometry, 0));
  const float2 l = complex_at(shift, shift_type, place(i, geometry, 1));
  out[i] = (float2)(re * s.x - im * s.y + l.x, re * s.y + im * s.x + l.y);
}

static inline void put_gumbel(global void* out, int type, long i, uint word) {
  put_float(out, type, i, -log(-log(unit_of(type, word))));
}

kernel void gumbel(global const uint* key, long h, long gap, int type, global void* out) {
  const long i = get_global_id(0);
  if (i >= gap) return;
  const uint2 w = words_of(key, i, h, gap);
  put_gumbel(out, type, i, w.x);
  if (i != h) put_gumbel(out, type, i + gap, w.y);
}
