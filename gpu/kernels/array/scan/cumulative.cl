// Scans along one axis of a strided tensor: y_k = e . x_0 . .. . x_k in the order of the scan. Options: the lane, which
// the elements are computed in, LANE_F32, LANE_F64, LANE_C64 or LANE_I64, and what joins them, SUM, PROD, EXTREME or
// LOG.
//
// A work-group of 256 takes 256 / L lines with L lanes each, a tile of L * PER steps at a time: the tile is brought to
// local memory in the order in which it is dense, each lane scans PER steps of it, the lanes' totals are scanned by
// doubling distances, and all is joined with what lies before. A line may be cut into parts: their totals first, which
// scan_carries turns into what lies before each, then their scans.
//
//   geometry   size and strides (in, out) of the column axis, number of other axes, then size and strides of each,
//              innermost first; the axis of the scan is none of them
#include "element.cl"
#include "unroll.cl"

#define GROUP 256
#define KERNEL kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void

// ---- numbers of a lane

#if defined(LANE_F32)
typedef float number;
#define NUMBER(p, type, via, i) float_at(p, type, via, i)
#define PUT(p, type, i, v) put_float(p, type, i, v)
#elif defined(LANE_F64)
typedef double number;
#define NUMBER(p, type, via, i) double_at(p, type, i)
#define PUT(p, type, i, v) put_f64((global double*)(p), i, v)
#elif defined(LANE_C64)
typedef float2 number;
#define NUMBER(p, type, via, i) complex_at(p, type, i)
#define PUT(p, type, i, v) put_c64((global float2*)(p), i, v)
#else
typedef long number;
#define PUT(p, type, i, v) put_whole(p, type, i, v)

#define LIMITED(v, low, high) clamp(v, (long)(low), (long)(high))
static inline long saturated(long v, int via) {
  switch (via) {
    case u8: return LIMITED(v, 0, UCHAR_MAX);
    case u16: return LIMITED(v, 0, USHRT_MAX);
    case u32: return LIMITED(v, 0, UINT_MAX);
    case i8: return LIMITED(v, CHAR_MIN, CHAR_MAX);
    case i16: return LIMITED(v, SHRT_MIN, SHRT_MAX);
    case i32: return LIMITED(v, INT_MIN, INT_MAX);
  }
  return v;
}
// Cast: whole numbers wrap where they are put, real ones truncate and saturate, NaN gives 0.
#define TRUNCATED(v) \
  ((v) != (v) ? 0 : via == u64 ? (long)convert_ulong_sat_rtz(v) : saturated(convert_long_sat_rtz(v), via))
static inline long NUMBER(global const void* p, int type, int via, long i) {
  if (type <= i64) return via == boolean ? whole_at(p, type, i) != 0 : whole_at(p, type, i);
  if (type == c64 && via == boolean) return complex_at(p, type, i).x != 0 || complex_at(p, type, i).y != 0;
#ifdef PLUMB_FP64
  if (type == f64) return via == boolean ? double_at(p, type, i) != 0 : TRUNCATED(double_at(p, type, i));
#endif
  return via == boolean ? f32_at(p, type, i) != 0 : TRUNCATED(f32_at(p, type, i));
}
#endif

// ---- what is carried, and how it is joined: a before b

#ifdef LOG
// s e^m, m the op exponent
typedef struct {
  number m, s;
} state;
#define IN(v) ((state){v, (v) == (number)-INFINITY ? (number)0 : (number)1})
static inline state join(state a, state b, int op) {
  const bool first = b.m < a.m || a.m != a.m;
  const state top = first ? a : b, low = first ? b : a;
  return (state){top.m, top.s + low.s * (a.m == b.m ? (number)1 : exp(low.m - top.m))};
}
static inline number OUT(state a) { return isinf(a.m) || isnan(a.m) ? a.m : a.m + log(a.s); }
#define NONE IN((number)-INFINITY)
#else
typedef number state;
#define OUT(a) (a)
#ifdef SUM
#define IN(v) (v)
#define NONE ((state)0)
static inline state join(state a, state b, int op) { return a + b; }
#else
enum { OP_SUM, OP_PROD, OP_MAX, OP_MIN };
#ifdef LANE_C64
// A factor that is not finite makes both parts NaN.
#define IN(v) (op == OP_PROD ? (v) + (((v).x - (v).x) + ((v).y - (v).y)) : (v))
#define TIMES(a, b) ((state)((a).x * (b).x - (a).y * (b).y, (a).x * (b).y + (a).y * (b).x))
#define IS_NAN(a) ((a).x != (a).x || (a).y != (a).y)
#define BEFORE(a, b) (!IS_NAN(a) && !IS_NAN(b) && ((a).x < (b).x || ((a).x == (b).x && (a).y < (b).y)))
#define ONE ((state)(1, 0))
#else
#define IN(v) (v)
#define TIMES(a, b) ((a) * (b))
#define IS_NAN(a) ((a) != (a))
#define BEFORE(a, b) ((a) < (b))
#define ONE ((state)1)
#endif
#ifdef LANE_I64
#define END end
#else
#define END ((state)(op == OP_MAX ? -INFINITY : INFINITY))
#endif
#define NONE (op == OP_SUM ? (state)0 : op == OP_PROD ? ONE : END)
// Of an extreme, the earlier one if it is a NaN or beyond the later one.
static inline state join(state a, state b, int op) {
  if (op == OP_SUM) return a + b;
  if (op == OP_PROD) return TIMES(a, b);
  return IS_NAN(a) || (op == OP_MAX ? BEFORE(b, a) : BEFORE(a, b)) ? a : b;
}
#endif
#endif

