// Transforms of one axis. A work-group takes LINES lines through all passes in local memory.
//
// fft_any     any smooth length, the passes read from a table: one build serves every length
// fft_length  built for one length: passes unrolled, one local buffer, first and last pass on global memory
//
// Where element i of line l lies: (l / inner) * outer + (l % inner) * lane + i * step, read if what follows
// `outer` is under the limit, so that cut and padded inputs need no copy. Bluestein's convolution runs
// inside the same kernels when its length fits.
#pragma OPENCL FP_CONTRACT OFF
#ifdef cl_khr_fp64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif

enum {
  G_LINES,
  G_IN_INNER, G_IN_OUTER, G_IN_LANE, G_IN_STEP, G_IN_LIMIT,
  G_OUT_INNER, G_OUT_OUTER, G_OUT_LANE, G_OUT_STEP, G_OUT_LIMIT,
  G_SWAP_IN, G_SWAP_OUT,
  G_FLAG_MODE,  // 0: a line that is not finite is found here; 1: found and reported; 2: was reported
  G_FLAG_LINES, // lines here per line reported
  G_TURN,       // multiply output k of line l by the root l % inner * k
  G_CHIRP       // length of the transform if Bluestein's, else 0
};
enum { FINE_BITS = 12 };  // of a root's index: the fine table, the rest the coarse one behind it

float2 times(float2 a, float2 w) {
  return (float2)(fma(a.x, w.x, -(a.y * w.y)), fma(a.x, w.y, a.y * w.x));
}
float2 turn_back(float2 a) { return (float2)(a.y, -a.x); }  // times -i
int not_finite(float2 a) { return !(isfinite(a.x) && isfinite(a.y)); }

float2 fetch(__global const float2* in, __constant long* g, uint line, int i) {
  const uint inner = (uint)g[G_IN_INNER], outer = line / inner;
  const long offset = (line - outer * inner) * g[G_IN_LANE] + i * g[G_IN_STEP];
  if (line >= (uint)g[G_LINES] || offset >= g[G_IN_LIMIT]) return (float2)(0.0f, 0.0f);
  const float2 v = in[outer * g[G_IN_OUTER] + offset];
  return g[G_SWAP_IN] ? v.yx : v;
}

void emit(__global float2* out, __constant long* g, __global const float2* roots, float scale, int bad, uint line, int k,
          float2 v) {
  const uint inner = (uint)g[G_OUT_INNER], outer = line / inner, lane = line - outer * inner;
  const long offset = lane * g[G_OUT_LANE] + k * g[G_OUT_STEP];
  if (line >= (uint)g[G_LINES] || offset >= g[G_OUT_LIMIT]) return;
  if (g[G_TURN]) {
    const uint e = lane * k;
    v = times(v, times(roots[e & ((1 << FINE_BITS) - 1)], roots[(1 << FINE_BITS) + (e >> FINE_BITS)]));
  }
  v *= scale;
  if (bad) v = (float2)(NAN, NAN);
  out[outer * g[G_OUT_OUTER] + offset] = g[G_SWAP_OUT] ? v.yx : v;
}

void dft2(float2* v) {
  const float2 a = v[0];
  v[0] = a + v[1];
  v[1] = a - v[1];
}
void dft4(float2* v) {
  const float2 e = v[0] + v[2], f = v[0] - v[2], g = v[1] + v[3], h = turn_back(v[1] - v[3]);
  v[0] = e + g;
  v[1] = f + h;
  v[2] = e - g;
  v[3] = f - h;
}
void dft8(float2* v) {
  const float r = 0.70710678118654752440f;
  float2 a[4] = {v[0], v[2], v[4], v[6]}, b[4] = {v[1], v[3], v[5], v[7]};
  dft4(a);
  dft4(b);
  b[1] = (float2)((b[1].x + b[1].y) * r, (b[1].y - b[1].x) * r);
  b[2] = turn_back(b[2]);
  b[3] = (float2)((b[3].y - b[3].x) * r, -((b[3].x + b[3].y) * r));
  for (int k = 0; k < 4; ++k) {
    v[k] = a[k] + b[k];
    v[k + 4] = a[k] - b[k];
  }
}
// Odd radices: terms j and R - j share their products. w points at the n roots, n a multiple of R.
#define DFT_ODD(R)                                                                      \
  void dft##R(float2* v, __global const float2* w, int n) {                      \
    float2 y[R];                                                                        \
    y[0] = v[0];                                                                        \
    for (int j = 1; j <= R / 2; ++j) y[0] += v[j] + v[R - j];                           \
    for (int k = 1; k <= R / 2; ++k) {                                                  \
      float2 even = v[0], odd = (float2)(0.0f, 0.0f);                                   \
      for (int j = 1; j <= R / 2; ++j) {                                                \
        const float2 c = w[j * k % R * (n / R)];                                        \
        even = fma(v[j] + v[R - j], (float2)(c.x, c.x), even);                          \
        odd = fma(v[j] - v[R - j], (float2)(-c.y, -c.y), odd);                          \
      }                                                                                 \
      y[k] = (float2)(even.x + odd.y, even.y - odd.x);                                  \
      y[R - k] = (float2)(even.x - odd.y, even.y + odd.x);                              \
    }                                                                                   \
    for (int k = 0; k < R; ++k) v[k] = y[k];                                            \
  }
