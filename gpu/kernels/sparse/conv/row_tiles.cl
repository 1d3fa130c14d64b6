// A tile product for every device, after unroll.cl: ROWS rows and COLUMNS columns by 128 work-items, DEPTH terms at a
// time from local memory, a[DEPTH][ROWS + 4] and b[DEPTH][COLUMNS]. Each work-item keeps float sum[8][8], of rows and
// columns in fours that lie half a tile apart. A kernel has r0 and n0, its work-item's first of either. Macros, so that
// sums surely stay in registers.
#define ROWS 128
#define COLUMNS 64
#define DEPTH 16
#define ROW(i) ((i) < 4 ? r0 + (i) : ROWS / 2 + r0 + (i)-4)
#define COLUMN(j) ((j) < 4 ? n0 + (j) : COLUMNS / 2 + n0 + (j)-4)

#define CLEAR(sum) UNROLL for (int i = 0; i < 8; ++i) UNROLL for (int j = 0; j < 8; ++j) sum[i][j] = 0.0f

#define MULTIPLY_TILES(a, b, sum)                                                                                 \
  UNROLL for (int c = 0; c < DEPTH; ++c) {                                                                        \
    float p[8], q[8];                                                                                             \
    UNROLL for (int i = 0; i < 4; ++i) {                                                                          \
      p[i] = a[c][r0 + i];                                                                                        \
      p[4 + i] = a[c][ROWS / 2 + r0 + i];                                                                         \
      q[i] = b[c][n0 + i];                                                                                        \
      q[4 + i] = b[c][COLUMNS / 2 + n0 + i];                                                                      \
    }                                                                                                             \
    UNROLL for (int i = 0; i < 8; ++i) UNROLL for (int j = 0; j < 8; ++j) sum[i][j] = fma(p[i], q[j], sum[i][j]); \
  }

// Terms c to c + 3 of row t.
void hold(local float (*a)[ROWS + 4], int c, int t, float4 v) {
  a[c][t] = v.x;
  a[c + 1][t] = v.y;
  a[c + 2][t] = v.z;
  a[c + 3][t] = v.w;
}
