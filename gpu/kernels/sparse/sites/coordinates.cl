// Operations on rows of coordinates. First-seen order comes from marking the lowest row of each site and scanning
// the marks; where several work-items write one place, they write the same value or combine by a commutative atomic.

#include "sparse/sites/sites.cl"

int row_in(Site s, global const void* rows, int wide, global const int2* table, uint mask) {
  return find(s, rows, wide, ROWS, 1, (constant const long*)0, table, mask);
}

// ---- Sets ----

kernel void floor_rows(global const void* rows, int wide, long n, long sx, long sy, long sz, global void* out) {
  const long e = get_global_id(0);
  if (e >= n) return;
  const Site c = row_of(rows, wide, e);
  store_site(out, wide, e, (Site)(c.x, floored(c.y, sx), floored(c.z, sy), floored(c.w, sz)));
}

kernel void append_rows(global const void* rows, int wide, long n, long at, global void* out) {
  const long e = get_global_id(0);
  if (e < n) store_site(out, wide, at + e, row_of(rows, wide, e));
}

// flag[row] = 1 for each row that is the lowest of its site
kernel void mark_lowest(global const int2* table, long slots, global int* flag) {
  const long e = get_global_id(0);
  if (e >= slots) return;
  const int row = table[e].x;
  if (row >= 0) flag[row] = 1;
}

// flag[row] = 1 for each lowest row that a query meets
kernel void mark_met(global const void* queries, int wide, long m, global const void* rows, global const int2* table,
                     uint mask, global int* flag) {
  const long e = get_global_id(0);
  if (e >= m) return;
  const int row = row_in(row_of(queries, wide, e), rows, wide, table, mask);
  if (row >= 0) flag[row] = 1;
}

// out[number[e]] = row e where it is flagged; number is the scan of flag
kernel void store_flagged(global const void* rows, int wide, long n, global const int* flag, global const int* number,
                          global void* out, global int* count) {
  const long e = get_global_id(0);
  if (e == 0) count[0] = number[n];
  if (e < n && flag[e]) store_site(out, wide, number[e], row_of(rows, wide, e));
}

// ---- Lookups ----

kernel void look_up(global const void* queries, int wide, long m, global const void* rows, global const int2* table,
                    uint mask, global int* out) {
  const long e = get_global_id(0);
  if (e < m) out[e] = row_in(row_of(queries, wide, e), rows, wide, table, mask);
}

kernel void contain(global const void* queries, int wide, long m, global const void* rows, global const int2* table,
                    uint mask, global uchar* out) {
  const long e = get_global_id(0);
  if (e < m) out[e] = row_in(row_of(queries, wide, e), rows, wide, table, mask) >= 0;
}

// ---- Morton's order ----

// Two zeros between any two of the low 21 bits.
ulong spread(ulong v) {
  v &= 0x1FFFFF;
  v = (v | v << 32) & 0x1F00000000FFFF;
  v = (v | v << 16) & 0x1F0000FF0000FF;
  v = (v | v << 8) & 0x100F00F00F00F00F;
  v = (v | v << 4) & 0x10C30C30C30C30C3;
  return (v | v << 2) & 0x1249249249249249;
}

kernel void morton_codes(global const void* rows, int wide, long n, global long* codes) {
  const long e = get_global_id(0);
  if (e >= n) return;
  const Site c = row_of(rows, wide, e);
  const ulong space = spread((ulong)c.y) | spread((ulong)c.z) << 1 | spread((ulong)c.w) << 2;
  codes[e] = (long)(space + ((ulong)c.x << 60));
}

kernel void permute_rows(global const void* rows, int wide, long n, global const int* order, global void* out,
                         global int* inverse) {
  const long e = get_global_id(0);
  if (e >= n) return;
  store_site(out, wide, e, row_of(rows, wide, order[e]));
  inverse[order[e]] = (int)e;
}

// ---- Octants: rows are taken modulo 2^32 ----

#define NARROW 0

// floor(row / 2)
kernel void parents_of(global const void* rows, int wide, long n, global int* out) {
  const long e = get_global_id(0);
  if (e >= n) return;
  const int4 c = convert_int4(row_of(rows, wide, e));
  vstore4((int4)(c.x, c.y >> 1, c.z >> 1, c.w >> 1), e, out);
}

kernel void occupy(global const void* rows, int wide, long n, global const int* parents, global const int* number,
                   global const int2* table, uint mask, volatile global int* occupancy) {
  const long e = get_global_id(0);
  if (e >= n) return;
  const Site c = row_of(rows, wide, e);
  const int child = (int)((c.y & 1) | (c.z & 1) << 1 | (c.w & 1) << 2);
  const int first = row_in(row_of(parents, NARROW, e), parents, NARROW, table, mask);
  atomic_or(&occupancy[number[first]], 1 << child);
}

kernel void count_children(global const int* occupancy, long n, global int* count) {
  const long e = get_global_id(0);
  if (e < n) count[e] = popcount(occupancy[e] & 255);
}

int4 child_of(Site parent, int child) {
  const int4 p = convert_int4(parent);
  return (int4)(p.x, p.y << 1 | (child & 1), p.z << 1 | (child >> 1 & 1), p.w << 1 | (child >> 2 & 1));
}

// One work-item for each parent and child; start is the scan of count_children.
kernel void expand(global const void* rows, int wide, long n, global const int* occupancy, global const int* start,
                   global int* out, global int* active, global int* parent, global int* child) {
  const long e = get_global_id(0), p = e / 8;
  const int c = (int)(e % 8);
  if (e == 0) active[0] = start[n];
  if (p >= n || !(occupancy[p] >> c & 1)) return;
  const int at = start[p] + popcount(occupancy[p] & ((1 << c) - 1));
  vstore4(child_of(row_of(rows, wide, p), c), at, out);
  parent[at] = (int)p;
  child[at] = c;
}

kernel void child_rows(global const void* rows, int wide, long n, global const int* child, global int* out) {
  const long e = get_global_id(0);
  if (e < n) vstore4(child_of(row_of(rows, wide, e), child[e]), e, out);
}

// ---- Joins ----

// Which rows of a side stay, by their match on the other side. As in gpu/sparse/sites/coordinates.cpp.
#define ALL 0
#define MET 1
#define ALONE 2

kernel void flag_kept(global const int* match, long n, int keep, global int* flag) {
  const long e = get_global_id(0);
  if (e < n) flag[e] = keep == MET ? match[e] >= 0 : match[e] < 0;
}

// The kept rows of a side, from output position `from` on; number is the scan of flag, neither is read for ALL.
kernel void join_side(global const int* rows, long n, global const int* match, int keep, global const int* flag,
                      global const int* number, long from, global int* out, global int* own, global int* other,
                      global int* active) {
  const long e = get_global_id(0);
  if (e == 0) active[0] = (int)from + (keep == ALL ? (int)n : number[n]);
  if (e >= n || (keep != ALL && !flag[e])) return;
  const long at = from + (keep == ALL ? e : number[e]);
  vstore4(vload4(e, rows), at, out);
  own[at] = (int)e;
  other[at] = match[e];
}