// The inclusive scan of mine over the lanes of each line.
static inline void scan_lanes(local state* all, state mine, int lanes, int op) {
  const int i = get_local_id(0), lane = i % lanes;
  barrier(CLK_LOCAL_MEM_FENCE);
  all[i] = mine;
  for (int far = 1; far < lanes; far *= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    const state before = all[lane >= far ? i - far : i];
    barrier(CLK_LOCAL_MEM_FENCE);
    if (lane >= far) all[i] = mine = join(before, mine, op);
  }
  barrier(CLK_LOCAL_MEM_FENCE);
}

enum { COLUMNS, COLUMN_IN, COLUMN_OUT, OTHERS, TABLE };

// Offset of a line's first element: stride 1 for the input's, 2 for the output's.
static inline long line_at(constant const long* g, long column, long other, int stride) {
  long at = column * g[stride];
  for (int k = 0; k < g[OTHERS]; ++k) {
    constant const long* axis = g + TABLE + 3 * k;
    at += other % axis[0] * axis[stride];
    other /= axis[0];
  }
  return at;
}

// Signs that are flipped turn the order of u64 into that of long.
#ifdef LANE_I64
#define FLIPPED(v, type) ((type) == u64 && op >= OP_MAX ? (v) ^ LONG_MIN : (v))
#else
#define FLIPPED(v, type) (v)
#endif

// With `total`, carries become the totals of the parts; else they are what lies before them, if there are several.
KERNEL scan_lines(global const uchar* x, int from, int via, long first, global uchar* y, int to, constant const long* g,
                  long n, long in, long out, int lanes, int columns_first, int backward, int exclusive, int op,
                  long end, int parts, long part, int total, global state* carries) {
  local state tile[GROUP * (PER + 2)];
  local state totals[GROUP];
  const int i = get_local_id(0), width = GROUP / lanes, steps = lanes * PER, pitch = lanes * (PER + 1) + 1;
  const long group = get_group_id(0) / parts, tiles = (g[COLUMNS] + width - 1) / width, other = group / tiles;
  const long part_index = get_group_id(0) % parts, column = group % tiles * width;
  const int line = i / lanes, lane = i % lanes;  // while lanes scan
  const bool valid = column + line < g[COLUMNS];
  const long number_of_line = other * g[COLUMNS] + column + line;
  const state none = NONE;
  state carry = none;
  if (!total && parts > 1 && valid) carry = carries[number_of_line * parts + part_index];
  const long stop = min(n, (part_index + 1) * part);
  for (long base = part_index * part; base < stop; base += steps) {
    barrier(CLK_LOCAL_MEM_FENCE);
    UNROLL
    for (int e = i; e < GROUP * PER; e += GROUP) {
      const int w = columns_first ? e % width : e / steps, t = columns_first ? e / width : e % steps;
      const long k = base + t, at = (backward ? n - 1 - k : k) * in;
      state v = none;
      if (k < stop && column + w < g[COLUMNS])
        v = IN(FLIPPED(NUMBER(x, from, via, first + line_at(g, column + w, other, 1) + at), from));
      tile[w * pitch + t + t / PER] = v;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    local state* mine = tile + line * pitch + lane * (PER + 1);
    state sum = mine[0];
    UNROLL
    for (int j = 1; j < PER; ++j) mine[j] = sum = join(sum, mine[j], op);
    scan_lanes(totals, sum, lanes, op);
    const state before = lane > 0 ? join(carry, totals[i - 1], op) : carry;
    carry = join(carry, totals[i - lane + lanes - 1], op);
    if (total) continue;
    barrier(CLK_LOCAL_MEM_FENCE);
    totals[i] = before;
    barrier(CLK_LOCAL_MEM_FENCE);
    UNROLL
    for (int e = i; e < GROUP * PER; e += GROUP) {
      const int w = columns_first ? e % width : e / steps, t = columns_first ? e / width : e % steps;
      const long k = base + t, at = (backward ? n - 1 - k : k) * out;
      if (k >= stop || column + w >= g[COLUMNS]) continue;
      const int place = w * pitch + t + t / PER - exclusive;
      const state left = totals[w * lanes + t / PER];
      const state v = exclusive && t % PER == 0 ? left : join(left, tile[place], op);
      PUT(y, to, line_at(g, column + w, other, 2) + at, FLIPPED(OUT(v), to));
    }
  }
  if (total && valid && lane == 0) carries[number_of_line * parts + part_index] = carry;
}

// The totals of a line's parts become what lies before each.
KERNEL scan_carries(global state* carries, int parts, int op, long end) {
  local state totals[GROUP];
  const int i = get_local_id(0);
  global state* line = carries + (long)get_group_id(0) * parts;
  const state none = NONE;
  state carry = none;
  for (int base = 0; base < parts; base += GROUP) {
    const int k = base + i;
    scan_lanes(totals, k < parts ? line[k] : none, GROUP, op);
    const state before = i > 0 ? join(carry, totals[i - 1], op) : carry;
    carry = join(carry, totals[GROUP - 1], op);
    if (k < parts) line[k] = before;
  }
}
