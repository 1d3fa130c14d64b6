// Normalisations of lines by their own moments. Built for X, f32 or f64, in which it computes; elements are of that
// type, or of f16 or bf16 beside f32.
//
// A work-group takes GROUP / lanes lines, each shared by so many neighbouring work-items.

#include "nn/operand.cl"

#define GROUP 256

// Squares of what is that large, or that small where no eps is added, leave the type. Such a line is scaled by a power
// of two, so that its greatest magnitude is near 1, which rounds nothing but what is beyond all influence.
X_v factor_of(X_v peak, X_v eps) {
  const X_v large = ldexp((X_v)1, X == f64 ? 400 : 40);
  const int most = X == f64 ? 1022 : 126;
  if (!(peak > large || (eps == 0 && peak < 1 / large)) || !(peak > 0) || !isfinite(peak)) return 1;
  return ldexp((X_v)1, clamp(-ilogb(peak), -most, most));
}

// eps beside a scaled variance. Where it vanishes no variance but 0 is as small, and then the distances are 0 too.
X_v scaled_eps(X_v eps, X_v f) {
  const X_v least = ldexp((X_v)1, X == f64 ? -1022 : -126);
  return f != 1 && eps > 0 ? fmax(eps * f * f, least) : eps;
}

// Joins the lanes of a line by halves; each of them gets the result.
#define DEFINE_JOIN(NAME, OP)                            \
  X_v NAME(local X_v* v, X_v mine, int lanes) {          \
    const int i = get_local_id(0), lane = i % lanes;     \
    barrier(CLK_LOCAL_MEM_FENCE);                        \
    v[i] = mine;                                         \
    for (int half_ = lanes / 2; half_ > 0; half_ /= 2) { \
      barrier(CLK_LOCAL_MEM_FENCE);                      \
      if (lane < half_) v[i] = OP(v[i], v[i + half_]);   \
    }                                                    \
    barrier(CLK_LOCAL_MEM_FENCE);                        \
    return v[i - lane];                                  \
  }
#define PLUS(a, b) ((a) + (b))
DEFINE_JOIN(join_sum, PLUS)
DEFINE_JOIN(join_least, fmin)
DEFINE_JOIN(join_greatest, fmax)

// Values near 1e7 sum in f32 to a mean that is off by more than their distance from it. So the first mean only serves
// to be subtracted: the mean of the distances from it corrects it, and the two are subtracted one after the other.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void normalise_lines(
    global const void* x, int from, long lines, long n, int lanes, int centred, float added, global const X_v* weight,
    global const X_v* bias, global void* y, int to) {
  local X_v joined[GROUP];
  const int lane = get_local_id(0) % lanes;
  const long l = (long)get_group_id(0) * (GROUP / lanes) + get_local_id(0) / lanes;
  const long end = l < lines ? n : 0, first = l < lines ? l * n : 0;
  X_v least = INFINITY, greatest = -INFINITY, sum = 0;
  for (long i = lane; i < end; i += lanes) {
    const X_v v = fetch(x, from, first + i);
    least = fmin(least, v);
    greatest = fmax(greatest, v);
  }
  least = join_least(joined, least, lanes);
  greatest = join_greatest(joined, greatest, lanes);
  const X_v f = factor_of(fmax(-least, greatest), (X_v)added);
  X_v mean = 0, correction = 0;
  if (centred) {
    for (long i = lane; i < end; i += lanes) sum += fetch(x, from, first + i) * f;
    mean = join_sum(joined, sum, lanes) / (X_v)n;
    mean = mean < least * f ? least * f : mean > greatest * f ? greatest * f : mean;  // a NaN stays
    sum = 0;
    for (long i = lane; i < end && X == f32; i += lanes) sum += fetch(x, from, first + i) * f - mean;
    correction = join_sum(joined, sum, lanes) / (X_v)n;
  }
  sum = 0;
  for (long i = lane; i < end; i += lanes) {
    const X_v d = fetch(x, from, first + i) * f - mean - correction;
    sum += d * d;
  }
  const X_v s = rsqrt(join_sum(joined, sum, lanes) / (X_v)n + scaled_eps((X_v)added, f));
  for (long i = lane; i < end; i += lanes)
    put(y, to, first + i, (fetch(x, from, first + i) * f - mean - correction) * s * weight[i] + bias[i]);
}
