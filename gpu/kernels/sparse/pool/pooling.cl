// Sparse pooling and its derivatives: a work-item computes a step of EACH channels of one row, edge after edge.
//
// Options: X, f16 or f32, the dtype of features and results; EACH, 1 or 4 channels. Sums are in f32.

#include "element.cl"

#if EACH == 4
typedef float4 Step;
typedef int4 Bits;
#define BITS(v) as_int4(v)
#define STEP(v) as_float4(v)
#define SOME(b) any(b)
#define get at4_x
#define put put4_x
#define get_float at4_f32
#define put_float put4_f32
#else
typedef float Step;
typedef int Bits;
#define BITS(v) as_int(v)
#define STEP(v) as_float(v)
#define SOME(b) (b)
#define get at_x
#define put put_x
#define get_float at_f32
#define put_float put_f32
#endif

// s / d so that rounding it to a half rounds the quotient once: an inexact quotient is cut to an odd last bit.
Step odd_quotient(Step s, Step d) {
  const Step q = s / d, rest = fma(-q, d, s);
  const Bits cut = rest != (Step)0.0f && fabs(q) <= (Step)FLT_MAX && fabs(q) > (Step)1e-30f ? (Bits)-1 : (Bits)0;
  const Bits away = (BITS(rest) ^ BITS(q)) < 0 ? (Bits)-1 : (Bits)0;
  return STEP(BITS(q) + (cut & away) | (cut & 1));
}

Step quotient(Step s, float d) { return X == f16 ? odd_quotient(s, (Step)d) : s / (Step)d; }

// Work-item i of `items`: its row, and where its channels begin.
#define PLACE(i, row, c)                                                   \
  const uint steps = (uint)channels / EACH;                                \
  const long row = i <= 0xFFFFFFFFl ? (long)((uint)i / steps) : i / steps; \
  const int c = (int)(i - row * steps) * EACH

// divisor[o] = the sum of the weights of its edges, or how many there are
kernel void find_divisors(global const int* offsets, global const int* kernel_ids, global const long* whole,
                          int weighted, float unit, global float* divisor, long rows) {
  const long o = get_global_id(0);
  if (o >= rows) return;
  long sum = weighted ? 0 : offsets[o + 1] - offsets[o];
  for (int e = offsets[o]; weighted && e < offsets[o + 1]; ++e) sum += whole[kernel_ids[e]];
  divisor[o] = convert_float_rte(sum) / unit;
}

// sum over e of w x scale
Step sum_edges(global const X_t* x, int channels, int c, int begin, int end, global const int* in,
               global const int* kernel_ids, int weighted, global const float* weight, float scale) {
  Step sum = (Step)0.0f;
  for (int e = begin; e < end; ++e) {
    const Step v = get(x, (long)in[e] * channels + c) * (Step)scale;
    sum = weighted ? fma((Step)weight[kernel_ids[e]], v, sum) : sum + v;
  }
  return sum;
}

// A mean within the range of its values, which rounding may leave.
Step in_range(Step mean, global const X_t* x, int channels, int c, int begin, int end, global const int* in) {
  Step least = (Step)INFINITY, most = (Step)-INFINITY;
  for (int e = begin; e < end; ++e) {
    const Step v = get(x, (long)in[e] * channels + c);
    least = v < least ? v : least;
    most = v > most ? v : most;
  }
  mean = mean < least ? least : mean;
  return mean > most ? most : mean;
}

// A sum that is to be divided may overflow though its quotient does not: such channels are summed again, scaled.
kernel void pool_sum(long items, int channels, global const X_t* x, global X_t* y, global const int* offsets,
                     global const int* in, global const int* kernel_ids, int weighted, global const float* weight,
                     int divided, global const float* divisor) {
  const long i = get_global_id(0);
  if (i >= items) return;
  PLACE(i, o, c);
  Step sum = sum_edges(x, channels, c, offsets[o], offsets[o + 1], in, kernel_ids, weighted, weight, 1.0f);
  if (divided && divisor[o] != 0.0f) {
    sum = quotient(sum, divisor[o]);
    if (SOME(sum - sum != (Step)0.0f)) {
      const Step again =
          sum_edges(x, channels, c, offsets[o], offsets[o + 1], in, kernel_ids, weighted, weight, 0x1p-32f);
      sum = sum - sum == (Step)0.0f ? sum : again / (Step)divisor[o] * (Step)0x1p32f;
    }
    sum = in_range(sum, x, channels, c, offsets[o], offsets[o + 1], in);
  }
  put(y, o * channels + c, sum);
}

