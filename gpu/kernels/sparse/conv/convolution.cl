// Sparse convolution as an implicit product: Y[o] = bias + sum over k of X[map[o][k]] W[k]. A work-group computes
// a tile of output rows and channels; rows come in an order (sorted by which kernel rows they meet) that lets a
// tile pass over the kernel rows that none of its outputs meets.
//
// Options: X, f16 or f32, the dtype of features and results. MMA: the kernel for matrix units, with COLUMNS
// and DEPTH of its tile. Sums are chains of fma in f32, by kernel row, then channel; the bias comes last.

#include "unroll.cl"

#include "element.cl"

#include "sparse/conv/gather.cl"

#ifndef MMA

// Rows of features widened to a whole number of tiles, zeros behind them.
kernel void pad_rows(global const X_t* from, global X_t* to, long rows, int width, int padded) {
  const long e = get_global_id(0);
  if (e >= rows * padded) return;
  const int c = (int)(e % padded);
  to[e] = c < width ? from[e / padded * width + c] : (X_t)0;
}

// to[k][a][b] = from[k * strides.x + a * strides.y + b * strides.z], zero where a or b is beyond; bad is set if a
// weight is not finite: then absent rows, which tiles hold as zeros, would not be nothing.
kernel void pack_weights(global const X_t* from, global X_t* to, int kernels, int used_a, int used_b, int all_a,
                         int all_b, long stride_k, long stride_a, long stride_b, global int* bad) {
  const long e = get_global_id(0);
  if (e >= (long)kernels * all_a * all_b) return;
  const int b = (int)(e % all_b), a = (int)(e / all_b % all_a);
  X_t v = 0;
  if (a < used_a && b < used_b) {
    const long at = e / ((long)all_a * all_b) * stride_k + a * stride_a + b * stride_b;
    v = from[at];
    if (!isfinite(at_x(from, at))) atomic_or(bad, 1);
  }
  to[e] = v;
}

// What a launch begins with: the outputs that the preparation made, the bias in whole tiles, and no bad weight yet.
kernel void begin(global const int* coords, global int* coords_out, long words, global const int* counts,
                  global int* counts_out, global const X_t* from, int given, int width, int padded, global float* bias,
                  global int* bad) {
  const long e = get_global_id(0);
  if (e < words) coords_out[e] = coords[e];
  if (e < 2) counts_out[e] = counts[e];
  if (e < padded) bias[e] = given && e < width ? at_x(from, e) : 0.0f;
  if (e == 0) bad[0] = 0;
}

// The rows that tiles may not compute, one element at a time: all of them if a weight is not finite (all), else
// those that are marked.
kernel void compute_rows(global const X_t* x, global const X_t* w, global const float* bias, global X_t* y,
                         global const int* map, int spread, int kernels, long rows, int channels, int width,
                         int padded_c, int padded_n, int by_column, global const int* bad, global const int* marked,
                         int merged, global const int* offsets, global const int* in, global const int* kernel_ids,
                         global const int* counts) {
  const int all = bad[0];
  if (!all && !merged) return;
  for (long i = get_global_id(0); i < rows * width; i += get_global_size(0)) {
    const long o = i / width;
    const int n = (int)(i % width);
    if (o >= counts[1] || (!all && !marked[o])) continue;
    float sum = 0.0f;
    const int first = merged ? offsets[o] : 0, last = merged ? offsets[o + 1] : kernels;
    for (int j = first; j < last; ++j) {
      const int k = merged ? kernel_ids[j] : j;
      const long row = merged ? in[j] : input_of(map, spread, kernels, o, k);
      if (row < 0) continue;
      for (int c = 0; c < channels; ++c) {
        const long at = (long)k * padded_c * padded_n + (by_column ? (long)n * padded_c + c : (long)c * padded_n + n);
        sum = fma(at_x(x, row * padded_c + c), at_x(w, at), sum);
      }
    }
    put_x(y, i, sum + bias[n]);
  }
}

#include "sparse/conv/row_tiles.cl"

// Weights are [kernel][channel][column].
kernel __attribute__((reqd_work_group_size(128, 1, 1))) void tiled(global const X_t* x, global const X_t* w,
                                                                   global const float* bias, global X_t* y,
                                                                   global const int* map, int spread, int kernels,
                                                                   global const int* order, long rows, int padded_c,
                                                                   int padded_n, int width) {
  local float a[DEPTH][ROWS + 4];
  local float b[DEPTH][COLUMNS];
  local uint met;
  const int t = get_local_id(0), r0 = t / 8 * 4, n0 = t % 8 * 4, column = get_group_id(1) * COLUMNS;
  const long first = (long)get_group_id(0) * ROWS;
  const long o = first + t < rows ? order[first + t] : -1;
  float sum[8][8];
  CLEAR(sum);
  for (int k0 = 0; k0 < kernels; k0 += 32) {
    for (uint left = kernel_rows_met(&met, map, spread, kernels, o, k0); left != 0; left &= left - 1) {
      const int k = k0 + 31 - clz(left & -left);
      const long row = o >= 0 ? input_of(map, spread, kernels, o, k) : -1;
      for (int c0 = 0; c0 < padded_c; c0 += DEPTH) {
        for (int c = 0; c < DEPTH; c += 4) hold(a, c, t, row >= 0 ? at4_x(x, row * padded_c + c0 + c) : (float4)(0.0f));
        for (int e = 4 * t; e < DEPTH * COLUMNS; e += 4 * 128)
          vstore4(at4_x(w, ((long)k * padded_c + c0 + e / COLUMNS) * padded_n + column + e % COLUMNS), 0,
                  &b[e / COLUMNS][e % COLUMNS]);
        barrier(CLK_LOCAL_MEM_FENCE);
        MULTIPLY_TILES(a, b, sum);
        barrier(CLK_LOCAL_MEM_FENCE);
      }
    }
  }
  UNROLL for (int i = 0; i < 8; ++i) {
    const long at = first + ROW(i);
    if (at >= rows) continue;
    const long to = order[at];
    UNROLL for (int j = 0; j < 8; ++j) {
      const int n = column + COLUMN(j);
      if (n < width) put_x(y, to * width + n, sum[i][j] + bias[n]);
    }
  }
}