DFT_ODD(3)
DFT_ODD(5)
DFT_ODD(7)
DFT_ODD(11)
DFT_ODD(13)
#define dft2(v, w, n) dft2(v)
#define dft4(v, w, n) dft4(v)
#define dft8(v, w, n) dft8(v)

#ifndef N

// One pass over all lines of the group: butterfly b of a line reads b + j n / R.
#define PASS(R)                                                                         \
  void pass##R(__local const float2* x, __local float2* y, __global const float2* w, int n, int m, int s, \
                      int lines) {                                                      \
    const int each = n / R;                                                             \
    for (int i = get_local_id(0); i < lines * each; i += get_local_size(0)) {           \
      const int line = i / each, b = i - line * each, p = b / s, q = b - p * s;         \
      float2 v[R];                                                                      \
      for (int j = 0; j < R; ++j) v[j] = x[line * n + b + j * each];                    \
      dft##R(v, w, n);                                                                  \
      for (int k = 0; k < R; ++k)                                                       \
        y[line * n + q + s * (R * p + k)] = k * p == 0 ? v[k] : times(v[k], w[p * k * s]); \
    }                                                                                   \
  }
PASS(2)
PASS(3)
PASS(4)
PASS(5)
PASS(7)
PASS(8)
PASS(11)
PASS(13)

// passes: their number, then radix, m and s of each.
__kernel void fft_any(__global const float2* in, __global float2* out, __constant long* g, __global int* flags,
                      __global const float2* w, __global const float2* turn, __global const float2* chirp,
                      __global const float2* spectrum, float scale, __constant int* passes, int n, int lines,
                      int load_columns, int store_columns, __local float2* x, __local float2* y, __local int* bad) {
  const int id = get_local_id(0), size = get_local_size(0), total = n * lines, terms = (int)g[G_CHIRP];
  const uint first = get_group_id(0) * lines;
  for (int l = id; l < lines; l += size)
    bad[l] = g[G_FLAG_MODE] == 2 && first + l < (uint)g[G_LINES] ? flags[(first + l) / (uint)g[G_FLAG_LINES]] : 0;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int i = id; i < total; i += size) {
    const int line = load_columns ? i % lines : i / n, j = load_columns ? i / lines : i % n;
    float2 v = terms && j >= terms ? (float2)(0.0f, 0.0f) : fetch(in, g, first + line, j);
    if (not_finite(v) && g[G_FLAG_MODE] != 2) {
      bad[line] = 1;
      if (g[G_FLAG_MODE] == 1) flags[(first + line) / (uint)g[G_FLAG_LINES]] = 1;
    }
    x[line * n + j] = terms && j < terms ? times(v, chirp[j]) : v;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int round = 0; round < (terms ? 2 : 1); ++round) {
    for (int t = 0; t < passes[0]; ++t) {
      const int radix = passes[1 + 3 * t], m = passes[2 + 3 * t], s = passes[3 + 3 * t];
      switch (radix) {
        case 2: pass2(x, y, w, n, m, s, lines); break;
        case 3: pass3(x, y, w, n, m, s, lines); break;
        case 4: pass4(x, y, w, n, m, s, lines); break;
        case 5: pass5(x, y, w, n, m, s, lines); break;
        case 7: pass7(x, y, w, n, m, s, lines); break;
        case 8: pass8(x, y, w, n, m, s, lines); break;
        case 11: pass11(x, y, w, n, m, s, lines); break;
        case 13: pass13(x, y, w, n, m, s, lines); break;
      }
      barrier(CLK_LOCAL_MEM_FENCE);
      __local float2* other = x;
      x = y;
      y = other;
    }
    if (terms && round == 0) {
      for (int i = id; i < total; i += size) x[i] = times(x[i], spectrum[i % n]).yx;
      barrier(CLK_LOCAL_MEM_FENCE);
    }
  }
  for (int i = id; i < total; i += size) {
    const int line = store_columns ? i % lines : i / n, k = store_columns ? i / lines : i % n;
    if (terms && k >= terms) continue;
    const float2 v = x[line * n + k];
    emit(out, g, turn, scale, bad[line], first + line, k, terms ? times(v.yx, chirp[k]) : v);
  }
}

