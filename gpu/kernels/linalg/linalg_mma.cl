// c = a b for f16 or bf16 on matrix units: products exact, sums in f32, one rounding at the end.
//
// Options: X, f16 or bf16; WARPS_M, WARPS_N and TILES_M, TILES_N: warps of a work-group and 16 x 8
// tiles of a warp, along rows and columns; ALIGNED: every row of either operand begins on 16 bytes.
//
// A work-group keeps the last STAGES steps of k in local memory, copies in flight included. With
// PLUMB_MATRIX_F16 a warp multiplies 16 x 16 by 16 x 8 tiles by mma.sync; without it each work-item sums the
// same elements from the same tiles in the same order of steps.
//
// Order: each element is summed over k in sequence; within a step the matrix unit aligns and truncates.

#include "element.cl"

#define number PASTED(X, _value)
#define rounded PASTED(X, _word)

#define STEP 16
#ifndef STAGES  // small limits: see linalg.cpp; two at least, since one is multiplied while the next one is copied
#define STAGES 4
#endif
#define ROWS (16 * TILES_M * WARPS_M)
#define COLUMNS (8 * TILES_N * WARPS_N)
#define ITEMS (32 * WARPS_M * WARPS_N)
#define CHUNK 8  // elements in 16 bytes
#ifndef PANEL    // small limits; tile columns that are walked together, for the second-level cache
#define PANEL 8
#endif

// b_at exchanges eight chunks with each other, so that all eight must be there.
#if COLUMNS % 64 != 0
#error "COLUMNS is not a multiple of eight chunks: 64"
#endif
// Each work-item copies as many chunks as every other one.
#if ROWS * STEP / CHUNK % ITEMS != 0 || STEP * COLUMNS / CHUNK % ITEMS != 0
#error "the chunks of a step are no multiple of the work-items"
#endif
#if STAGES < 2 || TILES_N % 2 != 0
#error "under two stages, or an odd number of tile columns, which are loaded in pairs"
#endif

// Where chunks lie in local memory. The exchange of chunks spreads the eight rows that one matrix load reads
// over all banks.
int a_at(int row, int chunk) { return row * STEP + (chunk ^ (row >> 2 & 1)) * CHUNK; }
int b_at(int p, int chunk) { return p * COLUMNS + (chunk ^ (p & 7)) * CHUNK; }

#if defined(PLUMB_MATRIX_F16) && defined(ALIGNED)
#define COMMIT() asm volatile("cp.async.commit_group;" ::: "memory")
#define WAIT(pending) asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory")
#else
#define COMMIT()
#define WAIT(pending)
#endif

// The first `valid` elements of a chunk, zeros after them; `safe` is any readable address.
void copy(local ushort* to, global const ushort* from, int valid, global const ushort* safe) {
  valid = min(max(valid, 0), CHUNK);
#if defined(PLUMB_MATRIX_F16) && defined(ALIGNED)
  const uint target = (uint)(size_t)to;
  const ulong source = (ulong)(valid > 0 ? from : safe);
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(target), "l"(source), "r"(2 * valid) : "memory");
#else
  for (int e = 0; e < CHUNK; ++e) to[e] = e < valid ? from[e] : 0;
#endif
}

// The tiles of one step.
void copy_step(local ushort* tile_a, local ushort* tile_b, global const ushort* a, global const ushort* b, int row0,
               int column0, int p0, int m, int n, int k, long a_row, long b_row, int t) {
#pragma unroll
  for (int c = 0; c < ROWS * STEP / CHUNK / ITEMS; ++c) {
    const int q = t + c * ITEMS, i = q / (STEP / CHUNK), chunk = q % (STEP / CHUNK), p = p0 + chunk * CHUNK;
    copy(tile_a + a_at(i, chunk), a + (row0 + i) * a_row + p, row0 + i < m ? k - p : 0, a);
  }
#pragma unroll
  for (int c = 0; c < STEP * COLUMNS / CHUNK / ITEMS; ++c) {
    const int q = t + c * ITEMS, p = q / (COLUMNS / CHUNK), chunk = q % (COLUMNS / CHUNK);
    const int column = column0 + chunk * CHUNK;
    copy(tile_b + b_at(p, chunk), b + (p0 + p) * b_row + column, p0 + p < k ? n - column : 0, b);
  }
}

#if defined(PLUMB_MATRIX_F16)

typedef struct {
  uint a[TILES_M][4], b[TILES_N][2];
} Fragments;

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define PRODUCT "mma.sync.aligned.m16n8k16.row.col.f32." TEXT(X) "." TEXT(X) ".f32 "

// Loads a warp's part of one step into registers.
void take(Fragments* f, float sum[TILES_M][TILES_N][4], local const ushort* tile_a, local const ushort* tile_b,
          int warp_row, int warp_column, int lane) {
#pragma unroll
  for (int i = 0; i < TILES_M; ++i) {
    const uint at = (uint)(size_t)(tile_a + a_at(warp_row + i * 16 + (lane & 15), lane >> 4));
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(f->a[i][0]), "=r"(f->a[i][1]), "=r"(f->a[i][2]), "=r"(f->a[i][3])
                 : "r"(at)
                 : "memory");
  }
#pragma unroll
  for (int j = 0; j < TILES_N; j += 2) {
    const uint at = (uint)(size_t)(tile_b + b_at(lane & 15, warp_column / 8 + j + (lane >> 4)));
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(f->b[j][0]), "=r"(f->b[j][1]), "=r"(f->b[j + 1][0]), "=r"(f->b[j + 1][1])
                 : "r"(at)
                 : "memory");
  }
}

