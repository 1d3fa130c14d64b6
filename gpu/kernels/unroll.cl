// Unrolled loops keep sums in registers where there are enough; elsewhere they only take long to compile.
#ifdef PLUMB_CPU_DEVICE
#define UNROLL _Pragma("nounroll")
#else
#define UNROLL _Pragma("unroll")
#endif