// ---- what surrounds the transforms ----

#define CONVERT(NAME, TYPE, VALUE)                                                      \
  __kernel void from_##NAME(__global const TYPE* in, __global float2* out, long n) { \
    const long i = get_global_id(0);                                                    \
    if (i < n) out[i] = (float2)(VALUE, 0.0f);                                          \
  }
CONVERT(bool, uchar, in[i] != 0 ? 1.0f : 0.0f)
CONVERT(u8, uchar, (float)in[i])
CONVERT(u16, ushort, (float)in[i])
CONVERT(u32, uint, convert_float_rte(in[i]))
CONVERT(u64, ulong, convert_float_rte(in[i]))
CONVERT(i8, char, (float)in[i])
CONVERT(i16, short, (float)in[i])
CONVERT(i32, int, convert_float_rte(in[i]))
CONVERT(i64, long, convert_float_rte(in[i]))
CONVERT(f16, half, vload_half(i, in))
CONVERT(bf16, ushort, as_float((uint)in[i] << 16))
CONVERT(f32, float, in[i])
CONVERT(c64, float2, in[i].x)
#ifdef cl_khr_fp64
CONVERT(f64, double, convert_float_rte(in[i]))
#endif

// irfft: the n bins whose first `size` are given; bins 0 and n / 2 are real. One work-item per bin.
__kernel void whole_spectrum(__global const float2* in, __global float2* out, long count, long n, long size, long inner) {
  const long t = get_global_id(0);
  if (t >= count) return;
  const long i = t % inner, k = t / inner % n, o = t / (inner * n), j = min(k, n - k);
  float2 v = (float2)(0.0f, 0.0f);
  if (j < size) v = in[(o * size + j) * inner + i];
  if (2 * j % n == 0) v.y = 0.0f;
  out[t] = k == j ? v : (float2)(v.x, -v.y);
}

__kernel void real_part(__global const float2* in, __global float* out, long count) {
  const long i = get_global_id(0);
  if (i < count) out[i] = in[i].x;
}

// Lines of `size` elements, `inner` apart, as dense lines of n: cut or padded with zeros; and back.
__kernel void gather_lines(__global const float2* in, __global float2* out, long count, long n, long size, long inner) {
  const long t = get_global_id(0);
  if (t >= count) return;
  const long i = t % inner, j = t / inner % n, o = t / (inner * n);
  out[(o * inner + i) * n + j] = j < size ? in[(o * size + j) * inner + i] : (float2)(0.0f, 0.0f);
}
__kernel void scatter_lines(__global const float2* in, __global float2* out, long count, long n, long size, long inner) {
  const long t = get_global_id(0);
  if (t >= count) return;
  const long i = t % inner, j = t / inner % size, o = t / (inner * size);
  out[t] = in[(o * inner + i) * n + j];
}

// Bluestein on dense lines of which `used` elements count: y_j = x_j c_j, then zeros up to m; y_j = x_j b_j exchanged; X_k = y_k c_k.
__kernel void chirp_in(__global const float2* in, __global const float2* chirp, __global float2* out, __global int* flags,
                       long count, long used, long size, long m, int swap) {
  const long t = get_global_id(0);
  if (t >= count) return;
  const long j = t % m, line = t / m;
  float2 v = (float2)(0.0f, 0.0f);
  if (j < used) {
    v = in[line * size + j];
    if (not_finite(v)) flags[line] = 1;
    v = times(swap ? v.yx : v, chirp[j]);
  }
  out[t] = v;
}
__kernel void chirp_middle(__global float2* x, __global const float2* spectrum, __global float2* out, long count, long m) {
  const long t = get_global_id(0);
  if (t < count) out[t] = times(x[t], spectrum[t % m]).yx;
}
__kernel void chirp_out(__global const float2* in, __global const float2* chirp, __global float2* out,
                        __global const int* flags, long count, long n, long m, int swap, float scale) {
  const long t = get_global_id(0);
  if (t >= count) return;
  const long k = t % n, line = t / n;
  float2 v = times(in[line * m + k].yx, chirp[k]) * scale;
  if (flags[line]) v = (float2)(NAN, NAN);
  out[t] = swap ? v.yx : v;
}

#else  // N: built for one length

// -DN -DLINES -DGROUP -DLOAD_COLUMNS -DSTORE_COLUMNS -DCHIRPED (Bluestein) -DPASSES=P(first,last,R,M,S)...
#define PAD(i) ((i) + (i) / 16)
#if LOAD_COLUMNS
#define AT(line, i) PAD((i) * LINES + (line))
#define LOCAL_SIZE (PAD(N * LINES) + 1)
#else
#define AT(line, i) ((line) * (PAD(N) + 1) + PAD(i))
#define LOCAL_SIZE ((PAD(N) + 1) * LINES)
#endif
#define LINE_OF(i, each, columns) ((columns) ? (i) % LINES : (i) / (each))
#define PART_OF(i, each, columns) ((columns) ? (i) / LINES : (i) % (each))
#define UNROLL _Pragma("unroll")

