// Rows of a sparse tensor merged, joined, kept and ranked. Lookups, scans and the sorting of groups are those of
// relation.cl. Built for one type of feature: X, f16 or f32. Coordinates are int, or long (`wide`).

#include "element.cl"

void copy_site(global const void* from, int wide, long i, global void* to, long o) {
  if (wide) ((global long4*)to)[o] = ((global const long4*)from)[i];
  else ((global int4*)to)[o] = ((global const int4*)from)[i];
}

// ---- merging: first[i] is the lowest row at the site of row i

kernel void flag_first(global const int* first, long n, global int* flag) {
  const long i = get_global_id(0);
  if (i < n) flag[i] = first[i] == i;
}

// The sites in first-seen order, and how many rows each has. number: the scan of the flags.
kernel void write_sites(global const void* coords, int wide, global const int* first, global const int* number, long n,
                        global void* out, global int* active, volatile global int* degree) {
  const long i = get_global_id(0);
  if (i == 0) active[0] = number[n];
  if (i >= n) return;
  if (first[i] == i) copy_site(coords, wide, i, out, number[i]);
  atomic_inc(&degree[number[first[i]]]);
}

// Rows of each site in any order: sort_groups follows
kernel void place_rows(global const int* first, global const int* number, long n, volatile global int* cursor,
                       global int* members) {
  const long i = get_global_id(0);
  if (i < n) members[atomic_inc(&cursor[number[first[i]]])] = (int)i;
}

kernel void mean_rows(global const X_t* x, global const int* starts, global const int* members,
                      global const int* active, long capacity, long channels, global X_t* out) {
  const long e = get_global_id(0);
  if (e >= capacity * channels) return;
  const long o = e / channels, c = e - o * channels;
  if (o >= active[0]) return;
  const int begin = starts[o], end = starts[o + 1];
  if (end - begin == 1) {
    out[e] = x[members[begin] * channels + c];
    return;
  }
  float sum = at_x(x, members[begin] * channels + c), least = sum, most = sum;
  for (int j = begin + 1; j < end; ++j) {
    const float v = at_x(x, members[j] * channels + c);
    sum += v;
    least = v < least ? v : least;
    most = v > most ? v : most;
  }
  const float n = (float)(end - begin);
  float mean = sum / n;
  if (!isfinite(mean)) {  // summed again, scaled
    float again = 0;
    for (int j = begin; j < end; ++j) again += at_x(x, members[j] * channels + c) * 0x1p-32f;
    mean = again / n * 0x1p32f;
  }
  // Rounding may leave the range of the values.
  put_x(out, e, mean < least ? least : mean > most ? most : mean);
}

// ---- copies: a work-item takes one feature, and the first of a row its site

kernel void copy_first(global const void* coords, int wide, global const X_t* x, long n, long channels,
                       global void* out_coords, global X_t* out, global int* active) {
  const long e = get_global_id(0);
  if (e == 0) active[0] = (int)n;
  if (e < n) copy_site(coords, wide, e, out_coords, e);
  if (e < n * channels) out[e] = x[e];
}

kernel void collate(global const void* coords, int wide, global const X_t* x, long n, long channels, int batch, long at,
                    global void* out_coords, global X_t* out, global int* counts) {
  const long e = get_global_id(0);
  if (e == 0) counts[batch] = (int)n;
  if (e < n && wide) {
    const long3 c = vload3(e, (global const long*)coords);
    ((global long4*)out_coords)[at + e] = (long4)(batch, c.x, c.y, c.z);
  } else if (e < n) {
    const int3 c = vload3(e, (global const int*)coords);
    ((global int4*)out_coords)[at + e] = (int4)(batch, c.x, c.y, c.z);
  }
  if (e < n * channels) out[at * channels + e] = x[e];
}

// Row o of the results is row rows[o], for all o below *count, or below `capacity` if it is not counted.
kernel void take_rows(global const void* coords, int wide, global const X_t* x, global const int* rows,
                      global const int* count, int counted, long capacity, long channels, global void* out_coords,
                      global X_t* out) {
  const long e = get_global_id(0), n = counted ? min(capacity, (long)count[0]) : capacity;
  if (e < n) copy_site(coords, wide, rows[e], out_coords, e);
  if (e >= n * channels) return;
  const long o = e / channels, c = e - o * channels;
  out[e] = x[rows[o] * channels + c];
}

