// QR factorisation by panels of NB columns, one work-group per matrix and panel, tiles of columns for all the rest.
//
// Options: X, f32 or f64.
//
//   scale     columns times powers of 2, so that no square leaves the range
//   panel     columns k .. k + NB become R and reflectors v (m x size, 1 on the diagonal), and the upper triangle T
//   with
//             H_k .. H_(k+width-1) = I - V T V^T
//   apply     C -= V T' V^T C for a tile of columns, T' either T^T (columns of A) or T (columns of Q)
//   finish_r, finish_q   powers taken back, zeros below the diagonal, NaN where an element of A was not finite

#include "element.cl"

typedef X_t T;
#define NB 16
#define GROUP 128
#define TILE 16
#define LANES (GROUP / TILE)
#define MOST_EXPONENT (X == f64 ? 1021 : 125)

// Held where 2^e and 2^-e are normal numbers.
int exponent_of(const T x) { return x > (T)0 ? min(MOST_EXPONENT, max(-MOST_EXPONENT, ilogb(x))) : 0; }

// A work-item per column; undefined starts as 0.
__kernel void scale(__global const T* a, __global T* w, __global int* exponents, __global int* undefined, const long m,
                    const long n, const long columns) {
  const long e = get_global_id(0);
  if (e >= columns) return;
  const long base = e / n * m * n + e % n;
  T most = (T)0, rest = (T)0;
  for (long i = 0; i < m; ++i) {
    const T x = a[base + i * n];
    most = fmax(most, fabs(x));
    rest += x - x;
  }
  if (!(rest == (T)0)) undefined[e / n] = 1;
  const int power = rest == (T)0 ? exponent_of(most) : 0;
  exponents[e] = power;
  for (long i = 0; i < m; ++i) w[base + i * n] = ldexp(a[base + i * n], -power);
}

