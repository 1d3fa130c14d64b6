// Singular values by rotations of rows: J A = W, the rows of W orthogonal; of a tall matrix A^H takes the place of A,
// so that there are k = min(m, n) rows of l = max(m, n) numbers. One work-group per matrix, all loops with fixed ends.
//
// Options: X, f32 or f64; COMPLEX, elements are pairs. A complex row is its real parts, then its imaginary parts.
//
//   rotate      loads W, J = I, and turns pairs of rows until all are orthogonal: a tournament, so that the pairs of a
//               round have no row in common and each is the work of a team. Then the norms, and their descending order
//   basis       V: rows of W over their norms, and rows that complete them
//   put         V or J, or its conjugate transpose, as an output
//   values      the norms of A itself
//   invert      sum over k of w_k j_k^T / s_k^2

#include "element.cl"

typedef X_t T;
#ifdef COMPLEX
#define PARTS 2
#else
#define PARTS 1
#endif
#define GROUP 64
#define TEAM 8
#define TEAMS (GROUP / TEAM)
#define SWEEPS 60
#define MOST_EXPONENT (X == f64 ? 1021 : 125)
#ifdef PLUMB_FP64
#define EPSILON (X == f64 ? 0x1p-52 : 0x1p-23)
#define NULL_SQUARE (T)(X == f64 ? 0x1p-900 : 0x1p-100)  // as in optimized/linalg/orthogonal/rotations.h
#else
#define EPSILON 0x1p-23f
#define NULL_SQUARE 0x1p-100f
#endif

// status of a matrix: why it has no decomposition
#define FINE 0
#define NOT_FINITE 1
#define NOT_CONVERGED 2

// The matrix of a work-group, and where its rows lie.
typedef struct {
  __global T *w, *j;
  long k, l;
  int vectors;
} Rows;

// ---- Loading ----

// The power of 2 that brings the largest element to about 1; 0 if one is not finite.
T factor_of(__global const T* a, __local T* room, const long total, const int t) {
  T most = (T)0, rest = (T)0;
  for (long e = t; e < total; e += GROUP) {
    most = fmax(most, fabs(a[e]));
    rest += a[e] - a[e];
  }
  room[t] = rest == (T)0 ? most : (T)-1;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int i = 0; i < GROUP; ++i) {
    most = fmax(most, room[i]);
    if (room[i] < (T)0) rest = (T)1;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  if (!(rest == (T)0)) return (T)0;
  const int e = most > (T)0 ? min(MOST_EXPONENT, max(-MOST_EXPONENT, ilogb(most))) : 0;
  return ldexp((T)1, -e);
}

// Zeros where an element is not finite: what follows then finds an order, and its result is not handed out.
void load_rows(const Rows x, __global const T* a, const long n, const bool tall, const T factor, const int t) {
  for (long e = t; e < x.k * x.l; e += GROUP) {
    const long p = e / x.l, i = e % x.l, at = (tall ? i * n + p : p * n + i) * PARTS;
    x.w[p * PARTS * x.l + i] = factor == (T)0 ? (T)0 : a[at] * factor;
#ifdef COMPLEX
    x.w[(p * 2 + 1) * x.l + i] = factor == (T)0 ? (T)0 : (tall ? -a[at + 1] : a[at + 1]) * factor;
#endif
  }
  for (long e = t; x.vectors && e < x.k * x.k * PARTS; e += GROUP)
    x.j[e] = e / (x.k * PARTS) == e % (x.k * PARTS) ? (T)1 : (T)0;
}

// ---- Rotations ----

// y <- f y of the phase f = (re, im), then p <- c p - s q, q <- s p + c q, on rows of n numbers; `lane` of a team.
void turn(__global T* p, __global T* q, const long n, const T re, const T im, const T c, const T s, const int lane) {
#ifdef COMPLEX
  for (long i = lane; i < n; i += TEAM) {
    const T ar = p[i], ai = p[n + i], br = re * q[i] - im * q[n + i], bi = im * q[i] + re * q[n + i];
    p[i] = fma(c, ar, -s * br);
    p[n + i] = fma(c, ai, -s * bi);
    q[i] = fma(s, ar, c * br);
    q[n + i] = fma(s, ai, c * bi);
  }
#else
  for (long i = lane; i < n; i += TEAM) {
    const T a = p[i], b = q[i];
    p[i] = fma(c, a, -s * b);
    q[i] = fma(s, a, c * b);
  }
#endif
}

