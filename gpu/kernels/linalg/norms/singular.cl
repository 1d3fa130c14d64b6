// Norms of matrices that are made of singular values, by one-sided Jacobi rotations in X: f32, with WIDE f64, or with
// COMPLEX complex numbers of f32. One work-group a matrix; the columns, or the rows where those are fewer, are turned
// against each other in pairs that share none, until all are orthogonal.
#include "element.cl"

#define GROUP 64
#define SWEEPS 40  // convergence is quadratic: a dozen are many

#ifdef COMPLEX
typedef float2 V;
static inline V times_conjugate(V a, V b) {  // conj(a) b
  return (V)(fma(a.x, b.x, a.y * b.y), fma(a.x, b.y, -(a.y * b.x)));
}
static inline X_t square(V v) { return fma(v.x, v.x, v.y * v.y); }
static inline X_t size_of(V v) { return hypot(v.x, v.y); }
static inline X_t largest_part(V v) { return fmax(fabs(v.x), fabs(v.y)); }
static inline bool finite(V v) { return isfinite(v.x) && isfinite(v.y); }
static inline V scaled(V v, int e) { return (V)(ldexp(v.x, e), ldexp(v.y, e)); }
#else
typedef X_t V;
static inline V times_conjugate(V a, V b) { return a * b; }
static inline X_t square(V v) { return v * v; }
static inline X_t size_of(V v) { return fabs(v); }
static inline X_t largest_part(V v) { return fabs(v); }
static inline bool finite(V v) { return isfinite(v); }
static inline V scaled(V v, int e) { return ldexp(v, e); }
#endif

#ifdef WIDE
#define ROUNDOFF 0x1p-53
#define NOTHING 0x1p-200
#else
#define ROUNDOFF 0x1p-24f
#define NOTHING 0x1p-100f
#endif

// Turns columns p and q of w, its elements `columns` apart; whether they had to be.
static inline int turn(global V* w, long rows, long columns, long p, long q) {
  X_t a = 0, b = 0;
  V g = (V)(0);
  for (long r = 0; r < rows; ++r) {
    const V x = w[r * columns + p], y = w[r * columns + q];
    a += square(x);
    b += square(y);
    g += times_conjugate(x, y);
  }
  const X_t size = size_of(g);
  if (size <= 4 * ROUNDOFF * sqrt((X_t)rows) * sqrt(a) * sqrt(b) || size <= NOTHING) return 0;
  const X_t z = (b - a) / (2 * size), t = (z < 0 ? (X_t)-1 : (X_t)1) / (fabs(z) + hypot((X_t)1, z));
  const X_t c = 1 / sqrt(1 + t * t), s = c * t;
  const V back = g / size;
  for (long r = 0; r < rows; ++r) {
    const V x = w[r * columns + p], y = times_conjugate(back, w[r * columns + q]);
    w[r * columns + p] = c * x - s * y;
    w[r * columns + q] = s * x + c * y;
  }
  return 1;
}

// The matrix in w as columns of the smaller side, scaled so that its largest part is in [1, 2): returns the exponent,
// or INT_MAX where it holds what is not finite.
static inline int load_columns(global const V* a, global V* w, long M, long N, long columns, local X_t* largest,
                               local int* bad) {
  const int t = get_local_id(0);
  X_t most = 0;
  int wrong = 0;
  for (long i = t; i < M * N; i += GROUP) {
    most = fmax(most, largest_part(a[i]));
    wrong |= !finite(a[i]);
  }
  largest[t] = most;
  bad[t] = wrong;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int k = 0; k < GROUP; ++k) {
    most = fmax(most, largest[k]);
    wrong |= bad[k];
  }
  const int e = wrong ? INT_MAX : most > 0 ? ilogb(most) : 0;
  for (long i = t; i < M * N && !wrong; i += GROUP) w[N > M ? i % N * M + i / N : i] = scaled(a[i], -e);
  barrier(CLK_GLOBAL_MEM_FENCE | CLK_LOCAL_MEM_FENCE);
  return e;
}

// All pairs once: in round r of `even` - 1 the place k of a circle meets the place opposite, the last one staying.
static inline int sweep(global V* w, long rows, long columns) {
  const long even = columns + columns % 2;
  int turned = 0;
  for (long round = 0; round < even - 1; ++round) {
    for (long k = get_local_id(0); k < even / 2; k += GROUP) {
      const long i = k == 0 ? even - 1 : (round + k) % (even - 1), j = (round + even - 1 - k) % (even - 1);
      if (i < columns && j < columns) turned |= turn(w, rows, columns, min(i, j), max(i, j));
    }
    barrier(CLK_GLOBAL_MEM_FENCE);
  }
  return turned;
}

enum { SPECTRAL, SMALLEST, NUCLEAR };

// failed[m]: 1 for a matrix that holds what is not finite, 2 where the rotations do not come to an end.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void singular_norms(global const V* a, global V* work, long M,
                                                                              long N, int kind, global void* out,
                                                                              int to, global int* failed) {
  local X_t shares[GROUP];
  local int flags[GROUP];
  const long m = get_group_id(0), columns = min(M, N), rows = max(M, N);
  const int t = get_local_id(0);
  global V* w = work + m * M * N;
  const int e = load_columns(a + m * M * N, w, M, N, columns, shares, flags);
  bool turning = e != INT_MAX;
  for (int k = 0; k < SWEEPS && turning; ++k) {
    flags[t] = sweep(w, rows, columns);
    barrier(CLK_LOCAL_MEM_FENCE);
    turning = false;
    for (int i = 0; i < GROUP; ++i) turning |= flags[i] != 0;
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  X_t share = kind == SMALLEST ? INFINITY : 0;
  for (long j = t; j < columns && e != INT_MAX; j += GROUP) {
    X_t s = 0;
    for (long r = 0; r < rows; ++r) s += square(w[r * columns + j]);
    s = sqrt(s);
    share = kind == SMALLEST ? fmin(share, s) : kind == NUCLEAR ? share + s : fmax(share, s);
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  shares[t] = share;
  barrier(CLK_LOCAL_MEM_FENCE);
  if (t != 0) return;
  for (int k = 1; k < GROUP; ++k)
    share = kind == SMALLEST ? fmin(share, shares[k]) : kind == NUCLEAR ? share + shares[k] : fmax(share, shares[k]);
  const X_t y = columns == 0 || e == INT_MAX ? 0 : ldexp(share, e);
  failed[m] = e == INT_MAX ? 1 : turning ? 2 : 0;
#ifdef WIDE
  put_f64(out, m, y);
#else
  if (to == c64) put_c64(out, m, (float2)(y, 0.0f));
  else put_f32(out, m, y);
#endif
}
