// Batches of dense matrices, rows adjacent: factored with partial pivoting, and systems with them solved, by blocks.
//
// Options: X, f32 or f64, that all is computed in; WIDE where it is f64.
//
//   factor_small   a matrix of at most SMALL rows and columns: a work-group for each, all of it in local memory
//   factor_panel   NB columns from k on, a work-group for each matrix: exchanges whole rows
//   solve_block    x = t^-1 x for NB rows, t a triangle on the diagonal; a work-item for each column of x
//   update         c = a b or c -= a b by tiles, for what lies beyond the block
//
// A pivot is the first of the largest magnitudes of its column; no NaN is one but where it stands.

#include "element.cl"

typedef X_t T;
#define NB 32  // as in gpu/linalg/solve/dense.cpp, as are the others
#define SMALL 64
#define LD (SMALL + 1)
#define GROUP 256
#define SIDE 16
#define TILE (4 * SIDE)

// The greater magnitude, of equal ones the upper row: into place 0 of both. All of `width` work-items call it.
void upmost(__local T* value, __local int* row, const int t, const int width) {
  for (int step = width / 2; step > 0; step /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (t >= step) continue;
    const T mine = value[t], other = value[t + step];
    if (other > mine || (other == mine && row[t + step] < row[t])) {
      value[t] = other;
      row[t] = row[t + step];
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
}

// What a row is worth as a pivot of row j: its own NaN more than anything, that of another nothing.
T worth(const T x, const int own) { return isnan(x) ? (own ? (T)INFINITY : (T)-1) : fabs(x); }

__kernel __attribute__((reqd_work_group_size(SMALL, 1, 1))) void factor_small(__global T* w, __global int* pivots,
                                                                              const int m, const int n) {
  __local T s[SMALL * LD];
  __local T value[SMALL];
  __local int row[SMALL];
  const int t = (int)get_local_id(0), steps = min(m, n);
  __global T* own = w + (long)get_group_id(0) * m * n;
  for (int e = t; e < m * n; e += SMALL) s[e / n * LD + e % n] = own[e];
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int j = 0; j < steps; ++j) {
    value[t] = t >= j && t < m ? worth(s[t * LD + j], t == j) : (T)-2;
    row[t] = t;
    upmost(value, row, t, SMALL);
    const int p = row[0];
    if (t == 0) pivots[(long)get_group_id(0) * steps + j] = p;
    if (p != j && t < n) {
      const T swapped = s[j * LD + t];
      s[j * LD + t] = s[p * LD + t];
      s[p * LD + t] = swapped;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    const T pivot = s[j * LD + j];
    if (t > j && t < m && pivot != (T)0) s[t * LD + j] /= pivot;
    barrier(CLK_LOCAL_MEM_FENCE);
    const int rest = n - j - 1;
    for (int e = t; e < (m - j - 1) * rest; e += SMALL) {
      const int i = j + 1 + e / rest, c = j + 1 + e % rest;
      s[i * LD + c] = fma(-s[i * LD + j], s[j * LD + c], s[i * LD + c]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  for (int e = t; e < m * n; e += SMALL) own[e] = s[e / n * LD + e % n];
}

__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void factor_panel(__global T* w, __global int* pivots,
                                                                              const long m, const long n,
                                                                              const long k) {
  __local T value[GROUP];
  __local int row[GROUP];
  const int t = (int)get_local_id(0), lane = t % NB;
  const long steps = min(m, n), last = min(k + NB, steps);
  __global T* a = w + (long)get_group_id(0) * m * n;
  for (long j = k; j < last; ++j) {
    T most = (T)-2;
    int best = (int)j;
    for (long i = j + t; i < m; i += GROUP) {
      const T x = worth(a[i * n + j], i == j);
      if (x > most) {
        most = x;
        best = (int)i;
      }
    }
    value[t] = most;
    row[t] = best;
    upmost(value, row, t, GROUP);
    const long p = row[0];
    if (t == 0) pivots[(long)get_group_id(0) * steps + j] = (int)p;
    for (long c = t; p != j && c < n; c += GROUP) {
      const T swapped = a[j * n + c];
      a[j * n + c] = a[p * n + c];
      a[p * n + c] = swapped;
    }
    barrier(CLK_GLOBAL_MEM_FENCE | CLK_LOCAL_MEM_FENCE);
    const T pivot = a[j * n + j];
    for (long i = j + 1 + t; pivot != (T)0 && i < m; i += GROUP) a[i * n + j] /= pivot;
    barrier(CLK_GLOBAL_MEM_FENCE | CLK_LOCAL_MEM_FENCE);
    const long c = k + lane;
    for (long i = j + 1 + t / NB; i < m && c > j && c < last; i += GROUP / NB) {
      a[i * n + c] = fma(-a[i * n + j], a[j * n + c], a[i * n + c]);
    }
    barrier(CLK_GLOBAL_MEM_FENCE | CLK_LOCAL_MEM_FENCE);
  }
}

// size rows of x from x_at on, ldx apart: solved with the triangle at t_at of the matrix that `of` names, lower or
// upper, with a unit diagonal or its own; `blocks` groups of columns for each matrix.
__kernel __attribute__((reqd_work_group_size(SMALL, 1, 1))) void solve_block(
    __global const T* t, __global const long* of, const long t_size, const long t_at, const long ldt, __global T* x,
    const long x_size, const long x_at, const long ldx, const int size, const int upper, const int unit,
    const long columns, const long blocks) {
  __local T d[NB * (NB + 1)];
  const long matrix = get_group_id(0) / blocks, column = get_group_id(0) % blocks * SMALL + get_local_id(0);
  __global const T* own = t + of[matrix] * t_size + t_at;
  for (int e = (int)get_local_id(0); e < size * size; e += SMALL) {
    d[e / size * (NB + 1) + e % size] = own[e / size * ldt + e % size];
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  if (column >= columns) return;
  __global T* mine = x + matrix * x_size + x_at + column;
  for (int step = 0; step < size; ++step) {
    const int i = upper ? size - 1 - step : step;
    T sum = mine[i * ldx];
    for (int j = upper ? i + 1 : 0; j < (upper ? size : i); ++j) {
      sum = fma(-d[i * (NB + 1) + j], mine[j * ldx], sum);
    }
    mine[i * ldx] = unit ? sum : sum / d[i * (NB + 1) + i];
  }
}

// One operand of a product: element (i, j) of matrix t at data[of[t] size + at + i row + j column].
typedef struct {
  __global const T* data;
  long at, row, column;
} Operand;

void load_tile(__local T* to, const Operand a, const long i0, const long rows, const long j0, const long columns,
               const int transposed) {
  for (int e = (int)get_local_id(0); e < TILE * SIDE; e += GROUP) {
    const int i = transposed ? e / SIDE : e % TILE, q = transposed ? e % SIDE : e / TILE;
    const long r = i0 + i, c = j0 + q;
    to[q * (TILE + 1) + i] = r < rows && c < columns ? a.data[a.at + r * a.row + c * a.column] : (T)0;
  }
}

// c (rows x columns, ldc apart) = a b, or c -= a b, over `depth` terms in sequence.
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void update(
    __global const T* a, __global const long* of, const long a_size, const long a_at, const long a_row,
    const long a_column, __global const T* b, const long b_size, const long b_at, const long b_row, const long b_column,
    __global T* c, const long c_size, const long c_at, const long ldc, const long rows, const long columns,
    const long depth, const int subtract) {
  __local T left[SIDE * (TILE + 1)], right[SIDE * (TILE + 1)];
  const long across = (columns + TILE - 1) / TILE, tiles = (rows + TILE - 1) / TILE * across;
  const long matrix = get_group_id(0) / tiles, tile = get_group_id(0) % tiles;
  const long i0 = tile / across * TILE, j0 = tile % across * TILE;
  const Operand l = {a, of[matrix] * a_size + a_at, a_row, a_column};
  const Operand r = {b, matrix * b_size + b_at, b_column, b_row};
  const int y = (int)get_local_id(0) / SIDE, x = (int)get_local_id(0) % SIDE;
  T sum[4][4];
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j) sum[i][j] = (T)0;
  for (long q0 = 0; q0 < depth; q0 += SIDE) {
    load_tile(left, l, i0, rows, q0, depth, a_column == 1);
    load_tile(right, r, j0, columns, q0, depth, b_row == 1);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int q = 0; q < SIDE; ++q) {
      for (int i = 0; i < 4; ++i) {
        const T s = left[q * (TILE + 1) + y + i * SIDE];
        for (int j = 0; j < 4; ++j) sum[i][j] = fma(s, right[q * (TILE + 1) + x + j * SIDE], sum[i][j]);
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 4; ++j) {
      const long row = i0 + y + i * SIDE, column = j0 + x + j * SIDE;
      if (row >= rows || column >= columns) continue;
      __global T* to = c + matrix * c_size + c_at + row * ldc + column;
      *to = subtract ? *to - sum[i][j] : sum[i][j];
    }
  }
}

// ---- What lies before and after ----

// Matrices of `part` elements of any real dtype, each the one that `of` names, as T.
__kernel void load(__global const void* from, const int type, __global const long* of, const long part, __global T* to,
                   const long total) {
  const long e = get_global_id(0);
  if (e >= total) return;
  const long i = of[e / part] * part + e % part;
#ifdef WIDE
  to[e] = double_at(from, type, i);
#else
  to[e] = float_at(from, type, f32, i);
#endif
}

__kernel void identity(__global T* x, const long n, const long total) {
  const long e = get_global_id(0);
  if (e < total) x[e] = e % (n * n) % (n + 1) == 0 ? (T)1 : (T)0;
}

// Zeros beyond the triangle.
__kernel void clear(__global T* x, const long n, const int upper, const long total) {
  const long e = get_global_id(0), i = e / n % n, j = e % n;
  if (e < total && (upper ? j < i : j > i)) x[e] = (T)0;
}

// The exchanges of rows, in their order; a work-item for each column of x.
__kernel void exchange(__global T* x, __global const int* pivots, __global const long* of, const long n, const long k,
                       const long total) {
  const long e = get_global_id(0);
  if (e >= total) return;
  __global T* column = x + e / k * n * k + e % k;
  __global const int* p = pivots + of[e / k] * n;
  for (long j = 0; j < n; ++j) {
    const T other = column[p[j] * k];
    column[p[j] * k] = column[j * k];
    column[j * k] = other;
  }
}

// The first zero of each diagonal, or -1.
__kernel void zeros(__global const T* a, __global int* failed, const long n, const long matrices) {
  const long t = get_global_id(0);
  if (t >= matrices) return;
  long j = 0;
  while (j < n && a[t * n * n + j * (n + 1)] != (T)0) ++j;
  failed[t] = j < n ? (int)j : -1;
}

// L (m x k) and U (k x n) of packed factors, k = min(m, n); a work-item for each element of either.
__kernel void take_apart(__global const T* lu, __global T* l, __global T* u, const long m, const long n,
                         const long total) {
  const long e = get_global_id(0), k = min(m, n), both = m * k + k * n;
  if (e >= total) return;
  const long t = e / both, at = e % both;
  const int lower = at < m * k;
  const long i = lower ? at / k : (at - m * k) / n, j = lower ? at % k : (at - m * k) % n;
  const T x = lu[t * m * n + i * n + j];
  if (lower) l[t * m * k + at] = j < i ? x : j == i ? (T)1 : (T)0;
  else u[t * k * n + at - m * k] = j < i ? (T)0 : x;
}

// Row i of A is row p_i of L: the exchanges backwards. A work-item for each matrix.
__kernel void rows_back(__global const int* pivots, __global uint* p, const long m, const long k, const long matrices) {
  const long t = get_global_id(0);
  if (t >= matrices) return;
  for (long i = 0; i < m; ++i) p[t * m + i] = (uint)i;
  for (long j = k - 1; j >= 0; --j) {
    const long other = pivots[t * k + j];
    const uint mine = p[t * m + j];
    p[t * m + j] = p[t * m + other];
    p[t * m + other] = mine;
  }
}

void put(__global void* to, const int type, const long i, const T x) {
#ifdef WIDE
  put_f64((__global double*)to, i, x);
#else
  put_float(to, type, i, x);
#endif
}

// (-1)^exchanges times the product of the pivots, its exponent kept apart; or its sign and logarithm.
__kernel void determinants(__global const T* lu, __global const int* pivots, __global void* out,
                           __global void* logarithm, const int type, const int logs, const long n,
                           const long matrices) {
  const long t = get_global_id(0);
  if (t >= matrices) return;
  T mantissa = (T)1;
  long exponent = 0;
  for (long j = 0; j < n; ++j) {
    const T u = lu[t * n * n + j * (n + 1)];
    int e = 0, shift = 0;
    mantissa = frexp(mantissa * frexp(u, &e), &shift);
    if (pivots[t * n + j] != (int)j) mantissa = -mantissa;
    exponent += (long)e + shift;
  }
  if (!logs) {
    put(out, type, t, ldexp(mantissa, (int)clamp(exponent, -5000l, 5000l)));
    return;
  }
  put(out, type, t, isnan(mantissa) ? mantissa : mantissa > (T)0 ? (T)1 : mantissa < (T)0 ? (T)-1 : (T)0);
  const int low = fabs(mantissa) < (T)0.75;  // around 1, so that little is lost where both terms cancel
  const T m = low ? 2 * fabs(mantissa) : fabs(mantissa);
  put(logarithm, type, t, mantissa == (T)0 ? (T)-INFINITY : log(m) + (T)(exponent - low) * (T)0.6931471805599453094);
}
