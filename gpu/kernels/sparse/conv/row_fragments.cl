// A tile product on matrix units, after fragments.cl: ROWS rows and COLUMNS columns, DEPTH terms at a time from local
// memory. Each of WARPS warps takes 32 rows and all columns, a work-item float sum[2][COLUMNS / 8][4] of them. A kernel
// has warp and lane, where its work-item is. Macros, so that sums surely stay in registers.
#define ROWS 128
#define WARPS 4
#define ITEMS (32 * WARPS)

#define CLEAR(sum)                                                                                                   \
  UNROLL for (int i = 0; i < 2; ++i) UNROLL for (int n = 0; n < COLUMNS / 8; ++n) UNROLL for (int j = 0; j < 4; ++j) \
      sum[i][n][j] = 0.0f

// a: all rows; b: all columns
#define MULTIPLY_TILES(a, b, sum)                                      \
  UNROLL for (int c = 0; c < DEPTH; c += 16) {                         \
    const Left a0 = left_at((a) + warp * 32 * PITCH + c, lane);        \
    const Left a1 = left_at((a) + (warp * 32 + 16) * PITCH + c, lane); \
    UNROLL for (int n = 0; n < COLUMNS / 8; ++n) {                     \
      const Right f = right_at((b) + n * 8 * PITCH + c, lane);         \
      multiply(sum[0][n], a0, f);                                      \
      multiply(sum[1][n], a1, f);                                      \
    }                                                                  \
  }