// Of all work-items; every one gets it.
T sum_of_group(__local T* room, const int t, const T mine) {
  barrier(CLK_LOCAL_MEM_FENCE);
  room[t] = mine;
  for (int step = GROUP / 2; step > 0; step /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (t < step) room[t] += room[t + step];
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  return room[0];
}
T most_of_group(__local T* room, const int t, const T mine) {
  barrier(CLK_LOCAL_MEM_FENCE);
  room[t] = mine;
  for (int step = GROUP / 2; step > 0; step /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (t < step) room[t] = fmax(room[t], room[t + step]);
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  return room[0];
}

// v_k of column k into v, r_kk onto the diagonal of w: b = -sign(x_k) ||x||, v_i = x_i / (x_k - b), tau = (b - x_k) /
// b, all times a power of 2; tau = 0 where nothing lies below. Returns tau.
T reflector(__global T* w, __global T* v, __local T* room, const long m, const long n, const long size, const long k,
            const long first, const int t) {
  T most = (T)0, squares = (T)0;
  for (long i = k + t; i < m; i += GROUP) most = fmax(most, fabs(w[i * n + k]));
  const int power = exponent_of(most_of_group(room, t, most));
  for (long i = k + 1 + t; i < m; i += GROUP) {
    const T x = ldexp(w[i * n + k], -power);
    squares = fma(x, x, squares);
  }
  const T tail = sum_of_group(room, t, squares), x = ldexp(w[k * n + k], -power);
  const T norm = sqrt(fma(x, x, tail)), b = signbit(x) ? norm : -norm;
  const bool active = tail > (T)0;
  const T inverse = active ? (T)1 / (x - b) : (T)0;
  barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
  for (long i = first + t; i < m; i += GROUP) {
    v[i * size + k] = i < k ? (T)0 : i == k ? (T)1 : ldexp(w[i * n + k], -power) * inverse;
  }
  if (t == 0 && active) w[k * n + k] = ldexp(b, power);
  return active ? (b - x) / b : (T)0;
}

__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void panel(__global T* all, __global T* reflectors,
                                                                       __global T* triangles, const long m,
                                                                       const long n, const long first) {
  __local T room[GROUP], sums[GROUP * NB], g[NB], triangle[NB * NB];
  const int t = (int)get_local_id(0);
  const long size = min(m, n), panels = (size + NB - 1) / NB, matrix = get_group_id(0);
  const int width = (int)min((long)NB, size - first);
  __global T* w = all + matrix * m * n;
  __global T* v = reflectors + matrix * m * size;
  for (int e = t; e < NB * NB; e += GROUP) triangle[e] = (T)0;
  for (int c = 0; c < width; ++c) {
    const long k = first + c;
    const T tau = reflector(w, v, room, m, n, size, k, first, t);
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
    // (v_k, v_j) of the columns before, (v_k, a_j) of those behind.
    T own[NB];
    for (int j = 0; j < NB; ++j) own[j] = (T)0;
    for (long i = k + t; i < m; i += GROUP) {
      const T x = v[i * size + k];
      for (int j = 0; j < width; ++j) own[j] = fma(x, j < c ? v[i * size + first + j] : w[i * n + first + j], own[j]);
    }
    for (int j = 0; j < NB; ++j) sums[j * GROUP + t] = own[j];
    barrier(CLK_LOCAL_MEM_FENCE);
    if (t < width) {
      T s = (T)0;
      for (int l = 0; l < GROUP; ++l) s += sums[t * GROUP + l];
      g[t] = t > c ? tau * s : s;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (t < c) {
      T s = (T)0;
      for (int l = t; l < c; ++l) s = fma(triangle[t * NB + l], g[l], s);
      triangle[t * NB + c] = -tau * s;
    }
    if (t == c) triangle[c * NB + c] = tau;
    for (long i = k + t; i < m; i += GROUP) {
      const T x = -v[i * size + k];
      for (int j = c + 1; j < width; ++j) w[i * n + first + j] = fma(x, g[j], w[i * n + first + j]);
    }
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
  }
  __global T* out = triangles + (matrix * panels + first / NB) * NB * NB;
  for (int e = t; e < NB * NB; e += GROUP) out[e] = triangle[e];
}

// Columns [from, columns) of c, rows `columns` apart, in tiles: group 0 of the grid is the tile, 1 the matrix.
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void apply(__global T* all, __global const T* reflectors,
                                                                       __global const T* triangles, const long m,
                                                                       const long size, const long columns,
                                                                       const long from, const long first,
                                                                       const int transposed) {
  __local T sums[LANES * NB * TILE], products[NB * TILE];
  const int t = (int)get_local_id(0), column = t % TILE, lane = t / TILE;
  const long panels = (size + NB - 1) / NB, matrix = get_group_id(1);
  const long j = from + (long)get_group_id(0) * TILE + column;
  const int width = (int)min((long)NB, size - first);
  const bool inside = j < columns;
  __global T* c = all + matrix * m * columns;
  __global const T* v = reflectors + matrix * m * size + first;
  __global const T* triangle = triangles + (matrix * panels + first / NB) * NB * NB;
  T own[NB];
  for (int p = 0; p < NB; ++p) own[p] = (T)0;
  for (long i = first + lane; i < m && inside; i += LANES) {
    const T x = c[i * columns + j];
    for (int p = 0; p < width; ++p) own[p] = fma(v[i * size + p], x, own[p]);
  }
  for (int p = 0; p < NB; ++p) sums[(lane * NB + p) * TILE + column] = own[p];
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int p = lane; p < NB; p += LANES) {
    T s = (T)0;
    for (int l = 0; l < LANES; ++l) s += sums[(l * NB + p) * TILE + column];
    products[p * TILE + column] = s;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int p = 0; p < NB; ++p) {
    T s = (T)0;
    for (int q = 0; q < NB; ++q)
      s = fma(triangle[transposed ? q * NB + p : p * NB + q], products[q * TILE + column], s);
    own[p] = s;
  }
  for (long i = first + lane; i < m && inside; i += LANES) {
    T x = c[i * columns + j];
    for (int p = 0; p < width; ++p) x = fma(-v[i * size + p], own[p], x);
    c[i * columns + j] = x;
  }
}

__kernel void identity(__global T* q, const long m, const long size, const long total) {
  const long e = get_global_id(0);
  if (e < total) q[e] = e % (m * size) / size == e % size ? (T)1 : (T)0;
}

__kernel void finish_q(__global T* q, __global const int* undefined, const long each, const long total) {
  const long e = get_global_id(0);
  if (e < total && undefined[e / each]) q[e] = (T)NAN;
}

__kernel void finish_r(__global const T* w, __global const int* exponents, __global const int* undefined, __global T* r,
                       const long m, const long n, const long size, const long total) {
  const long e = get_global_id(0);
  if (e >= total) return;
  const long matrix = e / (size * n), i = e / n % size, j = e % n;
  const T x = undefined[matrix] ? (T)NAN : ldexp(w[matrix * m * n + i * n + j], exponents[matrix * n + j]);
  r[e] = j < i ? (T)0 : x;
}
