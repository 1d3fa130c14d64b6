// Eigenvalues and right eigenvectors of general matrices in X: f32, with WIDE f64, or with COMPLEX complex numbers of
// f32. One work-group a matrix, which stays in global memory: reflections to a Hessenberg matrix, implicit QR steps to
// a triangular one, of real matrices with two shifts; then each work-item substitutes back for vectors of its own.
//
// Every work-item takes the same way; the first one finds the reflections, all apply them.
#include "element.cl"

#define GROUP 64
#define STEPS 60  // for an eigenvalue: three are many

#ifdef WIDE
typedef double2 C;
#define ROUNDOFF 0x1p-53
#define LARGE 0x1p300
#define NOTHING 0x1p-1000
#define SMALL 0x1p-300
#else
typedef float2 C;
#define ROUNDOFF 0x1p-24f
#define LARGE 0x1p60f
#define NOTHING 0x1p-120f
#define SMALL 0x1p-60f
#endif

static inline C times(C a, C b) { return (C)(fma(a.x, b.x, -(a.y * b.y)), fma(a.x, b.y, a.y * b.x)); }
static inline C conjugate(C a) { return (C)(a.x, -a.y); }
static inline X_t modulus(C a) { return hypot(a.x, a.y); }
static inline C over(C a, C b) {
  const X_t m = modulus(b);
  return times(a, conjugate(b / m)) / m;
}

#ifdef COMPLEX
typedef C V;
#define WIDTH 2
static inline C complex_of(V v) { return v; }
static inline V times_v(V a, V b) { return times(a, b); }
static inline V conjugate_v(V a) { return conjugate(a); }
static inline V of_real(X_t a) { return (V)(a, 0.0f); }
static inline X_t square_of(V v) { return fma(v.x, v.x, v.y * v.y); }
static inline X_t size_of(V v) { return modulus(v); }
static inline X_t largest_part(V v) { return fmax(fabs(v.x), fabs(v.y)); }
static inline bool finite(V v) { return isfinite(v.x) && isfinite(v.y); }
static inline V scaled(V v, int e) { return (V)(ldexp(v.x, e), ldexp(v.y, e)); }
#else
typedef X_t V;
#define WIDTH 3
static inline C complex_of(V v) { return (C)(v, (X_t)0); }
static inline V times_v(V a, V b) { return a * b; }
static inline V conjugate_v(V a) { return a; }
static inline V of_real(X_t a) { return a; }
static inline X_t square_of(V v) { return v * v; }
static inline X_t size_of(V v) { return fabs(v); }
static inline X_t largest_part(V v) { return fabs(v); }
static inline bool finite(V v) { return isfinite(v); }
static inline V scaled(V v, int e) { return ldexp(v, e); }
#endif

// T and Q by rows, and a reflection I - f v v^H of rows and columns from `first` on, in global memory.
typedef struct {
  global V *t, *q, *v;
  long n;
} Schur;

// What the leading work-item, which decides, keeps between two reflections; the others read the first line.
typedef struct {
  long first, m, left,
      below;   // m elements from `first` on; rows in columns from `left` on, columns in rows above `below`
  X_t factor;  // 0: nothing to apply
  int phase, step;
  long k, start, last;
  long cleared, cleared_first,
      cleared_m;  // a column that the reflection before has made a multiple of its first element
} Plan;
enum { HESSENBERG, DEFLATE, CHASE, SPLIT, DONE, FAILED };

// x in v, m elements of it, becomes a reflection that makes x a multiple of e_0: its factor, 0 if it is one.
static inline X_t reflector(Schur s, long m) {
  X_t tail = 0;
  for (long k = 1; k < m; ++k) tail += square_of(s.v[k]);
  if (tail <= NOTHING) return 0;
  const X_t head = size_of(s.v[0]), norm = sqrt(fma(head, head, tail));
  s.v[0] = head > 0 ? s.v[0] + norm * (s.v[0] / head) : of_real(norm);
  return 1 / (norm * (norm + head));
}

// Column j from row `first` on, m elements of it, is to become a multiple of its first one.
static inline void plan_column(Schur s, local Plan* p, long j, long first, long m, long below) {
  for (long k = 0; k < m; ++k) s.v[k] = s.t[(first + k) * s.n + j];
  p->first = first, p->m = m, p->left = j, p->below = below;
  p->factor = reflector(s, m);
  p->cleared = j, p->cleared_first = first, p->cleared_m = m;
}

