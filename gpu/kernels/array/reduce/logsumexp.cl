// Logarithms of sums of exponentials of lines, in X: f32 or f64. Each of a line's `splits` parts is a run of `part`
// elements; every pass begins with what the one before it left for each part.
#define ANY 1
#include "array/reduce/any.cl"
#include "array/reduce/lines.cl"

#define PLUS(a, b) ((a) + (b))
DEFINE_JOIN(X_t, join_sum, PLUS)
DEFINE_JOIN(X_t, join_max, fmax)  // a NaN is passed over here, and stays in the sum

LINE_KERNEL greatest_lines(global const void* x, int from, long first, constant const long* g, long n, long part,
                           int lanes, int splits, int columns_first, global X_t* maxima) {
  local X_t joined[GROUP];
  const Place p = place(g, lanes, splits, columns_first);
  const long end = min(n, (p.split + 1) * part);
  X_t m = -INFINITY;
  if (p.valid)
    for (long r = p.split * part + p.lane; r < end; r += lanes)
      m = fmax(m, fetch(x, from, first + p.in + along(g, r, 1)));
  m = join_max(joined, m, lanes, columns_first);
  if (p.valid && p.lane == 0) maxima[p.out * splits + p.split] = m;
}

// The greatest of the line numbered so, and 0 in place of an infinity, from which distances cannot be measured: then
// the sum is 0, an infinity or NaN.
static inline X_t line_max(global const X_t* maxima, long line, int splits) {
  X_t m = -INFINITY;
  for (int k = 0; k < splits; ++k) m = fmax(m, maxima[line * splits + k]);
  return m;
}
static inline X_t origin(X_t m) { return isinf(m) ? (X_t)0 : m; }

LINE_KERNEL exponential_lines(global const void* x, int from, long first, constant const long* g, long n, long part,
                              int lanes, int splits, int columns_first, global const X_t* maxima, global X_t* sums) {
  local X_t joined[GROUP];
  const Place p = place(g, lanes, splits, columns_first);
  const long end = min(n, (p.split + 1) * part);
  X_t s = 0;
  if (p.valid) {
    const X_t m = origin(line_max(maxima, p.out, splits));
    for (long r = p.split * part + p.lane; r < end; r += lanes)
      s += exp(fetch(x, from, first + p.in + along(g, r, 1)) - m);
  }
  s = join_sum(joined, s, lanes, columns_first);
  if (p.valid && p.lane == 0) sums[p.out * splits + p.split] = s;
}

kernel void logarithms(global const X_t* maxima, global const X_t* sums, int splits, long lines, global void* y,
                       int to) {
  const long line = get_global_id(0);
  if (line >= lines) return;
  const X_t m = line_max(maxima, line, splits);
  X_t s = 0;
  for (int k = 0; k < splits; ++k) s += sums[line * splits + k];
  put(y, to, line, isnan(s) ? s : isinf(m) ? m : m + log(s));
}
