// Projection, activations and dropout of feature matrices. Built for the features' type X and the result's type Y, f16
// or f32. All arithmetic is that of float. UNROLL: how far the innermost loop of a product is unrolled.

#include "array/random/threefry.cl"
#include "element.cl"

// y[n,c] = sum_a x[n,a] w[c,a] + bias[c]. A work-group of 16 x 16 computes 64 x 64 elements, a work-item every 16th
// row and column of them; each element is one chain of fma over all of a, and the bias is added to it.
#ifndef UNROLL
#define UNROLL 1
#endif
#define SIDE 16
#define BLOCK 4
#define TILE (SIDE * BLOCK)
#define DEPTH 16

__attribute__((reqd_work_group_size(SIDE, SIDE, 1))) kernel void linear(global const X_t* x, global const X_t* w,
                                                                        global const float* bias, int biased, long rows,
                                                                        int depth, int channels, global Y_t* y) {
  local float tile_x[DEPTH][TILE + 1], tile_w[DEPTH][TILE + 1];
  const int i = get_local_id(0), j = get_local_id(1), item = j * SIDE + i;
  const long row0 = (long)get_group_id(1) * TILE;
  const int column0 = get_group_id(0) * TILE;
  float sum[BLOCK][BLOCK];
  for (int r = 0; r < BLOCK; ++r)
    for (int c = 0; c < BLOCK; ++c) sum[r][c] = 0;
  for (int a0 = 0; a0 < depth; a0 += DEPTH) {
    for (int e = item; e < TILE * DEPTH; e += SIDE * SIDE) {
      const int line = e / DEPTH, a = a0 + e % DEPTH;
      const long row = row0 + line;
      const int column = column0 + line;
      tile_x[e % DEPTH][line] = row < rows && a < depth ? at_x(x, row * depth + a) : 0.0f;
      tile_w[e % DEPTH][line] = column < channels && a < depth ? at_x(w, (long)column * depth + a) : 0.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    const int used = min(DEPTH, depth - a0);
#pragma unroll UNROLL
    for (int a = 0; a < used; ++a)
      for (int r = 0; r < BLOCK; ++r)
        for (int c = 0; c < BLOCK; ++c) sum[r][c] = fma(tile_x[a][j + r * SIDE], tile_w[a][i + c * SIDE], sum[r][c]);
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  for (int r = 0; r < BLOCK; ++r)
    for (int c = 0; c < BLOCK; ++c) {
      const long row = row0 + j + r * SIDE;
      const int column = column0 + i + c * SIDE;
      if (row >= rows || column >= channels) continue;
      put_y(y, row * channels + column, biased ? sum[r][c] + bias[column] : sum[r][c]);
    }
}

// ---- activations, in the order of the names in features.cpp

enum { RELU, SIGMOID, TANH, SILU, GELU, LEAKY_RELU, SOFTPLUS, GELU_TANH, GELU_FAST };

// 1 / (1 + e^-w) from e^-|w|, which never overflows
float logistic(float w) {
  const float e = exp(-fabs(w));
  return (w < 0 ? e : 1.0f) / (1.0f + e);
}

// (1 - e) / (1 + e) for e = e^-2|x|, by e - 1 so that nothing cancels near 0
float tangent(float x) {
  const float m = expm1(-2.0f * fabs(x));
  return copysign(-m / (2.0f + m), x);
}

float applied(int kind, float x, float alpha, float beta, float cut) {
  switch (kind) {
    case RELU: return x <= 0 ? 0.0f : x;  // NaN stays
    case SIGMOID: return logistic(x);
    case TANH: return tangent(x);
    case SILU: return x * logistic(x);
    case GELU: return x * (0.5f * erfc(-x * 0.70710678118654752f));
    case GELU_TANH: return x * logistic(1.5957691216057308f * (x * (1.0f + 0.044715f * (x * x))));
    case GELU_FAST: return x * logistic(1.702f * x);
    case LEAKY_RELU: return x >= 0 ? x : alpha * x;
  }
  const float z = beta * x;
  return x > cut ? x : ((z > 0 ? z : 0.0f) + log1p(exp(-fabs(z)))) / beta;
}

kernel void activate(int kind, global const X_t* x, long n, float alpha, float beta, float cut, global Y_t* y) {
  const long i = get_global_id(0);
  if (i < n) put_y(y, i, applied(kind, at_x(x, i), alpha, beta, cut));
}

// ---- dropout: counter i decides elements i and i + gap

void drop(global const X_t* x, long i, uint word, ulong least, float scale, global Y_t* y) {
  put_y(y, i, word >= least ? at_x(x, i) * scale : 0.0f);
}

kernel void dropout(global const X_t* x, global const uint* key, long h, long gap, ulong least, float scale,
                    global Y_t* y) {
  const long i = get_global_id(0);
  if (i >= gap) return;
  const uint2 w = words_of(key, i, h, gap);
  drop(x, i, w.x, least, scale, y);
  if (i != h) drop(x, i + gap, w.y, least, scale, y);
}

kernel void copy_values(global const X_t* x, long n, global X_t* y) {
  const long i = get_global_id(0);
  if (i < n) y[i] = x[i];
}
