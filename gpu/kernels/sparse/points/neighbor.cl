// Neighbours among sparse rows. A neighbour is a key: the bits of its squared distance, then its row, so that keys
// compare as (distance, row) and results do not depend on the order in which candidates are met.
//
// Each query keeps its best keys in ascending order: in registers where MOST is defined (the best MOST of them), else
// in its own `most` places of `lists`, where all find them in the end. With MOST there are only the kernels that it
// concerns.

#include "sparse/sites/sites.cl"

long4 difference(Site q, Site s) {
  return (long4)(0, (long)((ulong)q.y - (ulong)s.y), (long)((ulong)q.z - (ulong)s.z), (long)((ulong)q.w - (ulong)s.w));
}

// (dx dx + dy dy) + dz dz, every step in binary32
float squared_distance(long4 d) {
  const float x = convert_float(d.y), y = convert_float(d.z), z = convert_float(d.w);
  const float xx = x * x, yy = y * y, zz = z * z;
  const float xy = xx + yy;
  return xy + zz;
}

ulong key_of(float d2, int row) { return (ulong)as_uint(d2) << 32 | (uint)row; }
float distance_of(ulong key) { return as_float((uint)(key >> 32)); }

#define NONE 0xFFFFFFFFFFFFFFFFul

// Whether the square of a difference is at most r2; reach bounds it on each axis, below 0 all differences count.
int counts_within(long4 d, long reach, long r2) {
  if (reach < 0) return 1;
  if (d.y > reach || d.y < -reach || d.z > reach || d.z < -reach || d.w > reach || d.w < -reach) return 0;
  return d.y * d.y + d.z * d.z + d.w * d.w <= r2;
}

int insert_key(global ulong* list, int count, int most, ulong key) {
  if (count == most && key >= list[most - 1]) return count;
  int j = count < most ? count : most - 1;
  for (; j > 0 && list[j - 1] > key; --j) list[j] = list[j - 1];
  list[j] = key;
  return min(count + 1, most);
}

#include "unroll.cl"

// The best keys so far, ascending.
#ifdef MOST
typedef struct {
  ulong key[MOST];  // NONE where there is none yet
} Best;

void clear(Best* b, global ulong* list) {
  for (int j = 0; j < MOST; ++j) b->key[j] = NONE;
}

void offer(Best* b, int most, ulong key) {
  if (key >= b->key[MOST - 1]) return;
  UNROLL
  for (int j = MOST - 1; j > 0; --j) b->key[j] = key < b->key[j - 1] ? b->key[j - 1] : min(b->key[j], key);
  b->key[0] = min(b->key[0], key);
}

// The last key that counts, NONE while there are fewer than most.
ulong last_of(const Best* b, int most) {
  ulong last = NONE;
  UNROLL
  for (int j = 0; j < MOST; ++j) last = j == most - 1 ? b->key[j] : last;
  return last;
}

// How many there are; they lie in the list from then on.
int keep(const Best* b, int most, global ulong* list) {
  int n = 0;
  UNROLL
  for (int j = 0; j < MOST; ++j)
    if (j < most && b->key[j] != NONE) {
      list[j] = b->key[j];
      ++n;
    }
  return n;
}
#else
typedef struct {
  global ulong* key;
  int count;
} Best;

void clear(Best* b, global ulong* list) {
  b->key = list;
  b->count = 0;
}
void offer(Best* b, int most, ulong key) { b->count = insert_key(b->key, b->count, most, key); }
ulong last_of(const Best* b, int most) { return b->count == most ? b->key[most - 1] : NONE; }
int keep(const Best* b, int most, global ulong* list) { return b->count; }
#endif

// ---- All sources against each query, a tile of them in local memory at a time ----

#define TILE 128

