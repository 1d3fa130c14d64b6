// c = a b in tiles of local memory, one register block per work-item.
//
// Options: X (f16, bf16, f32, f64 or c64) and REGISTERS, the side of a work-item's block. A work-group of
// SIDE x SIDE computes TILE x TILE of c, TILE = SIDE * REGISTERS. WIDE: both operands have adjacent columns,
// and rows, columns and offsets are multiples of 4. UNROLL: how far the innermost loop is unrolled.
// RANGES: each matrix has a number of terms of its own.
//
// Order: every element of c is one chain of fma over all of k (two chains of 2 k for c64).

#include "element.cl"

#define SIDE 16
#define DEPTH 16
#define TILE (SIDE * REGISTERS)
#define SEGMENT (REGISTERS < 4 ? REGISTERS : 4)  // adjacent elements that one work-item owns
#define ITEMS (SIDE * SIDE)
#define PER_ITEM (TILE * DEPTH / ITEMS)  // elements of a tile of one operand that a work-item loads

// sum + a b
float term_real(float a, float b, float sum) { return fma(a, b, sum); }
#define term_f16 term_real
#define term_bf16 term_real
#define term_f32 term_real
#define term_f64 fma
float2 term_c64(float2 a, float2 b, float2 sum) {
  sum.x = fma(-a.y, b.y, fma(a.x, b.x, sum.x));
  sum.y = fma(a.y, b.x, fma(a.x, b.y, sum.y));
  return sum;
}
#define term PASTED(term_, X)

// The n-th element of work-item t along one side of the tile: segments, so that neighbours read neighbours.
int owned(int t, int n) { return n / SEGMENT * (SIDE * SEGMENT) + t * SEGMENT + n % SEGMENT; }

// Which element (line, p) of an operand's tile is the n-th that work-item t loads: along p if the operand is
// contiguous there, else along its lines.
int line_of(int t, int n, int along_p) { return along_p ? (t + n * ITEMS) / DEPTH : (t + n * ITEMS) % TILE; }
int depth_of(int t, int n, int along_p) { return along_p ? (t + n * ITEMS) % DEPTH : (t + n * ITEMS) / TILE; }

// An operand as lines (rows of a, columns of b) over p, both in elements.
void fetch(global const X_t* x, long line_stride, long p_stride, int line0, int lines, int p0, int k, int t,
           X_v* held) {
  const int along_p = p_stride == 1;
  for (int n = 0; n < PER_ITEM; ++n) {
    const int line = line0 + line_of(t, n, along_p), p = p0 + depth_of(t, n, along_p);
    held[n] = line < lines && p < k ? at_x(x, line * line_stride + p * p_stride) : (X_v)0;
  }
}

void keep(local X_v* tile, int along_p, int t, const X_v* held) {
  for (int n = 0; n < PER_ITEM; ++n) tile[depth_of(t, n, along_p) * (TILE + 4) + line_of(t, n, along_p)] = held[n];
}

#if defined(WIDE)
// The same by fours: a is contiguous along p, b along its lines.
#define GROUPS (PER_ITEM / 4)
void fetch_a(global const X_t* x, long stride, int line0, int lines, int p0, int k, int t, X_v4* held) {
  for (int n = 0; n < GROUPS; ++n) {
    const int line = line0 + (t + n * ITEMS) / (DEPTH / 4), p = p0 + (t + n * ITEMS) % (DEPTH / 4) * 4;
    held[n] = line < lines && p < k ? at4_x(x, line * stride + p) : (X_v4)0;
  }
}
void keep_a(local X_v* tile, int t, const X_v4* held) {
  for (int n = 0; n < GROUPS; ++n) {
    local X_v* to = tile + (t + n * ITEMS) % (DEPTH / 4) * 4 * (TILE + 4) + (t + n * ITEMS) / (DEPTH / 4);
    to[0] = held[n].s0;
    to[TILE + 4] = held[n].s1;
    to[2 * (TILE + 4)] = held[n].s2;
    to[3 * (TILE + 4)] = held[n].s3;
  }
}
void fetch_b(global const X_t* x, long stride, int line0, int lines, int p0, int k, int t, X_v4* held) {
  for (int n = 0; n < GROUPS; ++n) {
    const int line = line0 + (t + n * ITEMS) % (TILE / 4) * 4, p = p0 + (t + n * ITEMS) / (TILE / 4);
    held[n] = line < lines && p < k ? at4_x(x, p * stride + line) : (X_v4)0;
  }
}
void keep_b(local X_v* tile, int t, const X_v4* held) {
  for (int n = 0; n < GROUPS; ++n)
    *(local X_v4*)(tile + (t + n * ITEMS) / (TILE / 4) * (TILE + 4) + (t + n * ITEMS) % (TILE / 4) * 4) = held[n];
}
#define FETCH(p)                               \
  fetch_a(a, a_row, row0, m, p, k, t, held_a); \
  fetch_b(b, b_row, column0, n, p, k, t, held_b)
