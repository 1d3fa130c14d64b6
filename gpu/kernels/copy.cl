// Row-major copies of strided tensors, by element size; elements of one dtype as those of another. geometry holds 8
// sizes, then 8 strides in elements, both from the innermost axis outwards; sizes behind the last axis are 1.
//
//   y[i] = x[offset + sum over axes of index_axis(i) * stride_axis]

#include "element.cl"

#define COPY(NAME, T)                                                                                        \
  kernel void NAME(global const T* x, global T* y, constant const long* geometry, long offset, long count) { \
    const size_t i = get_global_id(0);                                                                       \
    if (i >= (size_t)count) return;                                                                          \
    long at = offset;                                                                                        \
    if (count <= 0xFFFFFFFFl) {                                                                              \
      uint rest = (uint)i;                                                                                   \
      for (int axis = 0; axis < 8 && rest != 0; ++axis) {                                                    \
        const uint size = (uint)geometry[axis];                                                              \
        at += (long)(rest % size) * geometry[8 + axis];                                                      \
        rest /= size;                                                                                        \
      }                                                                                                      \
    } else {                                                                                                 \
      ulong rest = i;                                                                                        \
      for (int axis = 0; axis < 8 && rest != 0; ++axis) {                                                    \
        const ulong size = (ulong)geometry[axis];                                                            \
        at += (long)(rest % size) * geometry[8 + axis];                                                      \
        rest /= size;                                                                                        \
      }                                                                                                      \
    }                                                                                                        \
    y[i] = x[at];                                                                                            \
  }

COPY(copy1, uchar)
COPY(copy2, ushort)
COPY(copy4, uint)
COPY(copy8, ulong)

// Transposed planes: y[b][r][c] = x[offset + b*plane + r*row + c*column], with |row| < |column|. A tile goes
// through local memory, so that both sides are touched along their short strides.
#define TILE 16

#define TRANSPOSE(NAME, T)                                                                                          \
  kernel __attribute__((reqd_work_group_size(TILE, TILE, 1))) void NAME(                                            \
      global const T* x, global T* y, long offset, long plane, long row, long column, int rows, int columns) {      \
    local T tile[TILE][TILE + 1];                                                                                   \
    const int i = get_local_id(0), j = get_local_id(1);                                                             \
    const int r0 = get_group_id(0) * TILE, c0 = get_group_id(1) * TILE;                                             \
    const long b = get_group_id(2);                                                                                 \
    if (r0 + i < rows && c0 + j < columns) tile[j][i] = x[offset + b * plane + (r0 + i) * row + (c0 + j) * column]; \
    barrier(CLK_LOCAL_MEM_FENCE);                                                                                   \
    if (r0 + j < rows && c0 + i < columns) y[(b * rows + r0 + j) * columns + c0 + i] = tile[i][j];                  \
  }

TRANSPOSE(transpose1, uchar)
TRANSPOSE(transpose2, ushort)
TRANSPOSE(transpose4, uint)
TRANSPOSE(transpose8, ulong)

// y[i] = x[i] as an element of a dtype that it promotes to; a kernel for each type that such dtypes compute in
kernel void to_whole(global const void* x, int from, global void* y, int to, long n) {
  const long i = get_global_id(0);
  if (i < n) put_whole(y, to, i, whole_at(x, from, i));
}

kernel void to_float(global const void* x, int from, global void* y, int to, long n) {
  const long i = get_global_id(0);
  if (i < n) put_float(y, to, i, float_at(x, from, to, i));
}

#ifdef PLUMB_FP64
kernel void to_double(global const void* x, int from, global double* y, int to, long n) {
  const long i = get_global_id(0);
  if (i < n) put_f64(y, i, double_at(x, from, i));
}
#endif

kernel void to_complex(global const void* x, int from, global float2* y, int to, long n) {
  const long i = get_global_id(0);
  if (i < n) put_c64(y, i, complex_at(x, from, i));
}
