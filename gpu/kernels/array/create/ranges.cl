// Ranges and windows, an element to a work-item.
#include "element.cl"

kernel void whole_range(global uchar* y, int to, long start, long step, long n) {
  const long k = get_global_id(0);
  if (k < n) put_whole(y, to, k, (long)((ulong)start + (ulong)k * (ulong)step));
}

kernel void real_range(global uchar* y, int to, float start, float step, long n) {
  const long k = get_global_id(0);
  if (k < n) put_float(y, to, k, start + (float)k * step);
}

kernel void even_range(global uchar* y, int to, float start, float stop, float divisions, long n) {
  const long k = get_global_id(0);
  if (k >= n) return;
  const float t = (float)k / divisions;
  put_float(y, to, k, (1.0f - t) * start + t * stop);
}

// Truncated; beyond the dtype its end.
static inline long whole_of(float v, int to) {
  const long whole = convert_long_sat_rtz(v);
  switch (to) {
    case boolean: return v != 0.0f;
    case u8: return clamp(whole, 0L, (long)UCHAR_MAX);
    case u16: return clamp(whole, 0L, (long)USHRT_MAX);
    case u32: return clamp(whole, 0L, (long)UINT_MAX);
    case u64: return (long)convert_ulong_sat_rtz(v);
    case i8: return clamp(whole, (long)CHAR_MIN, (long)CHAR_MAX);
    case i16: return clamp(whole, (long)SHRT_MIN, (long)SHRT_MAX);
    case i32: return clamp(whole, (long)INT_MIN, (long)INT_MAX);
  }
  return whole;
}

kernel void whole_even_range(global uchar* y, int to, float start, float stop, float divisions, long n) {
#pragma OPENCL FP_CONTRACT OFF
  const long k = get_global_id(0);
  if (k >= n) return;
  const float t = (float)k / divisions, before = (1.0f - t) * start, after = t * stop;
  put_whole(y, to, k, whole_of(before + after, to));
}

#ifdef PLUMB_FP64
kernel void real_range_double(global double* y, double start, double step, long n) {
  const long k = get_global_id(0);
  if (k < n) y[k] = start + (double)k * step;
}

kernel void even_range_double(global double* y, double start, double stop, double divisions, long n) {
  const long k = get_global_id(0);
  if (k >= n) return;
  const double t = (double)k / divisions;
  y[k] = (1.0 - t) * start + t * stop;
}
#endif

// The index of the mirrored element, if that is less, over half the length: from 0 to 1.
static inline float rising(long k, long n) { return (float)(2 * min(k, n - 1 - k)) / (float)(n - 1); }

kernel void cosine_window(global float* y, float a0, float a1, float a2, long n) {
  const long k = get_global_id(0);
  if (k >= n) return;
  const float x = rising(k, n);
  y[k] = n == 1 ? 1.0f : a0 - a1 * cospi(x) + a2 * cospi(2.0f * x);
}

kernel void triangle_window(global float* y, long n) {
  const long k = get_global_id(0);
  if (k < n) y[k] = n == 1 ? 1.0f : rising(k, n);
}