#define KEEP(side)                 \
  keep_a(tile_a[side], t, held_a); \
  keep_b(tile_b[side], t, held_b)
#define HELD X_v4 held_a[GROUPS], held_b[GROUPS]
#else
#define FETCH(p)                                       \
  fetch(a, a_row, a_column, row0, m, p, k, t, held_a); \
  fetch(b, b_column, b_row, column0, n, p, k, t, held_b)
#define KEEP(side)                              \
  keep(tile_a[side], a_column == 1, t, held_a); \
  keep(tile_b[side], b_row == 1, t, held_b)
#define HELD X_v held_a[PER_ITEM], held_b[PER_ITEM]
#endif

// offsets: for each matrix of the batch, where its a and its b begin; with RANGES also how many terms it has.
#if defined(RANGES)
#define PER_MATRIX 3
#else
#define PER_MATRIX 2
#endif
__attribute__((reqd_work_group_size(SIDE, SIDE, 1))) kernel void tiled(global const X_t* a, global const X_t* b,
                                                                       global X_t* c, global const long* offsets,
                                                                       int first, int m, int n, int k, long a_row,
                                                                       long a_column, long b_row, long b_column) {
  local X_v tile_a[2][DEPTH * (TILE + 4)] __attribute__((aligned(32)));
  local X_v tile_b[2][DEPTH * (TILE + 4)] __attribute__((aligned(32)));
  const int x = get_local_id(0), y = get_local_id(1), t = y * SIDE + x;
  const int row0 = get_group_id(1) * TILE, column0 = get_group_id(0) * TILE;
  const long matrix = first + (long)get_global_id(2);
  a += offsets[PER_MATRIX * matrix];
  b += offsets[PER_MATRIX * matrix + 1];
#if defined(RANGES)
  k = (int)offsets[PER_MATRIX * matrix + 2];
#endif
  c += matrix * m * n;

  X_v sum[REGISTERS][REGISTERS];
  for (int i = 0; i < REGISTERS; ++i)
    for (int j = 0; j < REGISTERS; ++j) sum[i][j] = 0;
  HELD;
  FETCH(0);
  KEEP(0);
  barrier(CLK_LOCAL_MEM_FENCE);
  // The next tiles are on their way to registers while the current ones are used.
  for (int p0 = 0, side = 0; p0 < k; p0 += DEPTH, side ^= 1) {
    if (p0 + DEPTH < k) {
      FETCH(p0 + DEPTH);
    }
#pragma unroll UNROLL
    for (int p = 0; p < DEPTH; ++p) {
      X_v av[REGISTERS], bv[REGISTERS];
#pragma unroll
      for (int i = 0; i < REGISTERS; ++i) av[i] = tile_a[side][p * (TILE + 4) + owned(y, i)];
#pragma unroll
      for (int j = 0; j < REGISTERS; ++j) bv[j] = tile_b[side][p * (TILE + 4) + owned(x, j)];
#pragma unroll
      for (int i = 0; i < REGISTERS; ++i)
#pragma unroll
        for (int j = 0; j < REGISTERS; ++j) sum[i][j] = term(av[i], bv[j], sum[i][j]);
    }
    if (p0 + DEPTH < k) {
      KEEP(side ^ 1);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
#pragma unroll
  for (int i = 0; i < REGISTERS; ++i)
#pragma unroll
    for (int j = 0; j < REGISTERS; ++j) {
      const int row = row0 + owned(y, i), column = column0 + owned(x, j);
      if (row < m && column < n) put_x(c, (long)row * n + column, sum[i][j]);
    }
}
