// Where the greatest key of a line stands first: keys.cl says what is greater.
#include "array/reduce/keys.cl"
#include "array/reduce/lines.cl"

#define NOWHERE 0x7FFFFFFFFFFFFFFFl

typedef struct {
  ulong key;
  long at;
} Best;

static inline Best better(Best a, Best b) { return b.key > a.key || (b.key == a.key && b.at < a.at) ? b : a; }
DEFINE_JOIN(Best, join_best, better)

// The line's, or that of one of its `splits` parts, to be joined by another launch: then `places` holds where the keys
// x were found.
LINE_KERNEL extremum_lines(global const void* x, int from, long first, global ulong* keys, global long* at,
                           global uint* out, constant const long* g, long n, int lanes, int splits, int columns_first,
                           int least, int joining, global const long* places) {
  local Best joined[GROUP];
  const Place p = place(g, lanes, splits, columns_first);
  Best best = {0, NOWHERE};
  if (p.valid) {
    const long step = (long)lanes * splits;
    for (long r = (long)p.split * lanes + p.lane; r < n; r += step) {
      const long i = first + p.in + along(g, r, 1);
      Best b;
      b.key = joining ? ((global const ulong*)x)[i] : key_at(x, from, i, least, 1);
      b.at = joining ? places[i] : r;
      best = better(best, b);
    }
  }
  best = join_best(joined, best, lanes, columns_first);
  if (!p.valid || p.lane != 0) return;
  if (splits == 1) {
    out[p.out] = (uint)best.at;
  } else {
    keys[p.out * splits + p.split] = best.key;
    at[p.out * splits + p.split] = best.at;
  }
}
