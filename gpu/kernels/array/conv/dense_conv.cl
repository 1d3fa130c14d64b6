// Dense convolutions, channels last: out[p, f] = sum over taps t, over channels c of x[i(p, t), c] w[t, c, f] for each
// group, where pixel p meets an input element i with tap t. Nothing is unfolded in memory: a work-group gathers what a
// tile of pixels and a tile of output channels need for some terms into local memory.
//
// Sums are made in float of f16, bf16 and f32, and with WIDE in double. Each is one chain of fma in the order of t, c.
//
// GEOMETRY, all long: extents of input, kernel and output (three each); stride, dilation, spread and low padding of
// each axis; channels of a group in and out; groups; pixels; flip. After it the strides of an operand: batch, three
// axes, channel, offset.

#include "element.cl"

#ifdef WIDE
typedef double sum_t;
#define VALUE(p, type, i) double_at(p, type, i)
#define CONVERTED(p, type, to, i) double_at(p, type, i)
#define PUT(p, type, i, v) put_f64((global double*)(p), i, v)
#else
typedef float sum_t;
#define VALUE(p, type, i) real_at(p, type, i)
#define CONVERTED(p, type, to, i) float_at(p, type, to, i)
#define PUT(p, type, i, v) put_float(p, type, i, v)
#endif

#define N(d) geometry[d]
#define K(d) geometry[3 + (d)]
#define M(d) geometry[6 + (d)]
#define STRIDE(d) geometry[9 + (d)]
#define DILATION(d) geometry[12 + (d)]
#define SPREAD(d) geometry[15 + (d)]
#define LOW(d) geometry[18 + (d)]
#define IN geometry[21]
#define OUT geometry[22]
#define GROUPS geometry[23]
#define PIXELS geometry[24]
#define FLIP geometry[25]
#define TAPS (K(0) * K(1) * K(2))

#define SIDE 16
#define BLOCK 4  // pixels and channels of a work-item
#define TILE (SIDE * BLOCK)
#define DEPTH 16
#define ITEMS (SIDE * SIDE)

// A pixel: its batch, and where tap 0 would be on each axis.
typedef struct {
  long batch, at[3];
} pixel_t;

pixel_t pixel_of(global const long* geometry, long p) {
  pixel_t o;
  o.at[2] = p % M(2) * STRIDE(2) - LOW(2);
  p /= M(2);
  o.at[1] = p % M(1) * STRIDE(1) - LOW(1);
  p /= M(1);
  o.at[0] = p % M(0) * STRIDE(0) - LOW(0);
  o.batch = p / M(0);
  return o;
}

// Where the input element lies that a pixel meets with tap t, or -1: the first channel. `lies` are its strides.
long met(global const long* geometry, global const long* lies, const pixel_t* o, long t) {
  const long tap[3] = {t / (K(1) * K(2)), t / K(2) % K(1), t % K(2)};
  long at = o->batch * lies[0] + lies[5];
  int there = 1;
  for (int d = 0; d < 3; ++d) {
    const long place = o->at[d] + tap[d] * DILATION(d);
    const long i = SPREAD(d) == 1 ? place : place / SPREAD(d);
    there = there && place >= 0 && i < N(d) && i * SPREAD(d) == place;
    at += i * lies[1 + d];
  }
  return there ? at : -1;
}

// The weight as [group][tap][in][out] in the order that taps are met, and whether all of it is finite. `lies`: strides
// of group, output channel, input channel, three axes, offset.
kernel void pack_weight(global const void* w, const int type, const int through, global const long* geometry,
                        global const long* lies, global sum_t* packed, global int* infinite, const long total) {
  const long e = get_global_id(0);
  if (e >= total) return;
  const long f = e % OUT, c = e / OUT % IN, met_as = e / (OUT * IN) % TAPS, g = e / (OUT * IN * TAPS);
  const long t = FLIP ? TAPS - 1 - met_as : met_as;
  const long at = lies[6] + g * lies[0] + f * lies[1] + c * lies[2] + t / (K(1) * K(2)) * lies[3] +
                  t / K(2) % K(1) * lies[4] + t % K(2) * lies[5];
  const sum_t v = CONVERTED(w, type, through, at);
  packed[e] = v;
  if (!isfinite(v)) *infinite = 1;
}

// Output channel f of group g at one pixel: what it does not meet is skipped.
sum_t sum_of(global const void* x, int type, global const long* geometry, global const long* lies,
             global const sum_t* packed, const pixel_t* o, long g, long f) {
  sum_t sum = 0;
  const long in = IN, out = OUT, taps = TAPS;
  for (long t = 0; t < taps; ++t) {
    const long at = met(geometry, lies, o, t);
    if (at < 0) continue;
    global const sum_t* w = packed + (g * taps + t) * in * out + f;
    for (long c = 0; c < in; ++c) sum = fma(VALUE(x, type, at + (g * in + c) * lies[4]), w[c * out], sum);
  }
  return sum;
}

