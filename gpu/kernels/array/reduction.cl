// Sums and softmax along any axes of a strided tensor. Built for one type to compute in, -DVIA_<dtype>: for
// tensors of that very type, or with -DANY for every type that is computed in it.
//
// A work-group of 256 takes X lines with Y = 256 / X lanes each; lines are numbered by their place on one kept
// axis, the column axis, and on the others. Neighbouring work-items are neighbouring lanes of a line or, with
// columns_first, neighbouring lines: whichever is denser in memory.
//
//   geometry   size and strides (in, out) of the column axis; number of other kept and of reduced axes;
//              then size and strides of each, innermost first
#pragma OPENCL FP_CONTRACT OFF
#ifdef VIA_f64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif

#define GROUP 256

// The order of Dtype (core/dtype.h).
enum { BOOLEAN, U8, U16, U32, U64, I8, I16, I32, I64, F16, BF16, F32, F64, C64 };

#if defined(VIA_u32)
typedef uint wide_t;
#elif defined(VIA_u64)
typedef ulong wide_t;
#elif defined(VIA_f64)
typedef double wide_t;
#elif defined(VIA_c64)
typedef float2 wide_t;
#else
typedef float wide_t;
#endif

#ifdef ANY
typedef global const uchar* source;
typedef global uchar* target;
#else
typedef global const wide_t* source;
typedef global wide_t* target;
#endif

// Element i as it is computed with: exact, but for whole numbers beyond 24 bits in softmax, rounded to nearest.
wide_t fetch(source x, int type, long i) {
#ifndef ANY
  return x[i];
#else
  switch (type) {
    case BOOLEAN:
    case U8: return x[i];
    case U16: return ((global const ushort*)x)[i];
    case U32: return (wide_t)((global const uint*)x)[i];
    case U64: return (wide_t)((global const ulong*)x)[i];
    case I8: return ((global const char*)x)[i];
    case I16: return ((global const short*)x)[i];
    case I32: return (wide_t)((global const int*)x)[i];
    case I64: return (wide_t)((global const long*)x)[i];
#ifdef VIA_f32
    case F16: return vload_half(i, (global const half*)x);
    case BF16: return as_float((uint)((global const ushort*)x)[i] << 16);
    case F32: return ((global const float*)x)[i];
#endif
    default: return 0;
  }
#endif
}

void put(target y, int type, long i, wide_t v) {
#if defined(ANY) && defined(VIA_f32)
  if (type == F16) {
    vstore_half_rte(v, i, (global half*)y);
  } else if (type == BF16) {
    const uint b = as_uint(v);
    const bool nan = (b & 0x7FFFFFFFu) > 0x7F800000u;
    const uint word = nan ? b >> 16 | 0x40u : (b + 0x7FFFu + (b >> 16 & 1u)) >> 16;  // to nearest even
    ((global ushort*)y)[i] = (ushort)word;
  } else {
    ((global float*)y)[i] = v;
  }
#else
  ((global wide_t*)y)[i] = v;
#endif
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
  wide_t NAME(local wide_t* v, wide_t mine, int lanes, int columns_first) {                 \
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
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void sum_lines(source x, int from, long first, target y,
                                                                         int to, constant const long* g, long n,
                                                                         int lanes, int splits, int columns_first) {
  local wide_t joined[GROUP];
  const Place p = place(g, lanes, splits, columns_first);
  wide_t s[4] = {(wide_t)0, (wide_t)0, (wide_t)0, (wide_t)0};
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
  const wide_t total = join_sum(joined, (s[0] + s[2]) + (s[1] + s[3]), lanes, columns_first);
  if (p.valid && p.lane == 0) put(y, to, p.out * splits + p.split, total);
}
#endif

#ifdef SOFTMAX
DEFINE_JOIN(join_max, fmax)  // a NaN is passed over here, and stays in the sum

#define KERNEL kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void

// Lines of at most PER elements per lane, kept in registers.
#ifdef PER
KERNEL softmax_held(source x, int from, long first, target y, int to, constant const long* g, long n, int lanes,
                    int columns_first) {
  local wide_t joined[GROUP];
  const Place p = place(g, lanes, 1, columns_first);
  const int mine = p.valid ? (int)((n - p.lane + lanes - 1) / lanes) : 0;
  wide_t v[PER], m = -INFINITY, s = 0;
#pragma unroll
  for (int k = 0; k < PER; ++k) {
    v[k] = k < mine ? fetch(x, from, first + p.in + along(g, p.lane + (long)k * lanes, 1)) : (wide_t)-INFINITY;
    m = fmax(m, v[k]);
  }
  m = join_max(joined, m, lanes, columns_first);
#pragma unroll
  for (int k = 0; k < PER; ++k)
    if (k < mine) {
      v[k] = exp(v[k] - m);
      s += v[k];
    }
  const wide_t factor = 1 / join_sum(joined, s, lanes, columns_first);
#pragma unroll
  for (int k = 0; k < PER; ++k)
    if (k < mine) put(y, to, p.out + along(g, p.lane + (long)k * lanes, 2), v[k] * factor);
}
#else

// Longer lines: each of the line's `splits` parts is a run of `part` elements. Every pass begins with what the
// one before it left for each part.
KERNEL softmax_max(source x, int from, long first, constant const long* g, long n, long part, int lanes, int splits,
                   int columns_first, global wide_t* maxima) {
  local wide_t joined[GROUP];
  const Place p = place(g, lanes, splits, columns_first);
  const long end = min(n, (p.split + 1) * part);
  wide_t m = -INFINITY;
  if (p.valid)
    for (long r = p.split * part + p.lane; r < end; r += lanes)
      m = fmax(m, fetch(x, from, first + p.in + along(g, r, 1)));
  m = join_max(joined, m, lanes, columns_first);
  if (p.valid && p.lane == 0) maxima[p.line * splits + p.split] = m;
}

wide_t line_max(global const wide_t* maxima, Place p, int splits) {
  wide_t m = -INFINITY;
  if (p.valid)
    for (int k = 0; k < splits; ++k) m = fmax(m, maxima[p.line * splits + k]);
  return m;
}

KERNEL softmax_sum(source x, int from, long first, constant const long* g, long n, long part, int lanes, int splits,
                   int columns_first, global const wide_t* maxima, global wide_t* sums) {
  local wide_t joined[GROUP];
  const Place p = place(g, lanes, splits, columns_first);
  const long end = min(n, (p.split + 1) * part);
  const wide_t m = line_max(maxima, p, splits);
  wide_t s = 0;
  if (p.valid)
    for (long r = p.split * part + p.lane; r < end; r += lanes)
      s += exp(fetch(x, from, first + p.in + along(g, r, 1)) - m);
  s = join_sum(joined, s, lanes, columns_first);
  if (p.valid && p.lane == 0) sums[p.line * splits + p.split] = s;
}

KERNEL softmax_write(source x, int from, long first, constant const long* g, long n, long part, int lanes, int splits,
                     int columns_first, global const wide_t* maxima, global const wide_t* sums, target y, int to) {
  const Place p = place(g, lanes, splits, columns_first);
  if (!p.valid) return;
  const long end = min(n, (p.split + 1) * part);
  const wide_t m = line_max(maxima, p, splits);
  wide_t s = 0;
  for (int k = 0; k < splits; ++k) s += sums[p.line * splits + k];
  const wide_t factor = 1 / s;
  for (long r = p.split * part + p.lane; r < end; r += lanes)
    put(y, to, p.out + along(g, r, 2), exp(fetch(x, from, first + p.in + along(g, r, 1)) - m) * factor);
}
#endif
#endif
