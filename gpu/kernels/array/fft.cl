// Transforms of one axis. A work-group takes some lines through all passes in local memory.
//
// fft_any     any smooth length, the passes read from a table: one build serves every length
// fft_length  built for one length: passes unrolled, one local buffer, first and last pass on global memory
//
// Where element i of line l lies, in the batch that the second group index names:
//   batch * id + (l / inner) * outer + (l % inner) * lane + i * step     inner = 0 stands for all lines
// What follows `outer` must be under `limit`, so that cut and padded inputs need no copy. Bluestein's
// convolution runs inside the same kernels when its length fits.
#pragma OPENCL FP_CONTRACT OFF

enum { FINE_BITS = 12 };  // of a root's index: the fine table, the rest the coarse one behind it

typedef struct {
  ulong batch;
  uint inner, outer, lane, step, limit;
} Side;
#define SIDE(NAME) \
  ulong NAME##_batch, uint NAME##_inner, uint NAME##_outer, uint NAME##_lane, uint NAME##_step, uint NAME##_limit
#define SIDE_OF(NAME) \
  { NAME##_batch, NAME##_inner, NAME##_outer, NAME##_lane, NAME##_step, NAME##_limit }

// The range of a line (optimized/array/fft_range.h): what its largest |part| is. A line far above or below 1 is
// computed times a power of two, and times its inverse at the end.
enum { NOTHING, IN_RANGE = 1, FAR_BELOW = 2, FAR_ABOVE = 4, NOT_FINITE = 8 };
#define LARGE ((127u + 60u) << 23)  // bits of 2^60
#define SMALL ((127u - 60u) << 23)  // of 2^-60

// Where it is found: of whole lines, here; of a line in steps, by the first step column by column, in codes, with what
// is not in range in a flag of the batch; the second one heeds that, and the last one takes the factor away:
// the same step of two, a THIRD of three.
enum { FIND, REPORT, REPORTED, FINAL, THIRD };

// As integers, bits of magnitudes order as these do.
uint bits_of(float2 v) { return max(as_uint(v.x) & 0x7fffffffu, as_uint(v.y) & 0x7fffffffu); }
int kind_of(uint bits) {
  if (bits >= 0x7f800000u) return NOT_FINITE;
  return bits >= LARGE ? FAR_ABOVE : bits >= SMALL ? IN_RANGE : bits ? FAR_BELOW : NOTHING;
}
float factor_in(int kind) { return kind == FAR_ABOVE ? 0x1p-64f : kind == FAR_BELOW ? 0x1p64f : 1.0f; }
float factor_out(int kind) { return kind == FAR_ABOVE ? 0x1p64f : kind == FAR_BELOW ? 0x1p-64f : 1.0f; }

// The one kind whose factor all columns of a batch are brought to. For all work-items of a group together.
int unit_of(int found, __global const int* codes, uint columns, __local int* in_range) {
  const int scan = (found & (FAR_ABOVE | FAR_BELOW)) == FAR_BELOW;
  if (get_local_id(0) == 0) *in_range = !scan;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (uint i = scan ? get_local_id(0) : columns; i < columns; i += get_local_size(0))
    if (codes[i] == IN_RANGE) *in_range = 1;
  barrier(CLK_LOCAL_MEM_FENCE);
  return found & FAR_ABOVE ? FAR_ABOVE : *in_range ? IN_RANGE : FAR_BELOW;
}
// What brings an element of column i to the unit.
float to_unit(int unit, __global const int* codes, uint i) { return factor_in(unit) * factor_out(codes[i]); }

void report(__global int* flags, __global int* codes, uint line, int kind) {
  codes[line] = kind;
  if (kind > IN_RANGE) atomic_or((volatile __global int*)&flags[get_group_id(1)], kind);
}

float2 times(float2 a, float2 w) { return (float2)(fma(a.x, w.x, -(a.y * w.y)), fma(a.x, w.y, a.y * w.x)); }
float2 turn_back(float2 a) { return (float2)(a.y, -a.x); }  // times -i
uint lane_of(Side s, uint line) { return s.inner == 1 ? 0 : s.inner == 0 ? line : line % s.inner; }
ulong base_of(Side s, uint line) {
  return s.batch * get_group_id(1) + (ulong)(s.inner == 1 ? line : s.inner == 0 ? 0 : line / s.inner) * s.outer;
}

// Root e from a fine and a coarse table.
float2 root_of(__global const float2* turn, uint e) {
  return times(turn[e & ((1 << FINE_BITS) - 1)], turn[(1 << FINE_BITS) + (e >> FINE_BITS)]);
}

uint offset_of(Side s, uint line, uint i) { return lane_of(s, line) * s.lane + i * s.step; }

float2 fetch(__global const float2* in, Side s, uint line, uint i, int swap) {
  const uint offset = offset_of(s, line, i);
  if (offset >= s.limit) return (float2)(0.0f, 0.0f);
  const float2 v = in[base_of(s, line) + offset];
  return swap ? v.yx : v;
}

// turned: multiplies output k by root (lane * k) of the turn's tables.
void emit(__global float2* out, Side s, __global const float2* turn, int turned, float scale, int bad, uint line,
          uint k, int swap, float2 v) {
  const uint lane = lane_of(s, line), offset = lane * s.lane + k * s.step;
  if (offset >= s.limit) return;
  if (turned) v = times(v, root_of(turn, lane * k));
  v *= scale;
  if (bad) v = (float2)(NAN, NAN);
  out[base_of(s, line) + offset] = swap ? v.yx : v;
}

void dft2(float2* v) {
  const float2 a = v[0];
  v[0] = a + v[1];
  v[1] = a - v[1];
}
void dft4_of(float2 a, float2 b, float2 c, float2 d, float2* y) {
  const float2 e = a + c, f = a - c, g = b + d, h = turn_back(b - d);
  y[0] = e + g;
  y[1] = f + h;
  y[2] = e - g;
  y[3] = f - h;
}
void dft4(float2* v) { dft4_of(v[0], v[1], v[2], v[3], v); }
#define HALF_ROOT 0.70710678118654752440f
void dft8(float2* v) {
  float2 a[4], b[4];
  dft4_of(v[0], v[2], v[4], v[6], a);
  dft4_of(v[1], v[3], v[5], v[7], b);
  b[1] = (float2)((b[1].x + b[1].y) * HALF_ROOT, (b[1].y - b[1].x) * HALF_ROOT);
  b[2] = turn_back(b[2]);
  b[3] = (float2)((b[3].y - b[3].x) * HALF_ROOT, -((b[3].x + b[3].y) * HALF_ROOT));
  for (int k = 0; k < 4; ++k) {
    v[k] = a[k] + b[k];
    v[k + 4] = a[k] - b[k];
  }
}
void dft16(float2* v) {  // four by four, root i k of 16 between
  const float c = 0.92387953251128675613f, s = 0.38268343236508977173f, r = HALF_ROOT;
  float2 a[4], b[4], d[4], e[4];
  dft4_of(v[0], v[4], v[8], v[12], a);
  dft4_of(v[1], v[5], v[9], v[13], b);
  dft4_of(v[2], v[6], v[10], v[14], d);
  dft4_of(v[3], v[7], v[11], v[15], e);
  b[1] = times(b[1], (float2)(c, -s));
  b[2] = (float2)((b[2].x + b[2].y) * r, (b[2].y - b[2].x) * r);
  b[3] = times(b[3], (float2)(s, -c));
  d[1] = (float2)((d[1].x + d[1].y) * r, (d[1].y - d[1].x) * r);
  d[2] = turn_back(d[2]);
  d[3] = (float2)((d[3].y - d[3].x) * r, -((d[3].x + d[3].y) * r));
  e[1] = times(e[1], (float2)(s, -c));
  e[2] = (float2)((e[2].y - e[2].x) * r, -((e[2].x + e[2].y) * r));
  e[3] = times(e[3], (float2)(-c, s));
  for (int k = 0; k < 4; ++k) {
    float2 y[4];
    dft4_of(a[k], b[k], d[k], e[k], y);
    for (int l = 0; l < 4; ++l) v[k + 4 * l] = y[l];
  }
}
// Odd radices: terms j and R - j share their products. w points at the R roots.
#define DFT_ODD(R)                                             \
  void dft##R(float2* v, __global const float2* w) {           \
    float2 y[R];                                               \
    y[0] = v[0];                                               \
    for (int j = 1; j <= R / 2; ++j) y[0] += v[j] + v[R - j];  \
    for (int k = 1; k <= R / 2; ++k) {                         \
      float2 even = v[0], odd = (float2)(0.0f, 0.0f);          \
      for (int j = 1; j <= R / 2; ++j) {                       \
        const float2 c = w[j * k % R];                         \
        even = fma(v[j] + v[R - j], (float2)(c.x, c.x), even); \
        odd = fma(v[j] - v[R - j], (float2)(-c.y, -c.y), odd); \
      }                                                        \
      y[k] = (float2)(even.x + odd.y, even.y - odd.x);         \
      y[R - k] = (float2)(even.x - odd.y, even.y + odd.x);     \
    }                                                          \
    for (int k = 0; k < R; ++k) v[k] = y[k];                   \
  }
