// Choices of discrete distributions, decided in double. An entry counts by its logit x: NaN is never chosen; where the
// largest is infinite, those that equal it are chosen alike, and the others never.
#include "array/random/threefry.cl"
#include "array/random/units.cl"

#define GROUP 64
#define SCAN 256

static inline double logit_at(global const void* x, int type, long i) {
  const double v = double_at(x, type, i);
  return isnan(v) ? -INFINITY : v;
}

// NaN if it is never chosen.
static inline double counted(double x, double most) {
  if (isinf(most)) return x == most ? 0.0 : NAN;
  return isinf(x) ? NAN : x;
}

static inline uint word_at(global const uint* key, long i, long total) {
  return word_of(key, i, total / 2, total - total / 2);
}

// The first k with the largest score. A work-group a choice t = (outer, i) of T: n entries, `step` apart from where the
// geometry has the first, drawn `inner` apart.
__attribute__((reqd_work_group_size(GROUP, 1, 1))) kernel void by_gumbel(global const uint* key, global const void* x,
                                                                         int type, constant const long* geometry,
                                                                         long n, long step, long inner, long choices,
                                                                         global uint* out) {
  local double scores[GROUP];
  local long entries[GROUP];
  const long t = get_group_id(0);
  const int me = get_local_id(0);
  const long first = place(t, geometry, 0);
  double most = -INFINITY;
  for (long k = me; k < n; k += GROUP) most = fmax(most, logit_at(x, type, first + k * step));
  scores[me] = most;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int i = 0; i < GROUP; ++i) most = fmax(most, scores[i]);
  barrier(CLK_LOCAL_MEM_FENCE);

  double best = -INFINITY;
  long entry = -1;
  for (long k = me; k < n; k += GROUP) {
    const double v = counted(logit_at(x, type, first + k * step), most);
    if (isnan(v)) continue;
    const long drawn = (t / inner * n + k) * inner + t % inner;
    const double score = v - log(-log((double)unit_of(f32, word_at(key, drawn, choices * n))));
    if (entry < 0 || score > best) best = score, entry = k;
  }
  scores[me] = best;
  entries[me] = entry;
  barrier(CLK_LOCAL_MEM_FENCE);
  if (me != 0) return;
  for (int i = 1; i < GROUP; ++i) {
    const long k = entries[i];
    if (k >= 0 && (entry < 0 || scores[i] > best || (scores[i] == best && k < entry))) best = scores[i], entry = k;
  }
  out[t] = (uint)entry;
}

// sums_k: the sum of e^(x_j - max x) for j < k, k = 0 .. n. One work-group, a share of the entries a work-item.
__attribute__((reqd_work_group_size(SCAN, 1, 1))) kernel void sums(global const void* x, int type, long n,
                                                                   global double* to) {
  local double parts[SCAN];
  const int me = get_local_id(0);
  const long share = (n + SCAN - 1) / SCAN, begin = min(n, me * share), end = min(n, begin + share);
  double most = -INFINITY;
  for (long k = begin; k < end; ++k) most = fmax(most, logit_at(x, type, k));
  parts[me] = most;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int i = 0; i < SCAN; ++i) most = fmax(most, parts[i]);
  barrier(CLK_LOCAL_MEM_FENCE);

  const double top = isinf(most) ? 0.0 : most;
  double sum = 0;
  for (long k = begin; k < end; ++k) {
    const double v = counted(logit_at(x, type, k), most);
    sum += isnan(v) ? 0.0 : exp(v - top);
  }
  parts[me] = sum;
  barrier(CLK_LOCAL_MEM_FENCE);
  sum = 0;
  for (int i = 0; i < me; ++i) sum += parts[i];
  for (long k = begin; k < end; ++k) {
    const double v = counted(logit_at(x, type, k), most);
    to[k] = sum;
    sum += isnan(v) ? 0.0 : exp(v - top);
  }
  if (end == n && begin < end) to[n] = sum;
}

// The last k with sums_k <= u sums_n.
static inline uint last_within(global const double* sums, long n, uint word) {
  const double share = (double)unit_of(f32, word) * sums[n];
  long low = 0, high = n;  // sums_low <= share < sums_high
  while (high - low > 1) {
    const long middle = (low + high) / 2;
    if (sums[middle] <= share) low = middle;
    else high = middle;
  }
  return (uint)low;
}

kernel void by_sums(global const uint* key, global const double* sums, long n, long h, long gap, global uint* out) {
  const long i = get_global_id(0);
  if (i >= gap) return;
  const uint2 w = words_of(key, i, h, gap);
  out[i] = last_within(sums, n, w.x);
  if (i != h) out[i + gap] = last_within(sums, n, w.y);
}
