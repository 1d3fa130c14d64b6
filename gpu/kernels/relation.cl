// Edges of sparse kernels by hashing. A table slot holds a row and a part of its hash; slots of equal sites
// settle on the lowest row, so every lookup has one answer however the work-items were scheduled. Edges are
// placed by counting and scanning, and groups that were filled in any order are sorted: all outputs repeat.

#include "sites.cl"

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

// map[o * kernels + k] = the input row that output o meets under kernel row k, or -1; all of `capacity` rows.
// Inverse: inputs are scaled rather than outputs, so that only exact quotients meet.
kernel void map_inputs(global const void* out, global const int* counts, long capacity, global const void* rows,
                       int wide, int kernels, constant const long* g, int inverse, global const int2* table,
                       uint mask, global int* map) {
  const long e = get_global_id(0);
  if (e >= capacity * kernels) return;
  const long o = e / kernels;
  const int k = (int)(e % kernels);
  int row = -1;
  if (o < counts[1]) {
    Site s = row_of(out, wide, o);
    int exact = 1;
    if (inverse) {
      const long4 i = index_of(k, g);
      s.y = affine(s.y, 1, g[PADDING] - i.y * g[DILATION]);
      s.z = affine(s.z, 1, g[PADDING + 1] - i.z * g[DILATION + 1]);
      s.w = affine(s.w, 1, g[PADDING + 2] - i.w * g[DILATION + 2]);
      exact = s.y % g[STRIDE] == 0 && s.z % g[STRIDE + 1] == 0 && s.w % g[STRIDE + 2] == 0;
      s = (Site)(s.x, s.y / g[STRIDE], s.z / g[STRIDE + 1], s.w / g[STRIDE + 2]);
    } else {
      s = reached(s, k, g);
    }
    if (exact) row = find(s, rows, wide, ROWS, kernels, g, table, mask);
  }
  map[e] = row;
}

// Exclusive sums of 2048 elements per work-group. Elements from `n` on count as 0; `present`: an element counts
// 1 if it is not negative. sums[group] = the total of the group.
#define ITEMS 256
#define EACH 8

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
kernel void list_edges(global const int* map, global const int* position, long capacity, int kernels,
                       global int* in, global int* out, global int* kernel_ids, global int* offsets,
                       global int* counts) {
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

// A stable counting sort with few keys: a work-item counts, and later places, one key within one run of edges.
// matrix[key][run], scanned in between.
#define RUN 2048

kernel void count_keys(global const int* key, global const int* counts, int keys, int runs, global int* matrix) {
  const int k = get_global_id(0), run = get_global_id(1);
  if (k >= keys || run >= runs) return;
  const int begin = run * RUN, end = min(counts[0], begin + RUN);
  int n = 0;
  for (int e = begin; e < end; ++e) n += key[e] == k;
  matrix[(long)k * runs + run] = n;
}

kernel void place_keys(global const int* key, global const int* counts, int keys, int runs, global const int* matrix,
                       global int* offsets, global int* ids) {
  const int k = get_global_id(0), run = get_global_id(1);
  if (k >= keys || run >= runs) return;
  const int begin = run * RUN, end = min(counts[0], begin + RUN);
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
