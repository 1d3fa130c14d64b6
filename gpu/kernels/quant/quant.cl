// Affine quantization. Codes of a row are one stream of BITS-wide fields, least significant bit first; 32 codes
// fill BITS words, so a stream position is a multiple of 8 codes wherever a kernel starts. Options: X, and Y of what
// dequantize writes: f16, bf16 or f32; all arithmetic is f32.

#include "element.cl"

#if defined(QUANTIZE) && PLUMB_FP64
int is_finite(float x) { return (as_uint(x) & 0x7F800000u) != 0x7F800000u; }

// Correctly rounded: the quotient of two floats, rounded to 53 bits and then to 24, is rounded as if once.
float divide(float a, float b) { return (float)((double)a / (double)b); }

// Scale and bias of a group of numbers from low to high; *good falls where the scale is none.
float2 affine_of(float low, float high, int bits, int* good) {
  // Differences are taken of halves, which never overflow; what halving loses of subnormal numbers is far below the
  // least step, 1e-7.
  const float n = (float)((1 << bits) - 1);
  float s = 2.0f * divide(0.5f * high - 0.5f * low, n), b = low;
  s = s > 1e-7f ? s : 1e-7f;
  *good &= is_finite(round_x(s));
  if (bits > 1) {
    const bool from_low = fabs(low) > fabs(high);
    const float e = from_low ? low : high;
    if (!from_low) s = -s;
    const float q0 = rint(divide(e, s));
    b = q0 != 0 ? e : 0;
    // Of nearly equal numbers: float32 holds them, but not their number of steps.
    if (isinf(q0)) s = divide(e * 0x1p-64f, divide(e * 0x1p-64f, s));
    else if (q0 != 0) s = divide(e, q0);
  }
  return (float2)(s, b);
}

