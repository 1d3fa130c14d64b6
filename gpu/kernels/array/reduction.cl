// Sums and softmax along any axes of a strided tensor. Options: X, the type to compute in, u32, u64, f32, f64 or c64;
// ANY, 0 for tensors of that very type, 1 for every type that is computed in it.
#include "array/reduce/any.cl"
#include "array/reduce/lines.cl"

#define PLUS(a, b) ((a) + (b))
DEFINE_JOIN(X_t, join_sum, PLUS)

// out = sum of the line, or the sum of one of its `splits` parts: term r belongs to sum r mod (4 lanes splits).
#ifdef SUM
LINE_KERNEL sum_lines(global const void* x, int from, long first, global void* y, int to, constant const long* g,
                      long n, int lanes, int splits, int columns_first) {
  local X_t joined[GROUP];
  const Place p = place(g, lanes, splits, columns_first);
  X_t s[4] = {(X_t)0, (X_t)0, (X_t)0, (X_t)0};
  if (p.valid) {
    const long step = (long)lanes * splits;
    const long line = first + p.in;
    long r = (long)p.split * lanes + p.lane;
    if (g[REDUCED] == 1) {
      const long stride = along(g, 1, 1);
      for (; r + 3 * step < n; r += 4 * step)
        for (int k = 0; k < 4; ++k) s[k] += fetch(x, from, line + (r + k * step) * stride);
    } else {
      for (; r + 3 * step < n; r += 4 * step)
        for (int k = 0; k < 4; ++k) s[k] += fetch(x, from, line + along(g, r + k * step, 1));
    }
    for (int k = 0; k < 4; ++k, r += step)
      if (r < n) s[k] += fetch(x, from, line + along(g, r, 1));
  }
  const X_t total = join_sum(joined, (s[0] + s[2]) + (s[1] + s[3]), lanes, columns_first);
  if (p.valid && p.lane == 0) put(y, to, p.out * splits + p.split, total);
}
#endif

#ifdef SOFTMAX
DEFINE_JOIN(X_t, join_max, fmax)  // a NaN is passed over here, and stays in the sum

// Lines of at most PER elements per lane, kept in registers.
#ifdef PER
LINE_KERNEL softmax_held(global const void* x, int from, long first, global void* y, int to, constant const long* g,
                         long n, int lanes, int columns_first) {
  local X_t joined[GROUP];
  const Place p = place(g, lanes, 1, columns_first);
  const int mine = p.valid ? (int)((n - p.lane + lanes - 1) / lanes) : 0;
  X_t v[PER], m = -INFINITY, s = 0;
#pragma unroll
  for (int k = 0; k < PER; ++k) {
    v[k] = k < mine ? fetch(x, from, first + p.in + along(g, p.lane + (long)k * lanes, 1)) : (X_t)-INFINITY;
    m = fmax(m, v[k]);
  }
  m = join_max(joined, m, lanes, columns_first);
#pragma unroll
  for (int k = 0; k < PER; ++k)
    if (k < mine) {
      v[k] = exp(v[k] - m);
      s += v[k];
    }
  const X_t factor = 1 / join_sum(joined, s, lanes, columns_first);
#pragma unroll
  for (int k = 0; k < PER; ++k)
    if (k < mine) put(y, to, p.out + along(g, p.lane + (long)k * lanes, 2), v[k] * factor);
}
#else

// Longer lines: each of the line's `splits` parts is a run of `part` elements. Every pass begins with what the
// one before it left for each part.
LINE_KERNEL softmax_max(global const void* x, int from, long first, constant const long* g, long n, long part,
                        int lanes, int splits, int columns_first, global X_t* maxima) {
  local X_t joined[GROUP];
  const Place p = place(g, lanes, splits, columns_first);
  const long end = min(n, (p.split + 1) * part);
  X_t m = -INFINITY;
  if (p.valid)
    for (long r = p.split * part + p.lane; r < end; r += lanes)
      m = fmax(m, fetch(x, from, first + p.in + along(g, r, 1)));
  m = join_max(joined, m, lanes, columns_first);
  if (p.valid && p.lane == 0) maxima[p.line * splits + p.split] = m;
}

X_t line_max(global const X_t* maxima, Place p, int splits) {
  X_t m = -INFINITY;
  if (p.valid)
    for (int k = 0; k < splits; ++k) m = fmax(m, maxima[p.line * splits + k]);
  return m;
}

LINE_KERNEL softmax_sum(global const void* x, int from, long first, constant const long* g, long n, long part,
                        int lanes, int splits, int columns_first, global const X_t* maxima, global X_t* sums) {
  local X_t joined[GROUP];
  const Place p = place(g, lanes, splits, columns_first);
  const long end = min(n, (p.split + 1) * part);
  const X_t m = line_max(maxima, p, splits);
  X_t s = 0;
  if (p.valid)
    for (long r = p.split * part + p.lane; r < end; r += lanes)
      s += exp(fetch(x, from, first + p.in + along(g, r, 1)) - m);
  s = join_sum(joined, s, lanes, columns_first);
  if (p.valid && p.lane == 0) sums[p.line * splits + p.split] = s;
}

LINE_KERNEL softmax_write(global const void* x, int from, long first, constant const long* g, long n, long part,
                          int lanes, int splits, int columns_first, global const X_t* maxima, global const X_t* sums,
                          global void* y, int to) {
  const Place p = place(g, lanes, splits, columns_first);
  if (!p.valid) return;
  const long end = min(n, (p.split + 1) * part);
  const X_t m = line_max(maxima, p, splits);
  X_t s = 0;
  for (int k = 0; k < splits; ++k) s += sums[p.line * splits + k];
  const X_t factor = 1 / s;
  for (long r = p.split * part + p.lane; r < end; r += lanes)
    put(y, to, p.out + along(g, r, 2), exp(fetch(x, from, first + p.in + along(g, r, 1)) - m) * factor);
}
#endif
#endif
