// Products of the edges of a relation, by kernel row, and their sums by destination; gradients of weights.
//
// Options: INDEX: the kernels that prepare edges. X, f16 or f32, the dtype of features and results. COLUMNS, 16,
// 32 or 64, of a panel of products; BY_FOURS: channels are a multiple of four; NORMALIZED: see add_products. TILE, 16,
// 32 or 64: the kernels of gradients of weights; EVERY_ROW: their edges are the rows themselves.
//
// Sums are chains of fma in f32 over channels, then of additions over a destination's edges; parts of a gradient's sum
// are added in sequence.

#include "unroll.cl"

#ifdef INDEX

// ids: edge numbers by kernel row
kernel void rank_edges(global const int* ids, global const int* in, global const int* out, global const int* counts,
                       long capacity, global int* rank, global int* in_by_kernel, global int* out_by_kernel) {
  const long j = get_global_id(0);
  if (j >= capacity || j >= counts[0]) return;
  rank[ids[j]] = (int)j;
  in_by_kernel[j] = in[ids[j]];
  out_by_kernel[j] = out[ids[j]];
}

kernel void place_ranks(global const int* ids, global const int* rank, global const int* kernel_ids, long edges,
                        global int* place, global int* kernel_of) {
  const long j = get_global_id(0);
  if (j >= edges) return;
  place[j] = rank[ids[j]];
  kernel_of[j] = kernel_ids[ids[j]];
}

// The map of a merged relation: the input row that each output meets under each kernel row. Inputs may repeat, and then
// two edges share a place: such an output row is marked.
kernel void map_edges(global const int* in, global const int* out, global const int* kernel_ids,
                      global const int* counts, long capacity, int kernels, global int* map, global int* marked) {
  const long e = get_global_id(0);
  if (e >= capacity || e >= counts[0]) return;
  if (e > 0 && out[e] == out[e - 1] && kernel_ids[e] == kernel_ids[e - 1]) marked[out[e]] = 1;
  else map[(long)out[e] * kernels + kernel_ids[e]] = in[e];
}

#else

#include "element.cl"

#ifdef COLUMNS

kernel void pack_weight(global const X_t* from, global float* to, long size, int channels, int columns, int padded_a,
                        int padded_n, long stride_k, long stride_a, long stride_n) {
  const long e = get_global_id(0);
  if (e >= size) return;
  const int n = (int)(e % padded_n), a = (int)(e / padded_n % padded_a);
  const long k = e / padded_n / padded_a;
  to[e] = n < columns && a < channels ? at_x(from, k * stride_k + a * stride_a + n * stride_n) : 0.0f;
}

#define ROWS 128  // edges of a tile, and work-items
#define DEPTH 16
#define EACH (COLUMNS / 8)  // columns of a work-item, and 8 rows
#define ROW(i) ((i) / 4 * (ROWS / 2) + r0 + (i) % 4)
#define COLUMN(j) ((j) / 4 * (COLUMNS / 2) + n0 + (j) % 4)

// Four channels from c on of a row of features, zeros beyond the last.
float4 channels_at(global const X_t* x, long row, int c, int channels) {
#ifdef BY_FOURS
  return c < channels ? at4_x(x, row * channels + c) : (float4)(0.0f);
#else
  float v[4];
  for (int i = 0; i < 4; ++i) v[i] = c + i < channels ? at_x(x, row * channels + c + i) : 0.0f;
  return (float4)(v[0], v[1], v[2], v[3]);
#endif
}