// counted: whether a source counts at all, read if `choose`.
kernel __attribute__((reqd_work_group_size(TILE, 1, 1))) void search_all(global const void* sources, int wide, long n,
                                                                         global const int* counted, int choose,
                                                                         global const void* queries, long m,
                                                                         long capacity, long reach, long r2, int most,
                                                                         global ulong* lists, global int* found) {
  local Site tile[TILE];
  local int there[TILE];
  const int t = get_local_id(0);
  const long q = get_global_id(0);
  const Site at = q < m ? row_of(queries, wide, q) : (Site)(0);
  global ulong* list = lists + (q < m ? q : 0) * most;
  Best best;
  clear(&best, list);
  for (long first = 0; first < n; first += TILE) {
    barrier(CLK_LOCAL_MEM_FENCE);
    there[t] = first + t < n && (!choose || counted[first + t]);
    if (first + t < n) tile[t] = row_of(sources, wide, first + t);
    barrier(CLK_LOCAL_MEM_FENCE);
    if (q >= m) continue;
    for (int i = 0; i < TILE; ++i) {
      if (!there[i] || tile[i].x != at.x) continue;
      const long4 d = difference(at, tile[i]);
      if (counts_within(d, reach, r2)) offer(&best, most, key_of(squared_distance(d), (int)(first + i)));
    }
  }
  if (q < capacity) found[q] = q < m ? keep(&best, most, list) : 0;
}

// ---- Cells: points by the hash of (batch, cell), searched outward in rings ----

// grid: the low corner, then cells per axis, then how wide a cell is: 2^shift. shift 63: one cell, whatever the site.
typedef struct {
  Site low, cells;
  long shift;
} Grid;

// Differences of such sites do not wrap.
int nearby(Site s) {
  const long far = 1l << 61;
  return max(max(s.y, s.z), s.w) < far && min(min(s.y, s.z), s.w) > -far;
}

Grid load_grid(global const long* grid) {
  Grid g;
  g.low = vload4(0, grid);
  g.cells = vload4(1, grid);
  g.shift = grid[8];
  return g;
}

// The cell of a nearby site; it need not be one of the grid's.
Site cell_of(Site s, Grid g) {
  if (g.shift == 63) return (Site)(s.x, 0, 0, 0);
  return (Site)(s.x, (s.y - g.low.y) >> g.shift, (s.z - g.low.z) >> g.shift, (s.w - g.low.w) >> g.shift);
}

// The least difference on one axis between q and a point of the cells beyond a ring; -1 if there are none.
long beyond(long q, long low, long c, long ring, long cells, long shift) {
  long least = -1;
  if (c - ring > 0) least = (q - low) - (((c - ring) << shift) - 1);
  if (c + ring < cells - 1) {
    const long up = ((c + ring + 1) << shift) - (q - low);
    least = least < 0 ? up : min(least, up);
  }
  return least;
}

long least_of(long a, long b) { return a < 0 ? b : b < 0 ? a : min(a, b); }

// Offers the points of one cell.
void try_cell(Best* best, int most, Site at, Site cell, Grid g, global const Site* points, global const int* numbers,
              global const int* start, uint mask) {
  const uint bucket = (uint)hash_of(cell) & mask;
  const int end = start[bucket + 1];
  for (int i = start[bucket]; i < end; ++i)
    if (same(cell_of(points[i], g), cell))
      offer(best, most, key_of(squared_distance(difference(at, points[i])), numbers[i]));
}

// Offers the cells at Chebyshev distance `ring` from cell c, those there are; gives how many were tried, at least
// one per column, up to `limit`.
long try_ring(Best* best, int most, Site at, Site c, long ring, long limit, Grid g, global const Site* points,
              global const int* numbers, global const int* start, uint mask) {
  const long x0 = max(0l, c.y - ring), x1 = min(g.cells.y - 1, c.y + ring);
  const long y0 = max(0l, c.z - ring), y1 = min(g.cells.z - 1, c.z + ring);
  const long z0 = max(0l, c.w - ring), z1 = min(g.cells.w - 1, c.w + ring);
  long tried = 0;
  for (long x = x0; x <= x1 && tried < limit; ++x)
    for (long y = y0; y <= y1 && tried < limit; ++y) {
      const int face = x == c.y - ring || x == c.y + ring || y == c.z - ring || y == c.z + ring;
      ++tried;
      for (long z = face ? z0 : c.w - ring; z <= z1; z += face ? 1 : 2 * ring) {
        if (z < z0) continue;
        ++tried;
        try_cell(best, most, at, (Site)(at.x, x, y, z), g, points, numbers, start, mask);
      }
    }
  return tried;
}

