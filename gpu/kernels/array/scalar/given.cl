// Operations with numbers that attributes give, a line each for the lanes that have them: see scalar.cl.
#include "array/scalar/scalar.cl"

#if defined(LANE_F32) || defined(LANE_F64) || defined(LANE_C64)
#ifdef LANE_F32
#define MOST 0x1p23f
#else
#define MOST 0x1p52
#endif
// s: 10^|decimals|; divides: before it is rounded. What has no digits left stays.
static inline real decimal(real x, real s, real divides) {
  if (divides != 0) return rint(x / s) * s;
  return fabs(x * s) < MOST ? rint(x * s) / s : x;
}
static inline int close(real distance, real size, real rtol, real atol) { return distance <= atol + rtol * size; }
#endif

#if defined(LANE_F32) || defined(LANE_F64)
EACH_GIVEN(round, decimal(x, p0, p1))
EACH_GIVEN(nan_to_num, isnan(x) ? p0 : isinf(x) ? (x > 0 ? p1 : p2) : x)
FLAG2_GIVEN(isclose, a == b || (isfinite(a) && isfinite(b) && close(fabs(a - b), fabs(b), p0, p1)) ||
                         (p2 != 0 && isnan(a) && isnan(b)))

#elif defined(LANE_C64)
static inline double modulus(double2 z) { return sqrt(z.x * z.x + z.y * z.y); }
static inline int finite(double2 z) { return isfinite(z.x) && isfinite(z.y); }
static inline int missing(double2 z) { return isnan(z.x) || isnan(z.y); }
EACH_GIVEN(round, (double2)(decimal(x.x, p0, p1), decimal(x.y, p0, p1)))
FLAG2_GIVEN(isclose, (a.x == b.x && a.y == b.y) ||
                         (finite(a) && finite(b) && close(modulus(a - b), modulus(b), p0, p1)) ||
                         (p2 != 0 && missing(a) && missing(b)))

#else
// The nearest multiple of s, the even one of two; s = 0: beyond every number.
static inline ulong multiple(ulong x, ulong s) {
  if (s == 0) return 0;
  const ulong q = x / s, r = x - q * s;
  return (q + (r > s - r || (r == s - r && q % 2 != 0))) * s;
}
#ifdef LANE_I64
static inline ulong rounded(long x, ulong s) { return x < 0 ? 0 - multiple(0 - (ulong)x, s) : multiple(x, s); }
#else
static inline ulong rounded(ulong x, ulong s) { return multiple(x, s); }
#endif
EACH_GIVEN(round, p1 == 0 ? (ulong)x : rounded(x, p0))
EACH_GIVEN(nan_to_num, x)

#ifdef LANE_U64
// out = no flag is 0.
kernel void every_begin(global uchar* out) {
  if (get_global_id(0) == 0) out[0] = 1;
}
kernel void every(global const uchar* flags, global uchar* out, long n, long items) {
  const long first = get_global_id(0);
  if (first >= items) return;
  for (long i = first; i < n; i += items)
    if (flags[i] == 0) {
      out[0] = 0;
      return;
    }
}
#endif
#endif
