// Attention by tiles: a work-group takes 32 queries that share a head of keys, and 64 features of the values, and goes
// through the keys by 32, with a running maximum for each query. Built for X, f32 or f64, in which it computes.
//
// Queries are numbered through the heads that share the keys, so that a tile is full where each has few. A work-item
// has the scores of two queries with two keys, and the sums of two queries in four columns.

#include "nn/operand.cl"

#define GROUP 256
#define QUERIES 32
#define KEYS 32
#define DEPTH 32    // features of queries and keys at a time
#define COLUMNS 64  // features of values
#define PITCH (DEPTH + 1)
#define ROW (KEYS + 1)
#define LANES (GROUP / QUERIES)         // work-items that share the softmax of a query
#define EACH (QUERIES * DEPTH / GROUP)  // rows that a work-item helps to load

enum { NONE, HIDES, ADDED };  // what a mask does

typedef struct {
  long H, G, L, S, D, E;
  long group, all, first, b, g, column;  // heads that share keys, their queries; the first of this tile
  int causal;
} Place;

Place place_of(long H, long G, long L, long S, long D, long E, int causal) {
  Place p = {H, G, L, S, D, E, H / G, 0, 0, 0, 0, 0, causal};
  p.all = L * p.group;
  p.first = (long)get_group_id(0) * QUERIES;
  p.b = get_group_id(1) / G;
  p.g = get_group_id(1) % G;
  p.column = (long)get_group_id(2) * COLUMNS;
  return p;
}
long head_of(Place p, long query) { return p.g * p.group + query / p.L; }
long key_row(Place p, long j) { return (p.b * p.G + p.g) * p.S + j; }
long query_row(Place p, long query) { return (p.b * p.H + head_of(p, query)) * p.L + query % p.L; }

// Keys before the first that no query of the tile sees; queries of another head begin anew.
long end_of(Place p) {
  const long last = min(p.all, p.first + QUERIES) - 1;
  const long most = p.first / p.L == last / p.L ? last % p.L : p.L - 1;
  return p.causal ? min(p.S, max(0l, most + p.S - p.L + 1)) : p.S;
}

// 32 rows of `features`, DEPTH of them from d on; what is beyond is 0, as are rows below 0.
void load_rows(local X_v* to, global const void* x, int type, const long* rows, long features, long d) {
  const int column = get_local_id(0) % DEPTH;
  for (int k = 0; k < EACH; ++k) {
    const int r = get_local_id(0) / DEPTH + k * (GROUP / DEPTH);
    const int within = rows[k] >= 0 && d + column < features;
    to[r * PITCH + column] = within ? fetch(x, type, rows[k] * features + d + column) : (X_v)0;
  }
}

// s[a][c] = query 2 ty + a . key 2 tx + c
void products(Place p, long j0, global const void* q, int q_type, global const void* k, int k_type, local X_v* stage,
              X_v* s) {
  local X_v* rows = stage;
  local X_v* columns = stage + QUERIES * PITCH;
  const int id = get_local_id(0), tx = id % 16, ty = id / 16;
  long queries[EACH], keys[EACH];
  for (int n = 0; n < EACH; ++n) {
    const long r = p.first + id / DEPTH + n * (GROUP / DEPTH), j = j0 + id / DEPTH + n * (GROUP / DEPTH);
    queries[n] = r < p.all ? query_row(p, r) : -1;
    keys[n] = j < p.S ? key_row(p, j) : -1;
  }
  for (int n = 0; n < 4; ++n) s[n] = 0;
  for (long d = 0; d < p.D; d += DEPTH) {
    barrier(CLK_LOCAL_MEM_FENCE);
    load_rows(rows, q, q_type, queries, p.D, d);
    load_rows(columns, k, k_type, keys, p.D, d);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int n = 0; n < DEPTH; ++n)
      for (int a = 0; a < 2; ++a)
        for (int c = 0; c < 2; ++c)
          s[2 * a + c] = fma(rows[(2 * ty + a) * PITCH + n], columns[(2 * tx + c) * PITCH + n], s[2 * a + c]);
  }
}

// The score of a query and a key with its mask; hidden ones are -inf, and no bit of `shown`.
void masked(Place p, long j0, int a, int c, X_v score, global const void* mask, int type, int kind, long at,
            local X_v* weights, local uint* shown) {
  const int row = 2 * (get_local_id(0) / 16) + a, column = 2 * (get_local_id(0) % 16) + c;
  const long r = p.first + row, j = j0 + column, i = r % p.L;
  int shows = r < p.all && j < p.S && (!p.causal || j <= i + p.S - p.L);
  if (shows && kind == HIDES) shows = ((global const uchar*)mask)[at] != 0;
  if (shows && kind == ADDED) score += fetch(mask, type, at);
  weights[row * ROW + column] = shows ? score : (X_v)-INFINITY;
  if (shows) atomic_or(&shown[row], 1u << column);
}

