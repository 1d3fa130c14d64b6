// Dense max and average pooling, channels last, and the gradients of both. One work-item per element of the result.
// Computed in float of f16, bf16 and f32, and with WIDE in double.
//
// GEOMETRY, all long: extents of input, kernel and output (three each), stride and low padding of each axis, channels.
// `lies`: strides of the input or the cotangent: batch, three axes, channel, offset.

#include "element.cl"

#ifdef WIDE
typedef double sum_t;
#define VALUE(p, type, i) double_at(p, type, i)
#define PUT(p, type, i, v) put_f64((global double*)(p), i, v)
#else
typedef float sum_t;
#define VALUE(p, type, i) real_at(p, type, i)
#define PUT(p, type, i, v) put_float(p, type, i, v)
#endif

#define N(d) geometry[d]
#define K(d) geometry[3 + (d)]
#define M(d) geometry[6 + (d)]
#define STRIDE(d) geometry[9 + (d)]
#define LOW(d) geometry[12 + (d)]
#define CHANNELS geometry[15]

// An element of [N, .., C]: its batch, place and channel.
typedef struct {
  long batch, at[3], channel;
} place_t;

place_t place_of(long e, long channels, long size1, long size2, long size0) {
  place_t p;
  p.channel = e % channels;
  e /= channels;
  p.at[2] = e % size2;
  p.at[1] = e / size2 % size1;
  p.at[0] = e / (size2 * size1) % size0;
  p.batch = e / (size2 * size1 * size0);
  return p;
}

long lies_at(global const long* lies, const place_t* p, long i, long j, long k) {
  return lies[5] + p->batch * lies[0] + i * lies[1] + j * lies[2] + k * lies[3] + p->channel * lies[4];
}

// The first and the last tap of axis d that meet the input, of the window that begins at `first`.
#define TAP_BEGIN(d, first) max(0l, -(first))
#define TAP_END(d, first) min(K(d), N(d) - (first))

// The number of the tap that output e takes, or -1, and its value.
long taken_tap(global const void* x, int type, global const long* geometry, global const long* lies, long e,
               sum_t* value) {
  const place_t o = place_of(e, CHANNELS, M(1), M(2), M(0));
  const long a = o.at[0] * STRIDE(0) - LOW(0), b = o.at[1] * STRIDE(1) - LOW(1), c = o.at[2] * STRIDE(2) - LOW(2);
  long best = -1;
  *value = -INFINITY;
  for (long i = TAP_BEGIN(0, a); i < TAP_END(0, a); ++i)
    for (long j = TAP_BEGIN(1, b); j < TAP_END(1, b); ++j)
      for (long k = TAP_BEGIN(2, c); k < TAP_END(2, c); ++k) {
        const sum_t v = VALUE(x, type, lies_at(lies, &o, a + i, b + j, c + k));
        if (best >= 0 && !(v > *value) && !(v != v && *value == *value)) continue;
        best = (i * K(1) + j) * K(2) + k;
        *value = v;
      }
  return best;
}

kernel void max_pool(global const void* x, const int type, global const long* geometry, global const long* lies,
                     global void* y, const long total) {
  const long e = get_global_id(0);
  if (e >= total) return;
  sum_t value;
  taken_tap(x, type, geometry, lies, e, &value);
  PUT(y, type, e, value);
}

kernel void choose(global const void* x, const int type, global const long* geometry, global const long* lies,
                   global long* taken, const long total) {
  const long e = get_global_id(0);
  if (e >= total) return;
  sum_t value;
  taken[e] = taken_tap(x, type, geometry, lies, e, &value);
}

kernel void avg_pool(global const void* x, const int type, global const long* geometry, global const long* lies,
                     global void* y, const long total) {
  const long e = get_global_id(0);
  if (e >= total) return;
  const place_t o = place_of(e, CHANNELS, M(1), M(2), M(0));
  const long a = o.at[0] * STRIDE(0) - LOW(0), b = o.at[1] * STRIDE(1) - LOW(1), c = o.at[2] * STRIDE(2) - LOW(2);
  sum_t sum = 0;
  for (long i = TAP_BEGIN(0, a); i < TAP_END(0, a); ++i)
    for (long j = TAP_BEGIN(1, b); j < TAP_END(1, b); ++j)
      for (long k = TAP_BEGIN(2, c); k < TAP_END(2, c); ++k)
        sum += VALUE(x, type, lies_at(lies, &o, a + i, b + j, c + k));
  PUT(y, type, e, sum / (sum_t)(K(0) * K(1) * K(2)));
}

// The first window of axis d that holds input i, and one behind the last.
#define WINDOW_BEGIN(d, i) max(0l, ((i) + LOW(d) - K(d)) / STRIDE(d) + ((i) + LOW(d) >= K(d) ? 1 : 0))
#define WINDOW_END(d, i) min(M(d), ((i) + LOW(d)) / STRIDE(d) + 1)

// The sum of the cotangents of all windows that hold input e, or with `taken` of those that took it.
sum_t returned(global const void* g, int type, global const long* geometry, global const long* lies,
               global const long* taken, long e) {
  const place_t p = place_of(e, CHANNELS, N(1), N(2), N(0));
  sum_t sum = 0;
  for (long i = WINDOW_BEGIN(0, p.at[0]); i < WINDOW_END(0, p.at[0]); ++i)
    for (long j = WINDOW_BEGIN(1, p.at[1]); j < WINDOW_END(1, p.at[1]); ++j)
      for (long k = WINDOW_BEGIN(2, p.at[2]); k < WINDOW_END(2, p.at[2]); ++k) {
        const long tap = ((p.at[0] + LOW(0) - i * STRIDE(0)) * K(1) + p.at[1] + LOW(1) - j * STRIDE(1)) * K(2) +
                         p.at[2] + LOW(2) - k * STRIDE(2);
        const long o = (((p.batch * M(0) + i) * M(1) + j) * M(2) + k) * CHANNELS + p.channel;
        if (taken && taken[o] != tap) continue;
        sum += VALUE(g, type, lies_at(lies, &p, i, j, k));
      }
  return sum;
}

kernel void max_return(global const void* g, const int type, global const long* geometry, global const long* lies,
                       global const long* taken, global void* dx, const long total) {
  const long e = get_global_id(0);
  if (e < total) PUT(dx, type, e, returned(g, type, geometry, lies, taken, e));
}

kernel void avg_return(global const void* g, const int type, global const long* geometry, global const long* lies,
                       global void* dx, const long total) {
  const long e = get_global_id(0);
  if (e >= total) return;
  PUT(dx, type, e, returned(g, type, geometry, lies, 0, e) / (sum_t)(K(0) * K(1) * K(2)));
}
