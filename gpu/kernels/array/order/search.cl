// Where values stand in a sorted sequence. One work-item per value.

#include "array/sort.cl"

// The key of element i as the promoted dtype `to`: unsigned integers in the order of sort.cl.
ulong promoted_key(__global const void* p, const int type, const int to, const long i) {
  if (to <= u64) return (ulong)whole_at(p, type, i);
  if (to <= i64) return (ulong)whole_at(p, type, i) ^ (ulong)1 << 63;
#ifdef PLUMB_FP64
  if (to == f64) return float_key(as_ulong(double_at(p, type, i)), (ulong)1 << 63, 0x7FF0000000000000);
#endif
  if (to == c64) return complex_key(as_ulong(complex_at(p, type, i)));
  return float_key(as_uint(float_at(p, type, to, i)), 0x80000000, 0x7F800000);
}

// out = how many of the n elements of the sequence, `step` apart from `first` on, are before a value, or not after it.
__kernel void searchsorted(__global const void* sequence, const int sequence_type, const long first, const long step,
                           const long n, __global const void* values, const int values_type, const int to,
                           const int right, __global uint* out, const long total) {
  const long e = get_global_id(0);
  if (e >= total) return;
  const ulong value = promoted_key(values, values_type, to, e);
  long low = 0, high = n;
  while (low < high) {
    const long middle = low + (high - low) / 2;
    const ulong key = promoted_key(sequence, sequence_type, to, first + middle * step);
    if (right ? key <= value : key < value) low = middle + 1;
    else high = middle;
  }
  out[e] = (uint)low;
}
