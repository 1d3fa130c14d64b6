// Lines along any axes of a strided tensor, and how a work-group of 256 shares them. Included by kernels that read
// lines.
//
// A group takes W lines with 256 / W lanes each; lines are numbered by their place on one kept axis, the column axis,
// and on the others. Neighbouring work-items are neighbouring lanes of a line or, with columns_first, neighbouring
// lines: whichever is denser in memory.
//
//   geometry   size and strides (in, out) of the column axis; number of other kept and of reduced axes;
//              then size and strides of each, innermost first

#define GROUP 256
#define LINE_KERNEL kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void

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
#define DEFINE_JOIN(TYPE, NAME, OP)                                                         \
  TYPE NAME(local TYPE* v, TYPE mine, int lanes, int columns_first) {                       \
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
