// Sums, means and mean squares of lines, in X: f32 or f64. A complex number is two lines of floats.
#define ANY 1
#include "array/reduce/any.cl"
#include "array/reduce/lines.cl"

#define PLUS(a, b) ((a) + (b))
DEFINE_JOIN(X_t, join_sum, PLUS)

enum { VALUES, SQUARES, DIFFERENCES };  // what is summed
enum { SUM, QUOTIENT, ROOT, BEYOND };   // what is written of the sum

// Whether an element differs from the first of its line, NaN if it is not finite.
static inline X_t difference(global const void* x, int from, long i, long i0) {
  if (from < f16) return whole_at(x, from, i) != whole_at(x, from, i0);
  const X_t v = fetch(x, from, i);
  return isfinite(v) ? (X_t)(v != fetch(x, from, i0)) : (X_t)NAN;
}

// y[line * step + start + split] of the line numbered so in the output, or of one of its parts; `means` likewise.
LINE_KERNEL moment_lines(global const void* x, int from, long first, global void* y, int to, constant const long* g,
                         long n, int lanes, int splits, int columns_first, long step, long start, int what, int write,
                         X_t divisor, global const X_t* means, long mean_step, long mean_start) {
  local X_t joined[GROUP];
  const Place p = place(g, lanes, splits, columns_first);
  X_t s[4] = {0, 0, 0, 0};
  if (p.valid) {
    const long stride = (long)lanes * splits, line = first + p.in;
    const X_t m = what == SQUARES ? means[p.out * mean_step + mean_start] : (X_t)0;
    long r = (long)p.split * lanes + p.lane;
    for (int k = 0; r < n; r += stride, k = (k + 1) & 3) {
      const long i = line + along(g, r, 1);
      if (what == DIFFERENCES) {
        s[k] += difference(x, from, i, line);
      } else {
        const X_t d = fetch(x, from, i) - m;
        s[k] += what == SQUARES ? d * d : d;
      }
    }
  }
  const X_t sum = join_sum(joined, (s[0] + s[2]) + (s[1] + s[3]), lanes, columns_first);
  if (!p.valid || p.lane != 0) return;
  const long at = p.out * step + start + p.split;
  switch (write) {
    case SUM: put(y, to, at, sum); break;
    case QUOTIENT: put(y, to, at, sum / divisor); break;
    case ROOT: put(y, to, at, sqrt(sum / divisor)); break;
    case BEYOND: put(y, to, at, sum > 0 ? (X_t)INFINITY : (X_t)NAN); break;
  }
}
