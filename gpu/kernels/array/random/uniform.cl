// Uniform numbers, whole numbers and truths of random words: see threefry.cl for which work-item has which. Sums and
// products are rounded each.
#include "array/random/threefry.cl"
#include "array/random/units.cl"

struct Bounds {
  global const void *low, *high;
  int low_type, high_type;
  constant const long* geometry;
};

void put_uniform(global void* out, int type, long i, uint word, const struct Bounds b) {
  const float low = float_at(b.low, b.low_type, type, place(i, b.geometry, 0));
  const float high = float_at(b.high, b.high_type, type, place(i, b.geometry, 1));
  put_float(out, type, i, between(type, unit_of(type, word), low, high));
}

kernel void uniform(global const uint* key, global const void* low, int low_type, global const void* high,
                    int high_type, constant const long* geometry, long h, long gap, int type, global void* out) {
  const long i = get_global_id(0);
  if (i >= gap) return;
  const struct Bounds b = {low, high, low_type, high_type, geometry};
  const uint2 w = words_of(key, i, h, gap);
  put_uniform(out, type, i, w.x, b);
  if (i != h) put_uniform(out, type, i + gap, w.y, b);
}

uchar below(uint word, global const void* p, int type, long i) {
#ifdef PLUMB_FP64
  if (type == f64) return (double)word < double_at(p, type, i) * 4294967808.0;
#endif
  return (float)word < float_at(p, type, f32, i) * 4294967808.0f;
}

kernel void bernoulli(global const uint* key, global const void* p, int p_type, constant const long* geometry, long h,
                      long gap, global uchar* out) {
  const long i = get_global_id(0);
  if (i >= gap) return;
  const uint2 w = words_of(key, i, h, gap);
  out[i] = below(w.x, p, p_type, place(i, geometry, 0));
  if (i != h) out[i + gap] = below(w.y, p, p_type, place(i + gap, geometry, 0));
}

// As a whole number of 64 bits, or the end of them that it is beyond.
long whole_of(float x, int type) {
  if (type == u64) return x < 0x1p64f ? (long)(ulong)x : -1;
  return x < 0x1p63f ? (long)x : LONG_MAX;
}

void put_whole_between(global void* out, int type, long i, uint word, const struct Bounds b) {
  const long low = whole_at(b.low, b.low_type, place(i, b.geometry, 0));
  const long high = whole_at(b.high, b.high_type, place(i, b.geometry, 1)), most = high - 1;
  const bool is_u64 = b.low_type == u64;
  const float least = is_u64 ? (float)(ulong)low : (float)low, end = is_u64 ? (float)(ulong)high : (float)high;
  const long v = whole_of(floor(between(f32, unit_of(f32, word), least, end)), b.low_type);
  long x = low;
  if (is_u64) {
    if ((ulong)high > (ulong)low) x = (long)clamp((ulong)v, (ulong)low, (ulong)most);
  } else if (high > low) {
    x = clamp(v, low, most);
  }
  put_whole(out, type, i, x);
}

kernel void randint(global const uint* key, global const void* low, int low_type, global const void* high,
                    int high_type, constant const long* geometry, long h, long gap, int type, global void* out) {
  const long i = get_global_id(0);
  if (i >= gap) return;
  const struct Bounds b = {low, high, low_type, high_type, geometry};
  const uint2 w = words_of(key, i, h, gap);
  put_whole_between(out, type, i, w.x, b);
  if (i != h) put_whole_between(out, type, i + gap, w.y, b);
}
