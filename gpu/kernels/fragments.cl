// For tiles in local memory, DEPTH terms of each row adjacent; after unroll.cl.
//
// The tile product of matrix units behind a few functions with two bodies. A fragment of the left operand covers
// 16 rows and 16 terms, of the right operand 8 columns and 16 terms; a work-item owns the sums of two rows and
// two adjacent columns. The plain body computes the same sums from local memory.
#ifndef PITCH  // of a tile row in local memory: no two rows of a fragment share a bank
#define PITCH (DEPTH + 8)
#endif

#ifdef PLUMB_MATRIX_F16
typedef struct {
  uint x[4];
} Left;
typedef struct {
  uint x[2];
} Right;
uint pair_at(local const ushort* p) { return *(local const uint*)p; }
Left left_at(local const ushort* p, int lane) {
  const local ushort* q = p + lane / 4 * PITCH + lane % 4 * 2;
  Left f;
  f.x[0] = pair_at(q);
  f.x[1] = pair_at(q + 8 * PITCH);
  f.x[2] = pair_at(q + 8);
  f.x[3] = pair_at(q + 8 * PITCH + 8);
  return f;
}
Right right_at(local const ushort* p, int lane) {
  const local ushort* q = p + lane / 4 * PITCH + lane % 4 * 2;
  Right f;
  f.x[0] = pair_at(q);
  f.x[1] = pair_at(q + 8);
  return f;
}
void multiply(float* sum, Left a, Right b) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a.x[0]), "r"(a.x[1]), "r"(a.x[2]), "r"(a.x[3]), "r"(b.x[0]), "r"(b.x[1]));
}
// 16 bytes to local memory, or zeros; done after wait_copies.
void start_copy(local ushort* to, global const ushort* from, int present) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"((uint)(size_t)to), "l"((ulong)from),
               "r"(present ? 16 : 0)
               : "memory");
}
void close_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
void wait_copies() { asm volatile("cp.async.wait_group 1;" ::: "memory"); }  // of all steps but the last one started
#else
typedef struct {
  local const ushort* p;
} Left;
typedef struct {
  local const ushort* p;
} Right;
Left left_at(local const ushort* p, int lane) {
  Left f;
  f.p = p + lane / 4 * PITCH;
  return f;
}
Right right_at(local const ushort* p, int lane) {
  Right f;
  f.p = p + lane % 4 * 2 * PITCH;
  return f;
}
void multiply(float* sum, Left a, Right b) {
  UNROLL for (int i = 0; i < 4; ++i) {
    local const ushort* p = a.p + i / 2 * 8 * PITCH;
    local const ushort* q = b.p + i % 2 * PITCH;
    UNROLL for (int c = 0; c < 16; ++c) sum[i] =
        fma(vload_half(c, (local const half*)p), vload_half(c, (local const half*)q), sum[i]);
  }
}
void start_copy(local ushort* to, global const ushort* from, int present) {
  for (int i = 0; i < 8; ++i) to[i] = present ? from[i] : (ushort)0;
}
void close_copies() {}
void wait_copies() {}
#endif
