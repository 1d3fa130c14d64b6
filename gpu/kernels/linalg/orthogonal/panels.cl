// QR by panels with its parameters (plans/linalg/orthogonal/panels.h), one matrix m x n, size = min(m, n).
//
// Options: X, f32 or f64; of f64 all sums are strided.
//
//   scale     columns of the matrix times powers of 2
//   take      a panel's columns, each adjacent, the rows from k on
//   reflector column c of the panel: v, tau, r_cc, by one work-group
//   update    the columns behind it in the panel, a work-group each
//   gram      G = V^T V in f64, a work-item each
//   join      T, and how far I - V T V^T is from orthogonal, by one work-group
//   keep      the panel back into w, its reflectors into v
//   project, turn, reflect   C -= V T' V^T C: P = V^T C, S = T' P, C -= V S
//   finish_q, finish_r       answers as f32
//
// state: 0 the code, 1 the column that it is of, 2 columns reflected, 3 skipped for their tiny norm.

#include "element.cl"

typedef X_t T;
#define MOST_THREADS 1024
#define BITS 31
#define LEAST (-60)
#define MOST_EXPONENT (X == f64 ? 1021 : 125)
#define EACH 8

int exponent_of(const T x) { return x > (T)0 ? min(MOST_EXPONENT, max(-MOST_EXPONENT, ilogb(x))) : 0; }
// e with |x| <= 2^e, where a column of numbers below 2^LEAST is held by units of 2^(LEAST - BITS).
int ceiling(const T most) { return max(LEAST, exponent_of(most) + 1); }

kernel void scale(global const float* a, global T* w, global int* powers, global int* state, const long first,
                  const long m, const long n) {
  const long j = get_global_id(0);
  if (j >= n) return;
  float most = 0, rest = 0;
  for (long i = 0; i < m; ++i) {
    const float x = a[first + i * n + j];
    most = fmax(most, fabs(x)), rest += x - x;
  }
  if (!(rest == 0)) atomic_xchg(state, 4), atomic_min(state + 1, (int)j);
  const int power = rest == 0 && most > 0 ? min(125, max(-125, ilogb(most))) : 0;
  powers[j] = power;
  for (long i = 0; i < m; ++i) w[i * n + j] = ldexp((T)a[first + i * n + j], -power);
}

kernel void take(global const T* w, global T* columns, const long rows, const long n, const long k, const long b) {
  const long e = get_global_id(0), c = e / rows, i = e % rows;
  if (c < b) columns[e] = w[(k + i) * n + k + c];
}

kernel void keep(global T* w, global T* all, global const T* columns, global const T* v, const long rows, const long n,
                 const long size, const long k, const long b) {
  const long e = get_global_id(0), c = e / rows, i = e % rows;
  if (c >= b) return;
  w[(k + i) * n + k + c] = columns[e];
  all[(k + i) * size + k + c] = v[e];
}

// ---- Sums of a group, which every one of its threads gets

// By all threads of a grid of one group.
T most_of(global const T* x, const long n, local T* room) {
  const int t = get_local_id(0);
  T most = (T)0;
  for (long i = get_global_id(0); i < n; i += get_global_size(0)) most = fmax(most, fabs(x[i]));
  barrier(CLK_LOCAL_MEM_FENCE);
  room[t] = most;
  barrier(CLK_LOCAL_MEM_FENCE);
  most = (T)0;
  for (int i = 0; i < (int)get_local_size(0); ++i) most = fmax(most, room[i]);
  return most;
}

T strided_dot(global const T* x, global const T* y, const long n, local T* room) {
  T own = (T)0;
  for (long i = get_local_id(0); i < n; i += get_local_size(0)) own = fma(x[i], y[i], own);
  barrier(CLK_LOCAL_MEM_FENCE);
  room[get_local_id(0)] = own;
  barrier(CLK_LOCAL_MEM_FENCE);
  T sum = room[0];
  for (int i = 1; i < (int)get_local_size(0); ++i) sum += room[i];
  return sum;
}

// Eight limbs of 16 bits of a sum of products of whole numbers, in words of 32 bits that must be carried after TERMS.
#define LIMBS 8
#define TERMS 8191

void carry(uint* l) {
  for (int i = 0; i + 1 < LIMBS; ++i) l[i + 1] += l[i] >> 16, l[i] &= 0xFFFFu;
}