// Where the block that ends in `last` begins: what couples it to the rows above is negligible, and cleared.
static inline long block_start(Schur s, long last) {
  for (long k = last; k > 0; --k) {
    const X_t near = size_of(s.t[k * s.n + k]) + size_of(s.t[(k - 1) * s.n + k - 1]);
    if (size_of(s.t[k * s.n + k - 1]) > ROUNDOFF * (near + 1)) continue;
    s.t[k * s.n + k - 1] = of_real(0);
    return k;
  }
  return 0;
}

// What a step begins with, in v: the first column of T - shift I, or of real matrices of (T - p I)(T - q I), p and
// q those of the last 2 x 2 block, divided by t_10.
static inline void begin_step(Schur s, long first, long last, bool exceptional) {
  global const V *t = s.t, *low = t + (last - 1) * s.n + last - 1, *high = t + first * s.n + first;
  const long n = s.n;
#ifdef COMPLEX
  const C a = low[0], b = low[1], c = low[n], d = low[n + 1], middle = (a - d) / 2,
          square = times(middle, middle) + times(b, c);
  const X_t size = modulus(square), re = sqrt((size + fabs(square.x)) / 2), im = re > 0 ? fabs(square.y) / (2 * re) : 0;
  const C root = (C)(square.x >= 0 ? re : im, copysign(square.x >= 0 ? im : re, square.y));
  const C far = modulus(middle + root) < modulus(middle - root) ? middle - root : middle + root;
  const C shift = exceptional ? d + (C)(modulus(c), 0.0f) : modulus(far) > 0 ? d - over(times(b, c), far) : d;
  s.v[0] = high[0] - shift;
  s.v[1] = high[n];
#else
  // Differences first: what is left of eigenvalues close to each other would be lost in their squares.
  X_t p = low[0] - high[0], q = low[n + 1] - high[0], product = low[1] * low[n];
  if (exceptional) {
    const X_t near = fabs(low[n]) + fabs(low[-1]);
    p = q += (X_t)0.75 * near;
    product = (X_t)-0.4375 * near * near;
  }
  const X_t x = high[1] + (p * q - product) / high[n], y = high[n + 1] - high[0] - p - q, z = high[2 * n + 1];
  const X_t size = fabs(x) + fabs(y) + fabs(z);
  s.v[0] = x / size;
  s.v[1] = y / size;
  s.v[2] = z / size;
#endif
}

// The first reflection of the next step, or DONE; FAILED where a block does not come apart.
static inline void plan_step(Schur s, local Plan* p) {
  for (; p->last > 0; p->last = p->start - 1, p->step = 0) {
    p->start = block_start(s, p->last);
    if (p->last - p->start < WIDTH - 1) continue;
    p->phase = ++p->step > STEPS ? FAILED : CHASE;
    begin_step(s, p->start, p->last, p->step % 10 == 0);
    p->k = p->start;
    p->first = p->left = p->start, p->m = min((long)WIDTH, p->last - p->start + 1);
    p->below = min(p->start + WIDTH + 1, p->last + 1);
    p->factor = reflector(s, p->m);
    return;
  }
  p->phase = SPLIT;
  p->k = 0;
}

// 2 x 2 blocks of two real eigenvalues become triangular.
static inline void plan_split(Schur s, local Plan* p) {
#ifndef COMPLEX
  for (; p->k + 1 < s.n; ++p->k) {
    global const V* block = s.t + p->k * s.n + p->k;
    const X_t b = block[1], c = block[s.n], d = block[s.n + 1], middle = (block[0] - d) / 2;
    const X_t square = middle * middle + b * c;
    if (c == 0 || square < 0) continue;
    s.v[0] = middle + copysign(sqrt(square), middle);
    s.v[1] = c;
    p->first = p->left = p->k, p->m = 2, p->below = p->k + 2;
    p->factor = reflector(s, 2);
    p->cleared = p->k, p->cleared_first = p->k, p->cleared_m = 2;
    ++p->k;
    return;
  }
#endif
  p->phase = DONE;
}

// The next reflection.
static inline void plan_next(Schur s, local Plan* p) {
  p->factor = 0;
  for (long k = 1; k < p->cleared_m; ++k) s.t[(p->cleared_first + k) * s.n + p->cleared] = of_real(0);
  p->cleared_m = 0;
  if (p->phase == HESSENBERG) {
    if (p->k + 2 < s.n) {
      plan_column(s, p, p->k, p->k + 1, s.n - p->k - 1, s.n);
      ++p->k;
      return;
    }
    p->phase = DEFLATE;
  }
  if (p->phase == CHASE && p->k + 1 < p->last) {
    plan_column(s, p, p->k, p->k + 1, min((long)WIDTH, p->last - p->k), min(p->k + WIDTH + 2, p->last + 1));
    ++p->k;
    return;
  }
  if (p->phase == CHASE) p->phase = DEFLATE;
  if (p->phase == DEFLATE) plan_step(s, p);
  else if (p->phase == SPLIT) plan_split(s, p);
}

