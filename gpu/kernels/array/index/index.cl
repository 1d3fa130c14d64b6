// Elements read and written by position: places of rows, index arrays held against their axes, rows moved by element
// size, elements of one dtype as those of another, places counted by a mask.
//
// geometry: 8 sizes, innermost first, then 8 steps in the array whose places are computed, then 8 in an index array.

#include "element.cl"

#define GROUP 256

// ---- places

static inline ulong next_coordinate(ulong* k, ulong size) {
  const bool wide = (*k | size) >> 32;
  const ulong rest = wide ? *k % size : (uint)*k % (uint)size;
  *k = wide ? *k / size : (uint)*k / (uint)size;
  return rest;
}

// at[r] = offset + steps of the coordinates of r, where `begins`; plus `axis_step` times the position that the index
// array holds there, where it has entries (n >= 0). One outside of the axis counts as 0: `check` tells it.
kernel void places(constant const long* geometry, long offset, int begins, long rows, global const void* entries,
                   int type, long first, long n, long width, int wraps, long axis_step, global long* at) {
  const long r = get_global_id(0);
  if (r >= rows) return;
  long place = offset, entry = first;
  ulong k = r;
  for (int axis = 0; axis < 8 && k != 0; ++axis) {
    const long x = next_coordinate(&k, geometry[axis]);
    place += x * geometry[8 + axis];
    entry += x * geometry[16 + axis];
  }
  if (!begins) place = at[r];
  if (n >= 0) {
    long x = whole_at(entries, type, entry);
    if (x < 0 && wraps) x += n;
    place += x >= 0 && x <= n - width ? x * axis_step : 0;
  }
  at[r] = place;
}

// bad[array]: the first entry that is no position, 0xFFFFFFFF before and if there is none.
kernel void check(global const void* entries, int type, long first, long count, long n, long width, int wraps,
                  volatile global uint* bad, int array) {
  const long i = get_global_id(0);
  if (i >= count) return;
  long x = whole_at(entries, type, first + i);
  if (x < 0 && wraps) x += n;
  if (x < 0 || x > n - width) atomic_min(&bad[array], (uint)i);
}

// ---- rows: element e is the i-th of row r

static inline long row_of(ulong e, ulong size) {
  return (e | size) >> 32 ? (long)(e / size) : (long)((uint)e / (uint)size);
}

#define ROWS(BITS, T)                                                                                                  \
  kernel void read_##BITS(global const T* a, global const long* at, long size, long step, long total, global T* out) { \
    const long e = get_global_id(0);                                                                                   \
    if (e >= total) return;                                                                                            \
    const long r = row_of(e, size);                                                                                    \
    out[e] = a[at[r] + (e - r * size) * step];                                                                         \
  }                                                                                                                    \
  /* order: rows by place, those of one place as they come; the last of them is written. Null if none meet. */         \
  kernel void write_##BITS(global const T* u, global const long* from, global const long* at, global const int* order, \
                           int ordered, long size, long step, long update, long rows, global T* out) {                 \
    const long e = get_global_id(0);                                                                                   \
    if (e >= rows * size) return;                                                                                      \
    const long s = row_of(e, size), i = e - s * size, r = ordered ? order[s] : s;                                      \
    if (ordered && s + 1 < rows && at[order[s + 1]] == at[r]) return;                                                  \
    out[at[r] + i * step] = u[from[r] + i * update];                                                                   \
  }                                                                                                                    \
  /* rank[i]: which row of the values goes to row i, or -1 */                                                          \
  kernel void write_masked_##BITS(global const T* values, global const long* rank, long size, long supply,             \
                                  long values_step, long total, global T* out) {                                       \
    const long e = get_global_id(0);                                                                                   \
    if (e >= total) return;                                                                                            \
    const long i = row_of(e, size), r = rank[i];                                                                       \
    if (r >= 0 && r < supply) out[e] = values[r * values_step + (e - i * size)];                                       \
  }

ROWS(8, uchar)
ROWS(16, ushort)
ROWS(32, uint)
ROWS(64, ulong)

// ---- masks, in blocks of ENTRIES for each work-item of a group

#define ENTRIES 8
#define BLOCK (GROUP * ENTRIES)

static inline int count_mine(global const uchar* mask, long first, long n) {
  int found = 0;
  for (long i = first; i < first + ENTRIES && i < n; ++i) found += mask[i] != 0;
  return found;
}

// Sums of those before each work-item; all must call it. The sum of all is that of the last and its own.
static inline long sum_before(local long* sums, long mine) {
  const int i = get_local_id(0);
  sums[i] = mine;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int distance = 1; distance < GROUP; distance *= 2) {
    const long more = i >= distance ? sums[i - distance] : 0;
    barrier(CLK_LOCAL_MEM_FENCE);
    sums[i] += more;
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  return sums[i] - mine;
}

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void count_mask(global const uchar* mask, long n,
                                                                          global long* counts) {
  local long sums[GROUP];
  const int i = get_local_id(0);
  const long block = get_group_id(0);
  const long before = sum_before(sums, count_mine(mask, block * BLOCK + i * ENTRIES, n));
  if (i == GROUP - 1) counts[block] = sums[i];
  (void)before;
}

// One work-group: counts become the sums of those before, and one more the sum of all.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void scan_counts(global long* counts, long blocks) {
  local long sums[GROUP];
  const int i = get_local_id(0);
  const long share = (blocks + GROUP - 1) / GROUP, begin = min(blocks, i * share), end = min(blocks, begin + share);
  long mine = 0;
  for (long b = begin; b < end; ++b) mine += counts[b];
  long before = sum_before(sums, mine);
  for (long b = begin; b < end; ++b) {
    const long own = counts[b];
    counts[b] = before;
    before += own;
  }
  if (i == GROUP - 1) counts[blocks] = before;
}

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void rank_mask(global const uchar* mask, long n,
                                                                         global const long* counts, global long* rank) {
  local long sums[GROUP];
  const long block = get_group_id(0), first = block * BLOCK + get_local_id(0) * ENTRIES;
  long next = counts[block] + sum_before(sums, count_mine(mask, first, n));
  for (long i = first; i < first + ENTRIES && i < n; ++i) rank[i] = mask[i] ? next++ : -1;
}