// products[e] = X[source[e]] W[k], for the edges of one tile: (kernel row, first edge, one past the last). Of two
// factors the second is added.
kernel __attribute__((reqd_work_group_size(ROWS, 1, 1))) void multiply_edges(
    global const X_t* x, global const float* w, global const X_t* x2, global const float* w2, int factors,
    global const int* source, global const int* tiles, int channels, int padded_a, int padded_n, int column,
    global float* products) {
  local float a[DEPTH][ROWS + 4];
  local float b[DEPTH][COLUMNS];
  const int t = get_local_id(0), r0 = t / 8 * 4, n0 = t % 8 * (EACH < 4 ? EACH : 4);
  tiles += 3 * get_group_id(0);
  const int k = tiles[0], first = tiles[1], last = tiles[2];
  const long row = first + t < last ? source[first + t] : -1;
  float sum[8][EACH];
  UNROLL for (int i = 0; i < 8; ++i) UNROLL for (int j = 0; j < EACH; ++j) sum[i][j] = 0.0f;
  for (int factor = 0; factor < factors; ++factor) {
    global const X_t* from = factor == 0 ? x : x2;
    global const float* weight = (factor == 0 ? w : w2) + (long)k * padded_a * padded_n + column;
    for (int c0 = 0; c0 < padded_a; c0 += DEPTH) {
      for (int c = 0; c < DEPTH; c += 4) {
        const float4 v = row >= 0 ? channels_at(from, row, c0 + c, channels) : (float4)(0.0f);
        a[c][t] = v.x;
        a[c + 1][t] = v.y;
        a[c + 2][t] = v.z;
        a[c + 3][t] = v.w;
      }
      for (int e = 4 * t; e < DEPTH * COLUMNS; e += 4 * ROWS)
        vstore4(vload4(0, weight + (long)(c0 + e / COLUMNS) * padded_n + e % COLUMNS), 0, &b[e / COLUMNS][e % COLUMNS]);
      barrier(CLK_LOCAL_MEM_FENCE);
      UNROLL for (int c = 0; c < DEPTH; ++c) {
        float p[8], q[EACH];
        UNROLL for (int i = 0; i < 8; ++i) p[i] = a[c][ROW(i)];
        UNROLL for (int j = 0; j < EACH; ++j) q[j] = b[c][COLUMN(j)];
        UNROLL for (int i = 0; i < 8; ++i) UNROLL for (int j = 0; j < EACH; ++j) sum[i][j] = fma(p[i], q[j], sum[i][j]);
      }
      barrier(CLK_LOCAL_MEM_FENCE);
    }
  }
  UNROLL for (int i = 0; i < 8; ++i) {
    const long e = first + ROW(i);
    if (e >= last) continue;
    UNROLL for (int j = 0; j < EACH; ++j) products[e * COLUMNS + COLUMN(j)] = sum[i][j];
  }
}

// Squares of what is large would pass the largest float: they are summed apart, of values times 2^-80.
#define LARGE 0x1p50f
#define SMALLER 0x1p-80f

#ifdef NORMALIZED

// sum / sqrt(squares.x + squares.y 2^160 + eps); what is large is made smaller before the quotient, what is not after
// it
float divided(float sum, float2 squares, float eps) {
  if (squares.y == 0) return sum / sqrt(squares.x + eps);
  const float root = sqrt(squares.y + squares.x * SMALLER * SMALLER + eps * SMALLER * SMALLER);
  return fabs(sum) > 1 ? sum * SMALLER / root : sum / root * SMALLER;
}
#endif

// y[d] = bias + sum of the products of d's edges; a work-item takes four columns. Normalized: the sum is divided by
// sqrt(sum of norms[k] + eps).
kernel void add_products(global const float* products, global const int* offsets, global const int* place, long rows,
                         int quads, int width, int column, global const X_t* bias, int biased, global X_t* y
#ifdef NORMALIZED
                         ,
                         global const float* norms, global const int* kernel_of, float eps
#endif
) {
  const long i = get_global_id(0);
  if (i >= rows * quads) return;
  const long d = i / quads;
  const int n = (int)(i % quads) * 4, used = min(4, width - column - n);
  float4 sum = (float4)(0.0f);
  for (int e = offsets[d]; e < offsets[d + 1]; ++e) sum += vload4(0, products + (long)place[e] * COLUMNS + n);
#ifdef NORMALIZED
  float2 squares[4] = {(float2)(0.0f), (float2)(0.0f), (float2)(0.0f), (float2)(0.0f)};
  for (int e = offsets[d]; e < offsets[d + 1]; ++e)
    for (int j = 0; j < used; ++j) squares[j] += vload2((long)kernel_of[e] * width + column + n + j, norms);
  float v[4] = {sum.x, sum.y, sum.z, sum.w};
  for (int j = 0; j < used; ++j) v[j] = divided(v[j], squares[j], eps);
#else
  const float v[4] = {sum.x, sum.y, sum.z, sum.w};
#endif
  for (int j = 0; j < used; ++j) {
    const long at = column + n + j;
    put_x(y, d * width + at, biased ? v[j] + at_x(bias, at) : v[j]);
  }
}