DFT_ODD(3)
DFT_ODD(5)
DFT_ODD(7)
DFT_ODD(11)
DFT_ODD(13)
#define dft2(v, w) dft2(v)
#define dft4(v, w) dft4(v)
#define dft8(v, w) dft8(v)
#define dft16(v, w) dft16(v)

#ifndef N

// One pass (decimation in frequency) over all lines of the group: butterfly b = q + s p of a line reads
// b + j n / R and writes q + s (R p + k), times root p k, which is w[(k - 1) m + p]. The R roots follow.
#define PASS(R)                                                                                                        \
  void pass##R(__local const float2* x, __local float2* y, __global const float2* w, int n, int m, int s, int lines) { \
    const int each = n / R;                                                                                            \
    for (int i = get_local_id(0); i < lines * each; i += get_local_size(0)) {                                          \
      const int line = i / each, b = i - line * each, p = b / s, q = b - p * s;                                        \
      float2 v[R];                                                                                                     \
      for (int j = 0; j < R; ++j) v[j] = x[line * n + b + j * each];                                                   \
      dft##R(v, w + (R - 1) * m);                                                                                      \
      y[line * n + q + s * R * p] = v[0];                                                                              \
      for (int k = 1; k < R; ++k) y[line * n + q + s * (R * p + k)] = times(v[k], w[(k - 1) * m + p]);                 \
    }                                                                                                                  \
  }
