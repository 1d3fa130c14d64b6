// Global pooling: rows sorted by batch, reduced in levels. A work-item joins up to 64 elements of one channel.
//
// Options: X, f16 or f32, the dtype of features and results. Sums are in f32.

#include "element.cl"

// s / d so that rounding it to a half rounds the quotient once: an inexact quotient is cut to an odd last bit.
float odd_quotient(float s, float d) {
  const float q = s / d, rest = fma(-q, d, s);
  if (rest == 0.0f || !(fabs(q) <= FLT_MAX) || fabs(q) < 1e-30f) return q;
  const int away = (as_int(rest) ^ as_int(q)) < 0;
  return as_float((as_int(q) - away) | 1);
}

float quotient(float s, float d) { return X == f16 ? odd_quotient(s, d) : s / d; }

// batch[r]: column 0, or the interval of `ends` that holds r; B for rows of none. order[r] = r
kernel void find_batches(global const void* rows, int wide, long n, long active, long B, int counted,
                         global const long* ends, global int* batch, global int* order) {
  const long r = get_global_id(0);
  if (r >= n) return;
  long b = B;
  if (r < active && counted) {
    long low = 0, high = B;  // ends[low] <= r < ends[high]
    while (high - low > 1) {
      const long middle = (low + high) / 2;
      if (ends[middle] <= r) low = middle;
      else high = middle;
    }
    b = low;
  } else if (r < active) {
    b = wide ? ((global const long*)rows)[4 * r] : (long)((global const int*)rows)[4 * r];
    if (b < 0 || b > B) b = B;
  }
  batch[r] = (int)b;
  order[r] = (int)r;
}

