// Eigenvalues and eigenvectors of Hermitian matrices in X: f32, with WIDE f64, or with COMPLEX complex numbers of f32.
// One work-group a matrix, which stays in global memory: Jacobi rotations of pairs of rows and columns that share none.
#include "element.cl"

#define GROUP 64
#define SWEEPS 40  // convergence is quadratic: a dozen are many

#ifdef WIDE
#define ROUNDOFF 0x1p-53
#else
#define ROUNDOFF 0x1p-24f
#endif

#ifdef COMPLEX
typedef float2 V;
static inline V conjugate(V a) { return (V)(a.x, -a.y); }
static inline V product(V a, V b) { return (V)(fma(a.x, b.x, -(a.y * b.y)), fma(a.x, b.y, a.y * b.x)); }
static inline X_t real_part(V a) { return a.x; }
static inline V of_real(X_t a) { return (V)(a, 0.0f); }
static inline X_t size_of(V v) { return hypot(v.x, v.y); }
static inline X_t largest_part(V v) { return fmax(fabs(v.x), fabs(v.y)); }
static inline bool finite(V v) { return isfinite(v.x) && isfinite(v.y); }
static inline V scaled(V v, int e) { return (V)(ldexp(v.x, e), ldexp(v.y, e)); }
#else
typedef X_t V;
static inline V conjugate(V a) { return a; }
static inline V product(V a, V b) { return a * b; }
static inline X_t real_part(V a) { return a; }
static inline V of_real(X_t a) { return a; }
static inline X_t size_of(V v) { return fabs(v); }
static inline X_t largest_part(V v) { return fabs(v); }
static inline bool finite(V v) { return isfinite(v); }
static inline V scaled(V v, int e) { return ldexp(v, e); }
#endif

// Element (i, j) of the matrix that the named triangle stands for.
static inline V element_of(global const V* a, long n, long i, long j, int upper) {
  if (i == j) return of_real(real_part(a[i * n + i]));
  return (i > j) != (upper != 0) ? a[i * n + j] : conjugate(a[j * n + i]);
}

// The matrix in w, its largest part in [1, 2), and the identity in z: the exponent, or INT_MAX where the triangle holds
// what is not finite.
static inline int load_matrix(global const V* a, global V* w, global V* z, long n, int upper, local X_t* largest,
                              local int* bad) {
  const int t = get_local_id(0);
  X_t most = 0;
  int wrong = 0;
  for (long e = t; e < n * n; e += GROUP) {
    const V x = element_of(a, n, e / n, e % n, upper);
    most = fmax(most, largest_part(x));
    wrong |= !finite(x);
  }
  largest[t] = most;
  bad[t] = wrong;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int k = 0; k < GROUP; ++k) {
    most = fmax(most, largest[k]);
    wrong |= bad[k];
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  const int exponent = wrong ? INT_MAX : most > 0 ? ilogb(most) : 0;
  for (long e = t; e < n * n && !wrong; e += GROUP) {
    w[e] = scaled(element_of(a, n, e / n, e % n, upper), -exponent);
    z[e] = of_real(e / n == e % n);
  }
  barrier(CLK_GLOBAL_MEM_FENCE);
  return exponent;
}

// Pair k of round r: in a circle of `even` - 1 places k meets the one opposite, the last place staying. -1 for none.
static inline long2 pair_of(long k, long round, long n) {
  const long even = n + n % 2;
  const long i = k == 0 ? even - 1 : (round + k) % (even - 1), j = (round + even - 1 - k) % (even - 1);
  return i < n && j < n ? (long2)(min(i, j), max(i, j)) : (long2)(-1, -1);
}

// The rotation that turns a_pq to 0: c, s, the phase that column q is taken times, and the diagonal that comes of it,
// which gains and loses the same. As a product with c and s it would drift.
static inline int rotation(global const V* w, long n, long2 at, X_t floor_, global V* turn) {
  const X_t p = real_part(w[at.x * n + at.x]), q = real_part(w[at.y * n + at.y]);
  const V g = w[at.x * n + at.y];
  const X_t size = size_of(g);
  if (size <= floor_) return 0;
  const X_t z = (q - p) / (2 * size), t = (z < 0 ? (X_t)-1 : (X_t)1) / (fabs(z) + hypot((X_t)1, z));
  const X_t c = 1 / sqrt(1 + t * t);
  turn[0] = of_real(c);
  turn[1] = of_real(c * t);
  turn[2] = conjugate(g / size);
  turn[3] = of_real(p - t * size);
  turn[4] = of_real(q + t * size);
  return 1;
}

