// Cumulative tables: a row per work-item, its float32 sum in order; tiles of columns pass through local memory, so that
// neighbours read and write neighbouring addresses. Built for the type X of probabilities, f16 or f32.

#define ITEMS 64
#define COLUMNS 32

#include "element.cl"

// round(x), ties upwards, of 0 <= x <= 65536: the fraction is exact.
int rounded(float x) {
  const int whole = (int)x;
  return whole + (x - (float)whole >= 0.5f);
}

// bad: the lowest row with a probability that is not finite among those that are read.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void cdf_rows(global const X_t* prob, long symbols, long rows,
                                                                        global ushort* out, global int* bad) {
  local float x[ITEMS][COLUMNS + 1];
  local ushort bound[ITEMS][COLUMNS + 1];
  const int t = get_local_id(0), room = (int)(65536 - symbols);
  const long first = (long)get_group_id(0) * ITEMS, width = symbols + 1;
  const int here = (int)min((long)ITEMS, rows - first);
  float run = 0.0f;
  int wrong = 0;
  for (long j = 1; j < symbols; j += COLUMNS) {
    const int columns = (int)min((long)COLUMNS, symbols - j);
    for (int k = t; k < ITEMS * COLUMNS; k += ITEMS) {
      const int row = k / COLUMNS, column = k % COLUMNS;
      if (row < here && column < columns) x[row][column] = at_x(prob, (first + row) * symbols + j - 1 + column);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int column = 0; t < here && column < columns; ++column) {
      const float p = x[t][column];
      wrong |= !isfinite(p);
      run += p > 0.0f ? p < 1.0f ? p : 1.0f : 0.0f;
      const float scaled = run * (float)room;
      const int at = (int)j + column;
      bound[t][column] = (ushort)clamp(rounded(scaled < 65536.0f ? scaled : 65536.0f) + at, at, room + at);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int k = t; k < ITEMS * COLUMNS; k += ITEMS) {
      const int row = k / COLUMNS, column = k % COLUMNS;
      if (row < here && column < columns) out[(first + row) * width + j + column] = bound[row][column];
    }
  }
  if (t >= here) return;
  out[(first + t) * width] = out[(first + t) * width + symbols] = 0;
  if (wrong) atomic_min(bad, (int)(first + t));
}
