// The products of edge_product.cl on matrix units: halves, summed in f32. What follows them is the same.
//
// Options: DEPTH, 16 or 32, of a step; BY_EIGHTS: rows of either operand are whole groups of eight halves. COLUMNS, 16,
// 32 or 64: products of edges. TILE, 32 or 64: gradients of weights; EVERY_ROW: their edges are the rows themselves.

#include "unroll.cl"

#include "fragments.cl"

typedef union {
  uint4 words;
  ushort halves[8];
} Eight;

// Eight halves from c on of a row of x, zeros beyond the last; row < 0: none.
Eight eight_at(global const ushort* x, long row, int c, int width) {
  Eight v;
  v.words = (uint4)(0);
#ifdef BY_EIGHTS
  if (row >= 0 && c < width) v.words = *(global const uint4*)(x + row * width + c);
#else
  for (int i = 0; row >= 0 && i < 8; ++i)
    if (c + i < width) v.halves[i] = x[row * width + c + i];
#endif
  return v;
}

#ifdef COLUMNS

#include "sparse/conv/row_fragments.cl"

// to[k][n][a], whole steps and tiles, zeros beyond
kernel void pack_weight(global const ushort* from, global ushort* to, long size, int channels, int columns,
                        int padded_a, int padded_n, long stride_k, long stride_a, long stride_n) {
  const long e = get_global_id(0);
  if (e >= size) return;
  const int a = (int)(e % padded_a), n = (int)(e / padded_a % padded_n);
  const long k = e / padded_n / padded_a;
  to[e] = n < columns && a < channels ? from[k * stride_k + a * stride_a + n * stride_n] : (ushort)0;
}

// As multiply_edges of edge_product.cl.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void multiply_edges(
    global const ushort* x, global const ushort* w, global const ushort* x2, global const ushort* w2, int factors,
    global const int* source, global const int* tiles, int channels, int padded_a, int padded_n, int column,
    global float* products) {
  local ushort left[ROWS * PITCH] __attribute__((aligned(16)));
  local ushort right[COLUMNS * PITCH] __attribute__((aligned(16)));
  const int t = get_local_id(0), lane = t % 32, warp = t / 32;
  tiles += 3 * get_group_id(0);
  const int k = tiles[0], first = tiles[1], last = tiles[2];
  const long row = first + t < last ? source[first + t] : -1;
  float sum[2][COLUMNS / 8][4];
  CLEAR(sum);
  for (int factor = 0; factor < factors; ++factor) {
    global const ushort* from = factor == 0 ? x : x2;
    global const ushort* weight = (factor == 0 ? w : w2) + ((long)k * padded_n + column) * padded_a;
    for (int c0 = 0; c0 < padded_a; c0 += DEPTH) {
      UNROLL for (int c = 0; c < DEPTH; c += 8) * (local uint4*)(left + t * PITCH + c) =
          eight_at(from, row, c0 + c, channels).words;
      for (int e = t; e < COLUMNS * (DEPTH / 8); e += ITEMS)
        *(local uint4*)(right + e / (DEPTH / 8) * PITCH + e % (DEPTH / 8) * 8) =
            *(global const uint4*)(weight + (long)(e / (DEPTH / 8)) * padded_a + c0 + e % (DEPTH / 8) * 8);
      barrier(CLK_LOCAL_MEM_FENCE);
      MULTIPLY_TILES(left, right, sum);
      barrier(CLK_LOCAL_MEM_FENCE);
    }
  }
  UNROLL for (int i = 0; i < 4; ++i) {
    const long e = first + warp * 32 + i * 8 + lane / 4;
    if (e >= last) continue;
    UNROLL for (int n = 0; n < COLUMNS / 8; ++n) UNROLL for (int j = 0; j < 2; ++j)
        products[e * COLUMNS + n * 8 + lane % 4 * 2 + j] = sum[i / 2][n][i % 2 * 2 + j];
  }
}

#endif  // COLUMNS

#ifdef TILE

#define ITEMS 128
#define PAIRS (DEPTH / 2)
#define SIDE (TILE / 2)  // of a warp's square: two by two warps
#ifdef EVERY_ROW
#define ROW_OF(rows, e) (e)
#else
#define ROW_OF(rows, e) (rows)[e]
#endif

// The transpose of DEPTH rows from e0 on: to[channel][edge]. A work-item moves eight channels of two edges at a time.
void stage(local ushort* to, global const ushort* x, global const int* rows, int e0, int last, int c0, int width,
           int t) {
  for (int i = t; i < TILE / 8 * PAIRS; i += ITEMS) {
    const int e = e0 + i % PAIRS * 2, c = i / PAIRS * 8;
    const Eight a = eight_at(x, e < last ? ROW_OF(rows, e) : -1, c0 + c, width);
    const Eight b = eight_at(x, e + 1 < last ? ROW_OF(rows, e + 1) : -1, c0 + c, width);
    UNROLL for (int j = 0; j < 8; ++j) * (local uint*)(to + (c + j) * PITCH + i % PAIRS * 2) =
        (uint)a.halves[j] | (uint)b.halves[j] << 16;
  }
}

// As multiply_parts of edge_product.cl.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void multiply_parts(
    global const ushort* x, global const ushort* g, global const int* in, global const int* out,
    global const int* offsets, int parts, int rows, int columns, global float* partial) {
  local ushort left[TILE * PITCH] __attribute__((aligned(16)));
  local ushort right[TILE * PITCH] __attribute__((aligned(16)));
  const int t = get_local_id(0), lane = t % 32, warp = t / 32, across = (columns + TILE - 1) / TILE;
  const int a0 = (int)get_group_id(0) / across * TILE, c0 = (int)get_group_id(0) % across * TILE;
  const int k = (int)get_group_id(1) / parts, part = (int)get_group_id(1) % parts;
  const long n = offsets[k + 1] - offsets[k];
  const int first = offsets[k] + (int)(n * part / parts), last = offsets[k] + (int)(n * (part + 1) / parts);
  const int row = warp / 2 * SIDE, column = warp % 2 * SIDE;
  float sum[SIDE / 16][SIDE / 8][4];
  UNROLL for (int i = 0; i < SIDE / 16; ++i) UNROLL for (int j = 0; j < SIDE / 8; ++j)
      UNROLL for (int v = 0; v < 4; ++v) sum[i][j][v] = 0.0f;
  for (int e0 = first; e0 < last; e0 += DEPTH) {
    stage(left, x, in, e0, last, a0, rows, t);
    stage(right, g, out, e0, last, c0, columns, t);
    barrier(CLK_LOCAL_MEM_FENCE);
    UNROLL for (int e = 0; e < DEPTH; e += 16) UNROLL for (int i = 0; i < SIDE / 16; ++i) {
      const Left a = left_at(left + (row + i * 16) * PITCH + e, lane);
      UNROLL for (int j = 0; j < SIDE / 8; ++j)
          multiply(sum[i][j], a, right_at(right + (column + j * 8) * PITCH + e, lane));
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  UNROLL for (int i = 0; i < SIDE / 16; ++i) UNROLL for (int j = 0; j < SIDE / 8; ++j)
      UNROLL for (int v = 0; v < 4; ++v) {
    const int a = a0 + row + i * 16 + v / 2 * 8 + lane / 4, c = c0 + column + j * 8 + lane % 4 * 2 + v % 2;
    if (a < rows && c < columns) partial[((long)get_group_id(1) * rows + a) * columns + c] = sum[i][j][v];
  }
}

#endif  // TILE
