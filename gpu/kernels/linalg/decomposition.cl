// Cholesky factorisation of lower problems: L L^T = A, or of A^T if the upper factor is asked for.
//
// Options: X, f32 or f64.
//
// One matrix: a working square w, right-looking over blocks of NB columns.
//
//        k      k+NB        n
//      k +------+
//        | D    |                diagonal  D becomes its factor, in one work-group
//   k+NB +------+-----------+
//        | P    | C         |    panel     P = P D^-T, a work-item per row
//      n +------+-----------+    trailing  C -= P P^T, lower tiles only; the first one then factors the next D,
//                                          while the others are still at work
//
// Many small ones: a work-group per matrix, all of it in local memory.
// failed[matrix] is the first pivot that is not positive, or -1; work goes on with what results.

#include "element.cl"

typedef X_t T;
typedef X_v4 T4;
#define EACH (X == f64 ? 4 : 8)
#define NB 64    // columns of a block
#define SUB 16   // columns in registers at once
#define ROWS 64  // of the panel per work-group
#define SIDE 16  // work-items on a side of a tile
#define TILE (SIDE * EACH)
#define GROUP (SIDE * SIDE)
#define LD (NB + 1)

// Neither zero or below, nor NaN, nor infinite.
bool positive(const T pivot) { return pivot > (T)0 && pivot - pivot == (T)0; }

// Element (i, j), i >= j, of the lower problem, to a square with zeros above its diagonal.
__kernel void load_lower(__global const T* a, __global T* w, const long n, const int upper, const long total) {
  const long e = get_global_id(0);
  if (e >= total) return;
  const long i = e / n % n, j = e % n, base = e - i * n - j;
  w[e] = j > i ? (T)0 : a[base + (upper ? j * n + i : i * n + j)];
}

__kernel __attribute__((reqd_work_group_size(16, 16, 1))) void transpose(__global const T* w, __global T* out,
                                                                         const long n) {
  __local T tile[16][17];
  const long base = (long)get_group_id(2) * n * n;
  const long i = get_group_id(1) * 16, j = get_group_id(0) * 16;
  const int y = get_local_id(1), x = get_local_id(0);
  if (i + y < n && j + x < n) tile[y][x] = w[base + (i + y) * n + j + x];
  barrier(CLK_LOCAL_MEM_FENCE);
  if (j + y < n && i + x < n) out[base + (j + y) * n + i + x] = tile[x][y];
}

// ---- In local memory: a square of rows LD apart, factored by a group of `width` work-items, this one being t ----

// Rows from p + count on of columns [p, p + count), a work-item per row:
// x_j = (x_j - sum_(q<j) x_q l_jq) / l_jj.
void solve_rows(__local T* s, const int p, const int count, const int size, const int t, const int width) {
  for (int i = p + count + t; i < size; i += width) {
    __local T* x = s + i * LD + p;
    for (int j = 0; j < count; ++j) {
      __local const T* l = s + (p + j) * LD + p;
      T sum = x[j];
      for (int q = 0; q < j; ++q) sum = fma(-x[q], l[q], sum);
      x[j] = sum / l[j];
    }
  }
}