// One work-group takes 64 x 32 numbers, one work-item 32 of them: a group is 1, 2 or 4 neighbours.
#define ITEMS 64
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void quantize(global const X_t* w, global uint* codes,
                                                                        global X_t* scales, global X_t* biases,
                                                                        int bits, int units, long total) {
  local float values[ITEMS * 33];  // 32 numbers and a gap, so that neighbours meet different banks
  local float lows[ITEMS], highs[ITEMS];
  local int finite[ITEMS];
  const int id = get_local_id(0);
  const long base = (long)get_group_id(0) * (ITEMS * 32), first = base + id * 32;
  for (int i = id; i < ITEMS * 32; i += ITEMS)
    if (base + i < total) values[i + i / 32] = at_x(w, base + i);
  barrier(CLK_LOCAL_MEM_FENCE);
  local const float* mine = values + id * 33;
  const bool inside = first < total;
  if (inside) {
    float low = mine[0], high = mine[0];
    int all = is_finite(low);
    for (int i = 1; i < 32; ++i) {
      low = mine[i] < low ? mine[i] : low;
      high = mine[i] > high ? mine[i] : high;
      all &= is_finite(mine[i]);
    }
    lows[id] = low, highs[id] = high, finite[id] = all;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  if (!inside) return;
  const int leader = id / units * units;
  float low = lows[leader], high = highs[leader];
  int good = finite[leader];
  for (int i = 1; i < units; ++i) {
    low = lows[leader + i] < low ? lows[leader + i] : low;
    high = highs[leader + i] > high ? highs[leader + i] : high;
    good &= finite[leader + i];
  }
  const float n = (float)((1 << bits) - 1);
  const float2 affine = affine_of(low, high, bits, &good);
  const float s = affine.x, b = affine.y;
  const long unit = first / 32;
  if (id == leader) {
    put_x(scales, unit / units, good ? s : NAN);
    put_x(biases, unit / units, good ? b : NAN);
  }
  ulong packed = 0;
  int filled = 0;
  global uint* word = codes + unit * bits;
  for (int i = 0; i < 32; ++i) {
    float q = good ? rint(divide(0.5f * mine[i] - 0.5f * b, 0.5f * s)) : 0.0f;
    q = q < n ? q : n;
    packed |= (ulong)(q > 0 ? (uint)q : 0u) << filled;
    filled += bits;
    if (filled >= 32) {
      *word++ = (uint)packed;
      packed >>= 32;
      filled -= 32;
    }
  }
}
#endif

// Eight codes from position 8 unit of a stream: their bits in the low end, never a word beyond them.
ulong eight_codes(global const uint* stream, long unit, int bits) {
  const long at = unit * 8 * bits;
  const int shift = (int)(at & 31);
  global const uint* word = stream + (at >> 5);
  ulong v = word[0];
  if (shift + 8 * bits > 32) v |= (ulong)word[1] << 32;
  return v >> shift;
}

// Code i of eight as a number: an integer below 2^23 under the exponent of 2^23 is that integer plus 2^23.
float code_value(ulong v, int i, int bits) {
  return as_float(((uint)(v >> (i * bits)) & ((1u << bits) - 1)) | 0x4B000000u) - 8388608.0f;
}

#if defined(DEQUANTIZE)
// w = round(round(code s) + b) in X, then rounded to Y; one work-item takes 8 codes.
kernel __attribute__((reqd_work_group_size(64, 1, 1))) void dequantize(global const uint* codes, global const X_t* s,
                                                                       global const X_t* b, global Y_t* w, int bits,
                                                                       int group, long units) {
  const long unit = get_global_id(0);
  if (unit >= units) return;
  const ulong v = eight_codes(codes, unit, bits);
  const long g = unit * 8 / group;
  const float scale = at_x(s, g), bias = at_x(b, g);
  float w8[8];
  for (int i = 0; i < 8; ++i) {
    const float product = round_x(code_value(v, i, bits) * scale);
    w8[i] = round_x(product + bias);
  }
  put8_y(w, unit * 8, (float8)(w8[0], w8[1], w8[2], w8[3], w8[4], w8[5], w8[6], w8[7]));
}
#endif

#if defined(BITS)
// Rows of x that one work-item of the narrow kernels carries.
#define ROWS 4

// y_mn = sum_k x_mk w_nk. A work-group takes 4 rows of w; 32 work-items share a row, each every 32nd unit of
// eight terms; their sums are joined by a tree. Axis 2 counts ROWS rows of x, then matrices.
kernel __attribute__((reqd_work_group_size(32, 4, 1))) void dot_rows(global const X_t* x, global const uint* codes,
                                                                     global const X_t* s, global const X_t* b,
                                                                     global X_t* y, global const int* x_of,
                                                                     global const int* w_of, int m_count, int n_count,
                                                                     int k_count, int group) {
  local float sums[4][ROWS][32];
  const int lane = get_local_id(0), slot = get_local_id(1);
  const int blocks = (m_count + ROWS - 1) / ROWS, matrix = get_group_id(2) / blocks;
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
      const float scale = at_x(s, g), bias = at_x(b, g);
      float w[8];
      for (int i = 0; i < 8; ++i) w[i] = fma(code_value(v, i, BITS), scale, bias);
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
                                                                        global const X_t* s, global const X_t* b,
                                                                        global X_t* y, global const int* x_of,
                                                                        global const int* w_of, int m_count,
                                                                        int n_count, int k_count, int group) {
  local float sums[32][ROWS][33];
  const int at = get_local_id(0), lane = get_local_id(1);
  const int blocks = (m_count + ROWS - 1) / ROWS, matrix = get_group_id(2) / blocks;
  const int unit = get_global_id(0), m0 = get_group_id(2) % blocks * ROWS;
  const int rows = min(ROWS, m_count - m0);
  float sum[ROWS][8];
  for (int r = 0; r < ROWS; ++r)
    for (int i = 0; i < 8; ++i) sum[r][i] = 0;
  const long units = n_count / 8, groups = n_count / group, row0 = (long)w_of[matrix] * k_count;
  const long x0 = ((long)x_of[matrix] * m_count + m0) * k_count;
  for (int k = lane; k < k_count; k += 32) {
    const ulong v = eight_codes(codes, (row0 + k) * units + unit, BITS);
    const long g = (row0 + k) * groups + unit * 8 / group;
    const float scale = at_x(s, g), bias = at_x(b, g);
    float w[8];
    for (int i = 0; i < 8; ++i) w[i] = fma(code_value(v, i, BITS), scale, bias);
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
  if (lane == 0)
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
  float scale, bias;
} Packed;

Packed fetch(global const uint* codes, global const X_t* s, global const X_t* b, long row, long units, long unit,
             int bits, int group, bool inside) {
  Packed p = {0, 0, 0};
  if (!inside) return p;
  const long g = row * (units * 8 / group) + unit * 8 / group;
  p.codes = eight_codes(codes, row * units + unit, bits);
  p.scale = at_x(s, g);
  p.bias = at_x(b, g);
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
                                                                      global const X_t* s, global const X_t* b,
                                                                      global X_t* y, global const int* x_of,
                                                                      global const int* w_of, int m_count, int n_count,
                                                                      int k_count, int group, int bits,
                                                                      int transposed) {
  local float xs[DEPTH][TILE + 4] __attribute__((aligned(16)));
  local float ws[DEPTH][COLUMNS + 4] __attribute__((aligned(16)));
  const int tx = get_local_id(0), ty = get_local_id(1), id = ty * 16 + tx, matrix = get_group_id(2);
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
                 bits, group, n0 + wn < n_count && (k0) + wk < k_count)
  if (TALL < 8) {
    FETCH(0);
  }
  for (int k0 = 0; k0 < k_count; k0 += DEPTH) {
    if (TALL >= 8) {
      FETCH(k0);
    }
    for (int r = 0; r < TALL; ++r) xs[tx][ty + r * 16] = next_x[r];
    for (int i = 0; i < 8; ++i) {
      const float w = fma(code_value(next_w.codes, i, bits), next_w.scale, next_w.bias);
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
