// Cholesky factorisation of lower problems: L L^T = A, or of A^T if the upper factor is asked for.
//
// Options: T, float or double.
//
// One matrix: a working square w, right-looking over blocks of NB columns.
//
//        k      k+NB        n
//      k +------+
//        | D    |                diagonal  D becomes its factor, in one work-group
//   k+NB +------+-----------+
//        | P    | C         |    panel     P = P D^-T, a work-item per row
//      n +------+-----------+    trailing  C -= P P^T, lower tiles only
//
// Many small ones: a work-group per matrix, all of it in local memory.
// failed[matrix] is the first pivot that is not positive, or -1; work goes on with what results.

#pragma OPENCL FP_CONTRACT OFF
#ifdef DOUBLE
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#define T double
#else
#define T float
#endif

#define NB 64
#define SUB 16
#define GROUP 64

// Neither zero or below, nor NaN, nor infinite.
bool positive(const T pivot) { return pivot > (T)0 && pivot - pivot == (T)0; }

// Element (i, j), i >= j, of the lower problem, to a square with zeros above its diagonal.
__kernel void load_lower(__global const T* a, __global T* w, const long n, const int upper, const long total) {
  const long e = get_global_id(0);
  if (e >= total) return;
  const long i = e / n % n, j = e % n, base = e - i * n - j;
  w[e] = j > i ? (T)0 : a[base + (upper ? j * n + i : i * n + j)];
}

__kernel __attribute__((reqd_work_group_size(16, 16, 1)))
void transpose(__global const T* w, __global T* out, const long n) {
  __local T tile[16][17];
  const long base = (long)get_group_id(2) * n * n;
  const long i = get_group_id(1) * 16, j = get_group_id(0) * 16;
  const int y = get_local_id(1), x = get_local_id(0);
  if (i + y < n && j + x < n) tile[y][x] = w[base + (i + y) * n + j + x];
  barrier(CLK_LOCAL_MEM_FENCE);
  if (j + y < n && i + x < n) out[base + (j + y) * n + i + x] = tile[x][y];
}

// ---- In local memory: a square of rows LD apart, factored by the whole group ----

// Rows [first, size) of columns [p, p + SUB), given the factor of their first rows: forward substitution, one
// work-item per row. x_j = (x_j - sum_(q<j) x_q l_jq) / l_jj.
void solve_rows(__local T* s, const int ld, const int p, const int count, const int size) {
  for (int i = p + count + (int)get_local_id(0); i < size; i += GROUP) {
    __local T* x = s + i * ld + p;
    for (int j = 0; j < count; ++j) {
      __local const T* l = s + (p + j) * ld + p;
      T sum = x[j];
      for (int q = 0; q < j; ++q) sum = fma(-x[q], l[q], sum);
      x[j] = sum / l[j];
    }
  }
}