static inline void columns_of(global V* x, Schur s, long first, long m, X_t f, long below) {
  for (long i = get_local_id(0); i < below; i += GROUP) {
    V sum = of_real(0);
    for (long k = 0; k < m; ++k) sum += times_v(x[i * s.n + first + k], s.v[k]);
    for (long k = 0; k < m; ++k) x[i * s.n + first + k] -= f * times_v(sum, conjugate_v(s.v[k]));
  }
}
static inline void rows_of(Schur s, long first, long m, X_t f, long left) {
  for (long j = left + get_local_id(0); j < s.n; j += GROUP) {
    V sum = of_real(0);
    for (long k = 0; k < m; ++k) sum += times_v(conjugate_v(s.v[k]), s.t[(first + k) * s.n + j]);
    for (long k = 0; k < m; ++k) s.t[(first + k) * s.n + j] -= f * times_v(s.v[k], sum);
  }
}

// Eigenvalue j, of blocks that are left the pair: the positive imaginary part first.
static inline C value_of(Schur s, long j) {
  global const V* t = s.t + j * s.n + j;
#ifndef COMPLEX
  const bool above = j + 1 < s.n && t[s.n] != 0, below = j > 0 && t[-1] != 0;
  if (above || below) {
    global const V* block = above ? t : t - s.n - 1;
    const X_t middle = (block[0] - block[s.n + 1]) / 2;
    const X_t im = sqrt(fmax((X_t)0, -(middle * middle + block[1] * block[s.n])));
    return (C)(block[s.n + 1] + middle, above ? im : -im);
  }
#endif
  return complex_of(t[0]);
}

// The triangular T and Q of complex numbers: blocks of pairs are turned by the eigenvector (w - d, c) of the first.
static inline void to_complex(Schur s, global const C* w, global C* t, global C* q) {
  for (long e = get_local_id(0); e < s.n * s.n; e += GROUP) {
    t[e] = complex_of(s.t[e]);
    q[e] = complex_of(s.q[e]);
  }
  barrier(CLK_GLOBAL_MEM_FENCE);
#ifndef COMPLEX
  for (long k = 0; k + 1 < s.n; ++k) {
    const X_t c = s.t[(k + 1) * s.n + k], d = s.t[(k + 1) * s.n + k + 1];
    if (c == 0) continue;
    const C far = w[k] - (C)(d, (X_t)0);
    const X_t size = hypot(modulus(far), c);
    const C u = far / size;
    const X_t v = c / size;
    for (long j = k + get_local_id(0); j < s.n; j += GROUP) {
      const C x = t[k * s.n + j], y = t[(k + 1) * s.n + j];
      t[k * s.n + j] = times(conjugate(u), x) + v * y;
      t[(k + 1) * s.n + j] = times(u, y) - v * x;
    }
    barrier(CLK_GLOBAL_MEM_FENCE);
    for (long i = get_local_id(0); i < s.n; i += GROUP) {
      const C x = t[i * s.n + k], y = t[i * s.n + k + 1], p = q[i * s.n + k], o = q[i * s.n + k + 1];
      t[i * s.n + k] = times(x, u) + y * v;
      t[i * s.n + k + 1] = times(y, conjugate(u)) - x * v;
      q[i * s.n + k] = times(p, u) + o * v;
      q[i * s.n + k + 1] = times(o, conjugate(u)) - p * v;
    }
    barrier(CLK_GLOBAL_MEM_FENCE);
  }
#endif
}

// (T - w I) x = 0 with x_j = 1, divisors no smaller than negligible; x_i at x[i * n].
static inline void back_substitute(global const C* t, long n, long j, C w, global C* x) {
  x[j * n] = (C)(1, 0);
  for (long i = j - 1; i >= 0; --i) {
    C sum = (C)(0, 0);
    for (long k = i + 1; k <= j; ++k) sum += times(t[i * n + k], x[k * n]);
    C by = w - t[i * n + i];
    if (modulus(by) < ROUNDOFF) by = (C)(ROUNDOFF, 0);
    x[i * n] = over(sum, by);
    if (modulus(x[i * n]) > LARGE)
      for (long k = i; k <= j; ++k) x[k * n] *= SMALL;
  }
}