// Whether a point of the cells beyond a ring could still be among the best. A farther cell may hold an equal distance
// with a lower row: only a greater bound ends the search.
int goes_on(const Best* best, int most, Site at, Site c, long ring, Grid g) {
  const long left = least_of(least_of(beyond(at.y, g.low.y, c.y, ring, g.cells.y, g.shift),
                                      beyond(at.z, g.low.z, c.z, ring, g.cells.z, g.shift)),
                             beyond(at.w, g.low.w, c.w, ring, g.cells.w, g.shift));
  if (left < 0) return 0;
  const ulong last = last_of(best, most);
  const float bound = convert_float(left);
  return last == NONE || bound * bound <= distance_of(last);
}

kernel void search_cells(global const Site* points, global const int* numbers, long n, global const long* grid,
                         global const int* start, uint mask, global const void* queries, int wide, long m,
                         long capacity, int most, global ulong* lists, global int* found) {
  const long q = get_global_id(0);
  if (q >= capacity) return;
  if (q >= m || n == 0) {
    found[q] = 0;
    return;
  }
  const Site at = row_of(queries, wide, q);
  const Grid g = load_grid(grid);
  global ulong* list = lists + q * most;
  Best best;
  clear(&best, list);
  long tried = n;  // without cells, every point is tried
  if (g.shift < 63 && nearby(at)) {
    const Site c = cell_of(at, g);
    long ring =
        max(max(max(0l, -c.y), max(-c.z, -c.w)), max(max(c.y - g.cells.y, c.z - g.cells.z), c.w - g.cells.w) + 1);
    for (tried = 0; tried < n; ++ring) {
      tried += try_ring(&best, most, at, c, ring, n - tried, g, points, numbers, start, mask);
      if (tried < n && !goes_on(&best, most, at, c, ring, g)) break;
    }
  }
  if (tried >= n) {  // as many cells as points: the points themselves, all of them
    clear(&best, list);
    for (long i = 0; i < n; ++i)
      if (points[i].x == at.x) offer(&best, most, key_of(squared_distance(difference(at, points[i])), numbers[i]));
  }
  found[q] = keep(&best, most, list);
}

#ifndef MOST
// ---- Points into cells ----

#define BOUNDS 256

// part[2 g], part[2 g + 1] = the least and greatest coordinates of the rows of group g; there is one for each group
kernel __attribute__((reqd_work_group_size(BOUNDS, 1, 1))) void find_bounds(global const void* rows, int wide, long n,
                                                                            global Site* part) {
  local Site low[BOUNDS], high[BOUNDS];
  const int t = get_local_id(0);
  const long first = min((long)get_global_id(0), n - 1);
  Site l = row_of(rows, wide, first), h = l;
  for (long i = first; i < n; i += get_global_size(0)) {
    const Site s = row_of(rows, wide, i);
    l = min(l, s);
    h = max(h, s);
  }
  low[t] = l;
  high[t] = h;
  for (int step = BOUNDS / 2; step > 0; step /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (t < step) {
      low[t] = min(low[t], low[t + step]);
      high[t] = max(high[t], high[t + step]);
    }
  }
  if (t == 0) {
    part[2 * get_group_id(0)] = low[0];
    part[2 * get_group_id(0) + 1] = high[0];
  }
}

// Cells of about k/4 points, if the points of each batch filled the box evenly.
kernel void plan_cells(global const Site* part, int parts, long n, int k, global long* grid) {
  if (get_global_id(0) > 0) return;
  Site low = part[0], high = part[1];
  for (int p = 1; p < parts; ++p) {
    low = min(low, part[2 * p]);
    high = max(high, part[2 * p + 1]);
  }
  const ulong x = (ulong)high.y - (ulong)low.y, y = (ulong)high.z - (ulong)low.z, z = (ulong)high.w - (ulong)low.w;
  const ulong batches = min((ulong)high.x - (ulong)low.x, (ulong)n - 1) + 1;
  const float points = (float)n / (float)batches, limit = max(1.0f, points * clamp(16.0f / k, 0.01f, 4.0f));
  long shift = nearby(low) && nearby(high) ? 0 : 63;
  while (shift < 63 && (float)((x >> shift) + 1) * (float)((y >> shift) + 1) * (float)((z >> shift) + 1) > limit)
    ++shift;
  const int one = shift == 63;
  vstore4(low, 0, grid);
  const Site cells = (Site)(0, (long)(x >> shift) + 1, (long)(y >> shift) + 1, (long)(z >> shift) + 1);
  vstore4(one ? (Site)(0, 1, 1, 1) : cells, 1, grid);
  grid[8] = shift;
}

