// Products with quantized matrices. Options: X, the dtype of x and of the result, and of scales and biases in mode
// affine; BITS of the narrow kernels, TILE of the other. mode: as in codes.cl; b is not read in the others than affine.

#include "element.cl"

#include "quant/codes.cl"

static inline float2 group_of(global const void* s, global const void* b, long g, int mode) {
  if (mode != affine_mode) return (float2)(scale_byte((global const uchar*)s, g, mode), 0.0f);
  return (float2)(at_x((global const X_t*)s, g), at_x((global const X_t*)b, g));
}

// Rounded once in mode affine, exact in the others.
static inline float weight(ulong v, int i, int bits, float2 group, int mode) {
  return mode == affine_mode ? fma(code_value(v, i, bits), group.x, group.y) : element_of(v, i, bits) * group.x;
}

#if defined(BITS)
// Rows of x that one work-item of the narrow kernels carries.
#define ROWS 4

// y_mn = sum_k x_mk w_nk. A work-group takes 4 rows of w; 32 work-items share a row, each every 32nd unit of
// eight terms; their sums are joined by a tree. Axis 2 counts ROWS rows of x, then matrices.
kernel __attribute__((reqd_work_group_size(32, 4, 1))) void dot_rows(global const X_t* x, global const uint* codes,
                                                                     global const void* s, global const void* b,
                                                                     global X_t* y, global const int* x_of,
                                                                     global const int* w_of, int m_count, int n_count,
                                                                     int k_count, int group, int mode, int first) {
  local float sums[4][ROWS][32];
  const int lane = get_local_id(0), slot = get_local_id(1);
  const int blocks = (m_count + ROWS - 1) / ROWS, matrix = first + get_group_id(2) / blocks;
  const int n = get_global_id(1), m0 = get_group_id(2) % blocks * ROWS;
  const int rows = min(ROWS, m_count - m0);
  float sum[ROWS];
  for (int r = 0; r < ROWS; ++r) sum[r] = 0;
  if (n < n_count) {
    const long row = (long)w_of[matrix] * n_count + n, units = k_count / 8, groups = k_count / group;
    const long x0 = ((long)x_of[matrix] * m_count + m0) * k_count;
    for (int u = lane; u < units; u += 32) {
      const ulong v = eight_codes(codes, row * units + u, BITS);
      const long g = row * groups + u * 8 / group;
      const float2 affine = group_of(s, b, g, mode);
      float w[8];
      for (int i = 0; i < 8; ++i) w[i] = weight(v, i, BITS, affine, mode);
      for (int r = 0; r < ROWS; ++r)
        if (r < rows) {
          const float8 v8 = at8_x(x, x0 + (long)r * k_count + u * 8);
          sum[r] = fma(v8.s0, w[0], sum[r]), sum[r] = fma(v8.s1, w[1], sum[r]);
          sum[r] = fma(v8.s2, w[2], sum[r]), sum[r] = fma(v8.s3, w[3], sum[r]);
          sum[r] = fma(v8.s4, w[4], sum[r]), sum[r] = fma(v8.s5, w[5], sum[r]);
          sum[r] = fma(v8.s6, w[6], sum[r]), sum[r] = fma(v8.s7, w[7], sum[r]);
        }
    }
  }
  for (int r = 0; r < ROWS; ++r) sums[slot][r][lane] = sum[r];
  for (int half_width = 16; half_width > 0; half_width /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (lane < half_width)
      for (int r = 0; r < ROWS; ++r) sums[slot][r][lane] += sums[slot][r][lane + half_width];
  }
  if (lane == 0 && n < n_count)
    for (int r = 0; r < rows; ++r) put_x(y, ((long)matrix * m_count + m0 + r) * n_count + n, sums[slot][r][0]);
}

