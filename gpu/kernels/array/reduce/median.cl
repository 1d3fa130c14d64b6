// Medians of lines: of short ones by the rank of each key, of others by the digits of the two keys in the middle, from
// the highest on. keys.cl says what is greater; -0 counts as +0.
#include "array/reduce/keys.cl"
#include "array/reduce/lines.cl"

// ---- from keys to the mean of two elements, rounded once

// (a + b) / 2 of magnitudes.
static inline float mean_of_ulong(ulong a, ulong b) {
  const ulong sum = a + b;
  if (sum >= a) return (float)sum * 0.5f;
  return (float)(sum >> 1 | 1ul << 63 | (sum & 1));  // 64 bits of which the last one says whether anything was lost
}
static inline float mean_of_long(long a, long b) {
  if ((a < 0) != (b < 0)) return (float)(a + b) * 0.5f;
  const float m = mean_of_ulong(a < 0 ? 0ul - (ulong)a : (ulong)a, b < 0 ? 0ul - (ulong)b : (ulong)b);
  return a < 0 ? -m : m;
}
static inline float mean_of_float(float a, float b) {
  const float s = a + b;
  return isinf(s) && isfinite(a) && isfinite(b) ? a * 0.5f + b * 0.5f : s * 0.5f;
}
static inline float f32_of(ulong key, int type) {
  if (type == f16) return f16_value((ushort)float_word(key, 16));
  if (type == bf16) return bf16_value((ushort)float_word(key, 16));
  return as_float((uint)float_word(key, 32));
}

static inline void put_middle(global void* y, int to, long i, int type, ulong a, ulong b) {
  if (type < i8) {
    put_f32((global float*)y, i, mean_of_ulong(a, b));
  } else if (type <= i64) {
    put_f32((global float*)y, i, mean_of_long((long)(a ^ 1ul << 63), (long)(b ^ 1ul << 63)));
  } else if (type == c64) {
    const float re = mean_of_float(f32_of(a >> 32, f32), f32_of(b >> 32, f32));
    const float im = mean_of_float(f32_of(a & ones(32), f32), f32_of(b & ones(32), f32));
    put_c64((global float2*)y, i, (float2)(re, im));
  } else if (type == f64) {
#ifdef PLUMB_FP64
    const double v = as_double(float_word(a, 64)), w = as_double(float_word(b, 64)), s = v + w;
    put_f64((global double*)y, i, isinf(s) && isfinite(v) && isfinite(w) ? v * 0.5 + w * 0.5 : s * 0.5);
#endif
  } else {
    put_float(y, to, i, mean_of_float(f32_of(a, type), f32_of(b, type)));
  }
}

// A NaN in the input makes one of the output.
static inline void put_result(global void* y, int to, long i, int type, ulong a, ulong b, int nan) {
  if (nan) put_key(y, to, i, NAN_KEY, 0);
  else put_middle(y, to, i, type, a, b);
}

// ---- lines of at most `lanes` elements

LINE_KERNEL median_by_ranks(global const void* x, int from, long first, global void* y, int to, constant const long* g,
                            int n, int lanes, int columns_first) {
  local ulong keys[GROUP], lower[GROUP], upper[GROUP];
  const Place p = place(g, lanes, 1, columns_first);
  const int i = get_local_id(0), width = GROUP / lanes, step = columns_first ? width : 1;
  const int line = i - p.lane * step, here = p.valid && p.lane < n;
  const ulong key = here ? key_at(x, from, first + p.in + along(g, p.lane, 1), 0, 1) : NAN_KEY;
  keys[i] = key;
  barrier(CLK_LOCAL_MEM_FENCE);
  if (here) {
    int rank = 0, nan = 0;
    for (int k = 0; k < n; ++k) {
      const ulong other = keys[line + k * step];
      rank += other < key || (other == key && k < p.lane);
      nan |= other == NAN_KEY;
    }
    if (rank == (n - 1) / 2) lower[line] = key;
    if (rank == n / 2) upper[line] = is_float(from) && nan ? NAN_KEY : key;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  if (here && p.lane == 0)
    put_result(y, to, p.out, from, lower[line], upper[line], is_float(from) && upper[line] == NAN_KEY);
}

// ---- longer lines: two searches for each, `middles` their keys so far, `ranks` the ranks among those that begin so

// Counts the digit at `shift` of all keys that begin as the ones searched for; a group takes a part of one line.
LINE_KERNEL median_count(global const void* x, int from, long first, constant const long* g, long n, int splits,
                         int shift, global const ulong* middles, global uint* counts, global int* nans) {
  local uint found[2 * GROUP];
  const Place p = place(g, GROUP, splits, 0);
  const int i = get_local_id(0);
  found[i] = found[GROUP + i] = 0;
  barrier(CLK_LOCAL_MEM_FENCE);
  const ulong known = shift == 56 ? 0 : NAN_KEY << (shift + 8);
  const ulong middle[2] = {middles[2 * p.out], middles[2 * p.out + 1]};
  int nan = 0;
  for (long r = (long)p.split * GROUP + i; r < n; r += (long)splits * GROUP) {
    const ulong key = key_at(x, from, first + p.in + along(g, r, 1), 0, 1);
    nan |= is_float(from) && key == NAN_KEY;
    for (int q = 0; q < 2; ++q)
      if (((key ^ middle[q]) & known) == 0) atomic_inc(&found[q * GROUP + (int)(key >> shift & 255)]);
  }
  if (nan) atomic_or(&nans[p.out], 1);
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int q = 0; q < 2; ++q)
    if (found[q * GROUP + i] > 0) atomic_add(&counts[(2 * p.out + q) * 256 + i], found[q * GROUP + i]);
}

// The digit of each search: the one whose keys reach its rank. Leaves the counts at 0 for the next digit.
kernel void median_choose(global ulong* middles, global ulong* ranks, global uint* counts, long searches, int shift) {
  const long q = get_global_id(0);
  if (q >= searches) return;
  ulong rank = ranks[q], digit = 256;
  for (int d = 0; d < 256; ++d) {
    const uint c = counts[q * 256 + d];
    counts[q * 256 + d] = 0;
    if (digit < 256) continue;
    if (rank < c) digit = (ulong)d;
    else rank -= c;
  }
  ranks[q] = rank;
  middles[q] |= digit << shift;
}

kernel void median_begin(global ulong* middles, global ulong* ranks, global uint* counts, global int* nans, long lines,
                         long n) {
  const long q = get_global_id(0);
  if (q >= 2 * lines) return;
  middles[q] = 0;
  ranks[q] = (ulong)(q % 2 == 0 ? (n - 1) / 2 : n / 2);
  if (q % 2 == 0) nans[q / 2] = 0;
  for (int d = 0; d < 256; ++d) counts[q * 256 + d] = 0;
}

kernel void median_end(global const ulong* middles, global const int* nans, long lines, int from, global void* y,
                       int to) {
  const long line = get_global_id(0);
  if (line < lines) put_result(y, to, line, from, middles[2 * line], middles[2 * line + 1], nans[line]);
}