// Column j of out: Q x of length 1, its largest element real; the conjugate in the next one, of a pair. Of a real
// matrix and eigenvalue the real part, an eigenvector as good, where negligible divisors left it complex.
static inline void put_vector(global const C* q, global const C* x, long n, long j, bool real, bool pair,
                              global float2* out) {
  X_t largest = 0, square = 0;
  C head = (C)(1, 0);
  for (int pass = 0; pass < 3; ++pass)
    for (long i = 0; i < n; ++i) {
      C v = (C)(0, 0);
      for (long k = 0; k <= j; ++k) v += times(q[i * n + k], x[k * n]);
      if (pass == 0) {
        if (modulus(v) > largest) largest = modulus(v), head = v;
      } else if (pass == 1) {
        v = times(v / largest, conjugate(head / largest));
        square = fma(v.x, v.x, square + (real && !pair ? 0 : v.y * v.y));
      } else {
        v = times(v / largest, conjugate(head / largest)) / sqrt(square);
        out[i * n + j] = (float2)((float)v.x, real && !pair ? 0.0f : (float)v.y);
        if (pair) out[i * n + j + 1] = (float2)((float)v.x, -(float)v.y);
      }
    }
}

// The matrix of this group in work, of 2 n^2 + n elements for each.
static inline Schur schur_of(global V* work, long n) {
  Schur s;
  s.t = work + (long)get_group_id(0) * (2 * n * n + n);
  s.q = s.t + n * n;
  s.v = s.q + n * n;
  s.n = n;
  return s;
}

#define GROUP_KERNEL kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void

// T in [1, 2) and Q = I. exponents[m]: the power of two taken out, INT_MAX for a matrix that holds what is not finite.
GROUP_KERNEL load_general(global const V* a, global V* work, long n, global int* exponents, global int* failed) {
  local X_t largest[GROUP];
  local int bad[GROUP];
  const int t = get_local_id(0);
  const long m = get_group_id(0), square = n * n;
  const Schur s = schur_of(work, n);
  X_t most = 0;
  int wrong = 0;
  for (long e = t; e < square; e += GROUP) {
    most = fmax(most, largest_part(a[m * square + e]));
    wrong |= !finite(a[m * square + e]);
  }
  largest[t] = most;
  bad[t] = wrong;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int k = 0; k < GROUP; ++k) {
    most = fmax(most, largest[k]);
    wrong |= bad[k];
  }
  const int exponent = wrong || most == 0 ? 0 : ilogb(most);
  for (long e = t; e < square; e += GROUP) {
    s.t[e] = wrong ? of_real(0) : scaled(a[m * square + e], -exponent);
    s.q[e] = of_real(e / n == e % n);
  }
  if (t != 0) return;
  exponents[m] = exponent;
  failed[m] = wrong;
}

// failed[m]: 2 where the steps do not come to an end; 1 is left as it is.
GROUP_KERNEL reduce_general(global V* work, long n, int vectors, global int* failed) {
  local Plan p;
  const Schur s = schur_of(work, n);
  const bool leads = get_local_id(0) == 0;
  if (leads) p.phase = HESSENBERG, p.step = 0, p.k = 0, p.last = n - 1, p.cleared_m = 0;
  const long most = n * (2 + STEPS * n);
  for (long turn = 0; turn < most + 2; ++turn) {
    if (leads) plan_next(s, &p);
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
    if (p.phase >= DONE) break;
    const X_t f = p.factor;
    if (f != 0) rows_of(s, p.first, p.m, f, p.left);
    barrier(CLK_GLOBAL_MEM_FENCE);
    if (f != 0) columns_of(s.t, s, p.first, p.m, f, p.below);
    if (f != 0 && vectors) columns_of(s.q, s, p.first, p.m, f, n);
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
  }
  if (leads && p.phase != DONE) failed[get_group_id(0)] = 2;
}

kernel void general_values(global V* work, long n, long all, global const int* exponents, global C* w,
                           global float2* values) {
  const long e = get_global_id(0);
  if (e >= all) return;
  const long m = e / n;
  Schur s;
  s.t = work + m * (2 * n * n + n);
  s.n = n;
  w[e] = value_of(s, e % n);
  values[e] = (float2)((float)ldexp(w[e].x, exponents[m]), (float)ldexp(w[e].y, exponents[m]));
}

// room: 3 n^2 numbers for each matrix.
GROUP_KERNEL general_vectors(global V* work, long n, global const C* w, global C* room, global float2* out) {
  const long m = get_group_id(0), square = n * n;
  const Schur s = schur_of(work, n);
  global C *t = room + m * 3 * square, *q = t + square, *x = q + square;
  global const C* own = w + m * n;
  to_complex(s, own, t, q);
#ifdef COMPLEX
  const bool real = false;
#else
  const bool real = true;
#endif
  for (long j = get_local_id(0); j < n; j += GROUP) {
    const bool pair = real && own[j].y != 0;
    if (pair && own[j].y < 0) continue;
    back_substitute(t, n, j, own[j], x + j);
    put_vector(q, x + j, n, j, real, pair, out + m * square);
  }
}