// y_mn = sum_k x_mk w_kn. A work-group takes 32 columns; 4 work-items share a row of w, 32 rows are taken at a
// time, and the 32 sums of a column are joined by a tree. Axis 2 counts as above.
kernel __attribute__((reqd_work_group_size(4, 32, 1))) void dot_columns(global const X_t* x, global const uint* codes,
                                                                        global const void* s, global const void* b,
                                                                        global X_t* y, global const int* x_of,
                                                                        global const int* w_of, int m_count,
                                                                        int n_count, int k_count, int group, int mode,
                                                                        int first) {
  local float sums[32][ROWS][33];
  const int at = get_local_id(0), lane = get_local_id(1);
  const int blocks = (m_count + ROWS - 1) / ROWS, matrix = first + get_group_id(2) / blocks;
  const int unit = get_global_id(0), m0 = get_group_id(2) % blocks * ROWS;
  const int rows = min(ROWS, m_count - m0);
  float sum[ROWS][8];
  for (int r = 0; r < ROWS; ++r)
    for (int i = 0; i < 8; ++i) sum[r][i] = 0;
  const long units = n_count / 8, groups = n_count / group, row0 = (long)w_of[matrix] * k_count;
  const long x0 = ((long)x_of[matrix] * m_count + m0) * k_count;
  for (int k = lane; k < k_count && unit < units; k += 32) {
    const ulong v = eight_codes(codes, (row0 + k) * units + unit, BITS);
    const long g = (row0 + k) * groups + unit * 8 / group;
    const float2 affine = group_of(s, b, g, mode);
    float w[8];
    for (int i = 0; i < 8; ++i) w[i] = weight(v, i, BITS, affine, mode);
    for (int r = 0; r < ROWS; ++r)
      if (r < rows) {
        const float factor = at_x(x, x0 + (long)r * k_count + k);
        for (int i = 0; i < 8; ++i) sum[r][i] = fma(factor, w[i], sum[r][i]);
      }
  }
  for (int r = 0; r < ROWS; ++r)
    for (int i = 0; i < 8; ++i) sums[lane][r][at * 8 + i] = sum[r][i];
  for (int half_width = 16; half_width > 0; half_width /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (lane < half_width)
      for (int r = 0; r < ROWS; ++r)
        for (int i = 0; i < 8; ++i) sums[lane][r][at * 8 + i] += sums[lane + half_width][r][at * 8 + i];
  }
  if (lane == 0 && unit < units)
    for (int r = 0; r < rows; ++r)
      for (int i = 0; i < 8; ++i)
        put_x(y, ((long)matrix * m_count + m0 + r) * n_count + unit * 8 + i, sums[0][r][at * 8 + i]);
}
#endif

#if defined(TILE)
// y = x w or x w^T by tiles of TILE x 128 results and 16 terms; 16 x 16 work-items, each with TILE / 16 rows and
// 4 + 4 columns. Terms are added in sequence. w is decoded into local memory once per tile.
#define DEPTH 16
#define COLUMNS 128
#define TALL (TILE / 16)

// Eight codes of one group, as they come from memory; zeros beyond the edges.
typedef struct {
  ulong codes;
  float2 affine;
} Packed;

Packed fetch(global const uint* codes, global const void* s, global const void* b, long row, long units, long unit,
             int bits, int group, int mode, bool inside) {
  Packed p = {0, (float2)(0.0f, 0.0f)};
  if (!inside) return p;
  const long g = row * (units * 8 / group) + unit * 8 / group;
  p.codes = eight_codes(codes, row * units + unit, bits);
  p.affine = group_of(s, b, g, mode);
  return p;
}