float2 take(__global const float2* in, __constant long* g, __global int* flags, __local int* bad, uint first,
                   int line, int i) {
  const float2 v = fetch(in, g, first + line, i);
  if (g[G_FLAG_MODE] != 2 && not_finite(v)) {
    bad[line] = 1;
    if (g[G_FLAG_MODE] == 1) flags[(first + line) / (uint)g[G_FLAG_LINES]] = 1;
  }
  return v;
}

#define P(FIRST, LAST, R, M, S)                                                                                 \
  {                                                                                                             \
    const int each = N / R, columns = FIRST ? LOAD_COLUMNS : LAST ? STORE_COLUMNS : LOAD_COLUMNS;               \
    float2 v[(LINES * (N / R) + GROUP - 1) / GROUP][R];                                                         \
    UNROLL for (int t = 0; t < (LINES * (N / R) + GROUP - 1) / GROUP; ++t) {                                    \
      const int i = id + t * GROUP, line = LINE_OF(i, each, columns), b = PART_OF(i, each, columns), p = b / S; \
      if (LINES * (N / R) % GROUP == 0 || i < LINES * each) {                                                   \
        UNROLL for (int j = 0; j < R; ++j) v[t][j] =                                                            \
            FIRST ? take(in, g, flags, bad, first, line, b + j * each) : x[AT(line, b + j * each)];             \
        dft##R(v[t], w, N);                                                                                     \
        if (M > 1) UNROLL for (int k = 1; k < R; ++k) v[t][k] = times(v[t][k], w[p * k * S]);                   \
      }                                                                                                         \
    }                                                                                                           \
    if (!FIRST || LAST) barrier(CLK_LOCAL_MEM_FENCE);                                                           \
    UNROLL for (int t = 0; t < (LINES * (N / R) + GROUP - 1) / GROUP; ++t) {                                    \
      const int i = id + t * GROUP, line = LINE_OF(i, each, columns), b = PART_OF(i, each, columns), p = b / S; \
      const int q = b - p * S;                                                                                  \
      if (LINES * (N / R) % GROUP == 0 || i < LINES * each) {                                                   \
        UNROLL for (int k = 0; k < R; ++k) {                                                                    \
          if (LAST) emit(out, g, turn, scale, bad[line], first + line, q + S * (R * p + k), v[t][k]);           \
          else x[AT(line, q + S * (R * p + k))] = v[t][k];                                                      \
        }                                                                                                       \
      }                                                                                                         \
    }                                                                                                           \
    if (!LAST) barrier(CLK_LOCAL_MEM_FENCE);                                                                    \
  }

__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void fft_length(
    __global const float2* in, __global float2* out, __constant long* g, __global int* flags, __global const float2* w,
    __global const float2* turn, __global const float2* chirp, __global const float2* spectrum, float scale) {
  __local float2 x[LOCAL_SIZE];
  __local int bad[LINES];
  const int id = get_local_id(0);
  const uint first = get_group_id(0) * LINES;
  for (int l = id; l < LINES; l += GROUP)
    bad[l] = g[G_FLAG_MODE] == 2 && first + l < (uint)g[G_LINES] ? flags[(first + l) / (uint)g[G_FLAG_LINES]] : 0;
  barrier(CLK_LOCAL_MEM_FENCE);
#if CHIRPED
  const int terms = (int)g[G_CHIRP];
  for (int i = id; i < LINES * N; i += GROUP) {
    const int line = LINE_OF(i, N, LOAD_COLUMNS), j = PART_OF(i, N, LOAD_COLUMNS);
    x[AT(line, j)] = j < terms ? times(take(in, g, flags, bad, first, line, j), chirp[j]) : (float2)(0.0f, 0.0f);
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  PASSES
  for (int i = id; i < LINES * N; i += GROUP) {
    const int line = i / N, j = i % N;
    x[AT(line, j)] = times(x[AT(line, j)], spectrum[j]).yx;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  PASSES
  for (int i = id; i < LINES * N; i += GROUP) {
    const int line = LINE_OF(i, N, STORE_COLUMNS), k = PART_OF(i, N, STORE_COLUMNS);
    if (k < terms) emit(out, g, turn, scale, bad[line], first + line, k, times(x[AT(line, k)].yx, chirp[k]));
  }
#else
  PASSES
#endif
}

#endif