// Columns [p, p + count) of the rows from p on, one column at a time within the first `count` rows.
void factor_corner(__local T* s, const int ld, const int p, const int count, __global int* failed, const int pivot) {
  const int i = (int)get_local_id(0);
  for (int j = 0; j < count; ++j) {
    __local const T* row = s + (p + j) * ld + p;
    T sum = (T)0;
    if (i >= j && i < count) {
      __local const T* own = s + (p + i) * ld + p;
      sum = own[j];
      for (int q = 0; q < j; ++q) sum = fma(-own[q], row[q], sum);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (i == j) {
      if (!positive(sum) && *failed < 0) *failed = pivot + j;
      s[(p + j) * ld + p + j] = sqrt(sum);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (i > j && i < count) s[(p + i) * ld + p + j] = sum / s[(p + j) * ld + p + j];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
}

// Factors the size x size square; its upper triangle is neither read nor written.
void factor_local(__local T* s, const int ld, const int size, __global int* failed, const int pivot) {
  for (int p = 0; p < size; p += SUB) {
    const int count = min(SUB, size - p);
    factor_corner(s, ld, p, count, failed, pivot + p);
    solve_rows(s, ld, p, count, size);
    barrier(CLK_LOCAL_MEM_FENCE);
    const int rest = size - p - count;
    for (int e = (int)get_local_id(0); e < rest * rest; e += GROUP) {
      const int i = p + count + e / rest, j = p + count + e % rest;
      if (j > i) continue;
      T sum = (T)0;
      for (int q = p; q < p + count; ++q) sum = fma(s[i * ld + q], s[j * ld + q], sum);
      s[i * ld + j] -= sum;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
}

// ---- Many small matrices, n <= NB ----

__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void small(__global const T* a, __global T* out, __global int* failed, const int n, const int upper) {
  __local T s[NB * (NB + 1)];
  const int ld = NB + 1;
  const long base = (long)get_group_id(0) * n * n;
  for (int e = (int)get_local_id(0); e < n * n; e += GROUP) {
    const int row = e / n, column = e % n, i = upper ? column : row, j = upper ? row : column;
    if (j <= i) s[i * ld + j] = a[base + e];
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  factor_local(s, ld, n, failed + get_group_id(0), 0);
  for (int e = (int)get_local_id(0); e < n * n; e += GROUP) {
    const int row = e / n, column = e % n, i = upper ? column : row, j = upper ? row : column;
    out[base + e] = j <= i ? s[i * ld + j] : (T)0;
  }
}

// ---- One matrix by blocks; the last axis of the grid is the batch ----

__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void diagonal(__global T* w, __global int* failed, const long n, const long k) {
  __local T s[NB * (NB + 1)];
  const int ld = NB + 1, size = (int)min((long)NB, n - k), t = (int)get_local_id(0);
  __global T* d = w + (long)get_group_id(0) * n * n + k * n + k;
  for (int e = t; e < size * size; e += GROUP) {
    if (e % size <= e / size) s[e / size * ld + e % size] = d[e / size * n + e % size];
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  factor_local(s, ld, size, failed + get_group_id(0), (int)k);
  for (int e = t; e < size * size; e += GROUP) {
    if (e % size <= e / size) d[e / size * n + e % size] = s[e / size * ld + e % size];
  }
}

// P = P D^-T for GROUP rows, each work-item one row, SUB columns of it in registers at a time.
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void panel(__global T* w, const long n, const long k) {
  __local T d[NB * NB];
  __local T p[GROUP * (SUB + 1)];
  const int t = (int)get_local_id(0);
  __global T* base = w + (long)get_group_id(1) * n * n;
  __global const T* from = base + k * n + k;
  const long first = k + NB + (long)get_group_id(0) * GROUP;
  const int rows = (int)min((long)GROUP, n - first);
  for (int e = t; e < NB * NB; e += GROUP) d[e] = from[e / NB * n + e % NB];
  __global T* own = base + (first + t) * n + k;
  for (int c = 0; c < NB; c += SUB) {
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int e = t; e < rows * SUB; e += GROUP) {
      p[e / SUB * (SUB + 1) + e % SUB] = base[(first + e / SUB) * n + k + c + e % SUB];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    T x[SUB];
    if (t < rows) {
      for (int j = 0; j < SUB; ++j) x[j] = (T)0;
      for (int q = 0; q < c; ++q) {  // columns solved before, written by this very work-item's group
        const T solved = own[q];
        for (int j = 0; j < SUB; ++j) x[j] = fma(solved, d[(c + j) * NB + q], x[j]);
      }
      for (int j = 0; j < SUB; ++j) x[j] = p[t * (SUB + 1) + j] - x[j];
      for (int j = 0; j < SUB; ++j) {
        x[j] /= d[(c + j) * NB + c + j];
        for (int i = j + 1; i < SUB; ++i) x[i] = fma(-x[j], d[(c + i) * NB + c + j], x[i]);
      }
      for (int j = 0; j < SUB; ++j) p[t * (SUB + 1) + j] = x[j];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int e = t; e < rows * SUB; e += GROUP) {
      base[(first + e / SUB) * n + k + c + e % SUB] = p[e / SUB * (SUB + 1) + e % SUB];
    }
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
  }
}

// C -= P P^T on a tile of NB x NB, 4 x 4 elements per work-item, SUB columns of the panel at a time.
#define SIDE 16
#define EACH (NB / SIDE)
__kernel __attribute__((reqd_work_group_size(SIDE, SIDE, 1)))
void trailing(__global T* w, const long n, const long k, const int tiles) {
  __local T a[SUB][NB + 1], b[SUB][NB + 1];
  // Lower tiles in one row: (0,0) (1,0) (1,1) (2,0) ...
  const int g = (int)get_group_id(0);
  int row = (int)((sqrt(8.0f * (float)g + 1.0f) - 1.0f) / 2);
  while ((row + 1) * (row + 2) / 2 <= g) ++row;
  while (row * (row + 1) / 2 > g) --row;
  const int column = g - row * (row + 1) / 2;
  if (row >= tiles) return;
  __global T* base = w + (long)get_group_id(2) * n * n;
  const long i0 = k + NB + (long)row * NB, j0 = k + NB + (long)column * NB;
  const int x = (int)get_local_id(0), y = (int)get_local_id(1), t = y * SIDE + x;
  T sum[EACH][EACH];
  for (int r = 0; r < EACH; ++r) {
    for (int c = 0; c < EACH; ++c) sum[r][c] = (T)0;
  }
  for (int q0 = 0; q0 < NB; q0 += SUB) {
    for (int e = t; e < NB * SUB; e += SIDE * SIDE) {
      const int r = e / SUB, q = e % SUB;
      a[q][r] = i0 + r < n ? base[(i0 + r) * n + k + q0 + q] : (T)0;
      b[q][r] = j0 + r < n ? base[(j0 + r) * n + k + q0 + q] : (T)0;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int q = 0; q < SUB; ++q) {
      T ar[EACH], bc[EACH];
      for (int r = 0; r < EACH; ++r) ar[r] = a[q][y + r * SIDE];
      for (int c = 0; c < EACH; ++c) bc[c] = b[q][x + c * SIDE];
      for (int r = 0; r < EACH; ++r) {
        for (int c = 0; c < EACH; ++c) sum[r][c] = fma(ar[r], bc[c], sum[r][c]);
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  for (int r = 0; r < EACH; ++r) {
    const long i = i0 + y + r * SIDE;
    for (int c = 0; c < EACH; ++c) {
      const long j = j0 + x + c * SIDE;
      if (i < n && j <= i) base[i * n + j] -= sum[r][c];
    }
  }
}