// norms[k][n] = sum over channels of the squares of W[k][a][n]: of those that are not large, and of the large ones
// times 2^-160
kernel void sum_squares(global const X_t* w, global float* norms, int kernels, int channels, int columns, long stride_k,
                        long stride_a, long stride_n) {
  const long i = get_global_id(0);
  if (i >= (long)kernels * columns) return;
  float sum = 0.0f, large = 0.0f;
  for (int a = 0; a < channels; ++a) {
    const float v = at_x(w, i / columns * stride_k + a * stride_a + i % columns * stride_n), s = v * SMALLER;
    if (fabs(v) < LARGE) sum = fma(v, v, sum);
    else large = fma(s, s, large);
  }
  vstore2((float2)(sum, large), i, norms);
}

#endif  // COLUMNS

#ifdef TILE

#define ITEMS 128
#define DEPTH 16
#ifdef EVERY_ROW
#define ROW_OF(rows, e) (e)
#else
#define ROW_OF(rows, e) (rows)[e]
#endif
#define EACH_A (TILE / 8)
#define EACH_C (TILE / 16)

// partial[k][part][a][c] = sum over the part's edges of X[in][a] G[out][c]; a work-group takes TILE of either.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void multiply_parts(
    global const X_t* x, global const X_t* g, global const int* in, global const int* out, global const int* offsets,
    int parts, int rows, int columns, global float* partial) {
  local float p[DEPTH][TILE + 1];
  local float q[DEPTH][TILE + 1];
  const int t = get_local_id(0), across = (columns + TILE - 1) / TILE;
  const int a0 = (int)get_group_id(0) / across * TILE, c0 = (int)get_group_id(0) % across * TILE;
  const int k = (int)get_group_id(1) / parts, part = (int)get_group_id(1) % parts;
  const long n = offsets[k + 1] - offsets[k];
  const int first = offsets[k] + (int)(n * part / parts), last = offsets[k] + (int)(n * (part + 1) / parts);
  float sum[EACH_A][EACH_C];
  UNROLL for (int i = 0; i < EACH_A; ++i) UNROLL for (int j = 0; j < EACH_C; ++j) sum[i][j] = 0.0f;
  for (int e0 = first; e0 < last; e0 += DEPTH) {
    for (int i = t; i < DEPTH * TILE; i += ITEMS) {
      const int e = e0 + i / TILE, a = a0 + i % TILE, c = c0 + i % TILE;
      p[i / TILE][i % TILE] = e < last && a < rows ? at_x(x, (long)ROW_OF(in, e) * rows + a) : 0.0f;
      q[i / TILE][i % TILE] = e < last && c < columns ? at_x(g, (long)ROW_OF(out, e) * columns + c) : 0.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    UNROLL for (int e = 0; e < DEPTH; ++e) {
      float u[EACH_A], v[EACH_C];
      UNROLL for (int i = 0; i < EACH_A; ++i) u[i] = p[e][i * 8 + t / 16];
      UNROLL for (int j = 0; j < EACH_C; ++j) v[j] = q[e][j * 16 + t % 16];
      UNROLL for (int i = 0; i < EACH_A; ++i) UNROLL for (int j = 0; j < EACH_C; ++j) sum[i][j] =
          fma(u[i], v[j], sum[i][j]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  UNROLL for (int i = 0; i < EACH_A; ++i) UNROLL for (int j = 0; j < EACH_C; ++j) {
    const int a = a0 + i * 8 + t / 16, c = c0 + j * 16 + t % 16;
    if (a < rows && c < columns) partial[((long)get_group_id(1) * rows + a) * columns + c] = sum[i][j];
  }
}

// partial[part][c] = sum over the part's rows of g
kernel void sum_columns(global const X_t* g, long rows, int columns, int parts, global float* partial) {
  const long i = get_global_id(0);
  if (i >= (long)parts * columns) return;
  const long part = i / columns;
  float sum = 0.0f;
  for (long r = rows * part / parts; r < rows * (part + 1) / parts; ++r) sum += at_x(g, r * columns + i % columns);
  partial[i] = sum;
}

// to(k, a, c) = sum over parts of partial[k][part][a][c]
kernel void add_parts(global const float* partial, int parts, long size, int rows, int columns, long stride_k,
                      long stride_a, long stride_c, global X_t* to) {
  const long i = get_global_id(0);
  if (i >= size) return;
  const long cell = (long)rows * columns, k = i / cell;
  float sum = 0.0f;
  for (int part = 0; part < parts; ++part) sum += partial[(k * parts + part) * cell + i % cell];
  put_x(to, k * stride_k + i % cell / columns * stride_a + i % columns * stride_c, sum);
}

#endif  // TILE
#endif  // INDEX
