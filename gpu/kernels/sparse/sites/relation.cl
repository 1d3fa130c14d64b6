// Edges of sparse kernels by hashing. A table slot holds a row and a part of its hash; slots of equal sites
// settle on the lowest row, so every lookup has one answer however the work-items were scheduled. Edges are
// placed by counting and scanning, and groups that were filled in any order are sorted: all outputs repeat.

#include "sparse/sites/sites.cl"

// first[e] = the lowest element of e's site; flag[e] = whether that is e itself
kernel void find_first(global const void* rows, int wide, int mode, int kernels, constant const long* g, long n,
                       global const int2* table, uint mask, global int* first, global int* flag) {
  const long e = get_global_id(0);
  if (e >= n) return;
  first[e] = find(site_of(rows, wide, e, mode, kernels, g), rows, wide, mode, kernels, g, table, mask);
  flag[e] = first[e] == e;
}

// out[number[e]] = site of e for the elements that show their site first; number is the scan of flag
kernel void number_sites(global const void* rows, int wide, int mode, int kernels, constant const long* g, long n,
                         global const int* flag, global const int* number, global void* out, global int* counts) {
  const long e = get_global_id(0);
  if (e == 0) counts[1] = number[n];
  if (e < n && flag[e]) store_site(out, wide, number[e], site_of(rows, wide, e, mode, kernels, g));
}

kernel void copy_sites(global const void* rows, int wide, long n, global void* out, global int* counts) {
  const long e = get_global_id(0);
  if (e == 0) counts[1] = (int)n;
  if (e < n) store_site(out, wide, e, row_of(rows, wide, e));
}

// A second table finds rows by blocks of 4 x 4 x 4 sites, so that the sites around one site share a few lookups. An
// entry is (a row of the block + 1, its 64 cells as two words of bits, the place of its first cell), zero where empty;
// cells are placed in any order, and lowest[place] is the lowest row of the cell's site.
Site block_of(Site s) { return (Site)(s.x, s.y >> 2, s.z >> 2, s.w >> 2); }

int cell_of(Site s) { return (int)((s.y & 3) << 4 | (s.z & 3) << 2 | (s.w & 3)); }

int place_of(uint4 entry, int cell) {
  const ulong cells = (ulong)entry.z << 32 | entry.y, bit = 1ul << cell;
  return (cells & bit) != 0 ? (int)entry.w + (int)popcount(cells & (bit - 1)) : -1;
}

uint4 find_block(Site b, global const void* rows, int wide, global const uint4* table, uint mask) {
  for (uint slot = (uint)hash_of(b) & mask;; slot = (slot + 1) & mask) {
    const uint4 entry = table[slot];
    if (entry.x == 0 || same(block_of(row_of(rows, wide, (long)entry.x - 1)), b)) return entry;
  }
}

// table: mask + 1 entries, more than there are rows; slot_of[i]: the entry of row i
kernel void mark_blocks(global const void* rows, int wide, long n, volatile global int* table, uint mask,
                        global uint* slot_of) {
  const long i = get_global_id(0);
  if (i >= n) return;
  const Site s = row_of(rows, wide, i), b = block_of(s);
  for (uint slot = (uint)hash_of(b) & mask;; slot = (slot + 1) & mask) {
    volatile global int* entry = table + 4 * (ulong)slot;
    const int old = atomic_cmpxchg(entry, 0, (int)i + 1);
    if (old != 0 && !same(block_of(row_of(rows, wide, (long)old - 1)), b)) continue;
    const int cell = cell_of(s);
    atomic_or(entry + 1 + (cell >> 5), (int)(1u << (cell & 31)));
    slot_of[i] = slot;
    return;
  }
}

#define GROUP 128

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void place_blocks(global const uint* slot_of, long n,
                                                                            global uint4* table,
                                                                            volatile global int* used) {
  local int total, base;
  const long i = get_global_id(0);
  if (get_local_id(0) == 0) total = 0;
  barrier(CLK_LOCAL_MEM_FENCE);
  const ulong slot = i < n ? slot_of[i] : 0;
  const uint4 entry = table[slot];
  const int mine = i < n && entry.x == (uint)i + 1;
  const int at = mine ? atomic_add(&total, (int)(popcount(entry.y) + popcount(entry.z))) : 0;
  barrier(CLK_LOCAL_MEM_FENCE);
  if (get_local_id(0) == 0) base = atomic_add(used, total);
  barrier(CLK_LOCAL_MEM_FENCE);
  if (mine) ((global int*)table)[4 * slot + 3] = base + at;
}

// lowest starts as all ones
kernel void number_cells(global const void* rows, int wide, long n, global const uint4* table,
                         global const uint* slot_of, volatile global uint* lowest) {
  const long i = get_global_id(0);
  if (i < n) atomic_min(&lowest[place_of(table[slot_of[i]], cell_of(row_of(rows, wide, i)))], (uint)i);
}