// Sums over rows p and q, by teams: (p, p), (q, q), (p, q) and its imaginary part, each work-item its share.
void shares(const Rows x, const long p, const long q, __local T* sums, const int t) {
  __global const T* a = x.w + p * PARTS * x.l;
  __global const T* b = x.w + q * PARTS * x.l;
  T aa = (T)0, bb = (T)0, ab = (T)0, im = (T)0;
  for (long i = t % TEAM; i < x.l * PARTS; i += TEAM) {
    aa = fma(a[i], a[i], aa);
    bb = fma(b[i], b[i], bb);
    ab = fma(a[i], b[i], ab);
  }
#ifdef COMPLEX
  for (long i = t % TEAM; i < x.l; i += TEAM) im += a[x.l + i] * b[i] - a[i] * b[x.l + i];
#endif
  sums[t] = aa;
  sums[GROUP + t] = bb;
  sums[2 * GROUP + t] = ab;
  sums[3 * GROUP + t] = im;
}

T team_sum(__local const T* sums, const int t) {
  T s = (T)0;
  for (int i = 0; i < TEAM; ++i) s += sums[t / TEAM * TEAM + i];
  return s;
}

// t^2 + 2 z t - 1 = 0, z = ((q, q) - (p, p)) / (2 |(p, q)|), c = 1 / sqrt(1 + t^2), s = c t. Returns whether it turned.
bool orthogonalize(const Rows x, const long p, const long q, __local const T* sums, const T tolerance, const int t) {
  const T aa = team_sum(sums, t), bb = team_sum(sums + GROUP, t), re = team_sum(sums + 2 * GROUP, t);
#ifdef COMPLEX
  const T im = team_sum(sums + 3 * GROUP, t), g = hypot(re, im);
#else
  const T im = (T)0, g = re;
#endif
  if (aa <= NULL_SQUARE || bb <= NULL_SQUARE || fabs(g) <= tolerance * sqrt(aa) * sqrt(bb)) return false;
  const T z = (bb - aa) / (2 * g), size = fabs(z);
  const T root = size > (T)0x1p30f ? size : sqrt(fma(z, z, (T)1));  // z^2 may overflow
  const T r = copysign((T)1 / (size + root), z);
  const T c = (T)1 / sqrt(fma(r, r, (T)1)), s = c * r;
  turn(x.w + p * PARTS * x.l, x.w + q * PARTS * x.l, x.l, re / g, im / g, c, s, t % TEAM);
  if (x.vectors) turn(x.j + p * PARTS * x.k, x.j + q * PARTS * x.k, x.k, re / g, im / g, c, s, t % TEAM);
  return true;
}

// The pairs of one round, TEAMS at a time.
void play_round(const Rows x, const long round, __local T* sums, __local int* turned, const T tolerance, const int t) {
  const long players = x.k + x.k % 2, pairs = players / 2;
  for (long first = 0; first < pairs; first += TEAMS) {
    const long i = first + t / TEAM;
    const long a = i == 0 ? players - 1 : (round + i) % (players - 1), b = (round + players - 1 - i) % (players - 1);
    const long p = min(a, b), q = max(a, b);
    const bool meet = i < pairs && q < x.k;
    if (meet) shares(x, p, q, sums, t);
    barrier(CLK_LOCAL_MEM_FENCE);
    if (meet && orthogonalize(x, p, q, sums, tolerance, t)) *turned = 1;
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
  }
}

// Whether all rows are orthogonal in the end. The flag is read between barriers, so that all work-items go on or stop.
bool all_orthogonal(const Rows x, __local T* sums, __local int* turned, const int sweeps, const int t) {
  const T tolerance = sqrt((T)x.l) * (T)EPSILON;
  const long rounds = x.k + x.k % 2 - 1;
  int again = 1;
  for (int sweep = 0; sweep < sweeps && again != 0; ++sweep) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (t == 0) *turned = 0;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (long round = 0; round < rounds; ++round) play_round(x, round, sums, turned, tolerance, t);
    barrier(CLK_LOCAL_MEM_FENCE);
    again = *turned;
  }
  return again == 0;
}