PASS(2)
PASS(3)
PASS(4)
PASS(5)
PASS(7)
PASS(8)
PASS(11)
PASS(13)
PASS(16)

// passes: their number, then radix, m, s and the place of its roots in w for each. terms: the length of the
// transform if n is that of Bluestein's convolution, else 0.
__kernel void fft_any(__global const float2* in, __global float2* out, __global int* flags, __global int* codes,
                      uint columns, __global const float2* w, __global const float2* turn, __global const float2* chirp,
                      __global const float2* spectrum, float scale, uint total_lines, SIDE(in), SIDE(out), int swap_in,
                      int swap_out, int mode, int turned, int terms, __constant int* passes, int n, int lines,
                      int load_columns, int store_columns, __local float2* x, __local float2* y, __local uint* most) {
  __local int extreme, in_range;  // a part here is far from 1; a column of the batch is not
  const Side from = SIDE_OF(in), to = SIDE_OF(out);
  const int id = get_local_id(0), size = get_local_size(0), total = n * lines;
  const uint first = get_group_id(0) * lines, left = total_lines - first;
  const int finds = mode == FIND || mode == REPORT, found = finds ? 0 : flags[get_group_id(1)];
  codes += (ulong)columns * get_group_id(1);
  const int unit = unit_of(found, codes, columns, &in_range);
  if (id == 0) extreme = 0;
  for (int l = id; l < lines; l += size) most[l] = 0;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int i = id; i < total; i += size) {
    const int line = load_columns ? i % lines : i / n, j = load_columns ? i / lines : i % n;
    float2 v = (float2)(0.0f, 0.0f);
    if (line < left && (!terms || j < terms)) v = fetch(in, from, first + line, j, swap_in);
    const int kind = kind_of(bits_of(v));
    if (finds && kind == IN_RANGE) most[line] = SMALL;
    if (finds && kind > IN_RANGE) extreme = 1;
    if (mode != THIRD && found & (FAR_ABOVE | FAR_BELOW)) v *= to_unit(unit, codes, offset_of(from, first + line, j));
    x[line * n + j] = v;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int i = extreme ? id : total; i < total; i += size) atomic_max(&most[i / n], bits_of(x[i]));
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int i = extreme ? id : total; i < total; i += size) x[i] *= factor_in(kind_of(most[i / n]));
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int i = terms ? id : total; i < total; i += size)
    x[i] = i % n < terms ? times(x[i], chirp[i % n]) : (float2)(0.0f, 0.0f);
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int round = 0; round < (terms ? 2 : 1); ++round) {
    for (int t = 0; t < passes[0]; ++t) {
      const int radix = passes[1 + 4 * t], m = passes[2 + 4 * t], s = passes[3 + 4 * t];
      __global const float2* v = w + passes[4 + 4 * t];
      switch (radix) {
        case 2: pass2(x, y, v, n, m, s, lines); break;
        case 3: pass3(x, y, v, n, m, s, lines); break;
        case 4: pass4(x, y, v, n, m, s, lines); break;
        case 5: pass5(x, y, v, n, m, s, lines); break;
        case 7: pass7(x, y, v, n, m, s, lines); break;
        case 8: pass8(x, y, v, n, m, s, lines); break;
        case 11: pass11(x, y, v, n, m, s, lines); break;
        case 13: pass13(x, y, v, n, m, s, lines); break;
        case 16: pass16(x, y, v, n, m, s, lines); break;
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
    if (line >= left || (terms && k >= terms)) continue;
    const float2 v = x[line * n + k];
    const int kind = mode >= FINAL ? unit | (found & NOT_FINITE) : mode == FIND ? kind_of(most[line]) : IN_RANGE;
    emit(out, to, turn, turned, scale * factor_out(kind & ~NOT_FINITE), kind & NOT_FINITE, first + line, k, swap_out,
         terms ? times(v.yx, chirp[k]) : v);
  }
  if (mode == REPORT)
    for (int l = id; l < lines && l < left; l += size) report(flags, codes, first + l, kind_of(most[l]));
}

// ---- what surrounds the transforms ----

// irfft: the n bins whose first `size` are given; bins 0 and n / 2 are real. One work-item per bin.
__kernel void whole_spectrum(__global const float2* in, __global float2* out, long count, long n, long size,
                             long inner) {
  const long t = get_global_id(0);
  if (t >= count) return;
  const long i = t % inner, k = t / inner % n, o = t / (inner * n), j = min(k, n - k);
  float2 v = (float2)(0.0f, 0.0f);
  if (j < size) v = in[(o * size + j) * inner + i];
  if (2 * j % n == 0) v.y = 0.0f;
  out[t] = k == j ? v : (float2)(v.x, -v.y);
}

__kernel void without_imaginary(__global const float2* in, __global float2* out, long n) {
  const long i = get_global_id(0);
  if (i < n) out[i] = (float2)(in[i].x, 0.0f);
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
__kernel void scatter_lines(__global const float2* in, __global float2* out, long count, long n, long size,
                            long inner) {
  const long t = get_global_id(0);
  if (t >= count) return;
  const long i = t % inner, j = t / inner % size, o = t / (inner * size);
  out[t] = in[(o * inner + i) * n + j];
}

// The bits of the largest |part| among the `used` elements of each line; `most` is zero before. `items` share a line.
__kernel void line_range(__global const float2* in, volatile __global uint* most, long lines, long used, long size,
                         long items) {
  const long t = get_global_id(0), line = t / items;
  if (line >= lines) return;
  uint bits = 0;
  for (long j = t % items; j < used; j += items) bits = max(bits, bits_of(in[line * size + j]));
  if (bits) atomic_max(&most[line], bits);
}

// Bluestein on dense lines of which `used` elements count: y_j = x_j c_j, then zeros up to m; y_j = x_j b_j
// exchanged; X_k = y_k c_k.
__kernel void chirp_in(__global const float2* in, __global const float2* chirp, __global float2* out,
                       __global const uint* most, long count, long used, long size, long m, int swap) {
  const long t = get_global_id(0);
  if (t >= count) return;
  const long j = t % m, line = t / m;
  float2 v = (float2)(0.0f, 0.0f);
  if (j < used) {
    v = in[line * size + j] * factor_in(kind_of(most[line]));
    v = times(swap ? v.yx : v, chirp[j]);
  }
  out[t] = v;
}
__kernel void chirp_middle(__global float2* x, __global const float2* spectrum, __global float2* out, long count,
                           long m) {
  const long t = get_global_id(0);
  if (t < count) out[t] = times(x[t], spectrum[t % m]).yx;
}
__kernel void chirp_out(__global const float2* in, __global const float2* chirp, __global float2* out,
                        __global const uint* most, long count, long n, long m, int swap, float scale) {
  const long t = get_global_id(0);
  if (t >= count) return;
  const long k = t % n, line = t / n;
  const int kind = kind_of(most[line]);
  float2 v = times(in[line * m + k].yx, chirp[k]) * (scale * factor_out(kind));
  if (kind == NOT_FINITE) v = (float2)(NAN, NAN);
  out[t] = swap ? v.yx : v;
}

#else  // N: built for one length

// -DN -DLINES -DGROUP -DLOAD_COLUMNS -DSTORE_COLUMNS -DMODE -DPASSES=P(FIRST,LAST,MIDDLE,R,M,S,T)...
// -DSWAP_IN -DSWAP_OUT -DCUT_IN -DCUT_OUT (limits matter) -DNEXT_IN -DNEXT_OUT (the step is 1) -DTURNED
// -DCHIRPED (Bluestein's convolution)
// FIRST reads global memory, LAST writes it, MIDDLE ends the first of two transforms; T is the place of the
// pass's roots.
#define PAD(i) ((i) + (i) / 16u)
#if LOAD_COLUMNS
#define WIDTH LINES
#define ORIGIN(line) (line)
#define LOCAL_SIZE (PAD(N * LINES) + 1)
#else
#define WIDTH 1u
#define ORIGIN(line) 0u
#define LOCAL_SIZE ((PAD(N) + 1) * LINES)
#endif
#define ROW(line) (LOAD_COLUMNS ? 0u : (line) * (PAD(N) + 1u))
// PAD(i + k * step), with the product by k outside where no carry reaches the padding.
#define STEPPED(i, k, step, block)                             \
  ((step) % 16 == 0    ? PAD(i) + (k) * ((step) + (step) / 16) \
   : 16 % (block) == 0 ? PAD(i) + (k) * (step)                 \
                       : PAD((i) + (k) * (step)))
#define FINDS (MODE == FIND || MODE == REPORT)
#define LINE_OF(i, each, columns) ((columns) ? (i) % LINES : (i) / (each))
#define PART_OF(i, each, columns) ((columns) ? (i) / LINES : (i) % (each))
#define UNROLL _Pragma("unroll")
#define TURNS(R) ((LINES * (N / R) + GROUP - 1) / GROUP)
#define WHOLE(R) (LINES * (N / R) % GROUP == 0)

#define LOAD_FIRST(R, each)                                                                   \
  if (line < left) {                                                                          \
    __global const float2* at = in + base_of(from, first + line);                             \
    const uint start = lane_of(from, first + line) * from.lane;                               \
    const float by = FINDS ? factor_in(kind_of(most[line])) : 1.0f;                           \
    uint largest = 0;                                                                         \
    UNROLL for (uint j = 0; j < R; ++j) {                                                     \
      const uint e = b + j * each, offset = start + e * (NEXT_IN ? 1u : from.step);           \
      float2 u = (float2)(0.0f, 0.0f);                                                        \
      if (!CUT_IN || offset < from.limit) u = at[offset];                                     \
      if (SWAP_IN) u = u.yx;                                                                  \
      if (FINDS) largest = max(largest, bits_of(u));                                          \
      if (FINDS) u *= by;                                                                     \
      v[t][j] = u;                                                                            \
      if (CHIRPED) v[t][j] = e < terms ? times(u, chirp[e]) : (float2)(0.0f, 0.0f);           \
    }                                                                                         \
    if (FINDS && largest - SMALL >= LARGE - SMALL && largest) extreme = 1;                    \
    if (MODE == REPORT && largest - SMALL < LARGE - SMALL && !most[line]) most[line] = SMALL; \
    if (!FINDS && MODE != THIRD && flags[get_group_id(1)] & (FAR_ABOVE | FAR_BELOW))          \
      for (uint j = 0; j < R; ++j)                                                            \
        v[t][j] *= to_unit(unit, codes, start + (b + j * each) * (NEXT_IN ? 1u : from.step)); \
  } else {                                                                                    \
    UNROLL for (uint j = 0; j < R; ++j) v[t][j] = (float2)(0.0f, 0.0f);                       \
  }

#define STORE_LAST(R, S)                                                                   \
  if (line < left) {                                                                       \
    __global float2* at = out + base_of(to, first + line);                                 \
    const uint lane = lane_of(to, first + line), start = lane * to.lane;                   \
    const int kind = MODE >= FINAL ? unit : MODE == FIND ? kind_of(most[line]) : IN_RANGE; \
    const float by = scale * factor_out(kind), add = kind == NOT_FINITE ? NAN : 0.0f;      \
    UNROLL for (uint k = 0; k < R; ++k) {                                                  \
      const uint e = b + S * k, offset = start + e * (NEXT_OUT ? 1u : to.step);            \
      if (CHIRPED && e >= terms) continue;                                                 \
      float2 u = CHIRPED ? times(v[t][k].yx, chirp[e]) : v[t][k];                          \
      if (TURNED) u = times(u, root_of(turn, lane * e));                                   \
      u = fma(u, (float2)(by, by), (float2)(add, add));                                    \
      if (!CUT_OUT || offset < to.limit) at[offset] = SWAP_OUT ? u.yx : u;                 \
    }                                                                                      \
  }

#define P(FIRST, LAST, MIDDLE, R, M, S, T)                                                                       \
  {                                                                                                              \
    const uint each = N / R;                                                                                     \
    const int columns = FIRST || !LAST ? LOAD_COLUMNS : STORE_COLUMNS;                                           \
    float2 v[TURNS(R)][R];                                                                                       \
    UNROLL for (uint t = 0; t < TURNS(R); ++t) {                                                                 \
      const uint i = id + t * GROUP, line = LINE_OF(i, each, columns), b = PART_OF(i, each, columns), p = b / S; \
      if (WHOLE(R) || i < LINES * each) {                                                                        \
        if (FIRST) {                                                                                             \
          LOAD_FIRST(R, each)                                                                                    \
        } else {                                                                                                 \
          __local const float2* at = x + ROW(line);                                                              \
          UNROLL for (uint j = 0; j < R; ++j) v[t][j] =                                                          \
              at[STEPPED(b * WIDTH + ORIGIN(line), j, N / R * WIDTH, N * 16)];                                   \
        }                                                                                                        \
        __global const float2* root = w + T + p;                                                                 \
        dft##R(v[t], w + T + (R - 1) * M);                                                                       \
        if (M > 1) UNROLL for (uint k = 1; k < R; ++k) v[t][k] = times(v[t][k], root[(k - 1) * M]);              \
        if (MIDDLE) UNROLL for (uint k = 0; k < R; ++k) v[t][k] = times(v[t][k], spectrum[b + S * k]).yx;        \
      }                                                                                                          \
    }                                                                                                            \
    if (!FIRST || LAST) barrier(CLK_LOCAL_MEM_FENCE);                                                            \
    UNROLL for (uint t = 0; t < TURNS(R); ++t) {                                                                 \
      const uint i = id + t * GROUP, line = LINE_OF(i, each, columns), b = PART_OF(i, each, columns), p = b / S; \
      if (WHOLE(R) || i < LINES * each) {                                                                        \
        if (LAST) {                                                                                              \
          STORE_LAST(R, S)                                                                                       \
        } else {                                                                                                 \
          __local float2* at = x + ROW(line);                                                                    \
          const uint to_k = (b + p * (S * (R - 1))) * WIDTH + ORIGIN(line);                                      \
          UNROLL for (uint k = 0; k < R; ++k) at[STEPPED(to_k, k, S * WIDTH, S * WIDTH * R)] = v[t][k];          \
        }                                                                                                        \
      }                                                                                                          \
    }                                                                                                            \
    if (!LAST) barrier(CLK_LOCAL_MEM_FENCE);                                                                     \
  }

// Lines are computed as they are; where one is far from 1, the group computes its lines again, each in range: what is
// known of a line is 0 or that it is in range before, so that its factors are 1.
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void fft_length(
    __global const float2* in, __global float2* out, __global int* flags, __global int* codes, uint columns,
    __global const float2* w, __global const float2* turn, __global const float2* chirp,
    __global const float2* spectrum, float scale, uint total_lines, SIDE(in), SIDE(out), uint terms) {
  __local float2 x[LOCAL_SIZE];
  __local uint most[LINES];
  __local int extreme, in_range;  // a part here is far from 1; a column of the batch is not
  const Side from = SIDE_OF(in), to = SIDE_OF(out);
  const uint id = get_local_id(0), first = get_group_id(0) * LINES, left = total_lines - first;
  codes += (ulong)columns * get_group_id(1);
  const int found = FINDS ? 0 : flags[get_group_id(1)];
  int unit = IN_RANGE, rounds = 1;
  if (!FINDS) unit = unit_of(found, codes, columns, &in_range);
  if (found & NOT_FINITE) unit = NOT_FINITE;
  if (id == 0) extreme = 0;
  for (uint l = id; l < LINES; l += GROUP) most[l] = 0;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int round = 0; round < rounds; ++round) {
    PASSES
    if (FINDS) {
      const int again = round == 0 && extreme;
      for (uint i = again ? id : N * LINES; i < N * LINES; i += GROUP) {
        const uint line = LINE_OF(i, N, LOAD_COLUMNS), e = PART_OF(i, N, LOAD_COLUMNS);
        if (line < left && (!CHIRPED || e < terms))
          atomic_max(&most[line], bits_of(fetch(in, from, first + line, e, 0)));
      }
      rounds += again;
      barrier(CLK_LOCAL_MEM_FENCE);
    }
  }
  if (MODE == REPORT)
    for (uint l = id; l < LINES && l < left; l += GROUP) report(flags, codes, first + l, kind_of(most[l]));
}

#endif