// ---- kept rows

kernel void flag_mask(global const uchar* mask, long n, global int* flag) {
  const long i = get_global_id(0);
  if (i < n) flag[i] = mask[i] != 0;
}

kernel void flag_inside(global const void* coords, int wide, long n, constant const long* corners, global int* flag) {
  const long i = get_global_id(0);
  if (i >= n) return;
  const long4 c = wide ? ((global const long4*)coords)[i] : convert_long4(((global const int4*)coords)[i]);
  flag[i] = corners[0] <= c.y && c.y <= corners[3] && corners[1] <= c.z && c.z <= corners[4] && corners[2] <= c.w &&
            c.w <= corners[5];
}

kernel void list_kept(global const int* flag, global const int* position, long n, global int* rows,
                      global int* active) {
  const long i = get_global_id(0);
  if (i == 0) active[0] = position[n];
  if (i < n && flag[i]) rows[position[i]] = (int)i;
}

// ---- ranks: a stable radix sort by score, then by batch

// The unsigned order of keys is that of scores: NaN above all, both zeros equal.
kernel void score_keys(global const X_t* x, long n, long channels, global uint* key, global int* row) {
  const long i = get_global_id(0);
  if (i >= n) return;
  const float v = at_x(x, i * channels);
  const uint b = v == 0.0f ? 0u : as_uint(v);
  key[i] = isnan(v) ? 0xFFFFFFFFu : b >> 31 ? ~b : b | 0x80000000u;
  row[i] = (int)i;
}

// The last b with starts[b] <= v.
int interval_of(global const long* starts, int n, long v) {
  int low = 0, high = n;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    if (starts[middle] <= v) low = middle;
    else high = middle;
  }
  return low;
}

kernel void batch_keys(global const int* row, long n, global const long* starts, int batches, global uint* key) {
  const long i = get_global_id(0);
  if (i < n) key[i] = (uint)interval_of(starts, batches, row[i]);
}

#define ITEMS 256
#ifndef RUN  // small limits: see sparse_rows.cpp
#define RUN 2048
#endif

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void count_digits(global const uint* key, long n, int shift,
                                                                            int runs, global int* matrix) {
  local int count[ITEMS];
  const int i = get_local_id(0);
  const long run = get_group_id(0), end = min(n, (run + 1) * RUN);
  count[i] = 0;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (long e = run * RUN + i; e < end; e += ITEMS) atomic_inc(&count[key[e] >> shift & 255]);
  barrier(CLK_LOCAL_MEM_FENCE);
  matrix[(long)i * runs + run] = count[i];
}

// Work-item d places what has digit d, in the order it stands in.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void place_digits(global const uint* key,
                                                                            global const int* row, long n, int shift,
                                                                            int runs, global const int* matrix,
                                                                            global uint* key_out, global int* row_out) {
  local uchar digit[RUN];
  local int place[RUN];
  const int i = get_local_id(0);
  const long first = (long)get_group_id(0) * RUN;
  const int used = (int)min((long)RUN, n - first);
  for (int e = i; e < used; e += ITEMS) digit[e] = (uchar)(key[first + e] >> shift & 255);
  barrier(CLK_LOCAL_MEM_FENCE);
  int at = matrix[(long)i * runs + get_group_id(0)];
  for (int e = 0; e < used; ++e)
    if (digit[e] == i) place[e] = at++;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int e = i; e < used; e += ITEMS) {
    key_out[place[e]] = key[first + e];
    row_out[place[e]] = row[first + e];
  }
}

// ends[b]: of the rows of batch b; at[b]: of its first row in the result, at[batches] being their number
kernel void take_best(global const int* row, global const long* ends, global const long* at, int batches, long kept,
                      global int* out, global int* count) {
  const long o = get_global_id(0);
  if (o == 0) count[0] = (int)kept;
  if (o >= kept) return;
  const int b = interval_of(at, batches, o);
  out[o] = row[ends[b] - at[b + 1] + o];
}