// Columns [p, p + count) of their own rows, one column at a time, a work-item per row.
void factor_corner(__local T* s, const int p, const int count, const int t, __global int* failed, const int pivot) {
  for (int j = 0; j < count; ++j) {
    __local const T* row = s + (p + j) * LD + p;
    __local T* own = s + (p + t) * LD + p;
    const bool below = t >= j && t < count;
    T sum = (T)0;
    if (below) {
      sum = own[j];
      for (int q = 0; q < j; ++q) sum = fma(-own[q], row[q], sum);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (t == j) {
      if (!positive(sum) && *failed < 0) *failed = pivot + j;
      own[j] = sqrt(sum);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (below && t > j) own[j] = sum / row[j];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
}

// Factors the size x size square; what lies above its diagonal is neither read nor written.
void factor_local(__local T* s, const int size, const int t, const int width, __global int* failed, const int pivot) {
  for (int p = 0; p < size; p += SUB) {
    const int count = min(SUB, size - p), rest = size - p - count;
    factor_corner(s, p, count, t, failed, pivot + p);
    solve_rows(s, p, count, size, t, width);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int e = t; e < rest * rest; e += width) {
      const int i = p + count + e / rest, j = p + count + e % rest;
      if (j > i) continue;
      T sum = (T)0;
      for (int q = p; q < p + count; ++q) sum = fma(s[i * LD + q], s[j * LD + q], sum);
      s[i * LD + j] -= sum;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
}

// ---- Many small matrices, n <= NB: a group of 64 for each ----

__kernel __attribute__((reqd_work_group_size(NB, 1, 1))) void small(__global const T* a, __global T* out,
                                                                    __global int* failed, const int n,
                                                                    const int upper) {
  __local T s[NB * LD];
  const int t = (int)get_local_id(0);
  const long base = (long)get_group_id(0) * n * n;
  for (int e = t; e < n * n; e += NB) {
    const int row = e / n, column = e % n, i = upper ? column : row, j = upper ? row : column;
    if (j <= i) s[i * LD + j] = a[base + e];
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  factor_local(s, n, t, NB, failed + get_group_id(0), 0);
  for (int e = t; e < n * n; e += NB) {
    const int row = e / n, column = e % n, i = upper ? column : row, j = upper ? row : column;
    out[base + e] = j <= i ? s[i * LD + j] : (T)0;
  }
}

// ---- One matrix by blocks; the last axis of the grid is the batch ----

// The first block; trailing() sees to the others.
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void diagonal(__global T* w, __global int* failed,
                                                                          const long n) {
  __local T s[NB * LD];
  const int size = (int)min((long)NB, n), t = (int)get_local_id(0);
  __global T* d = w + (long)get_group_id(0) * n * n;
  for (int e = t; e < size * size; e += GROUP) {
    if (e % size <= e / size) s[e / size * LD + e % size] = d[e / size * n + e % size];
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  factor_local(s, size, t, GROUP, failed + get_group_id(0), 0);
  for (int e = t; e < size * size; e += GROUP) {
    if (e % size <= e / size) d[e / size * n + e % size] = s[e / size * LD + e % size];
  }
}

// P = P D^-T for ROWS rows, each work-item one row, SUB columns of it in registers at a time. D lies transposed.
__kernel __attribute__((reqd_work_group_size(ROWS, 1, 1))) void panel(__global T* w, const long n, const long k) {
  __local T d[NB * NB], p[ROWS * (SUB + 1)];
  const int t = (int)get_local_id(0);
  __global T* base = w + (long)get_group_id(1) * n * n;
  const long first = k + NB + (long)get_group_id(0) * ROWS;
  const int rows = (int)min((long)ROWS, n - first);
  for (int e = t; e < NB * NB; e += ROWS) d[e % NB * NB + e / NB] = base[(k + e / NB) * n + k + e % NB];
  __global T* own = base + (first + t) * n + k;
  for (int c = 0; c < NB; c += SUB) {
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int e = t; e < rows * SUB; e += ROWS) {
      p[e / SUB * (SUB + 1) + e % SUB] = base[(first + e / SUB) * n + k + c + e % SUB];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (t < rows) {
      T4 sum[SUB / 4];
      for (int v = 0; v < SUB / 4; ++v) sum[v] = (T4)(0);
      for (int q = 0; q < c; ++q) {  // columns that this group has finished
        const T4 solved = (T4)(own[q]);
        for (int v = 0; v < SUB / 4; ++v) sum[v] = fma(solved, vload4(v, d + q * NB + c), sum[v]);
      }
      T x[SUB];
      for (int v = 0; v < SUB / 4; ++v) vstore4(sum[v], v, x);
      for (int j = 0; j < SUB; ++j) x[j] = p[t * (SUB + 1) + j] - x[j];
      for (int j = 0; j < SUB; ++j) {
        x[j] /= d[(c + j) * NB + c + j];
        for (int i = j + 1; i < SUB; ++i) x[i] = fma(-x[j], d[(c + j) * NB + c + i], x[i]);
      }
      for (int j = 0; j < SUB; ++j) p[t * (SUB + 1) + j] = x[j];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int e = t; e < rows * SUB; e += ROWS) {
      base[(first + e / SUB) * n + k + c + e % SUB] = p[e / SUB * (SUB + 1) + e % SUB];
    }
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
  }
}

// Lower tiles in one row: (0,0) (1,0) (1,1) (2,0) ...
int tile_row(const int g) {
  int row = (int)((sqrt(8.0f * (float)g + 1.0f) - 1.0f) / 2);
  while ((row + 1) * (row + 2) / 2 <= g) ++row;
  while (row * (row + 1) / 2 > g) --row;
  return row;
}

// C -= P P^T on a tile of TILE x TILE, EACH x EACH elements per work-item, SUB columns of the panel at a time.
// Rows and columns of a work-item come in runs of 4.
#define PITCH (TILE + 4)
#define PLACE(i, lane) ((i) / 4 * (4 * SIDE) + 4 * (lane) + (i) % 4)
#define AREA (2 * SUB * PITCH > NB * LD ? 2 * SUB * PITCH : NB * LD)
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void trailing(__global T* w, __global int* failed,
                                                                          const long n, const long k) {
  __local T area[AREA];  // the operands; afterwards, in the first tile, the next diagonal block
  __local T *a = area, *b = area + SUB * PITCH;
  const int g = (int)get_group_id(0), row = tile_row(g), column = g - row * (row + 1) / 2;
  __global T* base = w + (long)get_group_id(1) * n * n;
  const long i0 = k + NB + (long)row * TILE, j0 = k + NB + (long)column * TILE;
  const int t = (int)get_local_id(0), x = t % SIDE, y = t / SIDE;
  T sum[EACH][EACH];
  for (int r = 0; r < EACH; ++r) {
    for (int c = 0; c < EACH; ++c) sum[r][c] = (T)0;
  }
  for (int q0 = 0; q0 < NB; q0 += SUB) {
    for (int e = t; e < TILE * SUB; e += GROUP) {
      const int r = e / SUB, q = e % SUB;
      a[q * PITCH + r] = i0 + r < n ? base[(i0 + r) * n + k + q0 + q] : (T)0;
      b[q * PITCH + r] = j0 + r < n ? base[(j0 + r) * n + k + q0 + q] : (T)0;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int q = 0; q < SUB; ++q) {
      T ar[EACH], bc[EACH];
      for (int v = 0; v < EACH; v += 4) {
        vstore4(vload4(0, a + q * PITCH + PLACE(v, y)), 0, ar + v);
        vstore4(vload4(0, b + q * PITCH + PLACE(v, x)), 0, bc + v);
      }
      for (int r = 0; r < EACH; ++r) {
        for (int c = 0; c < EACH; ++c) sum[r][c] = fma(ar[r], bc[c], sum[r][c]);
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  for (int r = 0; r < EACH; ++r) {
    const long i = i0 + PLACE(r, y);
    for (int c = 0; c < EACH; ++c) {
      const long j = j0 + PLACE(c, x);
      if (i >= n || j > i) continue;
      const T value = base[i * n + j] - sum[r][c];
      if (g == 0 && i - i0 < NB) {
        area[(i - i0) * LD + j - j0] = value;
      } else {
        base[i * n + j] = value;
      }
    }
  }
  if (g != 0) return;
  const int size = (int)min((long)NB, n - i0);
  barrier(CLK_LOCAL_MEM_FENCE);
  factor_local(area, size, t, GROUP, failed + get_group_id(1), (int)i0);
  for (int e = t; e < size * size; e += GROUP) {
    if (e % size <= e / size) base[(i0 + e / size) * n + i0 + e % size] = area[e / size * LD + e % size];
  }
}
