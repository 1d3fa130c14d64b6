// Sums and softmax along any axes of a strided tensor. Options: X, the type to compute in, u32, u64, f32, f64 or c64;
// ANY, 0 for tensors of that very type, 1 for every type that is computed in it.
//
// A work-group of 256 takes X lines with Y = 256 / X lanes each; lines are numbered by their place on one kept
// axis, the column axis, and on the others. Neighbouring work-items are neighbouring lanes of a line or, with
// columns_first, neighbouring lines: whichever is denser in memory.
//
//   geometry   size and strides (in, out) of the column axis; number of other kept and of reduced axes;
//              then size and strides of each, innermost first

#include "element.cl"

#define GROUP 256

// Element i as it is computed with: exact, but for whole numbers beyond 24 bits in softmax, rounded to nearest.
#define any_u32(x, type, i) (uint) whole_at(x, type, i)
#define any_u64(x, type, i) (ulong) whole_at(x, type, i)
#define any_f32 f32_at
#define any_f64 double_at
#define any_c64 complex_at
X_t fetch(global const void* x, int type, long i) { return ANY ? PASTED(any_, X)(x, type, i) : at_x(x, i); }

#define put_any_u32 put_whole
#define put_any_u64 put_whole
#define put_any_f32 put_float
#define put_any_f64(y, type, i, v) put_f64(y, i, v)
#define put_any_c64(y, type, i, v) put_c64(y, i, v)
void put(global void* y, int type, long i, X_t v) {
  if (ANY) PASTED(put_any_, X)(y, type, i, v);
  else put_x(y, i, v);
}

enum { COLUMNS, COLUMN_IN, COLUMN_OUT, KEPT, REDUCED, TABLE };

typedef struct {
  long in, out;  // offsets of the line's first element
  long line;     // its number
  int split, lane;
  bool valid;
} Place;

Place place(constant const long* g, int lanes, int splits, int columns_first) {
  const int i = get_local_id(0), width = GROUP / lanes;
  const long tiles = (g[COLUMNS] + width - 1) / width, group = get_group_id(0), rest = group / splits;
  Place p;
  p.split = (int)(group % splits);
  p.lane = columns_first ? i / width : i % lanes;
  const long column = rest % tiles * width + (columns_first ? i % width : i / lanes);
  p.valid = column < g[COLUMNS];
  p.line = rest / tiles * g[COLUMNS] + column;
  p.in = column * g[COLUMN_IN];
  p.out = column * g[COLUMN_OUT];
  long other = rest / tiles;
  for (int k = 0; k < g[KEPT]; ++k) {
    constant const long* axis = g + TABLE + 3 * k;
    p.in += other % axis[0] * axis[1];
    p.out += other % axis[0] * axis[2];
    other /= axis[0];
  }
  return p;
}

// Offset of the r-th element of a line: stride 1 for the input's, 2 for the output's.
long along(constant const long* g, long r, int stride) {
  constant const long* axis = g + TABLE + 3 * g[KEPT];
  if (g[REDUCED] == 1) return r * axis[stride];
  long at = 0;
  for (int k = 0; k < g[REDUCED]; ++k, axis += 3) {
    at += r % axis[0] * axis[stride];
    r /= axis[0];
  }
  return at;
}

// Joins the lanes of each line by halves; every work-item gets its line's result.
#define DEFINE_JOIN(NAME, OP)                                                               \
  X_t NAME(local X_t* v, X_t mine, int lanes, int columns_first) {                          \
    const int i = get_local_id(0), width = GROUP / lanes, step = columns_first ? width : 1; \
    const int lane = columns_first ? i / width : i % lanes;                                 \
    barrier(CLK_LOCAL_MEM_FENCE);                                                           \
    v[i] = mine;                                                                            \
    for (int half_ = lanes / 2; half_ > 0; half_ /= 2) {                                    \
      barrier(CLK_LOCAL_MEM_FENCE);                                                         \
      if (lane < half_) v[i] = OP(v[i], v[i + half_ * step]);                               \
    }                                                                                       \
    barrier(CLK_LOCAL_MEM_FENCE);                                                           \
    return v[i - lane * step];                                                              \
  }
#define PLUS(a, b) ((a) + (b))
DEFINE_JOIN(join_sum, PLUS)