// One work-item per sum.
kernel void each(global const void* x, const int type, global const long* geometry, global const long* lies,
                 global const sum_t* packed, global void* y, const int to, const long total) {
  const long e = get_global_id(0);
  if (e >= total) return;
  const long channels = GROUPS * OUT, channel = e % channels;
  const pixel_t o = pixel_of(geometry, e / channels);
  PUT(y, to, e, sum_of(x, type, geometry, lies, packed, &o, channel / OUT, channel % OUT));
}

// A block of sums from DEPTH terms of both tiles.
void add_terms(local const sum_t* a, local const sum_t* b, sum_t sum[BLOCK][BLOCK]) {
  for (int p = 0; p < DEPTH; ++p) {
    sum_t bv[BLOCK];
#pragma unroll
    for (int j = 0; j < BLOCK; ++j) bv[j] = b[p * (TILE + 4) + j];
#pragma unroll
    for (int i = 0; i < BLOCK; ++i) {
      const sum_t av = a[p * (TILE + 4) + i];
#pragma unroll
      for (int j = 0; j < BLOCK; ++j) sum[i][j] = fma(av, bv[j], sum[i][j]);
    }
  }
}

// One work-group per tile of pixels and of output channels of a group.
__attribute__((reqd_work_group_size(ITEMS, 1, 1))) kernel void tiles(
    global const void* x, const int type, global const long* geometry, global const long* lies,
    global const sum_t* packed, global const int* infinite, global void* y, const int to, const long wide) {
  local sum_t tile_a[DEPTH * (TILE + 4)], tile_b[DEPTH * (TILE + 4)];
  const int item = get_local_id(0), column = item % SIDE * BLOCK, row = item / SIDE * BLOCK;
  const long work = get_group_id(0), g = work / wide % GROUPS;
  const long f0 = work % wide * TILE, p0 = work / (wide * GROUPS) * TILE;
  const long in = IN, out = OUT, pixels = PIXELS, terms = TAPS * in;
  sum_t sum[BLOCK][BLOCK];
  for (int i = 0; i < BLOCK; ++i)
    for (int j = 0; j < BLOCK; ++j) sum[i][j] = 0;
  if (*infinite) {
    for (int i = 0; i < BLOCK; ++i)
      for (int j = 0; j < BLOCK; ++j)
        if (p0 + row + i < pixels && f0 + column + j < out) {
          const pixel_t o = pixel_of(geometry, p0 + row + i);
          sum[i][j] = sum_of(x, type, geometry, lies, packed, &o, g, f0 + column + j);
        }
  } else {
    // An item gathers one term of every SIDE-th pixel.
    pixel_t mine[BLOCK];
    for (int i = 0; i < BLOCK; ++i) mine[i] = pixel_of(geometry, min(p0 + item / DEPTH + SIDE * i, pixels - 1));
    for (long k0 = 0; k0 < terms; k0 += DEPTH) {
      const long k = k0 + item % DEPTH;
      for (int i = 0; i < BLOCK; ++i) {
        const long at = k < terms ? met(geometry, lies, &mine[i], k / in) : -1;
        tile_a[item % DEPTH * (TILE + 4) + item / DEPTH + SIDE * i] =
            at < 0 ? (sum_t)0 : VALUE(x, type, at + (g * in + k % in) * lies[4]);
      }
      for (int i = 0; i < BLOCK; ++i) {
        const long f = f0 + item % TILE, t = k0 + item / TILE + BLOCK * i;
        tile_b[(item / TILE + BLOCK * i) * (TILE + 4) + item % TILE] =
            t < terms && f < out ? packed[(g * terms + t) * out + f] : (sum_t)0;
      }
      barrier(CLK_LOCAL_MEM_FENCE);
      add_terms(tile_a + row, tile_b + column, sum);
      barrier(CLK_LOCAL_MEM_FENCE);
    }
  }
  for (int i = 0; i < BLOCK; ++i)
    for (int j = 0; j < BLOCK; ++j)
      if (p0 + row + i < pixels && f0 + column + j < out)
        PUT(y, to, (p0 + row + i) * GROUPS * out + g * out + f0 + column + j, sum[i][j]);
}

// ---- the gradient of the weight: dw[t, c, f] = sum over pixels p of x[i(p, t), c] g[p, f]