#else  // MMA

#include "fragments.cl"

#include "sparse/conv/row_fragments.cl"

#define RIGHT_EACH ((COLUMNS * PIECES + ITEMS - 1) / ITEMS)

// Starts the copies of one step to a stage: channels from `channel` on of the inputs that this work-item copies, and of
// the columns of kernel row k.
void copy_step(local ushort* to, global const ushort* x, global const ushort* w, const long* input, int k, int column,
               int channel, int padded_c, int padded_n) {
  const int t = get_local_id(0), piece = t % PIECES;
  UNROLL for (int j = 0; j < LEFT_EACH; ++j) {
    const int row = (t + j * ITEMS) / PIECES;
    start_copy(to + row * PITCH + piece * 8, x + max(input[j], 0l) * padded_c + channel + piece * 8, input[j] >= 0);
  }
  UNROLL for (int j = 0; j < RIGHT_EACH; ++j) {
    const int row = (t + j * ITEMS) / PIECES;
    if (row < COLUMNS)
      start_copy(to + (ROWS + row) * PITCH + piece * 8,
                 w + ((long)k * padded_n + column + row) * padded_c + channel + piece * 8, 1);
  }
}

// Weights are [kernel][column][channel].
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void mma_sorted(
    global const ushort* x, global const ushort* w, global const float* bias, global ushort* y, global const int* map,
    int spread, int kernels, global const int* order, long rows, int padded_c, int padded_n, int width) {
  local ushort stage[STAGES * STAGE] __attribute__((aligned(16)));
  local uint met;
  const int t = get_local_id(0), lane = t % 32, warp = t / 32, column = get_group_id(1) * COLUMNS;
  const long first = (long)get_group_id(0) * ROWS;
  float sum[2][COLUMNS / 8][4];
  CLEAR(sum);
  long owned[LEFT_EACH];  // the output rows whose inputs this work-item copies
  UNROLL for (int j = 0; j < LEFT_EACH; ++j) {
    const long at = first + (t + j * ITEMS) / PIECES;
    owned[j] = at < rows ? order[at] : -1;
  }
  const long mine = first + t < rows ? order[first + t] : -1;
  const int chunks = padded_c / DEPTH;
  for (int k0 = 0; k0 < kernels; k0 += 32) {
    uint left = kernel_rows_met(&met, map, spread, kernels, mine, k0);
    const int steps = popcount(left) * chunks;
    int chunk = 0, k = k0 + (left ? 31 - clz(left & -left) : 0);
    long input[LEFT_EACH];
    UNROLL for (int j = 0; j < LEFT_EACH; ++j) input[j] =
        left && owned[j] >= 0 ? input_of(map, spread, kernels, owned[j], k) : -1;
    for (int step = -(STAGES - 1); step < steps; ++step) {
      if (step >= 0) {
        wait_copies();
        barrier(CLK_LOCAL_MEM_FENCE);  // every copy has arrived, and the buffer of the step before is free
      }
      if (step + STAGES - 1 < steps) {  // start the copies of a later step
        local ushort* to = stage + (step + STAGES - 1) % STAGES * STAGE;
        copy_step(to, x, w, input, k, column, chunk * DEPTH, padded_c, padded_n);
        if (++chunk == chunks) {
          chunk = 0;
          left &= left - 1;
          if (left) {
            k = k0 + 31 - clz(left & -left);
            UNROLL for (int j = 0; j < LEFT_EACH; ++j) input[j] =
                owned[j] >= 0 ? input_of(map, spread, kernels, owned[j], k) : -1;
          }
        }
      }
      close_copies();
      if (step < 0) continue;
      const local ushort* now = stage + step % STAGES * STAGE;
      MULTIPLY_TILES(now, now + ROWS * PITCH, sum);
    }
  }
  UNROLL for (int i = 0; i < 4; ++i) {
    const long at = first + warp * 32 + i * 8 + lane / 4;
    if (at >= rows) continue;
    const long to = (long)order[at] * width;
    UNROLL for (int n = 0; n < COLUMNS / 8; ++n) UNROLL for (int j = 0; j < 2; ++j) {
      const int to_n = column + n * 8 + lane % 4 * 2 + j;
      if (to_n < width) put_x(y, to + to_n, sum[i / 2][n][i % 2 * 2 + j] + bias[to_n]);
    }
  }
}
#endif