// out = sum of the line, or the sum of one of its `splits` parts: term r belongs to sum r mod (4 lanes splits).
#ifdef SUM
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void sum_lines(global const void* x, int from, long first,
                                                                         global void* y, int to, constant const long* g,
                                                                         long n, int lanes, int splits,
                                                                         int columns_first) {
  local X_t joined[GROUP];
  const Place p = place(g, lanes, splits, columns_first);
  X_t s[4] = {(X_t)0, (X_t)0, (X_t)0, (X_t)0};
  if (p.valid) {
    const long step = (long)lanes * splits;
    const long line = first + p.in;
    long r = (long)p.split * lanes + p.lane;
    if (g[REDUCED] == 1) {
      const long stride = along(g, 1, 1);
      for (; r + 3 * step < n; r += 4 * step)
        for (int k = 0; k < 4; ++k) s[k] += fetch(x, from, line + (r + k * step) * stride);
    } else {
      for (; r + 3 * step < n; r += 4 * step)
        for (int k = 0; k < 4; ++k) s[k] += fetch(x, from, line + along(g, r + k * step, 1));
    }
    for (int k = 0; k < 4; ++k, r += step)
      if (r < n) s[k] += fetch(x, from, line + along(g, r, 1));
  }
  const X_t total = join_sum(joined, (s[0] + s[2]) + (s[1] + s[3]), lanes, columns_first);
  if (p.valid && p.lane == 0) put(y, to, p.out * splits + p.split, total);
}
#endif

#ifdef SOFTMAX
DEFINE_JOIN(join_max, fmax)  // a NaN is passed over here, and stays in the sum

#define KERNEL kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void

// Lines of at most PER elements per lane, kept in registers.
#ifdef PER
KERNEL softmax_held(global const void* x, int from, long first, global void* y, int to, constant const long* g, long n,
                    int lanes, int columns_first) {
  local X_t joined[GROUP];
  const Place p = place(g, lanes, 1, columns_first);
  const int mine = p.valid ? (int)((n - p.lane + lanes - 1) / lanes) : 0;
  X_t v[PER], m = -INFINITY, s = 0;
#pragma unroll
  for (int k = 0; k < PER; ++k) {
    v[k] = k < mine ? fetch(x, from, first + p.in + along(g, p.lane + (long)k * lanes, 1)) : (X_t)-INFINITY;
    m = fmax(m, v[k]);
  }
  m = join_max(joined, m, lanes, columns_first);
#pragma unroll
  for (int k = 0; k < PER; ++k)
    if (k < mine) {
      v[k] = exp(v[k] - m);
      s += v[k];
    }
  const X_t factor = 1 / join_sum(joined, s, lanes, columns_first);
#pragma unroll
  for (int k = 0; k < PER; ++k)
    if (k < mine) put(y, to, p.out + along(g, p.lane + (long)k * lanes, 2), v[k] * factor);
}
#else

// Longer lines: each of the line's `splits` parts is a run of `part` elements. Every pass begins with what the
// one before it left for each part.
KERNEL softmax_max(global const void* x, int from, long first, constant const long* g, long n, long part, int lanes,
                   int splits, int columns_first, global X_t* maxima) {
  local X_t joined[GROUP];
  const Place p = place(g, lanes, splits, columns_first);
  const long end = min(n, (p.split + 1) * part);
  X_t m = -INFINITY;
  if (p.valid)
    for (long r = p.split * part + p.lane; r < end; r += lanes)
      m = fmax(m, fetch(x, from, first + p.in + along(g, r, 1)));
  m = join_max(joined, m, lanes, columns_first);
  if (p.valid && p.lane == 0) maxima[p.line * splits + p.split] = m;
}

X_t line_max(global const X_t* maxima, Place p, int splits) {
  X_t m = -INFINITY;
  if (p.valid)
    for (int k = 0; k < splits; ++k) m = fmax(m, maxima[p.line * splits + k]);
  return m;
}

KERNEL softmax_sum(global const void* x, int from, long first, constant const long* g, long n, long part, int lanes,
                   int splits, int columns_first, global const X_t* maxima, global X_t* sums) {
  local X_t joined[GROUP];
  const Place p = place(g, lanes, splits, columns_first);
  const long end = min(n, (p.split + 1) * part);
  const X_t m = line_max(maxima, p, splits);
  X_t s = 0;
  if (p.valid)
    for (long r = p.split * part + p.lane; r < end; r += lanes)
      s += exp(fetch(x, from, first + p.in + along(g, r, 1)) - m);
  s = join_sum(joined, s, lanes, columns_first);
  if (p.valid && p.lane == 0) sums[p.line * splits + p.split] = s;
}

KERNEL softmax_write(global const void* x, int from, long first, constant const long* g, long n, long part, int lanes,
                     int splits, int columns_first, global const X_t* maxima, global const X_t* sums, global void* y,
                     int to) {
  const Place p = place(g, lanes, splits, columns_first);
  if (!p.valid) return;
  const long end = min(n, (p.split + 1) * part);
  const X_t m = line_max(maxima, p, splits);
  X_t s = 0;
  for (int k = 0; k < splits; ++k) s += sums[p.line * splits + k];
  const X_t factor = 1 / s;
  for (long r = p.split * part + p.lane; r < end; r += lanes)
    put(y, to, p.out + along(g, r, 2), exp(fetch(x, from, first + p.in + along(g, r, 1)) - m) * factor);
}
#endif
#endif