// Where the cotangent of a pixel begins. `lies` are its strides.
long cotangent_at(global const long* geometry, global const long* lies, long p) {
  const long at = lies[5] + p % M(2) * lies[3] + p / M(2) % M(1) * lies[2] + p / (M(2) * M(1)) % M(0) * lies[1];
  return at + p / (M(2) * M(1) * M(0)) * lies[0];
}

// Whether all of the cotangent is finite.
kernel void look(global const void* cotangent, const int type, global const long* geometry, global const long* lies,
                 global int* infinite, const long total) {
  const long e = get_global_id(0);
  if (e >= total) return;
  const long channels = GROUPS * OUT, at = cotangent_at(geometry, lies, e / channels) + e % channels * lies[4];
  if (!isfinite(VALUE(cotangent, type, at))) *infinite = 1;
}

// One work-group per tile of (t, c) and of f of a group, for `each` pixels of one of the parts of their sum, which it
// writes as [part][group][t][c][f]. tall, wide: tiles of (t, c) and of f.
__attribute__((reqd_work_group_size(ITEMS, 1, 1))) kernel void weight_tiles(
    global const void* x, global const void* cotangent, const int type, global const long* geometry,
    global const long* lies, global const long* cotangent_lies, global const int* infinite, global sum_t* parts,
    const long each, const long tall, const long wide) {
  local sum_t tile_a[DEPTH * (TILE + 4)], tile_b[DEPTH * (TILE + 4)];
  const int item = get_local_id(0), column = item % SIDE * BLOCK, row = item / SIDE * BLOCK;
  const long work = get_group_id(0), g = work / (wide * tall) % GROUPS, part = work / (wide * tall * GROUPS);
  const long f0 = work % wide * TILE, j0 = work / wide % tall * TILE;
  const long in = IN, out = OUT, rows = TAPS * in, begin = part * each, end = min(PIXELS, begin + each);
  const int skips = *infinite;
  sum_t sum[BLOCK][BLOCK];
  for (int i = 0; i < BLOCK; ++i)
    for (int j = 0; j < BLOCK; ++j) sum[i][j] = 0;
  if (skips) {
    for (int i = 0; i < BLOCK; ++i)
      for (long p = begin; p < end && j0 + row + i < rows; ++p) {
        const pixel_t o = pixel_of(geometry, p);
        const long at = met(geometry, lies, &o, (j0 + row + i) / in);
        if (at < 0) continue;
        const sum_t v = VALUE(x, type, at + (g * in + (j0 + row + i) % in) * lies[4]);
        const long from = cotangent_at(geometry, cotangent_lies, p) + (g * out + f0 + column) * cotangent_lies[4];
        for (int j = 0; j < BLOCK && f0 + column + j < out; ++j)
          sum[i][j] = fma(v, VALUE(cotangent, type, from + j * cotangent_lies[4]), sum[i][j]);
      }
  } else {
    const long mine = j0 + item % TILE, f = f0 + item % TILE;
    for (long first = begin; first < end; first += DEPTH) {
      for (int i = 0; i < BLOCK; ++i) {
        const int deep = item / TILE + BLOCK * i;
        const long p = first + deep;
        const pixel_t o = pixel_of(geometry, min(p, end - 1));
        const long at = p < end && mine < rows ? met(geometry, lies, &o, mine / in) : -1;
        tile_a[deep * (TILE + 4) + item % TILE] =
            at < 0 ? (sum_t)0 : VALUE(x, type, at + (g * in + mine % in) * lies[4]);
        tile_b[deep * (TILE + 4) + item % TILE] =
            p < end && f < out
                ? VALUE(cotangent, type, cotangent_at(geometry, cotangent_lies, p) + (g * out + f) * cotangent_lies[4])
                : (sum_t)0;
      }
      barrier(CLK_LOCAL_MEM_FENCE);
      add_terms(tile_a + row, tile_b + column, sum);
      barrier(CLK_LOCAL_MEM_FENCE);
    }
  }
  for (int i = 0; i < BLOCK; ++i)
    for (int j = 0; j < BLOCK; ++j)
      if (j0 + row + i < rows && f0 + column + j < out)
        parts[((part * GROUPS + g) * rows + j0 + row + i) * out + f0 + column + j] = sum[i][j];
}

// dw[f, k, c] from the parts, one after the other.
kernel void join_parts(global const sum_t* parts, global const long* geometry, const long count, global void* dw,
                       const int to, const long total) {
  const long e = get_global_id(0);
  if (e >= total) return;
  const long c = e % IN, k = e / IN % TAPS, channel = e / (IN * TAPS), t = FLIP ? TAPS - 1 - k : k;
  const long at = ((channel / OUT * TAPS + t) * IN + c) * OUT + channel % OUT;
  sum_t sum = 0;
  for (long i = 0; i < count; ++i) sum += parts[i * total + at];
  PUT(dw, to, e, sum);
}