#define TURN 5  // numbers of a rotation

// One round of rotations. turns: those of each pair, c = 0 for none; whether this work-item found any.
static inline int round_of(global V* w, global V* z, global V* turns, long n, long round, X_t floor_) {
  const long pairs = (n + 1) / 2;
  const int t = get_local_id(0);
  int turned = 0;
  for (long k = t; k < pairs; k += GROUP) {
    const long2 at = pair_of(k, round, n);
    turns[TURN * k] = of_real(0);
    if (at.x >= 0) turned |= rotation(w, n, at, floor_, turns + TURN * k);
  }
  barrier(CLK_GLOBAL_MEM_FENCE);
  for (int columns = 0; columns < 2; ++columns) {  // rows of A; then columns of A and of Z
    for (long e = t; e < pairs * n; e += GROUP) {
      const long k = columns ? e % pairs : e / n, other = columns ? e / pairs : e % n;
      const X_t c = real_part(turns[TURN * k]), s = real_part(turns[TURN * k + 1]);
      if (c == 0) continue;
      const V phase = columns ? turns[TURN * k + 2] : conjugate(turns[TURN * k + 2]);
      const long2 at = pair_of(k, round, n);
      const long p = columns ? other * n + at.x : at.x * n + other, q = columns ? other * n + at.y : at.y * n + other;
      const V x = w[p], y = product(phase, w[q]);
      V left = c * x - s * y, right = s * x + c * y;
      if (columns && other == at.x) left = turns[TURN * k + 3], right = of_real(0);
      if (columns && other == at.y) left = of_real(0), right = turns[TURN * k + 4];
      w[p] = left;
      w[q] = right;
      if (!columns) continue;
      const V u = z[p], v = product(phase, z[q]);
      z[p] = c * u - s * v;
      z[q] = s * u + c * v;
    }
    barrier(CLK_GLOBAL_MEM_FENCE);
  }
  return turned;
}

// Where eigenvalue i stands in ascending order, equal ones as they are.
static inline long rank_of(global const V* w, long n, long i) {
  const X_t own = real_part(w[i * n + i]);
  long rank = 0;
  for (long j = 0; j < n; ++j) {
    const X_t d = real_part(w[j * n + j]);
    rank += d < own || (d == own && j < i);
  }
  return rank;
}

// work: for each matrix n^2 elements of A, n^2 of Z and 3 (n + 1) of rotations. failed[m]: 1 for a matrix that holds
// what is not finite, 2 where the rotations do not come to an end.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void hermitian(global const V* a, global V* work, long n,
                                                                         int upper, int vectors, global X_t* values,
                                                                         global V* out, global int* failed) {
  local X_t shares[GROUP];
  local int flags[GROUP];
  const long m = get_group_id(0), square = n * n;
  const int t = get_local_id(0);
  global V *w = work + m * (2 * square + 3 * (n + 1)), *z = w + square, *turns = z + square;
  const int exponent = load_matrix(a + m * square, w, z, n, upper, shares, flags);
  bool turning = exponent != INT_MAX;
  X_t squares = 0;
  for (long e = t; e < square && turning; e += GROUP) squares += size_of(w[e]) * size_of(w[e]);
  shares[t] = squares;
  barrier(CLK_LOCAL_MEM_FENCE);
  squares = 0;
  for (int k = 0; k < GROUP; ++k) squares += shares[k];
  const X_t negligible = ROUNDOFF / 4 * sqrt(squares);
  for (int sweep = 0; sweep < SWEEPS && turning; ++sweep) {
    int turned = 0;
    for (long round = 0; round < n + n % 2 - 1; ++round) turned |= round_of(w, z, turns, n, round, negligible);
    flags[t] = turned;
    barrier(CLK_LOCAL_MEM_FENCE);
    turning = false;
    for (int k = 0; k < GROUP; ++k) turning |= flags[k] != 0;
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  if (t == 0) failed[m] = exponent == INT_MAX ? 1 : turning ? 2 : 0;
  if (exponent == INT_MAX) return;
  for (long i = t; i < n; i += GROUP) {
    const long to = rank_of(w, n, i);
    values[m * n + to] = ldexp(real_part(w[i * n + i]), exponent);
    for (long k = 0; k < n && vectors; ++k) out[m * square + k * n + to] = z[k * n + i];
  }
}