// One pass of a stable radix sort by 8 bits: counts per digit and run, and, once these are scanned, places.
#define ITEMS 256
#ifndef RUN  // small limits: see global_pooling.cpp; a multiple of ITEMS
#define RUN 2048
#endif

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void count_digits(global const uint* key, long n, int shift,
                                                                            int runs, global int* matrix) {
  local int count[ITEMS];
  const int i = get_local_id(0);
  const long run = get_group_id(0);
  count[i] = 0;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (long e = run * RUN + i; e < n && e < (run + 1) * RUN; e += ITEMS) atomic_inc(&count[key[e] >> shift & 255]);
  barrier(CLK_LOCAL_MEM_FENCE);
  matrix[(long)i * runs + run] = count[i];
}

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void place_digits(global const uint* key,
                                                                            global const int* value, long n, int shift,
                                                                            int runs, global const int* matrix,
                                                                            global uint* key_out,
                                                                            global int* value_out) {
  local int next[ITEMS];
  local uchar digit[ITEMS];
  const int i = get_local_id(0);
  const long run = get_group_id(0);
  next[i] = matrix[(long)i * runs + run];
  for (int round = 0; round < RUN / ITEMS; ++round) {
    const long e = run * RUN + round * ITEMS + i;
    const int used = (int)clamp(n - (run * RUN + round * ITEMS), 0l, (long)ITEMS);
    const uint k = e < n ? key[e] : 0;
    digit[i] = (uchar)(k >> shift & 255);
    barrier(CLK_LOCAL_MEM_FENCE);
    int before = 0, later = 0;
    for (int j = 0; j < used; ++j) {
      before += j < i && digit[j] == digit[i];
      later += j > i && digit[j] == digit[i];
    }
    const int at = next[digit[i]] + before;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (e < n) {
      key_out[at] = k;
      value_out[at] = value[e];
      if (later == 0) next[digit[i]] = at + 1;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
}

// offsets[b] = how many sorted keys are less than b
kernel void find_offsets(global const int* key, long n, long B, global int* offsets) {
  const long b = get_global_id(0);
  if (b > B) return;
  long low = 0, high = n;
  while (low < high) {
    const long middle = (low + high) / 2;
    if (key[middle] < b) low = middle + 1;
    else high = middle;
  }
  offsets[b] = (int)low;
}

#define SCALE 0x1p-32f  // sums that overflow are taken of rows scaled down

// Pieces of the rows of a batch. max: NaN is never greater, of equal values the first stays; b counts them.
kernel void reduce_rows(global const X_t* x, global const int* order, global const int* bounds, long pieces,
                        int channels, int max, global float* a, global float* b) {
  const long i = get_global_id(0);
  if (i >= pieces * channels) return;
  const long piece = i / channels;
  const int c = (int)(i % channels);
  float s = max ? -INFINITY : 0.0f, t = 0.0f;
  for (int e = bounds[piece]; e < bounds[piece + 1]; ++e) {
    const float v = at_x(x, (long)order[e] * channels + c);
    if (!max) {
      s += v;
      t += v * SCALE;
    } else if (v > s) {
      s = v;
      t = 1.0f;
    } else if (v == s) {
      t += 1.0f;
    }
  }
  a[i] = s;
  b[i] = t;
}

kernel void reduce_partials(global const float* from_a, global const float* from_b, global const int* bounds,
                            long pieces, int channels, int max, global float* a, global float* b) {
  const long i = get_global_id(0);
  if (i >= pieces * channels) return;
  const long piece = i / channels;
  const int c = (int)(i % channels);
  float s = max ? -INFINITY : 0.0f, t = 0.0f;
  for (int e = bounds[piece]; e < bounds[piece + 1]; ++e) {
    const float v = from_a[(long)e * channels + c], w = from_b[(long)e * channels + c];
    if (!max) {
      s += v;
      t += w;
    } else if (v > s) {
      s = v;
      t = w;
    } else if (v == s) {
      t += w;
    }
  }
  a[i] = s;
  b[i] = t;
}

// A mean leaves the range of its values by rounding only where all of them lie within its error, so the first one, too.
float in_range(float mean, global const X_t* x, global const int* order, int begin, int end, int channels, int c) {
  const float v = at_x(x, (long)order[begin] * channels + c);
  const float error = (float)(end - begin + 2) * fma(0x1p-23f, fabs(mean), 0x1p-149f);
  if (mean == v || !(fabs(mean - v) <= error)) return mean;
  float least = v, most = v;
  for (int e = begin + 1; e < end; ++e) {
    const float w = at_x(x, (long)order[e] * channels + c);
    least = w < least ? w : least;
    most = w > most ? w : most;
  }
  return mean < least ? least : mean > most ? most : mean;
}

kernel void finish(global const X_t* x, global const int* order, global const int* offsets, global const float* a,
                   global const float* b, global const int* sizes, long batches, int channels, int divide,
                   global X_t* y) {
  const long i = get_global_id(0);
  if (i >= batches * channels) return;
  const float n = (float)sizes[i / channels];
  float v = a[i];
  if (divide && n > 0.0f) {
    v = quotient(a[i], n);
    if (v - v != 0.0f) v = b[i] / n * 0x1p32f;
    const long batch = i / channels;
    v = in_range(v, x, order, offsets[batch], offsets[batch + 1], channels, (int)(i % channels));
  }
  put_x(y, i, v);
}

// Gradients of mode 0 sum, 1 avg, 2 max: what each row gets of its batch.
kernel void share(global const X_t* x, global const X_t* seed, global const int* batch, global const int* sizes,
                  global const float* best, global const float* ties, long rows, long batches, int channels, int mode,
                  global X_t* y) {
  const long i = get_global_id(0);
  if (i >= rows * channels) return;
  const long b = batch[i / channels], at = b * channels + i % channels;
  float v = 0.0f;
  if (b < batches) {
    const float g = at_x(seed, at);
    if (mode == 0) v = g;
    else if (mode == 1) v = quotient(g, (float)sizes[b]);
    else if (at_x(x, i) == best[at]) v = quotient(g, ties[at]);
  }
  put_x(y, i, v);
}