// Outputs are ordered by the kernel rows that they meet, so that neighbours in the order meet the same ones. Where
// there are more kernel rows than bits, a bucket is the upper rows and 5 bits of a hash of the others. Equal masks
// share a bucket; the order within a bucket is any.
uint bucket_of(uint mask, int kernels, int bits) {
  if (kernels <= bits) return mask;
  const int low = kernels - (bits - 5);
  const ulong all = mask;  // low may be 32
  const uint rest = (uint)(all & ((1ul << low) - 1));
  return (uint)(all >> low) << 5 | (rest * 0x9E3779B1u) >> 27;
}

// place[o] = (bucket, rank within it): one addition to the histogram per work-group and bucket. All items take part.
void enter_bucket(uint mask, int kernels, int bits, long o, long rows, local uint* key, local uint* number,
                  volatile global uint* histogram, global uint2* place) {
  const int t = get_local_id(0);
  for (int j = t; j < 2 * GROUP; j += GROUP) {
    key[j] = 0xFFFFFFFFu;
    number[j] = 0;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  const uint bucket = bucket_of(mask, kernels, bits);
  uint slot = (bucket * 0x9E3779B1u) >> 24, rank = 0;
  if (o < rows) {
    for (;; slot = (slot + 1) & (2 * GROUP - 1)) {
      const uint old = atomic_cmpxchg((volatile local uint*)&key[slot], 0xFFFFFFFFu, bucket);
      if (old == 0xFFFFFFFFu || old == bucket) break;
    }
    rank = atomic_inc((volatile local uint*)&number[slot]);
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int j = t; j < 2 * GROUP; j += GROUP)
    if (number[j] > 0) number[j] = atomic_add(&histogram[key[j]], number[j]);
  barrier(CLK_LOCAL_MEM_FENCE);
  if (o < rows) place[o] = (uint2)(bucket, number[slot] + rank);
}

// The site that an output at c asks for under a kernel row of shift f; *exact falls where there is none.
Site asked_site(Site c, constant const long* g, global const long* f, int inverse, int* exact) {
  if (!inverse)
    return (Site)(c.x, affine(c.y, g[STRIDE], f[0]), affine(c.z, g[STRIDE + 1], f[1]),
                  affine(c.w, g[STRIDE + 2], f[2]));
  const Site s = (Site)(c.x, affine(c.y, 1, f[0]), affine(c.z, 1, f[1]), affine(c.w, 1, f[2]));
  *exact = *exact && s.y % g[STRIDE] == 0 && s.z % g[STRIDE + 1] == 0 && s.w % g[STRIDE + 2] == 0;
  return (Site)(c.x, s.y / g[STRIDE], s.z / g[STRIDE + 1], s.w / g[STRIDE + 2]);
}

// map[o * kernels + k] = the input row that output o meets under kernel row k, or -1; all of `capacity` rows. The site
// it asks for is out * stride + shift[k], or with `inverse` (out + shift[k]) / stride where that is exact. `compact`:
// all sites of an output lie in at most two blocks per axis. active: how many outputs there are, written to counts[1],
// or -1: read there. bits: -1, or counts[0] += edges, and if it is positive the outputs enter a histogram of so many
// bits.
#define CHUNK 32

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void map_inputs(
    global const void* out, global int* counts, long active, long capacity, global const void* rows, int wide,
    int kernels, constant const long* g, global const long* shift, int inverse, int compact, global const uint4* table,
    uint mask, global const int* lowest, global int* map, int bits, volatile global uint* histogram,
    global uint2* place) {
  local int stage[GROUP * (CHUNK + 1)];
  local uint4 known[8 * GROUP];
  local uint key[2 * GROUP], number[2 * GROUP];
  local int edges;
  const int t = get_local_id(0);
  const long o = get_global_id(0), first = o - t;
  const int live = o < capacity && o < (active >= 0 ? active : (long)counts[1]);
  const Site c = live ? row_of(out, wide, o) : (Site)(0);
  uint met = 0, have = 0;
  int degree = 0;
  if (t == 0) edges = 0;
  if (o == 0 && active >= 0) counts[1] = (int)active;
  for (int k0 = 0; k0 < kernels; k0 += CHUNK) {
    const int width = min(kernels - k0, CHUNK);
    for (int k = 0; k < width; ++k) {
      int exact = live, row = -1;
      const Site s = asked_site(c, g, shift + 3 * (k0 + k), inverse, &exact);
      if (exact) {
        const Site b = block_of(s);
        const int which = (int)((b.y & 1) << 2 | (b.z & 1) << 1 | (b.w & 1));
        uint4 entry;
        if (compact && (have >> which & 1)) {
          entry = known[which * GROUP + t];
        } else {
          entry = find_block(b, rows, wide, table, mask);
          if (compact) known[which * GROUP + t] = entry;
          have |= 1u << which;
        }
        const int at = place_of(entry, cell_of(s));
        if (at >= 0) row = lowest[at];
      }
      stage[t * (CHUNK + 1) + k] = row;
      degree += row >= 0;
      if (k0 == 0) met |= (uint)(row >= 0) << k;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int e = t; e < GROUP * width; e += GROUP)
      if (first + e / width < capacity)
        map[(first + e / width) * kernels + k0 + e % width] = stage[e / width * (CHUNK + 1) + e % width];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  if (bits < 0) return;
  if (degree > 0) atomic_add((volatile local int*)&edges, degree);
  barrier(CLK_LOCAL_MEM_FENCE);
  if (t == 0 && edges > 0) atomic_add((volatile global int*)&counts[0], edges);
  if (bits > 0) enter_bucket(met, kernels, bits, o, capacity, key, number, histogram, place);
}

// The same ordering from a finished map; without one (spread), output i * K + k meets kernel row k alone.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void bucket_outputs(global const int* map, int spread,
                                                                              int kernels, long rows, int bits,
                                                                              volatile global uint* histogram,
                                                                              global uint2* place) {
  local uint key[2 * GROUP], number[2 * GROUP];
  const long o = get_global_id(0);
  uint met = 0;
  for (int k = 0; o < rows && k < kernels; ++k)
    met |= (uint)(spread ? o % kernels == k : map[o * kernels + k] >= 0) << k;
  enter_bucket(met, kernels, bits, o, rows, key, number, histogram, place);
}

// order[start of the bucket of o + rank of o] = o
kernel void place_outputs(global const int* start, global const uint2* place, long rows, global int* order) {
  const long o = get_global_id(0);
  if (o < rows) order[start[place[o].x] + place[o].y] = (int)o;
}

kernel void count_up(global int* order, long rows) {
  const long o = get_global_id(0);
  if (o < rows) order[o] = (int)o;
}

// Exclusive sums of ITEMS * EACH elements per work-group. Elements from `n` on count as 0; `present`: an element counts
// 1 if it is not negative. sums[group] = the total of the group.
#ifndef ITEMS  // small limits: see relation.cpp
#define ITEMS 256
#define EACH 8
#define RUN 2048
#endif

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void scan_blocks(global const int* in, int present, long n,
                                                                           global int* out, global int* sums,
                                                                           long length) {
  local int partial[2][ITEMS];
  const int i = get_local_id(0);
  const long base = (long)get_group_id(0) * ITEMS * EACH + i * EACH;
  int value[EACH], total = 0;
  for (int j = 0; j < EACH; ++j) {
    const long e = base + j;
    const int x = e < n ? in[e] : present ? -1 : 0;
    value[j] = present ? x >= 0 : x;
    total += value[j];
  }
  int from = 0;
  partial[0][i] = total;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int step = 1; step < ITEMS; step *= 2) {
    partial[1 - from][i] = partial[from][i] + (i >= step ? partial[from][i - step] : 0);
    from = 1 - from;
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  if (i == ITEMS - 1) sums[get_group_id(0)] = partial[from][i];
  int before = partial[from][i] - total;
  for (int j = 0; j < EACH; ++j) {
    if (base + j < length) out[base + j] = before;
    before += value[j];
  }
}

kernel void add_blocks(global int* out, global const int* sums, long length) {
  const long e = get_global_id(0);
  if (e < length) out[e] += sums[e / (ITEMS * EACH)];
}

// Edge columns of a map, at the positions that its scan gives, and the offsets of its output rows.
kernel void list_edges(global const int* map, global const int* position, long capacity, int kernels, global int* in,
                       global int* out, global int* kernel_ids, global int* offsets, global int* counts) {
  const long e = get_global_id(0), cells = capacity * kernels;
  if (e > cells) return;
  const int at = position[e];
  if (e % kernels == 0) offsets[e / kernels] = at;
  if (e == cells) {
    counts[0] = at;
    return;
  }
  if (map[e] < 0) return;
  in[at] = map[e];
  out[at] = (int)(e / kernels);
  kernel_ids[at] = (int)(e % kernels);
}

// degree[key[e]] += 1 for the edges there are
kernel void count_groups(global const int* key, global const int* counts, long capacity, global int* degree) {
  const long e = get_global_id(0);
  if (e < capacity && e < counts[0]) atomic_inc(&degree[key[e]]);
}

kernel void copy_ints(global const int* from, global int* to, long n) {
  const long e = get_global_id(0);
  if (e < n) to[e] = from[e];
}

// ids of a group's edges, in any order: sort_groups follows
kernel void place_groups(global const int* key, global const int* counts, long capacity, global int* cursor,
                         global int* ids) {
  const long e = get_global_id(0);
  if (e < capacity && e < counts[0]) ids[atomic_inc(&cursor[key[e]])] = (int)e;
}

void sift_down(global int* a, int from, int n) {
  for (int root = from;;) {
    int child = 2 * root + 1;
    if (child >= n) return;
    if (child + 1 < n && a[child] < a[child + 1]) ++child;
    if (a[root] >= a[child]) return;
    const int t = a[root];
    a[root] = a[child];
    a[child] = t;
    root = child;
  }
}

// Sorts each group ascending: by insertion if it is short, else as a heap.
kernel void sort_groups(global const int* offsets, long groups, global int* ids) {
  const long g = get_global_id(0);
  if (g >= groups) return;
  global int* a = ids + offsets[g];
  const int n = offsets[g + 1] - offsets[g];
  if (n <= 64) {
    for (int i = 1; i < n; ++i) {
      const int x = a[i];
      int j = i;
      for (; j > 0 && a[j - 1] > x; --j) a[j] = a[j - 1];
      a[j] = x;
    }
    return;
  }
  for (int i = n / 2; i-- > 0;) sift_down(a, i, n);
  for (int end = n - 1; end > 0; --end) {
    const int t = a[0];
    a[0] = a[end];
    a[end] = t;
    sift_down(a, 0, end);
  }
}

// A stable counting sort with few keys: a work-item counts, and later places, one key within one run of RUN edges.
// matrix[key][run], scanned in between.
kernel void count_keys(global const int* key, global const int* counts, int keys, int runs, global int* matrix) {
  const int k = get_global_id(0), run = get_global_id(1);
  if (k >= keys || run >= runs) return;
  const int begin = run * RUN, end = begin + min(counts[0] - begin, RUN);  // begin + RUN may pass 2^31
  int n = 0;
  for (int e = begin; e < end; ++e) n += key[e] == k;
  matrix[(long)k * runs + run] = n;
}

kernel void place_keys(global const int* key, global const int* counts, int keys, int runs, global const int* matrix,
                       global int* offsets, global int* ids) {
  const int k = get_global_id(0), run = get_global_id(1);
  if (k >= keys || run >= runs) return;
  const int begin = run * RUN, end = begin + min(counts[0] - begin, RUN);  // begin + RUN may pass 2^31
  int at = matrix[(long)k * runs + run];
  if (run == 0) offsets[k] = at;
  if (run == 0 && k == keys - 1) offsets[keys] = counts[0];
  for (int e = begin; e < end; ++e)
    if (key[e] == k) ids[at++] = e;
}

// Scattering without a merge: edge e joins input e / K and output e under kernel row e % K.
kernel void spread(global const void* rows, int wide, int kernels, constant const long* g, long n, global int* in,
                   global int* out, global int* kernel_ids, global int* counts, global int* offsets,
                   global void* sites) {
  const long e = get_global_id(0), edges = n * kernels;
  if (e == 0) counts[0] = counts[1] = (int)edges;
  if (e <= edges) offsets[e] = (int)e;
  if (e >= edges) return;
  in[e] = (int)(e / kernels);
  out[e] = (int)e;
  kernel_ids[e] = (int)(e % kernels);
  store_site(sites, wide, e, site_of(rows, wide, e, REACHED, kernels, g));
}

// Scattering with a merge: the output of candidate e is the number of the first candidate of its site.
kernel void merge_outputs(global const int* first, global const int* number, long cells, global int* output,
                          volatile global int* degree, global int* counts) {
  const long e = get_global_id(0);
  if (e == 0) counts[0] = (int)cells;
  if (e >= cells) return;
  output[e] = number[first[e]];
  atomic_inc(&degree[output[e]]);
}

// Candidates of an output, coded so that their order is that of (kernel row, input row).
kernel void place_candidates(global const int* output, long n, int kernels, volatile global int* cursor,
                             global int* codes) {
  const long e = get_global_id(0);
  if (e < n * kernels) codes[atomic_inc(&cursor[output[e]])] = (int)(e % kernels * n + e / kernels);
}

// position[i * K + k] = the edge of input i under kernel row k
kernel void list_merged(global const int* codes, global const int* output, long n, int kernels, global int* in,
                        global int* out, global int* kernel_ids, global int* position) {
  const long e = get_global_id(0);
  if (e >= n * kernels) return;
  const long i = codes[e] % n;
  const int k = (int)(codes[e] / n);
  in[e] = (int)i;
  kernel_ids[e] = k;
  out[e] = output[i * kernels + k];
  position[i * kernels + k] = (int)e;
}

// Every active input has an edge under every kernel row.
kernel void full_offsets(long n, long capacity, int kernels, global int* offsets) {
  const long i = get_global_id(0);
  if (i <= capacity) offsets[i] = (int)(min(i, n) * kernels);
}