// The first `depth` terms of the tiles, in sequence, to the sums of this work-item.
void add_terms(float sum[TALL][8], local float (*xs)[TILE + 4], local float (*ws)[COLUMNS + 4], int depth) {
  const int tx = get_local_id(0), ty = get_local_id(1);
  for (int k = 0; k < depth; ++k) {
    const float4 left = *(local const float4*)&ws[k][tx * 4], right = *(local const float4*)&ws[k][64 + tx * 4];
    for (int r = 0; r < TALL; ++r) {
      const float a = xs[k][ty * TALL + r];
      sum[r][0] = fma(a, left.x, sum[r][0]), sum[r][1] = fma(a, left.y, sum[r][1]);
      sum[r][2] = fma(a, left.z, sum[r][2]), sum[r][3] = fma(a, left.w, sum[r][3]);
      sum[r][4] = fma(a, right.x, sum[r][4]), sum[r][5] = fma(a, right.y, sum[r][5]);
      sum[r][6] = fma(a, right.z, sum[r][6]), sum[r][7] = fma(a, right.w, sum[r][7]);
    }
  }
}

kernel __attribute__((reqd_work_group_size(16, 16, 1))) void multiply(global const X_t* x, global const uint* codes,
                                                                      global const void* s, global const void* b,
                                                                      global X_t* y, global const int* x_of,
                                                                      global const int* w_of, int m_count, int n_count,
                                                                      int k_count, int group, int mode, int first,
                                                                      int bits, int transposed) {
  local float xs[DEPTH][TILE + 4] __attribute__((aligned(16)));
  local float ws[DEPTH][COLUMNS + 4] __attribute__((aligned(16)));
  const int tx = get_local_id(0), ty = get_local_id(1), id = ty * 16 + tx, matrix = first + get_group_id(2);
  const int n0 = get_group_id(0) * COLUMNS, m0 = get_group_id(1) * TILE;
  const long x0 = (long)x_of[matrix] * m_count;
  const long w0 = (long)w_of[matrix] * (transposed ? n_count : k_count);
  const long units = (transposed ? k_count : n_count) / 8;
  float sum[TALL][8];
  for (int r = 0; r < TALL; ++r)
    for (int i = 0; i < 8; ++i) sum[r][i] = 0;
  // This work-item's share of the tiles: rows ty + 16 r of x at term tx; column id % 128 of the transposed
  // weight and 8 terms, or 8 columns of row id / 16. With few rows the next share is fetched while a tile is
  // multiplied; with many the registers are worth more.
  const int wn = transposed ? id % COLUMNS : id % 16 * 8, wk = transposed ? id / COLUMNS * 8 : id / 16;
  float next_x[TALL];
  Packed next_w;
#define FETCH(k0)                                                                                                     \
  for (int r = 0; r < TALL; ++r) {                                                                                    \
    const int m = m0 + ty + r * 16, k = (k0) + tx;                                                                    \
    next_x[r] = m < m_count && k < k_count ? at_x(x, (x0 + m) * k_count + k) : 0;                                     \
  }                                                                                                                   \
  next_w = fetch(codes, s, b, w0 + (transposed ? n0 + wn : (k0) + wk), units, (transposed ? (k0) + wk : n0 + wn) / 8, \
                 bits, group, mode, n0 + wn < n_count && (k0) + wk < k_count)
  if (TALL < 8) {
    FETCH(0);
  }
  for (int k0 = 0; k0 < k_count; k0 += DEPTH) {
    if (TALL >= 8) {
      FETCH(k0);
    }
    for (int r = 0; r < TALL; ++r) xs[tx][ty + r * 16] = next_x[r];
    for (int i = 0; i < 8; ++i) {
      const float w = weight(next_w.codes, i, bits, next_w.affine, mode);
      if (transposed) ws[wk + i][wn] = w;
      else ws[wk][wn + i] = w;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (TALL < 8 && k0 + DEPTH < k_count) {
      FETCH(k0 + DEPTH);
    }
    add_terms(sum, xs, ws, min(DEPTH, k_count - k0));
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  for (int r = 0; r < TALL; ++r) {
    const int m = m0 + ty * TALL + r;
    if (m >= m_count) continue;
    for (int i = 0; i < 8; ++i) {
      const int n = n0 + i / 4 * 64 + tx * 4 + i % 4;
      if (n < n_count) put_x(y, ((long)matrix * m_count + m) * n_count + n, sum[r][i]);
    }
  }
}
#endif
