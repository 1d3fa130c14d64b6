// Elements moved by runs, by element size (plans/array/shape/movement.h): y[to + ..] = x[from + ..], or the constant.
// `axes` of the piece, innermost first, four numbers each: its size, the stride of y, the first of its runs, how many
// they are. Behind them the runs, three numbers each: where it begins on its axis, its first element of x (NOTHING: the
// constant), the step. Where columns > 0, elements off the band lowest <= column - row <= highest are zero.

#define NOTHING LONG_MIN

// The last run of an axis that begins at or before i.
static inline global const long* run_of(global const long* runs, long first, long n, long i) {
  while (n > 1) {
    const long half_n = n / 2;
    if (runs[3 * (first + half_n)] <= i) first += half_n, n -= half_n;
    else n = half_n;
  }
  return runs + 3 * first;
}

#define MOVE(NAME, T)                                                                                                \
  kernel void NAME(global const T* x, global T* y, global const long* geometry, int axes, long from, long to,        \
                   long count, global const T* constant_value, long rows, long columns, long lowest, long highest) { \
    ulong rest = get_global_id(0);                                                                                   \
    if (rest >= (ulong)count) return;                                                                                \
    global const long* runs = geometry + 4 * axes;                                                                   \
    int nothing = 0;                                                                                                 \
    for (int a = 0; a < axes; ++a) {                                                                                 \
      global const long* axis = geometry + 4 * a;                                                                    \
      const ulong size = (ulong)axis[0];                                                                             \
      const int small = rest <= 0xFFFFFFFFul && size <= 0xFFFFFFFFul;                                                \
      const ulong whole = small ? (ulong)((uint)rest / (uint)size) : rest / size;                                    \
      const long i = (long)(rest - whole * size);                                                                    \
      rest = whole;                                                                                                  \
      to += i * axis[1];                                                                                             \
      global const long* run = run_of(runs, axis[2], axis[3], i);                                                    \
      if (run[1] == NOTHING) nothing = 1;                                                                            \
      else from += run[1] + (i - run[0]) * run[2];                                                                   \
    }                                                                                                                \
    T value = nothing ? constant_value[0] : x[from];                                                                 \
    if (columns > 0) {                                                                                               \
      const long diagonal = to % columns - to / columns % rows;                                                      \
      if (diagonal < lowest || diagonal > highest) value = 0;                                                        \
    }                                                                                                                \
    y[to] = value;                                                                                                   \
  }

MOVE(move1, uchar)
MOVE(move2, ushort)
MOVE(move4, uint)
MOVE(move8, ulong)