// a b = (ah 2^16 + al) (bh 2^16 + bl): four products of 32 bits, in halves. A limb grows by less than 2^18.
void add_product(uint* l, const uint a, const uint b) {
  const uint al = a & 0xFFFFu, ah = a >> 16, bl = b & 0xFFFFu, bh = b >> 16;
  const uint low = al * bl, high = ah * bh, one = al * bh, two = ah * bl;
  l[0] += low & 0xFFFFu;
  l[1] += (low >> 16) + (one & 0xFFFFu) + (two & 0xFFFFu);
  l[2] += (one >> 16) + (two >> 16) + (high & 0xFFFFu);
  l[3] += high >> 16;
}

ulong half_of(const uint* l) { return (ulong)l[3] << 48 | (ulong)l[2] << 32 | (ulong)l[1] << 16 | l[0]; }

// (plus - minus) 2^e, rounded once to nearest even.
float difference(const uint* plus, const uint* minus, const int e) {
  ulong high = half_of(plus + 4) - half_of(minus + 4), low = half_of(plus) - half_of(minus);
  if (half_of(plus) < half_of(minus)) --high;
  const bool negative = high >> 63 != 0;
  if (negative) high = ~high + (low == 0 ? 1 : 0), low = ~low + 1;
  if ((high | low) == 0) return 0.0f;
  const int up = high != 0 ? (int)clz(high) : 64 + (int)clz(low);
  if (up >= 64) high = low << (up - 64), low = 0;
  else if (up > 0) high = high << up | low >> (64 - up), low <<= up;
  ulong top = high >> 40;
  const ulong rest = high & 0xFFFFFFFFFFul, tie = 1ul << 39;
  if (rest > tie || (rest == tie && (low != 0 || (top & 1) != 0))) ++top;
  const float x = ldexp((float)top, 104 - up + e);
  return negative ? -x : x;
}

// round(|x| 2^(BITS - e)), to even.
uint whole(const float x, const float scale) { return (uint)rint(fabs(x) * scale); }

// Of each sign the limbs of all threads, then x . y. Adding whole numbers, it does not matter who adds which.
float exact_dot(global const T* x, const int ex, global const T* y, const int ey, const long n, local uint* room) {
  const float sx = ldexp(1.0f, BITS - ex), sy = ldexp(1.0f, BITS - ey);
  uint own[2 * LIMBS];
  for (int i = 0; i < 2 * LIMBS; ++i) own[i] = 0;
  long terms = 0;
  for (long i = get_global_id(0); i < n; i += get_global_size(0)) {
    const float a = (float)x[i], b = (float)y[i];
    add_product(own + (signbit(a) != signbit(b) ? LIMBS : 0), whole(a, sx), whole(b, sy));
    if (++terms % TERMS == 0) carry(own), carry(own + LIMBS);
  }
  carry(own), carry(own + LIMBS);
  barrier(CLK_LOCAL_MEM_FENCE);
  if (get_local_id(0) < 2 * LIMBS) room[get_local_id(0)] = 0;
  if (get_local_id(0) == 0)  // of a group of fewer threads
    for (int i = get_local_size(0); i < 2 * LIMBS; ++i) room[i] = 0;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int i = 0; i < 2 * LIMBS; ++i)
    if (own[i] != 0) atomic_add(room + i, own[i]);
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int i = 0; i < 2 * LIMBS; ++i) own[i] = room[i];
  carry(own), carry(own + LIMBS);
  return difference(own, own + LIMBS, ex + ey - 2 * BITS);
}

T dot(const int exact, global const T* x, const int ex, global const T* y, const int ey, const long n, local T* room,
      local uint* limbs) {
  return X == f32 && exact ? (T)exact_dot(x, ex, y, ey, n, limbs) : strided_dot(x, y, n, room);
}

// ---- Column c of a panel, whose columns have `rows` elements; the grid is one group

void end(global int* state, global double* value, const int code, const long column, const T found) {
  if (get_global_id(0) == 0) state[0] = code, state[1] = (int)column, *value = (double)found;
}

