// Hadamard transforms along an axis of r m elements: element j of column q = (o, i), i < inner, lies at
// (o r m + j) inner + i, o counting blocks of r m rows. A work-group holds `columns` columns in local memory, makes the
// r = 2^k butterflies there, and of m > 1 the sums over the matrix of order m, whose signs are bits, on the way out.
//
// Options: X, f32 or f64, the type that is computed in.
#include "element.cl"

#define GROUP 256
#define HELD 4096  // scalars in local memory

#define read_f32(x, type, i) float_at(x, type, f32, i)
#define read_f64(x, type, i) double_at(x, type, i)
#define write_f32 put_float
#define write_f64(y, type, i, v) put_f64((global double*)(y), i, v)

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void hadamard(global const void* x, int from, global void* y,
                                                                        int to, long total, long inner, int r, int m,
                                                                        int columns, constant const uint* minus,
                                                                        X_t factor) {
  local X_t held[HELD];
  const int lane = (int)get_local_id(0), rows = r * m, size = rows * columns;
  const long first = (long)get_group_id(0) * columns, height = (long)r * m;
  const int lines = inner == 1;  // neighbours in memory belong to one column
  for (int e = lane; e < size; e += GROUP) {
    const int q = lines ? e / rows : e % columns, j = lines ? e % rows : e / columns;
    const long column = first + q;
    X_t v = 0;
    if (column < total) v = PASTED(read_, X)(x, from, (column / inner * height + j) * inner + column % inner);
    held[j * columns + q] = v;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int s = columns; s < r * columns; s *= 2) {
    for (int e = lane; e < size / 2; e += GROUP) {
      const int at = e / s * 2 * s + e % s;
      const X_t a = held[at], b = held[at + s];
      held[at] = a + b;
      held[at + s] = a - b;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  for (int e = lane; e < size; e += GROUP) {
    const int q = lines ? e / rows : e % columns, j = lines ? e % rows : e / columns;
    const long column = first + q;
    if (column >= total) continue;
    X_t v = held[j * columns + q];
    if (m > 1) {
      const uint signs = minus[j / r];
      v = 0;
      for (int k = 0; k < m; ++k) {
        const X_t a = held[(k * r + j % r) * columns + q];
        v = (signs >> k & 1u) != 0 ? v - a : v + a;
      }
    }
    PASTED(write_, X)(y, to, (column / inner * height + j) * inner + column % inner, v * factor);
  }
}