// Multiplies what was taken.
void multiply(const Fragments* f, float sum[TILES_M][TILES_N][4]) {
#pragma unroll
  for (int i = 0; i < TILES_M; ++i)
#pragma unroll
    for (int j = 0; j < TILES_N; ++j)
      asm volatile(PRODUCT "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                   : "+f"(sum[i][j][0]), "+f"(sum[i][j][1]), "+f"(sum[i][j][2]), "+f"(sum[i][j][3])
                   : "r"(f->a[i][0]), "r"(f->a[i][1]), "r"(f->a[i][2]), "r"(f->a[i][3]), "r"(f->b[j][0]),
                     "r"(f->b[j][1]));
}

#else

typedef int Fragments;  // nothing is held between steps

// Adds the products of one step to the elements that this lane owns.
void take(Fragments* f, float sum[TILES_M][TILES_N][4], local const ushort* tile_a, local const ushort* tile_b,
          int warp_row, int warp_column, int lane) {
  for (int i = 0; i < 2 * TILES_M; ++i) {
    const int row = warp_row + i * 8 + lane / 4;
    float line[STEP];
    for (int p = 0; p < STEP; ++p) line[p] = number(tile_a[a_at(row, p / CHUNK) + p % CHUNK]);
    for (int j = 0; j < 2 * TILES_N; ++j) {
      const int column = warp_column + j / 2 * 8 + lane % 4 * 2 + j % 2;
      float s = sum[i / 2][j / 2][i % 2 * 2 + j % 2];
      for (int p = 0; p < STEP; ++p) s = fma(line[p], number(tile_b[b_at(p, column / CHUNK) + column % CHUNK]), s);
      sum[i / 2][j / 2][i % 2 * 2 + j % 2] = s;
    }
  }
}

void multiply(const Fragments* f, float sum[TILES_M][TILES_N][4]) {}

#endif

// Two neighbours of one row, as one word where rows begin on words.
void put(global ushort* c, int row, int column, int m, int n, float first, float second) {
  if (row >= m || column >= n) return;
  global ushort* to = c + (long)row * n + column;
  if (n % 2 == 0) {
    *(global uint*)to = rounded(first) | (uint)rounded(second) << 16;
  } else {
    to[0] = rounded(first);
    if (column + 1 < n) to[1] = rounded(second);
  }
}

// offsets: for each matrix of the batch, where its a and its b begin.
__attribute__((reqd_work_group_size(ITEMS, 1, 1))) kernel void mma(global const ushort* a, global const ushort* b,
                                                                   global ushort* c, global const long* offsets,
                                                                   int first, int m, int n, int k, long a_row,
                                                                   long b_row) {
  local ushort tile_a[STAGES][ROWS * STEP] __attribute__((aligned(128)));
  local ushort tile_b[STAGES][STEP * COLUMNS] __attribute__((aligned(128)));
  const int t = get_local_id(0), lane = t % 32, warp = t / 32;
  const int warp_row = warp / WARPS_N * TILES_M * 16, warp_column = warp % WARPS_N * TILES_N * 8;
  const int tile_rows = (m + ROWS - 1) / ROWS, tile_columns = (n + COLUMNS - 1) / COLUMNS;
  const int group = get_group_id(0), panel = group / (PANEL * tile_rows), in_panel = group % (PANEL * tile_rows);
  const int width = min(PANEL, tile_columns - panel * PANEL);
  const int row0 = in_panel / width * ROWS, column0 = (panel * PANEL + in_panel % width) * COLUMNS;
  const long matrix = first + (long)get_group_id(2);
  a += offsets[2 * matrix];
  b += offsets[2 * matrix + 1];
  c += matrix * m * n;

  float sum[TILES_M][TILES_N][4];
#pragma unroll
  for (int i = 0; i < TILES_M; ++i)
#pragma unroll
    for (int j = 0; j < TILES_N; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e) sum[i][j][e] = 0;

  // Step s lies in stage s % STAGES. Its fragments are taken one step ahead of their use, so that a stage is
  // free for another copy as soon as all warps have met at the barrier of its own step.
  const int steps = 2 * ((k + 2 * STEP - 1) / (2 * STEP));  // even: the last one may be all zeros
  for (int s = 0; s < STAGES; ++s) {
    if (s < steps) copy_step(tile_a[s], tile_b[s], a, b, row0, column0, s * STEP, m, n, k, a_row, b_row, t);
    COMMIT();
  }
  Fragments taken[2];
  WAIT(STAGES - 1);
  barrier(CLK_LOCAL_MEM_FENCE);
  take(&taken[0], sum, tile_a[0], tile_b[0], warp_row, warp_column, lane);
  for (int s0 = 0; s0 < steps; s0 += 2) {
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      const int s = s0 + h, stage = s % STAGES, next = (s + 1) % STAGES;
      WAIT(STAGES - 2);
      barrier(CLK_LOCAL_MEM_FENCE);
      if (s + STAGES < steps)
        copy_step(tile_a[stage], tile_b[stage], a, b, row0, column0, (s + STAGES) * STEP, m, n, k, a_row, b_row, t);
      COMMIT();
      if (s + 1 < steps) take(&taken[h ^ 1], sum, tile_a[next], tile_b[next], warp_row, warp_column, lane);
      multiply(&taken[h], sum);
    }
  }
#pragma unroll
  for (int i = 0; i < TILES_M; ++i)
#pragma unroll
    for (int j = 0; j < TILES_N; ++j)
#pragma unroll
      for (int e = 0; e < 4; e += 2)
        put(c, row0 + warp_row + i * 16 + lane / 4 + e * 4, column0 + warp_column + j * 8 + lane % 4 * 2, m, n,
            sum[i][j][e], sum[i][j][e + 1]);
}
