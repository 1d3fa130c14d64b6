// Loops that saturate one unit of the device each; what they compute is written so that it is not removed.

#ifdef PLUMB_CPU_DEVICE
#define WIDE float16
#define FIRST(v) (v).s0
#else
#define WIDE float
#define FIRST(v) (v)
#endif

__kernel void fma_loop_f32(__global float* sink, int loops) {
  WIDE x0 = (WIDE)(get_local_id(0) * 1e-6f), x1 = x0 + 1e-3f, x2 = x0 + 2e-3f, x3 = x0 + 3e-3f;
  WIDE x4 = x0 + 4e-3f, x5 = x0 + 5e-3f, x6 = x0 + 6e-3f, x7 = x0 + 7e-3f;
  const WIDE a = (WIDE)(0.999f), b = (WIDE)(1e-3f);
  for (int i = 0; i < loops; ++i) {
    x0 = fma(x0, a, b);
    x1 = fma(x1, a, b);
    x2 = fma(x2, a, b);
    x3 = fma(x3, a, b);
    x4 = fma(x4, a, b);
    x5 = fma(x5, a, b);
    x6 = fma(x6, a, b);
    x7 = fma(x7, a, b);
  }
  sink[get_global_id(0)] = FIRST(x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7);
}

#ifdef PLUMB_FP64
__kernel void fma_loop_f64(__global double* sink, int loops) {
#ifdef PLUMB_CPU_DEVICE
  double16 x0 = (double16)(get_local_id(0) * 1e-6);
  const double16 a = (double16)(0.999), b = (double16)(1e-3);
  double16 x1 = x0 + b, x2 = x1 + b, x3 = x2 + b, x4 = x3 + b, x5 = x4 + b, x6 = x5 + b, x7 = x6 + b;
#else
  double x0 = get_local_id(0) * 1e-6;
  const double a = 0.999, b = 1e-3;
  double x1 = x0 + b, x2 = x1 + b, x3 = x2 + b, x4 = x3 + b, x5 = x4 + b, x6 = x5 + b, x7 = x6 + b;
#endif
  for (int i = 0; i < loops; ++i) {
    x0 = fma(x0, a, b);
    x1 = fma(x1, a, b);
    x2 = fma(x2, a, b);
    x3 = fma(x3, a, b);
    x4 = fma(x4, a, b);
    x5 = fma(x5, a, b);
    x6 = fma(x6, a, b);
    x7 = fma(x7, a, b);
  }
#ifdef PLUMB_CPU_DEVICE
  sink[get_global_id(0)] = (x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7).s0;
#else
  sink[get_global_id(0)] = x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7;
#endif
}
#endif

#ifdef PLUMB_MATRIX_F16
// Four independent 16x8x16 products per warp and iteration.
__kernel void matrix_loop(__global float* sink, int loops) {
  float c[4][4];
  for (int p = 0; p < 4; ++p)
    for (int i = 0; i < 4; ++i) c[p][i] = 0.0f;
  const uint a = 0x2c002c00u + (uint)get_local_id(0), b = 0x2c012c01u;
  for (int i = 0; i < loops; ++i) {
#pragma unroll
    for (int p = 0; p < 4; ++p)
      asm volatile(
          "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
          : "+f"(c[p][0]), "+f"(c[p][1]), "+f"(c[p][2]), "+f"(c[p][3])
          : "r"(a), "r"(a), "r"(a), "r"(a), "r"(b), "r"(b));
  }
  float sum = 0.0f;
  for (int p = 0; p < 4; ++p)
    for (int i = 0; i < 4; ++i) sum += c[p][i];
  sink[get_global_id(0)] = sum;
}
#endif

__kernel void copy_vectors(__global const float4* from, __global float4* to, long n) {
  const long i = (long)get_global_id(0);
  if (i < n) to[i] = from[i];
}