kernel void reflector(global T* columns, global T* vs, global T* tau, global int* exponents, global int* state,
                      global double* value, const long rows, const long c, const long first, const int exact,
                      const int wider, const long most_iterations, const double tiny, const double most_square) {
  local T room[MOST_THREADS];
  local uint limbs[2 * LIMBS];
  const long n = rows - c, t = get_global_id(0), width = get_global_size(0);
  global T *x = columns + c * rows + c, *v = vs + c * rows + c;
  const int ended = state[0], before = state[2];
  barrier(CLK_GLOBAL_MEM_FENCE);
  if (ended != 0) return;
  for (long i = t - c; i < n; i += width) v[i] = (T)0;
  if (t == 0) tau[c] = (T)0, state[2] = before + 1;
  if (before + 1 > most_iterations) {
    end(state, value, 3, first + c, (T)(before + 1));
    return;
  }
  const T below = most_of(x + 1, n - 1, room);
  if (below == (T)0) return;  // nothing lies below: H = I
  barrier(CLK_GLOBAL_MEM_FENCE);
  const T head = x[0], most = fmax(below, fabs(head));
  if ((double)most <= tiny) {
    for (long i = 1 + t; i < n; i += width) x[i] = (T)0;
    if (t == 0) ++state[3];
    if (wider) end(state, value, -1, first + c, most);
    return;
  }
  const int power = exponent_of(most) + 1;
  for (long i = t; i < n; i += width) v[i] = ldexp(x[i], -power);
  barrier(CLK_GLOBAL_MEM_FENCE);
  const T norm = sqrt(dot(exact, v, 0, v, 0, n, room, limbs));
  if (!(norm - norm == (T)0)) {
    end(state, value, 4, first + c, norm);
    return;
  }
  const T signed_norm = signbit(head) ? -norm : norm, pivot = ldexp(head, -power) + signed_norm;
  const int e = ceiling(fmax(fabs(pivot), ldexp(most, -power)));
  barrier(CLK_GLOBAL_MEM_FENCE | CLK_LOCAL_MEM_FENCE);
  if (t == 0) v[0] = pivot;
  barrier(CLK_GLOBAL_MEM_FENCE);
  const T square = dot(exact, v, e, v, e, n, room, limbs);
  if (!(square - square == (T)0) || (double)square > most_square) {
    end(state, value, 5, first + c, square);
    return;
  }
  if (t == 0) tau[c] = (T)2 / square, exponents[c] = e;
  for (long i = t; i < n; i += width) x[i] = i == 0 ? ldexp(-signed_norm, power) : (T)0;
}

kernel void update(global T* columns, global const T* vs, global const T* tau, global const int* exponents,
                   global const int* state, const long rows, const long c, const int exact) {
  local T room[MOST_THREADS];
  local uint limbs[2 * LIMBS];
  const long n = rows - c, j = c + 1 + get_global_id(1);
  global T* y = columns + j * rows + c;
  global const T* v = vs + c * rows + c;
  if (state[0] != 0 || tau[c] == (T)0) return;
  const int ey = ceiling(most_of(y, n, room));
  const T s = tau[c] * dot(exact, v, exponents[c], y, ey, n, room, limbs);
  barrier(CLK_GLOBAL_MEM_FENCE);
  for (long i = get_local_id(0); i < n; i += get_local_size(0)) y[i] = fma(-s, v[i], y[i]);
}

// ---- A panel of b columns

kernel void gram(global const T* v, global double* g, const long rows, const long b) {
  const long j = get_global_id(0), i = get_global_id(1);
  if (j >= b || i > j) return;
  double sum = 0;
  for (long l = j; l < rows; ++l) sum = fma((double)v[i * rows + l], (double)v[j * rows + l], sum);
  g[i * b + j] = g[j * b + i] = sum;
}