// Scores become weights relative to the new maximum; `factor` is what earlier sums must be multiplied by.
void softmax_step(local X_v* weights, local X_v* partial, local X_v* largest, local X_v* total, local X_v* factor) {
  const int id = get_local_id(0), lane = id % LANES, mine = id / LANES;
  local X_v* line = weights + mine * ROW;
  X_v m = largest[mine], sum = 0;
  for (int c = 0; c < KEYS; ++c) m = fmax(m, line[c]);
  const X_v base = m == -INFINITY ? (X_v)0 : m;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int c = lane; c < KEYS; c += LANES) {
    const X_v e = exp(line[c] - base);
    line[c] = e;
    sum += e;
  }
  partial[id] = sum;
  barrier(CLK_LOCAL_MEM_FENCE);
  if (lane == 0) {
    sum = 0;
    for (int n = 0; n < LANES; ++n) sum += partial[id + n];
    factor[mine] = exp(largest[mine] - base);
    total[mine] = total[mine] * factor[mine] + sum;
    largest[mine] = m;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
}

// sums = sums factor + weights values, of the keys that are shown.
void add_values(Place p, long j0, global const void* v, int type, local X_v* stage, local const X_v* weights,
                local const uint* shown, local const X_v* factor, X_v* sums) {
  const int id = get_local_id(0), tx = id % 16, ty = id / 16;
  for (int n = id; n < KEYS * COLUMNS; n += GROUP) {
    const long j = j0 + n / COLUMNS, e = p.column + n % COLUMNS;
    stage[n] = j < p.S && e < p.E ? fetch(v, type, key_row(p, j) * p.E + e) : (X_v)0;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int a = 0; a < 2; ++a) {
    const int r = 2 * ty + a;
    X_v part[4] = {0, 0, 0, 0};
    for (int n = 0; n < KEYS; ++n)
      if (shown[r] >> n & 1u)
        for (int c = 0; c < 4; ++c) part[c] = fma(weights[r * ROW + n], stage[n * COLUMNS + tx + 16 * c], part[c]);
    for (int c = 0; c < 4; ++c) sums[4 * a + c] = sums[4 * a + c] * factor[r] + part[c];
  }
  barrier(CLK_LOCAL_MEM_FENCE);
}

// The sum of a column of all values, by the same tiles.
X_v column_sum(Place p, global const void* v, int type, long e) {
  X_v sum = 0;
  for (long j0 = 0; j0 < p.S; j0 += KEYS) {
    X_v part = 0;
    for (long j = j0; j < min(p.S, j0 + KEYS); ++j) part += fetch(v, type, key_row(p, j) * p.E + e);
    sum += part;
  }
  return sum;
}

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void attend(
    global const void* q, int q_type, global const void* k, int k_type, global const void* v, int v_type,
    global const void* mask, int mask_type, int mask_kind, long mask_b, long mask_h, long mask_i, long mask_j,
    global const X_v* sinks, int has_sinks, global void* y, int type, long H, long G, long L, long S, long D, long E,
    float scale, int causal) {
  local X_v stage[2 * QUERIES * PITCH], weights[QUERIES * ROW], partial[GROUP];
  local X_v largest[QUERIES], total[QUERIES], factor[QUERIES];
  local uint shown[QUERIES], seen[QUERIES];
  const int id = get_local_id(0), tx = id % 16, ty = id / 16;
  const Place p = place_of(H, G, L, S, D, E, causal);
  if (id < QUERIES) {
    const X_v sink = has_sinks && p.first + id < p.all ? sinks[head_of(p, p.first + id)] : (X_v)-INFINITY;
    largest[id] = isnan(sink) ? (X_v)-INFINITY : sink;
    total[id] = sink == -INFINITY ? (X_v)0 : sink - sink + 1;  // e^0, or NaN
    seen[id] = 0;
  }
  X_v sums[8] = {0, 0, 0, 0, 0, 0, 0, 0}, s[4];
  for (long j0 = 0; j0 < end_of(p); j0 += KEYS) {
    products(p, j0, q, q_type, k, k_type, stage, s);
    if (id < QUERIES) shown[id] = 0;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int n = 0; n < 4; ++n) {
      const long r = p.first + 2 * ty + n / 2, j = j0 + 2 * tx + n % 2;
      const long at = p.b * mask_b + head_of(p, r) * mask_h + r % L * mask_i + j * mask_j;
      masked(p, j0, n / 2, n % 2, s[n] * (X_v)scale, mask, mask_type, mask_kind, at, weights, shown);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (id < QUERIES) seen[id] |= shown[id];
    softmax_step(weights, partial, largest, total, factor);
    add_values(p, j0, v, v_type, stage, weights, shown, factor, sums);
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int n = 0; n < 8; ++n) {
    const int r = 2 * ty + n / 4;
    const long query = p.first + r, e = p.column + tx + 16 * (n % 4);
    if (query >= p.all || e >= E) continue;
    const int none = seen[r] == 0 && !has_sinks;  // then the mean of all values
    const X_v sum = none ? column_sum(p, v, v_type, e) : sums[n];
    put(y, type, query_row(p, query) * E + e, sum / (none ? (X_v)S : total[r]));
  }
}