// NaN is never greater; of equal values the first edge's stays.
kernel void pool_max(long items, int channels, global const X_t* x, global X_t* y, global const int* offsets,
                     global const int* in) {
  const long i = get_global_id(0);
  if (i >= items) return;
  PLACE(i, o, c);
  Step best = (Step)-INFINITY;
  for (int e = offsets[o]; e < offsets[o + 1]; ++e) {
    const Step v = get(x, (long)in[e] * channels + c);
    best = v > best ? v : best;
  }
  put(y, o * channels + c, best);
}

// Gradients: y[i] = sum over the edges e of input i, ids ascending, of (w / divisor) G[out[e]]; without weights, of
// G[out[e]] / divisor
kernel void pool_gradient(long items, int channels, global const X_t* seed, global X_t* y, global const int* offsets,
                          global const int* ids, global const int* out, global const int* kernel_ids, int weighted,
                          global const float* weight, int divided, global const float* divisor) {
  const long i = get_global_id(0);
  if (i >= items) return;
  PLACE(i, row, c);
  Step sum = (Step)0.0f;
  for (int j = offsets[row]; j < offsets[row + 1]; ++j) {
    const int e = ids[j];
    const long o = out[e];
    const Step v = get(seed, o * channels + c);
    if (weighted) sum = fma((Step)(weight[kernel_ids[e]] / divisor[o]), v, sum);
    else sum += divided ? v / (Step)divisor[o] : v;
  }
  put(y, row * channels + c, sum);
}

// best[o] = the greatest value, share[o] = G[o] / (how many edges have it)
kernel void pool_ties(long items, int channels, global const X_t* x, global const X_t* seed, global float* best_of,
                      global float* share, global const int* offsets, global const int* in) {
  const long i = get_global_id(0);
  if (i >= items) return;
  PLACE(i, o, c);
  Step best = (Step)-INFINITY, many = (Step)0.0f;
  for (int e = offsets[o]; e < offsets[o + 1]; ++e) {
    const Step v = get(x, (long)in[e] * channels + c);
    many = v > best ? (Step)1.0f : v == best ? many + (Step)1.0f : many;
    best = v > best ? v : best;
  }
  put_float(best_of, o * channels + c, best);
  put_float(share, o * channels + c, get(seed, o * channels + c) / fmax(many, (Step)1.0f));
}

// y[i] = sum over the edges of input i of share[o] where x[i] = best[o]
kernel void pool_selected(long items, int channels, global const X_t* x, global const float* best,
                          global const float* share, global X_t* y, global const int* offsets, global const int* ids,
                          global const int* out) {
  const long i = get_global_id(0);
  if (i >= items) return;
  PLACE(i, row, c);
  const Step own = get(x, row * channels + c);
  Step sum = (Step)0.0f;
  for (int j = offsets[row]; j < offsets[row + 1]; ++j) {
    const long at = (long)out[ids[j]] * channels + c;
    sum += own == get_float(best, at) ? get_float(share, at) : (Step)0.0f;
  }
  put(y, row * channels + c, sum);
}

// y[o] = the tangent of the greatest value, of equal ones that of the lowest input row; 0 if there is none
kernel void pool_winners(long items, int channels, global const X_t* x, global const X_t* seed, global X_t* y,
                         global const int* offsets, global const int* in) {
  const long i = get_global_id(0);
  if (i >= items) return;
  PLACE(i, o, c);
  Step best = (Step)-INFINITY, won = (Step)0.0f;
  Bits lowest = (Bits)INT_MAX;
  for (int e = offsets[o]; e < offsets[o + 1]; ++e) {
    const Step v = get(x, (long)in[e] * channels + c);
    const Bits takes = v > best || (v == best && (Bits)in[e] < lowest);
    won = takes ? get(seed, (long)in[e] * channels + c) : won;
    lowest = takes ? (Bits)in[e] : lowest;
    best = takes ? v : best;
  }
  put(y, o * channels + c, won);
}
