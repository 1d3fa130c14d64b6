// The tiled Cholesky factorisation (plans/linalg/tiled.h), of lower problems: a square w, factored in place.
//
// Options: X, f32 or f64.
//
//   load      element (i, j), i >= j, of one matrix or its transpose, of f32 or f64, to w; zeros above the diagonal
//   floors    below which there is no pivot
//   diagonal  block [k, e) by one work-group, one work-item or all of them
//   panel     the rows from e on, a work-item each; they are left transposed in `turned` too, columns n apart
//   trailing  ROWS rows of the rest and as many columns as a group has work-items
//   store     the factor, as f32 or f64, NaN in the rows from a bad pivot on
//
// runs[matrix] is 0, or 1 + the first pivot that is none; pivots[matrix] what stood there. Such a matrix is left alone.

#include "element.cl"

typedef X_t T;
#define ROWS 8

kernel void load(global const Y_t* a, global T* w, const long first, const long n, const int upper, const long total) {
  const long e = get_global_id(0);
  if (e >= total) return;
  const long i = e / n % n, j = e % n, base = e - i * n - j;
  w[e] = j > i ? (T)0 : (T)a[first + base + (upper ? j * n + i : i * n + j)];
}

kernel void floors(global const T* w, global T* floors, const long n, const T guard, const long matrices) {
  const long m = get_global_id(0);
  if (m >= matrices) return;
  T most = (T)0;
  for (long i = 0; i < n; ++i) most = fmax(most, w[(m * n + i) * n + i]);
  floors[m] = guard * most;
}

// a_ij - sum_(k<=p<j) l_ip l_jp
T reduced(global const T* li, global const T* lj, const long k, const long j) {
  T s = li[j];
  for (long p = k; p < j; ++p) s = fma(-li[p], lj[p], s);
  return s;
}

kernel void diagonal(global T* all, global const T* floors, global int* runs, global T* pivots, const long n,
                     const long k, const long e, const int one) {
  const long m = get_group_id(0), t = get_local_id(0), step = one ? 1 : get_local_size(0);
  global T* w = all + m * n * n;
  const bool mine = t < step;
  bool bad = runs[m] != 0;
  barrier(CLK_GLOBAL_MEM_FENCE);
  for (long j = k; j < e && !bad; ++j) {
    global T* lj = w + j * n;
    if (t == 0) {
      const T d = reduced(lj, lj, k, j);
      if (!(d > floors[m]) || !(d - d == (T)0)) runs[m] = (int)j + 1, pivots[m] = d;
      else lj[j] = sqrt(d);
    }
    barrier(CLK_GLOBAL_MEM_FENCE);
    bad = runs[m] != 0;
    for (long i = j + 1 + t; i < e && mine && !bad; i += step) w[i * n + j] = reduced(w + i * n, lj, k, j) / lj[j];
    barrier(CLK_GLOBAL_MEM_FENCE);
  }
}

kernel void panel(global T* all, global T* turned, global const int* runs, const long n, const long k, const long e,
                  const long block) {
  const long i = e + get_global_id(0), m = get_global_id(1);
  if (i >= n || runs[m] != 0) return;
  global T* w = all + m * n * n;
  for (long j = k; j < e; ++j) {
    w[i * n + j] = reduced(w + i * n, w + j * n, k, j) / w[j * n + j];
    turned[(m * block + j - k) * n + i] = w[i * n + j];
  }
}

// a_ij -= sum_(k<=p<e) l_ip l_jp, e <= j <= i: the groups of an axis take tiles in turn, so that one may take all.
kernel void trailing(global T* all, global const T* turned, global const int* runs, const long n, const long e,
                     const long b, const long block) {
  const long m = get_group_id(1), width = get_local_size(0), columns = (n - e + width - 1) / width,
             rows = (n - e + ROWS - 1) / ROWS;
  global T* w = all + m * n * n;
  global const T* l = turned + m * block * n;
  if (runs[m] != 0) return;
  for (long tile = get_group_id(0); tile < rows * columns; tile += get_num_groups(0)) {
    const long i0 = e + tile / columns * ROWS, j = e + tile % columns * width + get_local_id(0);
    if (j >= n || j >= i0 + ROWS) continue;
    T sums[ROWS];
    for (int r = 0; r < ROWS; ++r) sums[r] = (T)0;
    for (long p = 0; p < b; ++p) {
      const T x = l[p * n + j];
      for (int r = 0; r < ROWS; ++r) sums[r] = fma(l[p * n + min(i0 + r, n - 1)], x, sums[r]);
    }
    for (int r = 0; r < ROWS; ++r)
      if (i0 + r < n && j <= i0 + r) w[(i0 + r) * n + j] -= sums[r];
  }
}

kernel void store(global const T* w, global const int* runs, global Y_t* out, const long first, const long n,
                  const int upper, const long total) {
  const long e = get_global_id(0);
  if (e >= total) return;
  const long row = e / n % n, column = e % n, base = e - row * n - column;
  const long i = upper ? column : row, j = upper ? row : column;
  const int status = runs[e / n / n];
  out[first + e] = j > i ? (Y_t)0 : status != 0 && i >= status - 1 ? (Y_t)NAN : (Y_t)w[base + i * n + j];
}