// T with H_0 .. H_(b-1) = I - V T V^T: t_jj = tau_j, t_(0..j) = -tau_j T V^T v_j. M = T^T G T - T - T^T, and
// ||(I - V T V^T)^T (I - V T V^T) - I||_F^2 = tr (M G)^2. room: 3 b b.
kernel void join(global const double* g, global const T* tau, global T* triangle, global double* room,
                 global double* drift, const long b, const long ld, const long at) {
  global double *s = room, *p = room + b * b, *m = p + b * b;
  const long t = get_local_id(0), width = get_local_size(0);
  for (long e = t; e < b * b; e += width) s[e] = 0;
  barrier(CLK_GLOBAL_MEM_FENCE);
  for (long j = 0; j < b; ++j) {
    for (long i = t; i <= j; i += width) {
      double sum = 0;
      for (long l = i; l < j; ++l) sum = fma(s[i * b + l], g[l * b + j], sum);
      s[i * b + j] = (double)(T)(i < j ? -(double)tau[j] * sum : (double)tau[j]);
    }
    barrier(CLK_GLOBAL_MEM_FENCE);
  }
  for (long e = t; e < b * b; e += width) {
    double sum = 0;
    for (long l = 0; l <= e % b; ++l) sum = fma(g[e / b * b + l], s[l * b + e % b], sum);
    p[e] = sum, triangle[at + e / b * ld + e % b] = (T)s[e];
  }
  barrier(CLK_GLOBAL_MEM_FENCE);
  for (long e = t; e < b * b; e += width) {
    const long i = e / b, j = e % b;
    double sum = -s[e] - s[j * b + i];
    for (long l = 0; l <= i; ++l) sum = fma(s[l * b + i], p[l * b + j], sum);
    m[e] = sum;
  }
  barrier(CLK_GLOBAL_MEM_FENCE);
  for (long e = t; e < b * b; e += width) {
    double sum = 0;
    for (long l = 0; l < b; ++l) sum = fma(m[e / b * b + l], g[l * b + e % b], sum);
    p[e] = sum;
  }
  barrier(CLK_GLOBAL_MEM_FENCE);
  if (t != 0) return;
  double square = 0;
  for (long e = 0; e < b * b; ++e) square = fma(p[e], p[e % b * b + e / b], square);
  *drift = sqrt(fmax(0.0, square));
}

// ---- C -= V T' V^T C on columns [from, columns) of the rows from k on

// P = V^T C, EACH rows of it a work-item
kernel void project(global const T* c, global const T* v, global T* p, const long m, const long size,
                    const long columns, const long from, const long k, const long b) {
  const long j = from + get_global_id(0);
  const long q0 = (long)get_global_id(1) * EACH;
  if (j >= columns || q0 >= b) return;
  T sums[EACH];
  for (int q = 0; q < EACH; ++q) sums[q] = (T)0;
  for (long i = k; i < m; ++i) {
    const T x = c[i * columns + j];
    for (int q = 0; q < EACH; ++q) sums[q] = fma(v[i * size + k + min(q0 + q, b - 1)], x, sums[q]);
  }
  for (int q = 0; q < EACH && q0 + q < b; ++q) p[(q0 + q) * columns + j] = sums[q];
}

// S = T^T P, or T P
kernel void turn(global const T* p, global const T* triangle, global T* s, const long columns, const long from,
                 const long b, const long ld, const long at, const int transposed) {
  const long j = from + get_global_id(0);
  const long q = (long)get_global_id(1);
  if (j >= columns || q >= b) return;
  T sum = (T)0;
  for (long l = 0; l < b; ++l)
    sum = fma(triangle[at + (transposed ? l * ld + q : q * ld + l)], p[l * columns + j], sum);
  s[q * columns + j] = sum;
}

kernel void reflect(global T* c, global const T* v, global const T* s, const long m, const long size,
                    const long columns, const long from, const long k, const long b) {
  const long j = from + get_global_id(0), i0 = k + (long)get_global_id(1) * EACH;
  if (j >= columns || i0 >= m) return;
  T sums[EACH];
  for (int r = 0; r < EACH; ++r) sums[r] = (T)0;
  for (long q = 0; q < b; ++q) {
    const T x = s[q * columns + j];
    for (int r = 0; r < EACH; ++r) sums[r] = fma(v[min(i0 + r, m - 1) * size + k + q], x, sums[r]);
  }
  for (int r = 0; r < EACH && i0 + r < m; ++r) c[(i0 + r) * columns + j] -= sums[r];
}

// ---- Answers

kernel void identity(global T* q, const long columns, const long total) {
  const long e = get_global_id(0);
  if (e < total) q[e] = e / columns == e % columns ? (T)1 : (T)0;
}

kernel void finish_q(global const T* own, global float* q, const long first, const int whole, const long total) {
  const long e = get_global_id(0);
  if (e < total) q[first + e] = whole ? (float)own[e] : NAN;
}

kernel void finish_r(global const T* w, global const int* powers, global float* r, const long first, const long n,
                     const int whole, const long total) {
  const long e = get_global_id(0);
  if (e >= total) return;
  r[first + e] = e % n < e / n ? 0.0f : whole ? (float)ldexp(w[e], powers[e % n]) : NAN;
}