// norms in descending order, and order[i], the row that has the i-th.
void sort_norms(const Rows x, __global T* unsorted, __global T* norms, __global long* order, const int t) {
  for (long p = t; p < x.k; p += GROUP) {
    T s = (T)0;
    for (long i = 0; i < x.l * PARTS; ++i) s = fma(x.w[p * PARTS * x.l + i], x.w[p * PARTS * x.l + i], s);
    unsorted[p] = sqrt(s);
  }
  barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
  for (long p = t; p < x.k; p += GROUP) {
    long place = 0;
    for (long q = 0; q < x.k; ++q)
      if (unsorted[q] > unsorted[p] || (unsorted[q] == unsorted[p] && q < p)) ++place;
    norms[place] = unsorted[p];
    order[place] = p;
  }
}

__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void rotate_rows(__global const T* a, __global T* w,
                                                                             __global T* j, __global T* norms,
                                                                             __global long* order, __global T* factors,
                                                                             __global int* status, const long m,
                                                                             const long n, const int vectors) {
  __local T sums[4 * GROUP];
  __local int turned;
  const int t = (int)get_local_id(0);
  const long matrix = get_group_id(0), k = min(m, n), l = max(m, n);
  const Rows x = {w + matrix * k * l * PARTS, j + (vectors ? matrix * k * k * PARTS : 0), k, l, vectors};
  __global const T* own = a + matrix * m * n * PARTS;
  const T factor = factor_of(own, sums, m * n * PARTS, t);
  load_rows(x, own, n, m > n, factor, t);
  barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
  const bool good = all_orthogonal(x, sums, &turned, factor == (T)0 ? 0 : SWEEPS, t);
  if (t == 0) {
    factors[matrix] = factor;
    status[matrix] = factor == (T)0 ? NOT_FINITE : good ? FINE : NOT_CONVERGED;
  }
  sort_norms(x, norms + 2 * matrix * k, norms + (2 * matrix + 1) * k, order + matrix * k, t);
}

// ---- What is made of them; norms: k of which nothing is needed any more, then k in descending order ----

__kernel void values(__global const T* norms, __global const T* factors, __global T* s, const long k,
                     const long total) {
  const long e = get_global_id(0);
  if (e < total) s[e] = norms[(2 * (e / k) + 1) * k + e % k] / factors[e / k];
}

__kernel void put(__global const T* rows, __global const long* order, __global T* out, const long n, const int ordered,
                  const int columns, const long total) {
  const long e = get_global_id(0);
  if (e >= total) return;
  const long matrix = e / (n * n), i = e / n % n, c = e % n, k = columns ? c : i, at = columns ? i : c;
  const long row = matrix * n + (ordered ? order[matrix * n + k] : k);
  out[e * PARTS] = rows[row * PARTS * n + at];
#ifdef COMPLEX
  const T im = rows[(row * 2 + 1) * n + at];
  out[e * 2 + 1] = columns ? -im : im;
#endif
}

// The unit vector that the rows before reach least.
long least_reached(__global const T* reached, __local T* room, __local long* places, const long l, const int t) {
  long best = -1;
  for (long i = t; i < l; i += GROUP)
    if (best < 0 || reached[i] < reached[best]) best = i;
  places[t] = best;
  room[t] = best < 0 ? (T)0 : reached[best];
  barrier(CLK_LOCAL_MEM_FENCE);
  best = places[0];
  T least = room[0];
  for (int i = 1; i < GROUP; ++i)
    if (places[i] >= 0 && room[i] < least) least = room[i], best = places[i];
  barrier(CLK_LOCAL_MEM_FENCE);
  return best;
}

// h_i = (y, v_i) for the rows before c, then y -= sum of h_i v_i. `end` is l, or 0 where nothing is to be done: each
// row passes every barrier.
void subtract(__global T* v, __global T* h, const long c, const long end, const long l, const int t) {
  __global T* y = v + c * PARTS * l;
  for (long k = t; k < c && k < end; k += GROUP) {
    __global const T* x = v + k * PARTS * l;
    T re = (T)0, im = (T)0;
    for (long i = 0; i < l * PARTS; ++i) re = fma(y[i], x[i], re);
#ifdef COMPLEX
    for (long i = 0; i < l; ++i) im += y[l + i] * x[i] - y[i] * x[l + i];
#endif
    h[2 * k] = re;
    h[2 * k + 1] = im;
  }
  barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
  for (long i = t; i < end; i += GROUP) {
    T re = y[i];
#ifdef COMPLEX
    T im = y[l + i];
#endif
    for (long k = 0; k < c; ++k) {
      __global const T* x = v + k * PARTS * l;
#ifdef COMPLEX
      re -= h[2 * k] * x[i] - h[2 * k + 1] * x[l + i];
      im -= h[2 * k] * x[l + i] + h[2 * k + 1] * x[i];
#else
      re = fma(-h[2 * k], x[i], re);
#endif
    }
    y[i] = re;
#ifdef COMPLEX
    y[l + i] = im;
#endif
  }
  barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
}