kernel void count_cells(global const void* rows, int wide, long n, global const long* grid, uint mask,
                        volatile global int* degree) {
  const long i = get_global_id(0);
  if (i < n) atomic_inc(&degree[(uint)hash_of(cell_of(row_of(rows, wide, i), load_grid(grid))) & mask]);
}

// Points of a bucket in any order.
kernel void place_cells(global const void* rows, int wide, long n, global const long* grid, uint mask,
                        volatile global int* cursor, global Site* points, global int* numbers) {
  const long i = get_global_id(0);
  if (i >= n) return;
  const Site s = row_of(rows, wide, i);
  const int at = atomic_inc(&cursor[(uint)hash_of(cell_of(s, load_grid(grid))) & mask]);
  points[at] = s;
  numbers[at] = (int)i;
}

// ---- Every offset of a ball looked up; offsets (x, y, z, square) by square ----

kernel void search_offsets(global const void* sources, int wide, constant const long* g, global const int2* table,
                           uint mask, global const void* queries, long m, long capacity, global const int* offsets,
                           int length, int most, global ulong* lists, global int* found) {
  const long q = get_global_id(0);
  if (q >= capacity) return;
  int count = 0;
  if (q < m) {
    const Site at = row_of(queries, wide, q);
    global ulong* list = lists + q * most;
    uint last = 0;
    for (int i = 0; i < length; ++i) {
      const int4 o = vload4(i, offsets);
      const float d2 = convert_float(o.w);
      if (count == most && as_uint(d2) != last) break;  // farther than all that are kept
      const Site s = (Site)(at.x, affine(at.y, 1, o.x), affine(at.z, 1, o.y), affine(at.w, 1, o.z));
      const int row = find(s, sources, wide, ROWS, 1, g, table, mask);
      if (row < 0) continue;
      count = insert_key(list, count, most, key_of(d2, row));
      last = as_uint(d2);
    }
  }
  found[q] = count;
}

// counted[i] = 1 for the lowest row of each site
kernel void mark_lowest(global const void* rows, int wide, constant const long* g, long n, global const int2* table,
                        uint mask, global int* counted) {
  const long i = get_global_id(0);
  if (i < n) counted[i] = find(row_of(rows, wide, i), rows, wide, ROWS, 1, g, table, mask) == i;
}

// ---- The edges of all queries in one list ----

kernel void list_edges(global const ulong* lists, global const int* found, global const int* offsets, long m,
                       long capacity, int most, global int* query, global int* source, global int* rank,
                       global float* d2, global int* counts) {
  const long e = get_global_id(0);
  if (e == 0) {
    counts[0] = offsets[capacity];
    counts[1] = (int)m;
  }
  const long q = e / most;
  const int j = (int)(e % most);
  if (q >= m || j >= found[q]) return;
  const int to = offsets[q] + j;
  const ulong key = lists[e];
  query[to] = (int)q;
  source[to] = (int)(uint)key;
  rank[to] = j;
  d2[to] = distance_of(key);
}

// ---- Features ----

// One work-item per element of `unit` bytes: 16, 4 or 2; 0: rows are only checked.
kernel void gather_rows(global const void* features, int unit, long n, int width, global const int* rows, long edges,
                        global void* out, global int* wrong) {
  const long e = get_global_id(0);
  if (e >= edges * width) return;
  const int row = rows[e / width];
  if (row < 0 || row >= n) {
    *wrong = 1;
    return;
  }
  const long from = (long)row * width + e % width;
  if (unit == 16) ((global uint4*)out)[e] = ((global const uint4*)features)[from];
  if (unit == 4) ((global uint*)out)[e] = ((global const uint*)features)[from];
  if (unit == 2) ((global ushort*)out)[e] = ((global const ushort*)features)[from];
}
#endif
