// Where the element of an operand lies that meets element k of a dense result, and whether one counts as true.
// geometry: 8 sizes, innermost first, then 8 strides for each operand.
// Included after element.cl.

static inline long place(ulong k, constant const long* geometry, int operand, int dense) {
  if (dense) return k;
  long at = 0;
  for (int axis = 0; axis < 8 && k != 0; ++axis) {
    const ulong size = geometry[axis];
    const bool wide = (k | size) >> 32;
    at += (long)(wide ? k % size : (uint)k % (uint)size) * geometry[8 * (1 + operand) + axis];
    k = wide ? k / size : (uint)k / (uint)size;
  }
  return at;
}

// What is not 0.
static inline int truth_at(global const void* p, int type, long i) {
#ifdef PLUMB_FP64
  if (type == f64) return ((global const double*)p)[i] != 0;
#endif
  if (type == c64) return ((global const float2*)p)[i].x != 0 || ((global const float2*)p)[i].y != 0;
  return type > i64 ? f32_at(p, type, i) != 0 : whole_at(p, type, i) != 0;
}