void complete(__global T* v, __global T* h, __global T* reached, __local T* room, __local long* places, const long c,
              const long end, const long l, const int t) {
  __global T* y = v + c * PARTS * l;
  const long best = least_reached(reached, room, places, l, t);
  for (long i = t; i < end * PARTS; i += GROUP) y[i] = i == best ? (T)1 : (T)0;
  barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
  subtract(v, h, c, end, l, t);
  subtract(v, h, c, end, l, t);
  T square = (T)0;
  for (long i = t; i < end * PARTS; i += GROUP) square = fma(y[i], y[i], square);
  room[t] = square;
  barrier(CLK_LOCAL_MEM_FENCE);
  square = (T)0;
  for (int i = 0; i < GROUP; ++i) square += room[i];
  const T norm = sqrt(square);
  for (long i = t; i < end; i += GROUP) {
    y[i] /= norm;
    T all = y[i] * y[i];
#ifdef COMPLEX
    y[l + i] /= norm;
    all = fma(y[l + i], y[l + i], all);
#endif
    reached[i] += all;
  }
  barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
}

// scratch: 3 l numbers of each matrix.
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void basis(__global const T* w, __global const T* norms,
                                                                       __global const long* order, __global T* v,
                                                                       __global T* scratch, const long k,
                                                                       const long l) {
  __local T room[GROUP];
  __local long places[GROUP];
  const int t = (int)get_local_id(0);
  const long matrix = get_group_id(0), length = l * PARTS;
  __global const T* s = norms + (2 * matrix + 1) * k;
  __global T *own = v + matrix * l * length, *reached = scratch + matrix * 3 * l, *h = reached + l;
  long given = 0;
  while (given < k && s[given] * s[given] > NULL_SQUARE) ++given;
  for (long e = t; e < given * length; e += GROUP) {
    const long row = e / length;
    own[e] = w[(matrix * k + order[matrix * k + row]) * length + e % length] / s[row];
  }
  barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
  for (long i = t; i < l; i += GROUP) {
    T all = (T)0;
    for (long row = 0; row < given * PARTS; ++row) all = fma(own[row * l + i], own[row * l + i], all);
    reached[i] = all;
  }
  barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
  for (long c = 0; c < l; ++c) complete(own, h, reached, room, places, c, c < given ? 0 : l, l, t);
}

// n x m; values at or below the cut-off count as 0.
__kernel void invert(__global const T* w, __global const T* j, __global const T* norms, __global const long* order,
                     __global const T* factors, __global T* out, const long m, const long n, const T cutoff,
                     const long total) {
  const long e = get_global_id(0);
  if (e >= total) return;
  const long matrix = e / (m * n), row = e / m % n, column = e % m, k = min(m, n), l = max(m, n);
  const bool tall = m > n;
  __global const T* s = norms + (2 * matrix + 1) * k;
  const long in_w = tall ? column : row, in_j = tall ? row : column;
  T sum = (T)0;
  for (long i = 0; i < k; ++i) {
    if (!(s[i] > cutoff * s[0]) || !(s[i] * s[i] > NULL_SQUARE)) break;
    const long from = matrix * k + order[matrix * k + i];
    sum = fma(w[from * l + in_w] / s[i], j[from * k + in_j] / s[i], sum);
  }
  out[e] = sum * factors[matrix];
}

__kernel void identity(__global T* out, const long n, const long total) {
  const long e = get_global_id(0);
  if (e >= total) return;
  out[e * PARTS] = e / n % n == e % n ? (T)1 : (T)0;
#ifdef COMPLEX
  out[e * 2 + 1] = (T)0;
#endif
}
