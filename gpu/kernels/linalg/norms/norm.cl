// Norms of lines in X: f32, or with WIDE f64. Parts of each line are folded first, then brought together; of matrices
// the extreme of lines that lie side by side follows by the same kernels.
#define ANY 1
#include "array/reduce/any.cl"
#include "array/reduce/lines.cl"

enum { SUM, SQUARES, GREATEST, LEAST, COUNT, POWER };  // as in gpu/linalg/norms/norm.cpp

#define PLUS(a, b) ((a) + (b))
#define MORE(a, b) ((a) >= (b) || isnan(a) ? (a) : (b))
#define LESS(a, b) ((a) <= (b) || isnan(a) ? (a) : (b))
DEFINE_JOIN(X_t, join_sum, PLUS)
DEFINE_JOIN(X_t, join_greatest, MORE)
DEFINE_JOIN(X_t, join_least, LESS)

// Squares are summed of what is, of what is scaled down and of what is scaled up; one of them is in range.
#ifdef WIDE
#define SCALE 0x1p600
#define ABOVE 0x1p1000
#define BELOW 0x1p-800
#else
#define SCALE 0x1p86f
#define ABOVE 0x1p120f
#define BELOW 0x1p-60f
#endif
#define COUNTED 20  // bits of a count in its first part

X_t modulus(global const void* x, int type, long i) {
  if (type != c64) return fabs(fetch(x, type, i));
  const float2 z = at_c64(x, i);
  return isnan(z.x) || isnan(z.y) ? NAN : hypot(z.x, z.y);
}

// The extreme of a line from those of its parts.
X_t line_extreme(global const X_t* parts, long line, int splits, bool least) {
  X_t m = parts[line * splits];
  for (int k = 1; k < splits; ++k) {
    const X_t v = parts[line * splits + k];
    m = least ? LESS(m, v) : MORE(m, v);
  }
  return m;
}
bool measures(X_t m) { return m > 0 && !isinf(m); }  // whether others can be divided by it

// parts[q][line][split]: q = 0, of squares and counts up to 2.
LINE_KERNEL fold_moduli(global const void* x, int from, long first, constant const long* g, long n, long part,
                        int lanes, int splits, int columns_first, int kind, long lines, global X_t* parts) {
  local X_t joined[GROUP];
  const Place p = place(g, lanes, splits, columns_first);
  const long end = min(n, (p.split + 1) * part), at = p.out * splits + p.split, all = lines * splits;
  X_t s = kind == LEAST ? INFINITY : 0, down = 0, up = 0;
  long count = 0;
  if (p.valid)
    for (long r = p.split * part + p.lane; r < end; r += lanes) {
      const X_t v = modulus(x, from, first + p.in + along(g, r, 1));
      if (kind == SUM) s += v;
      else if (kind == GREATEST) s = MORE(s, v);
      else if (kind == LEAST) s = LESS(s, v);
      else if (kind == COUNT) count += v != 0;
      else s = fma(v, v, s), down = fma(v / SCALE, v / SCALE, down), up = fma(v * SCALE, v * SCALE, up);
    }
  if (kind == COUNT) s = count & ((1 << COUNTED) - 1), down = count >> COUNTED;
  s = kind == GREATEST ? join_greatest(joined, s, lanes, columns_first)
      : kind == LEAST  ? join_least(joined, s, lanes, columns_first)
                       : join_sum(joined, s, lanes, columns_first);
  const bool writes = p.valid && p.lane == 0;
  if (writes) parts[at] = s;
  if (kind != SQUARES && kind != COUNT) return;
  down = join_sum(joined, down, lanes, columns_first);
  up = join_sum(joined, up, lanes, columns_first);
  if (!writes) return;
  parts[all + at] = down;
  parts[2 * all + at] = up;
}

// Sums of (|x| / m)^p, m the extreme modulus of the line.
LINE_KERNEL fold_powers(global const void* x, int from, long first, constant const long* g, long n, long part,
                        int lanes, int splits, int columns_first, X_t p, global const X_t* extremes,
                        global X_t* parts) {
  local X_t joined[GROUP];
  const Place at = place(g, lanes, splits, columns_first);
  const long end = min(n, (at.split + 1) * part);
  X_t s = 0;
  if (at.valid) {
    const X_t m = line_extreme(extremes, at.out, splits, p < 0);
    if (measures(m))
      for (long r = at.split * part + at.lane; r < end; r += lanes)
        s += pow(modulus(x, from, first + at.in + along(g, r, 1)) / m, p);
  }
  s = join_sum(joined, s, lanes, columns_first);
  if (at.valid && at.lane == 0) parts[at.out * splits + at.split] = s;
}

X_t line_sum(global const X_t* parts, long line, int splits) {
  X_t s = 0;
  for (int k = 0; k < splits; ++k) s += parts[line * splits + k];
  return s;
}

X_t line_root(global const X_t* parts, long line, int splits, long all) {
  const X_t s = line_sum(parts, line, splits);
  if (s < BELOW) return sqrt(line_sum(parts + 2 * all, line, splits)) / SCALE;
  return s <= ABOVE ? sqrt(s) : sqrt(line_sum(parts + all, line, splits)) * SCALE;
}

X_t line_count(global const X_t* parts, long line, int splits, long all) {
  long count = 0;
  for (int k = 0; k < splits; ++k)
    count += (long)parts[line * splits + k] + ((long)parts[all + line * splits + k] << COUNTED);
  return count;
}

kernel void norm_values(global const X_t* extremes, global const X_t* parts, int kind, X_t p, int splits, long lines,
                        global void* out, int to) {
  const long line = get_global_id(0), all = lines * splits;
  if (line >= lines) return;
  X_t y = 0;
  switch (kind) {
    case SUM: y = line_sum(parts, line, splits); break;
    case SQUARES: y = line_root(parts, line, splits, all); break;
    case COUNT: y = line_count(parts, line, splits, all); break;
    case POWER:
      y = line_extreme(extremes, line, splits, p < 0);
      if (isnan(p)) y = p;
      else if (measures(y)) y *= pow(line_sum(parts, line, splits), 1 / p);
      break;
    default: y = line_extreme(parts, line, splits, kind == LEAST); break;
  }
  if (to == c64) put_c64(out, line, (float2)((float)y, 0.0f));
  else put(out, to, line, y);
}
